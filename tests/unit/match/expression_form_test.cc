// Goal: an expression is taken for a list of words exactly where that means the same. Method:
// chosen expressions with known words; random ones against Hyperscan's own reading of the
// expression and against PCRE2's, over random texts.
#include "core/match/expression_form.h"

#include <array>
#include <clocale>
#include <cstdio>
#include <cwctype>
#include <memory>

#include <gtest/gtest.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/base/prng.h"
#include "tests/unit/match/match_support.h"

namespace sy::match {
namespace {

#ifdef SY_CHECKS
constexpr int expressions_compared = 400;
#else
constexpr int expressions_compared = 4000;
#endif

// In UTF mode, letters of ASCII fold among themselves (the two characters that do not are not in
// the texts here; they have a test of their own).
class Pcre {
  public:
    explicit Pcre(const std::string& expression) {
        int error = 0;
        size_t offset = 0;
        code_ = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                              PCRE2_UTF, &error, &offset, nullptr);
        EXPECT_NE(code_, nullptr) << expression;
        data_ = pcre2_match_data_create_from_pattern(code_, nullptr);
    }
    Pcre(const Pcre&) = delete;
    Pcre& operator=(const Pcre&) = delete;
    ~Pcre() {
        pcre2_match_data_free(data_);
        pcre2_code_free(code_);
    }
    [[nodiscard]] bool matches(const std::string& text) const {
        const int found = pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                      0, 0, data_, nullptr);
        EXPECT_TRUE(found > 0 || found == PCRE2_ERROR_NOMATCH) << found;
        return found > 0;
    }

  private:
    pcre2_code* code_ = nullptr;
    pcre2_match_data* data_ = nullptr;
};

std::vector<Word> words(std::string_view expression) {
    return form_of(expression).words;
}

constexpr Edge any = Edge::anything;
constexpr Edge outside = Edge::no_word_character;

TEST(ExpressionForm, PlainWordsAndLists) {
    EXPECT_EQ(words("code"), (std::vector<Word>{{"code", false, any, any}}));
    EXPECT_EQ(words("(?i)CoDe"), (std::vector<Word>{{"code", true, any, any}}));
    EXPECT_EQ(words("\\bcode\\b"), (std::vector<Word>{{"code", false, outside, outside}}));
    EXPECT_EQ(words("^code$"),
              (std::vector<Word>{{"code", false, Edge::end, Edge::end_or_newline}}));
    EXPECT_EQ(words("\\Acode\\z"), (std::vector<Word>{{"code", false, Edge::end, Edge::end}}));
    EXPECT_EQ(words("(?i)\\b(win|prize)\\b"), (std::vector<Word>{{"prize", true, outside, outside},
                                                                 {"win", true, outside, outside}}));
    EXPECT_EQ(words("colou?r"),
              (std::vector<Word>{{"color", false, any, any}, {"colour", false, any, any}}));
    EXPECT_EQ(words("(?i:A)1[bc]").size(), 0u);  // letters of both kinds in one word
    EXPECT_EQ(words("x\\.y\\x2ez"), (std::vector<Word>{{"x.y.z", false, any, any}}));
    EXPECT_EQ(words("caf\xC3\xA9"), (std::vector<Word>{{"caf\xC3\xA9", false, any, any}}));
    EXPECT_EQ(words("caf\\xE9"), (std::vector<Word>{{"caf\xC3\xA9", false, any, any}}));
    EXPECT_EQ(words("[ab]{2}").size(), 4u);
}

// "\b" beside a character that is none of a word asks for one that is.
TEST(ExpressionForm, BoundariesLookAtBothSides) {
    EXPECT_EQ(words("\\b#1\\b"), (std::vector<Word>{{"#1", false, Edge::word_character, outside}}));
    EXPECT_EQ(words("\\Bab\\B"),
              (std::vector<Word>{{"ab", false, Edge::word_character, Edge::word_character}}));
    EXPECT_EQ(words("\\B#\\B"), (std::vector<Word>{{"#", false, outside, outside}}));
    EXPECT_EQ(words("^\\bab\\b$"),
              (std::vector<Word>{{"ab", false, Edge::end, Edge::end_or_newline}}));
}

