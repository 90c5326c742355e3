#include "core/config/parse.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
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
