// Frames taken apart and put together, plainly: for the simulated link and for the peers that tests
// play. It shares no line with the stack under test, so that both do not make one mistake.
// Values and functions only; any thread.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/bytes.h"
#include "io/tcpip/address.h"

namespace sy::sim {

using tcpip::IpAddress;
using tcpip::Mac;

namespace tcp_flag {
inline constexpr uint8_t fin = 0x01;
inline constexpr uint8_t syn = 0x02;
inline constexpr uint8_t rst = 0x04;
inline constexpr uint8_t psh = 0x08;
inline constexpr uint8_t ack = 0x10;
inline constexpr uint8_t urg = 0x20;
inline constexpr uint8_t ece = 0x40;
inline constexpr uint8_t cwr = 0x80;
}  // namespace tcp_flag

inline constexpr uint32_t ethernet_bytes = 14;
inline constexpr uint32_t ipv4_bytes = 20;
inline constexpr uint32_t ipv6_bytes = 40;
inline constexpr uint32_t tcp_bytes = 20;
inline constexpr uint16_t ethertype_ipv4 = 0x0800;
inline constexpr uint16_t ethertype_arp = 0x0806;
inline constexpr uint16_t ethertype_vlan = 0x8100;
inline constexpr uint16_t ethertype_ipv6 = 0x86dd;
inline constexpr uint8_t protocol_hop_by_hop = 0;
inline constexpr uint8_t protocol_icmp = 1;
inline constexpr uint8_t protocol_tcp = 6;
inline constexpr uint8_t protocol_icmpv6 = 58;

enum class PacketKind : uint8_t { other, arp, icmp, tcp };

/// What a frame holds. Fields are offsets into it or values in host order.
struct Packet {
    PacketKind kind = PacketKind::other;
    bool ip = false;  // the fields down to dont_fragment are valid
    bool ipv6 = false;
    uint32_t l3 = 0;   // offset of the IP header
    uint32_t l4 = 0;   // offset of what it carries
    uint32_t end = 0;  // offset of the end of the IP packet; may lie behind a truncated frame
    IpAddress source;
    IpAddress destination;
    bool dont_fragment = false;
    // TCP, RFC 9293 section 3.1; options are [l4 + 20, payload).
    uint16_t source_port = 0;
    uint16_t destination_port = 0;
    uint32_t seq = 0;
    uint32_t ack = 0;
    uint8_t flags = 0;
    uint16_t window = 0;
    uint16_t urgent = 0;
    uint32_t payload = 0;  // offset of the octets

    [[nodiscard]] bool has(uint8_t flag) const { return (flags & flag) != 0; }
    [[nodiscard]] uint32_t payload_bytes() const { return end - payload; }
    /// Octets of the IP packet.
    [[nodiscard]] uint32_t ip_total_bytes() const { return end - l3; }
};

/// `kind` is `other` for whatever does not parse or is cut off.
[[nodiscard]] Packet parse_packet(Octets frame);

/// One's complement sum (RFC 1071), not yet folded; odd lengths are padded with a zero octet.
[[nodiscard]] uint64_t sum_octets(Octets octets, uint64_t sum = 0);
/// Folded and complemented: what stands in a checksum field.
[[nodiscard]] uint16_t fold_checksum(uint64_t sum);
/// Sum of the pseudo-header with `l4_bytes` as its length (RFC 9293 3.1, RFC 8200 8.1).
[[nodiscard]] uint64_t pseudo_header_sum(const Packet& packet, uint8_t protocol, uint32_t l4_bytes);

[[nodiscard]] bool ip_checksum_good(Octets frame, const Packet& packet);
/// TCP or ICMP; true for anything else.
[[nodiscard]] bool l4_checksum_good(Octets frame, const Packet& packet);
/// Writes the IPv4 header's checksum. REQUIRES: packet.ip.
void write_ip_checksum(std::span<uint8_t> frame, const Packet& packet);
/// Writes the checksum of TCP or ICMP.
void write_l4_checksum(std::span<uint8_t> frame, const Packet& packet);

struct IpHeader {
    Mac source_mac{};
    Mac destination_mac{};
    IpAddress source;
    IpAddress destination;
    uint8_t protocol = protocol_tcp;
    uint8_t hop_limit = 64;
    uint16_t identification = 0;
};

/// Octets of Ethernet and IP header for these addresses.
[[nodiscard]] uint32_t ip_header_bytes(const IpHeader& header);
/// Writes Ethernet and IP header for `l4_bytes` octets behind them, with the IPv4 checksum and DF.
/// REQUIRES: out holds ip_header_bytes().
void write_ip_header(std::span<uint8_t> out, const IpHeader& header, uint32_t l4_bytes);

struct IcmpError {
    uint8_t type = 0;
    uint8_t code = 0;
    uint32_t rest = 0;  // octets 4 to 7: next-hop MTU (RFC 1191 section 4, RFC 4443 section 3.2)
};

/// An ICMP or ICMPv6 error that quotes `frame`, sent to its sender by `router`; octets written.
/// IPv4 quotes the IP header and 8 octets (RFC 792), IPv6 what fits 1280 (RFC 4443 section 2.4).
[[nodiscard]] uint32_t write_icmp_error(std::span<uint8_t> out,
                                        const IcmpError& error,
                                        const IpAddress& router,
                                        Octets frame,
                                        const Packet& packet);

/// Calls f(kind, option octets with kind and length) for each TCP option; stops at EOL or at a
/// length that does not fit. Octets is [l4 + 20, payload).
template <class F>
void for_each_option(std::span<uint8_t> options, F&& f) {
    size_t at = 0;
    while (at < options.size() && options[at] != 0) {
        if (options[at] == 1) {
            ++at;
            continue;
        }
        if (at + 1 >= options.size() || options[at + 1] < 2 ||
            options[at + 1] > options.size() - at) {
            return;
        }
        const size_t bytes = options[at + 1];
        f(options[at], options.subspan(at, bytes));
        at += bytes;
    }
}

}  // namespace sy::sim
