// What one MT decision costs as tables grow: 1,000 to 1,000,000 rules, 10 or 5,000 plans, 1 or
// 1,000 rules on each prefix of a plan (of as many customers, a tenth with a sender expression).
// Decisions in bursts of 32. Every decision is compared with a hash of the rules by plan, prefix
// and customer before the timing starts; the sum of the rule lines stands beside the times.
//
// `build` is MtTable::build() of the same rules; `bytes_a_rule` what the compiled form takes beside
// the rules themselves. Noise-free: valgrind --tool=callgrind with --benchmark_filter of one case.
#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/route_parts.h"
#include "core/base/assert.h"
#include "core/base/prng.h"
#include "core/route/mo_table.h"
#include "core/route/mt_table.h"
#include "core/route/scratch.h"

namespace sy::route {
namespace {

using bench::in_thousands;

constexpr size_t query_count = 8192;
constexpr uint64_t seed = 11;
constexpr uint16_t customer_count = 5000;

struct Size {
    uint32_t rules;
    uint32_t plans;
    uint32_t rules_a_prefix;
};

std::vector<std::string> plan_names(uint32_t count) {
    std::vector<std::string> names;
    for (uint32_t i = 0; i < count; ++i) {
        names.push_back("plan" + std::to_string(i));
    }
    return names;
}

// The k-th prefix of a plan: 3 to 6 digits, no one the beginning of another, so that one prefix
// alone decides and the check below stays simple.
std::string prefix_of(uint32_t k) {
    std::string digits = std::to_string(1 + k % 9);
    for (uint32_t rest = k / 9; rest > 0; rest /= 9) {
        digits += static_cast<char>('0' + rest % 9);
    }
    return digits + "9";
}

// Rule r of a prefix is of customer r; every tenth asks for a sender too, and the prefix's last one
// is for everybody.
MtRule rule_of(const Size& size, uint32_t i) {
    MtRule rule;
    rule.line = i + 2;
    const uint32_t of_prefix = i % size.rules_a_prefix;
    const uint32_t prefix = i / size.rules_a_prefix;
    rule.plan = "plan" + std::to_string(prefix % size.plans);
    rule.prefix = prefix_of(prefix / size.plans);
    if (of_prefix + 1 < size.rules_a_prefix) {
        rule.customer = CustomerId{static_cast<uint16_t>(of_prefix % customer_count)};
        rule.sender = of_prefix % 10 == 7 ? "^Brand" + std::to_string(of_prefix % 50) : "";
    }
    rule.targets = {{{SupplierId{static_cast<uint16_t>(i % 7)}, 70}, {SupplierId{8}, 30}},
                    {{SupplierId{9}, 1}}};
    return rule;
}

struct Workload {
    std::vector<MtRule> rules;
    std::vector<std::string> plans;
    MtTable table;
    RouteScratch scratch;
    std::vector<std::string> numbers;
    std::vector<MtQuery> queries;
    smpp::Sm message;
};

MtTable built(const Workload& work) {
    std::vector<MtTable::BuildError> errors;
    MtTable table = MtTable::build(work.rules, work.plans, errors);
    SY_ASSERT(errors.empty());
    return table;
}

// REQUIRES: `work` stays where it is: queries point into it.
void fill(Workload& work, const Size& size) {
    Prng prng(seed);
    work.plans = plan_names(size.plans);
    for (uint32_t i = 0; i < size.rules; ++i) {
        work.rules.push_back(rule_of(size, i));
    }
    work.table = built(work);
    SY_ASSERT(work.scratch.prepare(work.table, MoTable()).has_value());
    std::vector<uint32_t> asked;  // rules, so that every question has its prefix
    for (size_t i = 0; i < query_count; ++i) {
        asked.push_back(static_cast<uint32_t>(prng.below(size.rules)));
        std::string number = work.rules[asked.back()].prefix;
        while (number.size() < 12) {
            number += static_cast<char>('0' + prng.below(10));
        }
        work.numbers.push_back(number);
    }
    for (size_t i = 0; i < query_count; ++i) {
        const uint32_t prefix = asked[i] / size.rules_a_prefix;
        MtQuery query;
        query.plan = PlanId{static_cast<uint16_t>(prefix % size.plans)};
        query.customer = CustomerId{static_cast<uint16_t>(asked[i] % size.rules_a_prefix)};
        query.destination = work.numbers[i];
        query.sender = "Shop";
        query.sm = &work.message;
        query.spread = prng();
        work.queries.push_back(query);
    }
}

// No sender matches: the customer's own rule if it asks for none, else the one for everybody.
void verify(const Workload& work, const std::vector<MtDecision>& decisions) {
    const auto key = [](std::string_view plan, std::string_view prefix, CustomerId customer) {
        return std::string(plan) + ' ' + std::string(prefix) + ' ' + std::to_string(customer.value);
    };
    std::unordered_map<std::string, const MtRule*> by_key;
    for (const MtRule& rule : work.rules) {
        if (rule.sender.empty()) {
            by_key.try_emplace(key(rule.plan, rule.prefix, rule.customer), &rule);
        }
    }
    for (size_t i = 0; i < query_count; ++i) {
        const MtQuery& query = work.queries[i];
        const MtRule* expected = nullptr;
        const std::string& plan = work.plans[query.plan.value];
        for (size_t digits = 1; digits <= query.destination.size(); ++digits) {
            const std::string_view prefix = query.destination.substr(0, digits);
            for (const CustomerId customer : {CustomerId::none(), query.customer}) {
                if (const auto it = by_key.find(key(plan, prefix, customer)); it != by_key.end()) {
                    expected = it->second;
                }
            }
        }
        SY_ASSERT(expected != nullptr && decisions[i].rule_line == expected->line);
        SY_ASSERT(decisions[i].target_count == 3);
    }
}

void decide(benchmark::State& state, const Size& size) {
    Workload work;
    fill(work, size);
    bench::time_decisions(state, work, verify);
    state.counters["bytes_a_rule"] =
        static_cast<double>(work.table.index_bytes()) / static_cast<double>(size.rules);
}

void build(benchmark::State& state, const Size& size) {
    Workload work;
    work.plans = plan_names(size.plans);
    for (uint32_t i = 0; i < size.rules; ++i) {
        work.rules.push_back(rule_of(size, i));
    }
    for (auto _ : state) {
        const MtTable table = built(work);
        benchmark::DoNotOptimize(table.rules().size());
    }
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(size.rules));
}

void add_benchmarks() {
    for (const uint32_t rules : {1'000U, 100'000U, 1'000'000U}) {
        for (const uint32_t plans : {10U, 5'000U}) {
            for (const uint32_t rules_a_prefix : {1U, 1'000U}) {
                const Size size{rules, plans, rules_a_prefix};
                const std::string name = "rules=" + in_thousands(rules) +
                                         "/plans=" + in_thousands(plans) +
                                         "/rules_a_prefix=" + in_thousands(rules_a_prefix);
                benchmark::RegisterBenchmark(("route/rules/decide/" + name).c_str(), decide, size)
                    ->Unit(benchmark::kMicrosecond);
                benchmark::RegisterBenchmark(("route/rules/build/" + name).c_str(), build, size)
                    ->Unit(benchmark::kMillisecond)
                    ->UseRealTime();
            }
        }
    }
}

}  // namespace
}  // namespace sy::route

int main(int argc, char** argv) {
    sy::route::add_benchmarks();
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
