// ICMP of both families: echo, and errors that quote our segments.
#include <gtest/gtest.h>

#include "tests/unit/tcpip/ip_host.h"

namespace sy::tcpip {
namespace {

using frames::Bytes;
using Kind = IcmpError::Kind;

constexpr uint32_t seq = 0xfedcba98;

// The beginning of a segment of ours, as a router quotes it.
Bytes quoted(const IpAddress& source, const IpAddress& destination, size_t l4_bytes = 8) {
    const Bytes segment = frames::tcp(
        {.source_port = 2775, .destination_port = 40000, .seq = seq, .payload = Bytes(1400, 1)},
        source, destination);
    Bytes packet = frames::ip({.source = source, .destination = destination}, segment);
    packet.resize((source.is_ipv4() ? 20 : 40) + l4_bytes);
    return packet;
}
Bytes error4(uint8_t type, uint8_t code, uint32_t rest, const Bytes& body) {
    return IpHost::icmp({.type = type, .code = code, .rest = rest, .body = body},
                        frames::ip_address("198.51.100.1"), our_v4);
}
Bytes error6(uint8_t type, uint8_t code, uint32_t rest, const Bytes& body) {
    return IpHost::icmp({.type = type, .code = code, .rest = rest, .body = body},
                        frames::ip_address("2001:db8:77::1"), our_v6);
}

TEST(Icmp, EchoOverIpv4IsAnswered) {
    IpHost host;
    for (const size_t bytes : {0U, 1U, 56U, 1472U}) {
        const Bytes body(bytes, 0x5a);
        host.hear(IpHost::icmp({.type = 8, .rest = 0x12340001, .body = body}, far_v4, our_v4));
        const Bytes reply = host.sent_one();
        EXPECT_EQ(load_mac(reply.data()), peer_mac);
        EXPECT_EQ(frames::checksum(frames::part(reply, 14, 20)), 0);
        EXPECT_EQ(reply[14 + 9], 1);
        EXPECT_EQ(IpAddress::from_ipv4(&reply[14 + 12]), our_v4);
        EXPECT_EQ(IpAddress::from_ipv4(&reply[14 + 16]), far_v4);
        const Bytes message = frames::part(reply, 34, reply.size() - 34);
        EXPECT_EQ(message,
                  frames::icmp({.type = 0, .rest = 0x12340001, .body = body}, our_v4, far_v4));
    }
    EXPECT_EQ(host.ip.counters().echo_out.value(), 4U);
}

TEST(Icmp, EchoOverIpv6IsAnswered) {
    IpHost host;
    const Bytes body(777, 0x5a);
    host.hear(IpHost::icmp({.type = 128, .rest = 0x12340001, .body = body}, far_v6, our_v6));
    const Bytes reply = host.sent_one();
    EXPECT_EQ(load_mac(reply.data()), peer_mac);
    EXPECT_EQ(reply[14 + 6], 58);
    EXPECT_EQ(frames::part(reply, 54, reply.size() - 54),
              frames::icmp({.type = 129, .rest = 0x12340001, .body = body}, our_v6, far_v6));
}

TEST(Icmp, EchoToGroupsIsNotAnswered) {
    IpHost host;
    host.hear(IpHost::icmp({.type = 128}, peer_v6, all_nodes));
    host.hear(IpHost::icmp({.type = 8}, peer_v4, frames::ip_address("10.0.0.255")));
    EXPECT_TRUE(host.sent().empty());
    EXPECT_EQ(host.ip.counters().echo_in.value(), 0U);
    EXPECT_EQ(host.ip.dropped(Drop::not_our_address), 1U);
}

TEST(Icmp, EchoIsBoundedInRate) {
    IpHost host;
    for (int i = 0; i < 10'000; ++i) {
        host.now += 100 * microsecond_ns;  // a second in all
        host.hear(IpHost::icmp({.type = 8}, peer_v4, our_v4));
    }
    EXPECT_GE(host.ip.counters().echo_out.value(), 1000U);
    EXPECT_LE(host.ip.counters().echo_out.value(), 1100U);
    EXPECT_EQ(host.ip.counters().echo_limited.value(),
              10'000U - host.ip.counters().echo_out.value());
    EXPECT_EQ(host.ip.neighbours().size(), 0U);
}

TEST(Icmp, EchoLargerThanThePortIsNotAnswered) {
    PortInfo info = IpHost::default_info();
    info.mtu = 600;
    IpHost host(plain_options(), info);
    host.hear(IpHost::icmp({.type = 8, .body = Bytes(1000, 0)}, peer_v4, our_v4));
    EXPECT_TRUE(host.sent().empty());
    EXPECT_EQ(host.ip.counters().no_frame.value(), 1U);
}

TEST(Icmp, ErrorsOverIpv4SayWhichSegmentAndHowBad) {
    struct Case {
        uint8_t type;
        uint8_t code;
        Kind kind;
    };
    const Case cases[] = {{3, 0, Kind::soft},  {3, 1, Kind::soft},  {3, 2, Kind::hard},
                          {3, 3, Kind::hard},  {3, 5, Kind::soft},  {3, 9, Kind::hard},
                          {3, 10, Kind::hard}, {3, 11, Kind::soft}, {3, 13, Kind::hard},
                          {11, 0, Kind::soft}, {11, 1, Kind::soft}, {12, 0, Kind::soft}};
    IpHost host;
    for (const Case& each : cases) {
        const auto error = host.hear(error4(each.type, each.code, 0, quoted(our_v4, far_v4)));
        ASSERT_TRUE(error);
        EXPECT_EQ(error->flow, (FlowKey{far_v4, our_v4, 40000, 2775}));
        EXPECT_EQ(error->seq, Seq{seq});
        EXPECT_EQ(error->kind, each.kind) << int{each.type} << " " << int{each.code};
        EXPECT_EQ(error->type, each.type);
        EXPECT_EQ(error->code, each.code);
    }
    EXPECT_EQ(host.ip.counters().errors_in.value(), std::size(cases));
    EXPECT_TRUE(host.sent().empty());  // never an answer to an error
}

TEST(Icmp, ErrorsOverIpv6SayWhichSegmentAndHowBad) {
    struct Case {
        uint8_t type;
        uint8_t code;
        Kind kind;
    };
    const Case cases[] = {{1, 0, Kind::soft}, {1, 1, Kind::hard}, {1, 3, Kind::soft},
                          {1, 4, Kind::hard}, {1, 5, Kind::hard}, {1, 6, Kind::hard},
                          {3, 0, Kind::soft}, {4, 0, Kind::soft}, {4, 1, Kind::hard}};
    IpHost host;
    for (const Case& each : cases) {
        const auto error = host.hear(error6(each.type, each.code, 0, quoted(our_v6, far_v6)));
        ASSERT_TRUE(error);
        EXPECT_EQ(error->flow, (FlowKey{far_v6, our_v6, 40000, 2775}));
        EXPECT_EQ(error->seq, Seq{seq});
        EXPECT_EQ(error->kind, each.kind) << int{each.type} << " " << int{each.code};
    }
}

TEST(Icmp, TooBigTellsTheSize) {
    IpHost host;
    auto error = host.hear(error4(3, 4, 1400, quoted(our_v4, far_v4)));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind, Kind::too_big);
    EXPECT_EQ(error->mtu, 1400U);
    // A router that does not tell: the plateau below the 1440 octets of the packet.
    error = host.hear(error4(3, 4, 0, quoted(our_v4, far_v4)));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->mtu, 1006U);
    error = host.hear(error6(2, 0, 1280, quoted(our_v6, far_v6)));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind, Kind::too_big);
    EXPECT_EQ(error->mtu, 1280U);
    EXPECT_FALSE(host.hear(error4(3, 4, 67, quoted(our_v4, far_v4))));
    EXPECT_FALSE(host.hear(error6(2, 0, 1279, quoted(our_v6, far_v6))));
    EXPECT_EQ(host.ip.counters().icmp_bad.value(), 2U);
}

