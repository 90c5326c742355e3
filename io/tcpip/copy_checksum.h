// The Internet checksum's ones'-complement sum (RFC 1071) of octets, alone and while copying them.
// Sums are of words as they lie in memory (RFC 1071 section 2 (B)): the folded sum, inverted, is
// stored into the header as it is. An odd last octet counts as if a zero followed. A running sum is
// less than 2^62, so that a few of them, of parts of an even number of octets, add up as they are;
// what is asked in the end is folded once. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sy::tcpip {

/// A running sum, folded to 16 bits.
[[nodiscard]] constexpr uint32_t fold_sum(uint64_t sum) {
    // Halves added to each other with the places changed: the upper half of the result is their
    // sum with the carry of the lower one brought round.
    const auto half = static_cast<uint32_t>((sum + (sum << 32 | sum >> 32)) >> 32);
    return (half + (half << 16 | half >> 16)) >> 16;
}

/// The sum of two pieces that follow each other, folded; `first_bytes` is the length of the first.
[[nodiscard]] constexpr uint32_t join_sums(uint64_t first, uint64_t second, size_t first_bytes) {
    // Behind an odd number of octets high and low change places (RFC 1071 section 2 (B)).
    const uint32_t folded = fold_sum(second);
    const uint32_t swapped = (folded & 0xFF) << 8 | folded >> 8;
    return fold_sum(first + (first_bytes % 2 == 0 ? folded : swapped));
}

/// The same sums by registers of different width.
struct SumKernels {
    const char* name;
    uint64_t (*sum)(const uint8_t* from, size_t n);
    uint64_t (*copy)(uint8_t* to, const uint8_t* from, size_t n);
};
/// Those that this CPU has, the fastest last. For tests and benchmarks.
[[nodiscard]] std::span<const SumKernels> sum_kernels();
/// Chosen before main().
extern const SumKernels best_sums;

/// Sum of n octets. n < 2^32.
[[nodiscard]] inline uint64_t sum_octets(const uint8_t* from, size_t n) {
    return best_sums.sum(from, n);
}

/// Copies n octets and returns their sum. REQUIRES: the ranges don't overlap.
inline uint64_t copy_and_sum(uint8_t* to, const uint8_t* from, size_t n) {
    return best_sums.copy(to, from, n);
}

}  // namespace sy::tcpip
