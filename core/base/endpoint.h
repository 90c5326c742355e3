// An address and port as text and octets. Names are resolved by the control plane, never here.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sy {

/// IPv6 address, or IPv4 as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2), and port in host order.
struct Endpoint {
    std::array<uint8_t, 16> address{};
    uint16_t port = 0;

    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// "127.0.0.1:2775" or "[::1]:2775": numeric addresses only.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);
[[nodiscard]] std::string to_string(const Endpoint& endpoint);
[[nodiscard]] bool is_ipv4(const Endpoint& endpoint);

/// A block of addresses, "10.0.0.0/8" or "2001:db8::/32"; without "/" a single address.
struct Cidr {
    std::array<uint8_t, 16> address{};
    uint8_t prefix_bits = 128;  // of the 16 octets: an IPv4 /8 is 96 + 8

    [[nodiscard]] bool contains(const Endpoint& endpoint) const;
    friend bool operator==(const Cidr&, const Cidr&) = default;
};
[[nodiscard]] Result<Cidr> parse_cidr(std::string_view text);

}  // namespace sy
