#include "core/text/coding.h"

#include <gtest/gtest.h>

namespace sy::text {
namespace {

using enum CharacterSet;

TEST(Coding, ValuesBelow16ReadBySmppTable) {
    const struct {
        uint8_t data_coding;
        CharacterSet want;
    } cases[] = {
        {0x00, gsm7},   {0x01, ascii},      {0x02, binary},     {0x03, latin1},
        {0x04, binary}, {0x05, unreadable}, {0x06, cyrillic},   {0x07, hebrew},
        {0x08, ucs2},   {0x09, unreadable}, {0x0A, unreadable}, {0x0B, gsm7},
        {0x0C, gsm7},   {0x0D, unreadable}, {0x0E, unreadable}, {0x0F, gsm7},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(coding_of(c.data_coding, Alphabet::gsm7), (Coding{.character_set = c.want}))
            << int{c.data_coding};
    }
}

TEST(Coding, ZeroMeansWhatThePeerSays) {
    EXPECT_EQ(coding_of(0, Alphabet::latin1).character_set, latin1);
    EXPECT_EQ(coding_of(0, Alphabet::ascii).character_set, ascii);
    // A setting for the default alphabet only: what names its alphabet keeps it.
    EXPECT_EQ(coding_of(0x01, Alphabet::latin1).character_set, ascii);
    EXPECT_EQ(coding_of(0x10, Alphabet::latin1).character_set, gsm7);
    EXPECT_EQ(coding_of(0xF0, Alphabet::latin1).character_set, gsm7);
}

TEST(Coding, GsmGeneralGroupGivesAlphabetAndClass) {
    EXPECT_EQ(coding_of(0x10, Alphabet::gsm7), (Coding{.character_set = gsm7, .message_class = 0}));
    EXPECT_EQ(coding_of(0x11, Alphabet::gsm7), (Coding{.character_set = gsm7, .message_class = 1}));
    EXPECT_EQ(coding_of(0x17, Alphabet::gsm7),
              (Coding{.character_set = binary, .message_class = 3}));
    EXPECT_EQ(coding_of(0x18, Alphabet::gsm7), (Coding{.character_set = ucs2, .message_class = 0}));
    EXPECT_EQ(coding_of(0x1C, Alphabet::gsm7), (Coding{.character_set = gsm7, .message_class = 0}));
    EXPECT_EQ(coding_of(0x48, Alphabet::gsm7),
              (Coding{.character_set = ucs2, .auto_delete = true}));
}

TEST(Coding, CompressedTextIsUnreadable) {
    EXPECT_EQ(coding_of(0x28, Alphabet::gsm7),
              (Coding{.character_set = unreadable, .compressed = true}));
    EXPECT_EQ(coding_of(0x31, Alphabet::gsm7),
              (Coding{.character_set = unreadable, .message_class = 1, .compressed = true}));
}

TEST(Coding, ReservedGroupsReadAsDefaultAlphabet) {
    for (unsigned value = 0x80; value < 0xC0; ++value) {
        EXPECT_EQ(coding_of(static_cast<uint8_t>(value), Alphabet::gsm7), Coding{}) << value;
    }
}

TEST(Coding, WaitingIndicationGroups) {
    EXPECT_EQ(coding_of(0xC0, Alphabet::gsm7), (Coding{.waiting = MessageWaiting::discard}));
    EXPECT_EQ(
        coding_of(0xC8, Alphabet::gsm7),
        (Coding{.waiting = MessageWaiting::discard, .waiting_active = true, .waiting_type = 0}));
    EXPECT_EQ(
        coding_of(0xD9, Alphabet::gsm7),
        (Coding{.waiting = MessageWaiting::store, .waiting_active = true, .waiting_type = 1}));
    EXPECT_EQ(coding_of(0xEA, Alphabet::gsm7), (Coding{.character_set = ucs2,
                                                       .waiting = MessageWaiting::store,
                                                       .waiting_active = true,
                                                       .waiting_type = 2}));
}

TEST(Coding, ClassGroup) {
    EXPECT_EQ(coding_of(0xF0, Alphabet::gsm7), (Coding{.character_set = gsm7, .message_class = 0}));
    EXPECT_EQ(coding_of(0xF3, Alphabet::gsm7), (Coding{.character_set = gsm7, .message_class = 3}));
    EXPECT_EQ(coding_of(0xF6, Alphabet::gsm7),
              (Coding{.character_set = binary, .message_class = 2}));
}

}  // namespace
}  // namespace sy::text
