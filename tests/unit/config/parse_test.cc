#include "core/config/parse.h"

#include <gtest/gtest.h>

#include "core/config/complaints.h"
#include "core/config/toml_guard.h"

namespace sy::config {
namespace {

TEST(ParseDuration, TakesAWholeNumberAndAUnit) {
    EXPECT_EQ(parse_duration("250ms"), 250 * millisecond_ns);
    EXPECT_EQ(parse_duration("0s"), 0u);
    EXPECT_EQ(parse_duration("30s"), 30 * second_ns);
    EXPECT_EQ(parse_duration("5m"), 300 * second_ns);
    EXPECT_EQ(parse_duration("48h"), 172'800 * second_ns);
    EXPECT_EQ(parse_duration("7d"), 604'800 * second_ns);
    EXPECT_EQ(parse_duration("15us"), 15 * microsecond_ns);
}

TEST(ParseDuration, RefusesAllElse) {
    for (const char* text : {"", "s", "30", "30 s", "-1s", "1.5s", "1h30m", "30S", "99999999999d",
                             "18446744073709551616us"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(DurationText, IsReadBackAsTheSame) {
    for (const char* text : {"250ms", "30s", "5m", "2d", "1h", "90m", "0s"}) {
        EXPECT_EQ(duration_text(*parse_duration(text)), text);
    }
}

TEST(FindBadUtf8, AcceptsWhatIsWellFormed) {
    for (const char* text : {"", "abcdefghijklmnop", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                             "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF"}) {
        EXPECT_EQ(find_bad_utf8(text), std::string_view::npos) << text;
    }
}

TEST(FindBadUtf8, FindsOverlongSurrogateCutAndStrayOctets) {
    for (const char* text : {"\xC0\x80", "\xE0\x80\x80", "\xF0\x80\x80\x80", "\xED\xA0\x80", "\xC3",
                             "\xE2\x82", "\x80", "\xFF", "\xF4\x90\x80\x80", "\xE2\x82x"}) {
        EXPECT_EQ(find_bad_utf8("123456789" + std::string(text)), 9u);
    }
}

TEST(Nearest, FindsTypingErrorsOnly) {
    constexpr std::string_view names[] = {"window", "rate", "enquire_link"};
    EXPECT_EQ(nearest("windwo", names), "window");
    EXPECT_EQ(nearest("Rate", names), "rate");
    EXPECT_EQ(nearest("enquirelink", names), "enquire_link");
    EXPECT_EQ(nearest("port", names), "");
    EXPECT_EQ(nearest("", names), "");
}

TEST(FindDeepKey, SeesKeysAndNotStringsOrComments) {
    std::string dots;
    for (int i = 0; i < 40; ++i) {
        dots += "a.";
    }
    EXPECT_FALSE(find_deep_key("a.b = \"" + dots + "\\\"" + dots + "\"\n# " + dots + "\n"));
    EXPECT_FALSE(
        find_deep_key("a = '" + dots + "'\nb = [1.5, 2.5]\nc = \"\"\"" + dots + "\"\"\"\n"));
    const auto key = find_deep_key("x = 1\n" + dots + "b = 1\n");
    ASSERT_TRUE(key);
    EXPECT_EQ(key->line, 2u);
    EXPECT_EQ(key->column, 32u);  // the dot behind the 16th part
    EXPECT_TRUE(find_deep_key("[" + dots + "b]\n"));
    EXPECT_TRUE(find_deep_key("t = { " + dots + "b = 1 }\n"));
}

TEST(InQuotes, CutsAtACharacterAndHidesControls) {
    EXPECT_EQ(in_quotes("a\nb"), "'a?b'");
    const std::string sixty(60, 'x');
    EXPECT_EQ(in_quotes(sixty), "'" + sixty + "'");
    EXPECT_EQ(in_quotes(sixty + "y"), "'" + sixty + "...'");
    EXPECT_EQ(in_quotes(std::string(59, 'x') + "\xC3\xA9z"),
              "'" + std::string(59, 'x') + "\xC3\xA9...'");
}

}  // namespace
}  // namespace sy::config
