// Small value parsers that the TOML and CSV readers share. Whole text or nothing. Control plane
// only.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/endpoint.h"
#include "core/base/result.h"
#include "core/base/time.h"

namespace sy::config {

template <std::integral T>
[[nodiscard]] std::optional<T> parse_integer(std::string_view text, int base = 10) {
    T value{};
    const char* begin = text.data();
    const char* end = begin + text.size();
    const auto [stop, error] = std::from_chars(begin, end, value, base);
    if (text.empty() || error != std::errc{} || stop != end) {
        return std::nullopt;
    }
    return value;
}

/// "250ms", "30s", "5m", "48h", "7d": a whole number and a unit.
[[nodiscard]] std::optional<Nanos> parse_duration(std::string_view text);
/// The largest unit that divides it: "5m", "90s". For messages.
[[nodiscard]] std::string duration_text(Nanos duration_ns);

/// "512KiB", "64MiB", "1GiB": a whole number and a unit.
[[nodiscard]] std::optional<uint64_t> parse_bytes(std::string_view text);
/// The largest unit that divides it: "64MiB". For messages.
[[nodiscard]] std::string bytes_text(uint64_t bytes);

/// What a date without a time of day means: its first minute, or the first one behind it.
enum class DayEnd : uint8_t { no, yes };
/// "2026-01-31", "2026-01-31 18:30", "2026-01-31T18:30Z", "2026-01-31 18:30+01:00": minutes since
/// 1970, UTC where no offset stands behind it. Years 1970 to 9999.
[[nodiscard]] std::optional<uint32_t> parse_minute(std::string_view text, DayEnd day_end);

/// parse_endpoint(), and "localhost" for 127.0.0.1 in place of a numeric address.
[[nodiscard]] Result<Endpoint> parse_host(std::string_view text);

/// Names of accounts and plans stand in targets ("alpha:70 | beta > gamma"), logs and metrics: 1 to
/// 64 of letters, digits, '.', '_', '-'.
[[nodiscard]] bool is_name(std::string_view text);
inline constexpr std::string_view name_expected =
    "expected 1 to 64 letters, digits, '.', '_' or '-'";

[[nodiscard]] bool is_digits(std::string_view text);

/// Without blanks and tabs at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// Offset of the first octet that is not part of well-formed UTF-8 (RFC 3629), or npos.
[[nodiscard]] size_t find_bad_utf8(std::string_view text);

}  // namespace sy::config
