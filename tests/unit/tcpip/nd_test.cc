// Neighbour discovery and duplicate detection as seen on the wire (RFC 4861, RFC 4862).
#include <gtest/gtest.h>

#include "tests/unit/tcpip/ip_host.h"

namespace sy::tcpip {
namespace {

using frames::Bytes;

struct Seen {
    Mac to;
    IpAddress source;
    IpAddress destination;
    uint64_t type = 0;
    uint64_t flags = 0;
    IpAddress target;
    Bytes options;
};
Seen read_nd(const Bytes& frame) {
    EXPECT_GE(frame.size(), 14U + 40 + 24);
    EXPECT_EQ(frames::get(frame, 12, 2), 0x86ddU);
    EXPECT_EQ(frame[14 + 6], 58);
    EXPECT_EQ(frame[14 + 7], 255);
    Seen out;
    out.to = load_mac(frame.data());
    out.source = IpAddress::from_ipv6(&frame[14 + 8]);
    out.destination = IpAddress::from_ipv6(&frame[14 + 24]);
    const Bytes message = frames::part(frame, 54, frame.size() - 54);
    EXPECT_EQ(frames::get(frame, 14 + 4, 2), message.size());
    EXPECT_EQ(frames::l4_checksum(out.source, out.destination, 58, message), 0);
    out.type = message[0];
    out.flags = message[4];
    out.target = IpAddress::from_ipv6(&message[8]);
    out.options = frames::part(message, 24, message.size() - 24);
    return out;
}
Bytes mac_option(uint8_t type) {
    Bytes out{type, 1};
    frames::append(out, our_mac);
    return out;
}

TEST(Discovery, SolicitationIsAnsweredAndItsSenderRemembered) {
    IpHost host;
    host.hear(IpHost::solicitation(peer_v6, our_v6));
    const Seen advert = read_nd(host.sent_one());
    EXPECT_EQ(advert.to, peer_mac);
    EXPECT_EQ(advert.source, our_v6);
    EXPECT_EQ(advert.destination, peer_v6);
    EXPECT_EQ(advert.type, 136U);
    EXPECT_EQ(advert.flags, 0x60U);
    EXPECT_EQ(advert.target, our_v6);
    EXPECT_EQ(advert.options, mac_option(2));
    const auto path = host.ip.path_to(peer_v6, host.now);
    ASSERT_TRUE(path);
    EXPECT_NE(host.ip.next_hop(path->next_hop, host.now), nullptr);
}

TEST(Discovery, UnicastProbeWithoutOptionIsAnsweredAndMakesNoEntry) {
    IpHost host;
    host.hear(IpHost::discovery({.type = 135, .target = our_v6}, peer_v6, our_v6));
    EXPECT_EQ(read_nd(host.sent_one()).destination, peer_v6);
    EXPECT_EQ(host.ip.neighbours().size(), 0U);
}

TEST(Discovery, ProbeOfAnotherHostForOurAddressIsAnsweredToAll) {
    IpHost host;
    host.hear(
        IpHost::discovery({.type = 135, .target = our_v6}, unspecified_v6, solicited_node(our_v6)));
    const Seen advert = read_nd(host.sent_one());
    EXPECT_EQ(advert.destination, all_nodes);
    EXPECT_EQ(advert.to, multicast_mac(all_nodes));
    EXPECT_EQ(advert.flags, 0x20U);
    EXPECT_EQ(host.ip.neighbours().size(), 0U);
}

TEST(Discovery, SegmentWaitsForTheAdvertisement) {
    IpHost host;
    const auto path = host.ip.path_to(peer_v6, host.now);
    ASSERT_TRUE(path);
    EXPECT_EQ(path->source, our_v6);
    host.send_tcp(*path, peer_v6, {1, 2, 3});
    const Seen solicitation = read_nd(host.sent_one());
    EXPECT_EQ(solicitation.to, multicast_mac(solicited_node(peer_v6)));
    EXPECT_EQ(solicitation.destination, solicited_node(peer_v6));
    EXPECT_EQ(solicitation.source, our_v6);
    EXPECT_EQ(solicitation.target, peer_v6);
    EXPECT_EQ(solicitation.options, mac_option(1));
    host.hear(IpHost::advertisement(peer_v6, peer_mac));
    const Bytes segment = host.sent_one();
    EXPECT_EQ(load_mac(segment.data()), peer_mac);
    EXPECT_EQ(segment[14 + 6], 6);
    EXPECT_EQ(host.ip.neighbours().state(path->next_hop), Neighbours::State::reachable);
}

TEST(Discovery, LostNeighbourIsProbedByUnicastThenSought) {
    IpHost host;
    const auto path = host.ip.path_to(peer_v6, host.now);
    host.send_tcp(*path, peer_v6);
    host.hear(IpHost::advertisement(peer_v6, peer_mac));
    host.sent();
    host.advance(60 * second_ns);
    host.send_tcp(*path, peer_v6);
    EXPECT_EQ(load_mac(host.sent_one().data()), peer_mac);
    host.advance(8 * second_ns);
    const auto probes = host.sent();
    ASSERT_EQ(probes.size(), 3U);
    EXPECT_EQ(read_nd(probes[0]).to, peer_mac);
    EXPECT_EQ(read_nd(probes[0]).destination, peer_v6);
    host.send_tcp(*path, peer_v6);
    EXPECT_EQ(read_nd(host.sent_one()).destination, solicited_node(peer_v6));
}

TEST(Discovery, UnsolicitedAdvertisementMovesAConnectionIfItOverrides) {
    IpHost host;
    const auto path = host.ip.path_to(peer_v6, host.now);
    host.send_tcp(*path, peer_v6);
    host.hear(IpHost::advertisement(peer_v6, peer_mac));
    host.sent();
    const auto announce = [&](uint8_t flags) {
        host.hear(
            IpHost::discovery({.type = 136, .flags = flags, .target = peer_v6, .mac = other_mac},
                              peer_v6, all_nodes));
        host.send_tcp(*path, peer_v6);
        return load_mac(host.sent_one().data());
    };
    EXPECT_EQ(announce(0), peer_mac);
    EXPECT_EQ(announce(0x20), other_mac);
}

TEST(Discovery, AdvertisementNobodyAskedForMakesNoEntry) {
    IpHost host;
    host.hear(IpHost::advertisement(peer_v6, peer_mac));
    EXPECT_EQ(host.ip.neighbours().size(), 0U);
    EXPECT_EQ(host.ip.counters().nd_ignored.value(), 1U);
}

TEST(Discovery, BadMessagesAreCounted) {
    IpHost host;
    const auto bad = [&](const Bytes& frame) {
        const uint64_t before = host.ip.counters().nd_bad.value();
        host.hear(frame);
        EXPECT_TRUE(host.sent().empty());
        return host.ip.counters().nd_bad.value() == before + 1;
    };
    const frames::Icmp solicitation =
        frames::discovery({.type = 135, .target = our_v6, .mac = peer_mac});
    const IpAddress group = solicited_node(our_v6);
    EXPECT_TRUE(bad(IpHost::icmp(solicitation, peer_v6, group, 254)));  // crossed a router
    frames::Icmp message = solicitation;
    message.code = 1;
    EXPECT_TRUE(bad(IpHost::icmp(message, peer_v6, group, 255)));
    message = solicitation;
    message.body.resize(15);  // no whole target
    EXPECT_TRUE(bad(IpHost::icmp(message, peer_v6, group, 255)));
    message = solicitation;
    message.body[0] = 0xff;  // a group as target
    EXPECT_TRUE(bad(IpHost::icmp(message, peer_v6, group, 255)));
    message = solicitation;
    message.body[17] = 0;  // option of length 0
    EXPECT_TRUE(bad(IpHost::icmp(message, peer_v6, group, 255)));
    message.body[17] = 2;  // option longer than the message
    EXPECT_TRUE(bad(IpHost::icmp(message, peer_v6, group, 255)));
    message = solicitation;
    message.body.resize(17);  // half an option header
    EXPECT_TRUE(bad(IpHost::icmp(message, peer_v6, group, 255)));
    message = solicitation;
    message.body[18] = 0x33;  // a group as MAC
    EXPECT_TRUE(bad(IpHost::icmp(message, peer_v6, group, 255)));
    // From the unspecified address: no MAC, and only to the group of the target.
    EXPECT_TRUE(bad(IpHost::icmp(solicitation, unspecified_v6, group, 255)));
    EXPECT_TRUE(bad(IpHost::discovery({.type = 135, .target = our_v6}, unspecified_v6, our_v6)));
    // Solicited, but to all.
    EXPECT_TRUE(bad(IpHost::discovery(
        {.type = 136, .flags = 0x40, .target = peer_v6, .mac = peer_mac}, peer_v6, all_nodes)));
    EXPECT_TRUE(bad(IpHost::discovery({.type = 136, .target = peer_v6, .mac = peer_mac},
                                      unspecified_v6, all_nodes)));
    EXPECT_EQ(host.ip.neighbours().size(), 0U);
}

TEST(Discovery, FragmentHeaderIsRefused) {
    IpHost host;
    const frames::Icmp message =
        frames::discovery({.type = 135, .target = our_v6, .mac = peer_mac});
    host.hear(frames::ethernet(our_mac, peer_mac, 0x86dd,
                               frames::ip({.source = peer_v6,
                                           .destination = our_v6,
                                           .protocol = 44,
                                           .ttl = 255,
                                           .options = {58, 0, 0, 0, 0, 0, 0, 1}},
                                          frames::icmp(message, peer_v6, our_v6))));
    EXPECT_EQ(host.ip.counters().nd_bad.value(), 1U);
}

TEST(Discovery, RouterMessagesAndRedirectsAreIgnored) {
    IpHost host;
    for (const uint8_t type : std::initializer_list<uint8_t>{133, 134, 137}) {
        host.hear(IpHost::icmp({.type = type, .body = Bytes(32, 0)}, frames::ip_address("fe80::9"),
                               all_nodes, 255));
    }
    EXPECT_EQ(host.ip.counters().nd_ignored.value(), 3U);
    EXPECT_FALSE(host.ip.path_to(far_v6, host.now));
    EXPECT_TRUE(host.sent().empty());
}

TEST(Discovery, SolicitationsForOthersAndFromOffTheLinkAreIgnored) {
    IpHost host;
    host.hear(
        IpHost::discovery({.type = 135, .target = peer_v6, .mac = peer_mac}, peer_v6, all_nodes));
    host.hear(IpHost::solicitation(far_v6, our_v6));
    EXPECT_TRUE(host.sent().empty());
    EXPECT_EQ(host.ip.counters().nd_ignored.value(), 2U);
    EXPECT_EQ(host.ip.neighbours().size(), 0U);
}

TEST(Discovery, ConflictsAreCounted) {
    IpHost host;
    host.hear(IpHost::solicitation(our_v6, our_v6));
    host.hear(IpHost::discovery({.type = 136, .flags = 0x20, .target = our_v6, .mac = other_mac},
                                our_v6, all_nodes));
    EXPECT_EQ(host.ip.counters().conflicts.value(), 2U);
    EXPECT_TRUE(host.sent().empty());
    EXPECT_TRUE(host.ip.interface().has(our_v6));
}

TEST(Discovery, FloodIsBounded) {
    IpHost host;
    for (uint32_t i = 0; i < 50'000; ++i) {
        host.now += 10 * microsecond_ns;
        IpAddress sender = frames::ip_address("2001:db8::1:0:0");
        store_be(sender.octets.data() + 12, i);
        host.hear(IpHost::solicitation(sender, our_v6));
    }
    EXPECT_LE(host.sent().size(), 1300U);
    EXPECT_LE(host.ip.neighbours().counters().created, 400U);
}

class Detection : public testing::Test {
  protected:
    Detection() {
        host_.ip.start(host_.now);
        host_.out.flush();
    }
    static InterfaceOptions options() {
        InterfaceOptions out;
        out.addresses = {{our_v6, 64}};
        out.gateway_v6 = frames::ip_address("fe80::254");
        return out;
    }
    // What was sent but for reports of groups (mld_test.cc).
    std::vector<Bytes> discoveries() {
        auto sent = host_.sent();
        std::erase_if(sent, [](const Bytes& frame) { return frame.at(14 + 6) == 0; });
        return sent;
    }
    IpHost host_{options()};
};

TEST_F(Detection, AddressIsUsableAfterASecondOfSilence) {
    const auto probes = discoveries();
    ASSERT_EQ(probes.size(), 2U);  // the link-local one too
    const Seen probe = read_nd(probes[0]);
    EXPECT_EQ(probe.source, unspecified_v6);
    EXPECT_EQ(probe.destination, solicited_node(our_v6));
    EXPECT_EQ(probe.target, our_v6);
    EXPECT_TRUE(probe.options.empty());
    EXPECT_FALSE(host_.ip.interface().has(our_v6));
    EXPECT_FALSE(host_.ip.path_to(peer_v6, host_.now));
    host_.advance(second_ns - 1);
    EXPECT_FALSE(host_.ip.interface().has(our_v6));
    host_.advance(1);
    EXPECT_TRUE(host_.ip.interface().has(our_v6));
    EXPECT_TRUE(host_.ip.interface().has(our_link_local));
    const auto after = discoveries();
    ASSERT_EQ(after.size(), 3U);  // two announcements, and who is the gateway?
    EXPECT_EQ(read_nd(after[0]).type, 136U);
    EXPECT_EQ(read_nd(after[0]).destination, all_nodes);
    EXPECT_EQ(read_nd(after[0]).flags, 0x20U);
    EXPECT_EQ(read_nd(after[2]).target, frames::ip_address("fe80::254"));
    EXPECT_EQ(read_nd(after[2]).source, our_link_local);
    EXPECT_TRUE(host_.ip.path_to(far_v6, host_.now));
}

TEST_F(Detection, SolicitationsForATentativeAddressAreNotAnswered) {
    host_.sent();
    host_.hear(IpHost::solicitation(peer_v6, our_v6));
    EXPECT_TRUE(host_.sent().empty());
    host_.advance(second_ns);
    EXPECT_TRUE(host_.ip.interface().has(our_v6));
}

TEST_F(Detection, AdvertisementOfTheOwnerEndsIt) {
    host_.hear(IpHost::discovery({.type = 136, .flags = 0x20, .target = our_v6, .mac = other_mac},
                                 our_v6, all_nodes));
    host_.advance(10 * second_ns);
    EXPECT_FALSE(host_.ip.interface().has(our_v6));
    EXPECT_TRUE(host_.ip.interface().has(our_link_local));
    EXPECT_EQ(host_.ip.counters().duplicates.value(), 1U);
    host_.sent();
    host_.hear(IpHost::solicitation(peer_v6, our_v6));
    EXPECT_TRUE(host_.sent().empty());
}

TEST_F(Detection, AnotherDetectorOfTheSameAddressEndsIt) {
    const Bytes probe =
        IpHost::discovery({.type = 135, .target = our_v6}, unspecified_v6, solicited_node(our_v6));
    Bytes reflected = probe;
    std::copy(our_mac.begin(), our_mac.end(), reflected.begin() + 6);
    host_.hear(reflected);  // our own comes back
    EXPECT_EQ(host_.ip.counters().duplicates.value(), 0U);
    host_.hear(probe);
    EXPECT_EQ(host_.ip.counters().duplicates.value(), 1U);
    host_.advance(2 * second_ns);
    EXPECT_FALSE(host_.ip.interface().has(our_v6));
}

TEST_F(Detection, StartAgainAfterTheLinkCameBackAnnounces) {
    host_.advance(60 * second_ns);
    host_.sent();
    host_.ip.start(host_.now);
    host_.out.flush();
    const auto again = discoveries();
    ASSERT_EQ(again.size(), 2U);
    EXPECT_EQ(read_nd(again[0]).type, 136U);
    EXPECT_TRUE(host_.ip.interface().has(our_v6));
}

}  // namespace
}  // namespace sy::tcpip
