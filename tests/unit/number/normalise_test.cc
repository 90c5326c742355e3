#include "core/number/normalise.h"

#include <string>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::number {
namespace {

NumberPlan plan_of(std::string country_code, std::string national_prefix = "0") {
    NumberPlan plan;
    plan.country_code = std::move(country_code);
    plan.national_prefix = std::move(national_prefix);
    return plan;
}

struct Case {
    uint8_t ton;
    const char* digits;
    Outcome outcome;
    const char* want;
};

void expect_all(const NumberPlan& plan, std::initializer_list<Case> cases) {
    for (const Case& c : cases) {
        Number number;
        EXPECT_EQ(normalise({c.ton, 1, c.digits}, plan, number), c.outcome)
            << int{c.ton} << " '" << c.digits << "'";
        EXPECT_EQ(number.view(), c.want) << int{c.ton} << " '" << c.digits << "'";
    }
}

TEST(Normalise, InternationalFormsWithoutACountry) {
    expect_all({}, {
                       {1, "447700900123", Outcome::e164, "447700900123"},
                       {0, "447700900123", Outcome::e164, "447700900123"},
                       {1, "+447700900123", Outcome::e164, "447700900123"},
                       {0, "+447700900123", Outcome::e164, "447700900123"},
                       {1, "00447700900123", Outcome::e164, "447700900123"},
                       {0, "00447700900123", Outcome::e164, "447700900123"},
                       {0, "  447700900123 ", Outcome::e164, "447700900123"},
                       {5, "447700900123", Outcome::e164, "447700900123"},
                   });
}

TEST(Normalise, LengthIsSevenToFifteen) {
    expect_all({}, {
                       {1, "+1234567", Outcome::e164, "1234567"},
                       {1, "+123456", Outcome::too_short, ""},
                       {1, "123456789012345", Outcome::e164, "123456789012345"},
                       {1, "1234567890123456", Outcome::too_long, ""},
                       {1, "+123456789012345", Outcome::e164, "123456789012345"},
                       {1, "00123456789012345", Outcome::e164, "123456789012345"},
                       {1, "001234567890123456", Outcome::too_long, ""},
                   });
}

TEST(Normalise, RefusesWhatIsNoNumber) {
    expect_all(plan_of("44"), {
                                  {1, "", Outcome::empty, ""},
                                  {1, "   ", Outcome::empty, ""},
                                  {1, "+", Outcome::not_digits, ""},
                                  {1, "++447700900123", Outcome::not_digits, ""},
                                  {5, "ACME", Outcome::not_digits, ""},
                                  {1, "4477 00900123", Outcome::not_digits, ""},
                                  {1, "4477-0900123", Outcome::not_digits, ""},
                                  {1, "44770090012a", Outcome::not_digits, ""},
                                  {1, "447700900123/", Outcome::not_digits, ""},
                                  {1, "447700900123:", Outcome::not_digits, ""},
                                  {0, "12", Outcome::too_short, ""},
                                  {0, "00", Outcome::too_short, ""},
                              });
}

TEST(Normalise, NationalFormsTakeTheDefaultCountry) {
    expect_all(plan_of("44"), {
                                  {0, "07700900123", Outcome::e164, "447700900123"},
                                  {2, "07700900123", Outcome::e164, "447700900123"},
                                  {2, "7700900123", Outcome::e164, "447700900123"},
                                  {1, "07700900123", Outcome::e164, "447700900123"},
                                  {0, "447700900123", Outcome::e164, "447700900123"},
                                  {2, "+447700900123", Outcome::e164, "447700900123"},
                                  {2, "00447700900123", Outcome::e164, "447700900123"},
                                  {0, "077009001234567", Outcome::too_long, ""},
                              });
}

TEST(Normalise, NationalFormsWithoutACountryStayAsTheyAre) {
    expect_all({}, {{0, "07700900123", Outcome::e164, "07700900123"},
                    {2, "7700900123", Outcome::e164, "7700900123"}});
}

TEST(Normalise, NationalPrefixOtherThanZero) {
    expect_all(plan_of("7", "8"), {
                                      {0, "89161234567", Outcome::e164, "79161234567"},
                                      {2, "9161234567", Outcome::e164, "79161234567"},
                                      // International by TON: 8 may begin a country code (86).
                                      {1, "8613912345678", Outcome::e164, "8613912345678"},
                                  });
    expect_all(plan_of("47", ""), {{2, "91234567", Outcome::e164, "4791234567"},
                                   {0, "91234567", Outcome::short_code, "91234567"}});
}

TEST(Normalise, StripOfDoubleZeroIsASetting) {
    NumberPlan plan;
    plan.strip_00 = false;
    expect_all(plan, {{0, "0044770090012", Outcome::e164, "0044770090012"},
                      {0, "+447700900123", Outcome::e164, "447700900123"}});
}

TEST(Normalise, ShortCodesAreKept) {
    expect_all(plan_of("44"),
               {
                   {0, "123", Outcome::short_code, "123"},
                   {3, "88000", Outcome::short_code, "88000"},
                   {6, "12345678", Outcome::short_code, "12345678"},
                   {0, "123456789", Outcome::e164, "123456789"},
                   {0, "0800", Outcome::short_code, "0800"},
                   // Everything as 1/1 is common; 7 digits are a number, 5 cannot be.
                   {1, "88000", Outcome::short_code, "88000"},
                   {1, "1234567", Outcome::e164, "1234567"},
                   {1, "+88000", Outcome::too_short, ""},
               });
}

TEST(Normalise, ShortCodesCanBeOff) {
    NumberPlan plan;
    plan.short_code_digits_max = 0;
    expect_all(plan, {{0, "88000", Outcome::too_short, ""},
                      {1, "88000", Outcome::too_short, ""},
                      {0, "12345678", Outcome::e164, "12345678"}});
}

// Digits are looked at in words: every octet at every place of every length.
TEST(Normalise, AnyOtherOctetAnywhereIsNotDigits) {
    for (size_t length = 1; length <= 20; ++length) {
        for (size_t at = 0; at < length; ++at) {
            for (uint32_t octet = 1; octet < 256; ++octet) {
                std::string digits(length, '7');
                digits[at] = static_cast<char>(octet);
                const bool is_digit = octet >= '0' && octet <= '9';
                const bool may_go = octet == ' ' || octet == '+';  // at an end
                Number number;
                const Outcome outcome = normalise({0, 1, digits}, {}, number);
                if (!may_go) {
                    ASSERT_EQ(outcome != Outcome::not_digits, is_digit) << digits;
                }
            }
        }
    }
}

TEST(Normalise, ResultIsItsOwnNormalForm) {
    Prng prng(3);
    const NumberPlan plan = plan_of("44");
    constexpr std::string_view alphabet = "0123456789+ 00";
    for (int round = 0; round < 100'000; ++round) {
        std::string digits;
        for (uint64_t i = prng.below(19); i != 0; --i) {
            digits += alphabet[prng.below(prng.chance(1, 8) ? alphabet.size() : 10)];
        }
        Number number;
        const Outcome outcome =
            normalise({static_cast<uint8_t>(prng.below(7)), 1, digits}, plan, number);
        if (!usable(outcome)) {
            ASSERT_EQ(number.length, 0) << digits;
            continue;
        }
        ASSERT_LE(number.length, limits::number_digits_max);
        ASSERT_EQ(std::string(number.digits.begin() + number.length, number.digits.end()),
                  std::string(number.digits.size() - number.length, '\0'));
        Number again;
        const std::string written = outcome == Outcome::e164 ? "+" + std::string(number.view())
                                                             : std::string(number.view());
        const Outcome second = normalise({3, 1, written}, {}, again);
        if (outcome == Outcome::e164) {
            ASSERT_EQ(second, Outcome::e164) << digits;
        }
        ASSERT_EQ(again.view(), number.view()) << digits;
    }
}

TEST(ClassifySender, AlphaShortAndLong) {
    const struct {
        uint8_t ton;
        const char* text;
        SenderKind want;
    } cases[] = {
        {0, "", SenderKind::none},
        {5, "  ", SenderKind::none},
        {5, "ACME", SenderKind::alpha},
        {0, "ACME", SenderKind::alpha},
        {1, "my-shop", SenderKind::alpha},
        {0, "4477-00", SenderKind::alpha},
        {0, "+", SenderKind::alpha},
        {5, "12345", SenderKind::alpha},
        {0, "88000", SenderKind::short_code},
        {3, "12345678", SenderKind::short_code},
        {1, "88000", SenderKind::short_code},
        {1, "1234567", SenderKind::long_number},
        {0, "123456789", SenderKind::long_number},
        {1, "447700900123", SenderKind::long_number},
        {0, "+88000", SenderKind::long_number},
        {0, "0088000", SenderKind::long_number},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(classify_sender({c.ton, 0, c.text}, {}), c.want) << int{c.ton} << ' ' << c.text;
    }
}

TEST(SenderText, MarksAreRemovedFromNumbersOnly) {
    EXPECT_EQ(sender_text("+447700900123"), "447700900123");
    EXPECT_EQ(sender_text("00447700900123"), "447700900123");
    EXPECT_EQ(sender_text(" 88000 "), "88000");
    EXPECT_EQ(sender_text("00Seven"), "00Seven");
    EXPECT_EQ(sender_text("+Plus"), "+Plus");
    EXPECT_EQ(sender_text("My Shop"), "My Shop");
    EXPECT_EQ(sender_text(""), "");
}

Number number_of(std::string_view digits) {
    Number number;
    number.length = static_cast<uint8_t>(digits.size());
    std::copy(digits.begin(), digits.end(), number.digits.begin());
    return number;
}

TEST(WriteNumber, InTheSuppliersForm) {
    const struct {
        const char* prefix;
        const char* want;
    } cases[] = {{"", "447700900123"}, {"+", "+447700900123"}, {"00", "00447700900123"}};
    for (const auto& c : cases) {
        NumberForm form;
        form.ton = 0;
        form.prefix = c.prefix;
        AddressBuffer buffer;
        smpp::Address out;
        ASSERT_TRUE(write_number(number_of("447700900123"), Outcome::e164, form, buffer, out));
        EXPECT_EQ(out.digits, c.want);
        EXPECT_EQ(out.ton, 0);
        EXPECT_EQ(out.npi, 1);
    }
}

TEST(WriteNumber, ShortCodeNeverGoesOutAsInternational) {
    NumberForm form;
    form.prefix = "+";
    AddressBuffer buffer;
    smpp::Address out;
    ASSERT_TRUE(write_number(number_of("88000"), Outcome::short_code, form, buffer, out));
    EXPECT_EQ(out.digits, "88000");
    EXPECT_EQ(out.ton, 3);
    EXPECT_EQ(out.npi, 0);
}

TEST(WriteNumber, RefusesWhatDoesNotFitTheField) {
    NumberForm form;
    form.prefix = "12345";
    AddressBuffer buffer;
    smpp::Address out;
    EXPECT_TRUE(write_number(number_of("123456789012345"), Outcome::e164, form, buffer, out));
    EXPECT_EQ(out.digits.size(), 20u);
    form.prefix = "123456";
    EXPECT_FALSE(write_number(number_of("123456789012345"), Outcome::e164, form, buffer, out));
}

}  // namespace
}  // namespace sy::number
