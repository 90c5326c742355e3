// What the wire of one seed is like when the router runs over the userspace stack: faults of both
// directions, offloads and MTU of the ports, how the stacks are set. Drawn from a stream of numbers
// of its own, so that the rest of a scenario is the same over byte streams and over packets.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "io/sim/packet_link.h"
#include "io/tcpip/stack_options.h"

namespace sy::sim {

struct Wire {
    uint64_t seed = 0;
    bool ipv6 = false;  // the scenario's IPv4 addresses become fd00::a.b.c.d
    PacketLinkOptions link;
    std::array<LinkFaults, 2> faults;  // of what the router's end and what the peers' end sends
    tcpip::StackOptions router;
    uint32_t cables_pulled = 0;  // of peers, while there is traffic
    Nanos pulled_ns_max = 0;

    /// One peer's stack: each is set in its own way.
    [[nodiscard]] tcpip::StackOptions peer(uint32_t index) const;
    /// What a party is called on the wire.
    [[nodiscard]] tcpip::InterfaceAddress address_of(const Endpoint& endpoint) const;
    [[nodiscard]] std::string describe() const;
};

/// `traffic_ns`: how long faults may come.
[[nodiscard]] std::unique_ptr<Wire> draw_wire(uint64_t seed, Nanos start_ns, Nanos traffic_ns);

}  // namespace sy::sim
