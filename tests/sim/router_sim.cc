// Runs the simulated router over many seeds and reports every rule that was broken.
//
//   router_sim [--seeds N] [--first S] [--file SEEDS] [--repeat] [--verbose] [--trace]
//
// --repeat runs every seed twice and compares the hashes. --file adds the seeds of a file, one a
// line, '#' comments. Exit status 1 when any seed fails.
#include <fstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tests/sim/world.h"

namespace {

using sy::sim::RunResult;
using sy::sim::World;

struct Options {
    uint64_t seeds = 100;
    uint64_t first = 1;
    std::string file;
    bool repeat = false;
    bool verbose = false;
    bool trace = false;
};

std::vector<uint64_t> read_seeds(const std::string& path) {
    std::ifstream file(path);
    if (!file) {
        fmt::print(stderr, "error: cannot read '{}'\n", path);
        std::exit(1);
    }
    std::vector<uint64_t> seeds;
    for (std::string line; std::getline(file, line);) {
        line = line.substr(0, line.find('#'));
        if (line.find_first_of("0123456789") != std::string::npos) {
            seeds.push_back(std::stoull(line));
        }
    }
    return seeds;
}

void print(uint64_t seed, const RunResult& result) {
    const auto& t = result.totals;
    fmt::print(
        "seed {} hash {:016x}: {} submits, {} ok, {} errors, {} unanswered; {} attempts; receipts "
        "{} sent, {} got; MO {} sent, {} ok, {} got; links {}, {} died; {} events, {} turns, "
        "{:.1f} s\n",
        seed, result.hash, t.submits, t.answered_ok, t.answered_error, t.unanswered, t.attempts,
        t.receipts_sent, t.receipts_got, t.mo, t.mo_ok, t.mo_got, t.links, t.links_died,
        result.events, result.turns, static_cast<double>(result.virtual_ns) / 1e9);
}

/// False when a rule was broken.
bool run_seed(uint64_t seed, const Options& options, sy::sim::Ledger::Totals& sum) {
    RunResult result = World(seed, options.trace).run();
    if (options.repeat) {
        const RunResult again = World(seed, false).run();
        if (again.hash != result.hash) {
            result.violations.push_back("the same seed gave another run");
        }
    }
    if (options.verbose || !result.violations.empty()) {
        print(seed, result);
        fmt::print("    {}\n", sy::sim::draw_scenario(seed).describe());
    }
    constexpr size_t shown_max = 20;
    for (size_t i = 0; i < std::min(shown_max, result.violations.size()); ++i) {
        fmt::print("    {}\n", result.violations[i]);
    }
    if (result.violations.size() > shown_max) {
        fmt::print("    and {} more\n", result.violations.size() - shown_max);
    }
    sum.submits += result.totals.submits;
    sum.attempts += result.totals.attempts;
    sum.receipts_got += result.totals.receipts_got;
    sum.mo_got += result.totals.mo_got;
    sum.links_died += result.totals.links_died;
    return result.violations.empty();
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Simulated router, seed by seed");
    Options options;
    app.add_option("--seeds", options.seeds, "how many");
    app.add_option("--first", options.first, "the first one");
    app.add_option("--file", options.file, "more seeds, one a line");
    app.add_flag("--repeat", options.repeat, "run each twice and compare");
    app.add_flag("--verbose", options.verbose, "a line for every seed");
    app.add_flag("--trace", options.trace, "every event of the network on standard error");
    CLI11_PARSE(app, argc, argv);

    std::vector<uint64_t> seeds;
    if (!options.file.empty()) {
        seeds = read_seeds(options.file);
    }
    for (uint64_t i = 0; i < options.seeds; ++i) {
        seeds.push_back(options.first + i);
    }
    uint64_t failed = 0;
    sy::sim::Ledger::Totals sum;
    for (const uint64_t seed : seeds) {
        failed += run_seed(seed, options, sum) ? 0U : 1U;
    }
    fmt::print(
        "{} seeds passed, {} failed: {} submits, {} attempts at suppliers, {} receipts and {} MO "
        "delivered, {} links died\n",
        seeds.size() - failed, failed, sum.submits, sum.attempts, sum.receipts_got, sum.mo_got,
        sum.links_died);
    return failed == 0 ? 0 : 1;
}
