// A number as one integer whose order is the order of its digits: 16 digits of four bits, the first
// one on top. A prefix is then an interval of keys, an exact number a single key. Prefixes and
// exact numbers have at most 15 digits, as E.164 does; numbers asked for may be longer. Pure; any
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#if defined(__SSE4_1__)
#include <immintrin.h>
#endif

#include "core/base/assert.h"
#include "core/base/limits.h"

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

#if defined(__SSE4_1__)
/// What a number of each length needs to become its key; see number_key().
struct KeyMasks {
    alignas(16) uint8_t order[16];  // where each octet comes from; 0x80: from nowhere
    alignas(16) uint8_t flip[16];   // '0' where a digit is, the end mark behind
    alignas(16) uint8_t most[16];   // 9 where a digit is
};
inline constexpr size_t masked_digits_min = 9;

consteval std::array<KeyMasks, key_digits - masked_digits_min + 1> key_masks() {
    std::array<KeyMasks, key_digits - masked_digits_min + 1> all{};
    for (size_t length = masked_digits_min; length <= key_digits; ++length) {
        KeyMasks& masks = all[length - masked_digits_min];
        for (size_t i = 0; i < key_digits; ++i) {
            // The first half of the register is the first 8 octets, the second the last 8.
            const bool digit = i < length;
            const size_t from = i < 8 ? i : i + 16 - length;
            masks.order[i] = digit ? static_cast<uint8_t>(from) : uint8_t{0x80};
            masks.flip[i] = digit ? uint8_t{'0'} : static_cast<uint8_t>(end_nibble);
            masks.most[i] = digit ? uint8_t{9} : uint8_t{0xFF};
        }
    }
    return all;
}
inline constexpr auto key_masks_of_length = key_masks();
#endif

}  // namespace detail

/// Digits beyond the 16th are left out: no prefix is that long, so numbers of 17 and more digits
/// find what begins them.
[[nodiscard]] inline uint64_t number_key(std::string_view digits) {
#if defined(__SSE4_1__)
    const size_t length = digits.size();
    if (length < detail::masked_digits_min || length > key_digits) [[unlikely]] {
        return detail::number_key_of_any(digits);
    }
    // Two loads that overlap, put in order: no read past the end and no loop (LIMITS: 1.4 ns
    // against 9.9). Then two octets become one, and the words of eight a number.
    const auto& masks = detail::key_masks_of_length[length - detail::masked_digits_min];
    const auto mask = [](const uint8_t* octets) {
        return _mm_load_si128(reinterpret_cast<const __m128i*>(octets));
    };
    const __m128i first = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(digits.data()));
    const __m128i last =
        _mm_loadl_epi64(reinterpret_cast<const __m128i*>(digits.data() + length - 8));
    const __m128i octets = _mm_shuffle_epi8(_mm_unpacklo_epi64(first, last), mask(masks.order));
    const __m128i values = _mm_xor_si128(octets, mask(masks.flip));
    const __m128i above = _mm_subs_epu8(values, mask(masks.most));
    if (_mm_testz_si128(above, above) == 0) [[unlikely]] {
        return detail::number_key_of_any(digits);
    }
    const __m128i pairs = _mm_maddubs_epi16(values, _mm_set1_epi16(0x0110));  // 16 first + second
    return __builtin_bswap64(
        static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_packus_epi16(pairs, pairs))));
#else
    return detail::number_key_of_any(digits);
#endif
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
