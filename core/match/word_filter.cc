#include "core/match/word_filter.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "core/text/coding.h"
#include "core/text/gsm7.h"

namespace sy::match {

namespace {

using Byte = uint8_t;
static_assert(std::endian::native == std::endian::little);

// ---- control plane: which octets of a word are looked for ----

// Roughly the binary logarithm of how often an octet stands in texts.
consteval std::array<uint8_t, 256> commonness_of_all() {
    std::array<uint8_t, 256> all;
    all.fill(3);
    const auto set = [&all](std::string_view letters, uint8_t commonness) {
        for (const char letter : letters) {
            all[static_cast<Byte>(letter)] = commonness;
            all[static_cast<Byte>(letter) ^ 0x20u] = commonness;
        }
    };
    set("etaoinsr", 6);
    set("hdlucmpgfywbv", 4);
    set("jkqxz", 2);
    all[' '] = 8;
    return all;
}
constexpr std::array<uint8_t, 256> commonness = commonness_of_all();

WordFilter::Needle needle_of(std::string_view octets, bool caseless) {
    WordFilter::Needle needle;
    for (size_t i = 0; i < octets.size(); ++i) {
        const bool folds = caseless && is_ascii_letter(static_cast<Byte>(octets[i]));
        const auto octet = static_cast<Byte>(folds ? octets[i] | 0x20 : octets[i]);
        needle.octets |= uint64_t{octet} << (8 * i);
        needle.fold |= uint64_t{folds ? 0x20u : 0u} << (8 * i);
        needle.mask |= uint64_t{0xFF} << (8 * i);
    }
    return needle;
}

// The octets of the word that are rarest, among those that are the same in every alphabet.
std::optional<WordFilter::Needle> needle_of(const Word& word, size_t window) {
    constexpr size_t needle_octets_max = sizeof(WordFilter::Needle::octets);
    std::string_view best;
    auto least = std::pair(~size_t{0}, 0);  // octets that the window lacks, then how common it is
    for (size_t at = 0; at < word.octets.size(); ++at) {
        const auto rest = std::string_view(word.octets).substr(at, needle_octets_max);
        const auto run = std::ranges::find_if_not(
            rest, [](char octet) { return text::is_same_in_all(static_cast<Byte>(octet)); });
        const std::string_view octets = rest.substr(0, static_cast<size_t>(run - rest.begin()));
        int common = 0;
        for (const char octet : octets.substr(0, window)) {
            common += commonness[static_cast<Byte>(octet)];
        }
        const auto here = std::pair(window - std::min(window, octets.size()), common);
        if (octets.size() >= WordFilter::octets_min && here < least) {
            best = octets;
            least = here;
        }
    }
    return best.empty() ? std::nullopt : std::optional(needle_of(best, word.caseless));
}

}  // namespace

std::optional<WordFilter> WordFilter::make(std::span<const Word> words) {
    WordFilter filter;
    for (const Word& word : words) {
        const std::optional<Needle> needle = needle_of(word, window);
        if (!needle) {
            return std::nullopt;
        }
        filter.needles_.push_back(*needle);
    }
    // Those that begin alike share a bucket: fewer octets a place and bucket, fewer false alarms.
    std::ranges::sort(filter.needles_, {}, [](const Needle& needle) {
        return std::pair(__builtin_bswap64(needle.octets), needle);
    });
    filter.needles_.erase(std::ranges::unique(filter.needles_).begin(), filter.needles_.end());
    if (filter.needles_.size() > words_max) {
        return std::nullopt;
    }
    for (size_t bucket = 0; bucket < buckets; ++bucket) {
        const size_t begin = bucket * filter.needles_.size() / buckets;
        const size_t end = (bucket + 1) * filter.needles_.size() / buckets;
        for (size_t i = begin; i < end; ++i) {
            filter.add(filter.needles_[i], static_cast<uint8_t>(1u << bucket));
        }
        filter.bucket_begins_[bucket + 1] = static_cast<uint8_t>(end);
    }
    return filter;
}

void WordFilter::add(const Needle& needle, uint8_t bucket) {
    for (size_t place = 0; place < window; ++place) {
        const auto byte_of = [place](uint64_t of) { return static_cast<Byte>(of >> (8 * place)); };
        const auto add_octet = [&](unsigned octet) {
            classes_[place][octet % classes_[place].size()] |= bucket;
            halves_[place].low[octet & 0xF] |= bucket;
            halves_[place].high[octet >> 4] |= bucket;
        };
        const Byte octet = byte_of(needle.octets);
        add_octet(octet);
        add_octet(octet ^ byte_of(needle.fold));
        for (unsigned any = 0; byte_of(needle.mask) == 0 && any < 256; ++any) {
            add_octet(any);
        }
    }
}

// ---- data plane ----

namespace {

// What stands at `at`, as a needle has it, zeros behind the end.
uint64_t load_at(Octets text, size_t at) {
    uint64_t octets = 0;
    if (text.size() - at >= sizeof octets) {
        std::memcpy(&octets, text.data() + at, sizeof octets);
        return octets;
    }
    for (size_t i = at; i < text.size(); ++i) {
        octets |= uint64_t{text[i]} << (8 * (i - at));
    }
    return octets;
}

}  // namespace

bool WordFilter::stands_at(Octets text, size_t at, uint8_t in_buckets) const {
    const uint64_t here = load_at(text, at);
    for (unsigned left = in_buckets; left != 0; left &= left - 1) {
        const auto bucket = static_cast<size_t>(std::countr_zero(left));
        for (size_t i = bucket_begins_[bucket]; i < bucket_begins_[bucket + 1]; ++i) {
            const Needle& needle = needles_[i];
            if ((((here | needle.fold) ^ needle.octets) & needle.mask) == 0) {
                return true;
            }
        }
    }
    return false;
}

// `places`: from `at` on, a bit each.
template <class Candidates>
bool WordFilter::any_stands(Octets text,
                            size_t at,
                            uint64_t places,
                            const Candidates& in_buckets) const {
    for (; places != 0; places &= places - 1) {
        const auto place = static_cast<size_t>(std::countr_zero(places));
        if (stands_at(text, at + place, in_buckets[place])) {
            return true;
        }
    }
    return false;
}

// Each variant's find(): whether an escape or a needle stands in the text. Behind the text's end
// count zeros, which no needle has.
struct WordFilter::Scalar {
    static bool find(const WordFilter& filter, Octets text) {
        for (size_t at = 0; at < text.size(); ++at) {
            unsigned in_buckets = 0xFF;
            for (size_t place = 0; place < window; ++place) {
                const Byte octet = at + place < text.size() ? text[at + place] : Byte{0};
                in_buckets &= filter.classes_[place][octet % 0x80];
            }
            if (text[at] == text::gsm7_escape ||
                (in_buckets != 0 && filter.stands_at(text, at, static_cast<uint8_t>(in_buckets)))) {
                return true;
            }
        }
        return false;
    }
};

#if defined(__x86_64__)
struct WordFilter::Avx2 {
    static constexpr size_t step = 32;

