// What memory itself takes on this machine: the limit of whatever copies a message or looks
// something up. Copies of a PDU and of a large block; loads that depend on each other, and loads
// that do not.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <numeric>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/base/prng.h"

namespace sy {
namespace {

constexpr size_t mebibyte = 1024 * 1024;

struct alignas(limits::cache_line_bytes) Line {
    uint64_t next = 0;
};

/// One cycle through all lines in random order (Sattolo's shuffle): no load can be foretold. Made
/// and walked through once for each size, however often Google Benchmark calls.
const std::vector<Line>& cycle(size_t count) {
    static std::map<size_t, std::vector<Line>> made;
    std::vector<Line>& lines = made[count];
    if (!lines.empty()) {
        return lines;
    }
    std::vector<uint64_t> order(count);
    std::iota(order.begin(), order.end(), uint64_t{0});
    Prng prng(1);
    for (size_t i = count - 1; i > 0; --i) {
        std::swap(order[i], order[prng.below(i)]);
    }
    lines.resize(count);
    for (size_t i = 0; i < count; ++i) {
        lines[order[i]].next = order[(i + 1) % count];
    }
    uint64_t at = 0;
    size_t steps = 0;
    do {
        at = lines[at].next;
        ++steps;
    } while (at != 0);
    SY_ASSERT(steps == count);
    return lines;
}

void memcpy_octets(benchmark::State& state) {
    const auto octets = static_cast<size_t>(state.range(0));
    // Small ones walk through 64 KiB, so that source and target are warm but never the same line.
    const size_t places = std::max<size_t>(1, 64 * 1024 / octets);
    std::vector<uint8_t> from(octets * places);
    std::vector<uint8_t> to(octets * places);
    std::iota(from.begin(), from.end(), uint8_t{0});
    size_t at = 0;
    for (auto _ : state) {
        std::memcpy(to.data() + at * octets, from.data() + at * octets, octets);
        benchmark::DoNotOptimize(to.data());
        benchmark::ClobberMemory();
        at = at + 1 == places ? 0 : at + 1;
    }
    if (static_cast<size_t>(state.iterations()) >= places) {
        SY_ASSERT(from == to);
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * state.range(0));
}

void dependent(benchmark::State& state) {
    const size_t count = static_cast<size_t>(state.range(0)) * mebibyte / sizeof(Line);
    const std::vector<Line>& lines = cycle(count);
    uint64_t at = 0;
    for (auto _ : state) {
        at = lines[at].next;
        benchmark::DoNotOptimize(at);
    }
    state.SetItemsProcessed(state.iterations());
}

void independent(benchmark::State& state) {
    constexpr size_t batch = 16;
    const size_t count = static_cast<size_t>(state.range(0)) * mebibyte / sizeof(Line);
    const std::vector<Line>& lines = cycle(count);
    std::vector<uint32_t> wanted(1 << 16);
    Prng prng(2);
    for (uint32_t& index : wanted) {
        index = static_cast<uint32_t>(prng.below(count));
    }
    size_t at = 0;
    uint64_t sum = 0;
    for (auto _ : state) {
        for (size_t i = 0; i < batch; ++i) {
            __builtin_prefetch(&lines[wanted[at + i]]);
        }
        for (size_t i = 0; i < batch; ++i) {
            sum += lines[wanted[at + i]].next;
        }
        at = (at + batch) % wanted.size();
    }
    benchmark::DoNotOptimize(sum);
    SY_ASSERT(sum < uint64_t(state.iterations()) * batch * count);
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(batch));
}

BENCHMARK(memcpy_octets)
    ->Name("memory/memcpy")
    ->ArgName("octets")
    ->Arg(165)
    ->Arg(200)
    ->Arg(64 << 20);
BENCHMARK(dependent)->Name("memory/dependent")->ArgName("mib")->Arg(1)->Arg(32)->Arg(1024);
BENCHMARK(independent)->Name("memory/independent")->ArgName("mib")->Arg(32)->Arg(1024);

}  // namespace
}  // namespace sy

BENCHMARK_MAIN();
