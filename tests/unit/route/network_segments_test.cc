// Goal: every pair is found, no other one is, whatever lines they share.
#include "core/route/network_segments.h"

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::route {
namespace {

TEST(NetworkSegments, EmptyWithoutPairs) {
    EXPECT_TRUE(NetworkSegments().empty());
    EXPECT_TRUE(NetworkSegments(NetworkSegments::Pairs{}).empty());
}

TEST(NetworkSegments, FindsWhatAMapFinds) {
    Prng prng(3);
    for (int round = 0; round < 300; ++round) {
        // Few segments with many networks, or the other way round: also those next to each other.
        const uint64_t segments = 1 + prng.below(prng.chance(1, 2) ? 4 : limits::plans_max + 2);
        const uint64_t networks = 1 + prng.below(prng.chance(1, 2) ? 4 : limits::networks_max);
        NetworkSegments::Pairs pairs;
        const auto random_pair = [&] {
            const bool unknown = prng.chance(1, 20);
            return NetworkSegments::pair(
                static_cast<uint32_t>(prng.below(segments)),
                unknown ? NetworkId::none()
                        : NetworkId{static_cast<uint16_t>(prng.below(networks))});
        };
        for (uint64_t i = 0, count = 1 + prng.below(3'000); i < count; ++i) {
            pairs.emplace(random_pair(), 1 + static_cast<uint32_t>(prng.below(1U << 20)));
        }
        const NetworkSegments table(pairs);
        ASSERT_FALSE(table.empty());
        const auto check = [&](uint64_t pair) {
            const auto it = pairs.find(pair);
            const uint32_t expected = it == pairs.end() ? NetworkSegments::none : it->second;
            ASSERT_EQ(table.find(static_cast<uint32_t>(pair >> 16),
                                 NetworkId{static_cast<uint16_t>(pair)}),
                      expected);
        };
        for (const auto& [pair, segment] : pairs) {
            check(pair);
        }
        for (int i = 0; i < 3'000; ++i) {
            check(random_pair());
        }
    }
}

// More pairs of one line than it has places: they go on in the next one.
TEST(NetworkSegments, LinesThatAreFullGoOn) {
    constexpr size_t wanted = 20;
    NetworkSegments::Pairs pairs;
    std::vector<uint64_t> absent;
    for (uint32_t i = 0; pairs.size() < wanted || absent.size() < wanted; ++i) {
        const uint64_t pair =
            NetworkSegments::pair(i >> 10, NetworkId{static_cast<uint16_t>(i & 1023)});
        if ((mix64(pair) & 15) == 15) {  // the last of the 16 lines that so many pairs have
            pairs.size() < wanted ? (void)pairs.emplace(pair, 1 + i) : absent.push_back(pair);
        }
    }
    const NetworkSegments table(pairs);
    for (const auto& [pair, segment] : pairs) {
        EXPECT_EQ(
            table.find(static_cast<uint32_t>(pair >> 16), NetworkId{static_cast<uint16_t>(pair)}),
            segment);
    }
    for (const uint64_t pair : absent) {
        EXPECT_EQ(
            table.find(static_cast<uint32_t>(pair >> 16), NetworkId{static_cast<uint16_t>(pair)}),
            NetworkSegments::none);
    }
}

}  // namespace
}  // namespace sy::route
