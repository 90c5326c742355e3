// A received frame taken apart: Ethernet, VLAN, IPv4 or IPv6, and TCP down to its options and
// payload. Checks everything that can be checked without state; every refusal has a reason. Never
// reads outside the frame, whatever its octets say. No state; the worker's thread.
//
// What most frames are is found in a straight line (plain_segment.h); the rest takes a slower road
// to the same answers.
#pragma once

#include <cstdint>

#include "io/tcpip/address.h"
#include "io/tcpip/interface.h"
#include "io/tcpip/port.h"
#include "io/tcpip/seq.h"

namespace sy::tcpip {

enum class PacketKind : uint8_t { dropped, tcp, arp, icmp4, icmp6 };

/// Why a frame went no further; each has a counter in IpLayer::Counters.
enum class Drop : uint8_t {
    none,
    frame_short,       // no whole Ethernet header (or tag)
    mac_not_ours,      // somebody else's unicast, or a group that we don't listen to
    mac_source,        // a group as sender
    vlan,              // wrong tag, no tag where one is due, or a tag where none is
    ethertype,         // not ARP, IPv4 or IPv6; or IEEE 802.3 length
    arp_short,         // no whole ARP packet
    ip_header,         // wrong version, or a header length below the least or above the packet
    ip_length,         // longer than the frame, or than the least of its own headers
    ip_checksum,       // IPv4 header
    ip_options,        // malformed
    source_route,      // RFC 791 source route options, RFC 5095 routing type 0, any routing to do
    fragment,          // IPv4 MF or offset; IPv6 fragment header that is not atomic (RFC 6946)
    extension_header,  // IPv6: malformed, out of order, an option that says discard, too many
    martian_source,    // a source that no peer can have (RFC 1122 section 3.2.1.3)
    not_our_address,   // another destination
    protocol,          // not TCP or ICMP of the family
    l4_short,          // no whole TCP or ICMP header, or a TCP data offset outside the packet
    l4_checksum,       // TCP, ICMP or ICMPv6
    count
};

struct Packet {
    PacketKind kind = PacketKind::dropped;
    Drop drop = Drop::none;
    uint8_t flags = 0;          // TCP: the flags octet
    uint8_t options_bytes = 0;  // TCP: 0 to 40
    uint8_t ttl = 0;            // or hop limit
    uint8_t traffic_class = 0;  // the low two bits are ECN
    uint16_t window = 0;        // TCP, unscaled
    FlowKey flow;               // remote: source, local: destination; ports of TCP, else 0
    Seq seq;
    Seq ack;
    uint32_t payload_bytes = 0;
    uint32_t l3_bytes = 0;             // IP header to the end of the packet, without padding
    const uint8_t* options = nullptr;  // TCP
    const uint8_t* payload = nullptr;  // behind the TCP header; the ICMP message with its header
    const uint8_t* l3 = nullptr;       // the IP header or the ARP packet
    Mac source_mac{};
    bool group_mac = false;        // sent to a multicast or broadcast MAC (never TCP)
    bool fragment_header = false;  // an atomic fragment: neighbour discovery ignores it (RFC 6980)
    bool router_alert = false;     // IPv6: a hop-by-hop option
};

/// Pointers in `out` point into the frame. A dropped packet has its reason and nothing else; what
/// the other fields hold is unspecified.
void parse_frame(const RxFrame& frame, const Interface& interface, Packet& out);

}  // namespace sy::tcpip
