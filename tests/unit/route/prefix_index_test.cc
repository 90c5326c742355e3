// Goal: the longest prefix is found, and its parents are the shorter ones. Method: examples, and
// random tables against a comparison of strings.
#include "core/route/prefix_index.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "core/route/first_digits.h"
#include "core/route/networks.h"

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

// By what it stands for: the length on top, the number as an integer of its digits below.
TEST(PortedKey, HoldsTheLengthAndTheDigitsOfANumber) {
    Prng prng(41);
    for (int i = 0; i < 200'000; ++i) {
        std::string number;
        for (uint64_t length = prng.below(19); number.size() < length;) {
            number += prng.chance(1, 100) ? "a:/ "[prng.below(4)]
                                          : static_cast<char>('0' + prng.below(10));
        }
        uint64_t expected = 0;
        const bool is_number = number.find_first_not_of("0123456789") == std::string::npos;
        if (is_number && !number.empty() && number.size() <= limits::number_digits_max) {
            expected = uint64_t{number.size()} << 60 | std::stoull(number, nullptr, 16);
        }
        ASSERT_EQ(ported_key(number), expected) << number;
    }
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
        const std::array<FirstDigits, segments> first = {FirstDigits(index, entries, 0),
                                                         FirstDigits(index, entries, 1),
                                                         FirstDigits(index, entries, 2)};
        for (size_t i = 0; i < probes.size(); ++i) {
            const uint32_t by_first = first[probes[i].segment][probes[i].key];
            if (by_first != FirstDigits::ask) {
                ASSERT_EQ(by_first, nodes[i]) << "round " << round << ", number " << numbers[i];
            }
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

TEST(FirstDigits, AsksOnlyWhereLongerPrefixesTell) {
    const auto entry = [](uint32_t segment, KeyRange range) {
        return PrefixIndex::Entry{segment, range, 0, 1};
    };
    const PrefixIndex::Entry entries[] = {
        entry(0, prefix_range("")),   entry(0, exact_range("1")),    entry(0, prefix_range("33")),
        entry(0, prefix_range("44")), entry(0, prefix_range("447")), entry(0, prefix_range("4477")),
        entry(1, prefix_range("49")),
    };
    const PrefixIndex index(entries, 2);
    const FirstDigits first(index, entries, 0);
    const auto node = [](const FirstDigits& of, const char* number) {
        return of[number_key(number)];
    };
    EXPECT_EQ(node(first, "49170123"), 0U);
    EXPECT_EQ(node(first, "33612"), 2U);
    EXPECT_EQ(node(first, "33"), 2U);
    EXPECT_EQ(node(first, "3"), 0U);
    EXPECT_EQ(node(first, "4412"), 3U);
    EXPECT_EQ(node(first, "4477"), FirstDigits::ask);
    EXPECT_EQ(node(first, "4470"), FirstDigits::ask);
    EXPECT_EQ(node(first, "447"), FirstDigits::ask);
    EXPECT_EQ(node(first, "44x"), 3U);
    EXPECT_EQ(node(first, "1"), FirstDigits::ask);
    EXPECT_EQ(node(first, "1212"), 0U);

    const FirstDigits other(index, entries, 1);
    EXPECT_EQ(node(other, "49170123"), 6U);
    EXPECT_EQ(node(other, "4477"), PrefixIndex::none);
    EXPECT_EQ(node(FirstDigits(), "4477"), PrefixIndex::none);
}

}  // namespace
}  // namespace sy::route
