// Reading networks.csv and ported.csv: text to compiled index, all cores, and what the index takes;
// and a whole configuration of 5,000 customers and plans, mt.csv to snapshot, with the peak memory
// of the process (ask for it alone). Sizes 10k (smoke), 1m (rules), 10m, 50m (ported only):
// --benchmark_filter==10m
#include <string>
#include <sys/resource.h>

#include <benchmark/benchmark.h>

#include "core/base/assert.h"
#include "core/base/prng.h"
#include "core/config/tables.h"

namespace sy::config {
namespace {

constexpr uint64_t seed = 9;
constexpr uint32_t network_count = 60;

std::string networks_text(uint64_t rows) {
    Prng prng(seed);
    std::string text = "prefix,mccmnc,name,country\n";
    for (uint32_t i = 0; i < network_count; ++i) {
        text += "4" + std::to_string(i + 10) + "," + std::to_string(23'400 + i) + ",Network " +
                std::to_string(i) + ",Country\n";
    }
    // Distinct: the loader must sort them, and finds none twice.
    for (uint64_t i = network_count; i < rows; ++i) {
        const uint64_t digits = 100'000'000 + (i * 7'368'787) % 100'000'000;
        text += "4" + std::to_string(digits) + "," +
                std::to_string(23'400 + prng.below(network_count)) + ",,\n";
    }
    return text;
}

// One number in five of a country of 250 million, in no order; ten donors to one receiver of most.
std::string ported_text(uint64_t rows) {
    Prng prng(seed);
    std::string text = "number,mccmnc\n";
    text.reserve(rows * 20);
    for (uint64_t i = 0; i < rows; ++i) {
        const uint64_t number = 447'000'000'000u + (i * 73'687'871) % (5 * rows);
        text += std::to_string(number) + "," +
                std::to_string(23'400 + prng.below(prng.chance(1, 2) ? 4 : network_count)) + "\n";
    }
    return text;
}

std::shared_ptr<const route::Networks> load_networks(const std::string& text, Registry& registry) {
    Complaints complaints("networks.csv");
    auto networks = read_networks(text, complaints, registry);
    SY_ASSERT(networks != nullptr && !complaints.any_error());
    return networks;
}

void networks(benchmark::State& state, uint64_t rows) {
    const std::string text = networks_text(rows);
    for (auto _ : state) {
        Registry registry;
        const auto loaded = load_networks(text, registry);
        SY_ASSERT(loaded->prefix_count() == rows);
        state.counters["bytes_a_row"] =
            static_cast<double>(loaded->index().bytes()) / static_cast<double>(rows);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(rows));
}

void ported(benchmark::State& state, uint64_t rows, bool unchanged) {
    const std::string text = ported_text(rows);
    Registry first;
    const auto known = load_networks(networks_text(network_count), first);
    const auto load = [&](Registry& registry) {
        Complaints complaints("ported.csv");
        auto table = read_ported(text, *known, complaints, registry);
        SY_ASSERT(table != nullptr && table->number_count() == rows);
        return table;
    };
    if (unchanged) {
        (void)load(first);
    }
    for (auto _ : state) {
        Registry registry = first;
        const auto table = load(registry);
        SY_ASSERT((table == first.ported_file.table) == unchanged);
        state.counters["bytes"] = static_cast<double>(table->bytes());
        state.counters["bytes_a_number"] =
            static_cast<double>(table->bytes()) / static_cast<double>(rows);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(rows));
}

constexpr uint32_t plan_count = 5'000;
constexpr uint32_t customer_count = 5'000;

// A customer a plan.
std::string accounts_text() {
    std::string text = "[routes]\nmo = \"\"\nerrors = \"\"\nnetworks = \"\"\nported = \"\"\n";
    for (uint32_t i = 0; i < customer_count; ++i) {
        const std::string id = std::to_string(i);
        text += "[[customer]]\nname = \"c" + id + "\"\nsystem_id = \"c" + id +
                "\"\npassword = \"p\"\nplan = \"plan" + std::to_string(i % plan_count) + "\"\n";
    }
    for (const char* name : {"alpha", "beta", "gamma"}) {
        text += std::string("[[supplier]]\nname = \"") + name +
                "\"\nhost = \"127.0.0.1:2776\"\nsystem_id = \"sy\"\n";
    }
    return text;
}

// Prefixes of a plan follow each other; half of the rows ask for something.
std::string mt_text(uint64_t rows) {
    Prng prng(seed);
    std::string text = "plan,customer,prefix,sender,sender_type,when,priority,targets\n";
    text.reserve(rows * 70);
    for (uint64_t i = 0; i < rows; ++i) {
        const uint64_t plan = i % plan_count;
        text += "plan" + std::to_string(plan);
        text += prng.chance(1, 4) ? ",c" + std::to_string(plan) : ",";
        text += "," + std::to_string(100 + i / plan_count);
        text += prng.chance(1, 50) ? ",Brand" + std::to_string(prng.below(500)) : ",";
        text += prng.chance(1, 10) ? ",alpha" : ",";
        text += prng.chance(1, 20) ? ",Mon-Fri 08:00-18:00 Europe/London" : ",";
        text += ",,alpha:70 | beta:30 > gamma\n";
    }
    return text;
}

// From text to a snapshot that could be published: switchyard.toml, mt.csv, compile().
void rules(benchmark::State& state, uint64_t rows) {
    const std::string root = accounts_text();
    const std::string mt = mt_text(rows);
    const ReadFile read_file = [&](const std::string& path) -> Result<std::string> {
        return path == "sy.toml" ? root : mt;
    };
    for (auto _ : state) {
        Registry registry;
        std::vector<Diagnostic> diagnostics;
        const auto config = load("sy.toml", read_file, registry, diagnostics);
        SY_ASSERT(config.has_value());
        const auto snapshot = compile(*config, registry, nullptr, diagnostics);
        SY_ASSERT(snapshot != nullptr && snapshot->mt.rules().size() == rows);
        state.counters["index_bytes_a_rule"] =
            static_cast<double>(snapshot->mt.index_bytes()) / static_cast<double>(rows);
    }
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    state.counters["peak_rss_mb"] = static_cast<double>(usage.ru_maxrss) / 1024;
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(rows));
}

void add(const std::string& name, void (*run)(benchmark::State&, uint64_t), uint64_t rows) {
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { run(state, rows); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
}

void add_all() {
    add("config/load_rules/rows=10k", rules, 10'000);
    add("config/load_rules/rows=1m", rules, 1'000'000);
    const std::pair<const char*, uint64_t> sizes[] = {
        {"10k", 10'000}, {"10m", 10'000'000}, {"50m", 50'000'000}};
    for (const auto& [name, rows] : sizes) {
        if (rows <= 10'000'000) {
            add(std::string("config/load_networks/rows=") + name, networks, rows);
        }
        add(
            std::string("config/load_ported/rows=") + name,
            [](benchmark::State& state, uint64_t count) { ported(state, count, false); }, rows);
        add(
            std::string("config/reload_unchanged_ported/rows=") + name,
            [](benchmark::State& state, uint64_t count) { ported(state, count, true); }, rows);
    }
}

}  // namespace
}  // namespace sy::config

int main(int argc, char** argv) {
    sy::config::add_all();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 1;
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
