// The neighbour cache alone: states, bounds, who is given up.
#include "io/tcpip/neighbours.h"

#include <map>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "io/tcpip/wire.h"
#include "tests/support/frames.h"

namespace sy::tcpip {
namespace {

using Handle = Neighbours::Handle;
using State = Neighbours::State;

const Mac mac_a{0x02, 0, 0, 0, 0, 0xaa};
const Mac mac_b{0x02, 0, 0, 0, 0, 0xbb};
constexpr Nanos begin = 5 * second_ns;

IpAddress address(uint32_t number) {
    IpAddress out = frames::ip_address("2001:db8::");
    store_be(out.octets.data() + 12, number);
    return out;
}

struct Link final : NeighbourLink {
    struct Solicit {
        IpAddress target;
        bool unicast = false;
    };
    void solicit(const IpAddress& target, const Mac* known) override {
        solicits.push_back({target, known != nullptr});
    }
    void transmit(const TxFrame& frame) override { sent.push_back(frame); }
    void discard(const TxFrame& frame) override { discarded.push_back(frame); }

    std::vector<Solicit> solicits;
    std::vector<TxFrame> sent;
    std::vector<TxFrame> discarded;
};

class NeighboursTest : public testing::Test {
  protected:
    Handle create(uint32_t number) { return cache_.find_or_create(address(number), now_).value(); }
    Handle resolve(uint32_t number) {
        const Handle handle = create(number);
        (void)cache_.usable(handle, now_);
        cache_.learn(address(number), &mac_a, {.solicited = true, .overrides = true}, now_);
        return handle;
    }
    // As one turn of a worker does it.
    const Mac* usable(Handle handle) {
        const Mac* mac = cache_.usable(handle, now_);
        cache_.tick(now_);
        return mac;
    }
    TxFrame frame(uint32_t id) {
        buffers_.push_back(std::make_unique<std::array<uint8_t, 64>>());
        return {.data = buffers_.back()->data(), .bytes = id, .capacity = 64};
    }
    void advance(Nanos duration) {
        const Nanos end = now_ + duration;
        while (cache_.next_ns() <= end) {
            now_ = std::max(now_, cache_.next_ns());
            cache_.tick(now_);
        }
        now_ = end;
    }
    [[nodiscard]] State state(Handle handle) const { return cache_.state(handle); }

