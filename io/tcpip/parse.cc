#include "io/tcpip/parse.h"

#include "io/tcpip/checksum.h"
#include "io/tcpip/plain_segment.h"
#include "io/tcpip/wire.h"

namespace sy::tcpip {

namespace {

// Half-open part [at, end) of a packet that starts at `l3`.
struct Layer4 {
    uint32_t at = 0;
    uint8_t protocol = 0;
};

bool martian_ipv4(const Interface& interface, const uint8_t* source) {
    // 0/8, 127/8, multicast and class E (the limited broadcast among it).
    return source[0] == 0 || source[0] == 127 || source[0] >= 224 ||
           interface.never_a_source_ipv4(raw_ipv4(source));
}

// The unspecified address is for duplicate detection only; our own is seen in conflicts.
bool discovery_only_source(const Interface& interface, const uint8_t* source) {
    static constexpr uint8_t unspecified[16] = {};
    return std::memcmp(source, unspecified, 16) == 0 || interface.has_ipv6(source);
}

bool martian_ipv6(const uint8_t* source) {
    static constexpr uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static constexpr uint8_t compatible[12] = {};
    if (source[0] == 0xff || std::memcmp(source, mapped, 12) == 0) {
        return true;
    }
    static constexpr uint8_t unspecified[16] = {};
    return std::memcmp(source, compatible, 12) == 0 && std::memcmp(source, unspecified, 16) != 0;
}

void read_tcp(const uint8_t* at, uint32_t l4_bytes, uint32_t header_bytes, Packet& out) {
    out.kind = PacketKind::tcp;
    out.flow.remote_port = load_be<uint16_t>(at + tcp::source_port_at);
    out.flow.local_port = load_be<uint16_t>(at + tcp::destination_port_at);
    out.seq = {load_be<uint32_t>(at + tcp::seq_at)};
    out.ack = {load_be<uint32_t>(at + tcp::ack_at)};
    out.flags = at[tcp::flags_at];
    out.window = load_be<uint16_t>(at + tcp::window_at);
    out.options = at + tcp::header_bytes;
    out.options_bytes = static_cast<uint8_t>(header_bytes - tcp::header_bytes);
    out.payload = at + header_bytes;
    out.payload_bytes = l4_bytes - header_bytes;
}

void read_ipv4(const uint8_t* l3, uint32_t l3_bytes, Packet& out) {
    out.flow.remote = IpAddress::from_ipv4(l3 + ipv4::source_at);
    out.flow.local = IpAddress::from_ipv4(l3 + ipv4::destination_at);
    out.ttl = l3[ipv4::ttl_at];
    out.traffic_class = l3[ipv4::service_at];
    out.l3 = l3;
    out.l3_bytes = l3_bytes;
}

// TCP over IPv4 without IP options, addressed to us and intact, in a straight line.
bool parse_plain(const RxFrame& frame, const Interface& interface, Packet& out) {
    PlainSegment segment;
    if (!find_plain(frame, interface, segment) ||
        !interface.has_ipv4(raw_ipv4(segment.l3 + ipv4::destination_at)) ||
        martian_ipv4(interface, segment.l3 + ipv4::source_at) || !is_intact(frame, segment)) {
        return false;
    }
    read_ipv4(segment.l3, ipv4::header_bytes + segment.l4_bytes, out);
    read_tcp(segment.l4(), segment.l4_bytes, segment.header_bytes, out);
    out.source_mac = load_mac(frame.data + ethernet::source_at);
    out.group_mac = false;
    out.fragment_header = false;
    out.router_alert = false;
    return true;
}

Drop check_ipv4_options(const uint8_t* options, uint32_t bytes) {
    for (uint32_t at = 0; at < bytes;) {
        const uint8_t type = options[at];
        if (type == ipv4::option_end) {
            return Drop::none;
        }
        if (type == ipv4::option_nop) {
            ++at;
            continue;
        }
        if (bytes - at < 2 || options[at + 1] < 2 || options[at + 1] > bytes - at) {
            return Drop::ip_options;
        }
        if (type == ipv4::option_loose_route || type == ipv4::option_strict_route) {
            return Drop::source_route;
        }
        at += options[at + 1];
    }
    return Drop::none;
}

// Options of a hop-by-hop or destination options header that we may skip: the two high bits of
// unknown ones say so (RFC 8200 section 4.2). Those that we know (PadN, router alert) say it too.
bool options_are_skippable(const uint8_t* options, uint32_t bytes) {
    for (uint32_t at = 0; at < bytes;) {
        if (options[at] == 0) {  // Pad1
            ++at;
            continue;
        }
        if (bytes - at < 2 || options[at + 1] > bytes - at - 2 || (options[at] & 0xc0) != 0) {
            return false;
        }
        at += 2U + options[at + 1];
    }
    return true;
}

// REQUIRES: options_are_skippable().
bool has_router_alert(const uint8_t* options, uint32_t bytes) {
    for (uint32_t at = 0; at < bytes; at += options[at] == 0 ? 1 : 2U + options[at + 1]) {
        if (options[at] == ipv6::option_router_alert) {
            return true;
        }
    }
    return false;
}

// One extension header of type `type` at `header`, `bytes` long.
Drop check_extension(uint8_t type, const uint8_t* header, uint32_t bytes) {
    if (type == ipv6::next_routing) {
        // Type 0 is deprecated (RFC 5095); with segments left there would be something to do.
        return header[2] == 0 || header[3] != 0 ? Drop::source_route : Drop::none;
    }
    return options_are_skippable(header + 2, bytes - 2) ? Drop::none : Drop::extension_header;
}

bool is_extension(uint8_t type) {
    return type == ipv6::next_hop_by_hop || type == ipv6::next_routing ||
           type == ipv6::next_fragment || type == ipv6::next_destination;
}

// Skips the extension headers of the packet [l3, l3 + l3_bytes).
Drop skip_extensions(const uint8_t* l3, uint32_t l3_bytes, Layer4& layer, Packet& out) {
    layer = {.at = ipv6::header_bytes, .protocol = l3[ipv6::next_header_at]};
    for (uint32_t count = 0; is_extension(layer.protocol); ++count) {
        if (count == ipv6::extension_headers_max || l3_bytes - layer.at < 8 ||
            (layer.protocol == ipv6::next_hop_by_hop && count != 0)) {
            return Drop::extension_header;
        }
        const uint8_t* header = l3 + layer.at;
        uint32_t bytes = 8;
        if (layer.protocol == ipv6::next_fragment) {
            // Offset in the high 13 bits, M in the lowest; both 0: atomic (RFC 6946).
            if ((load_be<uint16_t>(header + 2) & 0xfff9) != 0) {
                return Drop::fragment;
            }
            out.fragment_header = true;
        } else {
            bytes = 8 * (uint32_t{header[1]} + 1);
            if (bytes > l3_bytes - layer.at) {
                return Drop::extension_header;
            }
            if (const Drop drop = check_extension(layer.protocol, header, bytes);
                drop != Drop::none) {
                return drop;
            }
            out.router_alert |=
                layer.protocol == ipv6::next_hop_by_hop && has_router_alert(header + 2, bytes - 2);
        }
        layer = {.at = layer.at + bytes, .protocol = header[0]};
    }
    return Drop::none;
}

// `pseudo`: sum of the pseudo-header.
Drop parse_tcp(
    const RxFrame& frame, const uint8_t* at, uint32_t l4_bytes, uint64_t pseudo, Packet& out) {
    if (l4_bytes < tcp::header_bytes) {
        return Drop::l4_short;
    }
    const uint32_t header_bytes = tcp_header_bytes(at);
    if (header_bytes < tcp::header_bytes || header_bytes > l4_bytes) {
        return Drop::l4_short;
    }
    if (frame.l4_checksum == ChecksumState::bad ||
        (frame.l4_checksum == ChecksumState::unknown &&
         !sum_is_good(sum_octets(at, l4_bytes) + pseudo))) {
        return Drop::l4_checksum;
    }
    read_tcp(at, l4_bytes, header_bytes, out);
    return Drop::none;
}

// Ports don't check these: always here.
Drop parse_icmp(
    PacketKind kind, const uint8_t* at, uint32_t l4_bytes, uint64_t pseudo, Packet& out) {
    if (l4_bytes < icmp::header_bytes) {
        return Drop::l4_short;
    }
    if (!sum_is_good(sum_octets(at, l4_bytes) + pseudo)) {
        return Drop::l4_checksum;
    }
    out.kind = kind;
    out.flow.remote_port = 0;
    out.flow.local_port = 0;
    out.payload = at;
    out.payload_bytes = l4_bytes;
    return Drop::none;
}

// What follows the Ethernet header and tag.
struct Rest {
    const uint8_t* data = nullptr;
    uint32_t bytes = 0;
};

Drop parse_ipv4(const RxFrame& frame, const Interface& interface, Rest rest, Packet& out) {
    if (out.group_mac) {
        return Drop::mac_not_ours;  // RFC 1122 section 3.3.6
    }
    const uint8_t* l3 = rest.data;
    if (rest.bytes < ipv4::header_bytes || l3[ipv4::version_at] >> 4 != 4) {
        return Drop::ip_header;
    }
    const uint32_t header_bytes = (l3[ipv4::version_at] & 0xfU) * 4;
    if (header_bytes < ipv4::header_bytes || header_bytes > rest.bytes) {
        return Drop::ip_header;
    }
    const uint32_t l3_bytes = load_be<uint16_t>(l3 + ipv4::length_at);
    if (l3_bytes < header_bytes || l3_bytes > rest.bytes) {
        return Drop::ip_length;
    }
    if (frame.ip_checksum == ChecksumState::bad || (frame.ip_checksum == ChecksumState::unknown &&
                                                    !sum_is_good(sum_octets(l3, header_bytes)))) {
        return Drop::ip_checksum;
    }
    if (!interface.has_ipv4(raw_ipv4(l3 + ipv4::destination_at))) {
        return Drop::not_our_address;
    }
    if (martian_ipv4(interface, l3 + ipv4::source_at)) {
        return Drop::martian_source;
    }
    if (const Drop drop =
            check_ipv4_options(l3 + ipv4::header_bytes, header_bytes - ipv4::header_bytes);
        drop != Drop::none) {
        return drop;
    }
    if ((load_be<uint16_t>(l3 + ipv4::fragment_at) & ipv4::fragment_mask) != 0) {
        return Drop::fragment;
    }
    read_ipv4(l3, l3_bytes, out);
    const uint32_t l4_bytes = l3_bytes - header_bytes;
    switch (l3[ipv4::protocol_at]) {
        case ip::protocol_tcp:
            return parse_tcp(frame, l3 + header_bytes, l4_bytes,
                             pseudo_sum_ipv4(l3 + ipv4::source_at, l3 + ipv4::destination_at,
                                             ip::protocol_tcp, l4_bytes),
                             out);
        case ip::protocol_icmp:
            return parse_icmp(PacketKind::icmp4, l3 + header_bytes, l4_bytes, 0, out);
        default:
            return Drop::protocol;
    }
}

void read_ipv6(const uint8_t* l3, uint32_t l3_bytes, Packet& out) {
    out.flow.remote = IpAddress::from_ipv6(l3 + ipv6::source_at);
    out.flow.local = IpAddress::from_ipv6(l3 + ipv6::destination_at);
    out.ttl = l3[ipv6::hop_limit_at];
    out.traffic_class = static_cast<uint8_t>(load_be<uint16_t>(l3) >> 4);
    out.l3 = l3;
    out.l3_bytes = l3_bytes;
}

Drop parse_icmp6(const Interface& interface, const uint8_t* at, uint32_t l4_bytes, Packet& out) {
    const uint8_t* l3 = out.l3;
    const Drop drop = parse_icmp(PacketKind::icmp6, at, l4_bytes,
                                 pseudo_sum_ipv6(l3 + ipv6::source_at, l3 + ipv6::destination_at,
                                                 ip::protocol_icmpv6, l4_bytes),
                                 out);
    if (drop != Drop::none) {
        return drop;
    }
    const uint8_t type = at[icmp::type_at];
    const bool discovery =
        type == icmp6::neighbour_solicitation || type == icmp6::neighbour_advertisement;
    return !discovery && discovery_only_source(interface, l3 + ipv6::source_at)
               ? Drop::martian_source
               : Drop::none;
}

Drop parse_ipv6(const RxFrame& frame, const Interface& interface, Rest rest, Packet& out) {
    const uint8_t* l3 = rest.data;
    if (rest.bytes < ipv6::header_bytes || l3[ipv6::version_at] >> 4 != 6) {
        return Drop::ip_header;
    }
    const uint32_t l3_bytes = ipv6::header_bytes + load_be<uint16_t>(l3 + ipv6::length_at);
    if (l3_bytes > rest.bytes) {
        return Drop::ip_length;
    }
    const uint8_t* source = l3 + ipv6::source_at;
    const uint8_t* destination = l3 + ipv6::destination_at;
    const bool to_group = destination[0] == 0xff;
    if (to_group ? !interface.listens_to_group(destination) : !interface.has_ipv6(destination)) {
        return Drop::not_our_address;
    }
    if (out.group_mac && !to_group) {
        return Drop::mac_not_ours;
    }
    if (martian_ipv6(source)) {
        return Drop::martian_source;
    }
    Layer4 layer;
    if (const Drop drop = skip_extensions(l3, l3_bytes, layer, out); drop != Drop::none) {
        return drop;
    }
    read_ipv6(l3, l3_bytes, out);
    const uint32_t l4_bytes = l3_bytes - layer.at;
    if (layer.protocol == ip::protocol_icmpv6) {
        return parse_icmp6(interface, l3 + layer.at, l4_bytes, out);
    }
    if (layer.protocol != ip::protocol_tcp) {
        return Drop::protocol;
    }
    if (to_group) {
        return Drop::not_our_address;
    }
    if (discovery_only_source(interface, source)) {
        return Drop::martian_source;
    }
    return parse_tcp(frame, l3 + layer.at, l4_bytes,
                     pseudo_sum_ipv6(source, destination, ip::protocol_tcp, l4_bytes), out);
}

Drop parse_arp(Rest rest, Packet& out) {
    if (rest.bytes < arp::packet_bytes) {
        return Drop::arp_short;
    }
    out.kind = PacketKind::arp;
    out.l3 = rest.data;
    out.l3_bytes = arp::packet_bytes;
    return Drop::none;
}

// The tag says whether the frame is on our VLAN; `rest` becomes what follows, `type` what it is.
Drop skip_tag(const Interface& interface, uint16_t& type, Rest& rest) {
    if (type != ethernet::type_vlan) {
        return interface.tagged() ? Drop::vlan : Drop::none;
    }
    if (rest.bytes < ethernet::tagged_bytes - ethernet::header_bytes) {
        return Drop::frame_short;
    }
    // Without a VLAN of our own, vlan() is 0 and so is the id of a priority tag.
    if ((load_be<uint16_t>(rest.data) & ethernet::vlan_id_mask) != interface.vlan()) {
        return Drop::vlan;
    }
    type = load_be<uint16_t>(rest.data + 2);
    rest = {.data = rest.data + 4, .bytes = rest.bytes - 4};
    return Drop::none;
}

// Out of line: inlined, it would cost the straight road registers to save.
[[gnu::noinline]] Drop parse_any(const RxFrame& frame, const Interface& interface, Packet& out) {
    if (frame.bytes < ethernet::header_bytes) {
        return Drop::frame_short;
    }
    const uint8_t* l2 = frame.data;
    out.source_mac = load_mac(l2 + ethernet::source_at);
    if (is_multicast(out.source_mac)) {
        return Drop::mac_source;
    }
    const Mac destination = load_mac(l2 + ethernet::destination_at);
    out.group_mac = is_multicast(destination);
    out.fragment_header = false;
    out.router_alert = false;
    const bool broadcast = destination == broadcast_mac;
    const bool group = interface.listens_to_mac(l2);
    if (destination != interface.mac() && !broadcast && !group) {
        return Drop::mac_not_ours;
    }
    uint16_t type = load_be<uint16_t>(l2 + ethernet::type_at);
    Rest rest{.data = l2 + ethernet::header_bytes, .bytes = frame.bytes - ethernet::header_bytes};
    if (const Drop drop = skip_tag(interface, type, rest); drop != Drop::none) {
        return drop;
    }
    switch (type) {
        case ethernet::type_ipv4:
            return parse_ipv4(frame, interface, rest, out);
        case ethernet::type_ipv6:
            return broadcast ? Drop::mac_not_ours : parse_ipv6(frame, interface, rest, out);
        case ethernet::type_arp:
            return group ? Drop::mac_not_ours : parse_arp(rest, out);
        default:
            return Drop::ethertype;
    }
}

}  // namespace

void parse_frame(const RxFrame& frame, const Interface& interface, Packet& out) {
    out.drop = Drop::none;
    if (parse_plain(frame, interface, out)) [[likely]] {
        return;
    }
    out.drop = parse_any(frame, interface, out);
    if (out.drop != Drop::none) {
        out.kind = PacketKind::dropped;
    }
}

}  // namespace sy::tcpip
