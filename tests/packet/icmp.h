// ICMP and ICMPv6 messages of packet scripts (RFC 792, RFC 4443).
#pragma once

#include <span>
#include <string>

#include "io/sim/packet.h"
#include "tests/packet/script.h"
#include "tests/packet/segment.h"

namespace sy::test {

/// Type, code and octets 4 to 7 of an error.
[[nodiscard]] sim::IcmpError icmp_error(const IcmpSpec& spec, bool ipv6);
/// Why the message is not the expected one; "" when it is.
[[nodiscard]] std::string icmp_mismatch(const IcmpSpec& spec,
                                        bool ipv6,
                                        Octets frame,
                                        const sim::Packet& packet);
/// Writes an echo request or reply from the peer to the stack; octets written.
[[nodiscard]] uint32_t write_echo(std::span<uint8_t> out,
                                  bool request,
                                  const PeerAddresses& addresses);

}  // namespace sy::test
