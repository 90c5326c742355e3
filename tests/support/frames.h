// Frames for tests, octet by octet and with right checksums, written without the code under test.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/assert.h"
#include "core/base/endpoint.h"
#include "io/tcpip/address.h"

namespace sy::tcpip::frames {

using Bytes = std::vector<uint8_t>;

/// "10.0.0.1" or "fe80::1".
inline IpAddress ip_address(std::string_view text) {
    const auto parsed = parse_cidr(text);
    SY_ASSERT(parsed.has_value());
    return IpAddress{parsed->address};
}

inline void append(Bytes& to, std::span<const uint8_t> octets) {
    // One by one: g++ 12 sees overruns in insert() that are not there.
    for (const uint8_t octet : octets) {
        to.push_back(octet);
    }
}
inline void append_be(Bytes& to, uint64_t value, size_t octets) {
    for (size_t i = octets; i-- > 0;) {
        to.push_back(static_cast<uint8_t>(value >> (8 * i)));
    }
}
inline void put16(Bytes& to, size_t at, uint16_t value) {
    to.at(at) = static_cast<uint8_t>(value >> 8);
    to.at(at + 1) = static_cast<uint8_t>(value);
}
inline uint64_t get(std::span<const uint8_t> from, size_t at, size_t octets) {
    SY_ASSERT(at + octets <= from.size());
    uint64_t out = 0;
    for (size_t i = 0; i < octets; ++i) {
        out = out << 8 | from[at + i];
    }
    return out;
}
inline Bytes part(std::span<const uint8_t> from, size_t at, size_t octets) {
    SY_ASSERT(at + octets <= from.size());
    return {from.begin() + static_cast<std::ptrdiff_t>(at),
            from.begin() + static_cast<std::ptrdiff_t>(at + octets)};
}

/// The Internet checksum, two octets at a time.
inline uint16_t checksum(std::span<const uint8_t> octets) {
    uint32_t sum = 0;
    for (size_t i = 0; i < octets.size(); i += 2) {
        const uint32_t low = i + 1 < octets.size() ? octets[i + 1] : 0;
        sum += uint32_t{octets[i]} << 8 | low;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<uint16_t>(~sum);
}
inline Bytes address_octets(const IpAddress& address) {
    return address.is_ipv4() ? Bytes(address.octets.begin() + 12, address.octets.end())
                             : Bytes(address.octets.begin(), address.octets.end());
}
/// Of what stands behind the IP header, with the pseudo-header of the addresses' family.
inline uint16_t l4_checksum(const IpAddress& source,
                            const IpAddress& destination,
                            uint8_t protocol,
                            std::span<const uint8_t> l4) {
    Bytes all = address_octets(source);
    append(all, address_octets(destination));
    append_be(all, l4.size(), 4);
    append_be(all, protocol, 4);
    append(all, l4);
    return checksum(all);
}

inline Bytes ethernet(const Mac& to,
                      const Mac& from,
                      uint16_t type,
                      std::span<const uint8_t> payload,
                      std::optional<uint16_t> tci = std::nullopt) {
    Bytes out(to.begin(), to.end());
    append(out, from);
    if (tci) {
        append_be(out, 0x8100, 2);
        append_be(out, *tci, 2);
    }
    append_be(out, type, 2);
    append(out, payload);
    return out;
}

struct Arp {
    uint16_t operation = 1;
    Mac sender_mac{};
    IpAddress sender;
    Mac target_mac{};
    IpAddress target;
};
inline Bytes arp(const Arp& in) {
    Bytes out{0, 1, 8, 0, 6, 4};
    append_be(out, in.operation, 2);
    append(out, in.sender_mac);
    append(out, address_octets(in.sender));
    append(out, in.target_mac);
    append(out, address_octets(in.target));
    return out;
}

struct Ip {
    IpAddress source;
    IpAddress destination;
    uint8_t protocol = 6;
    uint8_t ttl = 64;
    uint8_t traffic_class = 0;
    uint16_t fragment = 0x4000;  // IPv4: DF, MF, offset
    Bytes options = {};          // IPv4, a multiple of 4; IPv6: extension headers as they are
};
/// Either family. IPv6: `protocol` is the first next-header value.
inline Bytes ip(const Ip& in, std::span<const uint8_t> payload) {
    Bytes out;
    if (in.source.is_ipv4()) {
        out.push_back(static_cast<uint8_t>(0x45 + in.options.size() / 4));
        out.push_back(in.traffic_class);
        append_be(out, 20 + in.options.size() + payload.size(), 2);
        append_be(out, 0, 2);
        append_be(out, in.fragment, 2);
        out.push_back(in.ttl);
        out.push_back(in.protocol);
        append_be(out, 0, 2);
        append(out, address_octets(in.source));
        append(out, address_octets(in.destination));
        append(out, in.options);
        put16(out, 10, checksum(out));
    } else {
        append_be(out, 6U << 28 | uint32_t{in.traffic_class} << 20 | 0x12345, 4);
        append_be(out, in.options.size() + payload.size(), 2);
        out.push_back(in.protocol);
        out.push_back(in.ttl);
        append(out, in.source.octets);
        append(out, in.destination.octets);
        append(out, in.options);
    }
    append(out, payload);
    return out;
}

struct Tcp {
    uint16_t source_port = 40000;
    uint16_t destination_port = 2775;
    uint32_t seq = 0;
    uint32_t ack = 0;
    uint8_t flags = 0x10;
    uint16_t window = 65535;
    Bytes options = {};  // a multiple of 4
    Bytes payload = {};
};
inline Bytes tcp(const Tcp& in, const IpAddress& source, const IpAddress& destination) {
    Bytes out;
    append_be(out, in.source_port, 2);
    append_be(out, in.destination_port, 2);
    append_be(out, in.seq, 4);
    append_be(out, in.ack, 4);
    out.push_back(static_cast<uint8_t>((5 + in.options.size() / 4) << 4));
    out.push_back(in.flags);
    append_be(out, in.window, 2);
    append_be(out, 0, 4);
    append(out, in.options);
    append(out, in.payload);
    put16(out, 16, l4_checksum(source, destination, 6, out));
    return out;
}

struct Icmp {
    uint8_t type = 8;
    uint8_t code = 0;
    uint32_t rest = 0;
    Bytes body = {};
};
inline Bytes icmp(const Icmp& in, const IpAddress& source, const IpAddress& destination) {
    Bytes out{in.type, in.code, 0, 0};
    append_be(out, in.rest, 4);
    append(out, in.body);
    put16(out, 2, source.is_ipv4() ? checksum(out) : l4_checksum(source, destination, 58, out));
    return out;
}

/// A solicitation (135) or advertisement (136); `flags` in the high octet of the rest.
struct Discovery {
    uint8_t type = 135;
    uint8_t flags = 0;
    IpAddress target;
    std::optional<Mac> mac = std::nullopt;  // as the option that goes with the type
};
inline Icmp discovery(const Discovery& in) {
    Icmp out{.type = in.type, .rest = uint32_t{in.flags} << 24};
    append(out.body, in.target.octets);
    if (in.mac) {
        append(out.body, Bytes{static_cast<uint8_t>(in.type == 135 ? 1 : 2), 1});
        append(out.body, *in.mac);
    }
    return out;
}

}  // namespace sy::tcpip::frames
