// Two stacks over a faulty wire in virtual time, and an application on both ends that streams
// octets, pauses, consumes in parts, closes and aborts; everything from one seed. What must hold:
//
// - delivered octets are an exact prefix of what the other side sent, on every connection;
// - an orderly end (peer_closed) comes behind all of them;
// - every connection ends, with a reason that the applications or the faults explain;
// - once the faults are over, everything under way ends within a bound of virtual time;
// - every connection that was announced is reported closed, exactly once; at the end both stacks
//   have no connection and no buffer left;
// - the same seed gives the same bytes (hash).
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "io/sim/packet_link.h"
#include "tests/packet/stack.h"

namespace sy::test {

/// What one run is like; drawn from the seed and the mix's name.
struct TwoStacksMix {
    std::string name;
    sim::LinkFaults faults;       // of both directions, while there is traffic
    bool may_break = false;       // the faults may end a connection: timeouts, failed connects
    bool mtu_changes = false;     // in mid-traffic, with ICMP answers
    bool blackouts = false;       // a few, drawn
    bool one_way = false;         // blackouts hit one direction
    uint32_t abort_chance = 100;  // of connections, parts in 1,000
    sim::PacketLinkOptions link{};
};

[[nodiscard]] const std::vector<std::string>& mix_names();
[[nodiscard]] TwoStacksMix make_mix(const std::string& name, uint64_t seed);

struct TwoStacksOptions {
    uint32_t connections = 12;             // opened in one run, by either side
    uint64_t octets_max = 60'000;          // of each direction of a connection
    Nanos traffic_ns = 20 * second_ns;     // then the faults are over
    Nanos quiet_ns_max = 400 * second_ns;  // in which all must have ended by then
    std::FILE* trace = nullptr;
    sim::PcapWriter* pcap = nullptr;
};

struct TwoStacksResult {
    std::vector<std::string> violations{};
    uint64_t hash = 0;
    uint64_t connected = 0;
    uint64_t accepted = 0;
    uint64_t octets = 0;   // delivered, both directions
    uint64_t orderly = 0;  // ends by peer_closed or by an own close()
    uint64_t resets = 0;
    uint64_t failed_connects = 0;
    uint64_t frames = 0;
    uint64_t lost = 0;
    uint64_t polls = 0;
    Nanos virtual_ns = 0;
};

[[nodiscard]] TwoStacksResult run_two_stacks(uint64_t seed,
                                             const TwoStacksMix& mix,
                                             const StackFactory& factory,
                                             const TwoStacksOptions& options = {});

}  // namespace sy::test
