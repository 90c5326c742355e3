// IpLayer's IPv4 neighbours: ARP (RFC 826), announcements and conflicts (RFC 5227).
#include "io/tcpip/ip_layer.h"

namespace sy::tcpip {

namespace {

constexpr Nanos defend_interval_ns = 10 * second_ns;  // RFC 5227: DEFEND_INTERVAL

bool is_well_formed(const uint8_t* at) {
    const auto operation = load_be<uint16_t>(at + arp::operation_at);
    return load_be<uint16_t>(at + arp::hardware_at) == arp::hardware_ethernet &&
           load_be<uint16_t>(at + arp::protocol_at) == ethernet::type_ipv4 &&
           at[arp::hardware_bytes_at] == 6 && at[arp::protocol_bytes_at] == 4 &&
           (operation == arp::operation_request || operation == arp::operation_reply) &&
           !is_multicast(load_mac(at + arp::sender_mac_at)) &&
           load_mac(at + arp::sender_mac_at) != Mac{};
}

IpAddress address_of(uint32_t raw) {
    uint8_t octets[4];
    std::memcpy(octets, &raw, sizeof octets);
    return IpAddress::from_ipv4(octets);
}

}  // namespace

void IpLayer::input_arp(const Packet& packet, Nanos now) {
    if (!is_well_formed(packet.l3)) {
        ++counters_.arp_bad;
        return;
    }
    const ArpPacket in{.operation = load_be<uint16_t>(packet.l3 + arp::operation_at),
                       .sender_mac = load_mac(packet.l3 + arp::sender_mac_at),
                       .sender_ip = raw_ipv4(packet.l3 + arp::sender_ip_at),
                       .target_mac = load_mac(packet.l3 + arp::target_mac_at),
                       .target_ip = raw_ipv4(packet.l3 + arp::target_ip_at)};
    // Our own, reflected. The MAC alone says nothing: a tap device has the same one on both ends.
    if (in.sender_mac == interface_.mac() &&
        (in.sender_ip == 0 || interface_.has_ipv4(in.sender_ip))) {
        ++counters_.arp_ignored;
        return;
    }
    if (interface_.has_ipv4(in.sender_ip)) {
        arp_conflict(in.sender_ip, now);
        return;
    }
    const bool asks_us =
        in.operation == arp::operation_request && interface_.has_ipv4(in.target_ip);
    if (in.sender_ip == 0) {
        // Somebody looks whether an address is free (RFC 5227 section 2.1.1).
        asks_us ? answer_arp(in, now) : void(++counters_.arp_ignored);
        return;
    }
    const IpAddress sender = address_of(in.sender_ip);
    const bool gratuitous = in.sender_ip == in.target_ip;
    if (!interface_.on_link(sender) ||
        (in.operation == arp::operation_request && !asks_us && !gratuitous)) {
        ++counters_.arp_ignored;
        return;
    }
    const bool answers_us = in.operation == arp::operation_reply &&
                            in.target_mac == interface_.mac() && interface_.has_ipv4(in.target_ip);
    const bool creates = asks_us && may_create(sender, now);
    const bool known =
        neighbours_.learn(sender, &in.sender_mac,
                          {.solicited = answers_us, .overrides = true, .creates = creates}, now);
    if (asks_us) {
        answer_arp(in, now);
    } else if (!known) {
        ++counters_.arp_ignored;
    }
}

bool IpLayer::may_create(const IpAddress& sender, Nanos now) {
    if (neighbours_.find(sender) || creates_.take(now)) {
        return true;
    }
    ++counters_.neighbour_creates_limited;
    return false;
}

bool IpLayer::may_answer(Nanos now) {
    if (answers_.take(now)) {
        return true;
    }
    ++counters_.neighbour_answers_limited;
    return false;
}

void IpLayer::answer_arp(const ArpPacket& request, Nanos now) {
    if (!may_answer(now)) {
        return;
    }
    if (send_arp(request.sender_mac, {.operation = arp::operation_reply,
                                      .sender_mac = interface_.mac(),
                                      .sender_ip = request.target_ip,
                                      .target_mac = request.sender_mac,
                                      .target_ip = request.sender_ip})) {
        ++counters_.arp_replies_out;
    }
}

// We keep the address and say so, seldom: two hosts that both do it must not fill the link.
void IpLayer::arp_conflict(uint32_t ours, Nanos now) {
    ++counters_.conflicts;
    if (!announcing_ || now < defend_again_ns_) {
        return;
    }
    defend_again_ns_ = now + defend_interval_ns;
    ++counters_.defences;
    announce_address(ours);
}

void IpLayer::announce_ipv4() {
    if (!announcing_) {
        return;
    }
    for (const Interface::Ipv4& each : interface_.ipv4()) {
        announce_address(each.raw);
    }
}

void IpLayer::announce_address(uint32_t raw) {
    if (send_arp(broadcast_mac, {.operation = arp::operation_request,
                                 .sender_mac = interface_.mac(),
                                 .sender_ip = raw,
                                 .target_mac = {},
                                 .target_ip = raw})) {
        ++counters_.arp_requests_out;
    }
}

void IpLayer::solicit_ipv4(const IpAddress& target, const Mac* known) {
    const auto source = interface_.source_for(target);
    if (!source) {
        return;
    }
    if (send_arp(known != nullptr ? *known : broadcast_mac,
                 {.operation = arp::operation_request,
                  .sender_mac = interface_.mac(),
                  .sender_ip = raw_ipv4(source->ipv4()),
                  .target_mac = {},
                  .target_ip = raw_ipv4(target.ipv4())})) {
        ++counters_.arp_requests_out;
    }
}

bool IpLayer::send_arp(const Mac& destination, const ArpPacket& packet) {
    TxFrame* frame = out_.begin();
    const uint32_t l2_bytes = interface_.l2_bytes();
    if (frame == nullptr || frame->capacity < l2_bytes + arp::packet_bytes) {
        ++counters_.no_frame;
        return false;
    }
    // The port's own fields stay; nothing is left for it to complete.
    *frame = {.data = frame->data,
              .bytes = l2_bytes + arp::packet_bytes,
              .capacity = frame->capacity,
              .buffer = frame->buffer};
    std::memcpy(frame->data, ipv4_template_.octets.data(), l2_bytes);
    store_mac(frame->data, destination);
    store_be(frame->data + l2_bytes - 2, ethernet::type_arp);
    uint8_t* at = frame->data + l2_bytes;
    store_be(at + arp::hardware_at, arp::hardware_ethernet);
    store_be(at + arp::protocol_at, ethernet::type_ipv4);
    at[arp::hardware_bytes_at] = 6;
    at[arp::protocol_bytes_at] = 4;
    store_be(at + arp::operation_at, packet.operation);
    store_mac(at + arp::sender_mac_at, packet.sender_mac);
    std::memcpy(at + arp::sender_ip_at, &packet.sender_ip, 4);
    store_mac(at + arp::target_mac_at, packet.target_mac);
    std::memcpy(at + arp::target_ip_at, &packet.target_ip, 4);
    out_.commit();
    return true;
}

}  // namespace sy::tcpip
