// Goal: one expression of many that changes is live without compiling the others, and the merge
// that follows changes nothing but the number of databases. Expressions that take long enough to be
// worth it are in UTF-8 mode, so that few of them do.
#include "core/config/merge.h"

#include <gtest/gtest.h>

#include "tests/unit/config/load_support.h"
#include "tests/unit/match/memory_cache.h"

namespace sy::config::test {
namespace {

class Merge : public testing::Test {
  protected:
    std::unique_ptr<route::Snapshot> reload(const std::vector<std::string>& texts,
                                            const route::Snapshot* previous) {
        std::string table = "prefix,network,sender,text,targets\n";
        for (const std::string& text : texts) {
            table += "44,,," + text + ",beta\n";
        }
        table += "44,,^ACME.x$,,alpha\n";
        files["etc/mt.csv"] = table + last_row;
        std::vector<Diagnostic> diagnostics;
        const auto config = load("etc/sy.toml", reader_of(files), registry, diagnostics);
        auto snapshot =
            config ? compile(*config, registry, previous, diagnostics, &cache) : nullptr;
        EXPECT_NE(snapshot, nullptr);
        return snapshot;
    }
    /// Line of the rule that takes a message with this text, 0: none.
    uint32_t line_for(const route::Snapshot& snapshot, std::string_view text) {
        smpp::Sm sm;
        sm.short_message = as_octets(text);
        route::MtQuery query;
        query.customer = registry.customer("acme");
        query.plan = snapshot.customer(query.customer)->plan_id;
        query.destination = "447700900123";
        query.sender = "ACME";
        query.sm = &sm;
        route::MtDecision decision;
        snapshot.mt.decide({&query, 1}, {&decision, 1}, snapshot.scratches.at(0));
        return decision.rule_line;
    }
    static std::vector<std::string> texts(int first, int count) {
        std::vector<std::string> out;
        for (int i = first; i < first + count; ++i) {
            out.push_back("w" + std::to_string(i) + ".x");
        }
        return out;
    }

    Files files = good_files();
    std::string last_row;
    Registry registry;
    match::MemoryCache cache;
};

TEST_F(Merge, OneNewExpressionIsLiveAtOnceAndMergedLater) {
    const auto first = reload(texts(0, 20), nullptr);
    EXPECT_EQ(cache.stores, 1);
    EXPECT_TRUE(pending_merges(*first).empty());
    auto changed = texts(0, 20);
    changed[3] = "fresh.x";
    const auto second = reload(changed, first.get());
    EXPECT_EQ(cache.stores, 1);  // nothing large was compiled
    EXPECT_EQ(second->mt.patterns().text.base(), first->mt.patterns().text.base());
    EXPECT_EQ(line_for(*second, "a fresh-x"), 5u);
    EXPECT_EQ(line_for(*second, "a w3-x"), 0u);
    EXPECT_EQ(line_for(*second, "a w19-x"), 21u);

    const auto tasks = pending_merges(*second);
    ASSERT_EQ(tasks.size(), 1u);
    EXPECT_EQ(tasks[0].set, route::mt_text_set);
    EXPECT_EQ(tasks[0].expressions, changed);
    const auto third = with_merged(*second, {run_merge(tasks[0], &cache)});
    ASSERT_TRUE(third && *third != nullptr);
    EXPECT_EQ((*third)->generation, second->generation + 1);
    EXPECT_EQ((*third)->scratches.size(), second->scratches.size());
    EXPECT_EQ((*third)->customers, second->customers);
    EXPECT_EQ((*third)->mt.patterns().text.databases(), 1u);
    EXPECT_TRUE(pending_merges(**third).empty());
    for (const char* text : {"a fresh-x", "a w3-x", "a w19-x", "nothing"}) {
        EXPECT_EQ(line_for(**third, text), line_for(*second, text)) << text;
    }
    // The next start finds it in the cache.
    const int stores = cache.stores;
    const auto started = reload(changed, nullptr);
    EXPECT_EQ(cache.stores, stores);
    EXPECT_EQ(started->mt.patterns().text.databases(), 1u);
}

TEST_F(Merge, NetworksAndPortedNumbersStayWithAMergedTable) {
    files["etc/sy.toml"] += "[routes]\nnetworks = \"networks.csv\"\nported = \"ported.csv\"\n";
    files["etc/networks.csv"] = "prefix,mccmnc,name\n44,23410,O2\n,23415,Vodafone\n";
    files["etc/ported.csv"] = "number,mccmnc\n447700900123,23415\n";
    last_row = "44,23415,,,alpha\n";
    const auto first = reload(texts(0, 20), nullptr);
    auto changed = texts(0, 20);
    changed.emplace_back("one.x");
    const auto second = reload(changed, first.get());
    const auto tasks = pending_merges(*second);
    ASSERT_EQ(tasks.size(), 1u);
    const auto third = with_merged(*second, {run_merge(tasks[0], nullptr)});
    ASSERT_TRUE(third && *third != nullptr);
    EXPECT_EQ((*third)->mt.patterns().text.databases(), 1u);
    // The rule for the network is before those for texts, and the number's network is its ported
    // one.
    for (const char* text : {"nothing", "one x"}) {
        EXPECT_EQ(line_for(*second, text), 24u) << text;
        EXPECT_EQ(line_for(**third, text), 24u) << text;
    }
}

TEST_F(Merge, ReloadDuringAMergeTakesWhatFits) {
    const auto first = reload(texts(0, 20), nullptr);
    auto changed = texts(0, 20);
    changed.emplace_back("one.x");
    const auto second = reload(changed, first.get());
    const auto tasks = pending_merges(*second);
    ASSERT_EQ(tasks.size(), 1u);
    const MergedSet merged = run_merge(tasks[0], nullptr);
    changed.emplace_back("two.x");
    const auto third = reload(changed, second.get());
    const auto fourth = with_merged(*third, {merged});
    ASSERT_TRUE(fourth && *fourth != nullptr);
    EXPECT_EQ((*fourth)->mt.patterns().text.base(), merged.database);
    EXPECT_EQ((*fourth)->mt.patterns().text.expressions_beside(), 1u);
    EXPECT_EQ(line_for(**fourth, "one x"), 22u);
    EXPECT_EQ(line_for(**fourth, "two x"), 23u);
    EXPECT_EQ(pending_merges(**fourth).size(), 1u);
}

TEST_F(Merge, MergeOfWhatIsGoneChangesNothing) {
    const auto first = reload(texts(0, 20), nullptr);
    auto changed = texts(0, 20);
    changed.emplace_back("one.x");
    const auto second = reload(changed, first.get());
    const auto tasks = pending_merges(*second);
    ASSERT_EQ(tasks.size(), 1u);
    const auto third = reload(texts(100, 20), second.get());
    const auto fourth = with_merged(*third, {run_merge(tasks[0], nullptr)});
    ASSERT_TRUE(fourth);
    EXPECT_EQ(*fourth, nullptr);
}

TEST_F(Merge, UnchangedExpressionsAreSharedNotCompiled) {
    const auto first = reload(texts(0, 20), nullptr);
    const auto second = reload(texts(0, 20), first.get());
    EXPECT_EQ(second->mt.patterns().text.base(), first->mt.patterns().text.base());
    EXPECT_EQ(second->mt.patterns().text.databases(), 1u);
}

}  // namespace
}  // namespace sy::config::test
