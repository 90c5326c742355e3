#include "core/smpp/time_format.h"

#include <ctime>
#include <string>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::smpp {
namespace {

// 2026-01-31 12:00:00 UTC.
constexpr Nanos now_ns = Nanos{1'769'860'800} * second_ns;

/// The C library's calendar, which shares nothing with the code under test.
Nanos utc(int year, int month, int day, int hour = 0, int minute = 0, int second = 0) {
    std::tm tm{};
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    tm.tm_mday = day;
    tm.tm_hour = hour;
    tm.tm_min = minute;
    tm.tm_sec = second;
    return static_cast<Nanos>(timegm(&tm)) * second_ns;
}

void expect_time(const char* text, Nanos expected_ns) {
    Nanos out = 0;
    ASSERT_TRUE(parse_time(text, now_ns, out)) << text;
    EXPECT_EQ(out, expected_ns) << text;
}

TEST(TimeFormat, AbsoluteWithOffsets) {
    expect_time("260131120000000+", now_ns);
    expect_time("260131140000008+", now_ns);  // 8 quarters ahead of UTC
    expect_time("260131070000020-", now_ns);
    expect_time("260131120000500+", now_ns + 5 * second_ns / 10);
    expect_time("240229235959000+", utc(2024, 2, 29, 23, 59, 59));
    expect_time("371231235959000+", utc(2037, 12, 31, 23, 59, 59));
    expect_time("990101000000000+", utc(1999, 1, 1));
    expect_time("380101000000000+", 0);  // 1938
}

TEST(TimeFormat, RelativeByTheCalendar) {
    expect_time("000000000000000R", now_ns);
    expect_time("000000010203000R", now_ns + Nanos{3723} * second_ns);
    expect_time("000002000000000R", utc(2026, 2, 2, 12));
    expect_time("000100000000000R", utc(2026, 2, 28, 12));  // January 31 and a month
    expect_time("010000000000000R", utc(2027, 1, 31, 12));
    expect_time("000013000000999R", utc(2026, 2, 13, 12));  // tenths and quarters are ignored
}

TEST(TimeFormat, RefusesWhatIsNoTime) {
    Nanos out = 0;
    for (const char* text :
         {"", "123", "260131120000000", "260131120000000+0", "261331120000000+", "260230120000000+",
          "260131240000000+", "260131126000000+", "260131120060000+", "260131120000049+",
          "26013112000a000+", "260131120000000Z", "260131120000000r", "2601311200000a0+",
          "260131120000a00+", "26013a120000000R"}) {
        EXPECT_FALSE(parse_time(text, now_ns, out)) << text;
    }
}

TEST(TimeFormat, AbsoluteIsWrittenInUtc) {
    EXPECT_EQ(format_absolute_time(now_ns).view(), "260131120000000+");
    // The tenth is cut: 999 ms are 9, never 10.
    EXPECT_EQ(format_absolute_time(now_ns + 999 * millisecond_ns).view(), "260131120000900+");
    EXPECT_EQ(format_absolute_time(utc(2040, 1, 1)).view(), "371231235959000+");
    EXPECT_EQ(format_absolute_time(~Nanos{0}).view(), "371231235959000+");
}

TEST(TimeFormat, RelativeIsWrittenByTheCalendar) {
    EXPECT_EQ(format_relative_time(now_ns, now_ns).view(), "000000000000000R");
    EXPECT_EQ(format_relative_time(now_ns - 1, now_ns).view(), "000000000000000R");
    EXPECT_EQ(format_relative_time(utc(2026, 2, 2, 13), now_ns).view(), "000002010000000R");
    EXPECT_EQ(format_relative_time(utc(2026, 3, 1, 12), now_ns).view(), "000101000000000R");
    EXPECT_EQ(format_relative_time(utc(2028, 2, 29, 11), now_ns).view(), "020028230000000R");
}

TEST(TimeFormat, ReadsBackWhatItWrites) {
    Prng prng(12);
    for (int i = 0; i < 20'000; ++i) {
        // From 1999 on: before 1970 plus 38 years the century would not come back.
        const Nanos now = (Nanos{915'148'800} + prng.below(900'000'000)) * second_ns;
        const Nanos then = now + prng.below(Nanos{100'000'000}) * second_ns;
        Nanos out = 0;
        ASSERT_TRUE(parse_time(format_absolute_time(then).view(), now, out));
        ASSERT_EQ(out, then);
        const TimeText relative = format_relative_time(then, now);
        ASSERT_TRUE(parse_time(relative.view(), now, out));
        ASSERT_EQ(out, then) << relative.view() << " from " << now;
    }
}

TEST(TimeFormat, ReceiptDatesOfEveryLength) {
    EXPECT_EQ(parse_receipt_date("2601311200"), now_ns);
    EXPECT_EQ(parse_receipt_date("260131120007"), now_ns + 7 * second_ns);
    EXPECT_EQ(parse_receipt_date("202601311200"), now_ns);  // month 26 cannot be
    EXPECT_EQ(parse_receipt_date("20260131120007"), now_ns + 7 * second_ns);
    for (const char* text : {"", "0000000000", "00000000000000", "26013112", "26013112000",
                             "2613311200", "26013112ab", "260131120099", "2026-01-31"}) {
        EXPECT_EQ(parse_receipt_date(text), std::nullopt) << text;
    }
}

TEST(TimeFormat, ReceiptDateIsWrittenInUtc) {
    const auto date = format_receipt_date(utc(2026, 1, 2, 3, 4, 59));
    EXPECT_EQ(std::string(date.data(), date.size()), "2601020304");
}

}  // namespace
}  // namespace sy::smpp
