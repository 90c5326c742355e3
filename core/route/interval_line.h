// The cache lines of an IntervalIndex: what interval_build.cc writes and interval_walk.h reads.
// Nothing else includes this.
//
// Three kinds stand in one block, in this order: nodes of the trees of starts, directory lines,
// lines with answers. A segment's search begins in its tree of starts, whose bottom has the whole
// starts of its top lines; these are directory lines, or in small and in very sparse segments those
// with answers.
//
// Every line stands for the keys from its start (which the one above it knows) to the next line's.
// Keys in it are offsets from that start, as few bits of them as tell its entries apart: an offset
// is shifted right and capped, so that 16 bits are enough. Unused ones hold the largest number,
// which no capped offset reaches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "core/base/limits.h"

namespace sy::route {

// What a file for another CPU includes is always inlined: a copy of it that such a file emits could
// be the one that the linker keeps for all.
struct alignas(limits::cache_line_bytes) IndexLine {
    uint8_t octets[limits::cache_line_bytes];

    template <class T>
    [[nodiscard, gnu::always_inline]] inline T load(size_t offset, size_t index = 0) const {
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

/// What whole keys are stored with, so that a signed comparison puts them in order: AVX2 has no
/// other of 64 bits.
template <class T>
inline constexpr T bias = sizeof(T) == sizeof(uint64_t) ? T{1} << (8 * sizeof(T) - 1) : T{0};
/// A key that is not used, before the bias.
template <class T>
inline constexpr T unused = std::numeric_limits<T>::max();

/// An offset as a line of keys of type T sees it.
template <class T>
[[nodiscard, gnu::always_inline]] constexpr inline T capped(uint64_t offset, unsigned shift) {
    const uint64_t shifted = offset >> shift;
    return shifted < unused<T> ? static_cast<T>(shifted) : static_cast<T>(unused<T> - 1);
}

// A tree of starts: nodes of 8 whole keys, ascending and biased, numbered by breadth, so that child
// c of node n is 9 n + 1 + c. All layers but the last are full. Key i of a node above the last
// layer is the first start below child i + 1; the last layer has all starts in order.
namespace start_tree {
inline constexpr uint32_t keys = limits::cache_line_bytes / sizeof(uint64_t);
inline constexpr uint32_t children = keys + 1;
[[nodiscard, gnu::always_inline]] constexpr inline uint32_t child(uint32_t node, uint32_t index) {
    return children * node + 1 + index;
}
}  // namespace start_tree

// First word of a line that leads to others: | child : 26 | shift : 6 |, where the child is the
// line that holds for offset 0 and the others stand behind it.
namespace directory {
inline constexpr uint32_t shift_mask = 0x3F;
inline constexpr unsigned child_bits_at = 6;
inline constexpr size_t lines_max = size_t{1} << (32 - child_bits_at);
inline constexpr size_t keys = 29, keys_at = 6;
// Before the keys one that is always 0: the start of child 0.
inline constexpr size_t zero_at = keys_at - sizeof(uint16_t);
static_assert(keys_at + keys * sizeof(uint16_t) == sizeof(IndexLine));
}  // namespace directory

// First 16 bits of a line with answers: | 0 : 9 | wide : 1 | shift : 6 |. Nearly all lines have
// narrow keys, of 16 bits; wide ones, of 64, are for numbers so far apart that a narrow line would
// hold one or two. Answer i holds from key i - 1 on, answer 0 from the start of the line.
namespace leaf {
inline constexpr uint32_t shift_mask = 0x3F;
inline constexpr unsigned wide_bit_at = 6;

template <class Answer, class Key>
struct Layout;
template <>
struct Layout<uint16_t, uint16_t> {
    static constexpr size_t keys = 15, keys_at = 2, answers_at = 32;
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
struct Layout<uint32_t, uint64_t> {
    static constexpr size_t keys = 4, keys_at = 32, answers_at = 4;
};

template <class Answer, class Key>
constexpr bool fits() {
    using L = Layout<Answer, Key>;
    constexpr size_t keys_end = L::keys_at + L::keys * sizeof(Key);
    constexpr size_t answers_end = L::answers_at + (L::keys + 1) * sizeof(Answer);
    constexpr bool apart = keys_end <= L::answers_at || answers_end <= L::keys_at;
    return apart && keys_end <= sizeof(IndexLine) && answers_end <= sizeof(IndexLine) &&
           L::keys_at >= 2 && L::answers_at >= 2;
}
static_assert(fits<uint16_t, uint16_t>() && fits<uint16_t, uint64_t>());
static_assert(fits<uint32_t, uint16_t>() && fits<uint32_t, uint64_t>());
}  // namespace leaf

}  // namespace sy::route
