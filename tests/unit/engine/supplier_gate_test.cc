// What a supplier is given after failures and after congestion.
#include "core/engine/supplier_gate.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sy::engine {
namespace {

using Change = SupplierGate::Change;
using Mode = SupplierGate::Mode;
using Pass = SupplierGate::Pass;

class SupplierGateTest : public testing::Test {
  protected:
    Pass enter() {
        Pass pass;
        EXPECT_TRUE(gate.enter(pass));
        return pass;
    }
    bool may_enter() {
        Pass pass;
        const bool may = gate.enter(pass);
        if (may) {
            gate.leave(pass);
        }
        return may;
    }
    bool admit(Change& change) { return gate.admit(now, rules, change); }
    bool admit() {
        Change change{};
        return admit(change);
    }
    /// How many may be in flight now; all leave again.
    uint32_t room() {
        std::vector<Pass> passes;
        Pass pass;
        while (passes.size() < 1000 && gate.enter(pass)) {
            passes.push_back(pass);
        }
        std::ranges::for_each(passes, [&](Pass each) { gate.leave(each); });
        return static_cast<uint32_t>(passes.size());
    }
    void open() {
        for (uint32_t i = 0; i < rules.failures_max; ++i) {
            const Pass pass = enter();
            EXPECT_EQ(gate.fails(pass, now, rules),
                      i + 1 < rules.failures_max ? Change::none : Change::opened);
        }
        EXPECT_TRUE(gate.is_open());
    }
    /// One round: as many as may leave, all of them answered well.
    uint32_t round() {
        std::vector<Pass> passes;
        Pass pass;
        while (passes.size() < 1000 && gate.enter(pass)) {
            passes.push_back(pass);
        }
        for (const Pass each : passes) {
            EXPECT_EQ(gate.works(each, rules), Change::none);
        }
        return static_cast<uint32_t>(passes.size());
    }

    SupplierGate gate;
    SupplierGate::Rules rules{
        .failures_max = 3, .pause_ns = 5 * second_ns, .pause_max_ns = 15 * second_ns, .window = 40};
    Nanos now = 100 * second_ns;
};

TEST_F(SupplierGateTest, FailuresThatAreNotInARowDoNotOpenIt) {
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(gate.fails(enter(), now, rules), Change::none);
        EXPECT_EQ(gate.fails(enter(), now, rules), Change::none);
        EXPECT_FALSE(gate.is_calm());
        EXPECT_EQ(gate.works(enter(), rules), Change::none);
        EXPECT_TRUE(gate.is_calm());
    }
    EXPECT_EQ(gate.mode(), Mode::normal);
}

TEST_F(SupplierGateTest, ItNeverOpensWhereTheAccountSaysSo) {
    rules.failures_max = 0;
    for (int i = 0; i < 100'000; ++i) {
        ASSERT_EQ(gate.fails(enter(), now, rules), Change::none);
    }
    EXPECT_EQ(gate.mode(), Mode::normal);
}

TEST_F(SupplierGateTest, OpenNothingPassesUntilItsTimeIsOverThenOneProbe) {
    open();
    EXPECT_FALSE(may_enter());
    now += 5 * second_ns - 1;
    EXPECT_FALSE(admit());
    now += 1;
    Change change{};
    EXPECT_TRUE(admit(change));
    EXPECT_EQ(change, Change::probing);
    EXPECT_FALSE(admit());
    const Pass probe = enter();
    EXPECT_TRUE(probe.counted);
    EXPECT_FALSE(may_enter());
    EXPECT_EQ(gate.works(probe, rules), Change::closed);
    EXPECT_EQ(gate.mode(), Mode::slow_start);
}

TEST_F(SupplierGateTest, AfterTheProbeEachRoundIsTwiceTheLast) {
    open();
    now += 5 * second_ns;
    ASSERT_TRUE(admit());
    EXPECT_EQ(gate.works(enter(), rules), Change::closed);
    EXPECT_TRUE(admit());
    std::vector<uint32_t> rounds;
    while (gate.mode() != Mode::normal) {
        rounds.push_back(round());
        ASSERT_LT(rounds.size(), 20u);
    }
    EXPECT_EQ(rounds, (std::vector<uint32_t>{2, 4, 8, 16, 32}));
    EXPECT_TRUE(gate.is_calm());
}

TEST_F(SupplierGateTest, AFailedProbeDoublesTheTimeUpToItsLimit) {
    open();
    for (const Nanos pause : {Nanos{5}, Nanos{10}, Nanos{15}, Nanos{15}}) {
        now += pause * second_ns - 1;
        EXPECT_FALSE(admit()) << pause;
        now += 1;
        ASSERT_TRUE(admit()) << pause;
        EXPECT_EQ(gate.fails(enter(), now, rules), Change::opened);
    }
    // Well again, it begins anew.
    now += 15 * second_ns;
    ASSERT_TRUE(admit());
    EXPECT_EQ(gate.works(enter(), rules), Change::closed);
    while (gate.mode() != Mode::normal) {
        round();
    }
    open();
    now += 5 * second_ns;
    EXPECT_TRUE(admit());
}

