#include "core/smpp/tlv.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/smpp/wire.h"

namespace sy::smpp {
namespace {

using enum TlvTag;

TEST(Tlv, RangeVisitsAllInOrder) {
    const Wire stream = Wire().tlv(0x0204, "ab").tlv(0x130C, "").tlv(0x1400, std::string(300, 'v'));
    std::vector<std::pair<unsigned, size_t>> seen;
    for (const Tlv& tlv : TlvRange(stream)) {
        seen.emplace_back(static_cast<unsigned>(tlv.tag), tlv.value.size());
    }
    EXPECT_EQ(seen,
              (std::vector<std::pair<unsigned, size_t>>{{0x0204, 2}, {0x130C, 0}, {0x1400, 300}}));
    for ([[maybe_unused]] const Tlv& tlv : TlvRange({})) {
        FAIL();
    }
}

TEST(Tlv, FindTakesTheFirstOfATag) {
    const Wire stream = Wire().tlv(0x0381, "one").tlv(0x0381, "two");
    Octets value;
    ASSERT_TRUE(find_tlv(stream, callback_num, value));
    EXPECT_EQ(as_chars(value), "one");
    EXPECT_FALSE(find_tlv(stream, message_payload, value));
}

TEST(Tlv, WholeBytesStopsBeforeABrokenOne) {
    const Wire whole = Wire().tlv(1, "a").tlv(2, "b");
    EXPECT_EQ(whole_tlvs_bytes(whole), 10u);
    const Wire cut = Wire().tlv(1, "a").u16(2).u16(2).u8(0);
    EXPECT_EQ(whole_tlvs_bytes(cut), 5u);
    EXPECT_EQ(whole_tlvs_bytes(Wire().u16(1).u8(0)), 0u);
}

TEST(Tlv, IntegersOfAnyWidth) {
    EXPECT_EQ(tlv_integer(as_octets(std::string_view("\x07", 1))), 7u);
    EXPECT_EQ(tlv_integer(as_octets(std::string_view("\x01\x02", 2))), 0x0102u);
    EXPECT_EQ(tlv_integer(as_octets(std::string_view("\xFF\x00\x00\x01", 4))), 0xFF000001u);
    EXPECT_EQ(tlv_integer({}), std::nullopt);
    EXPECT_EQ(tlv_integer(as_octets("12345")), std::nullopt);
}

TEST(Tlv, UserMessageReferenceOfOneOrTwoOctets) {
    uint32_t reference = 0;
    const Wire one = Wire().tlv(0x0204, "\x09");
    const Wire two = Wire().tlv(0x0204, "\x01\x09");
    ASSERT_TRUE(find_integer(one, user_message_reference, reference));
    EXPECT_EQ(reference, 9u);
    ASSERT_TRUE(find_integer(two, user_message_reference, reference));
    EXPECT_EQ(reference, 0x109u);
    EXPECT_FALSE(find_integer(Wire().tlv(0x0204, ""), user_message_reference, reference));
}

TEST(Tlv, CStringsWithAndWithoutNul) {
    EXPECT_EQ(tlv_c_string(as_octets(std::string_view("abc\0", 4))), "abc");
    EXPECT_EQ(tlv_c_string(as_octets(std::string_view("abc\0\0\0", 6))), "abc");
    EXPECT_EQ(tlv_c_string(as_octets("abc")), "abc");
    EXPECT_EQ(tlv_c_string({}), "");
}

TEST(Tlv, NetworkErrorCodeAndItsOddForms) {
    const auto read = [](std::string_view value) {
        return read_network_error_code(as_octets(value));
    };
    EXPECT_EQ(read(std::string_view("\x03\x00\x22", 3)), (NetworkErrorCode{3, 0x22}));
    EXPECT_EQ(read("045"), (NetworkErrorCode{0, 45}));
    EXPECT_EQ(read(std::string_view("045\0", 4)), (NetworkErrorCode{0, 45}));
    EXPECT_EQ(read(std::string_view("\x00\x00\x00\x22", 4)), (NetworkErrorCode{0, 0x22}));
    EXPECT_EQ(read(std::string_view("\x03\x00\x22\x00", 4)), (NetworkErrorCode{3, 0x22}));
    EXPECT_EQ(read("12"), std::nullopt);
    EXPECT_EQ(read("12345"), std::nullopt);
}

TEST(Tlv, RulesKnowNamesAndLengths) {
    const TlvRule* rule = tlv_rule(receipted_message_id);
    ASSERT_NE(rule, nullptr);
    EXPECT_EQ(rule->name, "receipted_message_id");
    EXPECT_EQ(rule->octets_max, 65);
    EXPECT_EQ(tlv_rule(alert_on_message_delivery)->octets_min, 0);
    EXPECT_EQ(tlv_rule(static_cast<TlvTag>(0x1400)), nullptr);
    EXPECT_EQ(tlv_rule(static_cast<TlvTag>(0xFFFF)), nullptr);
    EXPECT_EQ(tlv_rule(static_cast<TlvTag>(0)), nullptr);
}

}  // namespace
}  // namespace sy::smpp
