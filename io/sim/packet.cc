#include "io/sim/packet.h"

#include <algorithm>

#include "core/base/assert.h"

namespace sy::sim {
namespace {

void parse_tcp(Octets frame, Packet& packet) {
    if (packet.end > frame.size() || packet.end - packet.l4 < tcp_bytes) {
        return;
    }
    const uint8_t* tcp = frame.data() + packet.l4;
    const uint32_t header = uint32_t{tcp[12]} >> 4 << 2;
    if (header < tcp_bytes || header > packet.end - packet.l4) {
        return;
    }
    packet.kind = PacketKind::tcp;
    packet.source_port = load_be<uint16_t>(tcp);
    packet.destination_port = load_be<uint16_t>(tcp + 2);
    packet.seq = load_be<uint32_t>(tcp + 4);
    packet.ack = load_be<uint32_t>(tcp + 8);
    packet.flags = tcp[13];
    packet.window = load_be<uint16_t>(tcp + 14);
    packet.urgent = load_be<uint16_t>(tcp + 18);
    packet.payload = packet.l4 + header;
}

void parse_l4(Octets frame, uint8_t protocol, Packet& packet) {
    if (protocol == protocol_tcp) {
        parse_tcp(frame, packet);
    } else if (protocol == (packet.ipv6 ? protocol_icmpv6 : protocol_icmp) &&
               packet.end <= frame.size() && packet.end - packet.l4 >= 8) {
        packet.kind = PacketKind::icmp;
    }
}

void parse_ipv4(Octets frame, Packet& packet) {
    const size_t left = frame.size() - packet.l3;
    if (left < ipv4_bytes) {
        return;
    }
    const uint8_t* ip = frame.data() + packet.l3;
    const uint32_t header = (ip[0] & 15U) * 4;
    const uint32_t total = load_be<uint16_t>(ip + 2);
    if (ip[0] >> 4 != 4 || header < ipv4_bytes || header > left || total < header) {
        return;
    }
    packet.ip = true;
    packet.l4 = packet.l3 + header;
    packet.end = packet.l3 + total;
    packet.source = IpAddress::from_ipv4(ip + 12);
    packet.destination = IpAddress::from_ipv4(ip + 16);
    const uint16_t fragment = load_be<uint16_t>(ip + 6);
    packet.dont_fragment = (fragment & 0x4000) != 0;
    if ((fragment & 0x3fff) == 0) {
        parse_l4(frame, ip[9], packet);
    }
}

void parse_ipv6(Octets frame, Packet& packet) {
    if (frame.size() - packet.l3 < ipv6_bytes) {
        return;
    }
    const uint8_t* ip = frame.data() + packet.l3;
    if (ip[0] >> 4 != 6) {
        return;
    }
    packet.ip = true;
    packet.ipv6 = true;
    packet.dont_fragment = true;  // routers never fragment IPv6
    packet.l4 = packet.l3 + ipv6_bytes;
    packet.end = packet.l4 + load_be<uint16_t>(ip + 4);
    packet.source = IpAddress::from_ipv6(ip + 8);
    packet.destination = IpAddress::from_ipv6(ip + 24);
    uint8_t protocol = ip[6];
    // Reports of multicast listeners have a hop-by-hop header (RFC 3810 section 5).
    if (protocol == protocol_hop_by_hop && frame.size() >= packet.l4 + 8 &&
        packet.l4 + 8 <= packet.end) {
        const uint8_t* extension = frame.data() + packet.l4;
        protocol = extension[0];
        packet.l4 += 8 * (extension[1] + 1U);
        if (packet.l4 > packet.end) {
            return;
        }
    }
    parse_l4(frame, protocol, packet);
}

/// Where the checksum of the TCP or ICMP message stands.
uint32_t checksum_at(const Packet& packet) {
    return packet.l4 + (packet.kind == PacketKind::tcp ? 16 : 2);
}

uint64_t l4_sum(Octets frame, const Packet& packet) {
    const uint32_t bytes = packet.end - packet.l4;
    uint64_t sum = 0;
    if (packet.kind == PacketKind::tcp) {
        sum = pseudo_header_sum(packet, protocol_tcp, bytes);
    } else if (packet.ipv6) {
        sum = pseudo_header_sum(packet, protocol_icmpv6, bytes);
    }
    return sum_octets(frame.subspan(packet.l4, bytes), sum);
}

}  // namespace

Packet parse_packet(Octets frame) {
    Packet packet;
    if (frame.size() < ethernet_bytes) {
        return packet;
    }
    packet.l3 = ethernet_bytes;
    uint16_t type = load_be<uint16_t>(frame.data() + 12);
    if (type == ethertype_vlan && frame.size() >= ethernet_bytes + 4) {
        type = load_be<uint16_t>(frame.data() + 16);
        packet.l3 += 4;
    }
    if (type == ethertype_ipv4) {
        parse_ipv4(frame, packet);
    } else if (type == ethertype_ipv6) {
        parse_ipv6(frame, packet);
    } else if (type == ethertype_arp && frame.size() >= packet.l3 + 28) {
        packet.kind = PacketKind::arp;
    }
    return packet;
}

uint64_t sum_octets(Octets octets, uint64_t sum) {
    size_t at = 0;
    for (; at + 2 <= octets.size(); at += 2) {
        sum += load_be<uint16_t>(octets.data() + at);
    }
    if (at < octets.size()) {
        sum += uint64_t{octets[at]} << 8;
    }
    return sum;
}

uint16_t fold_checksum(uint64_t sum) {
    while (sum > 0xffff) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<uint16_t>(~sum);
}

uint64_t pseudo_header_sum(const Packet& packet, uint8_t protocol, uint32_t l4_bytes) {
    const size_t from = packet.ipv6 ? 0 : 12;
    uint64_t sum = sum_octets(Octets(packet.source.octets).subspan(from));
    sum = sum_octets(Octets(packet.destination.octets).subspan(from), sum);
    return sum + protocol + l4_bytes;
}

bool ip_checksum_good(Octets frame, const Packet& packet) {
    return packet.ipv6 ||
           fold_checksum(sum_octets(frame.subspan(packet.l3, packet.l4 - packet.l3))) == 0;
}

bool l4_checksum_good(Octets frame, const Packet& packet) {
    if (packet.kind != PacketKind::tcp && packet.kind != PacketKind::icmp) {
        return true;
    }
    return fold_checksum(l4_sum(frame, packet)) == 0;
}

void write_ip_checksum(std::span<uint8_t> frame, const Packet& packet) {
    if (packet.ipv6) {
        return;
    }
    uint8_t* field = frame.data() + packet.l3 + 10;
    store_be(field, uint16_t{0});
    store_be(field, fold_checksum(sum_octets(frame.subspan(packet.l3, packet.l4 - packet.l3))));
}

void write_l4_checksum(std::span<uint8_t> frame, const Packet& packet) {
    SY_ASSERT(packet.kind == PacketKind::tcp || packet.kind == PacketKind::icmp);
    uint8_t* field = frame.data() + checksum_at(packet);
    store_be(field, uint16_t{0});
    store_be(field, fold_checksum(l4_sum(frame, packet)));
}

uint32_t ip_header_bytes(const IpHeader& header) {
    return ethernet_bytes + (header.destination.is_ipv4() ? ipv4_bytes : ipv6_bytes);
}

void write_ip_header(std::span<uint8_t> out, const IpHeader& header, uint32_t l4_bytes) {
    const bool ipv4 = header.destination.is_ipv4();
    SY_ASSERT(out.size() >= ip_header_bytes(header));
    std::copy(header.destination_mac.begin(), header.destination_mac.end(), out.begin());
    std::copy(header.source_mac.begin(), header.source_mac.end(), out.begin() + 6);
    store_be(out.data() + 12, ipv4 ? ethertype_ipv4 : ethertype_ipv6);
    uint8_t* ip = out.data() + ethernet_bytes;
    if (ipv4) {
        std::fill_n(ip, ipv4_bytes, uint8_t{0});
        ip[0] = 0x45;
        store_be(ip + 2, static_cast<uint16_t>(ipv4_bytes + l4_bytes));
        store_be(ip + 4, header.identification);
        ip[6] = 0x40;  // DF
        ip[8] = header.hop_limit;
        ip[9] = header.protocol;
        std::copy_n(header.source.ipv4(), 4, ip + 12);
        std::copy_n(header.destination.ipv4(), 4, ip + 16);
        store_be(ip + 10, fold_checksum(sum_octets({ip, ipv4_bytes})));
        return;
    }
    std::fill_n(ip, ipv6_bytes, uint8_t{0});
    ip[0] = 0x60;
    store_be(ip + 4, static_cast<uint16_t>(l4_bytes));
    ip[6] = header.protocol;
    ip[7] = header.hop_limit;
    std::copy(header.source.octets.begin(), header.source.octets.end(), ip + 8);
    std::copy(header.destination.octets.begin(), header.destination.octets.end(), ip + 24);
}

uint32_t write_icmp_error(std::span<uint8_t> out,
                          const IcmpError& error,
                          const IpAddress& router,
                          Octets frame,
                          const Packet& packet) {
    constexpr uint32_t icmp_bytes = 8;
    const uint32_t quoted_max =
        packet.ipv6 ? 1280 - ipv6_bytes - icmp_bytes : packet.l4 - packet.l3 + 8;
    const auto end = std::min<uint32_t>(packet.end, static_cast<uint32_t>(frame.size()));
    const uint32_t quoted = std::min(end - packet.l3, quoted_max);
    IpHeader header{.source = router,
                    .destination = packet.source,
                    .protocol = packet.ipv6 ? protocol_icmpv6 : protocol_icmp};
    std::copy_n(frame.begin(), 6, header.source_mac.begin());
    std::copy_n(frame.begin() + 6, 6, header.destination_mac.begin());
    const uint32_t at = ip_header_bytes(header);
    const uint32_t bytes = at + icmp_bytes + quoted;
    SY_ASSERT(out.size() >= bytes);
    write_ip_header(out, header, icmp_bytes + quoted);
    out[at] = error.type;
    out[at + 1] = error.code;
    store_be(out.data() + at + 2, uint16_t{0});
    store_be(out.data() + at + 4, error.rest);
    std::copy_n(frame.begin() + packet.l3, quoted, out.begin() + at + icmp_bytes);
    write_l4_checksum(out.first(bytes), parse_packet(out.first(bytes)));
    return bytes;
}

}  // namespace sy::sim
