// Writes PDU bodies field by field, right or wrong, the way the tables of SMPP 3.4 section 4 read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"

namespace sy::smpp {

class Wire {
  public:
    Wire& text(std::string_view value) {
        octets_.insert(octets_.end(), value.begin(), value.end());
        return *this;
    }
    Wire& c_string(std::string_view value) { return text(value).u8(0); }
    Wire& u8(unsigned value) {
        octets_.push_back(static_cast<uint8_t>(value));
        return *this;
    }
    Wire& u16(unsigned value) { return u8(value >> 8).u8(value & 0xFF); }
    Wire& u32(uint32_t value) { return u16(value >> 16).u16(value & 0xFFFF); }
    Wire& address(unsigned ton, unsigned npi, std::string_view digits) {
        return u8(ton).u8(npi).c_string(digits);
    }
    Wire& tlv(unsigned tag, std::string_view value) {
        return u16(tag).u16(static_cast<unsigned>(value.size())).text(value);
    }

    // NOLINTNEXTLINE(google-explicit-constructor): a body goes wherever octets go.
    operator Octets() const { return octets_; }
    [[nodiscard]] std::vector<uint8_t> octets() const { return octets_; }
    [[nodiscard]] size_t size() const { return octets_.size(); }

  private:
    std::vector<uint8_t> octets_;
};

/// A submit_sm body that is right in every field; a test spoils one of them.
struct SmFields {
    std::string service_type = "";
    std::string source = "447700900001";
    std::string destination = "491711234567";
    unsigned esm_class = 0;
    std::string schedule = "";
    std::string validity = "";
    unsigned registered_delivery = 1;
    unsigned replace_if_present = 0;
    unsigned data_coding = 0;
    int sm_length = -1;  // -1: as long as the text is
    std::string text = "Hello, world";
    std::string behind;  // raw octets behind the text

    [[nodiscard]] Wire wire() const {
        Wire out;
        out.c_string(service_type).address(1, 1, source).address(1, 1, destination);
        out.u8(esm_class).u8(0).u8(0).c_string(schedule).c_string(validity);
        out.u8(registered_delivery).u8(replace_if_present).u8(data_coding).u8(0);
        out.u8(sm_length < 0 ? static_cast<unsigned>(text.size())
                             : static_cast<unsigned>(sm_length));
        return out.text(text).text(behind);
    }
};

}  // namespace sy::smpp
