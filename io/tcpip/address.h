// Addresses of the stack: MAC, IP (IPv4 as ::ffff:a.b.c.d, as in core/base/endpoint.h), and the
// four-tuple that names a connection. Values only; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/base/endpoint.h"
#include "core/base/prng.h"

namespace sy::tcpip {

using Mac = std::array<uint8_t, 6>;

inline constexpr Mac broadcast_mac{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/// IPv6 address, or IPv4 as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).
struct IpAddress {
    std::array<uint8_t, 16> octets{};

    static IpAddress from_ipv4(const uint8_t* four) {
        IpAddress out;
        out.octets[10] = 0xff;
        out.octets[11] = 0xff;
        std::memcpy(out.octets.data() + 12, four, 4);
        return out;
    }
    static IpAddress from_ipv6(const uint8_t* sixteen) {
        IpAddress out;
        std::memcpy(out.octets.data(), sixteen, 16);
        return out;
    }

    [[nodiscard]] bool is_ipv4() const {
        static constexpr uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        return std::memcmp(octets.data(), mapped, sizeof mapped) == 0;
    }
    /// The four octets of an IPv4 address. REQUIRES: is_ipv4().
    [[nodiscard]] const uint8_t* ipv4() const { return octets.data() + 12; }

    friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

/// A connection's four-tuple. "local" is ours, whichever way a segment goes. Ports in host order.
struct FlowKey {
    IpAddress remote;
    IpAddress local;
    uint16_t remote_port = 0;
    uint16_t local_port = 0;

    /// Word by word, without a call: compared for every segment.
    friend bool operator==(const FlowKey& a, const FlowKey& b) {
        uint64_t left[4];
        uint64_t right[4];
        uint32_t left_ports = 0;
        uint32_t right_ports = 0;
        std::memcpy(left, &a, sizeof left);
        std::memcpy(right, &b, sizeof right);
        std::memcpy(&left_ports, &a.remote_port, sizeof left_ports);
        std::memcpy(&right_ports, &b.remote_port, sizeof right_ports);
        return ((left[0] ^ right[0]) | (left[1] ^ right[1]) | (left[2] ^ right[2]) |
                (left[3] ^ right[3]) | (left_ports ^ right_ports)) == 0;
    }
};
static_assert(sizeof(FlowKey) == 36 && offsetof(FlowKey, remote_port) == 32);

namespace detail {

/// Both halves of the product, folded.
[[nodiscard]] inline uint64_t multiply_fold(uint64_t a, uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{a} * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}
inline constexpr uint64_t hash_seed_step = 0x9e3779b97f4a7c15U;
inline constexpr uint64_t hash_last = 0xe7037ed1a0b428dbU;

}  // namespace detail

/// flow_hash() of IPv4 addresses as they stand in a packet from the peer, source and destination,
/// and its ports, source port in the high half.
[[nodiscard]] inline uint32_t flow_hash_ipv4(uint64_t addresses, uint32_t ports, uint64_t seed) {
    const uint64_t mixed = detail::multiply_fold(
        addresses ^ seed, ports ^ (seed >> 32 | seed << 32) ^ detail::hash_seed_step);
    return static_cast<uint32_t>(detail::multiply_fold(mixed ^ seed, detail::hash_last));
}

/// Seeded hash of a four-tuple for the tables of one stack: the seed is secret, so that peers can't
/// choose tuples that collide. Multiply and fold, as wyhash does, one step for IPv4, two for IPv6.
[[nodiscard]] inline uint32_t flow_hash(const FlowKey& key, uint64_t seed) {
    const uint32_t ports = (uint32_t{key.remote_port} << 16) | key.local_port;
    if (key.remote.is_ipv4()) {
        uint32_t addresses[2];
        std::memcpy(addresses, key.remote.ipv4(), 4);
        std::memcpy(addresses + 1, key.local.ipv4(), 4);
        uint64_t both = 0;
        std::memcpy(&both, addresses, sizeof both);
        return flow_hash_ipv4(both, ports, seed);
    }
    uint64_t words[4];
    std::memcpy(words, key.remote.octets.data(), 16);
    std::memcpy(words + 2, key.local.octets.data(), 16);
    const uint64_t low =
        detail::multiply_fold(words[0] ^ seed, words[1] ^ ports ^ detail::hash_seed_step);
    const uint64_t high =
        detail::multiply_fold(words[2] ^ (seed >> 32 | seed << 32), words[3] ^ detail::hash_last);
    return flow_hash_ipv4(low, 0, seed) ^ flow_hash_ipv4(high, ports, seed);
}

}  // namespace sy::tcpip
