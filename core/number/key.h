// A number of up to 15 digits packed into one integer: four bits a digit, the first digit in bits
// 59 to 56, unused places filled with F, bits 63 to 60 zero. Keys sort like the digits do, with a
// number behind everything that it is a prefix of, so that a prefix is one interval of keys:
// prefix_first(p) <= key <= prefix_last(p). Constant time, no allocation; any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>

#if defined(__BMI2__)
#include <immintrin.h>
#endif

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/limits.h"

namespace sy::number {

struct Key {
    static constexpr uint64_t none = ~uint64_t{0};

    uint64_t value = none;

    [[nodiscard]] constexpr bool valid() const { return value != none; }
    friend constexpr auto operator<=>(Key, Key) = default;
};

inline constexpr unsigned key_bits = 4 * limits::number_digits_max;
inline constexpr uint64_t key_mask = (uint64_t{1} << key_bits) - 1;
static_assert(key_bits == 60);

namespace detail {

inline constexpr uint64_t octet_ones = 0x0101010101010101u;

/// Eight ASCII digits, or fewer with '0' behind them.
[[nodiscard]] inline bool all_digits(uint64_t word) {
    // '0' to '9' are 0x30 to 0x39: the high nibble is 3, and adding 6 does not change it.
    const uint64_t high = octet_ones * 0xF0;
    const uint64_t threes = octet_ones * 0x30;
    return ((word & high) ^ threes) == 0 && (((word + octet_ones * 6) & high) ^ threes) == 0;
}

/// The low nibbles of eight octets, in order.
[[nodiscard]] inline uint32_t low_nibbles(uint64_t word) {
#if defined(__BMI2__)
    return static_cast<uint32_t>(_pext_u64(word, octet_ones * 0x0F));
#else
    word &= octet_ones * 0x0F;
    word = (word | (word >> 4)) & 0x00FF00FF00FF00FFu;
    word = (word | (word >> 8)) & 0x0000FFFF0000FFFFu;
    return static_cast<uint32_t>(word | (word >> 16));
#endif
}

inline constexpr uint64_t eight_zeros = octet_ones * '0';

/// The first `length` octets as a big-endian word, '0' behind them, without a read past the end:
/// two loads that overlap. REQUIRES: 1 <= length <= 8.
[[nodiscard]] inline uint64_t load_digits(const char* from, size_t length) {
    const auto* octets = reinterpret_cast<const uint8_t*>(from);
    uint64_t word = 0;
    if (length == 8) {
        return load_be<uint64_t>(octets);
    }
    if (length >= 4) {
        word = uint64_t{load_be<uint32_t>(octets)} << 32 |
               uint64_t{load_be<uint32_t>(octets + length - 4)} << (64 - 8 * length);
    } else {
        // First, middle and last octet: of one or two they coincide.
        word = uint64_t{octets[0]} << 56 | uint64_t{octets[length / 2]} << (56 - 8 * (length / 2)) |
               uint64_t{octets[length - 1]} << (64 - 8 * length);
    }
    return word | eight_zeros >> (8 * length);
}

/// Places behind the first `length` digits, all bits set. REQUIRES: length <= 15.
[[nodiscard]] constexpr uint64_t padding(size_t length) {
    return key_mask >> (4 * length);
}

/// Digits in their places, the rest zero; none for anything but 1 to 15 digits.
[[nodiscard]] inline uint64_t packed(std::string_view digits) {
    if (digits.empty() || digits.size() > limits::number_digits_max) {
        return Key::none;
    }
    uint64_t high = 0;
    uint64_t low = eight_zeros;
    if (digits.size() > 8) {  // nearly all numbers: the second load overlaps the first
        const auto* octets = reinterpret_cast<const uint8_t*>(digits.data());
        const size_t length = digits.size() - 8;
        high = load_be<uint64_t>(octets);
        low = load_be<uint64_t>(octets + length) << (64 - 8 * length) | eight_zeros >> (8 * length);
    } else {
        high = load_digits(digits.data(), digits.size());
    }
    if (!all_digits(high) || !all_digits(low)) {
        return Key::none;
    }
    return ((uint64_t{low_nibbles(high)} << 32) | low_nibbles(low)) >> 4;
}

}  // namespace detail

/// Invalid for anything but 1 to 15 digits.
[[nodiscard]] inline Key key_of(std::string_view digits) {
    const uint64_t places = detail::packed(digits);
    return places == Key::none ? Key{} : Key{places | detail::padding(digits.size())};
}

/// The smallest and the largest key of numbers that begin with `prefix` (itself included);
/// invalid as key_of is.
[[nodiscard]] inline Key prefix_first(std::string_view prefix) {
    return Key{detail::packed(prefix)};
}
[[nodiscard]] inline Key prefix_last(std::string_view prefix) {
    return key_of(prefix);
}

/// Writes the digits back, at most 15; returns how many. REQUIRES: key.valid().
inline size_t digits_of(Key key, std::array<char, limits::number_digits_max>& out) {
    SY_DCHECK(key.value <= key_mask);
    size_t length = 0;
    for (unsigned shift = key_bits; shift != 0 && length < out.size(); ++length) {
        shift -= 4;
        const auto digit = static_cast<char>((key.value >> shift) & 0xF);
        if (digit > 9) {
            break;
        }
        out[length] = static_cast<char>('0' + digit);
    }
    return length;
}

}  // namespace sy::number
