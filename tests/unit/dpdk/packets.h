// Frames for the tests of io/dpdk, written octet by octet and apart from the code under test.
#pragma once

#include <arpa/inet.h>
#include <cstdint>
#include <string>
#include <vector>

#include "io/tcpip/address.h"

namespace sy::dpdk::test {

using Octets8 = std::vector<uint8_t>;

inline tcpip::IpAddress ip(const char* text) {
    uint8_t octets[16];
    if (inet_pton(AF_INET, text, octets) == 1) {
        return tcpip::IpAddress::from_ipv4(octets);
    }
    inet_pton(AF_INET6, text, octets);
    return tcpip::IpAddress::from_ipv6(octets);
}

/// As the remote side names it: `remote` is where the frame comes from.
inline tcpip::FlowKey flow(const char* remote,
                           uint16_t remote_port,
                           const char* local,
                           uint16_t local_port) {
    return {ip(remote), ip(local), remote_port, local_port};
}

inline void put16(Octets8& out, unsigned value) {
    out.push_back(static_cast<uint8_t>(value >> 8));
    out.push_back(static_cast<uint8_t>(value));
}
inline void put(Octets8& out, const Octets8& more) {
    out.reserve(out.size() + more.size());
    for (const uint8_t octet : more) {
        out.push_back(octet);
    }
}

inline Octets8 ethernet(uint16_t ethertype, const Octets8& payload, int vlan_tags = 0) {
    Octets8 out{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
    for (int i = 0; i < vlan_tags; ++i) {
        put16(out, i + 1 < vlan_tags ? 0x88a8 : 0x8100);
        put16(out, 101);
    }
    put16(out, ethertype);
    put(out, payload);
    return out;
}

inline Octets8 tcp(uint16_t source_port, uint16_t destination_port, size_t payload_bytes = 0) {
    Octets8 out;
    put16(out, source_port);
    put16(out, destination_port);
    put(out, Octets8(8, 0));  // sequence and acknowledgement numbers
    put(out, {0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0});
    put(out, Octets8(payload_bytes, 0x5a));
    return out;
}

/// IPv4 (with `option_bytes` of options and this fragment field) or IPv6, by `source`.
inline Octets8 packet(const tcpip::IpAddress& source,
                      const tcpip::IpAddress& destination,
                      uint8_t protocol,
                      const Octets8& payload,
                      unsigned fragment = 0x4000,
                      unsigned option_bytes = 0) {
    Octets8 out;
    if (source.is_ipv4()) {
        out = {static_cast<uint8_t>(0x45 + option_bytes / 4), 0};
        put16(out, static_cast<unsigned>(20 + option_bytes + payload.size()));
        put16(out, 1);
        put16(out, fragment);
        put(out, {64, protocol, 0, 0});
        put(out, Octets8(source.ipv4(), source.ipv4() + 4));
        put(out, Octets8(destination.ipv4(), destination.ipv4() + 4));
        put(out, Octets8(option_bytes, 1));
    } else {
        out = {0x60, 0, 0, 0};
        put16(out, static_cast<unsigned>(payload.size()));
        put(out, {protocol, 64});
        put(out, Octets8(source.octets.begin(), source.octets.end()));
        put(out, Octets8(destination.octets.begin(), destination.octets.end()));
    }
    put(out, payload);
    return out;
}

inline uint16_t ethertype_of(const tcpip::IpAddress& address) {
    return address.is_ipv4() ? 0x0800 : 0x86dd;
}

/// The remote side's segment of this flow.
inline Octets8 tcp_frame(const tcpip::FlowKey& of, size_t payload_bytes = 0, int vlan_tags = 0) {
    return ethernet(
        ethertype_of(of.remote),
        packet(of.remote, of.local, 6, tcp(of.remote_port, of.local_port, payload_bytes)),
        vlan_tags);
}

inline Octets8 arp(uint16_t operation, const char* sender, const char* target) {
    Octets8 out{0, 1, 8, 0, 6, 4};
    put16(out, operation);
    put(out, {2, 0, 0, 0, 0, 2});
    const tcpip::IpAddress from = ip(sender);
    put(out, Octets8(from.ipv4(), from.ipv4() + 4));
    put(out, Octets8(6, 0));
    const tcpip::IpAddress to = ip(target);
    put(out, Octets8(to.ipv4(), to.ipv4() + 4));
    return ethernet(0x0806, out);
}

/// An ICMP or ICMPv6 message of this type about our own segment of `of`, sent by a router.
inline Octets8 icmp_error(uint8_t type, const tcpip::FlowKey& of) {
    const bool ipv4 = of.remote.is_ipv4();
    Octets8 message{type, 0, 0, 0, 0, 0, 0, 0};
    Octets8 quoted = packet(of.local, of.remote, 6, tcp(of.local_port, of.remote_port));
    quoted.resize(quoted.size() - 12);  // 8 octets of TCP are all that is promised
    put(message, quoted);
    const tcpip::IpAddress router = ip(ipv4 ? "192.0.2.254" : "2001:db8::fe");
    return ethernet(ethertype_of(router), packet(router, of.local, ipv4 ? 1 : 58, message));
}

}  // namespace sy::dpdk::test
