// The slow and obvious parts that the MT and the MO model share: one expression at a time, the
// order of targets by sorting, random pieces of rules.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "core/match/pattern_set.h"
#include "core/route/mt_table.h"
#include "core/route/rendezvous.h"
#include "core/route/rules.h"
#include "core/text/utf8.h"

namespace sy::route::model {

// Tables a test. Sanitizers and checks make a round ten times slower.
#ifdef SY_CHECKS
inline constexpr int plain_rounds = 500;
inline constexpr int scanning_rounds = 60;
#else
inline constexpr int plain_rounds = 5000;
inline constexpr int scanning_rounds = 300;
#endif

/// True if this one expression, compiled alone, matches.
class Matcher {
  public:
    bool matches(const std::string& expression, std::string_view text) {
        auto [it, added] = sets_.try_emplace(expression);
        Compiled& compiled = it->second;
        if (added) {
            std::vector<match::PatternError> errors;
            const std::vector<std::string> one = {expression};
            compiled.set = match::PatternSet::compile(one, errors);
            EXPECT_TRUE(errors.empty());
            EXPECT_TRUE(compiled.scratch.prepare(compiled.set));
            compiled.matches.reserve(1);
        }
        compiled.set.scan(text, compiled.scratch, compiled.matches);
        return compiled.matches.contains(0);
    }

  private:
    struct Compiled {
        match::PatternSet set;
        match::PatternScratch scratch;
        match::MatchSet matches;
    };
    std::map<std::string, Compiled> sets_;
};

/// All targets, tier by tier; in a tier as written, or by the drawn number over the weight
/// (tests/unit/route/target_order_test.cc compares those with a plain formula).
template <class TargetId>
std::vector<TargetId> ordered(const Tiers<TargetId>& tiers, Select select, uint64_t spread) {
    std::vector<TargetId> result;
    for (const auto& tier : tiers) {
        std::vector<std::pair<uint32_t, TargetId>> drawn;
        for (const auto& target : tier) {
            drawn.emplace_back(rendezvous_score(spread, target.id.value, target.weight), target.id);
        }
        if (select == Select::weight) {
            std::ranges::stable_sort(drawn, {}, [](const auto& one) { return one.first; });
        }
        for (const auto& [score, id] : drawn) {
            result.push_back(id);
        }
    }
    return result;
}

template <class TargetId>
Tiers<TargetId> random_targets(Prng& prng) {
    std::vector<uint16_t> ids = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    for (size_t i = ids.size(); i > 1; --i) {
        std::swap(ids[i - 1], ids[prng.below(i)]);
    }
    ids.resize(1 + prng.below(8));
    Tiers<TargetId> tiers(1);
    for (const uint16_t id : ids) {
        if (!tiers.back().empty() && prng.chance(1, 3)) {
            tiers.emplace_back();
        }
        tiers.back().push_back({TargetId{id}, static_cast<uint32_t>(1 + prng.below(100))});
    }
    return tiers;
}

template <class T>
const T& pick(Prng& prng, const std::vector<T>& from) {
    return from[prng.below(from.size())];
}

/// Few digits, so that prefixes meet.
inline std::string random_digits(Prng& prng, uint64_t length_max) {
    std::string digits;
    for (uint64_t i = 0, length = prng.below(length_max + 1); i < length; ++i) {
        digits += "4719"[prng.below(prng.chance(2, 3) ? 2 : 4)];
    }
    return digits;
}

inline smpp::Sm message(const std::string& octets, uint8_t data_coding) {
    smpp::Sm sm;
    sm.short_message = as_octets(octets);
    sm.data_coding = data_coding;
    return sm;
}

/// UTF-8 of messages without a header, and whether there is a text at all.
struct Text {
    bool present = true;
    std::string utf8;
};
inline Text text_of(const smpp::Sm& sm, Alphabet alphabet) {
    const auto coding = text::coding_of(sm.data_coding, alphabet);
    Text result;
    result.present = coding.character_set != text::CharacterSet::binary;
    result.utf8.resize(4096);
    result.utf8.resize(text::to_utf8(sm.short_message, coding, {}, result.utf8));
    return result;
}

}  // namespace sy::route::model
