#include "tests/packet/neighbour.h"

#include <algorithm>

namespace sy::test {
namespace {

using tcpip::IpAddress;
using tcpip::Mac;

constexpr uint8_t solicitation = 135;
constexpr uint8_t advertisement = 136;

uint32_t write_arp(std::span<uint8_t> out, const Neighbour& message, const Mac& to_mac) {
    const bool request = message.kind == Neighbour::Kind::who_has;
    const Mac& destination = request ? tcpip::broadcast_mac : to_mac;
    ByteWriter writer(out);
    writer.octets(destination);
    writer.octets(message.mac);
    writer.integer(sim::ethertype_arp);
    writer.integer(uint16_t{1});
    writer.integer(sim::ethertype_ipv4);
    writer.integer(uint16_t{0x0604});
    writer.integer(uint16_t{request ? uint16_t{1} : uint16_t{2}});
    // An answer comes from the target and goes to who asked.
    const IpAddress& from = request ? message.sender : message.target;
    const IpAddress& to = request ? message.target : message.sender;
    writer.octets(message.mac);
    writer.octets({from.ipv4(), 4});
    writer.octets(request ? Mac{} : to_mac);
    writer.octets({to.ipv4(), 4});
    return static_cast<uint32_t>(writer.written());
}

uint32_t write_nd(std::span<uint8_t> out, const Neighbour& message, const Mac& to_mac) {
    const bool request = message.kind == Neighbour::Kind::who_has;
    sim::IpHeader header{.source_mac = message.mac,
                         .destination_mac = to_mac,
                         .source = message.target,
                         .destination = message.sender,
                         .protocol = sim::protocol_icmpv6,
                         .hop_limit = 255};
    if (request) {
        // Solicited-node multicast, RFC 4291 section 2.7.1.
        const auto& target = message.target.octets;
        header.source = message.sender;
        header.destination = IpAddress{
            {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, target[13], target[14], target[15]}};
        header.destination_mac = {0x33, 0x33, 0xff, target[13], target[14], target[15]};
    }
    constexpr uint32_t bytes = 32;
    sim::write_ip_header(out, header, bytes);
    const uint32_t at = sim::ip_header_bytes(header);
    const auto body = out.subspan(at, bytes);
    std::fill(body.begin(), body.end(), uint8_t{0});
    body[0] = request ? solicitation : advertisement;
    body[4] = request ? 0 : 0x60;  // solicited, override
    std::copy(message.target.octets.begin(), message.target.octets.end(), body.begin() + 8);
    body[24] = request ? 1 : 2;
    body[25] = 1;
    std::copy(message.mac.begin(), message.mac.end(), body.begin() + 26);
    const auto frame = out.first(at + bytes);
    sim::write_l4_checksum(frame, sim::parse_packet(frame));
    return at + bytes;
}

Mac mac_at(const uint8_t* from) {
    Mac out;
    std::copy_n(from, out.size(), out.begin());
    return out;
}

Neighbour parse_nd(Octets frame, const sim::Packet& packet) {
    Neighbour out;
    const uint8_t* icmp = frame.data() + packet.l4;
    const uint32_t bytes = packet.end - packet.l4;
    if (!packet.ipv6 || bytes < 24 || (icmp[0] != solicitation && icmp[0] != advertisement)) {
        return out;
    }
    const bool request = icmp[0] == solicitation;
    out.kind = request ? Neighbour::Kind::who_has : Neighbour::Kind::is_at;
    out.target = IpAddress::from_ipv6(icmp + 8);
    out.sender = request ? packet.source : packet.destination;
    out.mac = mac_at(frame.data() + 6);
    if (bytes >= 32 && icmp[24] == (request ? 1 : 2) && icmp[25] == 1) {
        out.mac = mac_at(icmp + 26);
    }
    return out;
}

}  // namespace

Neighbour parse_neighbour(Octets frame) {
    const sim::Packet packet = sim::parse_packet(frame);
    Neighbour out;
    if (packet.kind == sim::PacketKind::icmp) {
        return parse_nd(frame, packet);
    }
    if (packet.kind != sim::PacketKind::arp) {
        return out;
    }
    const uint8_t* arp = frame.data() + packet.l3;
    const bool request = load_be<uint16_t>(arp + 6) == 1;
    out.kind = request ? Neighbour::Kind::who_has : Neighbour::Kind::is_at;
    out.mac = mac_at(arp + 8);
    const IpAddress from = IpAddress::from_ipv4(arp + 14);
    const IpAddress to = IpAddress::from_ipv4(arp + 24);
    out.sender = request ? from : to;
    out.target = request ? to : from;
    return out;
}

uint32_t write_neighbour(std::span<uint8_t> out, const Neighbour& message, const Mac& to_mac) {
    return message.target.is_ipv4() ? write_arp(out, message, to_mac)
                                    : write_nd(out, message, to_mac);
}

}  // namespace sy::test
