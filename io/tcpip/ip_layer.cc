#include "io/tcpip/ip_layer.h"

#include <algorithm>

#include "core/base/assert.h"

namespace sy::tcpip {

namespace {

constexpr Nanos announce_interval_ns = 2 * second_ns;  // RFC 5227: ANNOUNCE_INTERVAL
constexpr Nanos detection_ns = second_ns;              // RFC 4862: one solicitation, RETRANS_TIMER
constexpr Nanos never = ~Nanos{0};
constexpr uint32_t ipv6_version = 6U << 28;
constexpr uint32_t flow_label_bits = 20;

}  // namespace

IpLayer::IpLayer(PacketPort& port, FrameOut& out, const InterfaceOptions& options, uint64_t seed)
    : port_(port.info()),
      out_(out),
      interface_(port.info().mac, options),
      announcing_(options.announces),
      neighbours_(*this, mix64(seed)),
      path_mtu_(mix64(seed + 1)),
      flow_label_seed_(mix64(seed + 2) | 1) {
    listener_.random = mix64(seed + 3);
    build_templates();
}

// Everything that is the same in all headers of this interface.
void IpLayer::build_templates() {
    for (auto* each : {&ipv4_template_.octets, &ipv6_template_}) {
        const bool is_ipv6 = each == &ipv6_template_;
        uint8_t* at = each->data();
        store_mac(at + ethernet::source_at, interface_.mac());
        if (interface_.tagged()) {
            store_be(at + ethernet::type_at, ethernet::type_vlan);
            store_be(at + ethernet::vlan_tci_at, interface_.vlan());
        }
        store_be(at + interface_.l2_bytes() - 2,
                 is_ipv6 ? ethernet::type_ipv6 : ethernet::type_ipv4);
    }
    uint8_t* l3 = ipv4_template_.octets.data() + interface_.l2_bytes();
    l3[ipv4::version_at] = 0x45;
    store_be(l3 + ipv4::fragment_at, ipv4::dont_fragment);
    l3[ipv4::ttl_at] = ip::ttl_default;
    l3[ipv4::protocol_at] = ip::protocol_tcp;
    ipv4_template_.sum = sum_octets(l3, ipv4::header_bytes);
    ipv4_template_.l2_bytes = interface_.l2_bytes();

    l3 = ipv6_template_.data() + interface_.l2_bytes();
    l3[ipv6::next_header_at] = ip::protocol_tcp;
    l3[ipv6::hop_limit_at] = ip::ttl_default;
}

void IpLayer::start(Nanos now) {
    announce_ipv4();
    if (!interface_.ipv4().empty()) {
        announce_ns_ = now + announce_interval_ns;
        wake_at(announce_ns_);
    }
    if (started_) {
        announce_ipv6();
        report_joined(now);
        return;
    }
    started_ = true;
    if (!announcing_) {
        finish_detection();  // the worker that answers does it
    } else {
        report_joined(now);  // RFC 4862 section 5.4.2: before it is asked
        begin_detection(now);
    }
    for (const auto& gateway : {interface_.gateway_v4(), interface_.gateway_v6()}) {
        if (!gateway) {
            continue;
        }
        if (const auto handle = neighbours_.find_or_create(*gateway, now)) {
            neighbours_.retain(*handle);  // for good: no flood pushes it out
            (void)neighbours_.usable(*handle, now);
        }
    }
    neighbours_.tick(now);
}

void IpLayer::begin_detection(Nanos now) {
    bool any = false;
    for (const Interface::Ipv6& each : interface_.ipv6()) {
        if (each.state == Interface::State::tentative) {
            send_detection(each.address);
            any = true;
        }
    }
    if (any) {
        detected_ns_ = now + detection_ns;
        wake_at(detected_ns_);
    }
}

void IpLayer::run_timers(Nanos now) {
    if (now >= announce_ns_) {
        announce_ns_ = never;
        announce_ipv4();
    }
    if (now >= detected_ns_) {  // before the neighbours: they may ask from these addresses
        detected_ns_ = never;
        finish_detection();
        announce_ipv6();
        report_joined(now);  // RFC 3590 section 4: now with a source address
    }
    if (now >= listener_ns()) {
        run_listener(now);
    }
    neighbours_.tick(now);
    path_mtu_.tick(now);
    next_ns_ = std::min({announce_ns_, detected_ns_, listener_ns()});
}

void IpLayer::count_other(const Packet& packet) {
    switch (packet.kind) {
        case PacketKind::dropped:
            ++counters_.dropped[static_cast<size_t>(packet.drop)];
            return;
        case PacketKind::arp:
            ++counters_.arp_in;
            return;
        case PacketKind::icmp4:
            ++counters_.icmp4_in;
            return;
        case PacketKind::icmp6:
            ++counters_.icmp6_in;
            return;
        case PacketKind::tcp:
            return;  // parse() counted it
    }
}

std::optional<IcmpError> IpLayer::input(const Packet& packet, Nanos now) {
    switch (packet.kind) {
        case PacketKind::arp:
            input_arp(packet, now);
            return std::nullopt;
        case PacketKind::icmp4:
            return input_icmp4(packet, now);
        case PacketKind::icmp6:
            return input_icmp6(packet, now);
        case PacketKind::dropped:
        case PacketKind::tcp:
            break;
    }
    SY_DCHECK(false);
    return std::nullopt;
}

std::optional<Path> IpLayer::path_to(const IpAddress& remote, Nanos now) {
    const auto source = interface_.source_for(remote);
    const auto hop = interface_.next_hop(remote);
    if (!source || !hop || interface_.has(remote)) {
        ++counters_.no_route;
        return std::nullopt;
    }
    const auto handle = neighbours_.find_or_create(*hop, now);
    if (!handle) {
        ++counters_.no_route;
        return std::nullopt;
    }
    return Path{.next_hop = *handle, .source = *source};
}

uint32_t IpLayer::path_mtu(const IpAddress& remote) const {
    const uint32_t known = path_mtu_.of(remote);
    return known != 0 && known < port_.mtu ? known : port_.mtu;
}

uint8_t* IpLayer::write_headers(TxFrame& frame,
                                const FlowKey& flow,
                                uint32_t l4_bytes,
                                const Mac* next_hop) const {
    const bool is_ipv6 = !flow.remote.is_ipv4();
    const uint32_t l2_bytes = interface_.l2_bytes();
    const uint32_t l3_bytes = is_ipv6 ? ipv6::header_bytes : ipv4::header_bytes;
    SY_DCHECK(l2_bytes + l3_bytes + l4_bytes <= frame.capacity);
    SY_DCHECK(l3_bytes + l4_bytes <= 0xffff);
    frame.bytes = l2_bytes + l3_bytes + l4_bytes;
    frame.ip_checksum = !is_ipv6 && port_.tx_ip_checksum;
    frame.tcp_checksum = false;
    frame.ipv6 = is_ipv6;
    frame.l2_bytes = static_cast<uint8_t>(l2_bytes);
    frame.l3_bytes = static_cast<uint8_t>(l3_bytes);
    frame.l4_bytes = 0;
    frame.segment_bytes = 0;
    uint8_t* l3 = frame.data + l2_bytes;
    if (is_ipv6) [[unlikely]] {
        std::memcpy(frame.data, ipv6_template_.data(), ethernet::tagged_bytes + 8);
        write_ipv6(l3, flow, l4_bytes);
    } else {
        std::memcpy(frame.data, ipv4_template_.octets.data(), ethernet::tagged_bytes + 14);
        write_ipv4(l3, flow, l4_bytes);
    }
    if (next_hop != nullptr) [[likely]] {
        store_mac(frame.data, *next_hop);
    }
    return l3 + l3_bytes;
}

void IpLayer::write_ipv4(uint8_t* l3, const FlowKey& flow, uint32_t l4_bytes) const {
    const auto total = static_cast<uint16_t>(ipv4::header_bytes + l4_bytes);
    store_be(l3 + ipv4::length_at, total);
    std::memcpy(l3 + ipv4::source_at, flow.local.ipv4(), 4);
    std::memcpy(l3 + ipv4::destination_at, flow.remote.ipv4(), 4);
    if (!port_.tx_ip_checksum) {
        store_checksum(l3 + ipv4::checksum_at, ipv4_template_.sum + sum_host16(total) +
                                                   raw_ipv4(flow.local.ipv4()) +
                                                   raw_ipv4(flow.remote.ipv4()));
    } else {
        store_be(l3 + ipv4::checksum_at, uint16_t{0});
    }
}

void IpLayer::write_ipv6(uint8_t* l3, const FlowKey& flow, uint32_t l4_bytes) const {
    // The same label for all packets of a flow, unguessable and well spread (RFC 6437 section 3).
    const uint64_t ports = (uint64_t{flow.remote_port} << 16) | flow.local_port;
    uint64_t far = 0;
    std::memcpy(&far, flow.remote.octets.data() + 8, 8);
    const auto label =
        static_cast<uint32_t>(((ports << 13 ^ far) * flow_label_seed_) >> (64 - flow_label_bits));
    store_be(l3 + ipv6::version_at, ipv6_version | label);
    store_be(l3 + ipv6::length_at, static_cast<uint16_t>(l4_bytes));
    std::memcpy(l3 + ipv6::source_at, flow.local.octets.data(), 16);
    std::memcpy(l3 + ipv6::destination_at, flow.remote.octets.data(), 16);
}

void IpLayer::finish_tcp(TxFrame& frame, const FlowKey& flow, const L4Part& part) const {
    uint8_t* l4 = frame.data + frame.l2_bytes + frame.l3_bytes;
    const uint32_t l4_bytes = part.header_bytes + part.payload_bytes;
    if (port_.tx_tcp_checksum) {
        frame.tcp_checksum = true;
        frame.l4_bytes = static_cast<uint8_t>(part.header_bytes);
        frame.segment_bytes = part.segment_bytes;
        store_sum(l4 + tcp::checksum_at,
                  pseudo_sum(flow, ip::protocol_tcp, part.segment_bytes != 0 ? 0 : l4_bytes));
        return;
    }
    SY_DCHECK(part.segment_bytes == 0);
    store_checksum(l4 + tcp::checksum_at, part.header_sum + part.payload_sum +
                                              pseudo_sum(flow, ip::protocol_tcp, l4_bytes));
}

void IpLayer::finish_tcp(TxFrame& frame,
                         const FlowKey& flow,
                         uint32_t l4_bytes,
                         uint16_t segment_bytes) const {
    const uint8_t* l4 = frame.data + frame.l2_bytes + frame.l3_bytes;
    L4Part part{.header_bytes = tcp_header_bytes(l4),
                .header_sum = 0,
                .payload_bytes = l4_bytes - tcp_header_bytes(l4),
                .payload_sum = 0,
                .segment_bytes = segment_bytes};
    if (!port_sums_tcp()) {
        part.header_sum = sum_octets(l4, part.header_bytes);
        part.payload_sum = sum_octets(l4 + part.header_bytes, part.payload_bytes);
    }
    finish_tcp(frame, flow, part);
}

void IpLayer::solicit(const IpAddress& target, const Mac* known) {
    target.is_ipv4() ? solicit_ipv4(target, known) : solicit_ipv6(target, known);
}

uint8_t* IpLayer::begin_icmp(const FlowKey& flow, uint32_t message_bytes, const Mac& destination) {
    TxFrame* frame = out_.begin();
    const uint32_t needed = headers_bytes(!flow.remote.is_ipv4()) + message_bytes;
    if (frame == nullptr || needed > frame->capacity ||
        needed - interface_.l2_bytes() > port_.mtu) {
        ++counters_.no_frame;
        return nullptr;
    }
    uint8_t* message = write_headers(*frame, flow, message_bytes, &destination);
    if (frame->ipv6) {
        (message - ipv6::header_bytes)[ipv6::next_header_at] = ip::protocol_icmpv6;
        return message;
    }
    uint8_t* l3 = message - ipv4::header_bytes;
    l3[ipv4::protocol_at] = ip::protocol_icmp;
    if (!frame->ip_checksum) {
        store_be(l3 + ipv4::checksum_at, uint16_t{0});
        store_checksum(l3 + ipv4::checksum_at, sum_octets(l3, ipv4::header_bytes));
    }
    return message;
}

}  // namespace sy::tcpip