    std::vector<std::unique_ptr<std::array<uint8_t, 64>>> buffers_;
    Link link_;
    Nanos now_ = begin;
    Neighbours cache_{link_, 1};
};

TEST_F(NeighboursTest, AsksOnceASecondThreeTimesThenFails) {
    const Handle handle = create(1);
    EXPECT_TRUE(link_.solicits.empty());
    EXPECT_EQ(usable(handle), nullptr);
    EXPECT_EQ(usable(handle), nullptr);
    ASSERT_EQ(link_.solicits.size(), 1U);
    EXPECT_FALSE(link_.solicits[0].unicast);
    advance(second_ns - 1);
    EXPECT_EQ(link_.solicits.size(), 1U);
    advance(1);
    EXPECT_EQ(link_.solicits.size(), 2U);
    advance(2 * second_ns);
    EXPECT_EQ(link_.solicits.size(), 3U);
    EXPECT_EQ(state(handle), State::failed);
    EXPECT_EQ(cache_.counters().failed, 1U);
    EXPECT_EQ(cache_.next_ns(), ~Nanos{0});
}

TEST_F(NeighboursTest, FailedEntryIsNotAskedForBeforeItsTimeIsOver) {
    const Handle handle = create(1);
    (void)usable(handle);
    advance(3 * second_ns);
    ASSERT_EQ(state(handle), State::failed);
    advance(Neighbours::failed_ns - second_ns);
    EXPECT_EQ(usable(handle), nullptr);
    EXPECT_EQ(link_.solicits.size(), 3U);
    advance(second_ns);
    EXPECT_EQ(usable(handle), nullptr);
    EXPECT_EQ(link_.solicits.size(), 4U);
    EXPECT_EQ(state(handle), State::incomplete);
}

TEST_F(NeighboursTest, FailedEntryHealsWhenItsHostSpeaks) {
    const Handle handle = create(1);
    (void)usable(handle);
    advance(4 * second_ns);
    ASSERT_EQ(state(handle), State::failed);
    cache_.learn(address(1), &mac_a, {.overrides = true}, now_);
    EXPECT_EQ(state(handle), State::stale);
    ASSERT_NE(usable(handle), nullptr);
}

TEST_F(NeighboursTest, AgesByReachableStaleDelayProbe) {
    const Handle handle = resolve(1);
    link_.solicits.clear();
    EXPECT_EQ(state(handle), State::reachable);
    advance(Neighbours::reachable_ns / 2 - 1);  // the shortest that can be drawn
    ASSERT_NE(usable(handle), nullptr);
    EXPECT_EQ(state(handle), State::reachable);
    advance(Neighbours::reachable_ns);
    ASSERT_NE(usable(handle), nullptr);  // still the MAC to send to
    EXPECT_EQ(state(handle), State::delay);
    EXPECT_TRUE(link_.solicits.empty());
    advance(Neighbours::first_probe_ns);
    EXPECT_EQ(state(handle), State::probe);
    ASSERT_EQ(link_.solicits.size(), 1U);
    EXPECT_TRUE(link_.solicits[0].unicast);
    ASSERT_NE(usable(handle), nullptr);
    advance(3 * second_ns);
    EXPECT_EQ(link_.solicits.size(), 3U);
    // Gone: the next one to ask, asks everybody, at once.
    EXPECT_EQ(usable(handle), nullptr);
    ASSERT_EQ(link_.solicits.size(), 4U);
    EXPECT_FALSE(link_.solicits[3].unicast);
}

TEST_F(NeighboursTest, ProbeAnsweredIsReachableAgain) {
    const Handle handle = resolve(1);
    advance(2 * Neighbours::reachable_ns);
    (void)usable(handle);
    advance(Neighbours::first_probe_ns);
    ASSERT_EQ(state(handle), State::probe);
    cache_.learn(address(1), nullptr, {.solicited = true}, now_);  // an NA may lack the MAC
    EXPECT_EQ(state(handle), State::reachable);
    ASSERT_NE(usable(handle), nullptr);
    EXPECT_EQ(*usable(handle), mac_a);
}

TEST_F(NeighboursTest, UpperLayerConfirmationKeepsItReachableWithoutAProbe) {
    const Handle handle = resolve(1);
    link_.solicits.clear();
    for (int i = 0; i < 100; ++i) {
        advance(10 * second_ns);
        cache_.confirm(handle, now_);
        ASSERT_NE(usable(handle), nullptr);
        ASSERT_EQ(state(handle), State::reachable);
    }
    advance(2 * Neighbours::reachable_ns);
    (void)usable(handle);
    ASSERT_EQ(state(handle), State::delay);
    cache_.confirm(handle, now_);
    EXPECT_EQ(state(handle), State::reachable);
    EXPECT_TRUE(link_.solicits.empty());
}

TEST_F(NeighboursTest, ConfirmationOfAnUnresolvedEntryMeansNothing) {
    const Handle handle = create(1);
    cache_.confirm(handle, now_);
    EXPECT_EQ(state(handle), State::incomplete);
    EXPECT_EQ(usable(handle), nullptr);
    cache_.confirm(Handle{}, now_);
    EXPECT_EQ(cache_.usable(Handle{}, now_), nullptr);
}

TEST_F(NeighboursTest, ReachableTimeIsRandomised) {
    std::set<Nanos> times;
    for (uint64_t seed = 0; seed < 20; ++seed) {
        Neighbours cache(link_, seed);
        const Handle handle = cache.find_or_create(address(1), now_).value();
        cache.learn(address(1), &mac_a, {.solicited = true}, now_);
        Nanos lasts = 0;
        while (cache.state(handle) == State::reachable) {
            lasts += second_ns;
            (void)cache.usable(handle, now_ + lasts);
        }
        EXPECT_GE(lasts, Neighbours::reachable_ns / 2);
        EXPECT_LE(lasts, Neighbours::reachable_ns * 3 / 2 + second_ns);
        times.insert(lasts);
    }
    EXPECT_GT(times.size(), 5U);
}

// RFC 4861 section 7.2.5: {reachable before, override, solicited, other MAC} -> state, MAC.
TEST_F(NeighboursTest, AdvertisementRules) {
    struct Case {
        bool overrides;
        bool solicited;
        bool differs;
        State before;
        State after;
        bool replaced;
    };
    const Case cases[] = {
        {false, false, false, State::reachable, State::reachable, false},
        {false, false, true, State::reachable, State::stale, false},
        {false, true, true, State::reachable, State::stale, false},
        {false, true, true, State::stale, State::stale, false},
        {false, true, false, State::stale, State::reachable, false},
        {true, false, false, State::reachable, State::reachable, false},
        {true, false, false, State::stale, State::stale, false},
        {true, false, true, State::reachable, State::stale, true},
        {true, true, true, State::reachable, State::reachable, true},
        {true, true, true, State::stale, State::reachable, true},
    };
    for (const Case& each : cases) {
        Neighbours cache(link_, 1);
        const Handle handle = cache.find_or_create(address(1), now_).value();
        cache.learn(address(1), &mac_a, {.solicited = each.before == State::reachable}, now_);
        ASSERT_EQ(cache.state(handle), each.before);
        cache.learn(address(1), each.differs ? &mac_b : &mac_a,
                    {.solicited = each.solicited, .overrides = each.overrides}, now_);
        EXPECT_EQ(cache.state(handle), each.after) << &each - cases;
        ASSERT_NE(cache.usable(handle, now_), nullptr);
        EXPECT_EQ(*cache.usable(handle, now_), each.replaced ? mac_b : mac_a) << &each - cases;
    }
}

TEST_F(NeighboursTest, OnlyWhoAsksForUsMakesAnEntry) {
    EXPECT_FALSE(cache_.learn(address(1), &mac_a, {.overrides = true}, now_));
    EXPECT_EQ(cache_.size(), 0U);
    EXPECT_TRUE(cache_.learn(address(1), &mac_a, {.overrides = true, .creates = true}, now_));
    const auto handle = cache_.find(address(1));
    ASSERT_TRUE(handle);
    EXPECT_EQ(state(*handle), State::stale);
    EXPECT_TRUE(link_.solicits.empty());
}

TEST_F(NeighboursTest, HeldFramesLeaveInOrderWithTheMac) {
    const Handle handle = create(1);
    for (uint32_t id = 1; id <= 3; ++id) {
        cache_.hold(handle, frame(id), now_);
    }
    EXPECT_TRUE(link_.solicits.empty());  // not while frames are being written
    cache_.tick(now_);
    EXPECT_EQ(link_.solicits.size(), 1U);
    cache_.learn(address(1), &mac_a, {.solicited = true}, now_);
    ASSERT_EQ(link_.sent.size(), 3U);
    for (uint32_t i = 0; i < 3; ++i) {
        EXPECT_EQ(link_.sent[i].bytes, i + 1);
        EXPECT_EQ(load_mac(link_.sent[i].data), mac_a);
    }
    EXPECT_EQ(cache_.held(), 0U);
    cache_.hold(handle, frame(4), now_);  // resolved in the meantime
    EXPECT_EQ(link_.sent.size(), 4U);
}

TEST_F(NeighboursTest, HeldFramesAreBoundedForAnEntryOldestFirst) {
    const Handle handle = create(1);
    for (uint32_t id = 1; id <= Neighbours::held_entry_max + 2; ++id) {
        cache_.hold(handle, frame(id), now_);
    }
    EXPECT_EQ(cache_.held(), Neighbours::held_entry_max);
    ASSERT_EQ(link_.discarded.size(), 2U);
    EXPECT_EQ(link_.discarded[0].bytes, 1U);
    EXPECT_EQ(link_.discarded[1].bytes, 2U);
    EXPECT_EQ(cache_.counters().held_dropped, 2U);
}

TEST_F(NeighboursTest, HeldFramesAreBoundedInAllOldestFirst) {
    for (uint32_t i = 0; i < Neighbours::held_max + 36; ++i) {
        cache_.hold(create(i), frame(i), now_);
        ASSERT_LE(cache_.held(), Neighbours::held_max);
    }
    ASSERT_EQ(link_.discarded.size(), 36U);
    for (uint32_t i = 0; i < 36; ++i) {
        EXPECT_EQ(link_.discarded[i].bytes, i);
    }
}

TEST_F(NeighboursTest, HeldFramesAreGivenUpWhenTheEntryFailsOrGoes) {
    const Handle handle = create(1);
    cache_.hold(handle, frame(1), now_);
    advance(3 * second_ns);
    ASSERT_EQ(state(handle), State::failed);
    EXPECT_EQ(link_.discarded.size(), 1U);
    cache_.hold(handle, frame(2), now_);  // while failed
    EXPECT_EQ(link_.discarded.size(), 2U);
    cache_.hold(Handle{}, frame(3), now_);
    EXPECT_EQ(link_.discarded.size(), 3U);
    EXPECT_EQ(cache_.held(), 0U);
    {
        Neighbours cache(link_, 2);
        cache.hold(cache.find_or_create(address(1), now_).value(), frame(4), now_);
    }
    EXPECT_EQ(link_.discarded.size(), 4U);
}

TEST_F(NeighboursTest, OldHandlesAreRecognised) {
    const Handle first = resolve(0);
    for (uint32_t i = 1; i <= Neighbours::entries_max; ++i) {
        now_ += 10 * millisecond_ns;
        (void)resolve(i);
    }
    EXPECT_FALSE(cache_.exists(first));  // the longest unused of equals
    EXPECT_EQ(cache_.usable(first, now_), nullptr);
    cache_.confirm(first, now_);
    cache_.release(first);
    cache_.hold(first, frame(1), now_);
    EXPECT_EQ(link_.discarded.size(), 1U);
}

TEST_F(NeighboursTest, ReferencedEntriesOutliveAFlood) {
    std::vector<Handle> kept;
    for (uint32_t i = 0; i < 100; ++i) {
        kept.push_back(create(i));  // not even resolved
        cache_.retain(kept.back());
    }
    for (uint32_t i = 1000; i < 20'000; ++i) {
        now_ += 10 * millisecond_ns;
        (void)resolve(i);
    }
    for (const Handle handle : kept) {
        EXPECT_TRUE(cache_.exists(handle));
    }
    EXPECT_EQ(cache_.counters().evicted_referenced, 0U);
    // When nothing else is left, a new one still finds room.
    Neighbours full(link_, 1);
    for (uint32_t i = 0; i < Neighbours::entries_max; ++i) {
        full.retain(full.find_or_create(address(i), now_).value());
    }
    EXPECT_TRUE(full.find_or_create(address(5000), now_));
    EXPECT_EQ(full.counters().evicted_referenced, 1U);
}

TEST_F(NeighboursTest, EvictionsOfASecondAreBounded) {
    for (uint32_t i = 0; i < Neighbours::entries_max; ++i) {
        (void)create(i);
    }
    uint32_t made = 0;
    for (uint32_t i = 0; i < 100'000; ++i) {
        now_ += 10 * microsecond_ns;  // one second
        made += cache_.find_or_create(address(10'000 + i), now_) ? 1U : 0U;
    }
    EXPECT_GE(made, 1000U);
    EXPECT_LE(made, 1064U);
    EXPECT_EQ(cache_.counters().refused, 100'000U - made);
    EXPECT_EQ(cache_.size(), Neighbours::entries_max);
}

// Against a map: every address is found exactly while its handle lives, and who is given up is the
// least by state, use and reference.
TEST_F(NeighboursTest, EqualsAMapUnderRandomUse) {
    struct Known {
        Handle handle;
        Nanos used = 0;
        bool kept = false;
    };
    std::map<uint32_t, Known> model;
    Prng prng(7);
    const auto worth = [&](const Known& known) {
        const State s = state(known.handle);
        const int value = s == State::failed       ? 0
                          : s == State::incomplete ? 1
                          : s == State::stale      ? 2
                                                   : 3;
        return std::tuple(known.kept, value, known.used);
    };
    for (int round = 0; round < 6000; ++round) {
        now_ += 2 * millisecond_ns;
        cache_.tick(now_);
        const auto number = static_cast<uint32_t>(prng.below(3000));
        const bool is_new = !model.contains(number);
        std::optional<uint32_t> least;
        if (is_new && model.size() == Neighbours::entries_max) {
            for (const auto& [each, known] : model) {
                if (!least || worth(known) < worth(model[*least])) {
                    least = each;
                }
            }
        }
        const Handle handle = create(number);
        if (least) {
            ASSERT_FALSE(cache_.exists(model[*least].handle)) << round;
            model.erase(*least);
        }
        ASSERT_TRUE(is_new || model[number].handle == handle);
        Known& known = model[number];
        known.handle = handle;
        known.used = now_;
        switch (prng.below(4)) {
            case 0:
                cache_.learn(address(number), &mac_a, {.solicited = prng.chance(1, 2)}, now_);
                break;
            case 1:
                if (!known.kept && prng.chance(1, 4)) {
                    cache_.retain(handle);
                    known.kept = true;
                }
                break;
            case 2:
                (void)usable(handle);
                break;
            default:
                if (known.kept) {
                    cache_.release(handle);
                    known.kept = false;
                }
        }
        if (round % 50 == 0) {
            for (uint32_t each = 0; each < 3000; ++each) {
                const auto found = cache_.find(address(each));
                ASSERT_EQ(found.has_value(), model.contains(each)) << round;
                ASSERT_TRUE(!found || *found == model[each].handle);
            }
        }
    }
    EXPECT_GT(cache_.counters().evicted, 1000U);
}

TEST(RateLimit, LetsABurstThroughThenTheRate) {
    RateLimit limit(10, 5);
    Nanos now = 0;
    int taken = 0;
    for (int i = 0; i < 100; ++i) {
        taken += limit.take(now) ? 1 : 0;
    }
    EXPECT_EQ(taken, 5);
    for (int i = 0; i < 1000; ++i) {
        now += 10 * millisecond_ns;
        taken += limit.take(now) ? 1 : 0;
    }
    EXPECT_EQ(taken, 5 + 100);
}

}  // namespace
}  // namespace sy::tcpip
