#include "core/smpp/framer.h"

#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/smpp/wire.h"

namespace sy::smpp {
namespace {

TEST(Framer, CutsCoalescedPdusAndLeavesTheRest) {
    const Wire stream = Wire()
                            .u32(16)
                            .u32(0x15)
                            .u32(0)
                            .u32(1)
                            .u32(18)
                            .u32(0x4)
                            .u32(5)
                            .u32(2)
                            .text("xy")
                            .u32(16)
                            .u32(0x15);
    Octets rest = stream;
    Frame frame;
    ASSERT_EQ(next_frame(rest, 1024, frame), FrameOutcome::complete);
    EXPECT_EQ(frame.header.command_id, CommandId::enquire_link);
    EXPECT_TRUE(frame.body.empty());
    ASSERT_EQ(next_frame(rest, 1024, frame), FrameOutcome::complete);
    EXPECT_EQ(frame.header.command_status, 5u);
    EXPECT_EQ(frame.header.sequence_number, 2u);
    EXPECT_EQ(as_chars(frame.body), "xy");
    EXPECT_EQ(next_frame(rest, 1024, frame), FrameOutcome::need_more);
    EXPECT_EQ(rest.size(), 8u);
}

TEST(Framer, NeedsMoreAtEveryCutOfAPdu) {
    const std::vector<uint8_t> pdu = Wire().u32(20).u32(0x4).u32(0).u32(9).text("body").octets();
    for (size_t length = 0; length < pdu.size(); ++length) {
        const std::vector<uint8_t> part(pdu.begin(),
                                        pdu.begin() + static_cast<std::ptrdiff_t>(length));
        Octets rest = part;
        Frame frame;
        EXPECT_EQ(next_frame(rest, 1024, frame), FrameOutcome::need_more) << length;
        EXPECT_EQ(rest.size(), length);
    }
}

TEST(Framer, AllowsExactlyTheMaximum) {
    Wire stream;
    stream.u32(32).u32(0x4).u32(0).u32(9).text("0123456789abcdef");
    Octets rest = stream;
    Frame frame;
    EXPECT_EQ(next_frame(rest, 31, frame), FrameOutcome::too_long);
    EXPECT_EQ(next_frame(rest, 32, frame), FrameOutcome::complete);
}

}  // namespace
}  // namespace sy::smpp
