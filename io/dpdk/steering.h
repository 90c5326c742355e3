// Which workers need a received frame, told from its octets: the steps that a NIC does not take
// (replies of ARP and ND are everybody's, an ICMP error belongs to the flow that it quotes), and
// all of them where the workers spread frames themselves. Pure; any thread; no rte_* type.
//
// Only spreads: whoever gets a frame checks it. What is broken stays where it is.
#pragma once

#include <cstdint>
#include <span>

#include "io/tcpip/address.h"

namespace sy::dpdk {

enum class Destination : uint8_t {
    here,   // one worker is enough, and whoever has it may keep it
    owner,  // the worker of `flow`
    every,  // each worker: its neighbour cache needs it
};

struct Steering {
    Destination to = Destination::here;
    tcpip::FlowKey flow;  // Destination::owner
};

/// - TCP: the owner. Fragments: here (the stack takes none).
/// - ICMP and ICMPv6 errors that quote a TCP segment of ours: the owner of that flow.
/// - ARP replies and gratuitous ARP; neighbour and router advertisements, redirects of ND: every.
/// - ARP and ND questions, echo requests, everything else: here, so that one worker answers.
[[nodiscard]] Steering steer(std::span<const uint8_t> frame);

/// True only for TCP directly behind an IP header without options, in a frame with at most one VLAN
/// tag: what a device with RSS puts on the right queue by itself. One or two loads from the line
/// that the stack reads next anyway.
[[nodiscard]] inline bool is_plain_tcp(std::span<const uint8_t> frame) {
    constexpr size_t bytes_min = 14 + 20 + 20;  // the loads below stay within
    constexpr uint8_t tcp = 6;
    if (frame.size() < bytes_min) {
        return false;
    }
    const uint8_t* at = frame.data() + 12;
    if (at[0] == 0x81 && at[1] == 0x00) {
        at += 4;
    }
    if (at[0] == 0x08 && at[1] == 0x00) {
        // 20 octets of header, TCP, neither a fragment nor the first of some.
        return at[2] == 0x45 && at[11] == tcp && (at[8] & 0x3f) == 0 && at[9] == 0;
    }
    return at[0] == 0x86 && at[1] == 0xdd && at[8] == tcp;
}

}  // namespace sy::dpdk
