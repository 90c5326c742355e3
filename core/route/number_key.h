// A number as one integer whose order is the order of its digits: 16 digits of four bits, the first
// one on top. A prefix is then an interval of keys, an exact number a single key. Prefixes and
// exact numbers have at most 15 digits, as E.164 does; numbers asked for may be longer. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/limits.h"
#include "core/number/key.h"

namespace sy::route {

inline constexpr uint32_t key_digits = 16;
// Behind the last digit; above every digit, so that no prefix of digits ends in it.
inline constexpr uint64_t end_nibble = 0xF;
// From the first character that is no digit: only prefixes of what stands before it match.
inline constexpr uint64_t other_nibble = 0xE;

static_assert(limits::number_digits_max < key_digits, "an exact number keeps its end mark");

namespace detail {

/// number_key() for anything, one character at a time.
[[nodiscard]] inline uint64_t number_key_of_any(std::string_view digits) {
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

}  // namespace detail

/// Digits beyond the 16th are left out: no prefix is that long, so numbers of 17 and more digits
/// find what begins them.
[[nodiscard]] inline uint64_t number_key(std::string_view digits) {
    const size_t length = digits.size();
    if (length < 9 || length > key_digits) [[unlikely]] {
        return detail::number_key_of_any(digits);
    }
    // Two loads that overlap, the second moved up to where its digits belong: no read past the end
    // and no loop (LIMITS: 1.4 ns against 9.9). What is moved in counts as digits and is covered.
    const auto* octets = reinterpret_cast<const uint8_t*>(digits.data());
    const auto free_bits = static_cast<unsigned>(4 * (key_digits - length));
    const uint64_t high = load_be<uint64_t>(octets);
    const uint64_t low = load_be<uint64_t>(octets + length - 8) << (2 * free_bits) |
                         (number::detail::eight_zeros & ((uint64_t{1} << (2 * free_bits)) - 1));
    // A digit less '0' is 0 to 9; 0x76 more makes anything above set its top bit.
    constexpr uint64_t over_nine = number::detail::octet_ones * 0x76;
    const uint64_t high_values = high ^ number::detail::eight_zeros;
    const uint64_t low_values = low ^ number::detail::eight_zeros;
    const uint64_t not_digits =
        (high_values | (high_values + over_nine) | low_values | (low_values + over_nine)) &
        number::detail::octet_ones * 0x80;
    if (not_digits != 0) [[unlikely]] {
        return detail::number_key_of_any(digits);
    }
    const uint64_t key =
        uint64_t{number::detail::low_nibbles(high)} << 32 | number::detail::low_nibbles(low);
    return key | ((uint64_t{1} << free_bits) - 1);
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
/// REQUIRES: is_key_digits(digits), at least one.
[[nodiscard]] inline KeyRange exact_range(std::string_view digits) {
    SY_ASSERT(is_key_digits(digits) && !digits.empty());
    return {number_key(digits), number_key(digits)};
}

}  // namespace sy::route
