// `when` of the route tables: what people write, and at which instants it holds. The clock of a
// zone is compared with the time zone library minute by minute.
#include "core/config/when.h"

#include <algorithm>
#include <date/tz.h>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "core/smpp/time_format.h"

namespace sy::config {
namespace {

using date::sys_seconds;
using std::chrono::minutes;
using std::chrono::seconds;

route::When parsed(std::string_view text) {
    Zones zones;
    auto when = parse_when(text, zones);
    EXPECT_TRUE(when.has_value()) << text << ": " << (when ? "" : when.error().text);
    return when ? *when : route::When{};
}

std::string error_of(std::string_view text) {
    Zones zones;
    const auto when = parse_when(text, zones);
    EXPECT_FALSE(when.has_value()) << text;
    return when ? "" : std::string(when.error().part) + ": " + when.error().text;
}

bool holds(const route::When& when, std::string_view utc) {
    std::string digits;
    std::ranges::copy_if(utc, std::back_inserter(digits),
                         [](char c) { return c >= '0' && c <= '9'; });
    const auto at = smpp::parse_receipt_date(digits);
    EXPECT_TRUE(at.has_value()) << utc;
    return route::evaluate(when, at.value_or(0)).holds;
}

TEST(When, DaysTimesAndZonesHoldByTheLocalClock) {
    const route::When when = parsed("Mon-Fri 08:00-18:00 Europe/London; Sat 09:00-12:00");
    EXPECT_FALSE(holds(when, "2026-01-05 07:59:59"));  // a Monday in winter
    EXPECT_TRUE(holds(when, "2026-01-05 08:00:00"));
    EXPECT_TRUE(holds(when, "2026-01-05 17:59:59"));
    EXPECT_FALSE(holds(when, "2026-01-05 18:00:00"));
    EXPECT_TRUE(holds(when, "2026-07-06 07:00:00"));  // in summer the clock is an hour ahead
    EXPECT_FALSE(holds(when, "2026-07-06 17:00:00"));
    EXPECT_TRUE(holds(when, "2026-07-11 08:00:00"));  // Saturday, in the zone of the other window
    EXPECT_FALSE(holds(when, "2026-07-11 11:00:00"));
    EXPECT_FALSE(holds(when, "2026-07-12 10:00:00"));  // Sunday
}

TEST(When, WithoutAZoneItIsUtc) {
    const route::When when = parsed("09:00-17:30");
    EXPECT_FALSE(holds(when, "2026-07-06 08:59:00"));
    EXPECT_TRUE(holds(when, "2026-07-06 09:00:00"));
    EXPECT_FALSE(holds(when, "2026-07-06 17:30:00"));
    EXPECT_TRUE(holds(when, "2026-07-05 12:00:00"));
}

TEST(When, OverMidnightBelongsToTheDayOnWhichItBegins) {
    const route::When when = parsed("Fri,Sun 22:00-06:00");
    EXPECT_FALSE(holds(when, "2026-07-10 05:00:00"));  // Friday morning
    EXPECT_TRUE(holds(when, "2026-07-10 22:00:00"));
    EXPECT_TRUE(holds(when, "2026-07-11 05:59:00"));
    EXPECT_FALSE(holds(when, "2026-07-11 06:00:00"));
    EXPECT_TRUE(holds(when, "2026-07-12 23:00:00"));  // from Sunday into the next week
    EXPECT_TRUE(holds(when, "2026-07-13 05:59:00"));
    EXPECT_FALSE(holds(when, "2026-07-13 06:00:00"));
}

TEST(When, DaysMayGoAroundTheWeekAndInAnyLetterCase) {
    const route::When when = parsed("SAT-mon");
    EXPECT_TRUE(holds(when, "2026-07-11 00:00:00"));
    EXPECT_TRUE(holds(when, "2026-07-13 23:59:59"));
    EXPECT_FALSE(holds(when, "2026-07-14 00:00:00"));
    EXPECT_FALSE(holds(when, "2026-07-10 23:59:59"));
}

TEST(When, SpansThatTouchAreOne) {
    const route::When when = parsed("Mon 08:00-12:00 10:00-14:00 14:00-24:00; Tue 0:00-1:00");
    ASSERT_EQ(when.parts.size(), 1u);
    ASSERT_EQ(when.parts[0].spans.size(), 1u);
    EXPECT_EQ(when.parts[0].spans[0], (route::WeekSpan{8 * 3600, 25 * 3600}));
}

TEST(When, WindowsOfDifferentZonesHoldEachByItsOwn) {
    const route::When when = parsed("9:00-10:00 Asia/Tokyo; 9:00-10:00 America/New_York");
    EXPECT_TRUE(holds(when, "2026-07-06 00:30:00"));
    EXPECT_TRUE(holds(when, "2026-07-06 13:30:00"));
    EXPECT_FALSE(holds(when, "2026-07-06 09:30:00"));
}

TEST(When, WhatIsNoWindowIsRefusedWithItsPart) {
    EXPECT_EQ(error_of("Mno 08:00-18:00").substr(0, 47),
              "Mno: 'Mno' is no day, time or time zone, expect");
    EXPECT_EQ(error_of("Mon-Frx 08:00-18:00").substr(0, 38),
              "Mon-Frx: 'Mon-Frx' are no days, expect");
    EXPECT_EQ(error_of("Mon 8-18").substr(0, 30), "8-18: '8-18' is no day, time o");
    EXPECT_EQ(error_of("Mon 08:00-25:00"),
              "08:00-25:00: '08:00-25:00' are no times of day, expected 00:00-24:00 or between");
    EXPECT_EQ(error_of("08:00").substr(0, 35), "08:00: '08:00' are no times of day,");
    EXPECT_EQ(error_of("08:00-08:00").substr(0, 46),
              "08:00-08:00: '08:00-08:00' ends when it begins");
    EXPECT_EQ(error_of("24:00-08:00").substr(0, 32), "24:00-08:00: '24:00-08:00' are n");
    EXPECT_EQ(error_of("Mon UTC Europe/London").substr(0, 52),
              "Europe/London: 'Europe/London' is a second time zone");
    EXPECT_EQ(error_of("Mon; ").substr(0, 60),
              "Mon; : a window of 'Mon; ' has neither days nor times, expec");
    EXPECT_EQ(error_of("UTC").substr(0, 43), "UTC: a window of 'UTC' has neither days nor");
    EXPECT_EQ(error_of("Mon UTC; Tue Asia/Tokyo; Wed").substr(0, 45),
              "Wed: the window 'Wed' names no time zone and ");
}

// The answer at every minute of two days is the local clock's, and it stays until it says so.
void expect_as_the_clock(const char* zone_name, date::sys_days from) {
    const std::string text = "22:10-02:40 13:00-13:01 " + std::string(zone_name);
    const route::When when = parsed(text);
    const date::time_zone* const zone = date::locate_zone(zone_name);
    route::WhenState state;
    for (sys_seconds at = from; at < from + date::days{2}; at += seconds{30}) {
        const auto local = zone->to_local(at);
        const auto minute =
            std::chrono::duration_cast<minutes>(local - date::floor<date::days>(local)).count();
        const bool expected = minute >= 22 * 60 + 10 || minute < 2 * 60 + 40 || minute == 13 * 60;
        const auto wall_ns = static_cast<Nanos>(at.time_since_epoch().count()) * second_ns;
        ASSERT_EQ(route::evaluate(when, wall_ns).holds, expected) << zone_name << " " << minute;
        ASSERT_EQ(route::holds_at(when, wall_ns, state), expected) << zone_name << " " << minute;
    }
}

TEST(When, FollowsTheClockThroughItsChanges) {
    using namespace date::literals;
    expect_as_the_clock("Europe/London", 2024_y / 3 / 30);
    expect_as_the_clock("Europe/London", 2024_y / 10 / 26);
    expect_as_the_clock("America/New_York", 2025_y / 3 / 8);
    expect_as_the_clock("America/New_York", 2025_y / 11 / 1);
    expect_as_the_clock("Australia/Lord_Howe", 2025_y / 4 / 5);  // half an hour
    expect_as_the_clock("Asia/Kathmandu", 2025_y / 4 / 5);
    expect_as_the_clock("Pacific/Apia", 2011_y / 12 / 29);  // a day that never was
    expect_as_the_clock("Africa/Casablanca", 2025_y / 2 / 22);
}

TEST(When, AClockThatIsSetBackIsAskedAgain) {
    const route::When when = parsed("12:00-13:00");
    route::WhenState state;
    EXPECT_TRUE(route::holds_at(when, Nanos{12} * 3600 * second_ns, state));
    EXPECT_FALSE(route::holds_at(when, Nanos{11} * 3600 * second_ns, state));
    EXPECT_TRUE(route::holds_at(when, Nanos{36} * 3600 * second_ns, state));
}

}  // namespace
}  // namespace sy::config
