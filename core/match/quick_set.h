// A few expressions of a PatternSet, for texts of which only these are asked. Of lists of words it
// says what the whole set says; of any other expression only that it cannot match, where the words
// that it needs (wider_words.h) do not stand in the text. Filters of words tell nearly all texts;
// what is left is scanned for the words by Hyperscan, in a quarter of the time that 1,000
// expressions take, and in a tenth to a thousandth of what 10,000 take (bench/match_bench).
// Immutable; any thread scans, each with a PatternScratch that was prepared for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/match/database.h"
#include "core/match/match_set.h"
#include "core/match/pattern_set.h"
#include "core/match/wider_words.h"
#include "core/match/word_filter.h"

namespace sy::match {

class QuickSet {
  public:
    // Up to about so many words Hyperscan looks for all at once, by shuffles of a block of text
    // (Teddy), and a set has some 10 KB, which stay in the cache.
    static constexpr size_t words_max = 64;

    struct Part {
        uint32_t id;              // in the whole set
        const WiderWords* words;  // of its expression
    };
    /// By their expressions: what others have compiled, to be shared.
    using Databases = std::map<std::vector<std::string>, std::shared_ptr<const Database>>;

    /// Any thread but a worker. Nothing where an expression has no words, or all have too many.
    /// `set_size`: expressions of the whole set.
    [[nodiscard]] static std::optional<QuickSet> compile(std::span<const Part> parts,
                                                         uint32_t set_size,
                                                         const Databases& known = {});

    /// First this. True: none of the expressions matches this text. Of its octets as they arrived,
    /// in any alphabet with ASCII (text::has_ascii), or in UTF-8. Does not allocate.
    [[nodiscard]] bool rules_out(Octets text) const { return is_without(any_, text); }

    /// What matches, of these expressions alone, to `out`, which is cleared first. False: that is
    /// not the whole answer, the whole set has to be scanned. Does not allocate. REQUIRES: valid
    /// UTF-8; out.capacity() > set_size; the scratch was prepared for database().
    [[nodiscard]] bool scan(std::string_view text, PatternScratch& scratch, MatchSet& out) const;
    [[nodiscard]] size_t bytes() const;
    [[nodiscard]] const std::shared_ptr<const Database>& database() const { return database_; }

  private:
    QuickSet() = default;
    static bool is_without(const std::optional<WordFilter>& words, Octets text) {
        return words.has_value() && !words->may_hold(text);
    }

    // What a text without any of these words means. Nothing: their words are not known so.
    std::optional<WordFilter> any_;      // no expression matches
    std::optional<WordFilter> lists_;    // ... none that is a list of words
    std::optional<WordFilter> perhaps_;  // ... no other one
    std::optional<WordFilter> also_;     // ... no other one
    std::shared_ptr<const Database> database_;
    std::vector<uint32_t> id_of_;   // of lists of words; Database::none: of other expressions
    std::vector<uint32_t> bit_of_;  // the same, but for words of other expressions:
    uint32_t perhaps_bit_ = 0;
};

}  // namespace sy::match
