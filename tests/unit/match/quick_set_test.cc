// Goal: a few expressions scanned for alone match as they do in the whole set, or say that they
// cannot tell. Method: examples, and random expressions and texts against a scan of the whole set.
#include "core/match/quick_set.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "core/match/wider_words.h"
#include "tests/unit/match/match_support.h"

namespace sy::match {
namespace {

#ifdef SY_CHECKS
constexpr int sets_compared = 12;
#else
constexpr int sets_compared = 60;
#endif

std::string words_of(const std::string& expression) {
    return wider_words(expression).expression;
}

TEST(WiderWords, ListOfWordsIsItself) {
    const WiderWords words = wider_words("(?i)\\b(code|otp)\\b");
    EXPECT_EQ(words.expression, "(?i)\\b(code|otp)\\b");
    EXPECT_EQ(words.words.size(), 2U);
    EXPECT_TRUE(words.exact);
}

TEST(WiderWords, LongestRunThatHasToStandInTheText) {
    const WiderWords words = wider_words("(?i)\\bbrand7\\s+(code|otp|pin)\\s*[0-9]{4,8}");
    EXPECT_EQ(words.expression, "(?:(?i:brand7))");
    EXPECT_EQ(words.words.size(), 1U);
    EXPECT_FALSE(words.exact);
    constexpr std::pair<const char*, const char*> examples[] = {
        {"\\d+ a|free.*gift", ""},  // nothing of the first is rare
        {"\\d+ off!|free.*gift", "(?:(?:\\x20off\\x21)|(?:free))"},
        {"(win|won)\\s+(?i:A)prize\\d", "(?:(?:prize))"},
        {"(wins|prize)+\\d", "(?:(?:wins)|(?:prize))"},
        {"été.*", "(?:(?:été))"},
        {"https?://[a-z.]*shop[a-z]*/", "(?:(?:shop))"},  // what every link has comes last
        {"https?://[a-z.]+", "(?:(?:http))"},
        {"\\.ly/[a-z]+", "(?:(?:\\x2ely\\x2f))"},
    };
    for (const auto& [expression, expected] : examples) {
        EXPECT_EQ(words_of(expression), expected) << expression;
    }
}

TEST(WiderWords, WordsThatATextNeedsAsWell) {
    constexpr std::pair<const char*, const char*> examples[] = {
        {"(?i)\\bbrand7\\s+(code|otp|pin)\\s*[0-9]{4,8}", "code/i|otp/i|pin/i"},
        {"(win|free)\\s+brand7\\b", "win|free"},
        {"brand7.*(bit\\.ly|t\\.me)/[a-z]+", "bit.ly|t.me"},
        {"gift\\d", ""},
        {"gift\\dgift\\d", ""},  // the same ones
        {"gift\\d(offer)?", ""},
        {"gift\\d(offer)+", "gift"},
        {"gift1\\d|free", ""},
        {"win\\b", ""},  // a list of words has no need of others
    };
    for (const auto& [expression, expected] : examples) {
        std::string also;
        for (const Word& word : wider_words(expression).also) {
            also += (also.empty() ? "" : "|") + word.octets + (word.caseless ? "/i" : "");
        }
        EXPECT_EQ(also, expected) << expression;
    }
}

TEST(WiderWords, NothingWhereNothingRareHasToStand) {
    for (const char* expression : {"[a-z]+\\d", "ab\\d", "(code)?\\d", "(code)*\\d", "(code|\\d)x*",
                                   "(code|)x*", ".*", "(open", "\\Qcode\\E\\d"}) {
        EXPECT_EQ(words_of(expression), "") << expression;
    }
}

// In UTF-8 mode s and k have a third form, and characters beyond ASCII have forms of their own.
TEST(WiderWords, NoCharacterWithFurtherForms) {
    EXPECT_EQ(words_of("(?i)kiosk\\d"), "(?:(?i:kiosk))");  // octets: two forms
    EXPECT_EQ(words_of("(?i)kiosk.{2}"), "");               // characters: "io" is all
    EXPECT_EQ(words_of("(?i)market.{2}"), "(?:(?i:mar))");
    EXPECT_EQ(words_of("(?i)caféteria.{2}"), "(?:(?i:teria))");
    EXPECT_EQ(words_of("market.{2}"), "(?:(?:market))");
}

std::string random_expression(Prng& prng) {
    constexpr std::array atoms = {"code",    "Kiosk", "brand7",      "été",      "otp",
                                  "win|won", "pin",   "(?i:Gift)",   "(a|free)", "(code|pin)",
                                  "x{3}",    "http",  "\\.ly\\x2f",  "ſo",       "(gift)?",
                                  "[Pp]in",  "سعر",   "(code|otp)+", "K"};
    constexpr std::array between = {"", "\\s*", ".*", "\\d", "\\b", " ", ".", "[ab]?", "\\W+", "é"};
    std::string expression = prng.chance(1, 2) ? "(?i)" : "";
    for (uint64_t i = 0, parts = 1 + prng.below(3); i < parts; ++i) {
        expression += between[prng.below(between.size())];
        expression += atoms[prng.below(atoms.size())];
    }
    return expression + between[prng.below(between.size())];
}

std::string random_text(Prng& prng) {
    constexpr std::array pieces = {"code", "CODE", "Kiosk", "kioſk", "\u212Aiosk", "brand7", "été",
                                   "ÉTÉ",  "otp",  "oTp",   "won",   "win",        "Pin",    "pin",
                                   "gift", "GIFT", "free",  "xxx",   "http",       ".ly/",   "so",
                                   "ſo",   "سعر",  "k",     " ",     "7",          "a",      "é"};
    std::string text;
    for (uint64_t i = 0, length = prng.below(6); i < length; ++i) {
        text += pieces[prng.below(pieces.size())];
        text += prng.chance(1, 2) ? " " : "";
    }
    return text;
}

// Which of the chosen match, by both; nothing where the quick one cannot tell.
class Pair {
  public:
    Pair(const PatternSet& whole, const QuickSet& quick) : whole_(whole), quick_(quick) {
        EXPECT_TRUE(scratch_.prepare(whole));
        EXPECT_TRUE(scratch_.prepare(*quick.database()));
        matches_.reserve(whole.size() + 1);
    }
    std::optional<Ids> quickly(std::string_view text) {
        return quick_.scan(text, scratch_, matches_) ? std::optional(ids_of(matches_))
                                                     : std::nullopt;
    }
    Ids wholly(std::string_view text, const Ids& chosen) {
        whole_.scan(text, scratch_, matches_);
        Ids ids = ids_of(matches_);
        std::erase_if(ids, [&](uint32_t id) { return !chosen.contains(id); });
        return ids;
    }

