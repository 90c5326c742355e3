// Data plane: lookups in an IntervalIndex on CPUs with AVX-512 (F, BW, DQ, VL), a whole line a
// comparison. Compiled for these alone: interval_walk.h says what must not stand here.
#include <immintrin.h>

#include "core/route/interval_walk.h"

namespace sy::route {

namespace {

struct Avx512 {
    using Needle = __m512i;

    [[gnu::always_inline]] static inline __m512i vector(const IndexLine& line) {
        return _mm512_load_si512(line.octets);
    }
    [[gnu::always_inline]] static inline uint32_t ones(uint64_t mask) {
        return static_cast<uint32_t>(__builtin_popcountll(mask));
    }

    [[gnu::always_inline]] static inline Needle needle(uint64_t key) {
        return _mm512_set1_epi64(static_cast<int64_t>(key ^ bias<uint64_t>));
    }
    [[gnu::always_inline]] static inline uint32_t starts(const IndexLine& node, Needle needle) {
        return ones(_mm512_cmple_epi64_mask(vector(node), needle));
    }

    [[gnu::always_inline]] static inline uint32_t children(const IndexLine& line, uint16_t offset) {
        constexpr auto keys = static_cast<uint32_t>(~uint64_t{0} << (directory::keys_at / 2));
        const __m512i limit = _mm512_set1_epi16(static_cast<int16_t>(offset));
        return ones(_mm512_mask_cmple_epu16_mask(keys, vector(line), limit));
    }

    template <class Answer, class Key>
    [[gnu::always_inline]] static inline uint32_t answers(const IndexLine& line, Key offset) {
        using L = leaf::Layout<Answer, Key>;
        constexpr uint64_t keys = ((uint64_t{1} << L::keys) - 1) << (L::keys_at / sizeof(Key));
        static_assert(L::keys_at % sizeof(Key) == 0);
        if constexpr (sizeof(Key) == 2) {
            static_assert(L::keys_at + L::keys * sizeof(Key) <= 32);  // half a line is enough
            const __m256i half = _mm256_load_si256(reinterpret_cast<const __m256i*>(line.octets));
            const __m256i limit = _mm256_set1_epi16(static_cast<int16_t>(offset));
            return ones(_mm256_mask_cmple_epu16_mask(static_cast<uint16_t>(keys), half, limit));
        } else {
            return ones(_mm512_mask_cmple_epi64_mask(static_cast<uint8_t>(keys), vector(line),
                                                     needle(offset)));
        }
    }
};

template <class Answer>
using Root = typename IntervalIndex<Answer>::Root;
template <class Answer>
using Probe = typename IntervalIndex<Answer>::Probe;

}  // namespace

template <class Answer, class From, class What>
void find_avx512(
    const IndexLine* lines, const From& from, const What* what, size_t count, Answer* answers) {
    Walk<Answer, Avx512>(lines).find(from, what, count, answers);
}

template void find_avx512(
    const IndexLine*, const Root<uint16_t>&, const uint64_t*, size_t, uint16_t*);
template void find_avx512(
    const IndexLine*, const Root<uint32_t>&, const uint64_t*, size_t, uint32_t*);
template void find_avx512(
    const IndexLine*, const Root<uint16_t>* const&, const Probe<uint16_t>*, size_t, uint16_t*);
template void find_avx512(
    const IndexLine*, const Root<uint32_t>* const&, const Probe<uint32_t>*, size_t, uint32_t*);

}  // namespace sy::route
