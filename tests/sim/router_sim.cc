// Runs the simulated router over many seeds and reports every rule that was broken.
//
//   router_sim [--stack] [--seeds N] [--first S] [--file SEEDS] [--repeat] [--verbose] [--trace]
//              [--pcap FILE]
//
// --stack: over the userspace TCP/IP stack and a wire of packets instead of byte streams. The other
// options: tests/support/seed_options.h. Exit status 1 when any seed fails.
#include <string>

#include "tests/sim/world.h"
#include "tests/support/seed_options.h"

namespace {

using sy::sim::RunResult;
using sy::sim::World;

struct Options : sy::test::SeedOptions {
    bool stack = false;
};

struct Sum {
    sy::sim::Ledger::Totals totals;
    uint64_t frames = 0;
    uint64_t frames_lost = 0;
};

void print(uint64_t seed, const RunResult& result, bool stack) {
    const auto& t = result.totals;
    fmt::print(
        "seed {} hash {:016x}: {} submits, {} ok, {} errors, {} unanswered; {} attempts, {} "
        "heard; receipts {} sent, {} got; MO {} sent, {} ok, {} got; links {}, {} died; {} {}, {} "
        "turns, "
        "{:.1f} s\n",
        seed, result.hash, t.submits, t.answered_ok, t.answered_error, t.unanswered, t.attempts,
        t.attempts_heard, t.receipts_sent, t.receipts_got, t.mo, t.mo_ok, t.mo_got, t.links,
        t.links_died, stack ? result.frames : result.events, stack ? "frames" : "events",
        result.turns, static_cast<double>(result.virtual_ns) / 1e9);
}

RunResult run_once(uint64_t seed, const Options& options) {
    sy::sim::PcapWriter pcap;
    World::Options world{.stack = options.stack, .trace = options.trace ? stderr : nullptr};
    if (!options.pcap.empty()) {
        if (const auto opened = pcap.open(options.pcap); !opened) {
            fmt::print(stderr, "error: {}\n", opened.error().text);
            std::exit(1);
        }
        world.pcap = &pcap;
    }
    RunResult result = World(seed, world).run();
    if (const auto closed = pcap.close(); !closed) {
        result.violations.push_back(closed.error().text);
    }
    return result;
}

/// False when a rule was broken.
bool run_seed(uint64_t seed, const Options& options, Sum& sum) {
    RunResult result = run_once(seed, options);
    if (options.repeat) {
        const RunResult again = World(seed, {.stack = options.stack}).run();
        if (again.hash != result.hash) {
            result.violations.push_back("the same seed gave another run");
        }
    }
    if (options.verbose || !result.violations.empty()) {
        print(seed, result, options.stack);
        const sy::sim::Scenario scenario = sy::sim::draw_scenario(seed);
        fmt::print("    {}\n", scenario.describe());
        if (options.stack) {
            fmt::print("    {}\n", scenario.wire()->describe());
        }
    }
    constexpr size_t shown_max = 20;
    for (size_t i = 0; i < std::min(shown_max, result.violations.size()); ++i) {
        fmt::print("    {}\n", result.violations[i]);
    }
    if (result.violations.size() > shown_max) {
        fmt::print("    and {} more\n", result.violations.size() - shown_max);
    }
    sum.totals.submits += result.totals.submits;
    sum.totals.attempts += result.totals.attempts;
    sum.totals.receipts_got += result.totals.receipts_got;
    sum.totals.mo_got += result.totals.mo_got;
    sum.totals.links_died += result.totals.links_died;
    sum.frames += result.frames;
    sum.frames_lost += result.frames_lost;
    return result.violations.empty();
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Simulated router, seed by seed");
    Options options;
    options.add_to(app);
    app.add_flag("--stack", options.stack, "over the userspace stack and a wire of packets");
    CLI11_PARSE(app, argc, argv);

    uint64_t passed = 0;
    uint64_t failed = 0;
    Sum sum;
    for (const uint64_t seed : options.list()) {
        ++(run_seed(seed, options, sum) ? passed : failed);
    }
    fmt::print(
        "{} seeds passed, {} failed: {} submits, {} attempts at suppliers, {} receipts and {} MO "
        "delivered, {} links died\n",
        passed, failed, sum.totals.submits, sum.totals.attempts, sum.totals.receipts_got,
        sum.totals.mo_got, sum.totals.links_died);
    if (options.stack) {
        fmt::print("{} frames, {} lost\n", sum.frames, sum.frames_lost);
    }
    return failed == 0 ? 0 : 1;
}
