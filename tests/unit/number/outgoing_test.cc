// The two addresses of a message in a supplier's form: formats, rewrites, replaced senders.
#include "core/number/outgoing.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace sy::number {
namespace {

Number number_of(std::string_view digits) {
    Number number;
    number.length = static_cast<uint8_t>(digits.size());
    std::ranges::copy(digits, number.digits.begin());
    return number;
}

// "ton/npi digits" of the destination and of a sender 447700900001.
std::string written(std::string_view to, const NumberForm& form, Outcome kind = Outcome::e164) {
    const Number destination = number_of(to);
    const Number source = number_of("447700900001");
    AddressBuffers buffers;
    smpp::Address out;
    smpp::Address sender{1, 1, "447700900001"};
    const Parties parties{destination, kind, source, Outcome::e164};
    switch (write_addresses(parties, form, buffers, out, sender)) {
        case WriteFault::destination:
            return "destination too long";
        case WriteFault::source:
            return "source too long";
        case WriteFault::none:
            break;
    }
    const auto text = [](const smpp::Address& address) {
        return std::to_string(address.ton) + "/" + std::to_string(address.npi) + " " +
               std::string(address.digits);
    };
    return text(out) + ", " + text(sender);
}

TEST(WriteAddresses, InternationalWithAndWithoutAMark) {
    NumberForm form;
    EXPECT_EQ(written("491701234567", form), "1/1 491701234567, 1/1 447700900001");
    form.prefix = "+";
    EXPECT_EQ(written("491701234567", form), "1/1 +491701234567, 1/1 +447700900001");
    form.prefix = "00";
    EXPECT_EQ(written("491701234567", form), "1/1 00491701234567, 1/1 00447700900001");
}

TEST(WriteAddresses, NumbersOfTheCountryInNationalFormTheOthersInternational) {
    NumberForm form;
    form.national_country = "44";
    EXPECT_EQ(written("447700900123", form), "2/1 7700900123, 2/1 7700900001");
    form.trunk_prefix = "0";
    EXPECT_EQ(written("447700900123", form), "2/1 07700900123, 2/1 07700900001");
    EXPECT_EQ(written("491701234567", form), "1/1 491701234567, 2/1 07700900001");
}

TEST(WriteAddresses, TheLongestBeginningOfADestinationIsRewritten) {
    NumberForm form;
    form.rewrites = {{"44770", "99770"}, {"44", ""}, {"", "88"}};
    EXPECT_EQ(written("447700900123", form), "1/1 997700900123, 1/1 447700900001");
    EXPECT_EQ(written("447800900123", form), "1/1 7800900123, 1/1 447700900001");
    EXPECT_EQ(written("491701234567", form), "1/1 88491701234567, 1/1 447700900001");
    form.prefix = "+";
    EXPECT_EQ(written("491701234567", form), "1/1 +88491701234567, 1/1 +447700900001");
}

TEST(WriteAddresses, ShortCodesAreNeitherRewrittenNorMarked) {
    NumberForm form;
    form.prefix = "+";
    form.national_country = std::string(2, '8');
    form.rewrites = {{"", "99"}};
    EXPECT_EQ(written("88000", form, Outcome::short_code), "3/0 88000, 1/1 +447700900001");
}

TEST(WriteAddresses, WhatDoesNotFitIsAFault) {
    NumberForm form;
    form.rewrites = {{"", "12345"}};
    EXPECT_EQ(written("123456789012345", form), "1/1 12345123456789012345, 1/1 447700900001");
    form.rewrites = {{"", "123456"}};
    EXPECT_EQ(written("123456789012345", form), "destination too long");
    form.rewrites.clear();
    form.prefix = "1234567890";
    EXPECT_EQ(written("1234567", form), "source too long");
}

TEST(ParseSender, ByItsKind) {
    const auto kind = [](std::string_view text) {
        const auto sender = parse_sender(text);
        return sender ? std::string(sender->text.view()) + " " +
                            std::to_string(static_cast<int>(sender->kind))
                      : "none";
    };
    EXPECT_EQ(kind("+447700900123"), "447700900123 0");
    EXPECT_EQ(kind("447700900"), "447700900 0");
    EXPECT_EQ(kind("88000"), "88000 1");
    EXPECT_EQ(kind("88000123"), "88000123 1");
    EXPECT_EQ(kind("+8800012"), "8800012 0");
    EXPECT_EQ(kind("My Shop 24"), "My Shop 24 3");
    EXPECT_EQ(kind("ELEVENCHARS"), "ELEVENCHARS 3");
    EXPECT_EQ(kind("TWELVE CHARS"), "none");
    EXPECT_EQ(kind("Caf\303\251"), "none");
    EXPECT_EQ(kind("12"), "none");
    EXPECT_EQ(kind("+123456"), "none");
    EXPECT_EQ(kind("1234567890123456"), "none");
    EXPECT_EQ(kind(""), "none");
}

}  // namespace
}  // namespace sy::number
