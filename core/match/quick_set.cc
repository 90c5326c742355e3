#include "core/match/quick_set.h"

#include <utility>

namespace sy::match {

std::optional<QuickSet> QuickSet::compile(std::span<const Part> parts,
                                          uint32_t set_size,
                                          const Databases& known) {
    QuickSet set;
    set.perhaps_ = set_size;
    size_t word_count = 0;
    std::map<std::string, uint32_t> bits;
    std::vector<Word> words;
    std::vector<Word> perhaps_words;
    for (const Part& part : parts) {
        word_count += part.words->word_count;
        if (part.words->expression.empty() || word_count > words_max) {
            return std::nullopt;
        }
        const std::vector<Word> some = form_of(part.words->expression).words;
        words.insert(words.end(), some.begin(), some.end());
        if (!part.words->exact) {
            perhaps_words.insert(perhaps_words.end(), some.begin(), some.end());
        }
        const uint32_t bit = part.words->exact ? part.id : set.perhaps_;
        const auto [it, added] = bits.try_emplace(part.words->expression, bit);
        if (!added) {
            it->second = set.perhaps_;  // the words of two expressions: the whole set tells
        }
    }
    set.filter_ = WordFilter::make(words);
    if (!perhaps_words.empty()) {
        set.perhaps_filter_ = WordFilter::make(perhaps_words);
    }
    std::vector<std::string> expressions;
    for (auto& [expression, bit] : bits) {
        expressions.push_back(expression);
        set.bit_of_.push_back(bit);
    }
    if (const auto it = known.find(expressions); it != known.end()) {
        set.database_ = it->second;
        return set;
    }
    std::vector<PatternError> errors;
    set.database_ = Database::compile(std::move(expressions), errors);
    return set.database_ == nullptr ? std::nullopt : std::optional(std::move(set));
}

bool QuickSet::scan(std::string_view text, PatternScratch& scratch, MatchSet& out) const {
    out.clear();
    const Octets octets = as_octets(text);
    // Of a text that its words did not rule out, this is the most likely answer.
    if (perhaps_filter_ && perhaps_filter_->may_hold(octets)) {
        return false;
    }
    if (rules_out(octets)) {
        return true;
    }
    database_->scan(text, scratch.hyperscan(), bit_of_.data(), out);
    return !out.contains(perhaps_);
}

}  // namespace sy::match
