// ARP as seen on the wire: requests, replies, changes, conflicts, floods (RFC 826, RFC 5227).
#include <gtest/gtest.h>

#include "tests/unit/tcpip/ip_host.h"

namespace sy::tcpip {
namespace {

using frames::Bytes;

struct Seen {
    Mac to;
    uint64_t operation = 0;
    Mac sender_mac;
    IpAddress sender;
    IpAddress target;
};
Seen read_arp(const Bytes& frame, size_t l2 = 14) {
    EXPECT_EQ(frame.size(), l2 + 28);
    EXPECT_EQ(frames::get(frame, l2 - 2, 2), 0x0806U);
    EXPECT_EQ(frames::get(frame, l2, 6), 0x000108000604U);
    return {load_mac(frame.data()), frames::get(frame, l2 + 6, 2), load_mac(&frame[l2 + 8]),
            IpAddress::from_ipv4(&frame[l2 + 14]), IpAddress::from_ipv4(&frame[l2 + 24])};
}

TEST(Arp, RequestForUsIsAnsweredAndItsSenderRemembered) {
    IpHost host;
    host.hear(IpHost::arp_request(peer_v4, peer_mac, our_v4));
    const Seen reply = read_arp(host.sent_one());
    EXPECT_EQ(reply.to, peer_mac);
    EXPECT_EQ(reply.operation, 2U);
    EXPECT_EQ(reply.sender_mac, our_mac);
    EXPECT_EQ(reply.sender, our_v4);
    EXPECT_EQ(reply.target, peer_v4);
    const auto path = host.ip.path_to(peer_v4, host.now);
    ASSERT_TRUE(path);
    ASSERT_NE(host.ip.next_hop(path->next_hop, host.now), nullptr);
    EXPECT_TRUE(host.sent().empty());  // no request of our own
}

TEST(Arp, RequestsForOthersAndFromOffTheLinkAreIgnored) {
    IpHost host;
    host.hear(IpHost::arp_request(peer_v4, peer_mac, frames::ip_address("10.0.0.8")));
    host.hear(IpHost::arp_request(far_v4, peer_mac, our_v4));
    host.hear(IpHost::arp_reply(peer_v4, peer_mac));  // nobody asked
    EXPECT_TRUE(host.sent().empty());
    EXPECT_EQ(host.ip.neighbours().size(), 0U);
    EXPECT_EQ(host.ip.counters().arp_ignored.value(), 3U);
}

TEST(Arp, ProbeForOurAddressIsAnsweredAndNotRemembered) {
    IpHost host;
    host.hear(IpHost::arp_request(frames::ip_address("0.0.0.0"), peer_mac, our_v4));
    EXPECT_EQ(read_arp(host.sent_one()).operation, 2U);
    EXPECT_EQ(host.ip.neighbours().size(), 0U);
}

TEST(Arp, MalformedPacketsAreCounted) {
    IpHost host;
    const Bytes good = IpHost::arp_request(peer_v4, peer_mac, our_v4);
    const std::pair<size_t, uint8_t> changes[] = {{15, 2}, {16, 9}, {18, 5}, {19, 5},
                                                  {21, 3}, {21, 0}, {22, 1}};
    for (const auto& [at, value] : changes) {
        Bytes bad = good;
        bad[at] = value;
        host.hear(bad);
    }
    Bytes nobody = good;
    std::fill_n(nobody.begin() + 22, 6, uint8_t{0});
    host.hear(nobody);
    EXPECT_EQ(host.ip.counters().arp_bad.value(), 8U);
    EXPECT_TRUE(host.sent().empty());
    EXPECT_EQ(host.ip.neighbours().size(), 0U);
}

TEST(Arp, SegmentWaitsForTheReply) {
    IpHost host;
    const auto path = host.ip.path_to(peer_v4, host.now);
    ASSERT_TRUE(path);
    EXPECT_EQ(path->source, our_v4);
    host.send_tcp(*path, peer_v4, {1, 2, 3});
    const Seen request = read_arp(host.sent_one());
    EXPECT_EQ(request.to, broadcast_mac);
    EXPECT_EQ(request.operation, 1U);
    EXPECT_EQ(request.sender, our_v4);
    EXPECT_EQ(request.target, peer_v4);
    host.hear(IpHost::arp_reply(peer_v4, peer_mac));
    const Bytes segment = host.sent_one();
    EXPECT_EQ(load_mac(segment.data()), peer_mac);
    EXPECT_EQ(frames::get(segment, 12, 2), 0x0800U);
    host.send_tcp(*path, peer_v4);
    EXPECT_EQ(load_mac(host.sent_one().data()), peer_mac);
}

TEST(Arp, UnansweredRequestsEndAndTheSegmentsWithThem) {
    IpHost host;
    const auto path = host.ip.path_to(peer_v4, host.now);
    for (uint32_t i = 0; i < Neighbours::held_entry_max + 2; ++i) {
        host.send_tcp(*path, peer_v4);
    }
    EXPECT_EQ(host.ip.neighbours().held(), Neighbours::held_entry_max);
    host.advance(10 * second_ns);
    EXPECT_EQ(host.sent().size(), 3U);
    EXPECT_EQ(host.ip.counters().arp_requests_out.value(), 3U);
    EXPECT_EQ(host.ip.neighbours().held(), 0U);
    EXPECT_EQ(host.port.discarded(), Neighbours::held_entry_max + 2);
}

TEST(Arp, FarAddressesAreReachedByTheGateway) {
    InterfaceOptions options = plain_options();
    options.gateway_v4 = gateway_v4;
    IpHost host(options);
    const auto path = host.ip.path_to(far_v4, host.now);
    ASSERT_TRUE(path);
    host.send_tcp(*path, far_v4);
    EXPECT_EQ(read_arp(host.sent_one()).target, gateway_v4);
    host.hear(IpHost::arp_reply(gateway_v4, other_mac));
    const Bytes segment = host.sent_one();
    EXPECT_EQ(load_mac(segment.data()), other_mac);
    EXPECT_EQ(IpAddress::from_ipv4(&segment[14 + 16]), far_v4);
}

TEST(Arp, NoGatewayNoPath) {
    IpHost host;
    EXPECT_FALSE(host.ip.path_to(far_v4, host.now));
    EXPECT_FALSE(host.ip.path_to(our_v4, host.now));
    EXPECT_EQ(host.ip.counters().no_route.value(), 2U);
}

// VIP fail-over: the new owner announces itself, and the connection goes on to its MAC at once.
TEST(Arp, GratuitousArpMovesAConnectionToTheNewMac) {
    for (const uint16_t operation : {uint16_t{1}, uint16_t{2}}) {
        IpHost host;
        host.hear(IpHost::arp_request(peer_v4, peer_mac, our_v4));
        const auto path = host.ip.path_to(peer_v4, host.now);
        host.ip.neighbours().retain(path->next_hop);
        host.sent();
        host.hear(IpHost::arp(
            {.operation = operation, .sender_mac = other_mac, .sender = peer_v4, .target = peer_v4},
            broadcast_mac));
        EXPECT_TRUE(host.sent().empty());
        host.send_tcp(*path, peer_v4);
        EXPECT_EQ(load_mac(host.sent_one().data()), other_mac);
        EXPECT_EQ(host.ip.neighbours().counters().mac_changed, 1U);
    }
}

TEST(Arp, GratuitousArpMakesNoEntry) {
    IpHost host;
    host.hear(
        IpHost::arp({.sender_mac = peer_mac, .sender = peer_v4, .target = peer_v4}, broadcast_mac));
    EXPECT_EQ(host.ip.neighbours().size(), 0U);
}

// A neighbour that goes silent is probed, asked for by everybody, and found again at another MAC.
TEST(Arp, LostNeighbourIsResolvedAgain) {
    IpHost host;
    const auto path = host.ip.path_to(peer_v4, host.now);
    host.send_tcp(*path, peer_v4);
    host.hear(IpHost::arp_reply(peer_v4, peer_mac));
    host.sent();
    host.advance(60 * second_ns);  // stale
    host.send_tcp(*path, peer_v4);
    EXPECT_EQ(load_mac(host.sent_one().data()), peer_mac);
    host.advance(8 * second_ns);  // delay, three probes
    const auto probes = host.sent();
    ASSERT_EQ(probes.size(), 3U);
    for (const Bytes& probe : probes) {
        EXPECT_EQ(read_arp(probe).to, peer_mac);
    }
    host.send_tcp(*path, peer_v4);
    EXPECT_EQ(read_arp(host.sent_one()).to, broadcast_mac);
    host.hear(IpHost::arp_reply(peer_v4, other_mac));
    EXPECT_EQ(load_mac(host.sent_one().data()), other_mac);
}

TEST(Arp, StartAnnouncesTwiceAndAsksForTheGateway) {
    InterfaceOptions options;
    options.addresses = {{our_v4, 24}, {frames::ip_address("10.0.1.1"), 24}};
    options.gateway_v4 = gateway_v4;
    IpHost host(options);
    host.ip.start(host.now);
    host.out.flush();
    const auto first = host.sent();
    ASSERT_EQ(first.size(), 3U);
    EXPECT_EQ(read_arp(first[0]).sender, our_v4);
    EXPECT_EQ(read_arp(first[0]).target, our_v4);
    EXPECT_EQ(read_arp(first[1]).target, frames::ip_address("10.0.1.1"));
    EXPECT_EQ(read_arp(first[2]).target, gateway_v4);
    host.hear(IpHost::arp_reply(gateway_v4, other_mac));
    host.advance(60 * second_ns);
    EXPECT_EQ(host.sent().size(), 2U);
}

TEST(Arp, WorkerThatDoesNotAnnounceAnswersWhatItIsAsked) {
    InterfaceOptions options = plain_options();
    options.announces = false;
    IpHost host(options);
    host.ip.start(host.now);
    host.advance(10 * second_ns);
    EXPECT_TRUE(host.sent().empty());
    host.hear(IpHost::arp_request(peer_v4, peer_mac, our_v4));
    host.hear(IpHost::solicitation(peer_v6, our_v6));
    host.hear(IpHost::icmp({.type = 8}, peer_v4, our_v4));
    EXPECT_EQ(host.sent().size(), 3U);
    EXPECT_TRUE(host.ip.neighbours().find(peer_v4));
    EXPECT_TRUE(host.ip.neighbours().find(peer_v6));
}

TEST(Arp, ConflictIsDefendedOnceInTenSeconds) {
    IpHost host;
    const Bytes claim = IpHost::arp_request(our_v4, other_mac, our_v4);
    for (int i = 0; i < 9; ++i) {
        host.hear(claim);
        host.advance(second_ns);
    }
    const Seen defence = read_arp(host.sent_one());
    EXPECT_EQ(defence.to, broadcast_mac);
    EXPECT_EQ(defence.sender, our_v4);
    EXPECT_EQ(defence.sender_mac, our_mac);
    host.advance(second_ns);
    host.hear(claim);
    EXPECT_EQ(host.sent().size(), 1U);
    EXPECT_EQ(host.ip.counters().conflicts.value(), 10U);
    EXPECT_EQ(host.ip.counters().defences.value(), 2U);
    EXPECT_EQ(host.ip.neighbours().size(), 0U);
}

TEST(Arp, OurOwnFrameReflectedIsNoConflict) {
    IpHost host;
    host.hear(IpHost::arp_request(our_v4, our_mac, our_v4));
    EXPECT_EQ(host.ip.counters().conflicts.value(), 0U);
    EXPECT_TRUE(host.sent().empty());
}

// 100,000 requests in a second from all of a /16: memory, answers and evictions stay bounded, and
// the connection that was there keeps its neighbour.
TEST(Arp, FloodIsBounded) {
    InterfaceOptions options;
    options.addresses = {{our_v4, 16}};
    IpHost host(options);
    host.hear(IpHost::arp_request(peer_v4, peer_mac, our_v4));
    const auto path = host.ip.path_to(peer_v4, host.now);
    host.ip.neighbours().retain(path->next_hop);
    for (uint32_t i = 0; i < 100'000; ++i) {
        host.now += 10 * microsecond_ns;
        IpAddress sender = frames::ip_address("10.0.128.0");
        sender.octets[14] = static_cast<uint8_t>(sender.octets[14] | (i >> 8 & 0x7f));
        sender.octets[15] = static_cast<uint8_t>(i);
        host.hear(IpHost::arp_request(sender, other_mac, our_v4));
    }
    EXPECT_LE(host.sent().size(), 2300U);
    EXPECT_GE(host.ip.counters().neighbour_answers_limited.value(), 97'000U);
    EXPECT_LE(host.ip.neighbours().counters().created, 600U);
    EXPECT_GE(host.ip.counters().neighbour_creates_limited.value(), 90'000U);
    EXPECT_LE(host.ip.neighbours().size(), Neighbours::entries_max);
    host.send_tcp(*path, peer_v4);
    EXPECT_EQ(load_mac(host.sent_one().data()), peer_mac);
}

TEST(Arp, VlanTagIsWritten) {
    InterfaceOptions options = plain_options();
    options.vlan = 7;
    IpHost host(options);
    host.hear(frames::ethernet(
        broadcast_mac, peer_mac, 0x0806,
        frames::arp({.sender_mac = peer_mac, .sender = peer_v4, .target = our_v4}), 0x6007));
    const Bytes reply = host.sent_one();
    EXPECT_EQ(frames::get(reply, 12, 4), 0x81000007U);
    EXPECT_EQ(read_arp(reply, 18).operation, 2U);
}

TEST(Arp, PortWithoutMemoryIsCountedAndNothingLeaks) {
    IpHost host;
    host.port.set_buffers_max(0);
    host.hear(IpHost::arp_request(peer_v4, peer_mac, our_v4));
    EXPECT_EQ(host.ip.counters().no_frame.value(), 1U);
    host.port.set_buffers_max(FakePort::unlimited);
    host.port.set_transmit_room(0);
    for (int i = 0; i < 1000; ++i) {
        host.now += millisecond_ns;
        host.hear(IpHost::arp_request(peer_v4, peer_mac, our_v4));
    }
    EXPECT_GT(host.ip.counters().no_frame.value(), 500U);
    EXPECT_EQ(host.out.waiting(), 256U);
    host.port.set_transmit_room(FakePort::unlimited);
    host.out.flush();
    EXPECT_EQ(host.sent().size(), 256U);
}

}  // namespace
}  // namespace sy::tcpip
