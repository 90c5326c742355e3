// Goal: the longest prefix is found, and its parents are the shorter ones. Method: examples, and
// random tables against a comparison of strings.
#include "core/route/prefix_index.h"

#include <algorithm>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::route {
namespace {

TEST(NumberKey, OrdersAsTheDigitsDo) {
    EXPECT_EQ(number_key("1234567890123456"), 0x1234567890123456U);
    EXPECT_EQ(number_key("12345678901234567890"), 0x1234567890123456U);
    EXPECT_EQ(number_key("44"), 0x44FF'FFFF'FFFF'FFFFU);
    EXPECT_EQ(number_key(""), ~uint64_t{0});
    EXPECT_EQ(number_key("44a7"), 0x44EE'EEEE'EEEE'EEEEU);
    EXPECT_EQ(number_key("x"), 0xEEEE'EEEE'EEEE'EEEEU);
}

TEST(KeyRange, PrefixHoldsItsNumbersAndExactOnlyOne) {
    EXPECT_TRUE(prefix_range("").contains(number_key("")));
    EXPECT_TRUE(prefix_range("44").contains(number_key("44")));
    EXPECT_TRUE(prefix_range("44").contains(number_key("447700900123")));
    EXPECT_TRUE(prefix_range("44").contains(number_key("44abc")));
    EXPECT_FALSE(prefix_range("44").contains(number_key("4")));
    EXPECT_FALSE(prefix_range("44").contains(number_key("45")));
    EXPECT_TRUE(exact_range("44").contains(number_key("44")));
    EXPECT_FALSE(exact_range("44").contains(number_key("440")));
    EXPECT_FALSE(exact_range("44").contains(number_key("44x")));
    EXPECT_TRUE(exact_range("123456789012345").contains(number_key("123456789012345")));
    EXPECT_FALSE(exact_range("123456789012345").contains(number_key("1234567890123450")));
}

TEST(PrefixIndex, EmptySegmentAnswersNone) {
    const PrefixIndex index({}, 3);
    const PrefixIndex::Probe probes[] = {{number_key("44"), 0}, {number_key("44"), 2}};
    uint32_t nodes[2] = {0, 0};
    index.find(probes, nodes);
    EXPECT_EQ(nodes[0], PrefixIndex::none);
    EXPECT_EQ(nodes[1], PrefixIndex::none);
}

// A prefix or an exact number ("=") as the model sees it.
struct Model {
    uint32_t segment;
    std::string digits;
    bool exact;

    [[nodiscard]] bool holds(const std::string& number) const {
        return exact ? number == digits : number.starts_with(digits);
    }
    [[nodiscard]] KeyRange range() const {
        return exact ? exact_range(digits) : prefix_range(digits);
    }
};

std::string random_number(Prng& prng, uint64_t length_max) {
    std::string number;
    for (uint64_t i = 0, length = prng.below(length_max + 1); i < length; ++i) {
        number += "0189"[prng.below(prng.chance(1, 2) ? 2 : 4)];
    }
    return number;
}

TEST(PrefixIndex, AgreesWithComparingStrings) {
    constexpr uint32_t segments = 3;
    Prng prng(11);
    for (int round = 0; round < 500; ++round) {
        std::map<std::tuple<uint32_t, uint64_t, uint64_t>, Model> sorted;
        for (uint64_t i = 0, count = prng.below(60); i < count; ++i) {
            const uint64_t length_max = prng.chance(1, 4) ? 15 : 4;
            Model model{static_cast<uint32_t>(prng.below(segments)),
                        random_number(prng, length_max), prng.chance(1, 4)};
            if (model.exact && model.digits.empty()) {
                continue;
            }
            sorted.insert({{model.segment, model.range().first, ~model.range().last}, model});
        }
        std::vector<Model> models;
        std::vector<PrefixIndex::Entry> entries;
        for (const auto& [key, model] : sorted) {
            const auto at = static_cast<uint32_t>(models.size());
            entries.push_back({model.segment, model.range(), at, at + 1});
            models.push_back(model);
        }
        const PrefixIndex index(entries, segments);

        std::vector<std::string> numbers;
        std::vector<PrefixIndex::Probe> probes;
        for (uint32_t i = 0; i < PrefixIndex::probes_max; ++i) {
            std::string number = random_number(prng, 18);
            if (prng.chance(1, 3) && !models.empty()) {
                number = models[prng.below(models.size())].digits + random_number(prng, 2);
            }
            if (prng.chance(1, 10)) {
                number += "x1";
            }
            numbers.push_back(number);
            probes.push_back({number_key(number), static_cast<uint32_t>(prng.below(segments))});
        }
        std::vector<uint32_t> nodes(probes.size());
        index.find(probes, nodes);
        for (size_t i = 0; i < probes.size(); ++i) {
            // All that hold, the exact one and longer ones first.
            std::vector<uint32_t> expected;
            for (uint32_t m = 0; m < models.size(); ++m) {
                if (models[m].segment == probes[i].segment && models[m].holds(numbers[i])) {
                    expected.push_back(m);
                }
            }
            std::sort(expected.begin(), expected.end(), [&](uint32_t a, uint32_t b) {
                return std::pair(models[a].digits.size(), models[a].exact) >
                       std::pair(models[b].digits.size(), models[b].exact);
            });
            std::vector<uint32_t> found;
            for (uint32_t n = nodes[i]; n != PrefixIndex::none; n = index.node(n).parent) {
                found.push_back(index.node(n).rows_begin);
            }
            ASSERT_EQ(found, expected) << "round " << round << ", number " << numbers[i];
        }
    }
}

}  // namespace
}  // namespace sy::route
