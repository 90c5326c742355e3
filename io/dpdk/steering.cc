#include "io/dpdk/steering.h"

#include <cstring>

namespace sy::dpdk {
namespace {

using tcpip::FlowKey;
using tcpip::IpAddress;
using Bytes = std::span<const uint8_t>;

constexpr uint16_t ethertype_ipv4 = 0x0800;
constexpr uint16_t ethertype_arp = 0x0806;
constexpr uint16_t ethertype_vlan = 0x8100;
constexpr uint16_t ethertype_qinq = 0x88a8;
constexpr uint16_t ethertype_ipv6 = 0x86dd;
constexpr size_t vlan_tags_max = 2;

constexpr uint8_t protocol_icmp = 1;
constexpr uint8_t protocol_tcp = 6;
constexpr uint8_t protocol_icmpv6 = 58;

// IPv6 extension headers (RFC 8200 section 4) that are passed over. A fragment header is not.
constexpr uint8_t hop_by_hop = 0;
constexpr uint8_t routing = 43;
constexpr uint8_t destination_options = 60;
constexpr size_t extension_headers_max = 8;

uint16_t load16(Bytes bytes, size_t at) {
    return static_cast<uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

// An IP packet, also one that an ICMP error quotes: cut off anywhere behind its first octets.
struct Packet {
    bool usable = false;
    uint8_t protocol = 0;
    IpAddress source;
    IpAddress destination;
    Bytes payload;
};

Packet parse_ipv4(Bytes bytes) {
    constexpr size_t header_min = 20;
    if (bytes.size() < header_min || bytes[0] >> 4 != 4) {
        return {};
    }
    const size_t header = size_t{bytes[0]} % 16 * 4;
    const bool fragment = (load16(bytes, 6) & 0x3fff) != 0;  // offset, or more to come
    if (header < header_min || header > bytes.size() || fragment) {
        return {};
    }
    return {true, bytes[9], IpAddress::from_ipv4(&bytes[12]), IpAddress::from_ipv4(&bytes[16]),
            bytes.subspan(header)};
}

Packet parse_ipv6(Bytes bytes) {
    constexpr size_t header = 40;
    if (bytes.size() < header || bytes[0] >> 4 != 6) {
        return {};
    }
    Packet out{true, bytes[6], IpAddress::from_ipv6(&bytes[8]), IpAddress::from_ipv6(&bytes[24]),
               bytes.subspan(header)};
    for (size_t i = 0; i < extension_headers_max; ++i) {
        const bool skipped = out.protocol == hop_by_hop || out.protocol == routing ||
                             out.protocol == destination_options;
        if (!skipped) {
            return out;
        }
        if (out.payload.size() < 8) {
            return {};
        }
        const size_t length = (size_t{out.payload[1]} + 1) * 8;
        if (length > out.payload.size()) {
            return {};
        }
        out.protocol = out.payload[0];
        out.payload = out.payload.subspan(length);
    }
    return {};
}

// `from_us`: the packet is one of ours that an ICMP error sends back.
Steering of_tcp(const Packet& packet, bool from_us) {
    if (!packet.usable || packet.protocol != protocol_tcp || packet.payload.size() < 4) {
        return {};
    }
    const uint16_t source_port = load16(packet.payload, 0);
    const uint16_t destination_port = load16(packet.payload, 2);
    Steering out{Destination::owner, {}};
    out.flow = from_us ? FlowKey{packet.destination, packet.source, destination_port, source_port}
                       : FlowKey{packet.source, packet.destination, source_port, destination_port};
    return out;
}

// RFC 792: what went wrong stands behind 8 octets, with the packet's header and 8 octets more.
constexpr size_t icmp_header = 8;

Steering of_icmp(Bytes bytes) {
    if (bytes.size() < icmp_header) {
        return {};
    }
    switch (bytes[0]) {
        case 3:   // destination unreachable
        case 4:   // source quench
        case 5:   // redirect
        case 11:  // time exceeded
        case 12:  // parameter problem
            return of_tcp(parse_ipv4(bytes.subspan(icmp_header)), true);
        default:
            return {};
    }
}

Steering of_icmpv6(Bytes bytes) {
    if (bytes.size() < icmp_header) {
        return {};
    }
    switch (bytes[0]) {
        case 1:  // destination unreachable
        case 2:  // packet too big
        case 3:  // time exceeded
        case 4:  // parameter problem
            return of_tcp(parse_ipv6(bytes.subspan(icmp_header)), true);
        case 134:  // router advertisement (RFC 4861)
        case 136:  // neighbour advertisement
        case 137:  // redirect
            return {Destination::every, {}};
        default:
            return {};
    }
}

// RFC 826 over Ethernet and IPv4: operation at 6, sender's IP at 14, target's IP at 24.
Steering of_arp(Bytes bytes) {
    constexpr size_t arp_bytes = 28;
    constexpr uint16_t reply = 2;
    if (bytes.size() < arp_bytes) {
        return {};
    }
    const bool gratuitous = std::memcmp(&bytes[14], &bytes[24], 4) == 0;
    return {load16(bytes, 6) == reply || gratuitous ? Destination::every : Destination::here, {}};
}

Steering of_ip(const Packet& packet, uint8_t icmp) {
    if (packet.usable && packet.protocol == icmp) {
        return icmp == protocol_icmp ? of_icmp(packet.payload) : of_icmpv6(packet.payload);
    }
    return of_tcp(packet, false);
}

}  // namespace

Steering steer(std::span<const uint8_t> frame) {
    size_t at = 12;
    uint16_t ethertype = 0;
    for (size_t tags = 0;; ++tags) {
        if (frame.size() < at + 2) {
            return {};
        }
        ethertype = load16(frame, at);
        at += 2;
        if (ethertype != ethertype_vlan && ethertype != ethertype_qinq) {
            break;
        }
        if (tags == vlan_tags_max) {
            return {};
        }
        at += 2;
    }
    const Bytes rest = frame.subspan(at);
    switch (ethertype) {
        case ethertype_ipv4:
            return of_ip(parse_ipv4(rest), protocol_icmp);
        case ethertype_ipv6:
            return of_ip(parse_ipv6(rest), protocol_icmpv6);
        case ethertype_arp:
            return of_arp(rest);
        default:
            return {};
    }
}

}  // namespace sy::dpdk
