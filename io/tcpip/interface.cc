#include "io/tcpip/interface.h"

#include <bit>
#include <string>

#include "core/base/assert.h"

namespace sy::tcpip {

namespace {

constexpr IpAddress link_local_prefix{{0xfe, 0x80}};

// Leading bits that two addresses have in common.
uint32_t common_bits(const uint8_t* a, const uint8_t* b, size_t octets) {
    for (size_t i = 0; i < octets; ++i) {
        if (const auto differing = static_cast<uint8_t>(a[i] ^ b[i]); differing != 0) {
            return static_cast<uint32_t>(8 * i) +
                   static_cast<uint32_t>(std::countl_zero(differing));
        }
    }
    return static_cast<uint32_t>(8 * octets);
}

bool under(const Interface::Ipv6& prefix, const IpAddress& address) {
    return common_bits(prefix.address.octets.data(), address.octets.data(), 16) >=
           prefix.prefix_bits;
}

Interface::Ipv4 make_ipv4(const InterfaceAddress& from) {
    const uint32_t mask_host = from.prefix_bits == 0 ? 0 : ~uint32_t{0} << (32U - from.prefix_bits);
    Interface::Ipv4 out;
    out.raw = raw_ipv4(from.address.ipv4());
    out.mask = __builtin_bswap32(mask_host);
    out.broadcast = from.prefix_bits >= 31 ? 0 : out.raw | ~out.mask;
    return out;
}

// RFC 4291 appendix A: fe80:: and the MAC with ff:fe in its middle and the universal bit inverted.
IpAddress link_local_of(const Mac& mac) {
    IpAddress out = link_local_prefix;
    out.octets[8] = static_cast<uint8_t>(mac[0] ^ 0x02);
    out.octets[9] = mac[1];
    out.octets[10] = mac[2];
    out.octets[11] = 0xff;
    out.octets[12] = 0xfe;
    out.octets[13] = mac[3];
    out.octets[14] = mac[4];
    out.octets[15] = mac[5];
    return out;
}

// Neither multicast, loopback nor unspecified: one that a host can have.
bool is_host_address(const IpAddress& address) {
    if (address.is_ipv4()) {
        const uint8_t first = address.ipv4()[0];
        return first != 0 && first != 127 && first < 224;
    }
    static constexpr uint8_t zeros[15] = {};
    return address.octets[0] != 0xff &&
           !(std::memcmp(address.octets.data(), zeros, 15) == 0 && address.octets[15] <= 1);
}

}  // namespace

Result<void> check_interface(const InterfaceOptions& options) {
    if (options.addresses.empty() || options.addresses.size() > InterfaceOptions::addresses_max) {
        return fail("an interface has 1 to " + std::to_string(InterfaceOptions::addresses_max) +
                    " addresses, not " + std::to_string(options.addresses.size()));
    }
    for (const InterfaceAddress& each : options.addresses) {
        if (!is_host_address(each.address)) {
            return fail("an interface address is unspecified, loopback or multicast");
        }
        if (each.prefix_bits == 0 || each.prefix_bits > (each.address.is_ipv4() ? 32 : 128)) {
            return fail("a prefix length of " + std::to_string(each.prefix_bits) +
                        " bits does not fit its address");
        }
    }
    if (options.gateway_v4 &&
        !(options.gateway_v4->is_ipv4() && is_host_address(*options.gateway_v4))) {
        return fail("the IPv4 gateway is not the IPv4 address of a host");
    }
    if (options.gateway_v6 &&
        (options.gateway_v6->is_ipv4() || !is_host_address(*options.gateway_v6))) {
        return fail("the IPv6 gateway is not the IPv6 address of a host");
    }
    if (options.vlan && (*options.vlan == 0 || *options.vlan >= 4095)) {
        return fail("a VLAN id is 1 to 4094, not " + std::to_string(*options.vlan));
    }
    return {};
}

Interface::Interface(const Mac& mac, const InterfaceOptions& options)
    : mac_(mac), gateway_v4_(options.gateway_v4), gateway_v6_(options.gateway_v6) {
    SY_ASSERT(check_interface(options).has_value());
    std::memcpy(&mac_word_, mac.data(), mac.size());
    if (options.vlan) {
        vlan_ = *options.vlan;
        l2_bytes_ = ethernet::tagged_bytes;
    }
    const State state = options.duplicate_address_detection ? State::tentative : State::assigned;
    for (const InterfaceAddress& each : options.addresses) {
        if (each.address.is_ipv4()) {
            ipv4_[ipv4_count_++] = make_ipv4(each);
        } else {
            ipv6_[ipv6_count_++] = {each.address, each.prefix_bits, state};
        }
    }
    const IpAddress link_local = link_local_of(mac);
    if ((ipv6_count_ != 0 || gateway_v6_) && find_ipv6(link_local.octets.data()) == nullptr) {
        ipv6_[ipv6_count_++] = {link_local, 64, state};
    }
}

const Interface::Ipv6* Interface::find_ipv6(const uint8_t* octets) const {
    for (const Ipv6& each : ipv6()) {
        if (std::memcmp(each.address.octets.data(), octets, 16) == 0) {
            return &each;
        }
    }
    return nullptr;
}

bool Interface::listens_to_group(const uint8_t* octets) const {
    if (std::memcmp(octets, all_nodes.octets.data(), 16) == 0) {
        return ipv6_count_ != 0;
    }
    for (const Ipv6& each : ipv6()) {
        if (std::memcmp(octets, solicited_node(each.address).octets.data(), 16) == 0) {
            return true;
        }
    }
    return false;
}

bool Interface::listens_to_mac(const uint8_t* mac) const {
    if (mac[0] != 0x33 || mac[1] != 0x33 || ipv6_count_ == 0) {
        return false;
    }
    if (load_be<uint32_t>(mac + 2) == 1) {
        return true;
    }
    for (const Ipv6& each : ipv6()) {
        if (mac[2] == 0xff && std::memcmp(mac + 3, each.address.octets.data() + 13, 3) == 0) {
            return true;
        }
    }
    return false;
}

bool Interface::on_link(const IpAddress& address) const {
    if (address == gateway_v4_ || address == gateway_v6_) {
        return true;
    }
    if (address.is_ipv4()) {
        const uint32_t raw = raw_ipv4(address.ipv4());
        for (const Ipv4& each : ipv4()) {
            if ((raw & each.mask) == (each.raw & each.mask) && raw != each.broadcast) {
                return true;
            }
        }
        return false;
    }
    if (address.octets[0] == 0xff) {
        return false;
    }
    if (is_link_local(address)) {
        return ipv6_count_ != 0;
    }
    for (const Ipv6& each : ipv6()) {
        if (under(each, address)) {
            return true;
        }
    }
    return false;
}

std::optional<IpAddress> Interface::next_hop(const IpAddress& destination) const {
    if (!is_host_address(destination)) {
        return std::nullopt;
    }
    if (on_link(destination)) {
        return destination;
    }
    return destination.is_ipv4() ? gateway_v4_ : gateway_v6_;
}

std::optional<IpAddress> Interface::source_for(const IpAddress& destination) const {
    std::optional<IpAddress> best;
    uint32_t best_bits = 0;
    if (destination.is_ipv4()) {
        for (const Ipv4& each : ipv4()) {
            uint8_t octets[4];
            std::memcpy(octets, &each.raw, 4);
            const uint32_t bits = common_bits(octets, destination.ipv4(), 4);
            if (!best || bits > best_bits) {
                best = IpAddress::from_ipv4(octets);
                best_bits = bits;
            }
        }
        return best;
    }
    const bool local = is_link_local(destination);
    for (const Ipv6& each : ipv6()) {
        if (each.state != State::assigned || is_link_local(each.address) != local) {
            continue;
        }
        const uint32_t bits =
            common_bits(each.address.octets.data(), destination.octets.data(), 16);
        if (!best || bits > best_bits) {
            best = each.address;
            best_bits = bits;
        }
    }
    return best;
}

}  // namespace sy::tcpip
