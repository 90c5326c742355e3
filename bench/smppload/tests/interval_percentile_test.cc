#include "bench/smppload/interval_percentile.h"

#include <gtest/gtest.h>

namespace sy::load {
namespace {

constexpr Nanos interval = IntervalPercentile::interval_ns;

// One interval's worth of samples: the first `late` take `late_ns`, the others 1,000.
void fill(
    IntervalPercentile& of, Nanos begin, uint64_t late, uint64_t late_ns, uint64_t count = 1000) {
    for (uint64_t i = 0; i < count; ++i) {
        of.record(begin + i, i < late ? late_ns : 1'000);
    }
}

TEST(IntervalPercentile, AFewBadIntervalsDoNotMoveTheMedian) {
    IntervalPercentile of(99, 10 * interval);
    Histogram whole;
    for (uint64_t i = 0; i < 10; ++i) {
        const bool bad = i % 3 == 0;
        fill(of, (i + 1) * interval, bad ? 100 : 0, 2'000'000);
        for (int sample = 0; sample < 1000; ++sample) {
            whole.record(bad && sample < 100 ? 2'000'000 : 1'000);
        }
    }
    of.record(11 * interval, 1'000);  // ends the last
    EXPECT_NEAR(static_cast<double>(of.median()), 1'000, 1'000.0 / 32);
    EXPECT_GT(whole.percentile(99), 1'900'000U);
}

TEST(IntervalPercentile, WhatMostIntervalsHaveIsSeen) {
    IntervalPercentile of(99, 10 * interval);
    for (uint64_t i = 0; i < 10; ++i) {
        fill(of, (i + 1) * interval, i % 3 == 0 ? 0 : 11, 2'000'000);
    }
    of.record(11 * interval, 1'000);
    EXPECT_NEAR(static_cast<double>(of.median()), 2'000'000, 2'000'000.0 / 32);
}

// Where much is late, few are answered.
TEST(IntervalPercentile, OneWithFewerAnswersCountsLikeAnother) {
    IntervalPercentile of(99, 10 * interval);
    for (uint64_t i = 0; i < 10; ++i) {
        const bool bad = i % 3 != 0;
        fill(of, (i + 1) * interval, bad ? 150 : 0, 2'000'000, bad ? 150 : 1000);
    }
    of.record(11 * interval, 1'000);
    EXPECT_NEAR(static_cast<double>(of.median()), 2'000'000, 2'000'000.0 / 32);
}

TEST(IntervalPercentile, OneThatIsNotOverOrHasTooFewSaysNothing) {
    IntervalPercentile of(99, interval);
    fill(of, interval, 0, 0);
    EXPECT_EQ(of.median(), 0U);
    of.record(2 * interval, 7'000'000);  // ends the first; this second one has one sample
    of.record(3 * interval, 7'000'000);
    EXPECT_NEAR(static_cast<double>(of.median()), 1'000, 1'000.0 / 32);
}

}  // namespace
}  // namespace sy::load
