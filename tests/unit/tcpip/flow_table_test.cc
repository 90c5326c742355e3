#include "io/tcpip/flow_table.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::tcpip {
namespace {

constexpr auto any = [](uint32_t) { return true; };

TEST(FlowTable, FindsAmongEqualHashesByTheKey) {
    FlowTable table(8);
    table.insert(7, 1);
    table.insert(7, 2);
    table.insert(7, 3);
    for (const uint32_t wanted : {1U, 2U, 3U}) {
        EXPECT_EQ(table.find(7, [&](uint32_t index) { return index == wanted; }), wanted);
    }
    EXPECT_EQ(table.find(7, [](uint32_t) { return false; }), FlowTable::none);
    EXPECT_EQ(table.find(8, any), FlowTable::none);
    EXPECT_EQ(table.size(), 3U);
}

TEST(FlowTable, OffersOnlyEntriesOfThatHash) {
    FlowTable table(8);  // few slots: 5 and 5 + 2^31 begin at the same one
    table.insert(5 + (1U << 31), 1);
    table.insert(5, 2);
    EXPECT_EQ(table.find(5, any), 2U);
    EXPECT_EQ(table.find(5 + (1U << 31), any), 1U);
}

TEST(FlowTable, SaysWhetherItErased) {
    FlowTable table(4);
    table.insert(1, 10);
    EXPECT_FALSE(table.erase(1, 11));
    EXPECT_FALSE(table.erase(2, 10));
    EXPECT_TRUE(table.erase(1, 10));
    EXPECT_FALSE(table.erase(1, 10));
    EXPECT_EQ(table.size(), 0U);
}

TEST(FlowTable, TakesAHashOfAllOnesAndIndexZero) {
    FlowTable table(2);
    EXPECT_EQ(table.find(0xFFFFFFFF, any), FlowTable::none);
    table.insert(0xFFFFFFFF, 0);
    EXPECT_EQ(table.find(0xFFFFFFFF, any), 0U);
    EXPECT_TRUE(table.erase(0xFFFFFFFF, 0));
}

TEST(FlowTable, HasAtLeastTwiceTheSlots) {
    EXPECT_GE(FlowTable(100'000).memory_bytes(), 200'000U * 8);
    EXPECT_EQ(FlowTable(0).size(), 0U);
}

using FlowTableDeathTest = ::testing::Test;
TEST(FlowTableDeathTest, RefusesMoreThanItWasMadeFor) {
    FlowTable table(1);
    table.insert(1, 1);
    EXPECT_DEATH(table.insert(2, 2), "size_ < flows_max_");
}

// Model: a multimap from hash to index. Every hash that was ever used is looked at now and then.
void compare_with_model(uint64_t seed, uint32_t flows_max, const std::vector<uint32_t>& hashes) {
    Prng prng(seed);
    FlowTable table(flows_max);
    std::unordered_multimap<uint32_t, uint32_t> model;
    std::vector<std::pair<uint32_t, uint32_t>> entries;  // what the model holds, to pick from
    uint32_t next_index = 0;
    for (int step = 0; step < 60'000; ++step) {
        // Waves, so that the table is near full as well as near empty.
        const bool filling = step / 500 % 2 == 0;
        if (prng.chance(filling ? 3 : 1, 4) && entries.size() < flows_max) {
            const uint32_t hash = hashes[prng.below(hashes.size())];
            table.insert(hash, next_index);
            model.emplace(hash, next_index);
            entries.emplace_back(hash, next_index++);
        } else if (!entries.empty()) {
            const size_t at = prng.below(entries.size());
            const auto [hash, index] = entries[at];
            ASSERT_TRUE(table.erase(hash, index));
            ASSERT_FALSE(table.erase(hash, index));
            const auto [begin, end] = model.equal_range(hash);
            for (auto it = begin; it != end; ++it) {
                if (it->second == index) {
                    model.erase(it);
                    break;
                }
            }
            entries[at] = entries.back();
            entries.pop_back();
        }
        ASSERT_EQ(table.size(), model.size());
        const uint32_t hash = hashes[prng.below(hashes.size())];
        std::vector<uint32_t> offered;
        ASSERT_EQ(table.find(hash,
                             [&](uint32_t index) {
                                 offered.push_back(index);
                                 return false;
                             }),
                  FlowTable::none);
        ASSERT_EQ(offered.size(), model.count(hash));
        for (const uint32_t index : offered) {
            const auto [begin, end] = model.equal_range(hash);
            ASSERT_TRUE(std::any_of(begin, end, [&](auto& e) { return e.second == index; }));
            ASSERT_EQ(table.find(hash, [&](uint32_t i) { return i == index; }), index);
        }
    }
    for (const auto& [hash, index] : entries) {
        ASSERT_TRUE(table.erase(hash, index));
    }
    ASSERT_EQ(table.size(), 0U);
}

TEST(FlowTable, EqualsAMultimapWithSpreadHashes) {
    Prng prng(2);
    std::vector<uint32_t> hashes(2000);
    for (auto& hash : hashes) {
        hash = static_cast<uint32_t>(prng());
    }
    compare_with_model(3, 1000, hashes);
}

TEST(FlowTable, EqualsAMultimapWhenAllCollide) {
    compare_with_model(4, 60, {0xABCD0001});
}

// Runs that grow into one another and wrap at the end of the table of 256 slots.
TEST(FlowTable, EqualsAMultimapWhenRunsOverlapAndWrap) {
    std::vector<uint32_t> hashes;
    for (uint32_t high = 0; high < 4; ++high) {
        for (const uint32_t slot : {250U, 252U, 253U, 254U, 255U, 0U, 1U, 3U, 10U, 100U}) {
            hashes.push_back(high << 28 | slot);
        }
    }
    compare_with_model(5, 100, hashes);
}

}  // namespace
}  // namespace sy::tcpip
