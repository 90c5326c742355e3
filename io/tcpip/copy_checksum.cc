#include "io/tcpip/copy_checksum.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sy::tcpip {
namespace {

using Words = uint64_t __attribute__((vector_size(32)));

// A running sum in each 64-bit lane of a register. What is added up loses its carries; the upper
// halves are added apart, and what these are short of the whole are the lower halves. 2^31 words
// don't overflow.
template <class Vector, bool copying>
struct Lanes {
    Vector all{};
    Vector upper{};

    [[gnu::always_inline]] void add(const Vector& words) {
        all += words;
        upper += words >> 32;
    }
    [[gnu::always_inline]] void take(uint8_t* to, const uint8_t* from, size_t at) {
        Vector words;
        std::memcpy(&words, from + at, sizeof words);
        if constexpr (copying) {  // else `to` is null
            std::memcpy(to + at, &words, sizeof words);
        }
        add(words);
    }
    // `all` becomes the sums.
    [[gnu::always_inline]] void finish() { all = all - (upper << 32) + upper; }
};

template <bool copying>
[[gnu::always_inline]] inline uint64_t sum_words(uint8_t* to, const uint8_t* from, size_t n) {
    Lanes<Words, copying> lanes;
    size_t at = 0;
    for (; at + 2 * sizeof(Words) <= n; at += 2 * sizeof(Words)) {
        lanes.take(to, from, at);
        lanes.take(to, from, at + sizeof(Words));
    }
    // What is left has a place for each power of two.
    if ((n & sizeof(Words)) != 0) {
        lanes.take(to, from, at);
        at += sizeof(Words);
    }
    lanes.finish();
    uint64_t sum = lanes.all[0] + lanes.all[1] + lanes.all[2] + lanes.all[3];
    const auto take = [&]<class Word>(Word word) {
        std::memcpy(&word, from + at, sizeof word);
        if constexpr (copying) {
            std::memcpy(to + at, &word, sizeof word);
        }
        at += sizeof word;
        return word;
    };
    const auto take_long = [&] {
        const uint64_t word = take(uint64_t{});
        sum += (word & 0xFFFFFFFF) + (word >> 32);
    };
    if ((n & 16) != 0) {
        take_long();
        take_long();
    }
    if ((n & 8) != 0) {
        take_long();
    }
    if ((n & 4) != 0) {
        sum += take(uint32_t{});
    }
    if ((n & 2) != 0) {
        sum += take(uint16_t{});
    }
    if ((n & 1) != 0) {
        sum += take(uint8_t{});
    }
    return sum;
}

#if defined(__x86_64__)
#define SY_AVX512 gnu::target("avx512f,avx512bw,avx512vl,bmi2")

using Line = uint64_t __attribute__((vector_size(64)));

// Whole lines, then the rest under a mask.
template <bool copying>
[[SY_AVX512, gnu::always_inline]] inline uint64_t sum_lines(uint8_t* to,
                                                            const uint8_t* from,
                                                            size_t n) {
    Lanes<Line, copying> lanes;
    size_t at = 0;
    for (; at + sizeof(Line) <= n; at += sizeof(Line)) {
        lanes.take(to, from, at);
    }
    const __mmask64 rest = _bzhi_u64(~uint64_t{0}, static_cast<uint32_t>(n - at));
    const __m512i last = _mm512_maskz_loadu_epi8(rest, from + at);
    if constexpr (copying) {
        _mm512_mask_storeu_epi8(to + at, rest, last);
    }
    lanes.add(reinterpret_cast<Line>(last));
    lanes.finish();
    const Words half = __builtin_shufflevector(lanes.all, lanes.all, 0, 1, 2, 3) +
                       __builtin_shufflevector(lanes.all, lanes.all, 4, 5, 6, 7);
    return half[0] + half[1] + half[2] + half[3];
}

[[SY_AVX512]] uint64_t sum_by_lines(const uint8_t* from, size_t n) {
    return sum_lines<false>(nullptr, from, n);
}
[[SY_AVX512]] uint64_t copy_by_lines(uint8_t* to, const uint8_t* from, size_t n) {
    return sum_lines<true>(to, from, n);
}

bool cpu_has_avx512() {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
           __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("bmi2") != 0;
}
#else
bool cpu_has_avx512() {
    return false;
}
#endif

uint64_t sum_by_words(const uint8_t* from, size_t n) {
    return sum_words<false>(nullptr, from, n);
}
uint64_t copy_by_words(uint8_t* to, const uint8_t* from, size_t n) {
    return sum_words<true>(to, from, n);
}

constexpr std::array all_kernels{
    SumKernels{"words", sum_by_words, copy_by_words},
#if defined(__x86_64__)
    SumKernels{"lines", sum_by_lines, copy_by_lines},
#endif
};

}  // namespace

std::span<const SumKernels> sum_kernels() {
    return std::span(all_kernels).first(cpu_has_avx512() ? all_kernels.size() : 1);
}

const SumKernels best_sums = sum_kernels().back();

}  // namespace sy::tcpip
