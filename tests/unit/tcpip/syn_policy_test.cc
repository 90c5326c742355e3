// Who gets a cookie in a flood: a rate, and a reserve for networks that are known.
#include "io/tcpip/syn_policy.h"

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "tests/support/frames.h"

namespace sy::tcpip {
namespace {

uint64_t network(const char* host) {
    return SynPolicy::network_of(frames::ip_address(host));
}

TEST(SynPolicy, GivesOutNoMoreThanItsRateToStrangers) {
    SynPolicy policy(256, 1);
    policy.pass(100 * millisecond_ns);  // nobody saves more than one millisecond's
    uint32_t given = 0;
    Prng prng(1);
    for (uint32_t ms = 0; ms < 10; ++ms) {
        for (uint32_t syn = 0; syn < 5'000; ++syn) {
            given += policy.take(prng() >> 40) ? 1U : 0U;
            policy.pass(millisecond_ns / 5'000);
        }
    }
    EXPECT_GE(given, 11u * 256 - 1);
    EXPECT_LE(given, 11u * 256 + 1);
}

TEST(SynPolicy, KeepsAReserveForNetworksThatAreKnown) {
    SynPolicy policy(256, 1);
    policy.know(network("192.0.2.7"));
    policy.pass(second_ns);
    while (policy.take(network("198.51.100.1"))) {
    }
    EXPECT_TRUE(policy.take(network("192.0.2.200")));  // the same /24
    EXPECT_FALSE(policy.take(network("192.0.3.7")));
    uint32_t given = 1;
    while (policy.take(network("192.0.2.1"))) {
        ++given;
    }
    EXPECT_EQ(given, 256u);  // and not without end: whoever spoofs them is bounded
}

TEST(SynPolicy, TellsNetworksOfIpv6ByTheir64Bits) {
    SynPolicy policy(1, 3);
    policy.know(network("2001:db8:1:2::1"));
    policy.pass(millisecond_ns);  // the reserve alone
    EXPECT_FALSE(policy.take(network("2001:db8:1:3::1")));
    EXPECT_TRUE(policy.take(network("2001:db8:1:2:ffff::9")));
}

TEST(SynPolicy, HardlyEverTakesASpoofedSourceForAKnownOne) {
    SynPolicy policy(1'000'000, 7);
    for (uint32_t i = 0; i < 100; ++i) {
        policy.know(0xC00000 + i * 977);
    }
    Prng prng(1);
    uint32_t taken = 0;
    policy.pass(millisecond_ns);  // the reserve alone: known ones take it, others nothing
    for (uint32_t i = 0; i < 100'000; ++i) {
        taken += policy.take(prng() >> 40) ? 1U : 0U;
    }
    EXPECT_LT(taken, 400u);  // 100 bits of 65,536: 153
}

}  // namespace
}  // namespace sy::tcpip
