// Goal: money is exact from text to text, and nothing that is not a price is read as one.
#include "core/route/money.h"

#include <gtest/gtest.h>

namespace sy::route {
namespace {

TEST(Money, ReadsDecimalsExactly) {
    EXPECT_EQ(parse_money("0.0345")->nanos, 34'500'000);
    EXPECT_EQ(parse_money("12")->nanos, 12'000'000'000);
    EXPECT_EQ(parse_money(".5")->nanos, 500'000'000);
    EXPECT_EQ(parse_money("7.")->nanos, 7'000'000'000);
    EXPECT_EQ(parse_money("0.000000001")->nanos, 1);
    EXPECT_EQ(parse_money("100000")->nanos, 100'000'000'000'000);
    EXPECT_EQ(parse_money("0")->nanos, 0);
    EXPECT_EQ(parse_money("0000000000000000000001")->nanos, 1'000'000'000);
}

TEST(Money, RefusesWhatIsNoPrice) {
    for (const char* text : {"", ".", "-1", "+1", "1e3", "1,5", "1.2.3", " 1", "1 ", "EUR", "0x1",
                             "0.0000000001", "100000.1", "100001", "99999999999999999999999"}) {
        EXPECT_FALSE(parse_money(text)) << text;
    }
}

TEST(Money, WritesTheShortestTextThatReadsBack) {
    EXPECT_EQ(to_string(Money{34'500'000}), "0.0345");
    EXPECT_EQ(to_string(Money{12'000'000'000}), "12");
    EXPECT_EQ(to_string(Money{-500'000'000}), "-0.5");
    for (int64_t nanos = 1; nanos < Money::units_max * Money::nanos_per_unit;
         nanos = nanos * 7 + 3) {
        EXPECT_EQ(parse_money(to_string(Money{nanos}))->nanos, nanos);
    }
}

TEST(Money, MarginKeepsTheLargerOfShareAndAmountRoundedInItsFavour) {
    EXPECT_EQ((Margin{1000, {}}.cost_limit({100})).nanos, 90);
    EXPECT_EQ((Margin{0, {30}}.cost_limit({100})).nanos, 70);
    EXPECT_EQ((Margin{1000, {30}}.cost_limit({100})).nanos, 70);
    EXPECT_EQ((Margin{5000, {30}}.cost_limit({100})).nanos, 50);
    EXPECT_EQ((Margin{1, {}}.cost_limit({3})).nanos, 2);
    EXPECT_EQ((Margin{0, {30}}.cost_limit({10})).nanos, -20);
    EXPECT_EQ((Margin{10'000, {}}.cost_limit({Money::units_max * Money::nanos_per_unit})).nanos, 0);
}

}  // namespace
}  // namespace sy::route