TEST(ExpressionForm, WhatIsNoListOfWords) {
    for (const char* expression :
         {"",        "a*",           "ab+",     "a.b",    "[a-z]x", "\\d",  "(foo)?",
          "a|",      "(?m)^a",       "a\\bb",   "a$b",    "$a",     "a^",   "^\\b#",
          "\\b\\Ba", "(?i)\xC3\xA9", "a{0}",    "(a)\\1", "(?=a)a", "[^a]", "a{2,3}",
          "a{100}",  "\\p{L}",       "\\Qa\\E", "(?x)a b"}) {
        EXPECT_TRUE(words(expression).empty()) << expression;
    }
}

// A product of sets, or a deep nest of options, must not be written out.
TEST(ExpressionForm, ProductsAreLeftToHyperscan) {
    EXPECT_TRUE(words("[abcd]{16}").empty());
    std::string nested = "a";
    for (int i = 0; i < 90; ++i) {
        nested = "(" + nested + "b?){2}";
    }
    EXPECT_TRUE(words(nested).empty());
    EXPECT_GT(form_of(nested).positions, positions_max);
    EXPECT_TRUE(words("((((a+)+)+)+)+" + std::string(5000, '(')).empty());
}

TEST(ExpressionForm, PositionsCountRepeatsWrittenOut) {
    EXPECT_EQ(form_of("a.*b").positions, 3u);
    EXPECT_EQ(form_of("(ab{10}){5}c").positions, 56u);
    EXPECT_EQ(form_of("a{30000}b{30000}").positions, 60'000u);
    EXPECT_EQ(form_of("x.{0,100}y").positions, 402u);  // in UTF-8 mode
    EXPECT_GE(form_of("(?x) a{1000}{1000}{1000}").positions, 1'000'000'000u);
}

// The same hits as the expression itself, by Hyperscan and by PCRE2.
TEST(ExpressionForm, WordsMatchAsTheirExpression) {
    const std::vector<std::string> atoms = {
        "a",       "b",     "k",     "s",    "_",           "1",      "#",    " ",
        "\\.",     "é",     "ab",    "[ab]", "a?",          "(a|b#)", "(a|)", "(ab|1|a)",
        "(?:b|é)", "\\x62", "\\xe9", "س",    "(#|1)",       "[1#]",   "a{2}", "(ab){2}",
        "(?i:A)",  "A",     "\\n",   "😀",   "(\\ba|b\\b)", "B?"};
    const std::vector<std::string> heads = {"", "", "^", "\\b", "\\B", "\\A", "^\\b", "\\b\\b"};
    const std::vector<std::string> tails = {"",    "",     "$",   "\\b", "\\B",
                                            "\\z", "\\b$", "\\Z", "$\\z"};
    const std::vector<std::string> pieces = {"a", "b", "A", "B", "1", "#",  " ",  "_",  ".",
                                             "é", "É", "س", "k", "S", "\n", "😀", "ab", "aa"};
    Prng prng(11);
    int compared = 0;
    for (int round = 0; round < expressions_compared; ++round) {
        std::string expression = prng.chance(1, 2) ? "(?i)" : "";
        expression += heads[prng.below(heads.size())];
        const bool group = prng.chance(1, 4);
        expression += group ? "(" : "";
        for (uint64_t k = 0, parts = 1 + prng.below(3); k < parts; ++k) {
            expression += atoms[prng.below(atoms.size())];
            expression += group && prng.chance(1, 2) ? "|b" : "";
        }
        expression += group ? ")" : "";
        expression += tails[prng.below(tails.size())];
        if (words(expression).empty()) {
            continue;
        }
        const HyperscanAlone hyperscan(expression, HS_FLAG_UTF8);
        if (!hyperscan.valid()) {
            continue;  // "^\\b#" and the like: can never match
        }
        ++compared;
        const Pcre pcre(expression);
        const PatternSet set = compiled({expression});
        Scanner scanner(set);
        for (int t = 0; t < 25; ++t) {
            std::string text;
            for (uint64_t k = 0, length = prng.below(6); k < length; ++k) {
                text += pieces[prng.below(pieces.size())];
            }
            const bool matched = !scanner(text).empty();
            ASSERT_EQ(matched, hyperscan.matches(text)) << expression << " on \"" << text << '"';
            ASSERT_EQ(matched, pcre.matches(text)) << expression << " on \"" << text << '"';
        }
    }
    EXPECT_GT(compared, expressions_compared / 4);
}

// Many words of one set, some of several expressions, against Hyperscan without words.
TEST(ExpressionForm, ManyWordsInOneSetMatchAsTheirExpressions) {
    Prng prng(12);
    std::vector<std::string> expressions;
    std::vector<std::unique_ptr<HyperscanAlone>> references;
    std::set<std::string> seen;
    const std::vector<std::string> shapes = {"W",           "\\bW\\b", "(?i)W",
                                             "(?i)\\bW\\b", "^W$",     "(?i)\\b(W|V)\\b",
                                             "\\b(V|W)",    "W.*V",    "W[0-9]+"};
    const auto word = [&] {
        std::string text;
        for (uint64_t k = 0, length = 1 + prng.below(3); k < length; ++k) {
            text += "abA"[prng.below(3)];
        }
        return text;
    };
    while (expressions.size() < 150) {
        std::string expression;
        for (const char c : shapes[prng.below(shapes.size())]) {
            expression += c == 'W' || c == 'V' ? word() : std::string(1, c);
        }
        if (seen.insert(expression).second) {
            expressions.push_back(expression);
            references.push_back(std::make_unique<HyperscanAlone>(expression, 0));
        }
    }
    const PatternSet set = compiled(expressions);
    Scanner scanner(set);
    for (int t = 0; t < 400; ++t) {
        std::string text;
        for (uint64_t k = 0, length = prng.below(12); k < length; ++k) {
            text += "aabbAB 1_"[prng.below(9)];
        }
        Ids expected;
        for (uint32_t i = 0; i < expressions.size(); ++i) {
            if (references[i]->matches(text)) {
                expected.insert(i);
            }
        }
        ASSERT_EQ(scanner(text), expected) << text;
    }
}

// (?i) over octets folds ASCII alone; U+017F and U+212A fold to s and k in UTF-8 mode only.
TEST(ExpressionForm, LetterCaseBeyondAscii) {
    const PatternSet set = compiled({"(?i)kiss", "(?i)kiss.",
                                     "(?i)stra\xC3\x9F"
                                     "e",
                                     "(?i)\xD0\xB0\xD0\xB1"});
    Scanner scanner(set);
    EXPECT_EQ(scanner("KISS"), (Ids{0}));
    EXPECT_EQ(scanner("\xE2\x84\xAAi\xC5\xBFs!"), (Ids{1}));
    EXPECT_EQ(scanner("STRA\xC3\x9F"
                      "E"),
              (Ids{2}));
    EXPECT_EQ(scanner("\xD0\x90\xD0\x91"), (Ids{3}));
}

// Every character beyond ASCII that is taken for one without letter case has none in Unicode.
TEST(ExpressionForm, ScriptsWithoutLetterCase) {
    ASSERT_NE(std::setlocale(LC_CTYPE, "C.UTF-8"), nullptr);
    uint32_t without = 0;
    for (char32_t c = 0x80; c < 0x20000; ++c) {
        if (c >= 0xD800 && c <= 0xDFFF) {
            continue;
        }
        std::array<char, 16> expression{};
        std::snprintf(expression.data(), expression.size(), "(?i)\\x{%X}",
                      static_cast<unsigned>(c));
        if (!words(expression.data()).empty()) {
            ++without;
            ASSERT_EQ(std::towlower(static_cast<wint_t>(c)), c);
            ASSERT_EQ(std::towupper(static_cast<wint_t>(c)), c);
        }
    }
    EXPECT_GT(without, 40'000u);
    EXPECT_TRUE(words("(?i)\\x{DF}").empty());
}

}  // namespace
}  // namespace sy::match