TEST(Icmp, ErrorsThatQuoteWhatWeNeverSendAreRefused) {
    IpHost host;
    const auto refused4 = [&](const Bytes& body) {
        const uint64_t before = host.ip.counters().icmp_bad.value();
        return !host.hear(error4(3, 1, 0, body)) &&
               host.ip.counters().icmp_bad.value() == before + 1;
    };
    const auto refused6 = [&](const Bytes& body) {
        const uint64_t before = host.ip.counters().icmp_bad.value();
        return !host.hear(error6(1, 0, 0, body)) &&
               host.ip.counters().icmp_bad.value() == before + 1;
    };
    for (size_t bytes = 0; bytes < 28; ++bytes) {
        EXPECT_TRUE(refused4(frames::part(quoted(our_v4, far_v4), 0, bytes))) << bytes;
    }
    for (size_t bytes = 0; bytes < 48; ++bytes) {
        EXPECT_TRUE(refused6(frames::part(quoted(our_v6, far_v6), 0, bytes))) << bytes;
    }
    EXPECT_TRUE(refused4(quoted(peer_v4, far_v4)));
    EXPECT_TRUE(refused6(quoted(peer_v6, far_v6)));
    const std::pair<size_t, uint8_t> changes[] = {{0, 0x44}, {0, 0x65}, {0, 0x4f},
                                                  {9, 17},   {6, 0x20}, {7, 1}};
    for (const auto& [at, value] : changes) {
        Bytes body = quoted(our_v4, far_v4);
        body[at] = value;
        EXPECT_TRUE(refused4(body)) << at;
    }
    Bytes body = quoted(our_v6, far_v6);
    body[6] = 17;
    EXPECT_TRUE(refused6(body));
    body = quoted(our_v6, far_v6);
    body[0] = 0x45;
    EXPECT_TRUE(refused6(body));
}

TEST(Icmp, QuotedIpv4OptionsAreSkipped) {
    IpHost host;
    Bytes body = frames::ip(
        {.source = our_v4, .destination = far_v4, .options = {1, 1, 1, 0}},
        frames::tcp({.source_port = 1, .destination_port = 2, .seq = seq}, our_v4, far_v4));
    body.resize(32);
    const auto error = host.hear(error4(3, 1, 0, body));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->seq, Seq{seq});
    EXPECT_EQ(error->flow.local_port, 1);
}

TEST(Icmp, OtherTypesAreIgnored) {
    IpHost host;
    for (const uint8_t type : std::initializer_list<uint8_t>{0, 4, 5, 9, 13, 17, 255}) {
        EXPECT_FALSE(host.hear(error4(type, 0, 0, quoted(our_v4, far_v4))));
    }
    for (const uint8_t type : std::initializer_list<uint8_t>{0, 100, 127, 129, 131, 143, 200}) {
        EXPECT_FALSE(host.hear(error6(type, 0, 0, quoted(our_v6, far_v6))));
    }
    EXPECT_EQ(host.ip.counters().icmp_ignored.value(), 14U);
    EXPECT_TRUE(host.sent().empty());
}

}  // namespace
}  // namespace sy::tcpip
