// Times as SMPP writes them (SMPP 3.4 section 7.1) and as receipts do (Appendix B), to and from UTC
// nanoseconds since 1970. The clock is an argument. No allocation, any thread.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "core/base/time.h"

namespace sy::smpp {

/// 16 characters of a schedule_delivery_time or validity_period.
struct TimeText {
    std::array<char, 16> chars{};

    [[nodiscard]] std::string_view view() const { return {chars.data(), chars.size()}; }
};

/// YYMMDDhhmmsstnnp, absolute (p is + or -, nn quarter hours from UTC) or relative to `wall_now_ns`
/// (p is R; years and months by the calendar, a day that the month lacks becomes its last). Years
/// 38 to 99 are of the last century, and an instant before 1970 is 0. False when it is neither.
[[nodiscard]] bool parse_time(std::string_view text, Nanos wall_now_ns, Nanos& out);

/// The instant in UTC ("...00+"), at the latest the end of 2037, which is as far as it goes.
[[nodiscard]] TimeText format_absolute_time(Nanos wall_ns);

/// How long from `wall_now_ns` to `wall_ns` by the calendar, in whole seconds; nothing when it is
/// past, 99 years at most. parse_time of it gives back `wall_ns` to the second.
[[nodiscard]] TimeText format_relative_time(Nanos wall_ns, Nanos wall_now_ns);

/// A date of a receipt: YYMMDDhhmm, YYMMDDhhmmss, YYYYMMDDhhmm or YYYYMMDDhhmmss, taken as UTC (the
/// wire does not say). Nothing for zeros or anything else.
[[nodiscard]] std::optional<Nanos> parse_receipt_date(std::string_view text);

/// YYMMDDhhmm in UTC.
[[nodiscard]] std::array<char, 10> format_receipt_date(Nanos wall_ns);

}  // namespace sy::smpp
