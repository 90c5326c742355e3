// Goal: a set that stands on an older database finds what one compiled at once would, whatever was
// added, removed or put in another order; and the cache is used, trusted and bounded as promised.
#include <algorithm>

#include "core/base/prng.h"
#include "tests/unit/match/match_support.h"
#include "tests/unit/match/memory_cache.h"

namespace sy::match {
namespace {

// Compiling is slow under sanitizers.
#ifdef SY_CHECKS
constexpr int rounds = 8;
#else
constexpr int rounds = 40;
#endif

// Everything is worth a layer and an entry.
CompileOptions options(MemoryCache* cache, std::shared_ptr<const Database> base = nullptr) {
    return {.base = std::move(base), .cache = cache, .name = "text", .at_once_us = 0};
}

std::vector<std::string> numbered(uint32_t first, uint32_t count) {
    std::vector<std::string> expressions;
    for (uint32_t i = first; i < first + count; ++i) {
        expressions.push_back("w" + std::to_string(i) + "[a-z]*;");
    }
    return expressions;
}

TEST(Layers, OneNewExpressionStandsBesideTheOldDatabase) {
    auto expressions = numbered(0, 50);
    const PatternSet before = compiled(expressions, options(nullptr));
    EXPECT_FALSE(before.merge_pending());
    expressions[7] = "new[0-9]+";
    const PatternSet after = compiled(expressions, options(nullptr, before.base()));
    EXPECT_EQ(after.base(), before.base());
    EXPECT_EQ(after.databases(), 2u);
    EXPECT_TRUE(after.merge_pending());
    EXPECT_EQ(after.expressions(), expressions);
    EXPECT_EQ(scanned(after, "w6x; w7x; new1"), (Ids{6, 7}));  // the old seventh is masked
}

TEST(Layers, NothingNewSharesTheDatabase) {
    auto expressions = numbered(0, 50);
    const PatternSet before = compiled(expressions, options(nullptr));
    std::ranges::reverse(expressions);
    const PatternSet after = compiled(expressions, options(nullptr, before.base()));
    EXPECT_EQ(after.base(), before.base());
    EXPECT_EQ(after.databases(), 1u);
    EXPECT_FALSE(after.merge_pending());
    EXPECT_EQ(scanned(after, "w0;"), (Ids{49}));
}

TEST(Layers, MuchThatIsMaskedAsksForAMerge) {
    const PatternSet before = compiled(numbered(0, 50), options(nullptr));
    const PatternSet fewer = compiled(numbered(0, 45), options(nullptr, before.base()));
    EXPECT_FALSE(fewer.merge_pending());
    const PatternSet few = compiled(numbered(0, 20), options(nullptr, before.base()));
    EXPECT_EQ(few.databases(), 1u);
    EXPECT_TRUE(few.merge_pending());
    EXPECT_EQ(scanned(few, "w19; w20;"), (Ids{19}));
}

TEST(Layers, MostlyNewIsCompiledAtOnce) {
    const PatternSet before = compiled(numbered(0, 50), options(nullptr));
    const PatternSet after = compiled(numbered(30, 50), options(nullptr, before.base()));
    EXPECT_EQ(after.databases(), 1u);
    EXPECT_NE(after.base(), before.base());
}

TEST(Layers, WhatIsQuickIsCompiledAtOnce) {
    MemoryCache cache;
    const PatternSet before = compiled({"one", "two"}, {.cache = &cache});
    const PatternSet after =
        compiled({"one", "two", "three"}, {.base = before.base(), .cache = &cache});
    EXPECT_EQ(after.databases(), 1u);
    EXPECT_EQ(cache.loads + cache.stores, 0);
}

TEST(Layers, ErrorsOfTheNewOnesAreNamedByTheirIds) {
    auto expressions = numbered(0, 50);
    const PatternSet before = compiled(expressions, options(nullptr));
    expressions[3] = "(open";
    expressions[40] = "[";
    std::vector<PatternError> errors;
    const PatternSet after =
        PatternSet::compile(expressions, options(nullptr, before.base()), errors);
    EXPECT_EQ(after.size(), 0u);
    ASSERT_EQ(errors.size(), 2u);
    EXPECT_EQ(errors[0].index, 3u);
    EXPECT_EQ(errors[1].index, 40u);
}

TEST(Layers, MergedSetStandsOnOneDatabase) {
    MemoryCache cache;
    auto expressions = numbered(0, 50);
    const PatternSet before = compiled(expressions, options(&cache));
    expressions.push_back("more.*");
    const PatternSet after = compiled(expressions, options(&cache, before.base()));
    ASSERT_TRUE(after.merge_pending());
    const auto base = merge(after.expressions(), "text", &cache);
    ASSERT_NE(base, nullptr);
    const PatternSet merged = compiled(after.expressions(), options(nullptr, base));
    EXPECT_EQ(merged.databases(), 1u);
    EXPECT_FALSE(merged.merge_pending());
    EXPECT_EQ(scanned(merged, "w3; more"), scanned(after, "w3; more"));
    EXPECT_EQ(cache.stores, 2);
}

TEST(Layers, RandomChangesFindWhatOneCompileFinds) {
    Prng prng(21);
    const std::vector<std::string> letters = {"a", "b", "c", "1", " "};
    const auto random_expression = [&] {
        std::string out = prng.chance(1, 2) ? "\\b" : "";
        for (uint64_t k = 0, n = 1 + prng.below(3); k < n; ++k) {
            out += letters[prng.below(4)] + (prng.chance(1, 6) ? "+" : "");
        }
        return out;
    };
    std::vector<std::string> expressions;
    PatternSet set;
    for (int round = 0; round < rounds; ++round) {
        std::erase_if(expressions, [&](const std::string&) { return prng.chance(1, 10); });
        for (uint64_t k = 0, n = prng.below(10); k < n; ++k) {
            const std::string fresh = random_expression();
            if (std::ranges::find(expressions, fresh) == expressions.end()) {
                expressions.insert(expressions.begin() +
                                       static_cast<ptrdiff_t>(prng.below(expressions.size() + 1)),
                                   fresh);
            }
        }
        set = compiled(expressions, options(nullptr, set.base()));
        const PatternSet whole = compiled(expressions);
        Scanner scanner(set);
        Scanner reference(whole);
        for (int t = 0; t < 30; ++t) {
            std::string text;
            for (uint64_t k = 0, n = prng.below(10); k < n; ++k) {
                text += letters[prng.below(letters.size())];
            }
            ASSERT_EQ(scanner(text), reference(text)) << text;
        }
    }
}

TEST(Cache, SecondStartLoadsWhatTheFirstCompiled) {
    MemoryCache cache;
    const PatternSet first = compiled(numbered(0, 30), options(&cache));
    EXPECT_EQ(cache.stores, 1);
    auto reversed = numbered(0, 30);
    std::ranges::reverse(reversed);  // content, not order
    const PatternSet second = compiled(reversed, options(&cache));
    EXPECT_EQ(cache.stores, 1);
    EXPECT_EQ(cache.loads, 2);
    EXPECT_EQ(scanned(second, "w1; w29x;"), (Ids{28, 0}));
}

TEST(Cache, StartAfterASmallChangeStandsOnTheNewestEntry) {
    MemoryCache cache;
    (void)compiled(numbered(0, 30), options(&cache));
    const PatternSet second = compiled(numbered(1, 30), options(&cache));
    EXPECT_EQ(second.databases(), 2u);
    EXPECT_EQ(scanned(second, "w0; w1; w30;"), (Ids{0, 29}));
}

TEST(Cache, DamagedEntryIsRejectedAndRebuilt) {
    MemoryCache cache;
    (void)compiled(numbered(0, 30), options(&cache));
    std::string& entry = cache.entries.begin()->second;
    entry[entry.size() / 2] = static_cast<char>(entry[entry.size() / 2] ^ 1);
    const PatternSet second = compiled(numbered(0, 30), options(&cache));
    EXPECT_EQ(cache.rejected.size(), 1u);
    EXPECT_EQ(cache.stores, 2);
    EXPECT_EQ(scanned(second, "w1;"), (Ids{1}));
}

// An entry under another's name: its own expressions say what it is.
TEST(Cache, EntryOfOtherExpressionsDoesNoHarm) {
    MemoryCache cache;
    (void)compiled(numbered(100, 30), options(&cache));
    const std::string other = cache.entries.begin()->second;
    (void)compiled(numbered(0, 30), {.cache = &cache, .name = "other", .at_once_us = 0});
    for (auto& [name, octets] : cache.entries) {
        octets = other;
    }
    const PatternSet set =
        compiled(numbered(0, 30), {.cache = &cache, .name = "other", .at_once_us = 0});
    EXPECT_EQ(scanned(set, "w1; w101;"), (Ids{1}));
}

}  // namespace
}  // namespace sy::match
