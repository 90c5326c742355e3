#include "io/tcpip/timer_wheel.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::tcpip {
namespace {

constexpr Nanos never = TimerWheel::never_ns;
constexpr Nanos tick = TimerWheel::tick_ns;
constexpr uint32_t unlimited = 0xFFFFFFFF;

std::vector<uint32_t> expire(TimerWheel& wheel, Nanos now, uint32_t budget = unlimited) {
    std::vector<uint32_t> out;
    const uint32_t called = wheel.advance(now, budget, [&](uint32_t id) { out.push_back(id); });
    EXPECT_EQ(called, out.size());
    return out;
}

TEST(TimerWheel, IsNeverEarlyAndAtMostOneTickLate) {
    for (const Nanos start : {Nanos{0}, Nanos{123'456'789}, Nanos{1} << 62}) {
        for (const Nanos after :
             {Nanos{1}, tick - 1, tick, tick + 1, 1023 * tick, 1024 * tick, 1024 * tick + 1,
              1'500'000 * tick, 70'000'000 * tick, 200'000'000 * tick + 7}) {
            TimerWheel wheel(1, start);
            wheel.arm(0, start + after);
            EXPECT_TRUE(expire(wheel, start + after - 1).empty()) << after;
            EXPECT_LE(wheel.next_ns(), start + after + tick) << after;
            EXPECT_EQ(expire(wheel, start + after + tick).size(), 1U) << after;
            EXPECT_EQ(wheel.next_ns(), never);
            EXPECT_EQ(wheel.deadline(0), never);
        }
    }
}

TEST(TimerWheel, WakesUpFewTimesForAFarDeadline) {
    TimerWheel wheel(1, 0);
    const Nanos deadline = 10 * 3600 * second_ns;
    wheel.arm(0, deadline);
    int wakes = 0;
    while (wheel.armed() != 0) {
        ASSERT_LE(wheel.next_ns(), deadline + tick);
        expire(wheel, wheel.next_ns());
        ++wakes;
    }
    EXPECT_LE(wakes, 3);  // one a level
}

TEST(TimerWheel, KeepsItsPlaceWhenTheDeadlineMovesAwayAndMovesWhenItComesNearer) {
    TimerWheel wheel(2, 0);
    wheel.arm(0, 10 * tick);
    wheel.arm(0, 500 * tick);
    EXPECT_EQ(wheel.next_ns(), 10 * tick);  // the old slot, for nothing
    EXPECT_TRUE(expire(wheel, 499 * tick).empty());
    EXPECT_EQ(wheel.next_ns(), 500 * tick);
    wheel.arm(0, 499 * tick + 1);  // the same tick
    EXPECT_EQ(wheel.next_ns(), 500 * tick);
    wheel.arm(1, 5000 * tick);
    wheel.arm(1, 600 * tick);
    EXPECT_EQ(expire(wheel, 500 * tick), (std::vector<uint32_t>{0}));
    EXPECT_EQ(expire(wheel, 600 * tick), (std::vector<uint32_t>{1}));
}

TEST(TimerWheel, ArmsAgainWhatWasDisarmedAndStillHasItsSlot) {
    TimerWheel wheel(1, 0);
    wheel.arm(0, 10 * tick);
    wheel.disarm(0);
    EXPECT_EQ(wheel.armed(), 0U);
    EXPECT_EQ(wheel.next_ns(), never);
    wheel.arm(0, 20 * tick);  // later: in the old slot
    EXPECT_EQ(wheel.deadline(0), 20 * tick);
    EXPECT_TRUE(expire(wheel, 19 * tick).empty());
    EXPECT_EQ(expire(wheel, 20 * tick).size(), 1U);
    wheel.arm(0, 50 * tick);
    wheel.disarm(0);
    wheel.arm(0, 30 * tick);  // earlier: moved
    EXPECT_TRUE(expire(wheel, 29 * tick).empty());
    EXPECT_EQ(expire(wheel, 30 * tick).size(), 1U);
    wheel.arm(0, 40 * tick);
    wheel.disarm(0);
    wheel.disarm(0);
    EXPECT_TRUE(expire(wheel, 1000 * tick).empty());
    wheel.arm(0, 1001 * tick);
    EXPECT_EQ(expire(wheel, 1001 * tick).size(), 1U);
}

TEST(TimerWheel, ExpiresWhatIsOverdueWithTheNextTick) {
    for (const Nanos deadline : {Nanos{0}, Nanos{1}, 1500 * tick, 2000 * tick}) {
        TimerWheel wheel(1, 1000 * tick);
        expire(wheel, 2000 * tick);
        wheel.arm(0, deadline);
        EXPECT_LE(wheel.next_ns(), 2001 * tick);
        EXPECT_EQ(expire(wheel, 2001 * tick).size(), 1U);
    }
}

TEST(TimerWheel, DoesTheRestOfALargeExpiryInLaterCalls) {
    TimerWheel wheel(1000, 0);
    for (uint32_t id = 0; id < 1000; ++id) {
        wheel.arm(id, (id % 2 == 0 ? 7 : 3000) * tick);
    }
    std::set<uint32_t> seen;
    int calls = 0;
    while (wheel.armed() != 0) {
        const auto now = expire(wheel, 4000 * tick, 64);
        ASSERT_LE(now.size(), 64U);
        seen.insert(now.begin(), now.end());
        ASSERT_EQ(wheel.next_ns(), wheel.armed() == 0 ? never : 0);
        ++calls;
    }
    EXPECT_EQ(seen.size(), 1000U);
    // Those of 3 s were looked at twice: in their slot of the second level and in that of the
    // first.
    EXPECT_LE(calls, 1500 / 64 + 1);
    EXPECT_TRUE(expire(wheel, 5000 * tick, 0).empty());
}

TEST(TimerWheel, MayBeArmedAndDisarmedWithinTheCall) {
    TimerWheel wheel(3, 0);
    wheel.arm(0, 5 * tick);
    wheel.arm(1, 5 * tick);
    wheel.arm(2, 6 * tick);
    std::vector<uint32_t> order;
    wheel.advance(10 * tick, unlimited, [&](uint32_t id) {
        order.push_back(id);
        EXPECT_EQ(wheel.deadline(id), never);
        if (id == 0) {
            wheel.disarm(1);
            wheel.arm(2, 12 * tick);
            wheel.arm(0, 11 * tick);
        }
    });
    EXPECT_EQ(order, (std::vector<uint32_t>{0}));
    EXPECT_EQ(expire(wheel, 11 * tick), (std::vector<uint32_t>{0}));
    EXPECT_EQ(expire(wheel, 12 * tick), (std::vector<uint32_t>{2}));
}

TEST(TimerWheel, ATimerThatIsAlwaysOverdueDoesNotHoldTheCall) {
    TimerWheel wheel(1, 0);
    wheel.arm(0, 1);
    uint32_t calls = wheel.advance(1'000'000 * tick, 50, [&](uint32_t id) { wheel.arm(id, 1); });
    EXPECT_EQ(calls, 50U);
    // Without a budget once for each tick that it is behind, not for ever.
    TimerWheel other(1, 0);
    other.arm(0, 1);
    calls = other.advance(100 * tick, unlimited, [&](uint32_t id) { other.arm(id, 1); });
    EXPECT_LE(calls, 101U);
}

TEST(TimerWheel, SurvivesTheEndOfTime) {
    for (const Nanos start : {Nanos{0}, never - 5 * tick, never - 1, Nanos{1} << 63}) {
        TimerWheel wheel(4, start);
        wheel.arm(0, never - 1);
        wheel.arm(1, never);
        wheel.arm(2, start == 0 ? tick : start);
        wheel.arm(3, never - 2 * tick);
        EXPECT_EQ(wheel.deadline(0), never - 1);
        EXPECT_EQ(wheel.armed(), 3U);
        EXPECT_LE(wheel.next_ns(), never - 1);
        std::set<uint32_t> seen;
        // A jump over centuries: parked timers are looked at again, a bounded number of times.
        for (int call = 0; call < 4; ++call) {
            for (const uint32_t id : expire(wheel, never - 1, 8)) {
                seen.insert(id);
            }
        }
        // The tick of the last instant may lie behind the end.
        EXPECT_TRUE(seen.contains(2));
        EXPECT_TRUE(seen.contains(3));
        EXPECT_FALSE(seen.contains(1));
        wheel.arm(1, 5);
        wheel.disarm(1);
        EXPECT_TRUE(wheel.next_ns() == never || wheel.armed() != 0);
    }
}

TEST(TimerWheel, TakesAClockThatStandsOrGoesBack) {
    TimerWheel wheel(1, 100 * tick);
    wheel.arm(0, 150 * tick);
    EXPECT_TRUE(expire(wheel, 140 * tick).empty());
    EXPECT_TRUE(expire(wheel, 50 * tick).empty());
    EXPECT_TRUE(expire(wheel, 0).empty());
    EXPECT_EQ(expire(wheel, 150 * tick).size(), 1U);
}

// Model: an ordered set of (tick by which the timer must have expired, id).
class Differential {
  public:
    Differential(uint64_t seed, Nanos start, uint32_t timers)
        : prng_(seed),
          start_(start),
          now_(start),
          wheel_(timers, start),
          deadlines_(timers, never),
          must_by_(timers, 0) {}

