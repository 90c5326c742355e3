// The floor of every latency on this machine: threads that do nothing but read the clock, one on
// each CPU that is used. Where the clock jumps, the CPU was taken away (by the kernel, or from the
// virtual machine by its host), and whatever came in that time waited for its end. A message that
// needs all of these CPUs waits while any of them is gone.
//
// Usage: stall SECONDS CPU...
// Prints percentiles, in us, of the wait of what comes at any time: where the CPUs have nothing
// else to do (load 0), and where they are busy half of the time (load 50), so that what has
// gathered during a jump takes as long again.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <optional>
#include <vector>

#include "bench/core_pair.h"

namespace {

using Nanos = uint64_t;

// Shorter jumps are the loop itself, and interrupts that no latency here would show.
constexpr Nanos jump_min_ns = 2'000;

struct Gap {
    Nanos begin = 0;
    Nanos end = 0;
};

Nanos now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<Nanos>(now.tv_sec) * 1'000'000'000 + static_cast<Nanos>(now.tv_nsec);
}

void watch(Nanos begin, Nanos end, std::vector<Gap>& gaps) {
    for (Nanos before = begin, now = begin; now < end; before = now) {
        now = now_ns();
        if (now > before + jump_min_ns) {
            gaps.push_back({before, std::min(now, end)});
        }
    }
}

// Those of all CPUs, joined where they overlap.
std::vector<Gap> joined(std::vector<Gap> gaps) {
    std::ranges::sort(gaps, {}, &Gap::begin);
    std::vector<Gap> out;
    for (const Gap& gap : gaps) {
        if (!out.empty() && gap.begin <= out.back().end) {
            out.back().end = std::max(out.back().end, gap.end);
        } else {
            out.push_back(gap);
        }
    }
    return out;
}

// The wait that `share` of all instants do not exceed. What comes as a gap of d begins waits d;
// with a load of l the wait falls to 0 over d / (1 - l), so that (d - w) / (1 - l) wait longer than
// w.
double percentile_us(const std::vector<Gap>& gaps, Nanos whole_ns, double load, double share) {
    const double longer_max = (1 - share) * static_cast<double>(whole_ns);
    double low = 0;
    double high = static_cast<double>(whole_ns);
    for (int step = 0; step < 60; ++step) {
        const double wait = (low + high) / 2;
        double longer = 0;
        for (const Gap& gap : gaps) {
            longer += std::max(0.0, static_cast<double>(gap.end - gap.begin) - wait) / (1 - load);
        }
        (longer > longer_max ? low : high) = wait;
    }
    return high / 1'000;
}

std::optional<uint32_t> number(const char* text) {
    uint32_t out = 0;
    const char* end = text + std::strlen(text);
    const auto [stop, error] = std::from_chars(text, end, out);
    return error == std::errc{} && stop == end ? std::optional(out) : std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
    const auto seconds = argc > 2 ? number(argv[1]) : std::nullopt;
    if (!seconds || *seconds == 0) {
        std::fputs("usage: stall SECONDS CPU...\n", stderr);
        return 2;
    }
    std::vector<std::vector<Gap>> gaps(static_cast<size_t>(argc) - 2);
    const Nanos begin = now_ns() + 10'000'000;  // all threads are there by then
    const Nanos whole_ns = Nanos{*seconds} * 1'000'000'000;
    {
        std::vector<std::unique_ptr<sy::bench::PinnedThread>> threads;
        for (size_t i = 0; i < gaps.size(); ++i) {
            const auto cpu = number(argv[i + 2]);
            threads.push_back(std::make_unique<sy::bench::PinnedThread>(
                cpu.value_or(~uint32_t{0}), [begin, whole_ns, &mine = gaps[i]] {
                    while (now_ns() < begin) {
                    }
                    watch(begin, begin + whole_ns, mine);
                }));
            if (!threads.back()->runs()) {
                std::fprintf(stderr, "stall: CPU %s is none of ours\n", argv[i + 2]);
                return 2;
            }
        }
    }
    std::vector<Gap> all;
    for (const std::vector<Gap>& own : gaps) {
        all.insert(all.end(), own.begin(), own.end());
    }
    all = joined(std::move(all));
    Nanos gone = 0;
    Nanos longest = 0;
    for (const Gap& gap : all) {
        gone += gap.end - gap.begin;
        longest = std::max(longest, gap.end - gap.begin);
    }
    std::printf("gone %.3f %% of the time, longest %.0f us\n",
                100 * static_cast<double>(gone) / static_cast<double>(whole_ns),
                static_cast<double>(longest) / 1'000);
    for (const double load : {0.0, 0.5}) {
        const auto wait = [&](double share) { return percentile_us(all, whole_ns, load, share); };
        std::printf("load %.0f: p50 %.1f p90 %.1f p99 %.1f p99.9 %.1f p99.99 %.1f us\n", 100 * load,
                    wait(0.5), wait(0.9), wait(0.99), wait(0.999), wait(0.9999));
    }
    return 0;
}
