// Goal: IntervalIndex, ClassIndex and PrefixIndex answer as the obvious models do. Method: random
// tables of every shape that the lines are built for (dense, sparse, nested, adjacent, full-length,
// empty), random keys and keys around every boundary, every variant of the search.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "core/route/class_index.h"
#include "core/route/interval_index.h"
#include "core/route/interval_stream.h"

namespace sy::route {
namespace {

#ifdef SY_CHECKS
constexpr int rounds = 300;
#else
constexpr int rounds = 4000;
#endif

template <class Answer>
using Boundaries = std::vector<typename IntervalIndex<Answer>::Boundary>;

// Starts whose distances have very different sizes, so that all forms of lines occur.
template <class Answer>
Boundaries<Answer> random_boundaries(Prng& prng) {
    Boundaries<Answer> boundaries = {{0, static_cast<Answer>(prng())}};
    const size_t count = prng.below(prng.chance(1, 8) ? 20'000 : 200);
    const uint64_t first_bits = prng.below(64);
    uint64_t at = prng() >> first_bits;
    const uint64_t bits_max = 1 + prng.below(60);
    for (size_t i = 0; i < count; ++i) {
        const uint64_t bits = prng.chance(1, 50) ? prng.below(64) : prng.below(bits_max);
        uint64_t step = 1 + (prng() >> (63 - bits));
        if (prng.chance(1, 2)) {
            step = std::max<uint64_t>(1, step >> 8 << 8);
        }
        constexpr uint64_t start_max = IntervalIndex<Answer>::start_max;
        if (step > start_max || at > start_max - step) {
            break;
        }
        at += step;
        boundaries.push_back({at, static_cast<Answer>(prng())});
    }
    return boundaries;
}

template <class Answer>
Answer model_answer(const Boundaries<Answer>& boundaries, uint64_t key) {
    const auto after = std::upper_bound(boundaries.begin(), boundaries.end(), key,
                                        [](uint64_t k, const auto& b) { return k < b.start; });
    return std::prev(after)->answer;
}

template <class Answer>
void run_intervals(uint64_t seed) {
    constexpr size_t keys_max = IntervalIndex<Answer>::keys_max;
    Prng prng(seed);
    for (int round = 0; round < rounds; ++round) {
        std::vector<Boundaries<Answer>> segments(1 + prng.below(4));
        Boundaries<Answer> all;
        std::vector<uint32_t> begins;
        for (auto& segment : segments) {
            segment = random_boundaries<Answer>(prng);
            begins.push_back(static_cast<uint32_t>(all.size()));
            all.insert(all.end(), segment.begin(), segment.end());
        }
        // Half of them with a directory wherever it is worthwhile, as large ones have it.
        const IntervalIndex<Answer> index(
            all, begins, prng.chance(1, 2) ? 1 : IntervalIndex<Answer>::usual_direct_lines_max);
        for (int burst = 0; burst < 8; ++burst) {
            const size_t count = 1 + prng.below(keys_max);
            std::vector<typename IntervalIndex<Answer>::Probe> probes(count);
            std::vector<uint64_t> keys(count);
            for (size_t i = 0; i < count; ++i) {
                const auto segment = static_cast<uint32_t>(prng.below(segments.size()));
                const uint64_t near = segments[segment][prng.below(segments[segment].size())].start;
                keys[i] = prng.chance(1, 4) ? prng() >> prng.below(64) : near + prng.below(3) - 1;
                probes[i] = {keys[i], segment};
            }
            for (const IndexVariant variant : index_variants()) {
                std::vector<Answer> answers(count);
                index.find(probes, answers, variant);
                for (size_t i = 0; i < count; ++i) {
                    ASSERT_EQ(answers[i],
                              model_answer<Answer>(segments[probes[i].segment], keys[i]))
                        << "round " << round << ", key " << std::hex << keys[i];
                }
                index.find(keys, answers, variant);
                for (size_t i = 0; i < count; ++i) {
                    ASSERT_EQ(answers[i], model_answer<Answer>(segments[0], keys[i]))
                        << "round " << round << ", key " << std::hex << keys[i];
                }
            }
        }
    }
}

TEST(IntervalModel, SixteenBitAnswersAgreeWithUpperBound) {
    run_intervals<uint16_t>(1);
}
TEST(IntervalModel, ThirtyTwoBitAnswersAgreeWithUpperBound) {
    run_intervals<uint32_t>(2);
}

// Boundaries one by one, with words that later ones take back and such that say nothing new, and
// few at a time.
TEST(IntervalModel, BoundariesThatComeOneByOneAgreeWithUpperBound) {
    constexpr size_t keys_max = IntervalIndex<uint16_t>::keys_max;
    Prng prng(5);
    for (int round = 0; round < rounds; ++round) {
        const Boundaries<uint16_t> boundaries = random_boundaries<uint16_t>(prng);
        const bool few = prng.chance(1, 2);
        IntervalStream<uint16_t> stream(
            prng.chance(1, 8) ? IntervalStream<uint16_t>::usual_batch : 1 + prng.below(300),
            few ? 1 : IntervalIndex<uint16_t>::usual_direct_lines_max);
        for (size_t i = 0; i < boundaries.size(); ++i) {
            const auto& [start, answer] = boundaries[i];
            if (prng.chance(1, 4)) {
                stream.add({start, static_cast<uint16_t>(prng())});
            }
            stream.add(boundaries[i]);
            const bool room = i + 1 < boundaries.size() && boundaries[i + 1].start - start > 1;
            if (room && prng.chance(1, 4)) {
                stream.add({start + 1, answer});
            }
        }
        const IntervalIndex<uint16_t> index = std::move(stream).finish();
        std::vector<uint64_t> keys(keys_max);
        for (uint64_t& key : keys) {
            const uint64_t near = boundaries[prng.below(boundaries.size())].start;
            key = prng.chance(1, 4) ? prng() >> prng.below(64) : near + prng.below(3) - 1;
        }
        for (const IndexVariant variant : index_variants()) {
            std::vector<uint16_t> answers(keys_max);
            index.find(keys, answers, variant);
            for (size_t i = 0; i < keys_max; ++i) {
                ASSERT_EQ(answers[i], model_answer<uint16_t>(boundaries, keys[i]))
                    << "round " << round << ", key " << std::hex << keys[i];
            }
        }
    }
}

// More than one task writes at a time: all at once, and in batches of two tasks and a rest.
TEST(IntervalModel, LinesThatManyTasksWriteAgreeWithUpperBound) {
    constexpr size_t keys_max = IntervalIndex<uint16_t>::keys_max;
    Prng prng(6);
    Boundaries<uint16_t> boundaries = {{0, 0}};
    while (boundaries.size() < 300'000) {
        const uint64_t step = 1 + (prng() >> (64 - 44)) / (prng.chance(1, 2) ? 1 : 1'000);
        boundaries.push_back({boundaries.back().start + step, static_cast<uint16_t>(prng())});
    }
    IntervalStream<uint16_t> stream(150'000);
    for (const auto& boundary : boundaries) {
        stream.add(boundary);
    }
    const IntervalIndex<uint16_t> streamed = std::move(stream).finish();
    const IntervalIndex<uint16_t> at_once(boundaries);
    std::vector<uint64_t> keys(keys_max);
    std::vector<uint16_t> answers(keys_max);
    for (int burst = 0; burst < 2'000; ++burst) {
        for (uint64_t& key : keys) {
            key = boundaries[prng.below(boundaries.size())].start + prng.below(3) - 1;
        }
        for (const IntervalIndex<uint16_t>* index : {&streamed, &at_once}) {
            index->find(keys, answers);
            for (size_t i = 0; i < keys_max; ++i) {
                ASSERT_EQ(answers[i], model_answer<uint16_t>(boundaries, keys[i]))
                    << "key " << std::hex << keys[i];
            }
        }
    }
}

std::string random_digits(Prng& prng, uint64_t length, uint64_t alphabet) {
    std::string digits;
    while (digits.size() < length) {
        digits += static_cast<char>('0' + (10 - prng.below(alphabet)) % 10);
    }
    return digits;
}

// Longest prefix by trying every length.
uint16_t longest(const std::map<std::string, uint16_t>& table, std::string_view number) {
    for (size_t length = std::min<size_t>(number.size(), 15) + 1; length-- > 0;) {
        const auto found = table.find(std::string(number.substr(0, length)));
        if (found != table.end()) {
            return found->second;
        }
    }
    return ClassIndex::none;
}

struct Shape {
    uint64_t rows, length_min, length_max, alphabet, classes;
};
constexpr Shape shapes[] = {{60, 0, 4, 3, 3},      {60, 0, 15, 10, 60'000}, {2000, 1, 6, 10, 4},
                            {3000, 11, 12, 10, 5}, {1000, 15, 15, 2, 100},  {500, 1, 15, 2, 2},
                            {0, 1, 1, 1, 1},       {4000, 7, 8, 10, 60'000}};

void run_prefixes(Prng& prng, const Shape& shape) {
    std::map<std::string, uint16_t> table;
    const std::string lead = random_digits(prng, prng.below(4), 10);
    for (uint64_t i = 0, count = prng.below(shape.rows + 1); i < count; ++i) {
        const uint64_t length =
            shape.length_min + prng.below(shape.length_max - shape.length_min + 1);
        std::string digits = random_digits(prng, length, shape.alphabet);
        digits.replace(0, std::min<size_t>(lead.size(), digits.size()), lead, 0,
                       std::min<size_t>(lead.size(), digits.size()));
        table[digits] = static_cast<uint16_t>(prng.below(shape.classes));
    }
    std::vector<PrefixRow> rows;
    std::vector<std::string> names;
    for (const auto& [digits, answer] : table) {
        rows.push_back(prefix_row(digits, answer, 0));
        names.push_back(digits);
    }
    for (size_t i = rows.size(); i > 1; --i) {
        std::swap(rows[i - 1], rows[prng.below(i)]);
    }
    sort_rows(rows);
    const ClassIndex index(rows);
    for (int burst = 0; burst < 20; ++burst) {
        std::vector<std::string> numbers;
        std::vector<uint64_t> keys;
        for (size_t i = 0; i < ClassIndex::keys_max; ++i) {
            std::string number;
            if (!names.empty() && prng.chance(7, 8)) {
                number = names[prng.below(names.size())];
                if (!number.empty() && prng.chance(1, 3)) {
                    number.back() = static_cast<char>('0' + prng.below(10));
                }
            }
            number += random_digits(prng, prng.below(19 - number.size()), shape.alphabet);
            if (prng.chance(1, 20)) {
                number += "x";
            }
            numbers.push_back(number);
            keys.push_back(number_key(number));
        }
        for (const IndexVariant variant : index_variants()) {
            std::vector<uint16_t> answers(keys.size());
            index.find(keys, answers, variant);
            for (size_t i = 0; i < keys.size(); ++i) {
                ASSERT_EQ(answers[i], longest(table, numbers[i])) << numbers[i];
            }
        }
    }
}

TEST(ClassModel, LongestPrefixAgreesWithTryingEveryLength) {
    Prng prng(3);
    for (int round = 0; round < rounds / 16; ++round) {
        SCOPED_TRACE("round " + std::to_string(round));
        ASSERT_NO_FATAL_FAILURE(run_prefixes(prng, shapes[prng.below(std::size(shapes))]));
    }
}

// One table large enough to be built in chunks.
TEST(ClassModel, LargeTableAgreesToo) {
    Prng prng(4);
    const Shape large{prng.chance(1, 2) ? 400'000u : 400'001u, 10, 12, 10, 1000};
    ASSERT_NO_FATAL_FAILURE(run_prefixes(prng, large));
}

TEST(NumberKeyModel, WordsAtATimeAgreeWithCharacters) {
    Prng prng(5);
    for (int round = 0; round < 200'000; ++round) {
        std::string number = random_digits(prng, prng.below(20), 10);
        if (!number.empty() && prng.chance(1, 4)) {
            number[prng.below(number.size())] = static_cast<char>(prng());
        }
        ASSERT_EQ(number_key(number), detail::number_key_of_any(number)) << number;
    }
}

}  // namespace
}  // namespace sy::route
