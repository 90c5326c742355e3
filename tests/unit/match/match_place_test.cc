// first_match(): the leftmost longest match, where the set that routes says that there is one.
#include "core/match/match_place.h"

#include <gtest/gtest.h>

#include "core/match/pattern_set.h"

namespace sy::match {
namespace {

struct Case {
    const char* expression;
    const char* text;
    std::optional<MatchPlace> place;
    bool matches = true;  // where there is no place
};

bool set_matches(const Case& one) {
    std::vector<PatternError> errors;
    const std::vector<std::string> expressions{one.expression};
    const PatternSet set = PatternSet::compile(expressions, errors);
    EXPECT_TRUE(errors.empty()) << one.expression;
    PatternScratch scratch;
    EXPECT_TRUE(scratch.prepare(set));
    MatchSet matches;
    matches.reserve(set.size());
    set.scan(one.text, scratch, matches);
    return matches.contains(0);
}

TEST(FirstMatch, IsTheLeftmostLongest) {
    const MatchPlace all{0, 5};
    for (const Case& one : std::vector<Case>{
             {"abc", "xxabcabc", MatchPlace{2, 5}},
             {"ab+", "xabbbab", MatchPlace{1, 5}},
             {"^a", "ab", MatchPlace{0, 1}},
             {"^b", "ab", std::nullopt, false},
             {"b$", "abb", MatchPlace{2, 3}},
             {"h.*", "hello", all},
             // Hyperscan keeps no starts of what may match nothing.
             {".*", "hello", std::nullopt},
             {"(stop)?", "stop", std::nullopt},
             {"\\bcasino\\b", "casinos, casino", MatchPlace{9, 15}},
             {"(?i)\\b(win|free)\\b", "for FREE", MatchPlace{4, 8}},
             {"(?i)\u00e9", "caf\u00c9", MatchPlace{3, 5}},
             {"^.$", "\u20ac", MatchPlace{0, 3}},
             {"x", "", std::nullopt, false},
         }) {
        EXPECT_EQ(first_match(one.expression, one.text), one.place) << one.expression;
        EXPECT_EQ(set_matches(one), one.matches) << one.expression;
    }
}

}  // namespace
}  // namespace sy::match
