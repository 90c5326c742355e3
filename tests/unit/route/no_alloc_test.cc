// Goal: decide() never touches the heap, neither through operator new nor through malloc inside
// Hyperscan or the standard library. Method: counting operator new and malloc of the whole program.
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>

#include "core/route/quality.h"
#include "core/route/text_groups.h"
#include "tests/unit/route/route_fixture.h"

namespace {
std::atomic<uint64_t> allocations{0};
}

// The sanitizers replace these themselves; there the test only runs the code.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SY_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SY_SANITIZED 1
#endif
#endif

#ifndef SY_SANITIZED
#define SY_COUNTS_ALLOCATIONS 1

extern "C" void* __libc_malloc(size_t size);
extern "C" void* __libc_calloc(size_t count, size_t size);
extern "C" void* __libc_memalign(size_t alignment, size_t size);

// operator new of libstdc++ ends here, and so does Hyperscan's allocator.
extern "C" void* malloc(size_t size) {
    ++allocations;
    return __libc_malloc(size);
}
extern "C" void* calloc(size_t count, size_t size) {
    ++allocations;
    return __libc_calloc(count, size);
}
extern "C" void* aligned_alloc(size_t alignment, size_t size) {
    ++allocations;
    return __libc_memalign(alignment, size);
}
#endif