    void step() {
        const uint64_t what = prng_.below(100);
        const auto id = static_cast<uint32_t>(prng_.below(deadlines_.size()));
        if (what < 55) {
            arm(id, random_deadline());
        } else if (what < 65) {
            wheel_.disarm(id);
            forget(id);
        } else {
            const Nanos later = random_span(prng_.chance(1, 50) ? 8 : 4);
            now_ = later < never - 1 - now_ ? now_ + later : now_;
            if (what < 75) {
                advance_in_pieces(1 + static_cast<uint32_t>(prng_.below(5)));
            } else {
                advance(unlimited);
            }
            nothing_late();
        }
        ASSERT_EQ(wheel_.deadline(id), deadlines_[id]);
        ASSERT_EQ(wheel_.armed(), by_tick_.size());
        next_is_a_lower_bound();
    }

  private:
    // Up to the given power of a kind of time span: 0 ns, us, ms, s, minutes, hours, days, years.
    Nanos random_span(uint64_t kinds) {
        static constexpr Nanos spans[] = {1000,
                                          microsecond_ns * 1000,
                                          20 * millisecond_ns,
                                          2 * second_ns,
                                          100 * second_ns,
                                          3 * 3600 * second_ns,
                                          3 * 86400 * second_ns,
                                          1000 * 86400 * second_ns};
        return prng_.below(spans[prng_.below(kinds)]);
    }
    Nanos random_deadline() {
        const Nanos span = random_span(prng_.chance(1, 10) ? 8 : 5);
        switch (prng_.below(50)) {
            case 0:
                return never;
            case 1:
                return never - 1;
            case 2:
                return 0;
            case 3:
                return now_;
            case 4:
                return now_ - std::min(span, now_);
            case 5:  // exactly on a tick
                return now_ + span / tick * tick - (now_ - start_) % tick + tick;
            default:
                return span < never - 1 - now_ ? now_ + span : never - 1;
        }
    }

