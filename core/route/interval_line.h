// The cache lines of an IntervalIndex: what interval_build.cc writes and interval_find.cc reads.
// Nothing else includes this.
//
// Every line stands for the keys from its start (which its parent knows) to the next line's. Keys
// in it are offsets from that start, as few bits of them as tell its entries apart: an offset is
// shifted right and capped, so that 15 bits are enough for most lines. AVX2 compares signed numbers
// only, so short keys leave the top bit alone and whole ones are biased. Unused ones hold the
// largest number, which no capped offset reaches.
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

/// What whole keys are stored with, so that a signed comparison puts them in order.
template <class T>
inline constexpr T bias = sizeof(T) == sizeof(uint64_t) ? T{1} << (8 * sizeof(T) - 1) : T{0};
/// A key that is not used, before the bias.
template <class T>
inline constexpr T unused = sizeof(T) == sizeof(uint64_t) ? std::numeric_limits<T>::max()
                                                          : std::numeric_limits<T>::max() / 2;

/// An offset as a line of keys of type T sees it.
template <class T>
[[nodiscard]] constexpr T capped(uint64_t offset, unsigned shift) {
    return static_cast<T>(std::min<uint64_t>(offset >> shift, unused<T> - 1));
}

// How wide the keys of a line are. Each line takes the form that holds most.
enum class LineForm : uint8_t { narrow, medium, wide };  // 16, 32, 64 bits

template <class Key>
constexpr LineForm form_of() {
    return sizeof(Key) == 2   ? LineForm::narrow
           : sizeof(Key) == 4 ? LineForm::medium
                              : LineForm::wide;
}

// First word of a line that leads to others: | child : 24 | form : 2 | shift : 6 |, where the child
// is the line that holds for offset 0 and the others stand behind it. Form 0 is the narrow one.
namespace directory {
inline constexpr uint32_t shift_mask = 0x3F;
inline constexpr uint32_t form_mask = 0xC0;
[[nodiscard]] constexpr uint32_t form_bits(LineForm form) {
    return static_cast<uint32_t>(form) << 6;
}
inline constexpr unsigned child_bits_at = 8;
inline constexpr size_t lines_max = size_t{1} << (32 - child_bits_at);

template <class Key>
struct Layout;
template <>
struct Layout<uint16_t> {
    static constexpr size_t keys = 29, keys_at = 6;
};
template <>
struct Layout<uint32_t> {
    static constexpr size_t keys = 15, keys_at = 4;
};
template <>
struct Layout<uint64_t> {
    static constexpr size_t keys = 7, keys_at = 8;
};
// Before the narrow keys one that is always 0: the start of child 0.
inline constexpr size_t narrow_zero_at = Layout<uint16_t>::keys_at - sizeof(uint16_t);

template <class Key>
constexpr bool fits() {
    return Layout<Key>::keys_at + Layout<Key>::keys * sizeof(Key) == sizeof(IndexLine);
}
static_assert(fits<uint16_t>() && fits<uint32_t>() && fits<uint64_t>());
}  // namespace directory

// First 16 bits of a line with answers: | 0 : 8 | form : 2 | shift : 6 |. Answer i holds from key
// i - 1 on, answer 0 from the start of the line.
namespace leaf {
using directory::form_bits;
using directory::form_mask;
using directory::shift_mask;

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
}  // namespace leaf

}  // namespace sy::route
