// Whole MT decisions on one core, in bursts of 32 as the engine makes them: digits to network to
// rule to targets in order, over 1 M prefixes, 1,000 customers in 200 plans and 5,000 rules, 1,000
// of them with expressions. Messages by what they ask for: none is scanned, a third, all of them,
// and all of them in UCS-2 (70 characters).
// Every decision is compared with a linear list of the rules (linear_rules.h) before the timing.
//
// Beside it in the same run: the stages alone on the same messages; Hyperscan alone on the same
// texts and database; RE2::Set and PCRE2-JIT in place of Hyperscan (they scan the same messages,
// and the same table less its rules for texts decides); the linear list, which scans with
// PCRE2-JIT, rule by rule.
//
// The tables are made here, 10k (smoke) and 1m; with --world DIR as the first arguments, they are
// what scripts/world --prefixes 1000000 --customers 1000 --plans 200 --rules 5000
// --expressions 1000 DIR wrote. Half of the numbers lie in rows of networks.csv by Zipf's law, half
// in rows drawn evenly. Instructions and the share of functions:
//   valgrind --tool=callgrind --toggle-collect='*MtTable::decide*'
//   build/release/bench/decision_bench
//       --benchmark_filter='prefixes=1m/decide/scanned=0' --benchmark_min_time=0.001
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <benchmark/benchmark.h>

#include <hs.h>

#include "bench/decision_tables.h"
#include "bench/linear_rules.h"
#include "bench/route_parts.h"
#include "bench/text_engines.h"
#include "core/base/assert.h"
#include "core/base/prng.h"
#include "core/route/choice_words.h"
#include "core/route/mo_table.h"
#include "core/route/number_key.h"
#include "core/route/rendezvous.h"
#include "core/route/sender_cache.h"

