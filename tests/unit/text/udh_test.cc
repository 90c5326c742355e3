#include "core/text/udh.h"

#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::text {
namespace {

using Bytes = std::vector<uint8_t>;

TEST(Udh, ConcatenationWith8BitReference) {
    const Udh udh = parse_udh(Bytes{0x05, 0x00, 0x03, 0xAB, 0x03, 0x02, 'h', 'i'});
    EXPECT_EQ(udh.octet_count, 6);
    EXPECT_FALSE(udh.malformed);
    EXPECT_EQ(udh.concat, (Concat{.ref = 0xAB, .total = 3, .seq = 2, .ref_is_16bit = false}));
}

TEST(Udh, ConcatenationWith16BitReference) {
    const Udh udh = parse_udh(Bytes{0x06, 0x08, 0x04, 0x12, 0x34, 0x02, 0x01, 'h'});
    EXPECT_EQ(udh.octet_count, 7);
    EXPECT_EQ(udh.concat, (Concat{.ref = 0x1234, .total = 2, .seq = 1, .ref_is_16bit = true}));
}

TEST(Udh, SenselessConcatenationIsIgnored) {
    for (const Bytes& counts : {Bytes{0, 0}, Bytes{0, 1}, Bytes{3, 0}, Bytes{3, 4}}) {
        const Udh udh = parse_udh(Bytes{0x05, 0x00, 0x03, 0x01, counts[0], counts[1]});
        EXPECT_FALSE(udh.concat.has_value()) << int{counts[0]} << ' ' << int{counts[1]};
        EXPECT_FALSE(udh.malformed);
        EXPECT_EQ(udh.octet_count, 6);
    }
}

TEST(Udh, PortsAndLanguagesBesideUnknownElements) {
    const Udh udh = parse_udh(Bytes{0x11, 0x05, 0x04, 0x0B, 0x84, 0x23, 0xF0, 0x24, 0x01, 0x02,
                                    0x6F, 0x00, 0x25, 0x01, 0x03, 0x0A, 0x01, 0xFF});
    EXPECT_FALSE(udh.malformed);
    EXPECT_EQ(udh.ports, (Ports{.destination = 2948, .source = 9200}));
    EXPECT_EQ(udh.single_shift_language, 2);
    EXPECT_EQ(udh.locking_language, 3);
    EXPECT_FALSE(udh.sim_toolkit);
}

TEST(Udh, PortsOf8Bits) {
    EXPECT_EQ(parse_udh(Bytes{0x04, 0x04, 0x02, 0xF5, 0xF6}).ports,
              (Ports{.destination = 0xF5, .source = 0xF6}));
}

TEST(Udh, LastDuplicateWinsAcrossWidths) {
    const Udh udh =
        parse_udh(Bytes{0x0B, 0x00, 0x03, 0x01, 0x02, 0x01, 0x08, 0x04, 0x00, 0x09, 0x03, 0x03});
    EXPECT_EQ(udh.concat, (Concat{.ref = 9, .total = 3, .seq = 3, .ref_is_16bit = true}));
}

TEST(Udh, ElementOfWrongLengthIsPassedOver) {
    const Udh udh = parse_udh(Bytes{0x08, 0x00, 0x02, 0x01, 0x02, 0x24, 0x02, 0x01, 0x01});
    EXPECT_FALSE(udh.concat.has_value());
    EXPECT_EQ(udh.single_shift_language, 0);
    EXPECT_FALSE(udh.malformed);
}

TEST(Udh, SimToolkitElementIsSeen) {
    EXPECT_TRUE(parse_udh(Bytes{0x02, 0x70, 0x00}).sim_toolkit);
    EXPECT_TRUE(parse_udh(Bytes{0x02, 0x7F, 0x00}).sim_toolkit);
    EXPECT_FALSE(parse_udh(Bytes{0x02, 0x6F, 0x00}).sim_toolkit);
    EXPECT_FALSE(parse_udh(Bytes{0x02, 0x80, 0x00}).sim_toolkit);
}

TEST(Udh, HeaderLongerThanTheMessageIsNone) {
    for (const Bytes& message : {Bytes{}, Bytes{0x05}, Bytes{0x05, 0x00, 0x03, 0x01, 0x02}}) {
        const Udh udh = parse_udh(message);
        EXPECT_TRUE(udh.malformed);
        EXPECT_EQ(udh.octet_count, 0);
        EXPECT_FALSE(udh.concat.has_value());
    }
}

TEST(Udh, ElementBeyondTheHeaderIsMalformedButTheHeaderIsSkipped) {
    const Udh udh = parse_udh(Bytes{0x03, 0x00, 0x03, 0x01, 0x02, 0x01});
    EXPECT_TRUE(udh.malformed);
    EXPECT_EQ(udh.octet_count, 4);
    EXPECT_FALSE(udh.concat.has_value());
}

TEST(Udh, EmptyHeaderIsOneOctet) {
    const Udh udh = parse_udh(Bytes{0x00, 'x'});
    EXPECT_EQ(udh.octet_count, 1);
    EXPECT_FALSE(udh.malformed);
}

TEST(MessageText, ShortMessageWithoutUdhi) {
    const Bytes body{0x05, 0x00, 0x03, 0x01, 0x02, 0x01};
    smpp::Sm sm;
    sm.short_message = body;
    const MessageText text = message_text(sm);
    EXPECT_EQ(text.text.size(), body.size());
    EXPECT_EQ(text.udh.octet_count, 0);
    EXPECT_FALSE(concat_of(sm, text.udh).has_value());
}

TEST(MessageText, UdhIsCutOffShortMessageAndPayloadAlike) {
    const Bytes body{0x05, 0x00, 0x03, 0x07, 0x02, 0x01, 'h', 'i'};
    smpp::Sm sm;
    sm.esm_class = 0x43;
    sm.short_message = body;
    EXPECT_EQ(as_chars(message_text(sm).text), "hi");

    Bytes tlvs{0x14, 0x00, 0x00, 0x01, 0x00, 0x04, 0x24, 0x00, 0x08};
    tlvs.insert(tlvs.end(), body.begin(), body.end());
    sm.short_message = {};
    sm.tlvs = tlvs;
    const MessageText text = message_text(sm);
    EXPECT_EQ(text.octets.size(), body.size());
    EXPECT_EQ(as_chars(text.text), "hi");
    EXPECT_EQ(concat_of(sm, text.udh), (Concat{.ref = 7, .total = 2, .seq = 1}));
}

TEST(MessageText, ShortMessageIsPreferredToPayload) {
    const Bytes body{'a'};
    const Bytes tlvs{0x04, 0x24, 0x00, 0x01, 'b'};
    smpp::Sm sm;
    sm.short_message = body;
    sm.tlvs = tlvs;
    EXPECT_EQ(as_chars(message_text(sm).text), "a");
}

TEST(MessageText, NoTextAtAll) {
    smpp::Sm sm;
    sm.esm_class = 0x40;
    const MessageText text = message_text(sm);
    EXPECT_TRUE(text.text.empty());
    EXPECT_TRUE(text.udh.malformed);
}

TEST(Concat, SarTlvsWhereAllThreeAreThere) {
    const Bytes ref{0x02, 0x0C, 0x00, 0x02, 0x12, 0x34};
    const Bytes total{0x02, 0x0E, 0x00, 0x01, 0x03};
    const Bytes seq{0x02, 0x0F, 0x00, 0x01, 0x02};
    const auto concat = [](std::initializer_list<Bytes> parts) {
        Bytes tlvs;
        for (const Bytes& part : parts) {
            tlvs.insert(tlvs.end(), part.begin(), part.end());
        }
        smpp::Sm sm;
        sm.tlvs = tlvs;
        return concat_of(sm, message_text(sm).udh);
    };
    const Concat want{.ref = 0x1234, .total = 3, .seq = 2, .ref_is_16bit = true};
    EXPECT_EQ(concat({ref, total, seq}), want);
    EXPECT_EQ(concat({seq, {0x14, 0x00, 0x00, 0x00}, ref, total}), want);
    EXPECT_FALSE(concat({ref, total}).has_value());
    EXPECT_FALSE(concat({ref, seq}).has_value());
    EXPECT_FALSE(concat({total, seq}).has_value());
    EXPECT_FALSE(concat({ref, total, {0x02, 0x0F, 0x00, 0x01, 0x04}}).has_value());
    EXPECT_FALSE(concat({ref, total, {0x02, 0x0F, 0x00, 0x01, 0x00}}).has_value());
    EXPECT_FALSE(concat({{0x02, 0x0C, 0x00, 0x01, 0x12}, total, seq}).has_value());
    EXPECT_FALSE(concat({ref, total, {0x02, 0x0F, 0x00, 0x02, 0x02}}).has_value());
}

TEST(Concat, UdhIsPreferredToSar) {
    const Bytes body{0x05, 0x00, 0x03, 0x07, 0x02, 0x01};
    const Bytes tlvs{0x02, 0x0C, 0x00, 0x02, 0x12, 0x34, 0x02, 0x0E,
                     0x00, 0x01, 0x03, 0x02, 0x0F, 0x00, 0x01, 0x02};
    smpp::Sm sm;
    sm.esm_class = 0x40;
    sm.short_message = body;
    sm.tlvs = tlvs;
    EXPECT_EQ(concat_of(sm, message_text(sm).udh)->ref, 7);
}

// Random octets: nothing is read outside (the sanitizer builds say so), the text is what follows
// the header, and a part number is within its total.
TEST(MessageText, HoldsItsPromisesOnRandomOctets) {
    Prng prng(7);
    for (int round = 0; round < 50'000; ++round) {
        Bytes body(prng.below(24));
        Bytes tlvs(prng.below(24));
        for (uint8_t& octet : body) {
            octet = static_cast<uint8_t>(prng.below(prng.chance(1, 2) ? 8 : 256));
        }
        for (uint8_t& octet : tlvs) {
            octet = static_cast<uint8_t>(prng.below(prng.chance(1, 2) ? 8 : 256));
        }
        smpp::Sm sm;
        sm.esm_class = 0x40;
        sm.short_message = body;
        sm.tlvs = tlvs;
        const MessageText text = message_text(sm);
        ASSERT_EQ(text.udh.octet_count + text.text.size(), text.octets.size());
        if (const auto concat = concat_of(sm, text.udh)) {
            ASSERT_GE(concat->seq, 1);
            ASSERT_LE(concat->seq, concat->total);
        }
    }
}

}  // namespace
}  // namespace sy::text
