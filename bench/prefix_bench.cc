// Longest prefix match at carrier scale: digits in, class out, in bursts of 32 on one core. The
// index beside what others use: std::map probed per length, a 10-way digit trie as voice routers
// have it, a flat hash walked by length. Every structure's answers are compared with the map's
// before the timing starts.
//
// Numbers asked: "mix" is half rows of the table by Zipf's law and half numbers drawn evenly from
// all; "cold" is rows drawn evenly from the whole table. Rows are made full numbers by random
// digits. Sizes 10k (smoke), 1m, 10m: --benchmark_filter=prefixes=1m
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/prefix_tables.h"
#include "core/base/assert.h"
#include "core/base/huge_block.h"
#include "core/base/limits.h"

namespace sy::bench {
namespace {

using route::ClassIndex;
using route::KeyRange;
using route::PrefixRow;

constexpr uint64_t seed = 7;
constexpr size_t number_octets = 16;  // a row of the array of numbers; no longer than E.164

// Numbers as text, at fixed distances: read in order, as a burst of messages is.
struct Numbers {
    std::vector<char> octets;
    std::vector<uint8_t> lengths;

    [[nodiscard]] size_t count() const { return lengths.size(); }
    [[nodiscard]] std::string_view at(size_t i) const {
        return {octets.data() + i * number_octets, lengths[i]};
    }
    void add(const std::string& digits) {
        octets.resize(octets.size() + number_octets);
        std::copy(digits.begin(), digits.end(), octets.end() - number_octets);
        lengths.push_back(static_cast<uint8_t>(digits.size()));
    }
};

Numbers numbers_of(const PrefixTable& table, bool cold, size_t count) {
    Prng prng(seed + 1);
    Numbers numbers;
    numbers.octets.reserve(count * number_octets);
    const auto rows = static_cast<double>(table.rows.size());
    for (size_t i = 0; i < count; ++i) {
        std::string digits;
        if (cold) {
            digits = digits_of(table.rows[prng.below(table.rows.size())]);
        } else if (prng.chance(1, 2)) {
            // Zipf with exponent 1: rank r with a probability of 1/r; ranks are spread over rows.
            const double uniform = static_cast<double>(prng() >> 11) / 9007199254740992.0;
            const auto rank = static_cast<uint64_t>(std::pow(rows, uniform)) - 1;
            digits = digits_of(table.rows[mix64(rank) % table.rows.size()]);
        } else {
            digits = std::to_string(1 + prng.below(9));
        }
        const size_t length = std::max<size_t>(digits.size(), 11 + prng.below(3));
        while (digits.size() < length) {
            digits += static_cast<char>('0' + prng.below(10));
        }
        numbers.add(digits);
    }
    return numbers;
}

// The index under test.
struct Index {
    ClassIndex index;
    explicit Index(const PrefixTable& table) {
        auto rows = table.rows;
        route::sort_rows(rows);
        index = ClassIndex(rows);
    }
    void find(const Numbers& numbers, size_t from, std::span<uint16_t> answers) const {
        std::array<uint64_t, limits::burst> keys;
        for (size_t i = 0; i < answers.size(); ++i) {
            keys[i] = route::number_key(numbers.at(from + i));
        }
        index.find({keys.data(), answers.size()}, answers);
    }
    [[nodiscard]] size_t bytes() const { return index.bytes(); }
};

uint64_t prefix_of(uint64_t key, unsigned digits) {
    // The digits and how many, in one word that tells prefixes apart.
    return digits == 0 ? 0 : (key >> (64 - 4 * digits) << (64 - 4 * digits)) | digits;
}

// Which lengths occur at all, longest first.
std::vector<unsigned> lengths_of(const PrefixTable& table) {
    std::vector<unsigned> lengths;
    for (unsigned digits = 15; digits <= 15; --digits) {
        if (std::ranges::any_of(table.rows,
                                [&](const PrefixRow& row) { return row.digits == digits; })) {
            lengths.push_back(digits);
        }
    }
    return lengths;
}

struct Map {
    std::map<uint64_t, uint16_t> map;
    std::vector<unsigned> lengths;
    explicit Map(const PrefixTable& table) : lengths(lengths_of(table)) {
        for (const PrefixRow& row : table.rows) {
            map.emplace(prefix_of(row.first, row.digits), row.answer);
        }
    }
    void find(const Numbers& numbers, size_t from, std::span<uint16_t> answers) const {
        for (size_t i = 0; i < answers.size(); ++i) {
            const std::string_view number = numbers.at(from + i);
            const uint64_t key = route::number_key(number);
            answers[i] = ClassIndex::none;
            for (const unsigned digits : lengths) {
                const auto found =
                    digits > number.size() ? map.end() : map.find(prefix_of(key, digits));
                if (found != map.end()) {
                    answers[i] = found->second;
                    break;
                }
            }
        }
    }
    [[nodiscard]] size_t bytes() const {
        return map.size() * 64;
    }  // glibc: 48 octets and the header
};

struct Trie {
    struct Node {
        std::array<uint32_t, 10> children{};
        uint16_t answer = ClassIndex::none;
    };
    std::vector<Node> nodes{1};
    explicit Trie(const PrefixTable& table) {
        for (const PrefixRow& row : table.rows) {
            uint32_t at = 0;
            for (const char c : digits_of(row)) {
                const auto digit = static_cast<size_t>(c - '0');
                uint32_t next = nodes[at].children[digit];
                if (next == 0) {
                    next = static_cast<uint32_t>(nodes.size());
                    nodes[at].children[digit] = next;
                    nodes.emplace_back();
                }
                at = next;
            }
            nodes[at].answer = row.answer;
        }
    }
    void find(const Numbers& numbers, size_t from, std::span<uint16_t> answers) const {
        for (size_t i = 0; i < answers.size(); ++i) {
            uint32_t at = 0;
            uint16_t answer = nodes[0].answer;
            for (const char c : numbers.at(from + i)) {
                at = nodes[at].children[static_cast<size_t>(c - '0')];
                if (at == 0) {
                    break;
                }
                answer = nodes[at].answer != ClassIndex::none ? nodes[at].answer : answer;
            }
            answers[i] = answer;
        }
    }
    [[nodiscard]] size_t bytes() const { return nodes.size() * sizeof(Node); }
};

// Open addressing, half full, 16 octets a slot; the first probes of a burst are prefetched.
struct FlatHash {
    struct Slot {
        uint64_t prefix = ~uint64_t{0};
        uint16_t answer = 0;
    };
    std::vector<Slot> slots;
    std::vector<unsigned> lengths;
    explicit FlatHash(const PrefixTable& table)
        : slots(std::bit_ceil(table.rows.size() * 2)), lengths(lengths_of(table)) {
        for (const PrefixRow& row : table.rows) {
            const uint64_t prefix = prefix_of(row.first, row.digits);
            size_t at = mix64(prefix) & (slots.size() - 1);
            while (slots[at].prefix != ~uint64_t{0} && slots[at].prefix != prefix) {
                at = (at + 1) & (slots.size() - 1);
            }
            slots[at] = {prefix, row.answer};
        }
    }
    [[nodiscard]] uint16_t find_one(uint64_t prefix) const {
        for (size_t at = mix64(prefix) & (slots.size() - 1); slots[at].prefix != ~uint64_t{0};
             at = (at + 1) & (slots.size() - 1)) {
            if (slots[at].prefix == prefix) {
                return slots[at].answer;
            }
        }
        return ClassIndex::none;
    }
    void find(const Numbers& numbers, size_t from, std::span<uint16_t> answers) const {
        std::array<uint64_t, limits::burst> keys;
        std::fill(answers.begin(), answers.end(), ClassIndex::none);
        for (size_t i = 0; i < answers.size(); ++i) {
            keys[i] = route::number_key(numbers.at(from + i));
        }
        for (const unsigned digits : lengths) {
            for (size_t i = 0; i < answers.size(); ++i) {
                __builtin_prefetch(&slots[mix64(prefix_of(keys[i], digits)) & (slots.size() - 1)]);
            }
            for (size_t i = 0; i < answers.size(); ++i) {
                if (answers[i] == ClassIndex::none && digits <= numbers.lengths[from + i]) {
                    answers[i] = find_one(prefix_of(keys[i], digits));
                }
            }
        }
    }
    [[nodiscard]] size_t bytes() const { return slots.size() * sizeof(Slot); }
};

// Tables and numbers of one size, made once and kept while benchmarks of that size run.
struct Workload {
    size_t size;
    PrefixTable table;
    Numbers mix, cold;
    std::vector<uint16_t> mix_answers, cold_answers;
};

template <class Structure>
void find_all(const Structure& structure, const Numbers& numbers, std::vector<uint16_t>& answers) {
    for (size_t at = 0; at < numbers.count(); at += limits::burst) {
        structure.find(numbers, at, std::span(answers).subspan(at, limits::burst));
    }
}

const Workload& workload(size_t size) {
    static std::unique_ptr<Workload> current;
    if (current == nullptr || current->size != size) {
        current = nullptr;
        current = std::make_unique<Workload>();
        current->size = size;
        current->table = PrefixTableMaker(size, seed).make();
        const size_t count = size < 1'000'000 ? size_t{1} << 14 : size_t{1} << 21;
        current->mix = numbers_of(current->table, false, count);
        current->cold = numbers_of(current->table, true, count);
        current->mix_answers.resize(count);
        current->cold_answers.resize(count);
        const Map map(current->table);
        find_all(map, current->mix, current->mix_answers);
        find_all(map, current->cold, current->cold_answers);
    }
    return *current;
}

template <class Structure>
const Structure& structure(size_t size) {
    static std::unique_ptr<Structure> current;
    static size_t current_size = 0;
    if (current == nullptr || current_size != size) {
        current = nullptr;
        current = std::make_unique<Structure>(workload(size).table);
        current_size = size;
    }
    return *current;
}

template <class Structure>
void lookup(benchmark::State& state, size_t size, bool cold) {
    const Workload& work = workload(size);
    const Structure& under_test = structure<Structure>(size);
    const Numbers& numbers = cold ? work.cold : work.mix;
    std::vector<uint16_t> answers(numbers.count());
    find_all(under_test, numbers, answers);
    SY_ASSERT(answers == (cold ? work.cold_answers : work.mix_answers));
    std::array<uint16_t, limits::burst> burst{};
    size_t at = 0;
    for (auto _ : state) {
        under_test.find(numbers, at, burst);
        at = (at + limits::burst) & (numbers.count() - 1);
        benchmark::DoNotOptimize(burst);
    }
    state.SetItemsProcessed(state.iterations() * int64_t{limits::burst});
    state.counters["bytes_a_prefix"] =
        static_cast<double>(under_test.bytes()) / static_cast<double>(work.table.rows.size());
    state.counters["prefixes"] = static_cast<double>(work.table.rows.size());
    if constexpr (std::is_same_v<Structure, Index>) {
        state.counters["directory_bytes"] = static_cast<double>(under_test.index.directory_bytes());
        state.counters["levels"] = under_test.index.levels();
    }
}

void build(benchmark::State& state, size_t size) {
    const Workload& work = workload(size);
    for (auto _ : state) {
        state.PauseTiming();
        auto rows = work.table.rows;
        state.ResumeTiming();
        route::sort_rows(rows);
        const ClassIndex index(rows);
        benchmark::DoNotOptimize(&index);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(work.table.rows.size()));
}

template <class Structure>
void add_lookups(const char* name, const char* size_name, size_t size) {
    for (const bool cold : {false, true}) {
        const std::string full = std::string("route/prefix/structure=") + name +
                                 "/prefixes=" + size_name + "/keys=" + (cold ? "cold" : "mix");
        benchmark::RegisterBenchmark(
            full.c_str(), [=](benchmark::State& state) { lookup<Structure>(state, size, cold); });
    }
}

void add_all() {
    const std::pair<const char*, size_t> sizes[] = {
        {"10k", 10'000}, {"1m", 1'000'000}, {"10m", 10'000'000}};
    for (const auto& [name, size] : sizes) {
        add_lookups<Index>("index", name, size);
        benchmark::RegisterBenchmark(
            (std::string("route/prefix_build/prefixes=") + name).c_str(),
            [count = size](benchmark::State& state) { build(state, count); })
            ->Unit(benchmark::kMillisecond)
            ->UseRealTime();
        add_lookups<Map>("std_map", name, size);
        add_lookups<Trie>("digit_trie", name, size);
        add_lookups<FlatHash>("flat_hash", name, size);
    }
}

}  // namespace
}  // namespace sy::bench

int main(int argc, char** argv) {
    sy::bench::add_all();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 1;
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
