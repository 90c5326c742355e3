// Goal: one scan finds exactly the expressions that match, refused ones are all named, a saved set
// behaves as the one that was saved.
#include "core/match/pattern_set.h"

#include <algorithm>
#include <regex>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "core/match/expression_form.h"
#include "tests/unit/match/match_support.h"

namespace sy::match {
namespace {

// Compiling is slow under sanitizers and checks.
#ifdef SY_CHECKS
constexpr int sets = 15;
constexpr int expressions_compared = 100;
#else
constexpr int sets = 60;
constexpr int expressions_compared = 600;
#endif

TEST(PatternSet, FindsEveryMatchingExpressionAndNoOther) {
    const auto set = compiled({"code", "^code", "(?i)CODE", "x+", "(foo)?", ".*"});
    EXPECT_EQ(scanned(set, "your code"), (Ids{0, 2, 4, 5}));
}

TEST(PatternSet, EmptyTextMatchesOnlyWhatMayBeEmpty) {
    const auto set = compiled({"a", "a*", "^$", "."});
    EXPECT_EQ(scanned(set, {}), (Ids{1, 2}));
}

TEST(PatternSet, WithoutExpressionsNothingIsWritten) {
    const PatternSet set = compiled({});
    EXPECT_EQ(scanned(set, "text"), Ids{});
    EXPECT_EQ(set.size(), 0U);
    EXPECT_EQ(set.databases(), 0U);
}

TEST(PatternSet, NamesEveryRefusedExpression) {
    std::vector<PatternError> errors;
    const std::vector<std::string> expressions = {
        "fine", "(open", "(a)\\1", "also fine", "a{3,1}", "[z-a]", std::string("a\0b", 3), "\xFF"};
    const auto set = PatternSet::compile(expressions, errors);
    EXPECT_EQ(set.size(), 0U);
    ASSERT_EQ(errors.size(), 6U);
    const size_t expected[] = {1, 2, 4, 5, 6, 7};
    for (size_t i = 0; i < errors.size(); ++i) {
        EXPECT_EQ(errors[i].index, expected[i]);
        EXPECT_FALSE(errors[i].text.empty());
    }
}

// Hyperscan parses these without complaint and then does not say which of them is too large.
TEST(PatternSet, NamesWhatOnlyTheCompilerRefuses) {
    std::vector<PatternError> errors;
    const std::vector<std::string> expressions = {"fine", ".*a.{60}b.{60}c.{60}é", "also fine",
                                                  ".*d.{60}b.{60}c.{60}é"};
    const auto set = PatternSet::compile(expressions, errors);
    EXPECT_EQ(set.size(), 0U);
    ASSERT_EQ(errors.size(), 2U);
    EXPECT_EQ(errors[0].index, 1U);
    EXPECT_EQ(errors[1].index, 3U);
}

// Where octets were taken for characters to be quicker, the answer must still be that of UTF-8
// mode. Random expressions over ASCII and wide characters, against Hyperscan told to use UTF-8.
TEST(PatternSet, ChosenModeAgreesWithUtf8Mode) {
    const std::vector<std::string> atoms = {
        "a",   "b",      "1",   "[ab]",         "[^a]",   ".",      "\\d",   "\\D",
        "\\w", "\\W",    "\\S", "\\s",          "(a|1b)", "é",      "\\b",   "[é1]",
        "\\B", "\\h",    "\\v", "(?:é|b)",      "(.+1)",  "(a?.+)", "\\D+",  "[^ ]+",
        "a|b", "[^\\d]", "\\.", "[[:^alpha:]]", "(.+)",   "(a|.*)", "(b.+a)"};
    const std::vector<std::string> tails = {"",  "",    "",     "*",    "+",
                                            "?", "{2}", "{1,}", "{0,}", "{1,3}"};
    const std::vector<std::string> pieces = {"a", "b", "1", " ", "é", "€", "😀", ".", "à", "Å"};
    Prng prng(9);
    uint32_t in_octets = 0;
    for (int round = 0; round < expressions_compared; ++round) {
        std::string expression = prng.chance(1, 2) ? "^" : "";
        for (uint64_t k = 0, parts = 1 + prng.below(4); k < parts; ++k) {
            const std::string& atom = atoms[prng.below(atoms.size())];
            const bool repeatable = atom != "\\b" && atom != "\\B" && atom != "a|b";
            expression += atom + (repeatable ? tails[prng.below(tails.size())] : "");
        }
        expression += prng.chance(1, 2) ? "$" : "";
        if (form_of(expression).utf8_mode) {
            continue;  // both would be the same
        }
        std::vector<PatternError> errors;
        const std::vector<std::string> one = {expression};
        const auto set = PatternSet::compile(one, errors);
        if (!errors.empty()) {
            continue;  // "^\\b$" can never match, says Hyperscan
        }
        ++in_octets;
        Scanner scanner(set);
        const HyperscanAlone reference(expression, HS_FLAG_UTF8);
        for (int t = 0; t < 30; ++t) {
            std::string text;
            for (uint64_t k = 0, length = prng.below(6); k < length; ++k) {
                text += pieces[prng.below(pieces.size())];
            }
            ASSERT_EQ(!scanner(text).empty(), reference.matches(text))
                << expression << " on \"" << text << '"';
        }
    }
    EXPECT_GT(in_octets, static_cast<uint32_t>(expressions_compared / 20));
}

TEST(PatternSet, MoreThanOneWordOfBits) {
    std::vector<std::string> expressions;
    for (int i = 0; i < 200; ++i) {
        expressions.push_back("w" + std::to_string(i) + ";");
    }
    const auto set = compiled(expressions);
    EXPECT_EQ(scanned(set, "w0; w63; w64; w199;"), (Ids{0, 63, 64, 199}));
}

TEST(PatternScratch, ServesEverySetItWasPreparedFor) {
    const auto small = compiled({"a"});
    const auto large = compiled({"(?i)spam.{5,20}http", "[0-9]{3}-[0-9]{4}", "b+c"});
    PatternScratch scratch;
    ASSERT_TRUE(scratch.prepare(small));
    ASSERT_TRUE(scratch.prepare(large));
    ASSERT_TRUE(scratch.prepare(small));
    MatchSet matches;
    matches.reserve(large.size());
    small.scan("xa", scratch, matches);
    EXPECT_EQ(ids_of(matches), (Ids{0}));
    large.scan("call 555-1234", scratch, matches);
    EXPECT_EQ(ids_of(matches), (Ids{1}));
}

// Differential: random sets of expressions on random texts against std::regex, one by one.
TEST(PatternSet, AgreesWithTheStandardLibrary) {
    const std::vector<std::string> atoms = {"a", "b", "1", "[ab]", "\\d", "(ab|1)", ".", "(b{2})"};
    const std::vector<std::string> tails = {"", "", "*", "+", "?"};
    Prng prng(7);
    for (int round = 0; round < sets; ++round) {
        std::vector<std::string> expressions;
        for (uint64_t i = 0, n = 1 + prng.below(20); i < n; ++i) {
            std::string expression = prng.chance(1, 3) ? "^" : "";
            for (uint64_t k = 0, parts = 1 + prng.below(4); k < parts; ++k) {
                expression += atoms[prng.below(atoms.size())] + tails[prng.below(tails.size())];
            }
            expression += prng.chance(1, 3) ? "$" : "";
            if (std::ranges::find(expressions, expression) == expressions.end()) {
                expressions.push_back(expression);
            }
        }
        const auto set = compiled(expressions);
        for (int t = 0; t < 20; ++t) {
            std::string text;
            for (uint64_t k = 0, length = prng.below(8); k < length; ++k) {
                text += "ab1 "[prng.below(4)];
            }
            const Ids ids = scanned(set, text);
            for (uint32_t i = 0; i < expressions.size(); ++i) {
                ASSERT_EQ(ids.contains(i), std::regex_search(text, std::regex(expressions[i])))
                    << expressions[i] << " on \"" << text << '"';
            }
        }
    }
}

}  // namespace
}  // namespace sy::match
