// Where things stand in Ethernet, 802.1Q, ARP (RFC 826), IPv4 (RFC 791), IPv6 (RFC 8200), TCP
// (RFC 9293 section 3.1), ICMP (RFC 792), ICMPv6 (RFC 4443) and neighbour discovery (RFC 4861).
// Offsets are octets from the start of the header named; multi-octet fields are big-endian: read
// and written with load_be and store_be. Nothing here checks lengths. No state; any thread.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/base/bytes.h"
#include "io/tcpip/address.h"
#include "io/tcpip/seq.h"

namespace sy::tcpip {

namespace ethernet {
inline constexpr uint32_t destination_at = 0;
inline constexpr uint32_t source_at = 6;
inline constexpr uint32_t type_at = 12;
inline constexpr uint32_t header_bytes = 14;
inline constexpr uint32_t vlan_tci_at = 14;   // behind type 0x8100
inline constexpr uint32_t vlan_type_at = 16;  // of what follows the tag
inline constexpr uint32_t tagged_bytes = 18;
inline constexpr uint16_t vlan_id_mask = 0x0fff;
inline constexpr uint16_t type_ipv4 = 0x0800;
inline constexpr uint16_t type_arp = 0x0806;
inline constexpr uint16_t type_vlan = 0x8100;
inline constexpr uint16_t type_ipv6 = 0x86dd;
}  // namespace ethernet

namespace arp {
inline constexpr uint32_t hardware_at = 0;
inline constexpr uint32_t protocol_at = 2;
inline constexpr uint32_t hardware_bytes_at = 4;
inline constexpr uint32_t protocol_bytes_at = 5;
inline constexpr uint32_t operation_at = 6;
inline constexpr uint32_t sender_mac_at = 8;
inline constexpr uint32_t sender_ip_at = 14;
inline constexpr uint32_t target_mac_at = 18;
inline constexpr uint32_t target_ip_at = 24;
inline constexpr uint32_t packet_bytes = 28;
inline constexpr uint16_t hardware_ethernet = 1;
inline constexpr uint16_t operation_request = 1;
inline constexpr uint16_t operation_reply = 2;
}  // namespace arp

namespace ip {
inline constexpr uint8_t protocol_icmp = 1;
inline constexpr uint8_t protocol_tcp = 6;
inline constexpr uint8_t protocol_icmpv6 = 58;
inline constexpr uint8_t ttl_default = 64;
inline constexpr uint8_t hop_limit_nd = 255;  // RFC 4861 section 3.1: never crossed a router
}  // namespace ip

namespace ipv4 {
inline constexpr uint32_t version_at = 0;  // 4 bits version, 4 bits header length in words
inline constexpr uint32_t service_at = 1;
inline constexpr uint32_t length_at = 2;
inline constexpr uint32_t id_at = 4;
inline constexpr uint32_t fragment_at = 6;  // DF, MF, offset
inline constexpr uint32_t ttl_at = 8;
inline constexpr uint32_t protocol_at = 9;
inline constexpr uint32_t checksum_at = 10;
inline constexpr uint32_t source_at = 12;
inline constexpr uint32_t destination_at = 16;
inline constexpr uint32_t header_bytes = 20;
inline constexpr uint16_t dont_fragment = 0x4000;
inline constexpr uint16_t fragment_mask = 0x3fff;  // MF and offset
inline constexpr uint8_t option_end = 0;
inline constexpr uint8_t option_nop = 1;
inline constexpr uint8_t option_loose_route = 131;
inline constexpr uint8_t option_strict_route = 137;
}  // namespace ipv4

namespace ipv6 {
inline constexpr uint32_t version_at = 0;  // 4 bits version, 8 traffic class, 20 flow label
inline constexpr uint32_t length_at = 4;
inline constexpr uint32_t next_header_at = 6;
inline constexpr uint32_t hop_limit_at = 7;
inline constexpr uint32_t source_at = 8;
inline constexpr uint32_t destination_at = 24;
inline constexpr uint32_t header_bytes = 40;
inline constexpr uint32_t mtu_min = 1280;
inline constexpr uint8_t next_hop_by_hop = 0;
inline constexpr uint8_t next_routing = 43;
inline constexpr uint8_t next_fragment = 44;
inline constexpr uint8_t next_destination = 60;
inline constexpr uint32_t extension_headers_max = 8;  // more has no use, only a cost
inline constexpr uint8_t option_router_alert = 5;     // RFC 2711
}  // namespace ipv6

namespace tcp {
inline constexpr uint32_t source_port_at = 0;
inline constexpr uint32_t destination_port_at = 2;
inline constexpr uint32_t seq_at = 4;
inline constexpr uint32_t ack_at = 8;
inline constexpr uint32_t offset_at = 12;  // high 4 bits: header length in words
inline constexpr uint32_t flags_at = 13;
inline constexpr uint32_t window_at = 14;
inline constexpr uint32_t checksum_at = 16;
inline constexpr uint32_t urgent_at = 18;
inline constexpr uint32_t header_bytes = 20;
inline constexpr uint32_t header_bytes_max = 60;
inline constexpr uint8_t fin = 0x01;
inline constexpr uint8_t syn = 0x02;
inline constexpr uint8_t rst = 0x04;
inline constexpr uint8_t psh = 0x08;
inline constexpr uint8_t ack = 0x10;
inline constexpr uint8_t urg = 0x20;
inline constexpr uint8_t ece = 0x40;
inline constexpr uint8_t cwr = 0x80;
}  // namespace tcp

namespace icmp {  // both families
inline constexpr uint32_t type_at = 0;
inline constexpr uint32_t code_at = 1;
inline constexpr uint32_t checksum_at = 2;
inline constexpr uint32_t rest_at = 4;  // identifier and sequence number, or unused
inline constexpr uint32_t header_bytes = 8;
}  // namespace icmp

namespace icmp4 {
inline constexpr uint8_t echo_reply = 0;
inline constexpr uint8_t unreachable = 3;
inline constexpr uint8_t redirect = 5;
inline constexpr uint8_t echo_request = 8;
inline constexpr uint8_t time_exceeded = 11;
inline constexpr uint8_t parameter_problem = 12;
inline constexpr uint8_t code_protocol = 2;
inline constexpr uint8_t code_port = 3;
inline constexpr uint8_t code_fragmentation_needed = 4;
inline constexpr uint8_t code_net_prohibited = 9;
inline constexpr uint8_t code_host_prohibited = 10;
inline constexpr uint8_t code_prohibited = 13;
inline constexpr uint32_t mtu_at = 6;  // RFC 1191 section 4
}  // namespace icmp4

namespace icmp6 {
inline constexpr uint8_t unreachable = 1;
inline constexpr uint8_t too_big = 2;
inline constexpr uint8_t time_exceeded = 3;
inline constexpr uint8_t parameter_problem = 4;
inline constexpr uint8_t echo_request = 128;
inline constexpr uint8_t echo_reply = 129;
inline constexpr uint8_t listener_query = 130;
inline constexpr uint8_t listener_report_v1 = 131;
inline constexpr uint8_t router_solicitation = 133;
inline constexpr uint8_t router_advertisement = 134;
inline constexpr uint8_t neighbour_solicitation = 135;
inline constexpr uint8_t neighbour_advertisement = 136;
inline constexpr uint8_t redirect = 137;
inline constexpr uint8_t listener_report = 143;
inline constexpr uint32_t mtu_at = 4;
}  // namespace icmp6

namespace mld {  // RFC 3810 section 5, RFC 2710 section 3
inline constexpr uint32_t response_delay_at = 4;
inline constexpr uint32_t group_at = 8;  // of a query, and of a report of version 1
inline constexpr uint32_t v1_bytes = 24;
inline constexpr uint32_t query_bytes = 28;  // of version 2, without sources
inline constexpr uint32_t records_at = 8;    // of a report
inline constexpr uint32_t record_count_at = 6;
inline constexpr uint32_t record_bytes = 20;  // type, no auxiliary data, no sources, group
inline constexpr uint8_t mode_is_exclude = 2;
inline constexpr uint8_t change_to_exclude = 4;
}  // namespace mld

namespace nd {
inline constexpr uint32_t flags_at = 4;  // of an advertisement
inline constexpr uint32_t target_at = 8;
inline constexpr uint32_t header_bytes = 24;
inline constexpr uint8_t flag_router = 0x80;
inline constexpr uint8_t flag_solicited = 0x40;
inline constexpr uint8_t flag_override = 0x20;
inline constexpr uint8_t option_source_mac = 1;
inline constexpr uint8_t option_target_mac = 2;
inline constexpr uint32_t option_bytes = 8;  // type, length in units of 8 octets, MAC
}  // namespace nd

[[nodiscard]] inline Mac load_mac(const uint8_t* from) {
    Mac out;
    std::memcpy(out.data(), from, out.size());
    return out;
}
inline void store_mac(uint8_t* to, const Mac& mac) {
    std::memcpy(to, mac.data(), mac.size());
}
[[nodiscard]] inline bool is_multicast(const Mac& mac) {
    return (mac[0] & 1) != 0;
}

/// Octets of a TCP header as its data offset says; 0 to 60.
[[nodiscard]] inline uint32_t tcp_header_bytes(const uint8_t* tcp_header) {
    return uint32_t{tcp_header[tcp::offset_at]} >> 4 << 2;
}
/// The fields of a TCP header without options; the checksum is 0, the urgent pointer too.
struct TcpHeader {
    uint16_t source_port = 0;
    uint16_t destination_port = 0;
    Seq seq = {};
    Seq ack = {};
    uint8_t header_bytes = tcp::header_bytes;  // with options, a multiple of 4
    uint8_t flags = 0;
    uint16_t window = 0;
};
/// Stores a value and returns what it adds to a ones'-complement sum (checksum.h): to sum octets
/// that were just stored in smaller pieces would wait for the stores.
inline uint64_t store_and_sum(uint8_t* to, uint32_t value) {
    const uint32_t in_memory = __builtin_bswap32(value);
    std::memcpy(to, &in_memory, sizeof in_memory);
    return in_memory;
}
/// Returns the sum of what it stores.
inline uint64_t store_tcp_header(uint8_t* to, const TcpHeader& header) {
    static_assert(tcp::destination_port_at == 2 && tcp::seq_at == 4 && tcp::ack_at == 8 &&
                  tcp::offset_at == 12 && tcp::flags_at == 13 && tcp::window_at == 14 &&
                  tcp::checksum_at == 16 && tcp::urgent_at == 18);
    const uint32_t ports = uint32_t{header.source_port} << 16 | header.destination_port;
    const uint32_t rest =
        uint32_t{header.header_bytes} << 26 | uint32_t{header.flags} << 16 | header.window;
    store_be(to + tcp::checksum_at, uint32_t{0});
    return store_and_sum(to, ports) + store_and_sum(to + 4, header.seq.value) +
           store_and_sum(to + 8, header.ack.value) + store_and_sum(to + 12, rest);
}

/// fe80::/10 (RFC 4291 section 2.5.6).
[[nodiscard]] inline bool is_link_local(const IpAddress& address) {
    return address.octets[0] == 0xfe && (address.octets[1] & 0xc0) == 0x80;
}
/// ff02::1:ffXX:XXXX of an address (RFC 4291 section 2.7.1).
[[nodiscard]] inline IpAddress solicited_node(const IpAddress& address) {
    IpAddress out;
    out.octets = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xff};
    std::memcpy(out.octets.data() + 13, address.octets.data() + 13, 3);
    return out;
}
inline constexpr IpAddress all_nodes{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01}};
/// 33:33 and the last four octets of an IPv6 multicast address (RFC 2464 section 7).
[[nodiscard]] inline Mac multicast_mac(const IpAddress& group) {
    return {0x33, 0x33, group.octets[12], group.octets[13], group.octets[14], group.octets[15]};
}

}  // namespace sy::tcpip