namespace sy::route {
namespace {

using testing::message;

#ifdef SY_COUNTS_ALLOCATIONS
TEST(NoAlloc, TheCounterCounts) {
    const uint64_t before = allocations;
    auto* leak = new std::string(100, 'x');
    const uint64_t after = allocations;
    delete leak;
    EXPECT_GE(after - before, 2U);
}
#endif

TEST(NoAlloc, MtDecideWithScansDoesNot) {
    std::vector<MtRule> rules;
    // Closed at first, open from Thursday 00:00:05 on.
    auto when = std::make_shared<When>();
    const auto begin = static_cast<int32_t>(3 * day_seconds + 5);
    when->parts.push_back({std::make_shared<const Zone>(Zone{"UTC", {{0, 0}}}),
                           {{begin, static_cast<int32_t>(week_seconds)}}});
    for (uint16_t i = 0; i < 50; ++i) {
        MtRule rule;
        rule.line = i + 2U;
        rule.plan = i % 5 == 0 ? "*" : "default";
        rule.action = i % 5 == 0 ? Action::drop : Action::route;
        rule.prefix = std::to_string(i % 10);
        rule.sender = i % 2 == 0 ? "^S" + std::to_string(i) : "";
        rule.text = "(?i)word" + std::to_string(i) + ".+[0-9]{3}";
        rule.targets = testing::to_suppliers({{0, 1, 2}, {3, 4}});
        rules.push_back(rule);
    }
    rules[7].when = when;
    rules[7].sender = rules[7].text = "";
    testing::MtBench bench(rules);
    ASSERT_FALSE(bench.table.text_groups().sets().empty());  // scanned for, then all
    const std::string long_text = std::string(200, 'x') + " WORD13 and 123";
    smpp::Sm sm = message(long_text);
    std::vector<MtQuery> queries(limits::burst);
    std::vector<MtDecision> decisions(limits::burst);
    for (size_t i = 0; i < queries.size(); ++i) {
        queries[i].plan = PlanId{0};
        queries[i].destination = i % 2 != 0   ? "7123456789"
                                 : i % 4 != 0 ? "5123456789"
                                              : "3123456789";
        queries[i].sender = "Caf\xE9";
        queries[i].sm = &sm;
        queries[i].spread = i;
    }
    int closed = 0;
    const uint64_t before = allocations;
    for (Nanos turn = 0; turn < 10; ++turn) {
        for (MtQuery& query : queries) {
            query.wall_ns = turn * second_ns;
        }
        bench.table.decide(queries, decisions, bench.scratch);
        closed += decisions[1].kind == MtDecision::Kind::no_route ? 1 : 0;
    }
    EXPECT_EQ(allocations - before, 0U);
    EXPECT_EQ(decisions[0].rule_line, 15U);  // word13 under prefix 3
    EXPECT_EQ(decisions[1].rule_line, 9U);
    EXPECT_EQ(decisions[2].kind, MtDecision::Kind::no_route);  // passed the screening rules
    EXPECT_EQ(closed, 5);
}

TEST(NoAlloc, ChoiceByPriceAndQualityDoesNot) {
    std::vector<MtRule> rules;
    for (uint16_t i = 0; i < 4; ++i) {
        MtRule rule;
        rule.line = i + 2U;
        rule.plan = "default";
        rule.prefix = std::to_string(i);
        rule.select = static_cast<Select>(i);
        rule.max_cost = {50};
        rule.targets = testing::to_suppliers({{0, 1, 2, 3, 4, 5, 6, 7}, {8, 9, 10, 11}});
        rules.push_back(rule);
    }
    testing::MtBench bench(rules);
    auto buy = std::make_shared<BuyPrices>();
    std::vector<PriceRow> rows;
    uint16_t columns = 0;
    for (uint16_t i = 0; i < 40; ++i) {
        PriceRow row;
        row.line = i + 2U;
        row.column = buy->suppliers.claim(testing::supplier(i % 12), columns);
        row.from = i;
        row.price = {i + 20};
        rows.push_back(row);
    }
    sort_rows(rows);
    buy->table = PriceTable(rows, columns);
    auto prices = std::make_shared<Prices>();
    prices->buy = buy;
    bench.table.set_prices(prices);
    QualityBoard board(1, 16);
    bench.scratch.use(&board);
    std::vector<MtQuery> queries(limits::burst);
    std::vector<MtDecision> decisions(limits::burst);
    const std::vector<std::string> numbers = {"0123456789", "1123456789", "2123456789",
                                              "3123456789"};
    for (size_t i = 0; i < queries.size(); ++i) {
        queries[i].plan = PlanId{0};
        queries[i].destination = numbers[i % 4];
        queries[i].spread = i;
        queries[i].wall_ns = 2 * i * minute_ns;
    }
    const uint64_t before = allocations;
    for (int turn = 0; turn < 10; ++turn) {
        bench.table.decide(queries, decisions, bench.scratch);
    }
    EXPECT_EQ(allocations - before, 0U);
    EXPECT_EQ(decisions[0].target_count, 1);  // at minute 0 only supplier 0 has a price
    // At minute 62 suppliers 4 to 6 take 48 to 50, all others more.
    EXPECT_EQ(decisions[31].target_count, 3);
}

TEST(NoAlloc, MoDecideWithKeywordsAndScansDoesNot) {
    std::vector<MoRule> rules;
    for (uint16_t i = 0; i < 50; ++i) {
        MoRule rule;
        rule.line = i + 2U;
        rule.number = "60000";
        rule.keyword = i % 2 == 0 ? "a-rather-long-keyword-" + std::to_string(i) : "";
        rule.text = i % 3 == 0 ? "text" + std::to_string(i) : "";
        rule.targets = testing::to_customers({0, 1, 2});
        rules.push_back(rule);
    }
    testing::MoBench bench(rules, {{"60001", testing::customer(1)}});
    smpp::Sm sm = message("A-RATHER-LONG-KEYWORD-48 text48");
    std::vector<MoQuery> queries(limits::burst);
    std::vector<MoDecision> decisions(limits::burst);
    for (size_t i = 0; i < queries.size(); ++i) {
        queries[i].number = i % 2 == 0 ? "60000" : "60001";
        queries[i].source = "447700900999";
        queries[i].sm = &sm;
    }
    const uint64_t before = allocations;
    for (int turn = 0; turn < 10; ++turn) {
        bench.table.decide(queries, decisions, bench.scratch);
    }
    EXPECT_EQ(allocations - before, 0U);
    EXPECT_EQ(decisions[0].rule_line, 50U);
    EXPECT_EQ(decisions[1].target_count, 1);
}

}  // namespace
}  // namespace sy::route
