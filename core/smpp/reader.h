// Cursor over a PDU body that keeps the first fault: reads behind it do nothing, so a decoder reads
// field after field and looks once, at its end. Private to core/smpp.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "core/base/bytes.h"
#include "core/smpp/field_limits.h"
#include "core/smpp/pdu.h"
#include "core/smpp/status.h"

namespace sy::smpp {

class Reader {
  public:
    explicit Reader(Octets body) : rest_(body) {}

    /// A C-Octet String of at most `octets_max` octets before its NUL, else `too_long`. A body that
    /// ends first is esme_rinvcmdlen.
    void c_string(size_t octets_max, CommandStatus too_long, std::string_view& out) {
        const size_t window = std::min(rest_.size(), octets_max + 1);
        const void* nul = window == 0 ? nullptr : std::memchr(rest_.data(), 0, window);
        if (nul == nullptr) {
            fail(rest_.size() > octets_max ? too_long : CommandStatus::esme_rinvcmdlen);
            out = {};
            return;
        }
        const auto length = static_cast<size_t>(static_cast<const uint8_t*>(nul) - rest_.data());
        out = as_chars(rest_.first(length));
        rest_ = rest_.subspan(length + 1);
    }

    void octet(uint8_t& out, CommandStatus absent = CommandStatus::esme_rinvcmdlen) {
        if (rest_.empty()) {
            fail(absent);
            out = 0;
            return;
        }
        out = rest_[0];
        rest_ = rest_.subspan(1);
    }

    void integer(uint32_t& out) {
        if (rest_.size() < sizeof out) {
            fail(CommandStatus::esme_rinvcmdlen);
            out = 0;
            return;
        }
        out = load_be<uint32_t>(rest_.data());
        rest_ = rest_.subspan(sizeof out);
    }

    void address(size_t octets_max, CommandStatus too_long, Address& out) {
        octet(out.ton);
        octet(out.npi);
        c_string(octets_max, too_long, out.digits);
    }

    /// A time is "1 or 17" octets: nothing, or exactly 16 characters.
    void time(CommandStatus bad_length, std::string_view& out) {
        c_string(time_octets, bad_length, out);
        if (!out.empty() && out.size() != time_octets) {
            fail(bad_length);
        }
    }

    /// sm_length and short_message.
    void short_message(Octets& out) {
        uint8_t sm_length = 0;
        octet(sm_length);
        out = {};
        if (sm_length > rest_.size()) {
            fail(CommandStatus::esme_rinvmsglen);
            return;
        }
        out = rest_.first(sm_length);
        rest_ = rest_.subspan(sm_length);
    }

    void fail(CommandStatus status) {
        if (fault_ == CommandStatus::esme_rok) {
            fault_ = status;
        }
        rest_ = {};
    }

    [[nodiscard]] CommandStatus fault() const { return fault_; }
    [[nodiscard]] Octets rest() const { return rest_; }

  private:
    Octets rest_;
    CommandStatus fault_ = CommandStatus::esme_rok;
};

}  // namespace sy::smpp
