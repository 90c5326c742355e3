// core/route per message: decisions in bursts of 32 over 10,000 prefixes and 20 expressions, with
// growing shares of messages whose rules ask for a scan. Decisions are checked against a plain
// walk over the rules before the timing starts; the sum of the rule lines stands beside the times,
// so that a change of meaning shows.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/route_parts.h"
#include "core/base/assert.h"
#include "core/base/prng.h"
#include "core/route/mo_table.h"
#include "core/route/mt_table.h"
#include "core/route/prefix_index.h"
#include "core/route/scratch.h"

namespace sy::route {
namespace {

using bench::random_digits;
using bench::time_decisions;

constexpr uint32_t prefix_count = 10'000;
constexpr uint32_t expression_count = 20;
constexpr size_t query_count = 4096;  // different messages; more than a branch predictor learns
constexpr uint64_t seed = 20;

Tiers<SupplierId> targets_of(uint32_t i) {
    const auto id = [&](uint32_t k) { return SupplierId{static_cast<uint16_t>((i + k) % 4)}; };
    return {{{id(0), 70}, {id(1), 30}}, {{id(2), 1}}};
}

// Prefixes of 2 to 7 digits, most of them of 4 to 6, as price lists have them.
std::vector<MtRule> prefix_rules(Prng& prng) {
    std::vector<MtRule> rules;
    for (uint32_t i = 0; i < prefix_count; ++i) {
        MtRule rule;
        rule.line = i + 2;
        rule.plan = "default";
        rule.prefix = random_digits(prng, 2 + (prng.below(3) + prng.below(4)));
        rule.targets = targets_of(i);
        rules.push_back(rule);
    }
    return rules;
}

// Half of the expressions look at senders, half at texts; they stand in front of all prefixes that
// begin with 9, so the share of such destinations is the share of scans.
void add_expression_rules(std::vector<MtRule>& rules) {
    for (uint32_t i = 0; i < expression_count; ++i) {
        MtRule rule;
        rule.line = prefix_count + 2 + i;
        rule.plan = "*";
        rule.prefix = "9";
        rule.action = Action::drop;
        if (i % 2 == 0) {
            rule.sender = "(?i)^brand" + std::to_string(i) + "[a-z]*$";
        } else {
            rule.text = "(?i)\\b(win|prize|casino)" + std::to_string(i) + ".*http";
        }
        rules.push_back(rule);
    }
}

struct Workload {
    MtTable table;
    RouteScratch scratch;
    std::vector<std::string> numbers;
    std::vector<smpp::Sm> messages;
    std::vector<MtQuery> queries;
    std::string text = std::string(120, 'l') + " your code is 123456, do not share it";
};

// REQUIRES: `into` stays where it is: queries point into it.
void fill(Workload& into, uint32_t scan_percent) {
    Prng prng(seed);
    auto rules = prefix_rules(prng);
    add_expression_rules(rules);
    std::vector<MtTable::BuildError> errors;
    into.table = MtTable::build(rules, {"default"}, errors);
    SY_ASSERT(errors.empty());
    SY_ASSERT(into.scratch.prepare(into.table, MoTable()).has_value());
    smpp::Sm sm;
    sm.short_message = as_octets(into.text);
    into.messages.assign(1, sm);
    for (size_t i = 0; i < query_count; ++i) {
        std::string number = random_digits(prng, 11 + prng.below(3));
        // Three of four under a prefix of the table.
        if (prng.chance(3, 4)) {
            const auto& prefix = rules[prng.below(prefix_count)].prefix;
            number.replace(0, prefix.size(), prefix);
        }
        number[0] = prng.chance(scan_percent, 100) ? '9' : number[0] == '9' ? '4' : number[0];
        into.numbers.push_back(number);
    }
    for (size_t i = 0; i < query_count; ++i) {
        MtQuery query;
        query.customer = CustomerId{static_cast<uint16_t>(i % 8)};
        query.plan = PlanId{0};
        query.destination = into.numbers[i];
        query.sender = i % 2 == 0 ? "ACME" : "447700900123";
        query.sm = into.messages.data();
        query.spread = prng();
        into.queries.push_back(query);
    }
}

// No expression matches these messages, so the longest prefix alone decides. Every eighth message:
// the walk takes longer than the benchmark.
void verify(const Workload& work, const std::vector<MtDecision>& decisions) {
    for (size_t i = 0; i < query_count; i += 8) {
        const MtRule* best = nullptr;
        for (const MtRule& rule : work.table.rules()) {
            if (rule.plan == "default" && work.queries[i].destination.starts_with(rule.prefix) &&
                (best == nullptr || rule.prefix.size() > best->prefix.size())) {
                best = &rule;
            }
        }
        SY_ASSERT(decisions[i].rule_line == (best == nullptr ? 0 : best->line));
        SY_ASSERT(decisions[i].target_count == (best == nullptr ? 0 : 3));
    }
}

void mt_decide(benchmark::State& state) {
    Workload work;
    fill(work, static_cast<uint32_t>(state.range(0)));
    time_decisions(state, work, verify);
}
BENCHMARK(mt_decide)
    ->Name("route/mt_decide/prefixes=10k/expressions=20/scan_percent")
    ->Arg(0)
    ->Arg(10)
    ->Arg(100)
    ->Unit(benchmark::kMicrosecond);

// Every message's text is scanned: 1,000 expressions behind every prefix, texts of 160 characters.
// `alone` scans the same texts with the same set and decides nothing.
constexpr uint32_t text_expression_count = 1'000;

std::string code_word(uint64_t i) {
    return "brand" + std::to_string(i * 7919 % 100'003);
}

void fill_texts(Workload& into, std::vector<std::string>& texts) {
    fill(into, 0);
    Prng prng(seed + 1);
    std::vector<MtRule> rules = into.table.rules();
    std::erase_if(rules, [](const MtRule& rule) { return rule.plan == "*"; });
    for (uint32_t i = 0; i < text_expression_count; ++i) {
        MtRule rule;
        rule.line = prefix_count + 100 + i;
        rule.plan = "*";
        rule.action = Action::drop;
        rule.text =
            "(?i)" + code_word(i) +
            (i % 2 == 0 ? "\\s+(code|otp)\\s*(is|:)?\\s*[0-9]{4,8}" : ".*(bit\\.ly|t\\.me)/");
        rules.push_back(rule);
    }
    std::vector<MtTable::BuildError> errors;
    into.table = MtTable::build(rules, {"default"}, errors);
    SY_ASSERT(errors.empty());
    SY_ASSERT(into.scratch.prepare(into.table, MoTable()).has_value());
    for (size_t i = 0; i < query_count; ++i) {
        std::string text;
        while (text.size() < 160) {
            text += prng.chance(1, 12) ? code_word(prng.below(text_expression_count))
                                       : random_digits(prng, 1 + prng.below(3)) + "x our offer";
            text += ' ';
        }
        texts.push_back(text.substr(0, 160));
    }
    into.messages.resize(query_count);
    for (size_t i = 0; i < query_count; ++i) {
        into.messages[i].short_message = as_octets(texts[i]);
        into.queries[i].sm = &into.messages[i];
    }
}

void mt_decide_texts(benchmark::State& state) {
    Workload work;
    std::vector<std::string> texts;
    fill_texts(work, texts);
    time_decisions(state, work, verify);
}
BENCHMARK(mt_decide_texts)
    ->Name("route/mt_decide/prefixes=10k/text_expressions=1k/every_text_scanned")
    ->Unit(benchmark::kMicrosecond);

void scan_texts_alone(benchmark::State& state) {
    Workload work;
    std::vector<std::string> texts;
    fill_texts(work, texts);
    const match::PatternSet& set = work.table.patterns().text;
    match::PatternScratch scratch;
    match::MatchSet matches;
    matches.reserve(set.size());
    SY_ASSERT(scratch.prepare(set).has_value());
    uint64_t hits = 0;
    for (auto _ : state) {
        hits = 0;
        for (const std::string& text : texts) {
            set.scan(text, scratch, matches);
            hits += matches.hits().size();
        }
        benchmark::DoNotOptimize(hits);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(query_count));
    state.counters["hits"] = static_cast<double>(hits);
}
BENCHMARK(scan_texts_alone)
    ->Name("route/scan_alone/text_expressions=1k")
    ->Unit(benchmark::kMicrosecond);

void prefix_find(benchmark::State& state) {
    Workload work;
    fill(work, 0);
    std::vector<PrefixIndex::Entry> entries;
    std::vector<KeyRange> ranges;
    for (const MtRule& rule : work.table.rules()) {
        ranges.push_back(prefix_range(rule.prefix));
    }
    std::sort(ranges.begin(), ranges.end(), [](const KeyRange& a, const KeyRange& b) {
        return std::pair(a.first, b.last) < std::pair(b.first, a.last);
    });
    ranges.erase(std::unique(ranges.begin(), ranges.end()), ranges.end());
    for (const KeyRange& range : ranges) {
        entries.push_back({0, range, 0, 0});
    }
    const PrefixIndex index(entries, 1);
    std::vector<PrefixIndex::Probe> probes(query_count);
    std::array<uint32_t, limits::burst> nodes{};
    for (auto _ : state) {
        for (size_t at = 0; at < query_count; at += limits::burst) {
            for (size_t i = at; i < at + limits::burst; ++i) {
                probes[i] = {number_key(work.queries[i].destination), 0};
            }
            index.find(std::span(probes).subspan(at, limits::burst), nodes);
            benchmark::DoNotOptimize(nodes);
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(query_count));
}
BENCHMARK(prefix_find)->Name("route/prefix_find/prefixes=10k")->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sy::route

BENCHMARK_MAIN();
