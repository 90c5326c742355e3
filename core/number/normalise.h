// Numbers as peers write them to E.164 digits and back into a supplier's form. No allocation, no
// state; any thread. The caller keeps the original triplet: receipts return the customer's strings.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/limits.h"
#include "core/number/plan.h"
#include "core/smpp/pdu.h"

namespace sy::number {

/// Digits only; the octets behind them are zero, so that a fixed-size load may read past the end.
struct Number {
    std::array<char, limits::address_octets_max> digits{};
    uint8_t length = 0;

    [[nodiscard]] std::string_view view() const { return {digits.data(), length}; }
};

enum class Outcome : uint8_t {
    e164,        // 7 to 15 digits, country code first
    short_code,  // kept as it is
    empty,
    not_digits,
    too_short,
    too_long,
};
[[nodiscard]] constexpr bool usable(Outcome outcome) {
    return outcome <= Outcome::short_code;
}

/// Brings an address to digits: spaces around it go, then one leading '+', or "00" where the plan
/// says so, or the plan's national prefix, which its country code replaces. `out` is set only
/// where the outcome is usable.
///
/// What TON says is used where it cannot be wrong: TON 2 puts the country code before digits that
/// are not marked international; TON 1 with fewer than 7 digits is a short code (peers send
/// everything as 1/1), and with a leading 0 a national number (no country code begins with 0).
[[nodiscard]] Outcome normalise(const smpp::Address& address, const NumberPlan& plan, Number& out);

enum class SenderKind : uint8_t { none, alpha, short_code, long_number };

/// alpha: TON 5, or anything that is no digit. Digits are short up to the plan's
/// short_code_digits_max unless they are marked international.
[[nodiscard]] SenderKind classify_sender(const smpp::Address& sender, const NumberPlan& plan);

/// The sender as rules see it: spaces around it, and before digits one leading '+' or
/// "00" removed. A view into `sender`.
[[nodiscard]] std::string_view sender_text(std::string_view sender);

/// What one SMPP address field holds.
using AddressBuffer = std::array<char, limits::address_octets_max>;

/// Writes a normalised number in a supplier's form; the result points into `buffer`. False where
/// prefix and digits together do not fit into it.
/// REQUIRES: usable(kind), the outcome that `number` came with.
[[nodiscard]] bool write_number(const Number& number,
                                Outcome kind,
                                const NumberForm& form,
                                AddressBuffer& buffer,
                                smpp::Address& out);

}  // namespace sy::number