TEST_F(SupplierGateTest, AProbeThatIsNeverHeardOfIsFollowedByAnother) {
    open();
    now += 5 * second_ns;
    ASSERT_TRUE(admit());
    gate.leave(enter());
    EXPECT_FALSE(admit());
    now += 5 * second_ns;
    Change change{};
    EXPECT_TRUE(admit(change));
    EXPECT_EQ(change, Change::none);
    EXPECT_EQ(gate.works(enter(), rules), Change::closed);
}

// What left before it opened says nothing about it now, good or bad.
TEST_F(SupplierGateTest, AnswersFromBeforeItOpenedArePassedOver) {
    const Pass early = enter();
    const Pass earlier = enter();
    open();
    EXPECT_EQ(gate.works(early, rules), Change::none);
    EXPECT_TRUE(gate.is_open());
    now += 5 * second_ns;
    ASSERT_TRUE(admit());
    EXPECT_EQ(gate.fails(earlier, now, rules), Change::none);
    EXPECT_EQ(gate.mode(), Mode::probing);
    EXPECT_EQ(gate.works(enter(), rules), Change::closed);
}

TEST_F(SupplierGateTest, AReconnectIsProbedAtOnce) {
    open();
    EXPECT_FALSE(admit());
    gate.reconnected();
    Change change{};
    EXPECT_TRUE(admit(change));
    EXPECT_EQ(change, Change::probing);
}

TEST_F(SupplierGateTest, ALinkThatNeverFailedIsNotHeldByAReconnect) {
    gate.reconnected();
    EXPECT_TRUE(admit());
    EXPECT_EQ(room(), 1000u);
}

TEST_F(SupplierGateTest, AWindowOfRefusalsHalvesOnceAndItRecoversStepByStep) {
    std::vector<Pass> window;
    for (int i = 0; i < 40; ++i) {
        window.push_back(enter());
    }
    for (const Pass pass : window) {
        EXPECT_EQ(gate.congested(pass, rules), Change::none);
    }
    EXPECT_EQ(gate.mode(), Mode::limited);
    EXPECT_EQ(room(), 20u);
    EXPECT_EQ(gate.congested(enter(), rules), Change::none);
    EXPECT_EQ(room(), 10u);
    uint32_t rounds = 0;
    while (gate.mode() != Mode::normal) {
        EXPECT_EQ(round(), 10 + rounds);
        ++rounds;
        ASSERT_LT(rounds, 100u);
    }
    EXPECT_EQ(rounds, 30u);  // one a round: a 32nd of 40 is less than one
}

TEST_F(SupplierGateTest, AlwaysOneMayBeInFlight) {
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(gate.congested(enter(), rules), Change::none);
    }
    EXPECT_EQ(room(), 1u);
}

TEST_F(SupplierGateTest, ABusyOneGetsNoMoreAndNoLess) {
    EXPECT_EQ(gate.congested(enter(), rules), Change::none);
    for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(gate.busy(enter(), rules), Change::none);
    }
    EXPECT_EQ(room(), 20u);
}

TEST_F(SupplierGateTest, AProbeThatIsToldToWaitWasUnderstood) {
    open();
    now += 5 * second_ns;
    ASSERT_TRUE(admit());
    EXPECT_EQ(gate.congested(enter(), rules), Change::closed);
    EXPECT_EQ(gate.mode(), Mode::limited);
    EXPECT_EQ(room(), 1u);
}

// Workers at the same time: never more in flight than allowed, one probe, and it ends well.
TEST(SupplierGateThreads, NeverMoreInFlightThanAllowed) {
    SupplierGate gate;
    const SupplierGate::Rules rules{.failures_max = 1, .window = 8};
    Pass first;
    ASSERT_TRUE(gate.enter(first));
    ASSERT_EQ(gate.fails(first, 0, rules), Change::opened);
    std::atomic<uint32_t> admitted{0};
    std::atomic<uint32_t> closed{0};
    std::atomic<uint32_t> in_flight{0};
    std::atomic<bool> exceeded{false};
    const auto work = [&] {
        for (int i = 0; i < 20'000; ++i) {
            Change change{};
            if (gate.admit(10 * second_ns, rules, change) && change == Change::probing) {
                ++admitted;
            }
            Pass pass;
            if (gate.is_open() || !gate.enter(pass)) {
                continue;
            }
            if (pass.counted) {
                exceeded = exceeded || ++in_flight > rules.window;
                --in_flight;
            }
            closed += gate.works(pass, rules) == Change::closed ? 1u : 0u;
        }
    };
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back(work);
    }
    std::ranges::for_each(threads, [](std::thread& thread) { thread.join(); });
    EXPECT_EQ(admitted, 1u);
    EXPECT_EQ(closed, 1u);
    EXPECT_FALSE(exceeded);
    EXPECT_EQ(gate.mode(), Mode::normal);
    EXPECT_TRUE(gate.is_calm());
}

}  // namespace
}  // namespace sy::engine
