// What the stack is called on one port: our addresses, their prefixes, the gateways, the VLAN. Who
// is on the link, which of our addresses speaks to whom. The worker that owns the stack; addresses
// don't change after construction, but IPv6 ones become usable (or not) by duplicate detection.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "io/tcpip/address.h"
#include "io/tcpip/wire.h"

namespace sy::tcpip {

struct InterfaceAddress {
    IpAddress address;
    uint8_t prefix_bits = 32;  // of the family: up to 32 for IPv4, 128 for IPv6
};

/// From the configuration; check_interface() says what is wrong with it.
struct InterfaceOptions {
    static constexpr uint32_t addresses_max = 16;

    std::vector<InterfaceAddress> addresses = {};
    std::optional<IpAddress> gateway_v4 = std::nullopt;
    std::optional<IpAddress> gateway_v6 = std::nullopt;
    std::optional<uint16_t> vlan = std::nullopt;  // 1 to 4094
    bool duplicate_address_detection = true;      // RFC 4862 section 5.4; off: usable at once
    /// One worker of a port announces our addresses, detects duplicates and defends against them;
    /// on the others this is false. Questions and echo are answered by whichever worker gets them:
    /// the port hands each to one alone.
    bool announces = true;
};

/// Control plane: whether an Interface can be made of these.
[[nodiscard]] Result<void> check_interface(const InterfaceOptions& options);

/// Octets as one word in memory order, the form in which addresses are compared.
[[nodiscard]] inline uint32_t raw_ipv4(const uint8_t* four) {
    uint32_t out;
    std::memcpy(&out, four, sizeof out);
    return out;
}

class Interface {
  public:
    enum class State : uint8_t { tentative, assigned, duplicate };
    struct Ipv4 {
        uint32_t raw = 0;        // the address, memory order
        uint32_t mask = 0;       // of the prefix, memory order
        uint32_t broadcast = 0;  // all ones in the host part, memory order; 0: a /31 or /32
    };
    struct Ipv6 {
        IpAddress address;
        uint8_t prefix_bits = 0;
        State state = State::tentative;
    };

    /// Control plane. REQUIRES: check_interface() had no complaint. Adds the link-local address of
    /// the MAC (RFC 4291 appendix A) if there is any IPv6 address or gateway.
    Interface(const Mac& mac, const InterfaceOptions& options);

    [[nodiscard]] const Mac& mac() const { return mac_; }
    /// Its six octets as the low ones of a word in memory order.
    [[nodiscard]] uint64_t mac_word() const { return mac_word_; }
    /// Octets before the IP header: 14, or 18 with a tag.
    [[nodiscard]] uint32_t l2_bytes() const { return l2_bytes_; }
    [[nodiscard]] bool tagged() const { return l2_bytes_ != ethernet::header_bytes; }
    [[nodiscard]] uint16_t vlan() const { return vlan_; }

    [[nodiscard]] std::span<const Ipv4> ipv4() const { return {ipv4_.data(), ipv4_count_}; }
    [[nodiscard]] std::span<const Ipv6> ipv6() const { return {ipv6_.data(), ipv6_count_}; }
    /// `address`: one of ipv6().
    void set_state(const Ipv6& address, State state) {
        ipv6_[static_cast<size_t>(&address - ipv6_.data())].state = state;
    }
    [[nodiscard]] const std::optional<IpAddress>& gateway_v4() const { return gateway_v4_; }
    [[nodiscard]] const std::optional<IpAddress>& gateway_v6() const { return gateway_v6_; }

    /// One of ours, and usable (not tentative, not a duplicate).
    [[nodiscard]] bool has(const IpAddress& address) const {
        return address.is_ipv4() ? has_ipv4(raw_ipv4(address.ipv4()))
                                 : has_ipv6(address.octets.data());
    }
    /// One of ours, usable or not yet.
    [[nodiscard]] bool is_configured(const IpAddress& address) const {
        return address.is_ipv4() ? has_ipv4(raw_ipv4(address.ipv4()))
                                 : find_ipv6(address.octets.data()) != nullptr;
    }
    [[nodiscard]] bool has_ipv4(uint32_t raw) const {
        for (uint32_t i = 0; i < ipv4_count_; ++i) {
            if (ipv4_[i].raw == raw) {
                return true;
            }
        }
        return false;
    }
    [[nodiscard]] bool has_ipv6(const uint8_t* octets) const {
        const Ipv6* found = find_ipv6(octets);
        return found != nullptr && found->state == State::assigned;
    }
    /// Tentative and duplicate ones too; null: not ours.
    [[nodiscard]] const Ipv6* find_ipv6(const uint8_t* octets) const;
    /// ff02::1, or the solicited-node address of one of ours (tentative ones too).
    [[nodiscard]] bool listens_to_group(const uint8_t* octets) const;
    /// The same by MAC: 33:33:00:00:00:01 or 33:33:ff and the end of one of ours.
    [[nodiscard]] bool listens_to_mac(const uint8_t* mac) const;
    /// The address of a prefix of ours whose host part is all ones, or one of ours: no peer's.
    [[nodiscard]] bool never_a_source_ipv4(uint32_t raw) const {
        for (uint32_t i = 0; i < ipv4_count_; ++i) {
            if (ipv4_[i].raw == raw || ipv4_[i].broadcast == raw) {
                return true;
            }
        }
        return raw == 0;
    }

    /// Under one of our prefixes, link-local, or a gateway.
    [[nodiscard]] bool on_link(const IpAddress& address) const;
    /// Who gets a packet to `destination`: itself on the link, else the gateway, else nobody.
    [[nodiscard]] std::optional<IpAddress> next_hop(const IpAddress& destination) const;
    /// Our address to speak to `destination` from: usable, same family, same scope, then the
    /// longest matching prefix (RFC 6724 section 5, rules 1, 2 and 8).
    [[nodiscard]] std::optional<IpAddress> source_for(const IpAddress& destination) const;

  private:
    uint64_t mac_word_ = 0;
    Mac mac_;
    uint32_t l2_bytes_ = ethernet::header_bytes;
    uint16_t vlan_ = 0;
    uint32_t ipv4_count_ = 0;
    uint32_t ipv6_count_ = 0;
    std::array<Ipv4, InterfaceOptions::addresses_max> ipv4_;
    std::array<Ipv6, InterfaceOptions::addresses_max + 1> ipv6_;  // and the link-local one
    std::optional<IpAddress> gateway_v4_;
    std::optional<IpAddress> gateway_v6_;
};

}  // namespace sy::tcpip