namespace sy::bench {
namespace {

using route::MtDecision;
using route::MtQuery;
using route::MtRule;
using route::MtTable;

constexpr uint64_t seed = 31;
constexpr size_t query_count = 16'384;
constexpr size_t peer_query_count = 1'024;  // peers that take a tenth of a millisecond each
constexpr size_t text_count = 1'024;        // in the cache, as what the engine has just received
constexpr size_t text_octets = 160;
constexpr size_t ucs2_characters = 70;
constexpr size_t sender_count = 4'000;
constexpr Nanos a_wednesday_noon_ns = 1'772'625'600 * second_ns;

std::string world_folder;  // empty: tables are made

constexpr DecisionSize small_size{10'000, 40, 10, 300, 60};
constexpr DecisionSize large_size{1'000'000, 1'000, 200, 5'000, 1'000};

// Tables of one size, made once; the linear list over them.
struct World {
    DecisionTables tables;
    MtTable table;
    MtTable without_texts;  // rules that ask for texts left out
    LinearRules linear;

    explicit World(const Files& files)
        : tables(files),
          table(tables.snapshot->mt),
          without_texts(less_texts()),
          linear(table.rules(), tables.registry.plans(), tables.networks) {}

  private:
    [[nodiscard]] MtTable less_texts() const {
        std::vector<MtRule> rules = table.rules();
        std::erase_if(rules, [](const MtRule& rule) { return !rule.text.empty(); });
        std::vector<MtTable::BuildError> errors;
        MtTable left =
            MtTable::build(rules, tables.registry.plans(), errors, tables.network_tables);
        SY_ASSERT(errors.empty());
        left.set_prices(std::make_shared<route::Prices>(table.prices()));
        return left;
    }
};

World& world(const DecisionSize& size) {
    static std::map<size_t, std::unique_ptr<World>> all;
    auto& one = all[size.prefixes];
    if (one == nullptr) {
        one = std::make_unique<World>(world_folder.empty() ? MadeFiles(size, seed).take()
                                                           : read_files(world_folder));
    }
    return *one;
}

// The longest run of letters and digits of an expression: what a text needs to interest it.
std::string word_of(const std::string& expression) {
    std::string longest, word;
    for (size_t i = 0; i <= expression.size(); ++i) {
        const char c = i < expression.size() ? expression[i] : ' ';
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            word += c;
        } else {
            longest = word.size() > longest.size() ? word : longest;
            word.clear();
        }
    }
    // "\bword" begins with the b.
    return expression.find("\\" + longest) != std::string::npos ? longest.substr(1) : longest;
}

// Messages of which so many percent ask for their text, and what the linear list says of each.
struct Messages {
    MtTable table;
    route::RouteScratch scratch;
    std::vector<std::string> numbers, senders, texts;
    std::vector<std::string> ucs2_texts;  // where these are sent
    std::vector<smpp::Sm> messages;
    std::vector<MtQuery> queries;
    std::vector<const MtRule*> expected;
    std::vector<bool> scanned;

    Messages(World& of, uint32_t scanned_percent, bool in_ucs2 = false)
        : table(of.table), prng_(seed + 1 + scanned_percent), world_(of), in_ucs2_(in_ucs2) {
        make_senders();
        for (const MtRule& rule : table.rules()) {
            if (!rule.text.empty()) {
                words_.push_back(word_of(rule.text));
            }
        }
        numbers.resize(query_count);
        texts.resize(text_count);
        ucs2_texts.resize(text_count);
        messages.resize(text_count);
        queries.resize(query_count);
        for (size_t i = 0; i < text_count; ++i) {
            make_text(i);
        }
        for (size_t i = 0; i < query_count; ++i) {
            const bool wanted = prng_.chance(scanned_percent, 100);
            do {
                // Messages stay in the cache, as those do that the engine has just received.
                make_query(i, messages[i % (wanted ? text_count : limits::burst)]);
                expected.resize(i);
                expected.push_back(world_.linear.decide(queries[i], text_of(i)));
            } while (world_.linear.asked_text() != wanted);
            scanned.push_back(wanted);
        }
        SY_ASSERT(scratch.prepare(table, route::MoTable()).has_value());
    }

    [[nodiscard]] const std::string& text_of(size_t query) const {
        return texts[static_cast<size_t>(queries[query].sm - messages.data())];
    }

  private:
    // Brands, phones and short codes.
    void make_senders() {
        for (size_t i = 0; i < sender_count; ++i) {
            senders.push_back(i % 4 == 3   ? random_digits(prng_, 5)
                              : i % 4 == 2 ? random_digits(prng_, 12)
                                           : "Shop" + std::to_string(prng_.below(100'000)));
        }
    }
    void make_text(size_t i) {
        std::string& text = texts[i];
        while (text.size() < text_octets) {
            text += prng_.chance(1, 12) && !words_.empty()
                        ? words_[prng_.below(words_.size())]
                        : random_digits(prng_, 1 + prng_.below(3)) + "x our offer";
            text += ' ';
        }
        text.resize(in_ucs2_ ? ucs2_characters : text_octets);
        messages[i].short_message = as_octets(text);
        messages[i].data_coding = prng_.chance(1, 20) ? uint8_t{3} : uint8_t{0};
        if (in_ucs2_) {
            for (const char c : text) {
                ucs2_texts[i] += {'\0', c};
            }
            messages[i].short_message = as_octets(ucs2_texts[i]);
            messages[i].data_coding = 8;
        }
    }
    void make_query(size_t i, const smpp::Sm& message) {
        const auto& prefixes = world_.tables.prefixes;
        const auto rows = static_cast<double>(prefixes.size());
        // Zipf with exponent 1: rank r with a probability of 1/r; ranks are spread over rows.
        const double uniform = static_cast<double>(prng_() >> 11) / 9007199254740992.0;
        const auto rank = static_cast<uint64_t>(std::pow(rows, uniform)) - 1;
        numbers[i] = prefixes[(prng_.chance(1, 2) ? mix64(rank) : prng_()) % prefixes.size()];
        const size_t length = std::max<size_t>(numbers[i].size(), 11 + prng_.below(3));
        while (numbers[i].size() < length) {
            numbers[i] += static_cast<char>('0' + prng_.below(10));
        }
        const auto& customers = world_.tables.snapshot->customers;
        MtQuery& query = queries[i];
        query.customer = CustomerId{static_cast<uint16_t>(prng_.below(customers.size()))};
        query.plan = customers[query.customer.value]->plan_id;
        query.destination = numbers[i];
        query.sender = senders[prng_.below(senders.size())];
        query.sm = &message;
        query.spread = prng_();
        query.wall_ns = a_wednesday_noon_ns;
    }

    Prng prng_;
    World& world_;
    bool in_ucs2_;
    std::vector<std::string> words_;
};

Messages& messages(const DecisionSize& size, uint32_t scanned_percent, bool in_ucs2 = false) {
    static std::map<std::tuple<size_t, uint32_t, bool>, std::unique_ptr<Messages>> all;
    auto& one = all[{size.prefixes, scanned_percent, in_ucs2}];
    if (one == nullptr) {
        one = std::make_unique<Messages>(world(size), scanned_percent, in_ucs2);
    }
    return *one;
}

// The order to try, where weights or the row alone make it.
void verify_targets(const MtRule& rule, const MtQuery& query, const MtDecision& decision) {
    std::map<uint16_t, std::pair<size_t, double>> all;  // tier and score
    for (size_t tier = 0; tier < rule.targets.size(); ++tier) {
        for (const auto& target : rule.targets[tier]) {
            const double score =
                rule.select == route::Select::order
                    ? static_cast<double>(all.size())
                    : route::rendezvous_model(query.spread, target.id.value, target.weight);
            all.emplace(target.id.value, std::pair(tier, score));
        }
    }
    SY_ASSERT(decision.target_count == all.size());
    if (rule.select == route::Select::cost || rule.select == route::Select::quality) {
        return;
    }
    std::pair<size_t, double> before(0, 0);
    for (size_t i = 0; i < all.size(); ++i) {
        const auto here = all.extract(decision.targets[i].value).mapped();
        // Scores that are nearly equal may stand either way (rendezvous.h).
        SY_ASSERT(here.first > before.first ||
                  (here.first == before.first && here.second >= before.second * (1 - 1e-4)));
        before = here;
    }
}

void verify(const Messages& of, std::span<const MtDecision> decisions) {
    for (size_t i = 0; i < decisions.size(); ++i) {
        const MtRule* rule = of.expected[i];
        SY_ASSERT(decisions[i].rule_line == (rule == nullptr ? 0 : rule->line));
        if (rule != nullptr && rule->action == route::Action::route) {
            verify_targets(*rule, of.queries[i], decisions[i]);
        }
    }
}

void decide(benchmark::State& state,
            const DecisionSize& size,
            uint32_t percent,
            bool in_ucs2 = false) {
    Messages& of = messages(size, percent, in_ucs2);
    time_decisions(state, of, verify);
}

void decide_linearly(benchmark::State& state, const DecisionSize& size, uint32_t percent) {
    Messages& of = messages(size, percent);
    LinearRules& linear = world(size).linear;
    uint64_t sum = 0;
    for (auto _ : state) {
        sum = 0;
        for (size_t i = 0; i < peer_query_count; ++i) {
            const MtRule* rule = linear.decide(of.queries[i], of.text_of(i));
            sum += rule == nullptr ? 0 : rule->line;
        }
    }
    report_messages(state, peer_query_count, sum);
}

std::unique_ptr<match::Engine> engine_of(const std::string& name,
                                         const std::vector<std::string>& expressions) {
    if (name == "re2_set") {
        return std::make_unique<match::Re2Set>(expressions);
    }
    return std::make_unique<match::PcreJit>(expressions);
}

// Another engine scans what has to be scanned, then the table without rules for texts decides.
void decide_beside(benchmark::State& state,
                   const DecisionSize& size,
                   uint32_t percent,
                   const std::string& name) {
    Messages& of = messages(size, percent);
    const MtTable& table = world(size).without_texts;
    const auto expressions = of.table.patterns().text.expressions();
    const auto engine = engine_of(name, expressions);
    const auto reference = engine_of("pcre2_jit", expressions);
    for (size_t i = 0; i < 64; ++i) {
        SY_ASSERT(engine->matches(of.texts[i]) == reference->matches(of.texts[i]));
    }
    route::RouteScratch scratch;
    SY_ASSERT(scratch.prepare(table, route::MoTable()).has_value());
    const size_t count = name == "re2_set" ? query_count : peer_query_count;
    std::vector<MtDecision> decisions(count);
    const std::span queries(of.queries.data(), count);
    uint64_t sum = 0;
    for (auto _ : state) {
        sum = decide_all(table, queries, decisions, scratch);
        for (size_t i = 0; i < count; ++i) {
            sum += of.scanned[i] ? engine->matches(of.text_of(i)) : 0;
        }
        benchmark::DoNotOptimize(sum);
    }
    report_messages(state, count, sum);
}

void scan_alone(benchmark::State& state, const DecisionSize& size, bool hyperscan_only) {
    Messages& of = messages(size, 100);
    const match::PatternSet& set = of.table.patterns().text;
    SY_ASSERT(set.databases() == 1);
    match::PatternScratch scratch;
    SY_ASSERT(scratch.prepare(set).has_value());
    match::MatchSet found;
    found.reserve(set.size());
    hs_scratch_t* plain = nullptr;
    const hs_database* database = set.base()->hyperscan();
    SY_ASSERT(hs_alloc_scratch(database, &plain) == HS_SUCCESS);
    uint64_t sum = 0;
    const auto count = [](unsigned, unsigned long long, unsigned long long, unsigned,
                          void* context) -> int {
        ++*static_cast<uint64_t*>(context);
        return 0;
    };
    for (auto _ : state) {
        sum = 0;
        for (size_t i = 0; i < query_count; ++i) {
            const std::string& text = of.text_of(i);
            if (hyperscan_only) {
                SY_ASSERT(hs_scan(database, text.data(), static_cast<unsigned>(text.size()), 0,
                                  plain, count, &sum) == HS_SUCCESS);
            } else {
                set.scan(text, scratch, found);
                sum += found.hits().size();
            }
        }
    }
    hs_free_scratch(plain);
    report_messages(state, query_count, sum);
}

// Of decide/scanned=0: the digits, then the digits and the network, then the choice alone.
void parse(benchmark::State& state, const DecisionSize& size) {
    Messages& of = messages(size, 0);
    uint64_t sum = 0;
    for (auto _ : state) {
        sum = 0;
        for (const MtQuery& query : of.queries) {
            sum += route::number_key(query.destination);
        }
        benchmark::DoNotOptimize(sum);
    }
    report_messages(state, of.queries.size(), sum >> 32);
}

void find_network(benchmark::State& state, const DecisionSize& size) {
    Messages& of = messages(size, 0);
    const World& tables = world(size);
    std::array<uint64_t, limits::burst> keys;
    std::array<route::NetworkTables::Resolved, limits::burst> resolved;
    for (size_t i = 0; i < query_count; i += 8) {
        const uint64_t key = route::number_key(of.numbers[i]);
        tables.tables.network_tables.resolve({&key, 1}, {resolved.data(), 1});
        SY_ASSERT(resolved[0].network == tables.linear.network_of(of.numbers[i]));
    }
    uint64_t sum = 0;
    for (auto _ : state) {
        sum = 0;
        for (size_t at = 0; at < query_count; at += limits::burst) {
            for (size_t i = 0; i < limits::burst; ++i) {
                keys[i] = route::number_key(of.queries[at + i].destination);
            }
            tables.tables.network_tables.resolve(keys, resolved);
            for (const auto& one : resolved) {
                sum += one.network.value;
            }
        }
        benchmark::DoNotOptimize(sum);
    }
    report_messages(state, query_count, sum);
}

void choose(benchmark::State& state, const DecisionSize& size) {
    Messages& of = messages(size, 0);
    route::TargetPool<SupplierId> pool;
    std::vector<route::TargetPool<SupplierId>::Range> ranges;
    for (const MtRule* rule : of.expected) {
        ranges.push_back(rule == nullptr ? route::TargetPool<SupplierId>::Range{}
                                         : pool.add(rule->targets, rule->select));
    }
    std::array<std::array<SupplierId, limits::targets_max>, limits::burst> orders;
    uint64_t sum = 0;
    for (auto _ : state) {
        sum = 0;
        for (size_t at = 0; at < query_count; at += limits::burst) {
            route::TargetPool<SupplierId>::Burst burst(pool);
            for (size_t i = 0; i < limits::burst; ++i) {
                burst.add(ranges[at + i], of.queries[at + i].spread, orders[i]);
            }
            burst.finish();
            benchmark::DoNotOptimize(orders);
            sum += orders[0][0].value;
        }
    }
    report_messages(state, query_count, sum);
}

void look_up_senders(benchmark::State& state, const DecisionSize& size) {
    Messages& of = messages(size, 0);
    route::SenderCache cache;
    cache.reserve();
    for (const std::string& sender : of.senders) {
        if (!cache.find(sender)) {
            cache.insert(sender, {});
        }
    }
    uint64_t found = 0;
    for (auto _ : state) {
        found = 0;
        for (const MtQuery& query : of.queries) {
            found += cache.find(query.sender) ? 1u : 0u;
        }
        benchmark::DoNotOptimize(found);
    }
    report_messages(state, query_count, found);
}

template <class Run>
void add(const std::string& name, const Run& run) {
    benchmark::RegisterBenchmark(("decision/" + name).c_str(), run)->Unit(benchmark::kMicrosecond);
}

void add_size(const std::string& name, const DecisionSize& size) {
    for (const uint32_t percent : {0U, 33U, 100U}) {
        const std::string scanned = "/scanned=" + std::to_string(percent);
        add(name + "/decide" + scanned, [=](auto& state) { decide(state, size, percent); });
        add(name + "/linear_list" + scanned,
            [=](auto& state) { decide_linearly(state, size, percent); });
        for (const std::string engine : {"re2_set", "pcre2_jit"}) {
            if (percent != 0) {
                add(name + "/decide_with_" + engine + scanned,
                    [=](auto& state) { decide_beside(state, size, percent, engine); });
            }
        }
    }
    add(name + "/decide/scanned=100/ucs2", [=](auto& state) { decide(state, size, 100, true); });
    add(name + "/texts/hyperscan_alone", [=](auto& state) { scan_alone(state, size, true); });
    add(name + "/texts/patterns", [=](auto& state) { scan_alone(state, size, false); });
    add(name + "/stage/parse", [=](auto& state) { parse(state, size); });
    add(name + "/stage/parse_and_network", [=](auto& state) { find_network(state, size); });
    add(name + "/stage/sender_cache", [=](auto& state) { look_up_senders(state, size); });
    add(name + "/stage/choice", [=](auto& state) { choose(state, size); });
}

}  // namespace
}  // namespace sy::bench

int main(int argc, char** argv) {
    if (argc > 2 && std::strcmp(argv[1], "--world") == 0) {
        sy::bench::world_folder = argv[2];
        argv[2] = argv[0];
        argv += 2;
        argc -= 2;
        sy::bench::add_size("world", sy::bench::large_size);
    } else {
        sy::bench::add_size("prefixes=10k", sy::bench::small_size);
        sy::bench::add_size("prefixes=1m", sy::bench::large_size);
    }
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 1;
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
