#include "core/match/quick_set.h"

#include <algorithm>
#include <utility>

namespace sy::match {

namespace {

void append(std::vector<Word>& to, const std::vector<Word>& words) {
    to.insert(to.end(), words.begin(), words.end());
}

}  // namespace

std::optional<QuickSet> QuickSet::compile(std::span<const Part> parts,
                                          uint32_t set_size,
                                          const Databases& known) {
    QuickSet set;
    set.perhaps_bit_ = set_size;
    size_t word_count = 0;
    std::map<std::string, uint32_t> bits;
    std::vector<Word> any, lists, perhaps, also;
    bool all_have_more = true;
    for (const Part& part : parts) {
        const WiderWords& words = *part.words;
        word_count += words.words.size();
        if (words.expression.empty() || word_count > words_max) {
            return std::nullopt;
        }
        append(any, words.words);
        append(words.exact ? lists : perhaps, words.words);
        if (!words.exact) {
            append(also, words.also);
            all_have_more = all_have_more && !words.also.empty();
        }
        const uint32_t bit = words.exact ? part.id : set.perhaps_bit_;
        const auto [it, added] = bits.try_emplace(words.expression, bit);
        if (!added) {
            it->second = set.perhaps_bit_;  // the words of two expressions: the whole set tells
        }
    }
    set.any_ = WordFilter::make(any);
    set.lists_ = WordFilter::make(lists);
    set.perhaps_ = WordFilter::make(perhaps);
    set.also_ = all_have_more ? WordFilter::make(also) : std::nullopt;
    std::vector<std::string> expressions;
    for (auto& [expression, bit] : bits) {
        expressions.push_back(expression);
        set.bit_of_.push_back(bit);
        set.id_of_.push_back(Database::none);
    }
    for (const Part& part : parts) {
        if (part.words->exact) {
            const auto at = std::ranges::lower_bound(expressions, part.words->expression);
            set.id_of_[static_cast<size_t>(at - expressions.begin())] = part.id;
        }
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
    const bool lists_alone = is_without(perhaps_, octets) || is_without(also_, octets);
    if (!lists_alone && perhaps_.has_value()) {
        return false;
    }
    if (lists_alone && is_without(lists_, octets)) {
        return true;
    }
    const std::vector<uint32_t>& bits = lists_alone ? id_of_ : bit_of_;
    database_->scan(text, scratch.hyperscan(), bits.data(), out);
    return lists_alone || !out.contains(perhaps_bit_);
}

size_t QuickSet::bytes() const {
    size_t sum = database_->bytes() + sizeof(*this);
    for (const auto* words : {&any_, &lists_, &perhaps_, &also_}) {
        sum += words->has_value() ? (*words)->needles().size_bytes() : 0;
    }
    return sum;
}

}  // namespace sy::match
