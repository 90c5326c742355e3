// Data plane: lookups in an IntervalIndex.
#include <bit>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "core/base/assert.h"
#include "core/route/interval_index.h"
#include "core/route/interval_line.h"

namespace sy::route {

namespace {

// How many of a line's keys are at most the offset. Keys ascend; the rest of a line's octets, and
// unused keys, are never counted.
struct Scalar {
    template <class Key>
    static uint32_t count(const IndexLine& line, size_t at, size_t keys, Key offset) {
        uint32_t count = 0;
        for (size_t i = 0; i < keys; ++i) {
            const auto key = static_cast<Key>(line.load<Key>(at, i) ^ bias<Key>);
            count += key <= offset ? 1 : 0;
        }
        return count;
    }
    static uint32_t narrow_children(const IndexLine& line, uint16_t offset) {
        return count(line, directory::narrow_at, directory::narrow_keys, offset);
    }
    static uint32_t wide_children(const IndexLine& line, uint64_t offset) {
        return count(line, directory::wide_at, directory::wide_keys, offset);
    }
    template <class Answer, class Key>
    static uint32_t answers(const IndexLine& line, Key offset) {
        using L = leaf::Layout<Answer, Key>;
        return count(line, L::keys_at, L::keys, offset);
    }
};

#if defined(__AVX2__)
// The same with whole registers: what is compared beside the keys is masked away.
struct Avx2 {
    static __m256i vector(const IndexLine& line, size_t at) {
        return _mm256_load_si256(reinterpret_cast<const __m256i*>(line.octets + at));
    }
    static __m256i all(uint16_t value) { return _mm256_set1_epi16(static_cast<int16_t>(value)); }
    static __m256i all(uint32_t value) { return _mm256_set1_epi32(static_cast<int32_t>(value)); }
    static __m256i all(uint64_t value) { return _mm256_set1_epi64x(static_cast<int64_t>(value)); }
    static __m256i above(__m256i keys, __m256i offset, uint16_t) {
        return _mm256_cmpgt_epi16(keys, offset);
    }
    static __m256i above(__m256i keys, __m256i offset, uint32_t) {
        return _mm256_cmpgt_epi32(keys, offset);
    }
    static __m256i above(__m256i keys, __m256i offset, uint64_t) {
        return _mm256_cmpgt_epi64(keys, offset);
    }

    static uint32_t narrow_children(const IndexLine& line, uint16_t offset) {
        const __m256i value = all(static_cast<uint16_t>(offset ^ bias<uint16_t>));
        const __m256i low = _mm256_cmpgt_epi16(vector(line, 0), value);
        const __m256i high = _mm256_cmpgt_epi16(vector(line, 32), value);
        // One octet a key; the pack mixes the halves up, but the first three stay in front.
        const auto mask =
            static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_packs_epi16(low, high)));
        constexpr uint32_t head = 0x7;
        static_assert(directory::narrow_at == 2 * 3);
        return static_cast<uint32_t>(directory::narrow_keys) -
               static_cast<uint32_t>(std::popcount(mask & ~head));
    }
    static uint32_t wide_children(const IndexLine& line, uint64_t offset) {
        return count<uint64_t, directory::wide_at, directory::wide_keys>(line, offset);
    }
    template <class Answer, class Key>
    static uint32_t answers(const IndexLine& line, Key offset) {
        using L = leaf::Layout<Answer, Key>;
        return count<Key, L::keys_at, L::keys>(line, offset);
    }

    template <class Key, size_t at, size_t keys>
    static uint32_t count(const IndexLine& line, Key offset) {
        constexpr uint64_t octets = ((uint64_t{1} << (keys * sizeof(Key) - 1)) * 2 - 1) << at;
        constexpr auto low_octets = static_cast<uint32_t>(octets);
        constexpr auto high_octets = static_cast<uint32_t>(octets >> 32);
        const __m256i value = all(static_cast<Key>(offset ^ bias<Key>));
        uint32_t above_octets = 0;
        if constexpr (low_octets != 0) {
            const __m256i mask = above(vector(line, 0), value, Key{});
            above_octets += popcount(mask, low_octets);
        }
        if constexpr (high_octets != 0) {
            const __m256i mask = above(vector(line, 32), value, Key{});
            above_octets += popcount(mask, high_octets);
        }
        return static_cast<uint32_t>(keys) - above_octets / static_cast<uint32_t>(sizeof(Key));
    }
    static uint32_t popcount(__m256i mask, uint32_t octets) {
        return static_cast<uint32_t>(
            std::popcount(static_cast<uint32_t>(_mm256_movemask_epi8(mask)) & octets));
    }
};
#else
using Avx2 = Scalar;
#endif

}  // namespace

template <class Answer>
struct IntervalIndex<Answer>::Walk {
    const IndexLine* lines;
    size_t count;
    std::array<uint64_t, keys_max> rest;  // the key less the start of its line
    std::array<uint32_t, keys_max> line;
    std::array<uint8_t, keys_max> levels;  // left to go; only where they differ

