#include "core/route/money.h"

namespace sy::route {

std::optional<Money> parse_money(std::string_view text) {
    int64_t nanos = 0;
    int decimals = -1;  // behind the point; -1: no point yet
    int digits = 0;
    for (const char c : text) {
        if (c == '.' && decimals < 0) {
            decimals = 0;
            continue;
        }
        if (c < '0' || c > '9' || decimals == Money::decimals_max) {
            return std::nullopt;
        }
        ++digits;
        decimals += decimals >= 0 ? 1 : 0;
        nanos = nanos * 10 + (c - '0');
        if (nanos > Money::units_max * Money::nanos_per_unit) {
            return std::nullopt;
        }
    }
    if (digits == 0) {
        return std::nullopt;
    }
    for (int i = decimals < 0 ? 0 : decimals; i < Money::decimals_max; ++i) {
        nanos *= 10;
        if (nanos > Money::units_max * Money::nanos_per_unit) {
            return std::nullopt;
        }
    }
    return Money{nanos};
}

std::string to_string(Money money) {
    const bool negative = money.nanos < 0;
    const uint64_t nanos =
        negative ? 0 - static_cast<uint64_t>(money.nanos) : static_cast<uint64_t>(money.nanos);
    std::string decimals =
        std::to_string(Money::nanos_per_unit + static_cast<int64_t>(nanos % Money::nanos_per_unit))
            .substr(1);
    decimals.erase(decimals.find_last_not_of('0') + 1);
    return (negative ? "-" : "") + std::to_string(nanos / Money::nanos_per_unit) +
           (decimals.empty() ? "" : "." + decimals);
}

}  // namespace sy::route
