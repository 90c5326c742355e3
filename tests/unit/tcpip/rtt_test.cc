#include "io/tcpip/rtt.h"

#include <gtest/gtest.h>

namespace sy::tcpip {
namespace {

constexpr Nanos us = microsecond_ns;
constexpr Nanos ms = millisecond_ns;

TEST(RttEstimator, BeginsWithOneSecond) {
    RttEstimator rtt;
    EXPECT_EQ(rtt.rto(), second_ns);
    EXPECT_FALSE(rtt.has_sample());
    rtt.syn_lost();
    EXPECT_EQ(rtt.rto(), 3 * second_ns);
    rtt.sample(100 * ms);
    EXPECT_EQ(rtt.rto(), 300 * ms);
}

// RFC 6298 (2.2) and (2.3) by hand: 100 ms, then 200 ms, then 100 ms.
TEST(RttEstimator, FollowsTheFormulas) {
    RttEstimator rtt;
    rtt.sample(100 * ms);
    EXPECT_EQ(rtt.srtt(), 100 * ms);
    EXPECT_EQ(rtt.rttvar(), 50 * ms);
    EXPECT_EQ(rtt.rto(), 300 * ms);
    rtt.sample(200 * ms);
    EXPECT_EQ(rtt.rttvar(), 62'500 * us);  // 3/4 * 50 + 1/4 * 100
    EXPECT_EQ(rtt.srtt(), 112'500 * us);   // 7/8 * 100 + 1/8 * 200
    EXPECT_EQ(rtt.rto(), 362'500 * us);
    rtt.sample(100 * ms);
    EXPECT_EQ(rtt.rttvar(), 50 * ms);  // 3/4 * 62.5 + 1/4 * 12.5
    EXPECT_EQ(rtt.srtt(), 110'937'500U);
    EXPECT_EQ(rtt.rto(), 310'937'500U);
}

TEST(RttEstimator, KeepsTheMinimumAndTheMaximum) {
    RttEstimator fast;
    fast.sample(10 * ms);
    EXPECT_EQ(fast.rto(), 200 * ms);
    RttEstimator configured(30 * ms);
    configured.sample(10 * ms);
    EXPECT_EQ(configured.rto(), 30 * ms);
    configured.sample(20 * ms);  // 11.25 + 4 * 6.25 = 36.25
    EXPECT_EQ(configured.rto(), 36'250 * us);
    RttEstimator slow;
    slow.sample(3 * second_ns);
    EXPECT_EQ(slow.rto(), 9 * second_ns);
    slow.sample(100 * second_ns);
    EXPECT_EQ(slow.rto(), 60 * second_ns);
    RttEstimator strange(1000 * second_ns);
    strange.sample(1 * ms);
    EXPECT_EQ(strange.rto(), 60 * second_ns);
}

// Constant round trips let RTTVAR shrink to nothing; the timeout stays a tick above SRTT.
TEST(RttEstimator, KeepsATickAboveRoundTripsOfMicroseconds) {
    RttEstimator rtt(0);
    for (const Nanos trip : {Nanos{0}, Nanos{1}, 1 * us, 10 * us, 100 * us, 1 * ms}) {
        for (int i = 0; i < 300; ++i) {
            rtt.sample(trip);
            ASSERT_GE(rtt.rto(), rtt.srtt() + RttEstimator::granularity_ns);
        }
        EXPECT_LE(rtt.rttvar(), trip / 10 + 1) << trip;
        EXPECT_LE(rtt.srtt(), trip + trip / 10 + 8) << trip;
        EXPECT_LE(rtt.rto(), trip + trip / 2 + RttEstimator::granularity_ns + 50) << trip;
    }
}

TEST(RttEstimator, DoublesUpToTheMaximumAndCollapsesWithASample) {
    RttEstimator rtt;
    rtt.sample(100 * ms);  // RTO 300 ms
    for (const Nanos expected : {600 * ms, 1200 * ms, 2400 * ms, 4800 * ms, 9600 * ms, 19'200 * ms,
                                 38'400 * ms, 60'000 * ms, 60'000 * ms}) {
        rtt.back_off();
        EXPECT_EQ(rtt.rto(), expected);
    }
    EXPECT_EQ(rtt.backoffs(), 8U);
    rtt.sample(100 * ms);  // RTTVAR 37.5 ms
    EXPECT_EQ(rtt.rto(), 250 * ms);
    EXPECT_EQ(rtt.backoffs(), 0U);
    rtt.back_off();
    rtt.reset_back_off();
    EXPECT_EQ(rtt.rto(), 250 * ms);
}

TEST(RttEstimator, BacksOffBeforeTheFirstSample) {
    RttEstimator rtt;
    for (const Nanos expected : {2U, 4U, 8U, 16U, 32U, 60U, 60U}) {
        rtt.back_off();
        EXPECT_EQ(rtt.rto(), expected * second_ns);
    }
}

TEST(RttEstimator, TakesAnySample) {
    RttEstimator rtt;
    rtt.sample(~Nanos{0});
    EXPECT_EQ(rtt.rto(), 60 * second_ns);
    for (int i = 0; i < 100; ++i) {
        rtt.sample(0);
    }
    EXPECT_LE(rtt.rto(), second_ns);
    for (int i = 0; i < 100; ++i) {
        rtt.back_off();
    }
    EXPECT_EQ(rtt.rto(), 60 * second_ns);
}

}  // namespace
}  // namespace sy::tcpip
