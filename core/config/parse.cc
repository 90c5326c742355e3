#include "core/config/parse.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include <fmt/format.h>

namespace sy::config {
namespace {

struct Unit {
    std::string_view name;
    Nanos ns;
};
constexpr std::array<Unit, 6> units{{
    {"d", 24 * 3600 * second_ns},
    {"h", 3600 * second_ns},
    {"m", 60 * second_ns},
    {"s", second_ns},
    {"ms", millisecond_ns},
    {"us", microsecond_ns},
}};

// Length of the well-formed UTF-8 sequence at the start of `text`, 0 if there is none
// (RFC 3629 section 4: no overlong forms, no surrogates, nothing above U+10FFFF).
size_t utf8_length(std::string_view text) {
    const auto octet = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = octet(0);
    if (first < 0x80) {
        return 1;
    }
    size_t length = 0;
    unsigned char second_min = 0x80;
    unsigned char second_max = 0xBF;
    if (first >= 0xC2 && first <= 0xDF) {
        length = 2;
    } else if ((first & 0xF0) == 0xE0) {
        length = 3;
        second_min = first == 0xE0 ? 0xA0 : 0x80;
        second_max = first == 0xED ? 0x9F : 0xBF;
    } else if (first >= 0xF0 && first <= 0xF4) {
        length = 4;
        second_min = first == 0xF0 ? 0x90 : 0x80;
        second_max = first == 0xF4 ? 0x8F : 0xBF;
    }
    if (length == 0 || text.size() < length || octet(1) < second_min || octet(1) > second_max) {
        return 0;
    }
    for (size_t i = 2; i < length; ++i) {
        if ((octet(i) & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

struct SizeUnit {
    std::string_view name;
    unsigned shift;
};
constexpr std::array<SizeUnit, 3> size_units{{{"GiB", 30}, {"MiB", 20}, {"KiB", 10}}};

}  // namespace

std::optional<Nanos> parse_duration(std::string_view text) {
    const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto count = parse_integer<uint64_t>(text.substr(0, digits));
    const std::string_view name = text.substr(digits);
    for (const Unit& unit : units) {
        if (count && unit.name == name && *count <= std::numeric_limits<Nanos>::max() / unit.ns) {
            return *count * unit.ns;
        }
    }
    return std::nullopt;
}

std::string duration_text(Nanos duration_ns) {
    for (const Unit& unit : units) {
        if (duration_ns >= unit.ns && duration_ns % unit.ns == 0) {
            return fmt::format("{}{}", duration_ns / unit.ns, unit.name);
        }
    }
    return duration_ns == 0 ? "0s" : fmt::format("{}ns", duration_ns);
}

std::optional<uint64_t> parse_bytes(std::string_view text) {
    const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto count = parse_integer<uint64_t>(text.substr(0, digits));
    const std::string_view name = text.substr(digits);
    for (const SizeUnit& unit : size_units) {
        if (count && unit.name == name && *count <= UINT64_MAX >> unit.shift) {
            return *count << unit.shift;
        }
    }
    return std::nullopt;
}

std::string bytes_text(uint64_t bytes) {
    for (const SizeUnit& unit : size_units) {
        if (bytes >> unit.shift != 0 && bytes % (uint64_t{1} << unit.shift) == 0) {
            return fmt::format("{}{}", bytes >> unit.shift, unit.name);
        }
    }
    return fmt::format("{} octets", bytes);
}

std::optional<uint32_t> parse_minute(std::string_view text, DayEnd day_end) {
    // Digits where the form has 0, the character itself elsewhere; takes what it matched.
    const auto take = [&](std::string_view form, std::span<int> numbers) {
        if (text.size() < form.size()) {
            return false;
        }
        std::ranges::fill(numbers, 0);
        size_t number = 0;
        for (size_t i = 0; i < form.size(); ++i) {
            if (form[i] != '0') {
                number += text[i] == form[i] ? 1 : numbers.size();
            } else if (text[i] < '0' || text[i] > '9') {
                return false;
            }
            if (number >= numbers.size()) {
                return false;
            }
            if (form[i] == '0') {
                numbers[number] = numbers[number] * 10 + (text[i] - '0');
            }
        }
        text.remove_prefix(form.size());
        return true;
    };
    std::array<int, 3> day{};
    if (!take("0000-00-00", day)) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year(day[0]),
                                           std::chrono::month(static_cast<unsigned>(day[1])),
                                           std::chrono::day(static_cast<unsigned>(day[2]))};
    if (!date.ok() || day[0] < 1970) {
        return std::nullopt;
    }
    constexpr int64_t day_minutes = 24 * 60;
    const int64_t midnight =
        int64_t{std::chrono::sys_days(date).time_since_epoch().count()} * day_minutes;
    if (text.empty()) {
        return static_cast<uint32_t>(midnight + (day_end == DayEnd::yes ? day_minutes : 0));
    }
    std::array<int, 2> time{};
    if (text.front() != ' ' && text.front() != 'T') {
        return std::nullopt;
    }
    text.remove_prefix(1);
    if (!take("00:00", time) || time[0] > 23 || time[1] > 59) {
        return std::nullopt;
    }
    int64_t minute = midnight + time[0] * 60 + time[1];
    if (text == "Z") {
        text = {};
    } else if (!text.empty()) {
        const bool east = text.front() == '+';
        std::array<int, 2> offset{};
        if (!east && text.front() != '-') {
            return std::nullopt;
        }
        text.remove_prefix(1);
        // The widest offsets in use are -12:00 and +14:00.
        if (!take("00:00", offset) || offset[0] > 14 || offset[1] > 59) {
            return std::nullopt;
        }
        const int64_t shift = offset[0] * 60 + offset[1];
        minute -= east ? shift : -shift;
    }
    if (!text.empty() || minute < 0) {
        return std::nullopt;
    }
    return static_cast<uint32_t>(minute);
}

Result<Endpoint> parse_host(std::string_view text) {
    constexpr std::string_view local = "localhost:";
    if (text.starts_with(local)) {
        return parse_endpoint(fmt::format("127.0.0.1:{}", text.substr(local.size())));
    }
    return parse_endpoint(text);
}

bool is_name(std::string_view text) {
    constexpr size_t name_octets_max = 64;
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    };
    return !text.empty() && text.size() <= name_octets_max &&
           std::all_of(text.begin(), text.end(), allowed);
}

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

size_t find_bad_utf8(std::string_view text) {
    constexpr uint64_t high_bits = 0x8080808080808080u;
    size_t at = 0;
    while (at < text.size()) {
        // Tables are nearly all ASCII: eight octets a step.
        if (uint64_t eight = 0; text.size() - at >= sizeof eight) {
            std::memcpy(&eight, text.data() + at, sizeof eight);
            if ((eight & high_bits) == 0) {
                at += sizeof eight;
                continue;
            }
        }
        const size_t length = utf8_length(text.substr(at));
        if (length == 0) {
            return at;
        }
        at += length;
    }
    return std::string_view::npos;
}

}  // namespace sy::config
