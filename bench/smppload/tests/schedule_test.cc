#include "bench/smppload/schedule.h"

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::load {
namespace {

TEST(Schedule, FirstMessageIsDueAtTheStart) {
    const Schedule schedule(1000, 5 * second_ns);
    EXPECT_EQ(schedule.due(5 * second_ns - 1), 0u);
    EXPECT_EQ(schedule.due(5 * second_ns), 1u);
    EXPECT_EQ(schedule.due(5 * second_ns + millisecond_ns - 1), 1u);
    EXPECT_EQ(schedule.due(5 * second_ns + millisecond_ns), 2u);
}

TEST(Schedule, KeepsTheRateWithoutDrift) {
    // 7 a second has no period in whole nanoseconds.
    const Schedule schedule(7, 0);
    const uint64_t year_s = 365 * 86'400;
    EXPECT_EQ(schedule.intended_ns(7 * year_s), year_s * second_ns);
    EXPECT_EQ(schedule.due(year_s * second_ns), 7 * year_s + 1);
}

TEST(Schedule, DueCountsExactlyTheIntendedInstants) {
    // Law: due(intended(k)) counts k itself, one nanosecond earlier it does not, for rates that
    // divide nothing. Above a message a nanosecond several share an instant; rates stay below.
    Prng prng(4);
    for (int i = 0; i < 2'000; ++i) {
        const double rate = 0.5 + static_cast<double>(prng.below(3'000'000));
        const Schedule schedule(rate, 1'000);
        const uint64_t k = 1 + prng.below(1'000'000'000);
        const Nanos at = schedule.intended_ns(k);
        ASSERT_EQ(schedule.due(at), k + 1) << rate << " " << k;
        ASSERT_EQ(schedule.due(at - 1), k) << rate << " " << k;
    }
}

}  // namespace
}  // namespace sy::load