    [[gnu::target("avx2")]] static bool find(const WordFilter& filter, Octets text) {
        std::array<Tables, window> tables;
        for (size_t place = 0; place < window; ++place) {
            tables[place] = {both_halves(filter.halves_[place].low),
                             both_halves(filter.halves_[place].high)};
        }
        for (size_t at = 0; at < text.size(); at += step) {
            const size_t rest = text.size() - at;
            const Byte* from = text.data() + at;
            std::array<Byte, step + window> end;
            if (rest < step + window - 1) {
                end = {};
                std::memcpy(end.data(), from, rest);
                from = end.data();
            }
            if (look(filter, tables, text, at, from)) {
                return true;
            }
        }
        return false;
    }

  private:
    struct Tables {
        __m256i low;
        __m256i high;
    };
    [[gnu::target("avx2")]] static __m256i both_halves(const std::array<uint8_t, 16>& table) {
        __m128i half;
        std::memcpy(&half, table.data(), sizeof half);
        return _mm256_broadcastsi128_si256(half);
    }
    [[gnu::target("avx2")]] static __m256i load(const Byte* from) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    }
    [[gnu::target("avx2")]] static bool look(const WordFilter& filter,
                                             const std::array<Tables, window>& tables,
                                             Octets text,
                                             size_t at,
                                             const Byte* from) {
        const __m256i half = _mm256_set1_epi8(0x0F);
        __m256i in_buckets = _mm256_set1_epi8(-1);
        for (size_t place = 0; place < window; ++place) {
            const __m256i octets = load(from + place);
            const __m256i low = _mm256_and_si256(octets, half);
            const __m256i high = _mm256_and_si256(_mm256_srli_epi16(octets, 4), half);
            in_buckets = _mm256_and_si256(
                in_buckets, _mm256_and_si256(_mm256_shuffle_epi8(tables[place].low, low),
                                             _mm256_shuffle_epi8(tables[place].high, high)));
        }
        const __m256i escapes = _mm256_cmpeq_epi8(load(from), _mm256_set1_epi8(text::gsm7_escape));
        if (_mm256_testz_si256(escapes, escapes) == 0) {
            return true;
        }
        if (_mm256_testz_si256(in_buckets, in_buckets) != 0) {
            return false;
        }
        const __m256i none = _mm256_cmpeq_epi8(in_buckets, _mm256_setzero_si256());
        std::array<Byte, step> each;
        std::memcpy(each.data(), &in_buckets, sizeof each);
        return filter.any_stands(text, at, ~static_cast<uint32_t>(_mm256_movemask_epi8(none)),
                                 each);
    }
};

