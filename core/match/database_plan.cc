#include "core/match/database_plan.h"

#include <hs.h>

#include "core/match/expression_form.h"

namespace sy::match {

namespace {

std::string literal_of(const std::string& octets) {
    std::string out;
    for (const char octet : octets) {
        append_literal(octet, out);
    }
    return out;
}

}  // namespace

// ALLOWEMPTY: ".*" and "(stop)?" are what people write; Hyperscan refuses them otherwise.
unsigned flags_of(const ExpressionForm& form) {
    return HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY | (form.utf8_mode ? HS_FLAG_UTF8 : 0U);
}

uint64_t cost_us_of(const ExpressionForm& form) {
    // Fitted to bench/match_bench: words 20 to 50, expressions 2,000, in UTF-8 mode 8,000 to
    // 16,000; large ones grow faster than their size.
    constexpr uint64_t word_us = 40;
    constexpr uint64_t expression_us = 2'000;
    constexpr uint64_t utf8_us = 12'000;
    if (!form.words.empty()) {
        return form.words.size() * word_us;
    }
    return (form.utf8_mode ? utf8_us : expression_us) + form.positions * form.positions / 2;
}

DatabasePlan::DatabasePlan(std::span<const std::string> expressions) {
    for (size_t i = 0; i < expressions.size(); ++i) {
        add(expressions[i], static_cast<uint32_t>(i));
    }
}

void DatabasePlan::add(const std::string& expression, uint32_t index) {
    const ExpressionForm form = form_of(expression);
    cost_us += cost_us_of(form);
    if (form.words.empty()) {
        add_pattern(expression, flags_of(form));
        checks.back().push_back({index, 0, 0, 0});
        return;
    }
    for (const Word& word : form.words) {
        const auto [it, added] = literals_.try_emplace(std::pair(word.octets, word.caseless),
                                                       static_cast<uint32_t>(checks.size()));
        if (added) {
            // Every occurrence counts until one has the right neighbours: no SINGLEMATCH.
            add_pattern(literal_of(word.octets), word.caseless ? HS_FLAG_CASELESS : 0U);
        }
        checks[it->second].push_back({index, static_cast<uint16_t>(word.octets.size()),
                                      static_cast<uint8_t>(word.left),
                                      static_cast<uint8_t>(word.right)});
    }
}

void DatabasePlan::add_pattern(std::string text, unsigned flags_of_it) {
    texts.push_back(std::move(text));
    flags.push_back(flags_of_it);
    checks.emplace_back();
}

}  // namespace sy::match
