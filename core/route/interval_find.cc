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
    template <class Key>
    static uint32_t children(const IndexLine& line, Key offset) {
        using L = directory::Layout<Key>;
        return count(line, L::keys_at, L::keys, offset);
    }
    template <class Answer, class Key>
    static uint32_t answers(const IndexLine& line, Key offset) {
        using L = leaf::Layout<Answer, Key>;
        return count(line, L::keys_at, L::keys, offset);
    }
};

#if defined(__AVX2__)
// The same with whole registers: what is compared beside the keys is masked away. Keys are below
// the offset plus one, so the count needs no subtraction.
struct Avx2 {
    static __m256i vector(const IndexLine& line, size_t at) {
        return _mm256_load_si256(reinterpret_cast<const __m256i*>(line.octets + at));
    }
    static __m256i all(uint16_t value) { return _mm256_set1_epi16(static_cast<int16_t>(value)); }
    static __m256i all(uint32_t value) { return _mm256_set1_epi32(static_cast<int32_t>(value)); }
    static __m256i all(uint64_t value) { return _mm256_set1_epi64x(static_cast<int64_t>(value)); }
    static __m256i below(__m256i keys, __m256i limit, uint16_t) {
        return _mm256_cmpgt_epi16(limit, keys);
    }
    static __m256i below(__m256i keys, __m256i limit, uint32_t) {
        return _mm256_cmpgt_epi32(limit, keys);
    }
    static __m256i below(__m256i keys, __m256i limit, uint64_t) {
        return _mm256_cmpgt_epi64(limit, keys);
    }
    static uint32_t popcount(__m256i mask, uint32_t octets) {
        return static_cast<uint32_t>(
            std::popcount(static_cast<uint32_t>(_mm256_movemask_epi8(mask)) & octets));
    }

    template <class Key>
    static uint32_t children(const IndexLine& line, Key offset) {
        using L = directory::Layout<Key>;
        if constexpr (sizeof(Key) != sizeof(uint16_t)) {
            return count<Key, L::keys_at, L::keys>(line, offset);
        } else {
            // Nearly all lines: both halves become one mask with an octet a key. The pack mixes the
            // halves up, but the three words in front stay there.
            static_assert(L::keys_at == 3 * sizeof(Key));
            constexpr uint32_t front = 0x7;
            const __m256i limit = all(static_cast<Key>(offset + 1));
            return popcount(_mm256_packs_epi16(below(vector(line, 0), limit, Key{}),
                                               below(vector(line, 32), limit, Key{})),
                            ~front);
        }
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
        const __m256i limit = all(static_cast<Key>((offset + 1) ^ bias<Key>));
        uint32_t below_octets = 0;
        if constexpr (low_octets != 0) {
            below_octets += popcount(below(vector(line, 0), limit, Key{}), low_octets);
        }
        if constexpr (high_octets != 0) {
            below_octets += popcount(below(vector(line, 32), limit, Key{}), high_octets);
        }
        return below_octets / static_cast<uint32_t>(sizeof(Key));
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
    std::array<const IndexLine*, keys_max> line;
    std::array<uint8_t, keys_max> levels;  // left to go; only where they differ

    // The first line by a search of the root's starts, without a branch on the key.
    void enter(size_t i, uint64_t key, const Root& root, const uint64_t* starts) {
        key = std::min(key, uint64_t{start_max});  // nothing begins above
        const uint64_t* at = starts + root.starts_begin;
        for (uint32_t half = root.starts_half; half != 0; half /= 2) {
            at += at[half] <= key ? half : 0;
        }
        rest[i] = key - *at;
        line[i] = lines + root.line + (at - (starts + root.starts_begin));
        __builtin_prefetch(line[i]);
    }

    template <class Ops>
    void down(size_t i) {
        const IndexLine& at = *line[i];
        const auto head = at.load<uint32_t>(0);
        const unsigned shift = head & directory::shift_mask;
        size_t child = head >> directory::child_bits_at;
        if ((head & directory::form_mask) == 0) [[likely]] {
            const uint32_t index =
                Ops::template children<uint16_t>(at, capped<uint16_t>(rest[i], shift));
            rest[i] -= uint64_t{at.load<uint16_t>(directory::narrow_zero_at, index)} << shift;
            child += index;
        } else if ((head & directory::form_mask) == directory::form_bits(LineForm::medium)) {
            child += into_child<Ops, uint32_t>(at, i, shift);
        } else {
            child += into_child<Ops, uint64_t>(at, i, shift);
        }
        line[i] = lines + child;
        __builtin_prefetch(line[i]);
    }
    template <class Ops, class Key>
    uint32_t into_child(const IndexLine& at, size_t i, unsigned shift) {
        using L = directory::Layout<Key>;
        const uint32_t index = Ops::template children<Key>(at, capped<Key>(rest[i], shift));
        if (index != 0) {
            rest[i] -= uint64_t{at.load<Key>(L::keys_at, index - 1) ^ bias<Key>} << shift;
        }
        return index;
    }

    template <class Ops, class Key>
    Answer answer_in(const IndexLine& at, uint64_t offset, unsigned shift) const {
        const uint32_t index = Ops::template answers<Answer, Key>(at, capped<Key>(offset, shift));
        return at.load<Answer>(leaf::Layout<Answer, Key>::answers_at, index);
    }

    template <class Ops>
    [[nodiscard]] Answer answer(size_t i) const {
        const IndexLine& at = *line[i];
        const unsigned head = at.load<uint16_t>(0);
        const unsigned shift = head & leaf::shift_mask;
        if ((head & leaf::form_mask) == 0) [[likely]] {
            return answer_in<Ops, uint16_t>(at, rest[i], shift);
        }
        if ((head & leaf::form_mask) == leaf::form_bits(LineForm::medium)) {
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
        walk.enter(i, keys[i], roots_[0], starts_.data());
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
        const Root& root = roots_[probes[i].segment];
        walk.enter(i, probes[i].key, root, starts_.data());
        walk.levels[i] = static_cast<uint8_t>(root.levels);
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
