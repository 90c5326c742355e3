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

/// Folded sum of n octets. n < 2^32.
[[nodiscard]] inline uint32_t folded_sum(const uint8_t* from, size_t n) {
    // 32-bit words into 64-bit sums: 2^32 of them cannot overflow; the compiler makes vectors of
    // it.
    uint64_t sum = 0;
    size_t at = 0;
    for (; at + 4 <= n; at += 4) {
        uint32_t word = 0;
        std::memcpy(&word, from + at, 4);
        sum += word;
    }
    uint32_t rest = 0;
    std::memcpy(&rest, from + at, n - at);
    return fold_sum(sum + rest);
}

/// Copies n octets and returns their folded sum. REQUIRES: the ranges don't overlap.
inline uint32_t copy_and_sum(uint8_t* to, const uint8_t* from, size_t n) {
    std::memcpy(to, from, n);
    return folded_sum(from, n);
}

}  // namespace sy::tcpip
