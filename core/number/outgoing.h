// The two addresses of a message as one supplier wants them. No allocation, no state; any thread:
// the message path and explain() both call it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/number/normalise.h"

namespace sy::number {

/// What a rule puts in place of a sender: digits, or the text of an alphanumeric one.
struct Sender {
    Number text;
    Outcome kind = Outcome::empty;  // e164, short_code or not_digits (alphanumeric)

    friend bool operator==(const Sender& a, const Sender& b) {
        return a.kind == b.kind && a.text.view() == b.text.view();
    }
};

// GSM 03.40 section 9.1.2.5: eleven characters of seven bits fit into an address.
inline constexpr size_t alpha_sender_characters_max = 11;

/// "+447700900123" and 9 to 15 digits are a number, 3 to 8 digits a short code, anything else of 1
/// to 11 printable ASCII characters a name; nothing for what is none of them.
[[nodiscard]] std::optional<Sender> parse_sender(std::string_view text);

/// A message on its way out, normalised.
struct Parties {
    const Number& destination;
    Outcome destination_kind;
    const Number& source;
    Outcome source_kind;
    bool source_replaced = false;  // then `source` has the text of an alphanumeric sender too
};

enum class WriteFault : uint8_t { none, destination, source };

/// Where the addresses are put that have to be written anew.
struct AddressBuffers {
    AddressBuffer destination;
    AddressBuffer source;
};

/// `source` comes in as the customer wrote it. What a fault names does not fit into an address
/// field.
/// REQUIRES: usable(parties.destination_kind).
[[nodiscard]] WriteFault write_addresses(const Parties& parties,
                                         const NumberForm& form,
                                         AddressBuffers& buffers,
                                         smpp::Address& destination,
                                         smpp::Address& source);

}  // namespace sy::number
