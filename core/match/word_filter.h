// Whether any of a few words can stand in a text: 64 octets at a time, by shuffles that tell where
// four octets in a row could begin a word (Teddy's idea, as in Hyperscan), then by the word's first
// eight octets. Beside Hyperscan looking for the same words: bench/match_bench, "words=". Of the
// octets as they arrived: the characters that it looks at are the same octets in every alphabet but
// UCS-2 (text/coding.h), so that a text that holds none of the words need not be decoded.
//
// "Perhaps" may be wrong, "no" never is. Immutable once made; any thread asks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/limits.h"
#include "core/match/expression_form.h"

namespace sy::match {

/// How a text is looked through. All of them say the same.
enum class FilterVariant : uint8_t { scalar, avx2, avx512 };
/// Those that this CPU has; the quickest one last.
[[nodiscard]] std::span<const FilterVariant> filter_variants();

class WordFilter {
  public:
    // A word needs as many octets in a row that are the same in every alphabet.
    static constexpr size_t octets_min = 3;

    /// Control plane. Nothing where a word has too few of these octets, or there are more than
    /// words_max different ones.
    static constexpr size_t words_max = 64;
    [[nodiscard]] static std::optional<WordFilter> make(std::span<const Word> words);

    /// False: none of the words stands in the text. With any word true for every text with an octet
    /// 0x1B, as an escape in GSM 7-bit can stand inside a word. `text`: UTF-8, or the octets of a
    /// text whose alphabet has ASCII (text::has_ascii). Does not allocate.
    [[nodiscard]] bool may_hold(Octets text) const { return may_hold(text, best_variant); }
    [[nodiscard]] bool may_hold(Octets text, FilterVariant variant) const;

    /// What is looked for of each word: up to eight octets, of which the first four, if there are
    /// as many, are the rarest of the word.
    struct Needle {
        uint64_t octets = 0;  // as a little-endian load finds them, caseless letters small
        uint64_t fold = 0;    // 0x20 at caseless letters
        uint64_t mask = 0;    // 0xFF at each octet

        friend bool operator==(const Needle&, const Needle&) = default;
        friend auto operator<=>(const Needle&, const Needle&) = default;
    };
    [[nodiscard]] std::span<const Needle> needles() const { return needles_; }

  private:
    static constexpr size_t window = 4;   // octets that the shuffles look at
    static constexpr size_t buckets = 8;  // needles are told apart by, a bit each
    static const FilterVariant best_variant;

    // By octet, of those below 0x80, and place in the window: in which buckets some needle has it.
    using Classes = std::array<uint8_t, 128>;
    // The same by half octets: a bucket has the octet if it has both halves (and perhaps if not).
    struct Halves {
        std::array<uint8_t, 16> low{};
        std::array<uint8_t, 16> high{};
    };
    struct Scalar;
    struct Avx2;
    struct Avx512;

    WordFilter() = default;
    void add(const Needle& needle, uint8_t bucket);
    [[nodiscard]] bool stands_at(Octets text, size_t at, uint8_t in_buckets) const;
    template <class Candidates>
    [[nodiscard]] bool any_stands(Octets text,
                                  size_t at,
                                  uint64_t places,
                                  const Candidates& in_buckets) const;

    alignas(limits::cache_line_bytes) std::array<Classes, window> classes_{};
    std::array<Halves, window> halves_{};
    std::array<uint8_t, buckets + 1> bucket_begins_{};  // in needles_
    std::vector<Needle> needles_;
};

}  // namespace sy::match
