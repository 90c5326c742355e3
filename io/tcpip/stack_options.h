// Settings of one stack, with defaults for SMPP: long-lived connections, small messages, peers
// between microseconds and seconds away. Memory is taken once, from these figures.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/time.h"
#include "io/tcpip/interface.h"

namespace sy::tcpip {

struct StackOptions {
    InterfaceOptions interface;
    std::array<uint64_t, 2> secret{1, 2};  // keys every hash that a peer must not guess

    // Bounds.
    uint32_t connections_max = 16'384;
    uint32_t half_open_max = 4'096;  // SYN cache; SYN cookies beyond (RFC 4987)
    // While the SYN cache is full (syn_policy.h). A cookie costs some 400 cycles, a dropped SYN
    // 100: 128 left established connections 92 % of a core of 2.4 GHz under 1.5 million
    // SYNs a second, 91 % under 3 million (tcpip_flood_bench). Not 0.
    uint32_t cookies_per_ms = 128;
    uint32_t time_wait_max = 16'384;  // the oldest goes first
    uint32_t chunks = 16'384;         // of 2 KiB: all octets that wait in either direction
    uint32_t recoveries_max = 1'024;  // connections with out-of-order or SACKed octets at a time
    uint32_t send_buffer_bytes = 256 * 1024;     // a connection
    uint32_t receive_buffer_bytes = 256 * 1024;  // a connection; the window that is offered

    // RFC 6298.
    Nanos rto_min_ns = 200 * millisecond_ns;
    // RFC 9293 3.8.6.3, RFC 1122 4.2.3.2: at most 500 ms; every second full segment at once.
    Nanos delayed_ack_ns = 40 * millisecond_ns;
    Nanos connect_timeout_ns = 10 * second_ns;
    uint32_t syn_ack_retries = 4;
    Nanos close_linger_ns = second_ns;       // close(): how long the owner waits for the peer's FIN
    Nanos fin_wait_ns = 30 * second_ns;      // an orphan's FIN-WAIT-2
    Nanos time_wait_ns = 60 * second_ns;     // 2 MSL
    Nanos user_timeout_ns = 60 * second_ns;  // unacknowledged so long: the link is dead (RFC 5482)
    Nanos keepalive_idle_ns = 60 * second_ns;
    Nanos keepalive_interval_ns = 10 * second_ns;
    uint32_t keepalive_probes = 3;
    uint16_t port_min = 32'768;  // of outgoing connections (RFC 6056)
    uint16_t port_max = 60'999;

    bool timestamps = true;  // RFC 7323
    bool window_scale = true;
    bool sack = true;       // RFC 2018
    bool fast_path = true;  // header prediction; off: every segment takes the long way (tests)
};

}  // namespace sy::tcpip
