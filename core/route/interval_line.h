// The cache lines of an IntervalIndex: what interval_build.cc writes and interval_find.cc reads.
// Nothing else includes this.
//
// Every line stands for the keys from its start (which its parent knows) to the next line's. Keys
// in it are offsets from that start, as few bits of them as tell its entries apart: an offset is
// shifted right and capped, so that 16 bits are enough for most lines. Stored offsets are biased,
// because AVX2 compares signed numbers only; unused ones hold the largest, which no capped offset
// reaches.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "core/base/limits.h"

namespace sy::route {

struct alignas(limits::cache_line_bytes) IndexLine {
    uint8_t octets[limits::cache_line_bytes];

    template <class T>
    [[nodiscard]] T load(size_t offset, size_t index = 0) const {
        T value;
        std::memcpy(&value, octets + offset + index * sizeof(T), sizeof value);
        return value;
    }
    template <class T>
    void store(size_t offset, size_t index, T value) {
        std::memcpy(octets + offset + index * sizeof(T), &value, sizeof value);
    }
};
static_assert(sizeof(IndexLine) == limits::cache_line_bytes);

/// Turns an unsigned number into one that a signed comparison puts in the same order.
template <class T>
inline constexpr T bias = static_cast<T>(T{1} << (8 * sizeof(T) - 1));
template <class T>
inline constexpr T unused = std::numeric_limits<T>::max();

/// An offset as a line of keys of type T sees it.
template <class T>
[[nodiscard]] constexpr T capped(uint64_t offset, unsigned shift) {
    return static_cast<T>(std::min<uint64_t>(offset >> shift, unused<T> - 1));
}

// First word of a line that leads to others: | child : 25 | wide : 1 | shift : 6 |, where the
// child is the line that holds for offset 0 and the others stand behind it.
namespace directory {
inline constexpr uint32_t shift_mask = 0x3F;
inline constexpr uint32_t wide_bit = 0x40;
inline constexpr unsigned child_bits_at = 7;
inline constexpr size_t lines_max = size_t{1} << (32 - child_bits_at);

// Narrow: 29 offsets of 16 bits, and before them one that is always 0.
inline constexpr size_t narrow_at = 6;
inline constexpr size_t narrow_zero_at = 4;
inline constexpr size_t narrow_keys = 29;
// Wide, where 16 bits do not tell two children apart: 7 whole offsets.
inline constexpr size_t wide_at = 8;
inline constexpr size_t wide_keys = 7;
static_assert(narrow_at + 2 * narrow_keys == sizeof(IndexLine));
static_assert(wide_at + 8 * wide_keys == sizeof(IndexLine));
}  // namespace directory

// First 16 bits of a line with answers: | 0 : 8 | form : 2 | shift : 6 |. Answer i holds from key
// i - 1 on, answer 0 from the start of the line.
namespace leaf {
inline constexpr uint16_t shift_mask = 0x3F;
inline constexpr unsigned form_bits_at = 6;
enum class Form : uint16_t { narrow, medium, wide };  // keys of 16, 32, 64 bits

template <class Answer, class Key>
struct Layout;
template <>
struct Layout<uint16_t, uint16_t> {
    static constexpr size_t keys = 15, keys_at = 2, answers_at = 32;
};
template <>
struct Layout<uint16_t, uint32_t> {
    static constexpr size_t keys = 10, keys_at = 24, answers_at = 2;
};
template <>
struct Layout<uint16_t, uint64_t> {
    static constexpr size_t keys = 6, keys_at = 16, answers_at = 2;
};
template <>
struct Layout<uint32_t, uint16_t> {
    static constexpr size_t keys = 9, keys_at = 2, answers_at = 24;
};
template <>
struct Layout<uint32_t, uint32_t> {
    static constexpr size_t keys = 7, keys_at = 4, answers_at = 32;
};
template <>
struct Layout<uint32_t, uint64_t> {
    static constexpr size_t keys = 4, keys_at = 32, answers_at = 4;
};

template <class Answer, class Key>
constexpr bool fits() {
    using L = Layout<Answer, Key>;
    const size_t keys_end = L::keys_at + L::keys * sizeof(Key);
    const size_t answers_end = L::answers_at + (L::keys + 1) * sizeof(Answer);
    const bool apart = keys_end <= L::answers_at || answers_end <= L::keys_at;
    return apart && std::max(keys_end, answers_end) <= sizeof(IndexLine) && L::keys_at >= 2 &&
           L::answers_at >= 2;
}
static_assert(fits<uint16_t, uint16_t>() && fits<uint16_t, uint32_t>() &&
              fits<uint16_t, uint64_t>());
static_assert(fits<uint32_t, uint16_t>() && fits<uint32_t, uint32_t>() &&
              fits<uint32_t, uint64_t>());

template <class Key>
constexpr Form form_of() {
    return sizeof(Key) == 2 ? Form::narrow : sizeof(Key) == 4 ? Form::medium : Form::wide;
}
}  // namespace leaf

}  // namespace sy::route
