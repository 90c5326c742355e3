// core/route's choice of targets per message: 2 to 16 targets of one tier by weight, order, cost
// and quality, and by weight under a customer's price, in whole decisions of bursts of 32 against a
// carrier's price list (400 suppliers, 5,000 prefixes and 2,000 networks in part). `order` chooses
// nothing, so what the others cost more is the choice. Every decision is checked against plain
// comparisons before the timing starts.
//
// On a busy machine instructions say more than time:
//   valgrind --tool=callgrind --toggle-collect='*MtTable::decide*' build/release/bench/choice_bench
//       --benchmark_filter=cost/targets=8 --benchmark_min_time=0.001
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/route_parts.h"
#include "core/base/assert.h"
#include "core/base/prng.h"
#include "core/route/mo_table.h"
#include "core/route/mt_table.h"
#include "core/route/quality.h"
#include "core/route/scratch.h"
#include "core/route/target_order.h"

namespace sy::route {
namespace {

using bench::random_digits;

constexpr uint16_t supplier_count = 400;
constexpr uint32_t prefix_count = 5'000;
constexpr uint16_t network_count = 2'000;
constexpr size_t query_count = 4096;
constexpr Minute today = 29'000'000;
constexpr uint64_t seed = 30;

PriceRow random_price(Prng& prng, uint16_t column) {
    PriceRow row;
    row.column = column;
    row.from = static_cast<Minute>(prng.below(today + 1'000'000));
    row.price = {static_cast<int64_t>(1 + prng.below(200)) * 500'000};
    return row;
}

struct World {
    std::vector<std::string> prefixes;
    std::vector<PriceRow> rows;  // sorted
    NetworkTables networks;
    std::shared_ptr<Prices> with_buy = std::make_shared<Prices>();
    std::shared_ptr<Prices> with_sell = std::make_shared<Prices>();

    World() {
        Prng prng(seed);
        std::vector<PrefixRow> network_rows;
        for (uint32_t i = 0; i < prefix_count; ++i) {
            prefixes.push_back(random_digits(prng, 2 + prng.below(3) + prng.below(4)));
        }
        std::sort(prefixes.begin(), prefixes.end());
        prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
        for (const std::string& prefix : prefixes) {
            network_rows.push_back(
                prefix_row(prefix, static_cast<uint16_t>(prng.below(network_count)), 1));
        }
        sort_rows(network_rows);
        networks.networks = std::make_shared<const Networks>(
            network_rows, std::vector<Network>(network_count, Network{"00101", "", ""}));
        add_prices(prng);
    }

    [[nodiscard]] double rows_million() const { return static_cast<double>(rows.size()) * 1e-6; }

  private:
    // Every supplier prices all destinations, half of the prefixes and a tenth of the networks, a
    // third of them anew later.
    void add_prices(Prng& prng) {
        for (uint16_t s = 0; s < supplier_count; ++s) {
            PriceRow everywhere = random_price(prng, s);
            everywhere.from = 0;
            rows.push_back(everywhere);
            for (const std::string& prefix : prefixes) {
                for (uint64_t n = prng.below(2) + (prng.chance(1, 3) ? 1 : 0); n > 0; --n) {
                    rows.push_back(random_price(prng, s));
                    rows.back().first = prefix_range(prefix).first;
                    rows.back().digits = static_cast<uint8_t>(prefix.size());
                }
            }
            for (uint16_t n = 0; n < network_count;
                 n = static_cast<uint16_t>(n + 1 + prng.below(20))) {
                rows.push_back(random_price(prng, s));
                rows.back().network = NetworkId{n};
            }
        }
        sort_rows(rows);
        rows.erase(std::unique(rows.begin(), rows.end(),
                               [](const auto& a, const auto& b) { return a.same_key(b); }),
                   rows.end());
        for (size_t i = 0; i < rows.size(); ++i) {
            rows[i].line = static_cast<uint32_t>(i + 2);
        }
        auto buy = std::make_shared<BuyPrices>();
        uint16_t next = 0;
        for (uint16_t s = 0; s < supplier_count; ++s) {
            buy->suppliers.claim(SupplierId{s}, next);
        }
        buy->table = PriceTable(rows, next);
        with_buy->buy = buy;
        auto sell = std::make_shared<SellPrices>();
        sell->plans.claim(PlanId{0}, next = 0);
        PriceRow price = random_price(prng, 0);
        price.line = 2;
        price.from = 0;
        price.price = {80'000'000};
        sell->table = PriceTable(std::span(&price, 1), 1);
        with_sell->buy = buy;
        with_sell->sell = sell;
    }
};

const World& world() {
    static const World the_world;
    return the_world;
}

enum class Mode : uint8_t { weight, order, cost, quality, weight_sold };
constexpr const char* mode_names[] = {"weight", "order", "cost", "quality", "weight_under_a_limit"};

struct Workload {
    MtTable table;
    RouteScratch scratch;
    QualityBoard board{1, 16'384};
    std::vector<std::string> numbers;
    std::vector<MtQuery> queries;
    std::vector<MtRule> rules;
};

void count_quality(QualityBoard& board, const NetworkTables& networks) {
    std::vector<std::unique_ptr<QualityCounts>> counts;
    counts.push_back(std::make_unique<QualityCounts>(16'384));
    board.configure({.window_ns = 600 * second_ns, .samples_min = 10, .explore_every = 64});
    board.merge(second_ns, counts);
    Prng prng(seed + 2);
    SY_ASSERT(networks.networks != nullptr);
    for (uint16_t s = 0; s < supplier_count; ++s) {
        for (uint16_t n = 0; n < 40; ++n) {
            const uint64_t good = prng.below(100);
            for (int i = 0; i < 20; ++i) {
                counts[0]->answered(SupplierId{s}, NetworkId{n}, prng.chance(good, 100));
            }
        }
    }
    board.merge(2 * second_ns, counts);
}

// One rule a hundred: suppliers differ from destination to destination.
void fill(Workload& into, Mode mode, size_t targets) {
    Prng prng(seed + 1);
    constexpr Select selects[] = {Select::weight, Select::order, Select::cost, Select::quality,
                                  Select::weight};
    for (uint32_t i = 0; i < 100; ++i) {
        MtRule rule;
        rule.line = i + 2;
        rule.plan = "default";
        rule.prefix = i < 10 ? "" : std::to_string(i);
        rule.select = selects[static_cast<size_t>(mode)];
        rule.targets.emplace_back();
        const uint64_t first = prng.below(supplier_count);
        for (uint64_t t = 0; t < targets; ++t) {
            const auto id = static_cast<uint16_t>((first + t * 23) % supplier_count);
            rule.targets[0].push_back({SupplierId{id}, static_cast<uint32_t>(1 + prng.below(100))});
        }
        into.rules.push_back(rule);
    }
    std::vector<MtTable::BuildError> errors;
    into.table = MtTable::build(into.rules, {"default"}, errors, world().networks);
    SY_ASSERT(errors.empty());
    into.table.set_prices(mode == Mode::weight_sold ? world().with_sell : world().with_buy);
    SY_ASSERT(into.scratch.prepare(into.table, MoTable()).has_value());
    count_quality(into.board, world().networks);
    into.scratch.use(&into.board);
    for (size_t i = 0; i < query_count; ++i) {
        std::string number = random_digits(prng, 11 + prng.below(3));
        const auto& prefix = world().prefixes[prng.below(world().prefixes.size())];
        number.replace(0, prefix.size(), prefix);
        into.numbers.push_back(number);
    }
    for (size_t i = 0; i < query_count; ++i) {
        MtQuery query;
        query.customer = CustomerId{static_cast<uint16_t>(i % 8)};
        query.plan = PlanId{0};
        query.destination = into.numbers[i];
        query.sender = "ACME";
        query.spread = prng();
        query.wall_ns = today * minute_ns;
        into.queries.push_back(query);
    }
}

int64_t plain_price(const std::string& number, NetworkId network, SupplierId supplier) {
    const PriceRow* best = nullptr;
    const auto rank = [](const PriceRow& row) {
        return std::tuple(row.network.valid(), row.digits, row.from);
    };
    const uint64_t key = number_key(number);
    for (const PriceRow& row : world().rows) {
        const bool here = row.network.valid() ? row.network == network : row.range().contains(key);
        if (row.column == supplier.value && here && row.from <= today &&
            (best == nullptr || rank(row) > rank(*best))) {
            best = &row;
        }
    }
    return best->price.nanos;
}

// A few messages of each kind: the walk over a million rows takes a while.
void verify(const Workload& work, Mode mode, const std::vector<MtDecision>& decisions) {
    for (size_t i = 0; i < query_count; i += query_count / 4) {
        const MtQuery& query = work.queries[i];
        const uint64_t key = number_key(query.destination);
        NetworkTables::Resolved resolved;
        world().networks.resolve({&key, 1}, {&resolved, 1});
        SY_ASSERT(mode == Mode::order || decisions[i].network == resolved.network);
        const auto rule = std::ranges::find(work.rules, decisions[i].rule_line, &MtRule::line);
        std::vector<std::tuple<int64_t, double, uint16_t>> drawn;
        for (const auto& target : rule->targets[0]) {
            int64_t rank = 0;
            if (mode == Mode::cost || mode == Mode::weight_sold) {
                rank = plain_price(work.numbers[i], resolved.network, target.id);
                if (mode == Mode::weight_sold && rank > 80'000'000) {
                    continue;
                }
                rank = mode == Mode::cost ? rank : 0;
            } else if (mode == Mode::quality && !work.board.explores(query.spread)) {
                rank = -int64_t{work.board.score(target.id, resolved.network).value()};
            } else if (mode == Mode::order) {
                rank = static_cast<int64_t>(drawn.size());
            }
            drawn.emplace_back(rank, rendezvous_model(query.spread, target.id.value, target.weight),
                               target.id.value);
        }
        std::sort(drawn.begin(), drawn.end());
        SY_ASSERT(decisions[i].target_count == drawn.size());
        for (size_t t = 0; t < drawn.size(); ++t) {
            SY_ASSERT(decisions[i].targets[t].value == std::get<uint16_t>(drawn[t]));
        }
    }
}

void mt_choose(benchmark::State& state, Mode mode) {
    Workload work;
    fill(work, mode, static_cast<size_t>(state.range(0)));
    bench::time_decisions(state, work,
                          [&](const Workload& of, const std::vector<MtDecision>& decisions) {
                              verify(of, mode, decisions);
                          });
}

void price_build(benchmark::State& state) {
    std::vector<PriceRow> shuffled = world().rows;
    Prng prng(seed + 3);
    for (size_t i = shuffled.size(); i > 1; --i) {
        std::swap(shuffled[i - 1], shuffled[prng.below(i)]);
    }
    size_t bytes = 0;
    for (auto _ : state) {
        std::vector<PriceRow> rows = shuffled;
        sort_rows(rows);
        const PriceTable table(rows, supplier_count);
        bytes = table.bytes();
    }
    state.counters["rows_million"] = world().rows_million();
    state.counters["bytes_a_row"] =
        static_cast<double>(bytes) / static_cast<double>(world().rows.size());
}
BENCHMARK(price_build)->Name("route/price_build")->Unit(benchmark::kMillisecond);

int register_all() {
    for (const Mode mode :
         {Mode::order, Mode::weight, Mode::cost, Mode::quality, Mode::weight_sold}) {
        for (const int targets : {2, 4, 8, 16}) {
            const std::string name = std::string("route/mt_choose/select=") +
                                     mode_names[static_cast<size_t>(mode)] + "/targets";
            benchmark::RegisterBenchmark(
                name.c_str(), [mode](benchmark::State& state) { mt_choose(state, mode); })
                ->ArgName("")
                ->Arg(targets)
                ->Unit(benchmark::kMicrosecond);
        }
    }
    return 0;
}
[[maybe_unused]] const int registered = register_all();

}  // namespace
}  // namespace sy::route

BENCHMARK_MAIN();
