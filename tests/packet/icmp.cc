#include "tests/packet/icmp.h"

#include <algorithm>
#include <string_view>

#include "core/base/assert.h"

namespace sy::test {

sim::IcmpError icmp_error(const IcmpSpec& spec, bool ipv6) {
    if (spec.kind == IcmpSpec::Kind::too_big) {
        return ipv6 ? sim::IcmpError{2, 0, spec.mtu} : sim::IcmpError{3, 4, spec.mtu};
    }
    if (spec.kind == IcmpSpec::Kind::time_exceeded) {
        return {static_cast<uint8_t>(ipv6 ? 3 : 11), 0, 0};
    }
    struct Code {
        std::string_view name;
        uint8_t four;
        uint8_t six;
    };
    // RFC 792 and RFC 1122 section 3.2.2.1; RFC 4443 section 3.1 and 3.4 (next header).
    constexpr Code codes[] = {
        {"net", 0, 0}, {"host", 1, 3}, {"protocol", 2, 1}, {"port", 3, 4}, {"admin", 13, 1}};
    for (const Code& code : codes) {
        if (code.name == spec.code) {
            const bool parameter = ipv6 && spec.code == "protocol";
            return {static_cast<uint8_t>(parameter ? 4
                                         : ipv6    ? 1
                                                   : 3),
                    ipv6 ? code.six : code.four, parameter ? 6U : 0U};
        }
    }
    SY_ASSERT(false);
    return {};
}

std::string icmp_mismatch(const IcmpSpec& spec,
                          bool ipv6,
                          Octets frame,
                          const sim::Packet& packet) {
    if (packet.kind != sim::PacketKind::icmp) {
        return "no ICMP message came";
    }
    const uint8_t type = frame[packet.l4];
    const uint8_t code = frame[packet.l4 + 1];
    sim::IcmpError wanted{.type = static_cast<uint8_t>(ipv6 ? 129 : 0)};
    if (spec.kind == IcmpSpec::Kind::echo_request) {
        wanted.type = ipv6 ? 128 : 8;
    } else if (spec.kind != IcmpSpec::Kind::echo_reply) {
        wanted = icmp_error(spec, ipv6);
    }
    if (type == wanted.type && code == wanted.code) {
        return {};
    }
    return "type " + std::to_string(type) + " code " + std::to_string(code) +
           " came, expected type " + std::to_string(wanted.type) + " code " +
           std::to_string(wanted.code);
}

uint32_t write_echo(std::span<uint8_t> out, bool request, const PeerAddresses& addresses) {
    const bool ipv6 = !addresses.stack.is_ipv4();

    const sim::IpHeader header{.source_mac = addresses.peer_mac,
                               .destination_mac = addresses.stack_mac,
                               .source = addresses.peer,
                               .destination = addresses.stack,
                               .protocol = ipv6 ? sim::protocol_icmpv6 : sim::protocol_icmp};
    constexpr uint32_t bytes = 8 + 56;
    sim::write_ip_header(out, header, bytes);
    const uint32_t at = sim::ip_header_bytes(header);
    std::fill_n(out.begin() + at, bytes, uint8_t{0x42});
    const uint8_t type = ipv6 ? 128 : 8;
    const uint8_t reply = ipv6 ? 129 : 0;
    out[at] = request ? type : reply;
    out[at + 1] = 0;
    const auto frame = out.first(at + bytes);
    sim::write_l4_checksum(frame, sim::parse_packet(frame));
    return at + bytes;
}

}  // namespace sy::test
