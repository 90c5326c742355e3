// What a message's record will say of each attempt: which supplier (or, of an MO, which customer)
// it was sent to, when, and how that ended. Kept beside the message, by its pool, only where
// records are written. Whoever has the message writes here; nobody else reads.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/engine/message.h"
#include "core/smpp/pdu.h"
#include "core/smpp/status.h"

namespace sy::engine {

struct Attempt {
    Nanos sent_ns = 0;     // monotonic; 0: refused before it was sent, the peer cannot carry it
    Nanos settled_ns = 0;  // 0: not yet
    smpp::CommandStatus status{};
    uint16_t party = 0;  // SupplierId (MT) or CustomerId (MO) value
    Outcome outcome = Outcome::none;
    uint8_t id_octets = 0;
    std::array<char, limits::message_id_octets_max> id;  // the supplier's, as it wrote it

    [[nodiscard]] std::string_view id_text() const { return {id.data(), id_octets}; }
    void set_id(std::string_view text) {
        id_octets = static_cast<uint8_t>(text.copy(id.data(), id.size()));
    }
};

/// An address as it went out; one that a supplier's form made is never longer than a field.
struct SentAddress {
    uint8_t ton = 0;
    uint8_t npi = 0;
    uint8_t octets = 0;
    std::array<char, limits::address_octets_max> digits;

    void set(const smpp::Address& from) {
        ton = from.ton;
        npi = from.npi;
        octets = static_cast<uint8_t>(from.digits.copy(digits.data(), digits.size()));
    }
    [[nodiscard]] std::string_view view() const { return {digits.data(), octets}; }
};

struct AttemptLog {
    // Most messages have one attempt, re-routed ones two or three; 90 octets each.
    static constexpr uint8_t attempts_max = 8;

    uint8_t count = 0;
    bool resent = false;    // went out again after an unknown outcome
    bool has_sent = false;  // the addresses below
    uint16_t overwritten = 0;
    SentAddress source;  // of the last attempt
    SentAddress destination;
    std::array<Attempt, attempts_max> attempts;

    void clear() {
        count = 0;
        resent = false;
        has_sent = false;
        overwritten = 0;
    }

    /// Of more than attempts_max the last one counts most: it stands in the last place.
    Attempt& begin(uint16_t party, Nanos sent_ns) {
        if (count == attempts_max) {
            ++overwritten;
        } else {
            ++count;
        }
        Attempt& attempt = attempts[count - 1u];
        attempt.sent_ns = sent_ns;
        attempt.settled_ns = 0;
        attempt.status = {};
        attempt.party = party;
        attempt.outcome = Outcome::none;
        attempt.id_octets = 0;
        return attempt;
    }

    /// The attempt under way; null when there is none.
    [[nodiscard]] Attempt* open() {
        return count > 0 && attempts[count - 1u].settled_ns == 0 ? &attempts[count - 1u] : nullptr;
    }
};

}  // namespace sy::engine
