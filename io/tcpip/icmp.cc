// IpLayer's ICMP (RFC 792, RFC 1191) and ICMPv6 (RFC 4443): echo, and what errors say about TCP.
#include "io/tcpip/ip_layer.h"

namespace sy::tcpip {

namespace {

constexpr uint32_t quoted_tcp_bytes = 8;  // ports and sequence number
constexpr uint32_t ipv4_mtu_least = 68;   // RFC 791: every link takes so much

// For routers that don't tell the size that fits: the next smaller that is common (RFC 1191
// section 7).
uint32_t plateau_below(uint32_t bytes) {
    static constexpr uint32_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296};
    for (const uint32_t each : plateaus) {
        if (each < bytes) {
            return each;
        }
    }
    return ipv4_mtu_least;
}

void read_quoted_tcp(const uint8_t* at, IcmpError& out) {
    out.flow.local_port = load_be<uint16_t>(at + tcp::source_port_at);
    out.flow.remote_port = load_be<uint16_t>(at + tcp::destination_port_at);
    out.seq = {load_be<uint32_t>(at + tcp::seq_at)};
}

// RFC 1122 section 4.2.3.9 and the prohibitions: trying again is in vain.
bool is_hard_icmp4(uint8_t type, uint8_t code) {
    return type == icmp4::unreachable &&
           (code == icmp4::code_protocol || code == icmp4::code_port ||
            code == icmp4::code_net_prohibited || code == icmp4::code_host_prohibited ||
            code == icmp4::code_prohibited);
}

// RFC 4443 section 3.1: 1 prohibited, 4 port, 5 policy, 6 reject route; section 3.4: 1 unknown
// next header.
bool is_hard_icmp6(uint8_t type, uint8_t code) {
    return type == icmp6::unreachable ? code == 1 || (code >= 4 && code <= 6)
                                      : type == icmp6::parameter_problem && code == 1;
}

}  // namespace

std::optional<IcmpError> IpLayer::input_icmp4(const Packet& packet, Nanos now) {
    switch (packet.payload[icmp::type_at]) {
        case icmp4::echo_request:
            answer_echo(packet, now);
            return std::nullopt;
        case icmp4::unreachable:
        case icmp4::time_exceeded:
        case icmp4::parameter_problem:
            return error_icmp4(packet);
        default:
            ++counters_.icmp_ignored;
            return std::nullopt;
    }
}

std::optional<IcmpError> IpLayer::input_icmp6(const Packet& packet, Nanos now) {
    const uint8_t type = packet.payload[icmp::type_at];
    switch (type) {
        case icmp6::echo_request:
            answer_echo(packet, now);
            return std::nullopt;
        case icmp6::unreachable:
        case icmp6::too_big:
        case icmp6::time_exceeded:
        case icmp6::parameter_problem:
            return error_icmp6(packet);
        case icmp6::router_solicitation:
        case icmp6::router_advertisement:
        case icmp6::neighbour_solicitation:
        case icmp6::neighbour_advertisement:
        case icmp6::redirect:
            input_nd(packet, now);
            return std::nullopt;
        case icmp6::listener_query:
            input_listener_query(packet, now);
            return std::nullopt;
        default:
            ++counters_.icmp_ignored;
            return std::nullopt;
    }
}

