// Goal: weights hold, the order is a function of the spread alone, tiers are never mixed.
#include "core/route/target_order.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

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

TEST(TargetOrder, LogarithmIsThatOfTheLibrary) {
    for (uint64_t i = 0; i < 1'000'000; ++i) {
        const double x = (static_cast<double>(mix64(i) >> 12) + 0.5) * 0x1p-52;
        ASSERT_NEAR(detail::negative_log(x), -std::log(x), 1e-12) << x;
    }
    for (const double x : {0x1p-53, 0x1p-52, 0.5, 0.25, 1 - 0x1p-20, 1 - 0x1p-53}) {
        EXPECT_NEAR(detail::negative_log(x), -std::log(x), 1e-12) << x;
        EXPECT_GT(detail::negative_log(x), 0) << x;
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