    template <class Ops>
    void down(size_t i) {
        const IndexLine& at = lines[line[i]];
        const auto head = at.load<uint32_t>(0);
        uint32_t child = head >> directory::child_bits_at;
        if ((head & directory::wide_bit) == 0) [[likely]] {
            const unsigned shift = head & directory::shift_mask;
            const uint32_t index = Ops::narrow_children(at, capped<uint16_t>(rest[i], shift));
            const auto start = static_cast<uint16_t>(
                at.load<uint16_t>(directory::narrow_zero_at, index) ^ bias<uint16_t>);
            rest[i] -= uint64_t{start} << shift;
            child += index;
        } else {
            const uint32_t index = Ops::wide_children(at, capped<uint64_t>(rest[i], 0));
            if (index != 0) {
                rest[i] -= at.load<uint64_t>(directory::wide_at, index - 1) ^ bias<uint64_t>;
            }
            child += index;
        }
        line[i] = child;
        __builtin_prefetch(lines + child);
    }

    template <class Ops, class Key>
    Answer answer_in(const IndexLine& at, uint64_t offset, unsigned shift) const {
        const uint32_t index = Ops::template answers<Answer, Key>(at, capped<Key>(offset, shift));
        return at.load<Answer>(leaf::Layout<Answer, Key>::answers_at, index);
    }

    template <class Ops>
    [[nodiscard]] Answer answer(size_t i) const {
        const IndexLine& at = lines[line[i]];
        const auto head = at.load<uint16_t>(0);
        const unsigned shift = head & leaf::shift_mask;
        const auto form = static_cast<leaf::Form>(head >> leaf::form_bits_at);
        if (form == leaf::Form::narrow) [[likely]] {
            return answer_in<Ops, uint16_t>(at, rest[i], shift);
        }
        if (form == leaf::Form::medium) {
            return answer_in<Ops, uint32_t>(at, rest[i], shift);
        }
        return answer_in<Ops, uint64_t>(at, rest[i], shift);
    }

    template <class Ops>
    void answer_all(std::span<Answer> answers) const {
        for (size_t i = 0; i < count; ++i) {
            answers[i] = answer<Ops>(i);
        }
    }
    template <class Ops>
    void run(uint32_t same_levels, std::span<Answer> answers) {
        for (uint32_t level = 0; level < same_levels; ++level) {
            for (size_t i = 0; i < count; ++i) {
                down<Ops>(i);
            }
        }
        answer_all<Ops>(answers);
    }
    template <class Ops>
    void run_mixed(uint32_t most_levels, std::span<Answer> answers) {
        for (uint32_t level = 0; level < most_levels; ++level) {
            for (size_t i = 0; i < count; ++i) {
                if (levels[i] > level) {
                    down<Ops>(i);
                }
            }
        }
        answer_all<Ops>(answers);
    }
};

template <class Answer>
void IntervalIndex<Answer>::find(std::span<const uint64_t> keys,
                                 std::span<Answer> answers,
                                 IndexVariant variant) const {
    SY_ASSERT(keys.size() == answers.size() && keys.size() <= keys_max && !roots_.empty());
    Walk walk;
    walk.lines = lines();
    walk.count = keys.size();
    for (size_t i = 0; i < keys.size(); ++i) {
        walk.rest[i] = keys[i];
        walk.line[i] = roots_[0].line;
    }
    if (variant == IndexVariant::avx2) {
        walk.template run<Avx2>(roots_[0].levels, answers);
    } else {
        walk.template run<Scalar>(roots_[0].levels, answers);
    }
}

template <class Answer>
void IntervalIndex<Answer>::find(std::span<const Probe> probes,
                                 std::span<Answer> answers,
                                 IndexVariant variant) const {
    SY_ASSERT(probes.size() == answers.size() && probes.size() <= keys_max);
    Walk walk;
    walk.lines = lines();
    walk.count = probes.size();
    uint32_t least = ~uint32_t{0};
    uint32_t most = 0;
    for (size_t i = 0; i < probes.size(); ++i) {
        SY_DCHECK(probes[i].segment < roots_.size());
        const Root root = roots_[probes[i].segment];
        walk.rest[i] = probes[i].key;
        walk.line[i] = root.line;
        walk.levels[i] = static_cast<uint8_t>(root.levels);
        __builtin_prefetch(walk.lines + root.line);
        least = std::min(least, root.levels);
        most = std::max(most, root.levels);
    }
    if (variant == IndexVariant::avx2) {
        least == most ? walk.template run<Avx2>(most, answers)
                      : walk.template run_mixed<Avx2>(most, answers);
    } else {
        least == most ? walk.template run<Scalar>(most, answers)
                      : walk.template run_mixed<Scalar>(most, answers);
    }
}

// Whole class: what interval_build.cc defines is emitted there.
template void IntervalIndex<uint16_t>::find(std::span<const uint64_t>,
                                            std::span<uint16_t>,
                                            IndexVariant) const;
template void IntervalIndex<uint16_t>::find(std::span<const Probe>,
                                            std::span<uint16_t>,
                                            IndexVariant) const;
template void IntervalIndex<uint32_t>::find(std::span<const uint64_t>,
                                            std::span<uint32_t>,
                                            IndexVariant) const;
template void IntervalIndex<uint32_t>::find(std::span<const Probe>,
                                            std::span<uint32_t>,
                                            IndexVariant) const;

}  // namespace sy::route
