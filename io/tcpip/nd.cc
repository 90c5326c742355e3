// IpLayer's IPv6 neighbours: discovery (RFC 4861), duplicate detection (RFC 4862 section 5.4).
#include "io/tcpip/ip_layer.h"

namespace sy::tcpip {

namespace {

// The MAC in an option of a solicitation or advertisement.
struct MacOption {
    bool well_formed = true;  // of all options
    bool found = false;
    Mac mac{};
};

MacOption find_mac(const Packet& packet, uint8_t type) {
    MacOption out;
    const uint8_t* message = packet.payload;
    for (uint32_t at = nd::header_bytes; at < packet.payload_bytes;) {
        const uint32_t left = packet.payload_bytes - at;
        const uint32_t bytes = left < 2 ? 0 : 8U * message[at + 1];
        if (bytes == 0 || bytes > left) {
            out.well_formed = false;
            return out;
        }
        if (message[at] == type && bytes == nd::option_bytes) {
            out.found = true;
            out.mac = load_mac(message + at + 2);
            out.well_formed = out.well_formed && !is_multicast(out.mac) && out.mac != Mac{};
        }
        at += bytes;
    }
    return out;
}

bool is_unspecified(const IpAddress& address) {
    return address == IpAddress{};
}

}  // namespace

void IpLayer::input_nd(const Packet& packet, Nanos now) {
    const uint8_t* message = packet.payload;
    // A hop limit of 255 proves that no router sent it on (RFC 4861 section 3.1).
    if (packet.ttl != ip::hop_limit_nd || message[icmp::code_at] != 0 || packet.fragment_header) {
        ++counters_.nd_bad;
        return;
    }
    const uint8_t type = message[icmp::type_at];
    // Our own, reflected. The MAC alone says nothing: a tap device has the same one on both ends.
    const bool reflected = packet.source_mac == interface_.mac() &&
                           (packet.flow.remote == IpAddress{} ||
                            interface_.find_ipv6(packet.flow.remote.octets.data()) != nullptr);
    if ((type != icmp6::neighbour_solicitation && type != icmp6::neighbour_advertisement) ||
        reflected) {
        ++counters_.nd_ignored;
        return;
    }
    if (packet.payload_bytes < nd::header_bytes || message[nd::target_at] == 0xff) {
        ++counters_.nd_bad;
        return;
    }
    type == icmp6::neighbour_solicitation ? input_solicitation(packet, now)
                                          : input_advertisement(packet, now);
}

void IpLayer::input_solicitation(const Packet& packet, Nanos now) {
    const IpAddress target = IpAddress::from_ipv6(packet.payload + nd::target_at);
    const IpAddress& source = packet.flow.remote;
    const bool detects = is_unspecified(source);
    const MacOption option = find_mac(packet, nd::option_source_mac);
    if (!option.well_formed ||
        (detects && (option.found || packet.flow.local != solicited_node(target)))) {
        ++counters_.nd_bad;
        return;
    }
    const Interface::Ipv6* ours = interface_.find_ipv6(target.octets.data());
    if (ours != nullptr && ours->state == Interface::State::tentative && detects) {
        give_up(*ours);  // somebody else is about to take the same address
        return;
    }
    if (ours == nullptr || ours->state != Interface::State::assigned ||
        (!detects && !interface_.on_link(source))) {
        ++counters_.nd_ignored;
        return;
    }
    if (interface_.has_ipv6(source.octets.data())) {
        ++counters_.conflicts;
        return;
    }
    const Mac& mac = option.found ? option.mac : packet.source_mac;
    if (option.found) {
        const bool creates = may_create(source, now);
        (void)neighbours_.learn(source, &mac, {.overrides = true, .creates = creates}, now);
    }
    if (!may_answer(now)) {
        return;
    }
    detects ? send_advertisement({.target = target,
                                  .to = all_nodes,
                                  .mac = multicast_mac(all_nodes),
                                  .solicited = false})
            : send_advertisement({.target = target, .to = source, .mac = mac, .solicited = true});
}

void IpLayer::input_advertisement(const Packet& packet, Nanos now) {
    const IpAddress target = IpAddress::from_ipv6(packet.payload + nd::target_at);
    const uint8_t flags = packet.payload[nd::flags_at];
    const MacOption option = find_mac(packet, nd::option_target_mac);
    const bool solicited = (flags & nd::flag_solicited) != 0;
    if (!option.well_formed || is_unspecified(packet.flow.remote) ||
        (solicited && packet.flow.local.octets[0] == 0xff)) {
        ++counters_.nd_bad;
        return;
    }
    if (const Interface::Ipv6* ours = interface_.find_ipv6(target.octets.data())) {
        if (ours->state == Interface::State::tentative) {
            give_up(*ours);
        } else {
            ++counters_.conflicts;
        }
        return;
    }
    if (!neighbours_.learn(target, option.found ? &option.mac : nullptr,
                           {.solicited = solicited, .overrides = (flags & nd::flag_override) != 0},
                           now)) {
        ++counters_.nd_ignored;
    }
}

void IpLayer::give_up(const Interface::Ipv6& address) {
    ++counters_.duplicates;
    interface_.set_state(address, Interface::State::duplicate);
}

void IpLayer::finish_detection() {
    for (const Interface::Ipv6& each : interface_.ipv6()) {
        if (each.state == Interface::State::tentative) {
            interface_.set_state(each, Interface::State::assigned);
        }
    }
}

void IpLayer::announce_ipv6() {
    for (const Interface::Ipv6& each : interface_.ipv6()) {
        if (announcing_ && each.state == Interface::State::assigned) {
            send_advertisement({.target = each.address,
                                .to = all_nodes,
                                .mac = multicast_mac(all_nodes),
                                .solicited = false});
        }
    }
}

void IpLayer::solicit_ipv6(const IpAddress& target, const Mac* known) {
    const auto source = interface_.source_for(target);
    if (!source) {
        return;  // nothing of ours is usable yet; the next attempt is a second away
    }
    const IpAddress to = known != nullptr ? target : solicited_node(target);
    send_solicitation(target, {.remote = to, .local = *source},
                      known != nullptr ? *known : multicast_mac(to));
}

void IpLayer::send_detection(const IpAddress& target) {
    const IpAddress to = solicited_node(target);
    send_solicitation(target, {.remote = to, .local = {}}, multicast_mac(to));
}

// From the unspecified address: without the MAC (RFC 4861 section 4.3).
void IpLayer::send_solicitation(const IpAddress& target, const FlowKey& flow, const Mac& mac) {
    const bool with_mac = !is_unspecified(flow.local);
    const uint32_t bytes = nd::header_bytes + (with_mac ? nd::option_bytes : 0);
    uint8_t* message = begin_icmp(flow, bytes, mac);
    if (message == nullptr) {
        return;
    }
    store_be(message, uint64_t{icmp6::neighbour_solicitation} << 56);
    std::memcpy(message + nd::target_at, target.octets.data(), 16);
    if (with_mac) {
        message[nd::header_bytes] = nd::option_source_mac;
        message[nd::header_bytes + 1] = 1;
        store_mac(message + nd::header_bytes + 2, interface_.mac());
    }
    finish_nd(message, flow, bytes);
    ++counters_.nd_solicits_out;
}

void IpLayer::send_advertisement(const Advert& advert) {
    const FlowKey flow{.remote = advert.to, .local = advert.target};
    const uint32_t bytes = nd::header_bytes + nd::option_bytes;
    uint8_t* message = begin_icmp(flow, bytes, advert.mac);
    if (message == nullptr) {
        return;
    }
    store_be(message, uint64_t{icmp6::neighbour_advertisement} << 56);
    message[nd::flags_at] =
        static_cast<uint8_t>(nd::flag_override | (advert.solicited ? nd::flag_solicited : 0));
    std::memcpy(message + nd::target_at, advert.target.octets.data(), 16);
    message[nd::header_bytes] = nd::option_target_mac;
    message[nd::header_bytes + 1] = 1;
    store_mac(message + nd::header_bytes + 2, interface_.mac());
    finish_nd(message, flow, bytes);
    ++counters_.nd_adverts_out;
}

void IpLayer::finish_nd(uint8_t* message, const FlowKey& flow, uint32_t bytes) {
    (message - ipv6::header_bytes)[ipv6::hop_limit_at] = ip::hop_limit_nd;
    store_checksum(message + icmp::checksum_at,
                   sum_octets(message, bytes) + pseudo_sum(flow, ip::protocol_icmpv6, bytes));
    out_.commit();
}

}  // namespace sy::tcpip
