// Goal: an expression gets UTF-8 mode exactly where octets and characters differ. Method: the
// decision on chosen expressions, and the meaning checked by matching real text.
#include <gtest/gtest.h>

#include "core/match/expression_form.h"
#include "tests/unit/match/match_support.h"

namespace sy::match {
namespace {

TEST(Utf8Mode, PlainAsciiExpressionsDoWithout) {
    for (const char* expression :
         {"", "code", "(?i)code", "^\\d{4,6}$", "[a-z]+@[a-z]+", "a.*b", ".+", "[^x]*", "\\W+",
          "\\bwin\\b", "a\\.b", "[.]", "x\\x41", "[]a]b", "\\\\x", "[[:alpha:]]{3}", "a\\[.*"}) {
        EXPECT_FALSE(form_of(expression).utf8_mode) << expression;
    }
}

TEST(Utf8Mode, CountingAnyCharacterNeedsIt) {
    for (const char* expression : {"a.b", "^.{3}$", ".", "[^a]", "[^a]{2}", "\\W", "\\D{3}", "\\S?",
                                   "[\\W]", "[^]a]x", "[[:^digit:]]", ".?", "a\\[."}) {
        EXPECT_TRUE(form_of(expression).utf8_mode) << expression;
    }
}

// Two octets of one character must not count as two characters.
TEST(Utf8Mode, AtLeastOneCharacterTwiceNeedsIt) {
    for (const char* expression :
         {"\\W+.+", "(.+){2}", "\\S+a?[^b]+", "(?:x?\\D+)+", "[^a]{1,}.+"}) {
        EXPECT_TRUE(form_of(expression).utf8_mode) << expression;
    }
    for (const char* expression : {".*\\W*", "(a.*){3}", "(code)x.+", ".*.+", "a.+b|c"}) {
        EXPECT_FALSE(form_of(expression).utf8_mode) << expression;
    }
}

// A character as it is written is found as the octets that it is; in a set, under a quantifier or
// under (?i) it is not.
TEST(Utf8Mode, CharactersBeyondAsciiAsWrittenDoWithout) {
    for (const char* expression :
         {"\xC3\xA9", "^\xC3\xA9[0-9]+", "(\xC3\xA9x)+", "(\xC3\xA9)?[0-9]"}) {
        EXPECT_FALSE(form_of(expression).utf8_mode) << expression;
    }
}

// Runs that something at a character boundary keeps apart cannot share a character.
TEST(Utf8Mode, RunsApartDoWithout) {
    for (const char* expression :
         {"a.+b.+c", "https?://\\S+.*login\\S+", ".+a|.+b", "(.+a)+", "\\W+\\b.+", "\\S+\\s\\S+"}) {
        EXPECT_FALSE(form_of(expression).utf8_mode) << expression;
    }
}

// These were taken for ASCII: in octets \h and \v match parts of characters, \B holds inside of
// one, and a bracket in a quotation is no class.
TEST(Utf8Mode, WhatOctetsWouldGetWrongNeedsIt) {
    for (const char* expression :
         {"\\h$", "[\\h]", "\\v$", "a.*\\B.*b", "^\\Q[\\E.$", "\\c[.", "(?x) # [\n."}) {
        EXPECT_TRUE(form_of(expression).utf8_mode) << expression;
    }
    EXPECT_TRUE(scanned(compiled({"\\h$"}), "\xC3\xA0").empty());
    EXPECT_TRUE(scanned(compiled({"\\v$"}), "\xC3\x85").empty());
    EXPECT_TRUE(scanned(compiled({"a.*\\B.*b"}),
                        "a\xC3\xA9"
                        "b")
                    .empty());
    EXPECT_EQ(scanned(compiled({"^\\Q[\\E.$"}), "[\xC3\xA9"), (Ids{0}));
}

TEST(Utf8Mode, CharactersBeyondAsciiNeedItElsewhere) {
    for (const char* expression : {"(?i)\xC3\xA9", "\xC3\xA9+", "[\xC3\xA4-\xC3\xBC]", "\\xE9",
                                   "\\x{20AC}", "\\p{L}", "[\\p{Greek}]*", "(*UTF8)a", "\\351"}) {
        EXPECT_TRUE(form_of(expression).utf8_mode) << expression;
    }
}

TEST(Utf8Mode, ChosenModeGivesCharacterMeaning) {
    const struct {
        const char* expression;
        const char* text;
        bool matches;
    } cases[] = {
        {"^a.b$",
         "a\xC3\xA9"
         "b",
         true},  // one character of two octets
        {"^.{3}$",
         "\xE2\x82\xAC"
         "1\xC3\xA4",
         true},
        {"^.{3}$", "\xE2\x82\xAC", false},            // three octets, one character
        {"(?i)^\xC3\x84pfel", "\xC3\xA4pfel", true},  // caseless beyond ASCII
        {"^[^x]{2}$", "\xD0\x96\xD0\xB6", true},
        {"a.*b",
         "a\xD0\x96"
         "b",
         true},  // without the mode, same meaning
        {"^a[^x]+b$",
         "a\xD0\x96"
         "b",
         true},
        {"\\xE9", "caf\xC3\xA9", true},
    };
    for (const auto& c : cases) {
        const PatternSet set = compiled({c.expression});
        EXPECT_EQ(!scanned(set, c.text).empty(), c.matches) << c.expression << " on " << c.text;
    }
}

}  // namespace
}  // namespace sy::match
