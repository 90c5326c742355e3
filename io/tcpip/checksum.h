// Ones'-complement sums of the Internet checksum (RFC 1071). A running sum is a uint64_t of words
// in memory order, so that sums of parts add up (each part but the last has an even number of
// octets) and the folded result is stored as it is, without a swap (RFC 1071 section 2 (B)). Values
// that are given in host order say so. No state; any thread.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/base/bytes.h"
#include "io/tcpip/address.h"
#include "io/tcpip/copy_checksum.h"

namespace sy::tcpip {

/// Adds one 16-bit value, given in host order.
[[nodiscard]] constexpr uint64_t sum_host16(uint16_t value) {
    return __builtin_bswap16(value);
}

/// Adds a sum of 32-bit values, given in host order.
[[nodiscard]] constexpr uint64_t sum_host32(uint64_t sum) {
    // Octets of every 16 bits change places; where in the 64 these stand makes no difference.
    const uint64_t swapped = __builtin_bswap64(sum);
    return (swapped >> 32) + (swapped & 0xffffffffU);
}

/// Sum of the 20 octets of an IPv4 header without options.
[[nodiscard]] inline uint64_t sum_ipv4_header(const uint8_t* header) {
    uint64_t words[2];
    uint32_t last = 0;
    std::memcpy(words, header, sizeof words);
    std::memcpy(&last, header + sizeof words, sizeof last);
    return (words[0] & 0xffffffffU) + (words[0] >> 32) + (words[1] & 0xffffffffU) +
           (words[1] >> 32) + last;
}

/// The sum as 16 bits in memory order, not complemented: 0xffff over data whose checksum is right
/// (or 0, if all of it is zero).
[[nodiscard]] constexpr uint16_t fold(uint64_t sum) {
    return static_cast<uint16_t>(fold_sum(sum));
}

/// Whether a sum that includes the checksum field says that the data is intact.
[[nodiscard]] constexpr bool sum_is_good(uint64_t sum) {
    return fold(sum) == 0xffff;
}

/// Writes the checksum of everything summed so far. REQUIRES: the field itself counted as 0.
inline void store_checksum(uint8_t* to, uint64_t sum) {
    const auto checksum = static_cast<uint16_t>(~fold(sum));
    std::memcpy(to, &checksum, sizeof checksum);
}
/// Writes the sum uncomplemented: the seed that ports with checksum offload ask for.
inline void store_sum(uint8_t* to, uint64_t sum) {
    const uint16_t folded = fold(sum);
    std::memcpy(to, &folded, sizeof folded);
}

/// Checksum after one 16-bit word of the data changed (RFC 1624 equation 3). All three in the same
/// order, host or memory.
[[nodiscard]] constexpr uint16_t update_checksum(uint16_t checksum,
                                                 uint16_t before,
                                                 uint16_t after) {
    const uint64_t sum =
        uint64_t{static_cast<uint16_t>(~checksum)} + static_cast<uint16_t>(~before) + after;
    return static_cast<uint16_t>(~fold(sum));
}

/// Pseudo-header of TCP over IPv4 (RFC 9293 section 3.1) and IPv6 (RFC 8200 section 8.1), from the
/// octets of the two addresses in either order. `l4_bytes`: header and payload; 0 where TSO wants
/// the sum without the length.
[[nodiscard]] inline uint64_t pseudo_sum_ipv4(const uint8_t* a,
                                              const uint8_t* b,
                                              uint8_t protocol,
                                              uint32_t l4_bytes) {
    uint32_t words[2];
    std::memcpy(words, a, 4);
    std::memcpy(words + 1, b, 4);
    return uint64_t{words[0]} + words[1] + __builtin_bswap32(uint32_t{protocol} + l4_bytes);
}
[[nodiscard]] inline uint64_t pseudo_sum_ipv6(const uint8_t* a,
                                              const uint8_t* b,
                                              uint8_t protocol,
                                              uint32_t l4_bytes) {
    return sum_octets(a, 16) + sum_octets(b, 16) + __builtin_bswap32(l4_bytes) +
           __builtin_bswap32(protocol);
}
[[nodiscard]] inline uint64_t pseudo_sum(const FlowKey& flow, uint8_t protocol, uint32_t l4_bytes) {
    return flow.remote.is_ipv4()
               ? pseudo_sum_ipv4(flow.remote.ipv4(), flow.local.ipv4(), protocol, l4_bytes)
               : pseudo_sum_ipv6(flow.remote.octets.data(), flow.local.octets.data(), protocol,
                                 l4_bytes);
}

}  // namespace sy::tcpip
