// ARP (RFC 826) and neighbour discovery (RFC 4861 section 4.3, 4.4) as one pair of messages:
// "who has this address?" and "this address is at".
#pragma once

#include <span>

#include "io/sim/packet.h"

namespace sy::test {

struct Neighbour {
    enum class Kind : uint8_t { none, who_has, is_at };

    Kind kind = Kind::none;
    tcpip::IpAddress target;  // the address in question
    tcpip::IpAddress sender;  // who asks; of an answer, who is asked to hear it
    tcpip::Mac mac{};         // the sender's, or where the target is
};

[[nodiscard]] Neighbour parse_neighbour(Octets frame);
/// Octets written; `out` holds 100. is_at is sent to `to_mac`, who_has to everybody it may concern.
[[nodiscard]] uint32_t write_neighbour(std::span<uint8_t> out,
                                       const Neighbour& message,
                                       const tcpip::Mac& to_mac);

}  // namespace sy::test
