// Goal: a remembered sender has the matches that a scan would find, for as long as they hold, and
// whatever is sent the cache stays as large as it is.
#include "core/route/sender_cache.h"

#include <map>
#include <string>
#include <vector>

#include "core/base/prng.h"
#include "tests/unit/route/route_fixture.h"

namespace sy::route {
namespace {

using Matches = std::vector<uint32_t>;

std::optional<Matches> found(const SenderCache& cache, std::string_view sender) {
    const auto matches = cache.find(sender);
    return matches ? std::optional(Matches(matches->begin(), matches->end())) : std::nullopt;
}

TEST(SenderCache, KnowsNobodyAtFirstAndWithoutMemory) {
    SenderCache cache;
    EXPECT_FALSE(cache.find("ACME"));
    cache.insert("ACME", {});
    EXPECT_FALSE(cache.find("ACME"));
    cache.reserve();
    EXPECT_FALSE(cache.find("ACME"));
    EXPECT_FALSE(cache.find(""));
}

// Every length, and senders that differ in their last octet, their length or trailing zeros alone.
TEST(SenderCache, TellsSendersApart) {
    SenderCache cache;
    cache.reserve();
    std::map<std::string, Matches> expected;
    for (size_t size = 0; size <= SenderCache::sender_octets_max; ++size) {
        for (const char last : {'a', 'b', '\0'}) {
            std::string sender(size, 'x');
            if (size > 0) {
                sender.back() = last;
            }
            expected.try_emplace(sender, Matches{static_cast<uint32_t>(expected.size()), 7u});
        }
    }
    for (const auto& [sender, matches] : expected) {
        ASSERT_FALSE(cache.find(sender));
        cache.insert(sender, matches);
    }
    for (const auto& [sender, matches] : expected) {
        EXPECT_EQ(found(cache, sender), matches) << sender.size();
    }
    cache.reserve();
    EXPECT_FALSE(cache.find("xa"));
    cache.insert("xa", {});
    EXPECT_EQ(found(cache, "xa"), Matches{});
    cache.release();
    EXPECT_FALSE(cache.find("xa"));
}

TEST(SenderCache, KeepsNeitherLongSendersNorManyMatches) {
    SenderCache cache;
    cache.reserve();
    const std::string sender(SenderCache::sender_octets_max + 1, 'x');
    cache.insert(sender, {});
    EXPECT_FALSE(cache.find(sender));
    cache.insert("many", Matches(SenderCache::matches_max + 1));
    EXPECT_FALSE(cache.find("many"));
    cache.insert("nearly", Matches(SenderCache::matches_max, 3));
    EXPECT_EQ(found(cache, "nearly"), Matches(SenderCache::matches_max, 3));
}

// Against a map, with far more senders than there is room for: what is found is right, and a
// working set that fits is found nearly always.
TEST(SenderCache, FloodsForgetButNeverLie) {
    SenderCache cache;
    cache.reserve();
    Prng prng(5);
    std::map<std::string, Matches> all;
    uint32_t hits = 0;
    uint32_t looks = 0;
    for (int i = 0; i < 400'000; ++i) {
        const bool known = prng.chance(1, 2);
        const std::string sender = known ? "S" + std::to_string(prng.below(2'000))
                                         : std::to_string(prng.below(1'000'000'000'000));
        const auto matches = found(cache, sender);
        if (matches) {
            ASSERT_EQ(*matches, all.at(sender));
        } else {
            const Matches fresh(prng.below(4), static_cast<uint32_t>(prng.below(10'000)));
            all[sender] = fresh;
            cache.insert(sender, fresh);
        }
        if (known && i > 100'000) {
            ++looks;
            hits += matches ? 1u : 0u;
        }
    }
    EXPECT_GT(hits, looks * 9 / 10);
}

std::vector<MtRule> sender_rules(const std::vector<std::string>& expressions) {
    std::vector<MtRule> rules;
    for (const std::string& expression : expressions) {
        MtRule rule;
        rule.line = static_cast<uint32_t>(rules.size() + 2);
        rule.plan = "default";
        rule.sender = expression;
        rule.targets = testing::to_suppliers({{0}});
        rules.push_back(rule);
    }
    return rules;
}

MtDecision decide(const MtTable& table, RouteScratch& scratch, std::string_view sender) {
    MtQuery query;
    query.plan = PlanId{0};
    query.destination = "447700900123";
    query.sender = sender;
    MtDecision decision;
    table.decide({&query, 1}, {&decision, 1}, scratch);
    return decision;
}

// One scratch remembers senders of this table; the other was last prepared for another table, so
// it scans each of them.
TEST(SenderCache, DecidesAsAScanDoes) {
    std::vector<std::string> expressions;
    for (int i = 0; i < 40; ++i) {
        expressions.push_back(i % 2 == 0 ? "^A" + std::to_string(i) + "[0-9]*$"
                                         : "(?i)\\bbank" + std::to_string(i) + "\\b");
    }
    for (int i = 0; i < 12; ++i) {
        expressions.push_back("many.{0," + std::to_string(i + 1) + "}$");
    }
    expressions.emplace_back("caf\xC3\xA9");
    testing::MtBench bench(sender_rules(expressions));
    RouteScratch scanning;
    ASSERT_TRUE(scanning.prepare(bench.table, MoTable()));
    ASSERT_TRUE(scanning.prepare(MtTable(), MoTable()));
    Prng prng(6);
    const std::vector<std::string> heads = {"A",       "Bank",    "my bank",     "many",
                                            "Caf\xE9", "caf\xE9", "caf\xC3\xA9", ""};
    uint32_t won = 0;
    for (int i = 0; i < 20'000; ++i) {
        const std::string sender = heads[prng.below(heads.size())] +
                                   (prng.chance(3, 4) ? std::to_string(prng.below(60)) : "");
        const MtDecision cached = decide(bench.table, bench.scratch, sender);
        ASSERT_EQ(cached.rule_line, decide(bench.table, scanning, sender).rule_line) << sender;
        won += cached.rule_line != 0 ? 1u : 0u;
    }
    EXPECT_GT(won, 5'000u);
}

TEST(SenderCache, NewTableForgetsWhatTheOldOneSaid) {
    testing::MtBench bench(sender_rules({"^ACME$"}));
    EXPECT_EQ(decide(bench.table, bench.scratch, "ACME").rule_line, 2u);
    std::vector<MtTable::BuildError> errors;
    const MtTable next = MtTable::build(sender_rules({"^OTHER$", "ACM"}), {"default"}, errors);
    ASSERT_TRUE(errors.empty());
    ASSERT_TRUE(bench.scratch.prepare(next, MoTable()));
    EXPECT_EQ(decide(next, bench.scratch, "ACME").rule_line, 3u);
    EXPECT_EQ(decide(bench.table, bench.scratch, "ACME").rule_line, 2u);
    EXPECT_EQ(decide(next, bench.scratch, "ACME").rule_line, 3u);
}

}  // namespace
}  // namespace sy::route
