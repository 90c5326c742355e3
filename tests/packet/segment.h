// Segments between script notation and octets, for one flow between a stack and a scripted peer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/sim/packet.h"
#include "tests/packet/script.h"

namespace sy::test {

/// What both sides of a scripted connection know of each other.
struct Flow {
    uint32_t number = 1;
    uint16_t peer_port = 0;
    std::optional<uint16_t> stack_port{};  // learnt from its SYN when it connects
    uint32_t peer_iss = 1'000'000'000;
    std::optional<uint32_t> stack_iss{};      // learnt from its SYN or SYN-ACK
    std::optional<uint32_t> stack_ts_base{};  // its first timestamp: 0 in scripts
    uint32_t stack_ts_last = 0;
    std::string last_frame{};  // the newest one from the stack
    // Application's side.
    ConnId conn{};
    uint64_t app_sent = 0;      // octets that the stack took
    uint64_t app_received = 0;  // octets that it delivered

    [[nodiscard]] uint64_t stack_salt() const { return mix64(number * 2U); }
    [[nodiscard]] uint64_t peer_salt() const { return mix64(number * 2U + 1); }
};

struct PeerAddresses {
    tcpip::Mac stack_mac{};
    tcpip::Mac peer_mac{};
    tcpip::IpAddress stack;
    tcpip::IpAddress peer;
};

/// Writes what `spec` says as a frame from the peer to the stack; octets written.
[[nodiscard]] uint32_t write_segment(std::span<uint8_t> out,
                                     const SegmentSpec& spec,
                                     const Flow& flow,
                                     const PeerAddresses& addresses);

/// Why the stack's segment is not the expected one; "" when it is.
[[nodiscard]] std::string mismatch(const SegmentSpec& expected,
                                   Octets frame,
                                   const sim::Packet& packet,
                                   const Flow& flow);

/// A segment in script notation; from the peer or from the stack.
[[nodiscard]] std::string notation(Octets frame,
                                   const sim::Packet& packet,
                                   const Flow& flow,
                                   bool from_peer);

/// "SA", "-" for none.
[[nodiscard]] std::string flag_letters(uint8_t flags);

/// A number of either side relative to its initial one.
[[nodiscard]] inline int64_t relative(uint32_t value, std::optional<uint32_t> base) {
    return base ? int64_t{static_cast<int32_t>(value - *base)} : int64_t{value};
}

}  // namespace sy::test
