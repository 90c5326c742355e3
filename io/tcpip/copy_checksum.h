// The Internet checksum's ones'-complement sum (RFC 1071) of octets, alone and while copying them.
// Sums are of 16-bit words as they lie in memory (RFC 1071 section 2 (B)): the folded sum,
// inverted, is stored into the header as it is. An odd last octet counts as if a zero followed.
// Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sy::tcpip {

/// A sum of 64-bit words with its carries, folded to 16 bits.
[[nodiscard]] constexpr uint32_t fold_sum(uint64_t sum) {
    // Halves added to each other with the places changed: the upper half of the result is their
    // sum with the carry of the lower one brought round.
    const auto half = static_cast<uint32_t>((sum + (sum << 32 | sum >> 32)) >> 32);
    return (half + (half << 16 | half >> 16)) >> 16;
}

/// The folded sum of two pieces that follow each other; `first_bytes` is the length of the first.
[[nodiscard]] constexpr uint32_t join_sums(uint32_t first, uint32_t second, size_t first_bytes) {
    // Behind an odd number of octets high and low change places (RFC 1071 section 2 (B)).
    const uint32_t swapped = (second & 0xFF) << 8 | second >> 8;
    return fold_sum(uint64_t{first} + (first_bytes % 2 == 0 ? second : swapped));
}

namespace detail {

using Words = uint64_t __attribute__((vector_size(32)));

// Sums n octets, and copies them if `copying`. The sum of 64-bit words loses its carries; their
// upper halves are added apart, and what these are short of the whole are the lower halves. 2^31
// words don't overflow.
template <bool copying>
[[gnu::always_inline]] inline uint32_t sum_words(uint8_t* to, const uint8_t* from, size_t n) {
    Words all{};
    Words upper{};
    const auto take_words = [&](size_t at) {
        Words words;
        std::memcpy(&words, from + at, sizeof words);
        if constexpr (copying) {
            std::memcpy(to + at, &words, sizeof words);
        }
        all += words;
        upper += words >> 32;
    };
    size_t at = 0;
    for (; at + 2 * sizeof(Words) <= n; at += 2 * sizeof(Words)) {
        take_words(at);
        take_words(at + sizeof(Words));
    }
    // What is left has a place for each power of two.
    if ((n & sizeof(Words)) != 0) {
        take_words(at);
        at += sizeof(Words);
    }
    const Words lower = all - (upper << 32);
    const Words both = lower + upper;
    uint64_t sum = both[0] + both[1] + both[2] + both[3];
    const auto take = [&]<class Word>(Word word) {
        std::memcpy(&word, from + at, sizeof word);
        if constexpr (copying) {
            std::memcpy(to + at, &word, sizeof word);
        }
        at += sizeof word;
        return word;
    };
    const auto take_long = [&] {
        const uint64_t word = take(uint64_t{});
        sum += (word & 0xFFFFFFFF) + (word >> 32);
    };
    if ((n & 16) != 0) {
        take_long();
        take_long();
    }
    if ((n & 8) != 0) {
        take_long();
    }
    if ((n & 4) != 0) {
        sum += take(uint32_t{});
    }
    if ((n & 2) != 0) {
        sum += take(uint16_t{});
    }
    if ((n & 1) != 0) {
        sum += take(uint8_t{});
    }
    return fold_sum(sum);
}

}  // namespace detail

/// Folded sum of n octets. n < 2^32.
[[nodiscard]] inline uint32_t folded_sum(const uint8_t* from, size_t n) {
    return detail::sum_words<false>(nullptr, from, n);
}

/// Copies n octets and returns their folded sum. REQUIRES: the ranges don't overlap.
inline uint32_t copy_and_sum(uint8_t* to, const uint8_t* from, size_t n) {
    return detail::sum_words<true>(to, from, n);
}

}  // namespace sy::tcpip
