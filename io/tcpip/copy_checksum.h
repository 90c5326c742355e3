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
    sum = (sum & 0xFFFFFFFF) + (sum >> 32);
    sum = (sum & 0xFFFFFFFF) + (sum >> 32);
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    return static_cast<uint32_t>(sum);
}

/// The folded sum of two pieces that follow each other; `first_bytes` is the length of the first.
[[nodiscard]] constexpr uint32_t join_sums(uint32_t first, uint32_t second, size_t first_bytes) {
    // Behind an odd number of octets high and low change places (RFC 1071 section 2 (B)).
    const uint32_t swapped = (second & 0xFF) << 8 | second >> 8;
    return fold_sum(uint64_t{first} + (first_bytes % 2 == 0 ? second : swapped));
}

namespace detail {

using Words = uint64_t __attribute__((vector_size(32)));

// Sums n octets, and copies them if `copying`. Low and high halves of 64-bit words are added apart,
// so that no carry is lost: 2^32 words don't overflow.
template <bool copying>
inline uint32_t sum_words(uint8_t* to, const uint8_t* from, size_t n) {
    constexpr Words low_half{0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF};
    Words low{};
    Words high{};
    size_t at = 0;
    for (; at + sizeof(Words) <= n; at += sizeof(Words)) {
        Words words;
        std::memcpy(&words, from + at, sizeof words);
        if constexpr (copying) {
            std::memcpy(to + at, &words, sizeof words);
        }
        low += words & low_half;
        high += words >> 32;
    }
    const Words both = low + high;
    uint64_t sum = both[0] + both[1] + both[2] + both[3];
    // What is left has a place for each power of two.
    const auto take = [&]<class Word>(Word word) {
        std::memcpy(&word, from + at, sizeof word);
        if constexpr (copying) {
            std::memcpy(to + at, &word, sizeof word);
        }
        at += sizeof word;
        return word;
    };
    while (n - at >= 8) {
        const uint64_t word = take(uint64_t{});
        sum += (word & 0xFFFFFFFF) + (word >> 32);
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
