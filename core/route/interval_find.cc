// Data plane: lookups in an IntervalIndex, but for CPUs with AVX-512.
#include <algorithm>
#include <array>
#include <bit>
#include <type_traits>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "core/base/assert.h"
#include "core/route/interval_index.h"
#include "core/route/interval_line.h"
#include "core/route/interval_walk.h"

namespace sy::route {

namespace {

struct Scalar {
    using Needle = uint64_t;

    template <class Key>
    static uint32_t count(const IndexLine& line, size_t at, size_t keys, Key offset) {
        uint32_t count = 0;
        for (size_t i = 0; i < keys; ++i) {
            const auto key = static_cast<Key>(line.load<Key>(at, i) ^ bias<Key>);
            count += key <= offset ? 1 : 0;
        }
        return count;
    }
    static Needle needle(uint64_t key) { return key; }
    static uint32_t starts(const IndexLine& node, Needle needle) {
        return count<uint64_t>(node, 0, start_tree::keys, needle);
    }
    static uint32_t children(const IndexLine& line, uint16_t offset) {
        return count(line, directory::keys_at, directory::keys, offset);
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
    using Needle = __m256i;

    static __m256i vector(const IndexLine& line, size_t at) {
        return _mm256_load_si256(reinterpret_cast<const __m256i*>(line.octets + at));
    }
    static __m256i all(uint16_t value) { return _mm256_set1_epi16(static_cast<int16_t>(value)); }
    static __m256i all(uint64_t value) {
        // One more than the key: the comparison is "less".
        return _mm256_set1_epi64x(static_cast<int64_t>((value + 1) ^ bias<uint64_t>));
    }
    static __m256i at_most(__m256i keys, __m256i limit, uint16_t) {
        return _mm256_cmpeq_epi16(_mm256_max_epu16(keys, limit), limit);
    }
    static __m256i at_most(__m256i keys, __m256i limit, uint64_t) {
        return _mm256_cmpgt_epi64(limit, keys);
    }
    static uint32_t popcount(__m256i mask, uint32_t octets) {
        return static_cast<uint32_t>(
            std::popcount(static_cast<uint32_t>(_mm256_movemask_epi8(mask)) & octets));
    }

    static Needle needle(uint64_t key) { return all(key); }
    static uint32_t starts(const IndexLine& node, Needle needle) {
        const __m256i low = at_most(vector(node, 0), needle, uint64_t{});
        const __m256i high = at_most(vector(node, 32), needle, uint64_t{});
        const __m256i both = _mm256_packs_epi32(low, high);  // one half word twice a key
        return popcount(both, ~uint32_t{0}) / 4;
    }
    static uint32_t children(const IndexLine& line, uint16_t offset) {
        // Both halves become one mask with an octet a key. The pack mixes the halves up, but the
        // three words in front stay there.
        static_assert(directory::keys_at == 3 * sizeof(uint16_t));
        constexpr uint32_t front = 0x7;
        const __m256i limit = all(offset);
        return popcount(_mm256_packs_epi16(at_most(vector(line, 0), limit, uint16_t{}),
                                           at_most(vector(line, 32), limit, uint16_t{})),
                        ~front);
    }
    template <class Answer, class Key>
    static uint32_t answers(const IndexLine& line, Key offset) {
        using L = leaf::Layout<Answer, Key>;
        constexpr uint64_t octets = ((uint64_t{1} << (L::keys * sizeof(Key) - 1)) * 2 - 1)
                                    << L::keys_at;
        constexpr auto low_octets = static_cast<uint32_t>(octets);
        constexpr auto high_octets = static_cast<uint32_t>(octets >> 32);
        const __m256i limit = all(offset);
        uint32_t below_octets = 0;
        if constexpr (low_octets != 0) {
            below_octets += popcount(at_most(vector(line, 0), limit, Key{}), low_octets);
        }
        if constexpr (high_octets != 0) {
            below_octets += popcount(at_most(vector(line, 32), limit, Key{}), high_octets);
        }
        return below_octets / static_cast<uint32_t>(sizeof(Key));
    }
};
#else
using Avx2 = Scalar;
#endif

bool cpu_has_avx512() {
#if defined(SY_HAVE_AVX512)
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
           __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
#else
    return false;
#endif
}

}  // namespace

std::span<const IndexVariant> index_variants() {
    static constexpr std::array all{IndexVariant::scalar, IndexVariant::avx2, IndexVariant::avx512};
    static const size_t here = cpu_has_avx512() ? 3 : std::is_same_v<Avx2, Scalar> ? 1 : 2;
    return std::span(all).first(here);
}

const IndexVariant best_index_variant = index_variants().back();

namespace {

template <class Answer, class From, class What>
void find_by(IndexVariant variant,
             const IndexLine* lines,
             const From& from,
             std::span<const What> what,
             Answer* answers) {
    if (variant == IndexVariant::scalar) {
        Walk<Answer, Scalar>(lines).find(from, what.data(), what.size(), answers);
        return;
    }
#if defined(SY_HAVE_AVX512)
    if (variant == IndexVariant::avx512) {
        find_avx512(lines, from, what.data(), what.size(), answers);
        return;
    }
#endif
    Walk<Answer, Avx2>(lines).find(from, what.data(), what.size(), answers);
}

}  // namespace

template <class Answer>
void IntervalIndex<Answer>::find(std::span<const uint64_t> keys,
                                 std::span<Answer> answers,
                                 IndexVariant variant) const {
    SY_ASSERT(keys.size() == answers.size() && keys.size() <= keys_max && !roots_.empty());
    find_by(variant, lines(), roots_.front(), keys, answers.data());
}

template <class Answer>
void IntervalIndex<Answer>::find(std::span<const Probe> probes,
                                 std::span<Answer> answers,
                                 IndexVariant variant) const {
    SY_ASSERT(probes.size() == answers.size() && probes.size() <= keys_max);
    SY_DCHECK(std::ranges::all_of(
        probes, [&](const Probe& probe) { return probe.segment < roots_.size(); }));
    const Root* all = roots_.data();
    find_by(variant, lines(), all, probes, answers.data());
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
