#include "io/tcpip/congestion.h"

#include <gtest/gtest.h>

namespace sy::tcpip {
namespace {

constexpr uint32_t mss = 1000;

NewReno with(uint32_t cwnd, uint32_t ssthresh) {
    NewReno out;
    out.cwnd = cwnd;
    out.ssthresh = ssthresh;
    return out;
}

// A whole window is in flight and acknowledged.
void ack(NewReno& reno, uint32_t acked) {
    reno.on_ack(acked, reno.cwnd, true, mss);
}

TEST(NewReno, BeginsWithTheWindowOfRfc6928) {
    EXPECT_EQ(NewReno::initial_window(536), 5360U);
    EXPECT_EQ(NewReno::initial_window(1220), 12'200U);
    EXPECT_EQ(NewReno::initial_window(1460), 14'600U);
    EXPECT_EQ(NewReno::initial_window(4000), 14'600U);
    EXPECT_EQ(NewReno::initial_window(8960), 17'920U);
    NewReno reno;
    reno.start(mss, false);
    EXPECT_EQ(reno.cwnd, 10'000U);
    EXPECT_TRUE(reno.in_slow_start());
    reno.start(mss, true);
    EXPECT_EQ(reno.cwnd, 1000U);
}

TEST(NewReno, GrowsInSlowStartByWhatIsAcknowledgedAtMostTwoSegments) {
    NewReno reno = with(10'000, 100'000);
    ack(reno, 1000);
    EXPECT_EQ(reno.cwnd, 11'000U);
    ack(reno, 200);  // an SMPP PDU, not a segment
    EXPECT_EQ(reno.cwnd, 11'200U);
    ack(reno, 2000);
    EXPECT_EQ(reno.cwnd, 13'200U);
    ack(reno, 9000);  // a stretch ACK
    EXPECT_EQ(reno.cwnd, 15'200U);
}

TEST(NewReno, GrowsByOneSegmentAWindowInCongestionAvoidance) {
    NewReno reno = with(10'000, 10'000);
    for (int i = 0; i < 9; ++i) {
        ack(reno, 1000);
    }
    EXPECT_EQ(reno.cwnd, 10'000U);
    ack(reno, 1000);
    EXPECT_EQ(reno.cwnd, 11'000U);
    ack(reno, 11'500);
    EXPECT_EQ(reno.cwnd, 12'000U);
    EXPECT_EQ(reno.bytes_acked, 500U);
    ack(reno, 11'500);
    EXPECT_EQ(reno.cwnd, 13'000U);
    EXPECT_EQ(reno.bytes_acked, 0U);
}

TEST(NewReno, DoesNotGrowWithoutBeingUsed) {
    for (NewReno reno : {with(10'000, 100'000), with(10'000, 5000)}) {
        for (int i = 0; i < 100; ++i) {
            reno.on_ack(4000, 10'000, false, mss);  // nothing was held back
            reno.on_ack(4000, 4000, true, mss);     // less than half of it was in flight
        }
        EXPECT_EQ(reno.cwnd, 10'000U);
        EXPECT_EQ(reno.bytes_acked, 0U);
    }
}

TEST(NewReno, HalvesTheFlightAtFastRetransmitAndInflates) {
    NewReno reno = with(20'000, 100'000);
    reno.on_fast_retransmit(16'000, mss);
    EXPECT_EQ(reno.ssthresh, 8000U);
    EXPECT_EQ(reno.cwnd, 11'000U);
    reno.on_duplicate_ack(mss);
    reno.on_duplicate_ack(mss);
    EXPECT_EQ(reno.cwnd, 13'000U);
    reno.on_partial_ack(3000, mss);  // 13 - 3 + 1
    EXPECT_EQ(reno.cwnd, 11'000U);
    reno.on_partial_ack(400, mss);  // less than a segment: nothing is added back
    EXPECT_EQ(reno.cwnd, 10'600U);
    reno.on_recovery_exit(3000, mss);
    EXPECT_EQ(reno.cwnd, 4000U);  // min(8000, 3000 + 1000)
    EXPECT_EQ(reno.ssthresh, 8000U);
}

TEST(NewReno, LeavesRecoveryWithAtMostSsthreshAndAtLeastTwoSegments) {
    NewReno reno = with(20'000, 100'000);
    reno.on_fast_retransmit(16'000, mss);
    NewReno busy = reno;
    busy.on_recovery_exit(50'000, mss);
    EXPECT_EQ(busy.cwnd, 8000U);
    reno.on_recovery_exit(0, mss);
    EXPECT_EQ(reno.cwnd, 2000U);
}

TEST(NewReno, DoesNotInflateWithSack) {
    NewReno reno = with(20'000, 100'000);
    reno.on_sack_recovery(16'000, mss);
    EXPECT_EQ(reno.ssthresh, 8000U);
    EXPECT_EQ(reno.cwnd, 8000U);
}

TEST(NewReno, NeverGoesBelowTwoSegmentsOfSsthresh) {
    NewReno reno = with(3000, 100'000);
    reno.on_fast_retransmit(1500, mss);
    EXPECT_EQ(reno.ssthresh, 2000U);
    EXPECT_EQ(reno.cwnd, 5000U);
    reno.on_partial_ack(5000, mss);
    EXPECT_EQ(reno.cwnd, 1000U);
    reno.on_partial_ack(900, mss);
    EXPECT_EQ(reno.cwnd, 1000U);
}

TEST(NewReno, StartsAgainSlowlyAfterATimeout) {
    NewReno reno = with(20'000, 100'000);
    reno.bytes_acked = 700;
    reno.on_rto(16'000, mss);
    EXPECT_EQ(reno.ssthresh, 8000U);
    EXPECT_EQ(reno.cwnd, 1000U);
    EXPECT_EQ(reno.bytes_acked, 0U);
    reno.on_rto(1000, mss, true);  // the same segment: ssthresh stays
    EXPECT_EQ(reno.ssthresh, 8000U);
    ack(reno, 1000);
    EXPECT_EQ(reno.cwnd, 2000U);
    ack(reno, 2000);  // L = 1 now
    EXPECT_EQ(reno.cwnd, 3000U);
    for (int i = 0; i < 5; ++i) {
        ack(reno, 1000);
    }
    EXPECT_EQ(reno.cwnd, 8000U);
    EXPECT_FALSE(reno.in_slow_start());
    EXPECT_FALSE(reno.after_rto);
    ack(reno, 7999);
    EXPECT_EQ(reno.cwnd, 8000U);
    ack(reno, 1);
    EXPECT_EQ(reno.cwnd, 9000U);
}

TEST(NewReno, RestartsAfterIdleWithTheRestartWindow) {
    NewReno large = with(50'000, 30'000);
    large.on_idle(mss);
    EXPECT_EQ(large.cwnd, 10'000U);
    EXPECT_EQ(large.ssthresh, 30'000U);
    NewReno small = with(4000, 30'000);
    small.on_idle(mss);
    EXPECT_EQ(small.cwnd, 4000U);
}

TEST(NewReno, StaysBelowTheLargestWindow) {
    NewReno reno = with(NewReno::window_bytes_max - 500, NewReno::window_bytes_max);
    ack(reno, 2000);
    EXPECT_EQ(reno.cwnd, NewReno::window_bytes_max);
    ack(reno, 0xFFFFFFFF);
    ack(reno, 0xFFFFFFFF);
    EXPECT_EQ(reno.cwnd, NewReno::window_bytes_max);
    reno.on_recovery_exit(0xFFFFFFFF, 65'495);
    EXPECT_LE(reno.cwnd, NewReno::window_bytes_max);
}

}  // namespace
}  // namespace sy::tcpip