// Blocks are looked at before any needle is compared: what a call would push out of the registers
// stays there.
struct WordFilter::Avx512 {
    static constexpr size_t step = 64;
    static constexpr size_t blocks_max = 4;

    // A bit for each octet from `place` on, of `count`.
    static uint64_t first_octets(size_t count, size_t place) {
        const size_t left = count > place ? count - place : 0;
        return left >= step ? ~uint64_t{0} : (uint64_t{1} << left) - 1;
    }
    [[gnu::target("avx512f,avx512bw,avx512vbmi")]] static bool find(const WordFilter& filter,
                                                                    Octets text) {
        alignas(step) Byte in_buckets[blocks_max][step];
        uint64_t places[blocks_max];
        size_t begins[blocks_max];
        for (size_t at = 0; at < text.size();) {
            size_t blocks = 0;
            uint64_t candidates = 0;
            uint64_t escapes = 0;
            for (; blocks < blocks_max && at < text.size(); ++blocks) {
                const size_t rest = text.size() - at;
                __m512i octets[window];
                if (rest >= step + window - 1) [[likely]] {
                    begins[blocks] = at;
                    for (size_t place = 0; place < window; ++place) {
                        octets[place] = _mm512_loadu_si512(text.data() + at + place);
                    }
                    at += step;
                } else {
                    // The last one ends with the text. What a mask leaves out is not touched, and
                    // counts as zero.
                    const size_t begin = rest > step          ? at
                                         : text.size() > step ? text.size() - step
                                                              : 0;
                    begins[blocks] = begin;
                    for (size_t place = 0; place < window; ++place) {
                        octets[place] = _mm512_maskz_loadu_epi8(
                            first_octets(text.size() - begin, place), text.data() + begin + place);
                    }
                    at = begin + step;
                }
                __m512i here = _mm512_set1_epi8(-1);
                for (size_t place = 0; place < window; ++place) {
                    const Byte* classes = filter.classes_[place].data();
                    here = _mm512_and_si512(
                        here, _mm512_permutex2var_epi8(_mm512_load_si512(classes), octets[place],
                                                       _mm512_load_si512(classes + step)));
                }
                _mm512_store_si512(in_buckets[blocks], here);
                places[blocks] = _mm512_test_epi8_mask(here, here);
                candidates |= places[blocks];
                escapes |= _mm512_cmpeq_epi8_mask(octets[0], _mm512_set1_epi8(text::gsm7_escape));
            }
            if (escapes != 0) {
                return true;
            }
            for (size_t i = 0; candidates != 0 && i < blocks; ++i) {
                if (filter.any_stands(text, begins[i], places[i], in_buckets[i])) {
                    return true;
                }
            }
        }
        return false;
    }
};

#endif

std::span<const FilterVariant> filter_variants() {
    static const std::vector<FilterVariant> all = [] {
        std::vector variants{FilterVariant::scalar};
#if defined(__x86_64__)
        __builtin_cpu_init();
        if (__builtin_cpu_supports("avx2") != 0) {
            variants.push_back(FilterVariant::avx2);
        }
        if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
            __builtin_cpu_supports("avx512vbmi") != 0) {
            variants.push_back(FilterVariant::avx512);
        }
#endif
        return variants;
    }();
    return all;
}

const FilterVariant WordFilter::best_variant = filter_variants().back();

bool WordFilter::may_hold(Octets text, FilterVariant variant) const {
    if (needles_.empty()) {
        return false;
    }
#if defined(__x86_64__)
    if (variant == FilterVariant::avx512) {
        return Avx512::find(*this, text);
    }
    if (variant == FilterVariant::avx2) {
        return Avx2::find(*this, text);
    }
#endif
    return Scalar::find(*this, text);
}

}  // namespace sy::match
