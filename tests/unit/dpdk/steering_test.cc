// Who needs which frame.
#include "io/dpdk/steering.h"

#include <array>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "tests/unit/dpdk/packets.h"

namespace sy::dpdk {
namespace {

using test::flow;
using test::ip;
using test::Octets8;

const tcpip::FlowKey ipv4_flow = flow("192.0.2.7", 40'000, "192.0.2.1", 2775);
const tcpip::FlowKey ipv6_flow = flow("2001:db8::7", 40'000, "2001:db8::1", 2775);

void expect_owner(const Octets8& frame, const tcpip::FlowKey& of) {
    const Steering steering = steer(frame);
    EXPECT_EQ(steering.to, Destination::owner);
    EXPECT_EQ(steering.flow, of);
}

TEST(Steering, TcpGoesToTheOwnerWithAnyTags) {
    for (const int tags : {0, 1, 2}) {
        expect_owner(test::tcp_frame(ipv4_flow, 10, tags), ipv4_flow);
        expect_owner(test::tcp_frame(ipv6_flow, 10, tags), ipv6_flow);
    }
    EXPECT_EQ(steer(test::tcp_frame(ipv4_flow, 10, 3)).to, Destination::here);
}

TEST(Steering, OptionsAndExtensionHeadersArePassedOver) {
    expect_owner(test::ethernet(0x0800, test::packet(ipv4_flow.remote, ipv4_flow.local, 6,
                                                     test::tcp(40'000, 2775), 0x4000, 40)),
                 ipv4_flow);
    // Hop-by-hop of 8 octets, then routing of 16, then TCP.
    Octets8 behind{43, 0, 1, 4, 0, 0, 0, 0, 6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    test::put(behind, test::tcp(40'000, 2775));
    expect_owner(test::ethernet(0x86dd, test::packet(ipv6_flow.remote, ipv6_flow.local, 0, behind)),
                 ipv6_flow);
}

TEST(Steering, FragmentsStay) {
    for (const unsigned fragment : {0x2000u, 0x0001u, 0x2001u, 0x1fffu}) {
        const Octets8 frame = test::ethernet(
            0x0800,
            test::packet(ipv4_flow.remote, ipv4_flow.local, 6, test::tcp(1, 2, 30), fragment));
        EXPECT_EQ(steer(frame).to, Destination::here) << fragment;
        EXPECT_FALSE(is_plain_tcp(frame)) << fragment;
    }
    Octets8 behind{6, 0, 0, 1, 0, 0, 0, 1};
    test::put(behind, test::tcp(1, 2));
    EXPECT_EQ(
        steer(test::ethernet(0x86dd, test::packet(ipv6_flow.remote, ipv6_flow.local, 44, behind)))
            .to,
        Destination::here);
}

TEST(Steering, ArpAnswersAreEverybodysAndQuestionsAreNot) {
    EXPECT_EQ(steer(test::arp(2, "192.0.2.7", "192.0.2.1")).to, Destination::every);
    EXPECT_EQ(steer(test::arp(1, "192.0.2.7", "192.0.2.7")).to, Destination::every);
    EXPECT_EQ(steer(test::arp(1, "192.0.2.7", "192.0.2.1")).to, Destination::here);
}

TEST(Steering, IcmpErrorsGoToTheFlowThatTheyQuote) {
    for (const uint8_t type : std::to_array<uint8_t>({3, 4, 5, 11, 12})) {
        expect_owner(test::icmp_error(type, ipv4_flow), ipv4_flow);
    }
    for (const uint8_t type : std::to_array<uint8_t>({1, 2, 3, 4})) {
        expect_owner(test::icmp_error(type, ipv6_flow), ipv6_flow);
    }
    for (const uint8_t type : std::to_array<uint8_t>({0, 8, 13})) {
        EXPECT_EQ(steer(test::icmp_error(type, ipv4_flow)).to, Destination::here);
    }
    EXPECT_EQ(steer(test::icmp_error(128, ipv6_flow)).to, Destination::here);
}

TEST(Steering, IcmpErrorsAboutOthersStay) {
    const Octets8 udp(8, 0);
    Octets8 message{3, 3, 0, 0, 0, 0, 0, 0};
    test::put(message, test::packet(ipv4_flow.local, ipv4_flow.remote, 17, udp));
    EXPECT_EQ(
        steer(test::ethernet(0x0800, test::packet(ip("192.0.2.254"), ipv4_flow.local, 1, message)))
            .to,
        Destination::here);
}

TEST(Steering, NdAnswersAreEverybodysAndQuestionsAreNot) {
    for (const uint8_t type : std::to_array<uint8_t>({134, 136, 137})) {
        EXPECT_EQ(steer(test::icmp_error(type, ipv6_flow)).to, Destination::every) << int{type};
    }
    for (const uint8_t type : std::to_array<uint8_t>({133, 135, 130, 143})) {
        EXPECT_EQ(steer(test::icmp_error(type, ipv6_flow)).to, Destination::here) << int{type};
    }
}

TEST(Steering, EveryCutFrameIsReadWithinItsOctets) {
    const Octets8 frames[] = {test::tcp_frame(ipv4_flow, 8, 2), test::tcp_frame(ipv6_flow, 8, 1),
                              test::icmp_error(3, ipv4_flow), test::icmp_error(2, ipv6_flow),
                              test::arp(2, "192.0.2.7", "192.0.2.1")};
    for (const Octets8& whole : frames) {
        for (size_t bytes = 0; bytes <= whole.size(); ++bytes) {
            const Octets8 cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(bytes));
            const Steering steering = steer(cut);
            if (steering.to == Destination::owner) {
                EXPECT_EQ(steering.flow, steer(whole).flow);
            }
            (void)is_plain_tcp(cut);
        }
    }
}

TEST(PlainTcp, HoldsForTcpBehindAPlainHeaderOnly) {
    EXPECT_TRUE(is_plain_tcp(test::tcp_frame(ipv4_flow)));
    EXPECT_TRUE(is_plain_tcp(test::tcp_frame(ipv4_flow, 0, 1)));
    EXPECT_TRUE(is_plain_tcp(test::tcp_frame(ipv6_flow)));
    EXPECT_TRUE(is_plain_tcp(test::tcp_frame(ipv6_flow, 0, 1)));
    EXPECT_FALSE(is_plain_tcp(test::tcp_frame(ipv4_flow, 0, 2)));
    EXPECT_FALSE(is_plain_tcp(test::icmp_error(3, ipv4_flow)));
    EXPECT_FALSE(is_plain_tcp(test::icmp_error(2, ipv6_flow)));
    EXPECT_FALSE(is_plain_tcp(test::arp(2, "192.0.2.7", "192.0.2.1")));
    EXPECT_FALSE(is_plain_tcp(test::ethernet(
        0x0800, test::packet(ipv4_flow.remote, ipv4_flow.local, 6, test::tcp(1, 2, 30), 0, 4))));
}

// The short way must never keep what the long way would give to everybody.
TEST(PlainTcp, AgreesWithTheLongWayOnChangedFrames) {
    Prng prng(3);
    uint32_t plain = 0;
    for (int i = 0; i < 200'000; ++i) {
        Octets8 frame = i % 2 == 0 ? test::tcp_frame(ipv4_flow, 20, i / 2 % 2)
                                   : test::tcp_frame(ipv6_flow, 20, i / 2 % 2);
        for (uint64_t changes = prng() % 3; changes > 0; --changes) {
            frame[12 + prng() % 30] = static_cast<uint8_t>(prng());
        }
        if (is_plain_tcp(frame)) {
            ++plain;
            ASSERT_NE(steer(frame).to, Destination::every);
        }
    }
    EXPECT_GT(plain, 50'000u);
}

}  // namespace
}  // namespace sy::dpdk