    void forget(uint32_t id) {
        by_tick_.erase({must_by_[id], id});
        deadlines_[id] = never;
    }
    void arm(uint32_t id, Nanos deadline) {
        wheel_.arm(id, deadline);
        forget(id);
        if (deadline != never) {
            const Nanos after = deadline < start_ ? 0 : deadline - start_;
            must_by_[id] = std::max(after / tick + (after % tick != 0 ? 1 : 0), next_tick_);
            deadlines_[id] = deadline;
            by_tick_.insert({must_by_[id], id});
        }
    }
    uint32_t advance(uint32_t budget) {
        next_tick_ = (now_ - start_) / tick + 1;
        const uint32_t called = wheel_.advance(now_, budget, [&](uint32_t id) {
            early_ = early_ || deadlines_[id] > now_;
            forget(id);
            if (prng_.chance(1, 3)) {
                arm(id, random_deadline());
            }
            if (prng_.chance(1, 5)) {
                const auto other = static_cast<uint32_t>(prng_.below(deadlines_.size()));
                arm(other, prng_.chance(1, 3) ? never : random_deadline());
            }
        });
        EXPECT_FALSE(early_);
        EXPECT_LE(called, budget);
        return called;
    }
    void advance_in_pieces(uint32_t budget) {
        int calls = 0;
        do {
            advance(budget);
            ASSERT_LT(++calls, 1'000'000);
        } while (wheel_.next_ns() == 0);
    }
    void nothing_late() {
        if (!by_tick_.empty()) {
            ASSERT_GE(by_tick_.begin()->first, next_tick_);
        }
    }
    void next_is_a_lower_bound() {
        if (by_tick_.empty()) {
            ASSERT_EQ(wheel_.next_ns(), never);
            return;
        }
        const uint64_t first = by_tick_.begin()->first;
        const Nanos at = first >= (never - start_) / tick ? never - 1 : start_ + first * tick;
        ASSERT_LE(wheel_.next_ns(), at);
    }

    Prng prng_;
    Nanos start_;
    Nanos now_;
    TimerWheel wheel_;
    std::vector<Nanos> deadlines_;
    std::vector<uint64_t> must_by_;
    std::set<std::pair<uint64_t, uint32_t>> by_tick_;
    uint64_t next_tick_ = 0;  // the earliest that is not over
    bool early_ = false;
};

TEST(TimerWheel, EqualsASortedSetThroughAMillionRandomSteps) {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
        const Nanos start = seed % 2 == 0 ? seed * 777'777'777 : (Nanos{1} << 63) - second_ns;
        Differential run(seed, start, seed == 5 ? 3 : 300);
        for (int step = 0; step < 200'000 && !::testing::Test::HasFailure(); ++step) {
            run.step();
        }
        ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed;
    }
}

}  // namespace
}  // namespace sy::tcpip
