// IpLayer as a multicast listener: without its reports a switch that snoops MLD keeps the groups in
// which neighbours are sought from us. RFC 3810 (version 2), answers by RFC 2710 where the querier
// is of that, RFC 3590 for reports before there is a source address.
//
// Simplified: a query for one group is answered with all of them, which is more than was asked and
// no less true, and nothing is said when an address is given up: its group times out.
#include <algorithm>
#include <cstring>

#include "core/base/prng.h"
#include "io/tcpip/ip_layer.h"

namespace sy::tcpip {

namespace {

constexpr Nanos never = ~Nanos{0};
constexpr uint8_t reports_of_a_join = 2;          // RFC 3810 section 9.1: the robustness variable
constexpr Nanos join_interval_ns = second_ns;     // RFC 3810 section 9.11
constexpr Nanos v1_querier_ns = 260 * second_ns;  // section 9.12, with its defaults
constexpr uint32_t hop_by_hop_bytes = 8;          // one that has a router alert and padding
constexpr IpAddress all_v2_routers{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x16}};

// RFC 3810 section 5.1.3, milliseconds.
uint64_t response_delay_ms(uint16_t code) {
    const auto exponent = static_cast<unsigned>(code >> 12 & 7);
    return code < 0x8000 ? code : ((uint64_t{code} & 0xfff) | 0x1000) << (exponent + 3);
}

}  // namespace

/// REQUIRES: an ICMPv6 message of type listener_query.
void IpLayer::input_listener_query(const Packet& packet, Nanos now) {
    const bool v1 = packet.payload_bytes == mld::v1_bytes;
    if (packet.ttl != 1 || !packet.router_alert || !is_link_local(packet.flow.remote) ||
        packet.payload[icmp::code_at] != 0 || (!v1 && packet.payload_bytes < mld::query_bytes)) {
        ++counters_.mld_bad;
        return;
    }
    ++counters_.mld_queries_in;
    const auto code = load_be<uint16_t>(packet.payload + mld::response_delay_at);
    if (v1) {
        listener_.v1_until_ns = now + v1_querier_ns;
    }
    const uint8_t* group = packet.payload + mld::group_at;
    const bool general = IpAddress::from_ipv6(group) == IpAddress{};
    // ff02::1 is nobody's to report.
    const bool ours =
        interface_.listens_to_group(group) && std::memcmp(group, all_nodes.octets.data(), 16) != 0;
    if (!general && !ours) {
        return;
    }
    if (!queries_.take(now)) {
        ++counters_.mld_limited;
        return;
    }
    listener_.random = mix64(listener_.random + 1);
    const Nanos most = (v1 ? code : response_delay_ms(code)) * millisecond_ns;
    const Nanos answer_ns = now + listener_.random % (most + 1);
    listener_.answer_ns = answer_ns < listener_.answer_ns ? answer_ns : listener_.answer_ns;
    wake_at(listener_.answer_ns);
}

/// Says now, and again within a second, that we listen to our groups.
void IpLayer::report_joined(Nanos now) {
    if (!announcing_ || interface_.ipv6().empty()) {
        return;
    }
    listener_.joins = reports_of_a_join;
    listener_.join_ns = now;
    run_listener(now);
}

void IpLayer::run_listener(Nanos now) {
    if (now >= listener_.answer_ns) {
        listener_.answer_ns = never;
        report_groups(now, mld::mode_is_exclude);
    }
    if (now >= listener_.join_ns) {
        report_groups(now, mld::change_to_exclude);
        listener_.random = mix64(listener_.random + 1);
        listener_.join_ns =
            --listener_.joins == 0 ? never : now + 1 + listener_.random % join_interval_ns;
    }
    wake_at(listener_ns());
}

/// All groups, in one report of version 2, or in one each of version 1.
void IpLayer::report_groups(Nanos now, uint8_t record_type) {
    std::array<IpAddress, InterfaceOptions::addresses_max + 1> groups;
    FlowKey flow{.remote = all_v2_routers, .local = {}};
    uint16_t count = 0;
    for (const Interface::Ipv6& each : interface_.ipv6()) {
        if (each.state == Interface::State::duplicate) {
            continue;
        }
        if (is_link_local(each.address) && each.state == Interface::State::assigned) {
            flow.local = each.address;
        }
        const IpAddress group = solicited_node(each.address);
        if (std::find(groups.begin(), groups.begin() + count, group) == groups.begin() + count) {
            groups[count++] = group;
        }
    }
    if (now < listener_.v1_until_ns) {
        for (uint16_t i = 0; i < count; ++i) {
            report_group_v1({.remote = groups[i], .local = flow.local});
        }
        return;
    }
    const uint32_t bytes = mld::records_at + count * mld::record_bytes;
    uint8_t* message = count == 0 ? nullptr : begin_report(flow, bytes);
    if (message == nullptr) {
        return;
    }
    message[icmp::type_at] = icmp6::listener_report;
    store_be(message + mld::record_count_at, count);
    for (uint16_t i = 0; i < count; ++i) {
        uint8_t* record = message + mld::records_at + i * mld::record_bytes;
        store_be(record, uint32_t{record_type} << 24);
        std::memcpy(record + 4, groups[i].octets.data(), 16);
    }
    finish_report(message, flow, bytes);
}

void IpLayer::report_group_v1(const FlowKey& flow) {
    uint8_t* message = begin_report(flow, mld::v1_bytes);
    if (message == nullptr) {
        return;
    }
    message[icmp::type_at] = icmp6::listener_report_v1;
    std::memcpy(message + mld::group_at, flow.remote.octets.data(), 16);
    finish_report(message, flow, mld::v1_bytes);
}

/// A frame with a router alert and hop limit 1 (RFC 3810 section 5), its message's first octets 0;
/// null: no frame.
uint8_t* IpLayer::begin_report(const FlowKey& flow, uint32_t message_bytes) {
    uint8_t* extension =
        begin_icmp(flow, hop_by_hop_bytes + message_bytes, multicast_mac(flow.remote));
    if (extension == nullptr) {
        return nullptr;
    }
    uint8_t* l3 = extension - ipv6::header_bytes;
    l3[ipv6::next_header_at] = ipv6::next_hop_by_hop;
    l3[ipv6::hop_limit_at] = 1;
    // Next header, length 0, router alert of 2 octets with value 0 (MLD), PadN of none.
    const uint8_t octets[hop_by_hop_bytes] = {
        ip::protocol_icmpv6, 0, ipv6::option_router_alert, 2, 0, 0, 1, 0};
    std::memcpy(extension, octets, sizeof octets);
    std::memset(extension + hop_by_hop_bytes, 0, icmp::header_bytes);
    return extension + hop_by_hop_bytes;
}

void IpLayer::finish_report(uint8_t* message, const FlowKey& flow, uint32_t message_bytes) {
    store_checksum(
        message + icmp::checksum_at,
        sum_octets(message, message_bytes) + pseudo_sum(flow, ip::protocol_icmpv6, message_bytes));
    out_.commit();
    ++counters_.mld_reports_out;
}

}  // namespace sy::tcpip
