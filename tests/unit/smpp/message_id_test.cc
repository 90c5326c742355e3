#include <algorithm>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "core/smpp/receipt.h"

namespace sy::smpp {
namespace {

using enum IdConversion;

std::string normal(std::string_view id, IdConversion conversion = none) {
    NormalisedId out;
    normalise_message_id(id, conversion, out);
    return std::string(out.view());
}

TEST(MessageId, NumbersLoseZerosAndCase) {
    EXPECT_EQ(normal("0221067780"), "221067780");
    EXPECT_EQ(normal("0e999f21"), normal("E999F21"));
    EXPECT_EQ(normal("0"), "0");
    EXPECT_EQ(normal("0000"), "0");
    EXPECT_EQ(normal(" 42 "), "42");
}

TEST(MessageId, OtherIdsOnlyLoseCase) {
    EXPECT_EQ(normal("SAR-00Xy_1"), "sar-00xy_1");
    EXPECT_EQ(normal("00-1"), "00-1");
    EXPECT_EQ(normal("0F8FAD5B-D9CB-469F-A165-70867728950E", hex_to_decimal),
              "0f8fad5b-d9cb-469f-a165-70867728950e");
    EXPECT_EQ(normal("abc", decimal_to_hex), "abc");  // no decimal number
}

TEST(MessageId, ConvertsBetweenHexAndDecimal) {
    EXPECT_EQ(normal("0A000000A3D323A1", hex_to_decimal), "720575943127802785");
    EXPECT_EQ(normal("00720575943127802785", decimal_to_hex), "a000000a3d323a1");
    EXPECT_EQ(normal("0", hex_to_decimal), "0");
    EXPECT_EQ(normal("00", decimal_to_hex), "0");
    EXPECT_EQ(normal("ffffffffffffffff", hex_to_decimal), "18446744073709551615");
}

TEST(MessageId, ConvertsBeyond64Bits) {
    EXPECT_EQ(normal("10000000000000000", hex_to_decimal), "18446744073709551616");
    EXPECT_EQ(normal("18446744073709551616", decimal_to_hex), "10000000000000000");
    // 2^256 - 1, the largest that 64 digits hold.
    EXPECT_EQ(normal(std::string(64, 'f'), hex_to_decimal),
              "115792089237316195423570985008687907853269984665640564039457584007913129639935");
    EXPECT_EQ(normal(std::string(64, '9'), decimal_to_hex),
              "184f03e93ff9f4daa797ed6e38ed64bf6a1f00ffffffffffffffff");  // 10^64 - 1
}

TEST(MessageId, RefusesNothingButLength) {
    EXPECT_EQ(normal(std::string(64, 'z')), std::string(64, 'z'));
    EXPECT_EQ(normal(std::string(65, '1')), "");
    EXPECT_EQ(normal(""), "");
    EXPECT_EQ(normal("   "), "");
}

// The model does long division on the decimal string, as on paper.
std::string decimal_of_hex(std::string_view hex) {
    std::string decimal = "0";
    for (const char c : hex) {
        int carry = c <= '9' ? c - '0' : c - 'a' + 10;
        for (auto digit = decimal.rbegin(); digit != decimal.rend(); ++digit) {
            carry += (*digit - '0') * 16;
            *digit = static_cast<char>('0' + carry % 10);
            carry /= 10;
        }
        for (; carry != 0; carry /= 10) {
            decimal.insert(decimal.begin(), static_cast<char>('0' + carry % 10));
        }
    }
    return decimal;
}

TEST(MessageId, AgreesWithPaperArithmeticAndComesBack) {
    Prng prng(7);
    for (int i = 0; i < 3000; ++i) {
        std::string hex(1 + prng.below(64), '0');
        for (char& c : hex) {
            c = "0123456789abcdef"[prng.below(16)];
        }
        const std::string decimal = normal(hex, hex_to_decimal);
        ASSERT_EQ(decimal, decimal_of_hex(hex)) << hex;
        if (decimal.size() <= 64) {
            ASSERT_EQ(normal(decimal, decimal_to_hex), normal(hex));
        }
    }
}

}  // namespace
}  // namespace sy::smpp
