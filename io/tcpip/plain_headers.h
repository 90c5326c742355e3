// The headers of the segment that nearly all traffic consists of, written in one straight line:
// Ethernet, IPv4 and TCP with timestamps (RFC 7323 appendix A). write_headers(), store_tcp_header()
// and finish_tcp() write the same octets, and any others. No state; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "io/tcpip/checksum.h"
#include "io/tcpip/tcp_options.h"
#include "io/tcpip/wire.h"

namespace sy::tcpip {

/// What all IPv4 packets of an interface have in common: Ethernet, tag, IPv4 without addresses,
/// lengths and checksum.
struct Ipv4Template {
    alignas(64) std::array<uint8_t, 64> octets{};
    uint64_t sum = 0;  // of the IPv4 header
    uint32_t l2_bytes = 0;

    // As many are copied: up to the addresses, whichever way the frame is tagged.
    static constexpr uint32_t copied_bytes = 32;
};
static_assert(ethernet::tagged_bytes + ipv4::source_at <= Ipv4Template::copied_bytes);

struct PlainHeader {
    static constexpr uint32_t tcp_bytes = tcp::header_bytes + timestamps_bytes;

    Seq seq;
    Seq ack;
    uint32_t timestamp = 0;
    uint32_t echo = 0;
    uint32_t payload_bytes = 0;
    uint16_t window = 0;
    uint8_t flags = 0;
};

/// Sums of what was written, in the form of checksum.h.
struct PlainSums {
    uint64_t pseudo = 0;  // RFC 9293 section 3.1
    uint64_t tcp = 0;     // the TCP header, its checksum field 0
};

/// Writes everything in front of the payload, from `frame` on; the TCP checksum is left 0, the IPv4
/// one too if `port_sums_ip`. REQUIRES: IPv4; capacity.
inline PlainSums write_plain_headers(uint8_t* frame,
                                     const Ipv4Template& common,
                                     const FlowKey& flow,
                                     const Mac& next_hop,
                                     const PlainHeader& header,
                                     bool port_sums_ip) {
    std::memcpy(frame, common.octets.data(), Ipv4Template::copied_bytes);
    store_mac(frame, next_hop);

    uint8_t* l3 = frame + common.l2_bytes;
    uint32_t local = 0;
    uint32_t remote = 0;
    std::memcpy(&local, flow.local.ipv4(), 4);
    std::memcpy(&remote, flow.remote.ipv4(), 4);
    const uint64_t address_sum = uint64_t{local} + remote;
    const uint32_t l4_bytes = PlainHeader::tcp_bytes + header.payload_bytes;
    const auto total = static_cast<uint16_t>(ipv4::header_bytes + l4_bytes);
    store_be(l3 + ipv4::length_at, total);
    std::memcpy(l3 + ipv4::source_at, &local, 4);
    std::memcpy(l3 + ipv4::destination_at, &remote, 4);
    if (!port_sums_ip) {
        store_checksum(l3 + ipv4::checksum_at, common.sum + sum_host16(total) + address_sum);
    }

    uint8_t* l4 = l3 + ipv4::header_bytes;
    const uint32_t ports = uint32_t{flow.local_port} << 16 | flow.remote_port;
    const uint32_t rest =
        PlainHeader::tcp_bytes << 26 | uint32_t{header.flags} << 16 | header.window;
    store_be(l4 + tcp::source_port_at, ports);
    store_be(l4 + tcp::seq_at, header.seq.value);
    store_be(l4 + tcp::ack_at, header.ack.value);
    store_be(l4 + tcp::offset_at, rest);
    store_be(l4 + tcp::checksum_at, uint32_t{0});
    store_be(l4 + tcp::header_bytes, timestamps_prefix);
    store_be(l4 + tcp::header_bytes + 4, header.timestamp);
    store_be(l4 + tcp::header_bytes + 8, header.echo);
    // Summed as host words, then brought to memory order once (RFC 1071 section 2 (B)).
    const uint64_t words = uint64_t{ports} + header.seq.value + header.ack.value + rest +
                           timestamps_prefix + header.timestamp + header.echo;
    return {.pseudo = address_sum + sum_host16(static_cast<uint16_t>(l4_bytes)) +
                      sum_host16(ip::protocol_tcp),
            .tcp = sum_host32(words)};
}

}  // namespace sy::tcpip
