// Goal: weights hold, the order is a function of the spread alone, tiers are never mixed.
#include "core/route/target_order.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "tests/unit/route/route_fixture.h"

namespace sy::route {
namespace {

using Order = std::array<SupplierId, limits::targets_max>;
using testing::supplier;

constexpr uint64_t spreads = 100'000;

// How often each supplier comes first.
std::map<uint16_t, double> shares(const Tiers<SupplierId>& tiers) {
    TargetPool<SupplierId> pool;
    const auto range = pool.add(tiers, Select::weight);
    std::map<uint16_t, double> share;
    for (uint64_t spread = 0; spread < spreads; ++spread) {
        Order order;
        EXPECT_EQ(pool.order(range, spread, order), range.count);
        share[order[0].value] += 1.0 / spreads;
    }
    return share;
}

TEST(TargetOrder, WeightsHoldWithinOnePercent) {
    auto two = shares({{{supplier(3), 70}, {supplier(9), 30}}});
    EXPECT_NEAR(two[3], 0.70, 0.01);
    EXPECT_NEAR(two[9], 0.30, 0.01);
    auto four = shares({{{supplier(0), 1}, {supplier(1), 2}, {supplier(2), 3}, {supplier(3), 4}}});
    for (uint16_t i = 0; i < 4; ++i) {
        EXPECT_NEAR(four[i], 0.1 * (i + 1), 0.01);
    }
    auto uneven = shares({{{supplier(5), 1'000'000}, {supplier(6), 1}}});
    EXPECT_GT(uneven[5], 0.999);
}

TEST(TargetOrder, LogarithmIsNearlyThatOfTheLibrary) {
    const auto check = [](float x) {
        const float log = detail::negative_log2(x + RendezvousFloats{})[0];
        const double exact = -std::log2(double{x});
        ASSERT_NEAR(log, exact, 1e-5 * exact) << x;
        ASSERT_GT(log, 0) << x;
    };
    for (uint32_t drawn = 0; drawn < 1U << 23; ++drawn) {
        check((static_cast<float>(drawn) + 0.5F) * detail::draw_step);
    }
}

// The order is that of the model's scores, but where two are nearly equal.
TEST(TargetOrder, OrderIsThatOfTheModel) {
    Prng prng(5);
    for (int round = 0; round < 20'000; ++round) {
        Tiers<SupplierId> tiers;
        std::map<uint16_t, std::pair<size_t, double>> scores;  // with their tiers
        const uint64_t spread = prng();
        const size_t count = 1 + prng.below(limits::targets_max);
        while (scores.size() < count) {
            const auto id = static_cast<uint16_t>(prng.below(limits::suppliers_max));
            const uint32_t weight = prng.chance(1, 8)   ? 0
                                    : prng.chance(1, 8) ? static_cast<uint32_t>(prng())
                                                        : 1 + static_cast<uint32_t>(prng.below(9));
            if (scores.contains(id)) {
                continue;
            }
            if (tiers.empty() || prng.chance(1, 3)) {
                tiers.emplace_back();
            }
            tiers.back().push_back({supplier(id), weight});
            scores[id] = {tiers.size() - 1, rendezvous_model(spread, id, weight)};
        }
        TargetPool<SupplierId> pool;
        const auto range = pool.add(tiers, Select::weight);
        Order order;
        ASSERT_EQ(pool.order(range, spread, order), count);
        std::pair<size_t, double> before(0, 0);
        for (size_t i = 0; i < count; ++i) {
            ASSERT_TRUE(scores.contains(order[i].value)) << "twice, or not asked for";
            const auto here = scores.extract(order[i].value).mapped();
            ASSERT_GE(here.first, before.first);
            if (here.first == before.first) {
                ASSERT_GE(here.second, before.second * (1 - 1e-4));
            }
            before = here;
        }
    }
}

TEST(TargetOrder, WeightZeroComesLast) {
    auto share = shares({{{supplier(0), 0}, {supplier(1), 1}, {supplier(2), 0}}});
    EXPECT_NEAR(share[1], 1.0, 1e-6);
}

TEST(TargetOrder, RemovedTargetMovesOnlyItsOwnShare) {
    TargetPool<SupplierId> pool;
    const auto all =
        pool.add({{{supplier(0), 5}, {supplier(1), 3}, {supplier(2), 2}}}, Select::weight);
    const auto without_1 = pool.add({{{supplier(0), 5}, {supplier(2), 2}}}, Select::weight);
    uint64_t moved = 0;
    for (uint64_t spread = 0; spread < spreads; ++spread) {
        Order before;
        Order after;
        pool.order(all, spread, before);
        pool.order(without_1, spread, after);
        if (before[0] == supplier(1)) {
            ++moved;
            EXPECT_EQ(after[0], before[1]);
        } else {
            ASSERT_EQ(after[0], before[0]);
        }
    }
    EXPECT_NEAR(static_cast<double>(moved) / spreads, 0.3, 0.01);
}

TEST(TargetOrder, TiersStayInOrder) {
    TargetPool<SupplierId> pool;
    const auto range = pool.add(testing::to_suppliers({{4, 5, 6}, {1}, {2, 3}}), Select::weight);
    std::map<std::vector<uint16_t>, int> seen;
    for (uint64_t spread = 0; spread < 1000; ++spread) {
        Order order;
        ASSERT_EQ(pool.order(range, spread, order), 6);
        std::vector<uint16_t> ids;
        for (size_t i = 0; i < 6; ++i) {
            ids.push_back(order[i].value);
        }
        ++seen[ids];
        EXPECT_EQ(ids[3], 1);
        std::sort(ids.begin(), ids.begin() + 3);
        std::sort(ids.begin() + 4, ids.end());
        EXPECT_EQ(ids, (std::vector<uint16_t>{4, 5, 6, 1, 2, 3}));
    }
    EXPECT_EQ(seen.size(), 12U);  // 3! times 2!, each of them
}

TEST(TargetOrder, SelectOrderTakesThemAsWritten) {
    TargetPool<SupplierId> pool;
    const auto range = pool.add(testing::to_suppliers({{4, 1}, {3, 2}}), Select::order);
    for (uint64_t spread = 0; spread < 100; ++spread) {
        Order order;
        ASSERT_EQ(pool.order(range, spread, order), 4);
        EXPECT_EQ(order[0], supplier(4));
        EXPECT_EQ(order[1], supplier(1));
        EXPECT_EQ(order[2], supplier(3));
        EXPECT_EQ(order[3], supplier(2));
    }
}

}  // namespace
}  // namespace sy::route
