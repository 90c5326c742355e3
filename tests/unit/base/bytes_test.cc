#include "core/base/bytes.h"

#include <array>

#include <gtest/gtest.h>

namespace sy {
namespace {

TEST(Bytes, StoreThenLoadIsTheSameInNetworkOrder) {
    std::array<uint8_t, 8> buffer{};
    store_be(buffer.data(), uint32_t{0x01020304});
    EXPECT_EQ(buffer[0], 1);
    EXPECT_EQ(buffer[3], 4);
    EXPECT_EQ(load_be<uint32_t>(buffer.data()), 0x01020304u);
    store_be(buffer.data(), uint64_t{0x0102030405060708});
    EXPECT_EQ(load_be<uint64_t>(buffer.data()), 0x0102030405060708u);
    EXPECT_EQ(load_be<uint16_t>(buffer.data() + 2), 0x0304);
}

TEST(ByteWriter, WritesInOrder) {
    std::array<uint8_t, 12> buffer{};
    ByteWriter writer(buffer);
    writer.integer(uint8_t{7});
    writer.c_string("ab");
    writer.tlv(0x0204, as_octets("xy"));
    EXPECT_FALSE(writer.overflow());
    EXPECT_EQ(writer.written(), 10u);
    EXPECT_EQ(as_chars({buffer.data(), 10}), std::string_view("\7ab\0\2\4\0\2xy", 10));
}

TEST(ByteWriter, PastTheEndWritesNothingAndSaysSo) {
    std::array<uint8_t, 3> buffer{9, 9, 9};
    ByteWriter writer({buffer.data(), 2});
    writer.integer(uint32_t{1});
    EXPECT_TRUE(writer.overflow());
    EXPECT_EQ(writer.written(), 0u);
    EXPECT_EQ(buffer, (std::array<uint8_t, 3>{9, 9, 9}));
}

}  // namespace
}  // namespace sy