std::optional<IcmpError> IpLayer::error_icmp4(const Packet& packet) {
    const uint8_t* message = packet.payload;
    const uint8_t* quoted = message + icmp::header_bytes;
    const uint32_t quoted_bytes = packet.payload_bytes - icmp::header_bytes;
    if (quoted_bytes < ipv4::header_bytes || quoted[ipv4::version_at] >> 4 != 4) {
        ++counters_.icmp_bad;
        return std::nullopt;
    }
    const uint32_t header_bytes = (quoted[ipv4::version_at] & 0xfU) * 4;
    if (header_bytes < ipv4::header_bytes || quoted_bytes < header_bytes + quoted_tcp_bytes ||
        quoted[ipv4::protocol_at] != ip::protocol_tcp ||
        (load_be<uint16_t>(quoted + ipv4::fragment_at) & ipv4::fragment_mask) != 0 ||
        !interface_.has_ipv4(raw_ipv4(quoted + ipv4::source_at))) {
        ++counters_.icmp_bad;
        return std::nullopt;
    }
    IcmpError out;
    out.type = message[icmp::type_at];
    out.code = message[icmp::code_at];
    out.flow.local = IpAddress::from_ipv4(quoted + ipv4::source_at);
    out.flow.remote = IpAddress::from_ipv4(quoted + ipv4::destination_at);
    read_quoted_tcp(quoted + header_bytes, out);
    if (out.type == icmp4::unreachable && out.code == icmp4::code_fragmentation_needed) {
        out.kind = IcmpError::Kind::too_big;
        out.mtu = load_be<uint16_t>(message + icmp4::mtu_at);
        if (out.mtu == 0) {
            out.mtu = plateau_below(load_be<uint16_t>(quoted + ipv4::length_at));
        }
        if (out.mtu < ipv4_mtu_least) {
            ++counters_.icmp_bad;
            return std::nullopt;
        }
    } else if (is_hard_icmp4(out.type, out.code)) {
        out.kind = IcmpError::Kind::hard;
    }
    ++counters_.errors_in;
    return out;
}

std::optional<IcmpError> IpLayer::error_icmp6(const Packet& packet) {
    const uint8_t* message = packet.payload;
    const uint8_t* quoted = message + icmp::header_bytes;
    const uint32_t quoted_bytes = packet.payload_bytes - icmp::header_bytes;
    if (quoted_bytes < ipv6::header_bytes + quoted_tcp_bytes ||
        quoted[ipv6::version_at] >> 4 != 6 || quoted[ipv6::next_header_at] != ip::protocol_tcp ||
        !interface_.has_ipv6(quoted + ipv6::source_at)) {
        ++counters_.icmp_bad;
        return std::nullopt;
    }
    IcmpError out;
    out.type = message[icmp::type_at];
    out.code = message[icmp::code_at];
    out.flow.local = IpAddress::from_ipv6(quoted + ipv6::source_at);
    out.flow.remote = IpAddress::from_ipv6(quoted + ipv6::destination_at);
    read_quoted_tcp(quoted + ipv6::header_bytes, out);
    if (out.type == icmp6::too_big) {
        out.kind = IcmpError::Kind::too_big;
        out.mtu = load_be<uint32_t>(message + icmp6::mtu_at);
        if (out.mtu < ipv6::mtu_min) {  // RFC 8201 section 4: discarded
            ++counters_.icmp_bad;
            return std::nullopt;
        }
    } else if (is_hard_icmp6(out.type, out.code)) {
        out.kind = IcmpError::Kind::hard;
    }
    ++counters_.errors_in;
    return out;
}

// Back to the MAC that asked: no neighbour is looked up, so a flood of requests costs no entry.
void IpLayer::answer_echo(const Packet& packet, Nanos now) {
    const bool is_ipv6 = packet.kind == PacketKind::icmp6;
    if (packet.payload[icmp::code_at] != 0) {
        ++counters_.icmp_bad;
        return;
    }
    if (is_ipv6 && packet.flow.local.octets[0] == 0xff) {
        ++counters_.icmp_ignored;
        return;
    }
    ++counters_.echo_in;
    if (!echoes_.take(now)) {
        ++counters_.echo_limited;
        return;
    }
    uint8_t* message = begin_icmp(packet.flow, packet.payload_bytes, packet.source_mac);
    if (message == nullptr) {
        return;
    }
    std::memcpy(message, packet.payload, packet.payload_bytes);
    message[icmp::type_at] = is_ipv6 ? icmp6::echo_reply : icmp4::echo_reply;
    store_be(message + icmp::checksum_at, uint16_t{0});
    const uint64_t pseudo =
        is_ipv6 ? pseudo_sum(packet.flow, ip::protocol_icmpv6, packet.payload_bytes) : 0;
    store_checksum(message + icmp::checksum_at, sum_octets(message, packet.payload_bytes) + pseudo);
    out_.commit();
    ++counters_.echo_out;
}

}  // namespace sy::tcpip
