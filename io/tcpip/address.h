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

/// Seeded hash of a four-tuple for the tables of one stack: the seed is secret, so that peers can't
/// choose tuples that collide. Multiply-and-fold of 64-bit words, the last step of splitmix64.
[[nodiscard]] inline uint32_t flow_hash(const FlowKey& key, uint64_t seed) {
    uint64_t words[4];
    std::memcpy(words, key.remote.octets.data(), 16);
    std::memcpy(words + 2, key.local.octets.data(), 16);
    const uint64_t ports = (uint64_t{key.remote_port} << 16) | key.local_port;
    const auto fold = [](uint64_t a, uint64_t b) {
        __extension__ using Wide = unsigned __int128;
        const Wide product = Wide{a} * b;
        return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
    };
    const uint64_t low = fold(words[0] ^ seed ^ ports, words[1] ^ 0x9e3779b97f4a7c15U);
    const uint64_t high =
        fold(words[2] ^ (seed >> 32 | seed << 32), words[3] ^ 0xe7037ed1a0b428dbU);
    return static_cast<uint32_t>(mix64(low ^ (high * 3) ^ (ports * 0x8ebc6af09c88c6e3U)) >> 32);
}

}  // namespace sy::tcpip
