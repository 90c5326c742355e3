// What the benchmarks of core/route have in common: numbers, and a timed loop over decisions.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/base/limits.h"
#include "core/base/prefetch.h"
#include "core/base/prng.h"
#include "core/route/mt_table.h"
#include "core/route/scratch.h"

namespace sy::bench {

inline std::string random_digits(Prng& prng, size_t digits) {
    std::string number(1, static_cast<char>('1' + prng.below(9)));
    while (number.size() < digits) {
        number += static_cast<char>('0' + prng.below(10));
    }
    return number;
}

/// 5000 as 5k.
inline std::string in_thousands(uint32_t count) {
    return count % 1'000'000 == 0 ? std::to_string(count / 1'000'000) + "m"
           : count % 1000 == 0    ? std::to_string(count / 1000) + "k"
                                  : std::to_string(count);
}

/// All of them in bursts as the engine makes them; a sum that shows a change of meaning.
/// REQUIRES: whole bursts; as many decisions as queries.
inline uint64_t decide_all(const route::MtTable& table,
                           std::span<const route::MtQuery> queries,
                           std::span<route::MtDecision> decisions,
                           route::RouteScratch& scratch) {
    uint64_t sum = 0;
    for (size_t at = 0; at < queries.size(); at += limits::burst) {
        table.decide(queries.subspan(at, limits::burst), decisions.subspan(at, limits::burst),
                     scratch);
        for (size_t i = at; i < at + limits::burst; ++i) {
            sum +=
                decisions[i].rule_line + decisions[i].targets[0].value + decisions[i].target_count;
        }
    }
    return sum;
}

inline void report_messages(benchmark::State& state, size_t messages, uint64_t checksum) {
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(messages));
    state.counters["ns_per_message"] = benchmark::Counter(
        static_cast<double>(messages) * 1e-9,
        benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
    state.counters["checksum"] = static_cast<double>(checksum);
}

/// The addresses and the sender of the next burst's queries, and the queries behind them.
inline void fetch_ahead(std::span<const route::MtQuery> queries, size_t at) {
    const auto next = [&](size_t bursts) {
        const size_t begin = std::min(at + bursts * limits::burst, queries.size());
        return queries.subspan(begin, std::min<size_t>(limits::burst, queries.size() - begin));
    };
    const auto two_ahead = std::as_bytes(next(2));
    prefetch_lines(two_ahead.data(), two_ahead.data() + two_ahead.size());
    for (const route::MtQuery& query : next(1)) {
        prefetch(query.destination.data());
        prefetch(query.sender.data());
    }
}

/// `work` has a table, a scratch prepared for it and queries; check(work, decisions) comes before
/// the timing.
template <class Work, class Check>
void time_decisions(benchmark::State& state, Work& work, const Check& check) {
    std::vector<route::MtDecision> decisions(work.queries.size());
    uint64_t sum = decide_all(work.table, work.queries, decisions, work.scratch);
    check(work, decisions);
    // Timed as the engine does it: one burst's decisions again and again, questions and what they
    // point at in the cache, as they have just been made there.
    std::array<route::MtDecision, limits::burst> burst;
    for (auto _ : state) {
        sum = 0;
        for (size_t at = 0; at < work.queries.size(); at += limits::burst) {
            fetch_ahead(work.queries, at);
            sum += decide_all(work.table, std::span(work.queries).subspan(at, limits::burst), burst,
                              work.scratch);
        }
        benchmark::DoNotOptimize(sum);
    }
    report_messages(state, work.queries.size(), sum);
}

}  // namespace sy::bench
