#include "bench/smppload/event_wheel.h"

#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::load {
namespace {

// The model: a multimap by instant.
TEST(EventWheel, FiresLikeASortedMapOnRandomInput) {
    Prng prng(5);
    EventWheel<uint32_t> wheel;
    std::multimap<Nanos, uint32_t> model;
    Nanos now = 1'000 * second_ns;
    wheel.advance(now, [](uint32_t) {});
    uint32_t next = 0;
    for (int step = 0; step < 20'000; ++step) {
        const auto count = prng.below(4);
        for (uint64_t i = 0; i < count; ++i) {
            // Now and then behind us, or further than one round of the wheel.
            const Nanos at =
                now - 1'000 + prng.below(prng.chance(1, 50) ? 4 * second_ns : 3'000'000);
            wheel.schedule(at, next);
            model.emplace(at, next++);
        }
        if (!model.empty()) {
            ASSERT_LE(wheel.next_ns(), std::max(model.begin()->first, now) + 65'536);
        }
        now += prng.below(prng.chance(1, 500) ? 3 * second_ns : 200'000);
        std::vector<uint32_t> fired, expected;
        wheel.advance(now, [&](uint32_t event) { fired.push_back(event); });
        while (!model.empty() && model.begin()->first <= now) {
            expected.push_back(model.begin()->second);
            model.erase(model.begin());
        }
        std::sort(fired.begin(), fired.end());
        std::sort(expected.begin(), expected.end());
        ASSERT_EQ(fired, expected) << step;
        ASSERT_EQ(wheel.size(), model.size());
    }
}

TEST(EventWheel, EqualInstantsKeepTheirOrder) {
    EventWheel<int> wheel;
    for (int i = 0; i < 5; ++i) {
        wheel.schedule(second_ns, i);
    }
    std::vector<int> fired;
    wheel.advance(second_ns, [&](int event) { fired.push_back(event); });
    EXPECT_EQ(fired, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(EventWheel, AnEventMayScheduleAnother) {
    EventWheel<int> wheel;
    wheel.schedule(second_ns, 1);
    int fired = 0;
    for (Nanos now = 0; now < 3 * second_ns; now += millisecond_ns) {
        wheel.advance(now, [&](int left) {
            ++fired;
            if (left < 4) {
                wheel.schedule(now + 10 * millisecond_ns, left + 1);
            }
        });
    }
    EXPECT_EQ(fired, 4);
    EXPECT_EQ(wheel.next_ns(), ~Nanos{0});
}

}  // namespace
}  // namespace sy::load
