// Goal: an expression gets UTF-8 mode exactly where octets and characters differ. Method: the
// decision on chosen expressions, and the meaning checked by matching real text.
#include <gtest/gtest.h>

#include "core/match/pattern_set.h"

namespace sy::match {
namespace {

TEST(Utf8Mode, PlainAsciiExpressionsDoWithout) {
    for (const char* expression :
         {"", "code", "(?i)code", "^\\d{4,6}$", "[a-z]+@[a-z]+", "a.*b", ".+", "[^x]*", "\\W+",
          "\\bwin\\b", "a\\.b", "[.]", "x\\x41", "[]a]b", "\\\\x", "[[:alpha:]]{3}", "a\\[.*"}) {
        EXPECT_FALSE(needs_utf8_mode(expression)) << expression;
    }
}

TEST(Utf8Mode, CountingAnyCharacterNeedsIt) {
    for (const char* expression : {"a.b", "^.{3}$", ".", "[^a]", "[^a]{2}", "\\W", "\\D{3}", "\\S?",
                                   "[\\W]", "[^]a]x", "[[:^digit:]]", ".?", "a\\[."}) {
        EXPECT_TRUE(needs_utf8_mode(expression)) << expression;
    }
}

// Two octets of one character must not count as two characters.
TEST(Utf8Mode, AtLeastOneCharacterTwiceNeedsIt) {
    for (const char* expression :
         {"\\W+.+", "(.+){2}", "\\S+a?[^b]+", "(?:x?\\D+)+", "[^a]{1,}.+"}) {
        EXPECT_TRUE(needs_utf8_mode(expression)) << expression;
    }
    for (const char* expression : {".*\\W*", "(a.*){3}", "(code)x.+", ".*.+", "a.+b|c"}) {
        EXPECT_FALSE(needs_utf8_mode(expression)) << expression;
    }
}

TEST(Utf8Mode, CharactersBeyondAsciiNeedIt) {
    for (const char* expression : {"\xC3\xA9", "[\xC3\xA4-\xC3\xBC]", "\\xE9", "\\x{20AC}",
                                   "\\p{L}", "[\\p{Greek}]*", "(*UTF8)a", "\\351"}) {
        EXPECT_TRUE(needs_utf8_mode(expression)) << expression;
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
        std::vector<PatternError> errors;
        const std::vector<std::string> expressions = {c.expression};
        const PatternSet set = PatternSet::compile(expressions, errors);
        ASSERT_TRUE(errors.empty()) << c.expression << ": " << errors.front().text;
        PatternScratch scratch;
        ASSERT_TRUE(scratch.prepare(set));
        uint64_t bits = 0;
        set.scan(c.text, scratch, {&bits, 1});
        EXPECT_EQ(bits != 0, c.matches) << c.expression << " on " << c.text;
    }
}

}  // namespace
}  // namespace sy::match
