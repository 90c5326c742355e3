// Money as carriers price messages: a whole number of billionths of the one currency that a
// configuration has. Exact: nothing here is a binary fraction. Pure; parse and format are control
// plane, the rest any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sy::route {

struct Money {
    int64_t nanos = 0;

    static constexpr int64_t nanos_per_unit = 1'000'000'000;
    static constexpr int decimals_max = 9;
    // Of one message; a hundred-thousandth of what the integer holds, so that a percentage of a
    // price cannot overflow.
    static constexpr int64_t units_max = 100'000;
    /// Above every price: as a limit, no limit.
    static constexpr Money highest() { return {INT64_MAX}; }
    /// Below every price: as a limit, nothing is cheap enough.
    static constexpr Money lowest() { return {INT64_MIN}; }

    friend constexpr auto operator<=>(Money, Money) = default;
};

/// "0.0345", "12", ".5": digits with at most 9 decimals, from 0 to units_max; no sign, no
/// exponent, no separators.
[[nodiscard]] std::optional<Money> parse_money(std::string_view text);
/// The shortest text that parse_money() reads back.
[[nodiscard]] std::string to_string(Money money);

/// What a customer's price is to leave over: of each message the larger of a share and an amount.
struct Margin {
    uint32_t basis_points = 0;  // hundredths of a percent of the customer's price, to 10'000
    Money amount;

    /// The most that a supplier may take. Rounded down: in doubt the margin is kept.
    [[nodiscard]] constexpr Money cost_limit(Money sell) const {
        constexpr int64_t whole = 10'000;
        static_assert(Money::units_max * Money::nanos_per_unit <= INT64_MAX / whole);
        const int64_t by_share = sell.nanos * (whole - int64_t{basis_points}) / whole;
        const int64_t by_amount = sell.nanos - amount.nanos;
        return {by_share < by_amount ? by_share : by_amount};
    }

    friend constexpr bool operator==(const Margin&, const Margin&) = default;
};

}  // namespace sy::route
