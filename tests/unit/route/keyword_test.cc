#include "core/route/keyword.h"

#include <gtest/gtest.h>

namespace sy::route {
namespace {

TEST(Keyword, FirstWordEndsAtWhiteSpace) {
    EXPECT_EQ(first_word("stop now"), "stop");
    EXPECT_EQ(first_word("  \r\n\tstop\tnow"), "stop");
    EXPECT_EQ(first_word("stop\xC2\xA0now"), "stop");
    EXPECT_EQ(first_word("\xC2\xA0 stop"), "stop");
    EXPECT_EQ(first_word("stop"), "stop");
    EXPECT_EQ(first_word(""), "");
    EXPECT_EQ(first_word("   "), "");
}

TEST(Keyword, PunctuationAtTheEndCanGo) {
    EXPECT_EQ(without_punctuation("stop."), "stop");
    EXPECT_EQ(without_punctuation("stop!?)"), "stop");
    EXPECT_EQ(without_punctuation("a.b"), "a.b");
    EXPECT_EQ(without_punctuation("..."), "");
}

TEST(Keyword, FoldsLettersOneToOne) {
    const struct {
        const char* upper;
        const char* lower;
    } cases[] = {
        {"STOP", "stop"},   {"ÄÖÜÉÇØÞ", "äöüéçøþ"},       {"ŁÓDŹ", "łódź"},
        {"ŞĞČŽŸ", "şğčžÿ"}, {"ΈΛΑΏΊΌΎΆΉΪ", "έλαώίόύάήϊ"}, {"ΣΟΦΟΣ", "σοφος"},
        {"СТОП", "стоп"},   {"ЁЇЄЍЏ", "ёїєѝџ"},           {"ҐҚӘӁ", "ґқәӂ"},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(fold_word(c.upper).view(), fold_word(c.lower).view()) << c.upper;
    }
    // What is small already stays, but the final sigma.
    EXPECT_EQ(fold_word("äé1łω").view(), "äé1łω");
    EXPECT_EQ(fold_word("ς").view(), "σ");
    EXPECT_EQ(fold_word("×÷ß").view(), "×÷ß");
    EXPECT_EQ(fold_word("日本😀").view(), "日本😀");
}

TEST(Keyword, FoldIsStableAndKeepsLetterApart) {
    for (char32_t c = 0; c < 0x600; ++c) {
        EXPECT_EQ(fold(fold(c)), fold(c)) << std::hex << static_cast<uint32_t>(c);
    }
    EXPECT_NE(fold(0x130), fold(0x131));
    EXPECT_NE(fold('i'), fold(0x131));
}

TEST(Keyword, LongWordIsNone) {
    EXPECT_EQ(fold_word(std::string(60, 'A')).view(), std::string(60, 'a'));
    EXPECT_EQ(fold_word(std::string(200, 'A')).size, 0U);
}

}  // namespace
}  // namespace sy::route
