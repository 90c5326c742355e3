// A number as one integer whose order is the order of its digits: 16 digits of four bits, the first
// one on top. A prefix is then an interval of keys, an exact number a single key. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/assert.h"
#include "core/base/limits.h"

namespace sy::route {

inline constexpr uint32_t key_digits = 16;
// Behind the last digit; above every digit, so that no prefix of digits ends in it.
inline constexpr uint64_t end_nibble = 0xF;
// From the first character that is no digit: only prefixes of what stands before it match.
inline constexpr uint64_t other_nibble = 0xE;

static_assert(limits::number_digits_max < key_digits, "an exact number keeps its end mark");

/// Digits beyond the 16th are left out: no prefix is that long.
[[nodiscard]] inline uint64_t number_key(std::string_view digits) {
    uint64_t key = 0;
    uint64_t fill = end_nibble;
    uint32_t i = 0;
    for (; i < key_digits && i < digits.size(); ++i) {
        const auto digit = static_cast<unsigned char>(digits[i] - '0');
        if (digit > 9) {
            fill = other_nibble;
            break;
        }
        key = key << 4 | digit;
    }
    if (i == key_digits) {
        return key;
    }
    const uint32_t free_bits = 4 * (key_digits - i);
    const uint64_t padding = fill * 0x1111'1111'1111'1111U;
    if (free_bits == 64) {
        return padding;
    }
    return key << free_bits | (padding & ((uint64_t{1} << free_bits) - 1));
}

/// The keys of all numbers that begin with these digits, or of one number. Both ends belong to it.
struct KeyRange {
    uint64_t first = 0;
    uint64_t last = ~uint64_t{0};

    [[nodiscard]] bool contains(uint64_t key) const { return key - first <= last - first; }
    friend auto operator<=>(const KeyRange&, const KeyRange&) = default;
};

/// True for what prefix_range() and exact_range() take: digits, no more than E.164 has.
[[nodiscard]] inline bool is_key_digits(std::string_view text) {
    return text.size() <= limits::number_digits_max &&
           text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// REQUIRES: is_key_digits(digits).
[[nodiscard]] inline KeyRange prefix_range(std::string_view digits) {
    SY_ASSERT(is_key_digits(digits));
    if (digits.empty()) {
        return {};
    }
    const uint64_t last = number_key(digits);  // padded with the highest nibble
    const uint64_t rest = (uint64_t{1} << (4 * (key_digits - digits.size()))) - 1;
    return {last & ~rest, last};
}
/// REQUIRES: is_key_digits(digits).
[[nodiscard]] inline KeyRange exact_range(std::string_view digits) {
    SY_ASSERT(is_key_digits(digits));
    return {number_key(digits), number_key(digits)};
}

}  // namespace sy::route
