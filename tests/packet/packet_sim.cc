// Two stacks over a faulty wire, seed by seed, and every rule that was broken.
//
//   packet_sim [--mix NAME] [--seeds N] [--first S] [--file SEEDS] [--repeat] [--verbose] [--trace]
//              [--pcap FILE]
//
// Without --mix every mix runs with every seed. The other options: tests/support/seed_options.h.
// Exit status 1 when any fails.
#include <string>
#include <vector>

#include "tests/packet/stack_under_test.h"
#include "tests/packet/two_stacks.h"
#include "tests/support/seed_options.h"

namespace {

using sy::test::make_mix;
using sy::test::make_stack;
using sy::test::run_two_stacks;
using sy::test::TwoStacksOptions;
using sy::test::TwoStacksResult;

struct Options : sy::test::SeedOptions {
    std::string mix;
};

struct Sum {
    uint64_t runs = 0;
    uint64_t failed = 0;
    uint64_t octets = 0;
    uint64_t frames = 0;
    uint64_t lost = 0;
    uint64_t connected = 0;
    double virtual_seconds = 0;
};

void run(uint64_t seed, const std::string& mix, const Options& options, Sum& sum) {
    TwoStacksOptions run_options;
    sy::sim::PcapWriter pcap;
    run_options.trace = options.trace ? stderr : nullptr;
    if (!options.pcap.empty()) {
        if (const auto opened = pcap.open(options.pcap); !opened) {
            fmt::print(stderr, "error: {}\n", opened.error().text);
            std::exit(1);
        }
        run_options.pcap = &pcap;
    }
    TwoStacksResult result = run_two_stacks(seed, make_mix(mix, seed), make_stack, run_options);
    if (const auto closed = pcap.close(); !closed) {
        result.violations.push_back(closed.error().text);
    }
    if (options.repeat &&
        run_two_stacks(seed, make_mix(mix, seed), make_stack).hash != result.hash) {
        result.violations.push_back("the same seed gave another run");
    }
    if (options.verbose || !result.violations.empty()) {
        fmt::print(
            "mix {} seed {} hash {:016x}: {} connected, {} accepted, {} orderly ends, {} resets, "
            "{} failed connects, {} octets, {} frames, {} lost, {:.1f} s\n",
            mix, seed, result.hash, result.connected, result.accepted, result.orderly,
            result.resets, result.failed_connects, result.octets, result.frames, result.lost,
            static_cast<double>(result.virtual_ns) / 1e9);
    }
    for (const std::string& violation : result.violations) {
        fmt::print("    {}\n", violation);
    }
    ++sum.runs;
    sum.failed += result.violations.empty() ? 0U : 1U;
    sum.octets += result.octets;
    sum.frames += result.frames;
    sum.lost += result.lost;
    sum.connected += result.connected;
    sum.virtual_seconds += static_cast<double>(result.virtual_ns) / 1e9;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Two stacks over a faulty wire, seed by seed");
    Options options;
    options.add_to(app);
    app.add_option("--mix", options.mix, "one kind of faults instead of all")
        ->check(CLI::IsMember(sy::test::mix_names()));
    CLI11_PARSE(app, argc, argv);

    const std::vector<std::string> mixes =
        options.mix.empty() ? sy::test::mix_names() : std::vector{options.mix};
    Sum sum;
    for (const std::string& mix : mixes) {
        for (const uint64_t seed : options.list()) {
            run(seed, mix, options, sum);
        }
    }
    fmt::print(
        "{} runs passed, {} failed: {} connections, {} octets, {} frames, {} lost, {:.0f} s of "
        "virtual time\n",
        sum.runs - sum.failed, sum.failed, sum.connected, sum.octets, sum.frames, sum.lost,
        sum.virtual_seconds);
    return sum.failed == 0 ? 0 : 1;
}