  private:
    const PatternSet& whole_;
    const QuickSet& quick_;
    PatternScratch scratch_;
    MatchSet matches_;
};

TEST(QuickSet, AgreesWithTheWholeSetOrCannotTell) {
    Prng prng(17);
    size_t told = 0, told_of_matches = 0, not_told = 0, ruled_out = 0;
    for (int round = 0; round < sets_compared; ++round) {
        std::vector<std::string> expressions;
        while (expressions.size() < 8) {
            std::string expression = random_expression(prng);
            if (!why_refused(expression) &&
                std::ranges::find(expressions, expression) == expressions.end()) {
                expressions.push_back(std::move(expression));
            }
        }
        const PatternSet whole = compiled(expressions);
        std::vector<WiderWords> words;
        for (const std::string& expression : expressions) {
            words.push_back(wider_words(expression));
        }
        Ids chosen;
        std::vector<QuickSet::Part> parts;
        for (uint32_t id = 0; id < expressions.size(); ++id) {
            if (!words[id].expression.empty() && prng.chance(1, 2)) {
                chosen.insert(id);
                parts.push_back({id, &words[id]});
            }
        }
        const auto quick = QuickSet::compile(parts, whole.size());
        ASSERT_TRUE(quick.has_value());
        Pair pair(whole, *quick);
        for (int i = 0; i < 200; ++i) {
            const std::string text = random_text(prng);
            const auto ids = pair.quickly(text);
            if (quick->rules_out(as_octets(text))) {
                ++ruled_out;
                ASSERT_EQ(ids, Ids{}) << '"' << text << '"';
            }
            if (!ids) {
                ++not_told;
                continue;
            }
            ++told;
            told_of_matches += ids->empty() ? 0U : 1U;
            ASSERT_EQ(*ids, pair.wholly(text, chosen)) << '"' << text << '"';
        }
    }
    EXPECT_GT(told, not_told / 4);
    EXPECT_GT(told_of_matches, 100U);
    EXPECT_GT(not_told, 100U);
    EXPECT_GT(ruled_out, 1'000U);
}

// One expression is the list of words that another one leads to.
TEST(QuickSet, SameWordsOfTwoExpressions) {
    const std::vector<std::string> expressions = {"gift\\d", "(?:(?:gift))"};
    const PatternSet whole = compiled(expressions);
    const std::array words = {wider_words(expressions[0]), wider_words(expressions[1])};
    ASSERT_EQ(words[0].expression, words[1].expression);
    for (const bool swapped : {false, true}) {
        std::array parts = {QuickSet::Part{0, &words[0]}, QuickSet::Part{1, &words[1]}};
        if (swapped) {
            std::swap(parts[0], parts[1]);
        }
        const auto quick = QuickSet::compile(parts, whole.size());
        ASSERT_TRUE(quick.has_value());
        Pair pair(whole, *quick);
        EXPECT_EQ(pair.quickly("a gift"), std::nullopt);
        EXPECT_EQ(pair.quickly("none"), Ids{});
    }
}

TEST(QuickSet, NothingOfTooManyWordsOrNone) {
    const WiderWords none;
    EXPECT_FALSE(QuickSet::compile(std::array{QuickSet::Part{0, &none}}, 1).has_value());
    std::vector<WiderWords> words;
    std::vector<QuickSet::Part> parts;
    for (size_t i = 0; i <= QuickSet::words_max; ++i) {
        words.push_back(wider_words("word" + std::to_string(i)));
    }
    for (uint32_t i = 0; i < words.size(); ++i) {
        parts.push_back({i, &words[i]});
    }
    EXPECT_FALSE(QuickSet::compile(parts, 1'000).has_value());
    parts.pop_back();
    EXPECT_TRUE(QuickSet::compile(parts, 1'000).has_value());
}

}  // namespace
}  // namespace sy::match
