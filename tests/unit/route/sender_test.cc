// What a sender is, and how it gets in front of the expressions.
#include <string>

#include <gtest/gtest.h>

#include "core/route/message_scan.h"
#include "core/route/mt_impl.h"

namespace sy::route {
namespace {

// The digits are looked at several at a time: every length, every place, both neighbours of the
// digits and what has the top bit set.
TEST(SenderTypeOf, OneCharacterThatIsNoDigitMakesItAlphaWhereverItStands) {
    for (size_t size = 1; size <= 24; ++size) {
        const std::string digits = std::string("905172836490517283649051").substr(0, size);
        EXPECT_EQ(sender_type_of(digits, 0),
                  size <= 8 ? SenderType::short_code : SenderType::long_number);
        for (size_t place = 0; place < size; ++place) {
            for (const char other : {'/', ':', 'A', '\xB0', '\xFF', '\0'}) {
                std::string sender = digits;
                sender[place] = other;
                EXPECT_EQ(sender_type_of(sender, 0), SenderType::alpha) << sender;
            }
        }
    }
}

TEST(SenderType, FollowsDigitsAndTypeOfNumber) {
    EXPECT_EQ(sender_type_of("", 0), SenderType::any);
    EXPECT_EQ(sender_type_of("ACME", 0), SenderType::alpha);
    EXPECT_EQ(sender_type_of("ACME", 1), SenderType::alpha);
    EXPECT_EQ(sender_type_of("12-34", 0), SenderType::alpha);
    EXPECT_EQ(sender_type_of("12345", 5), SenderType::alpha);
    EXPECT_EQ(sender_type_of("12345", 0), SenderType::short_code);
    EXPECT_EQ(sender_type_of("12345678", 3), SenderType::short_code);
    EXPECT_EQ(sender_type_of("12345", 1), SenderType::short_code);
    EXPECT_EQ(sender_type_of("2901234", 1), SenderType::long_number);
    EXPECT_EQ(sender_type_of("123456789", 0), SenderType::long_number);
    EXPECT_EQ(sender_type_of("447700900123", 1), SenderType::long_number);
}

TEST(SenderUtf8, KeepsUtf8AndReadsTheRestAsLatin1) {
    std::array<char, sender_utf8_bytes_max> buffer;
    EXPECT_EQ(sender_utf8("ACME", buffer), "ACME");
    EXPECT_EQ(sender_utf8("Caf\xC3\xA9", buffer), "Caf\xC3\xA9");
    EXPECT_EQ(sender_utf8("\xE2\x82\xAC\xF0\x9F\x98\x80", buffer), "\xE2\x82\xAC\xF0\x9F\x98\x80");
    EXPECT_EQ(sender_utf8("Caf\xE9", buffer), "Caf\xC3\xA9");
    // Not well-formed: overlong, a surrogate, beyond U+10FFFF, cut short.
    for (const char* bad : {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                            "\xE2\x82", "\x80", "\xF0\x8F\x80\x80"}) {
        EXPECT_NE(sender_utf8(bad, buffer).data(), bad);
        EXPECT_EQ(sender_utf8(bad, buffer).size(), 2 * std::string_view(bad).size());
    }
    const std::string longest(300, '\xE9');
    EXPECT_EQ(sender_utf8(longest, buffer).size(), buffer.size());
}

}  // namespace
}  // namespace sy::route
