// Goal: every key is found, no other one is, whatever lines they share.
#include "core/route/range_table.h"

#include <unordered_map>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::route {
namespace {

TEST(RangeTable, EmptyFindsNothing) {
    EXPECT_TRUE(RangeTable().find(0).empty());
    EXPECT_TRUE(RangeTable().find(7).empty());
}

TEST(RangeTable, FindsWhatAMapFinds) {
    Prng prng(5);
    for (int round = 0; round < 200; ++round) {
        const uint64_t keys = 1 + prng.below(6'000);
        const auto random_key = [&] {
            // Also 0, and keys that differ at one end.
            return prng.chance(1, 2) ? prng.below(keys) : prng.below(keys) << 32;
        };
        std::unordered_map<uint64_t, RowRange> expected;
        for (uint64_t i = 0, count = prng.below(3'000); i < count; ++i) {
            const auto begin = static_cast<uint32_t>(prng.below(1'000'000));
            expected.emplace(random_key(),
                             RowRange{begin, begin + 1 + static_cast<uint32_t>(prng.below(9))});
        }
        std::vector<RangeTable::Entry> entries;
        for (const auto& [key, range] : expected) {
            entries.push_back({key, range});
        }
        const RangeTable table(entries);
        const auto check = [&](uint64_t key) {
            const auto it = expected.find(key);
            const RowRange range = it == expected.end() ? RowRange{} : it->second;
            ASSERT_EQ(table.find(key).begin, range.begin) << key;
            ASSERT_EQ(table.find(key).end, range.end) << key;
        };
        for (const auto& [key, range] : expected) {
            check(key);
        }
        for (int i = 0; i < 3'000; ++i) {
            check(random_key());
        }
    }
}

}  // namespace
}  // namespace sy::route
