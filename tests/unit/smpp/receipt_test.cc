#include "core/smpp/receipt.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "core/smpp/time_format.h"
#include "tests/unit/smpp/wire.h"

namespace sy::smpp {
namespace {

constexpr const char* appendix_b =
    "id:0123456789 sub:001 dlvrd:001 submit date:2601311200 done date:2601311201 "
    "stat:DELIVRD err:000 text:Hello, this is the t";

// 2026-01-31 12:00:00 UTC.
constexpr Nanos noon_ns = Nanos{1'769'860'800} * second_ns;

Sm with_text(std::string_view text, uint8_t esm_class = esm_class_delivery_receipt) {
    Sm sm;
    sm.esm_class = esm_class;
    sm.short_message = as_octets(text);
    return sm;
}

TEST(IsReceipt, ByTypeBitsWhateverTheOtherBits) {
    EXPECT_TRUE(is_receipt(with_text("", 0x04), false));
    EXPECT_TRUE(is_receipt(with_text("", 0x44), false));
    EXPECT_TRUE(is_receipt(with_text("", 0x07), false));
    EXPECT_TRUE(is_receipt(with_text("", 0x20), false));
    EXPECT_FALSE(is_receipt(with_text("", 0x00), false));
    EXPECT_FALSE(is_receipt(with_text("", 0x08), false));  // the handset's own acknowledgement
    EXPECT_FALSE(is_receipt(with_text("", 0x40), false));
}

TEST(IsReceipt, ByTlvsWhenBothAreThere) {
    const Wire both = Wire().tlv(0x001E, "1").tlv(0x0427, "\x02");
    const Wire one = Wire().tlv(0x001E, "1");
    Sm sm;
    sm.tlvs = both;
    EXPECT_TRUE(is_receipt(sm, false));
    sm.tlvs = one;
    EXPECT_FALSE(is_receipt(sm, false));
}

TEST(IsReceipt, ByTextOnlyWhenAllowed) {
    EXPECT_FALSE(is_receipt(with_text(appendix_b, 0), false));
    EXPECT_TRUE(is_receipt(with_text(appendix_b, 0), true));
    EXPECT_TRUE(is_receipt(with_text("ID: 1 Stat:X", 0), true));
    EXPECT_FALSE(is_receipt(with_text("id:1 text:stat:DELIVRD", 0), true));
    EXPECT_FALSE(is_receipt(with_text("id:1", 0), true));
    EXPECT_FALSE(is_receipt(with_text("my id:1 stat:DELIVRD", 0), true));
    EXPECT_FALSE(is_receipt(with_text("", 0), true));
}

TEST(ParseReceipt, ReadsEveryKeyOfAppendixB) {
    Receipt receipt;
    ASSERT_TRUE(parse_receipt(with_text(appendix_b), receipt));
    EXPECT_EQ(receipt.message_id, "0123456789");
    EXPECT_EQ(receipt.sub, 1);
    EXPECT_EQ(receipt.dlvrd, 1);
    EXPECT_EQ(receipt.submit_date_ns, noon_ns);
    EXPECT_EQ(receipt.done_date_ns, noon_ns + 60 * second_ns);
    EXPECT_EQ(receipt.state, MessageState::delivered);
    EXPECT_TRUE(receipt.state_known);
    EXPECT_FALSE(receipt.intermediate);
    EXPECT_EQ(receipt.stat, "DELIVRD");
    EXPECT_EQ(receipt.err, "000");
    EXPECT_EQ(receipt.error, 0u);
    EXPECT_EQ(receipt.text, "Hello, this is the t");
}

// PROTOCOL 15.4 rule 3 and the formats seen in the field.
struct TextCase {
    const char* name;
    std::string text;
    std::string id;
    MessageState state;
    uint32_t error;
    std::string quoted;
};

TEST(ParseReceipt, ReadsTheFormsThatSuppliersSend) {
    using enum MessageState;
    const TextCase cases[] = {
        {"any order", "stat:EXPIRED err:045 id:77", "77", expired, 45, ""},
        {"any case", "Id:AbC STAT:delivrd Err:1 Text:hi", "AbC", delivered, 1, "hi"},
        {"keys missing", "id:5 stat:UNDELIV", "5", undeliverable, 0, ""},
        {"spaces behind the colon", "id: 5 stat: REJECTD err: 012", "5", rejected, 12, ""},
        {"dates without space", "id:5 submitdate:2601311200 donedate:2601311201 stat:DELIVRD", "5",
         delivered, 0, ""},
        {"dates of zeros", "id:5 submit date:0000000000 done date:0000000000 stat:DELIVRD", "5",
         delivered, 0, ""},
        {"dates with seconds",
         "id:5 submit date:260131120000 done date:20260131120000 stat:DELETED", "5", deleted, 0,
         ""},
        {"uuid", "id:0f8fad5b-d9cb-469f-a165-70867728950e stat:ACCEPTD",
         "0f8fad5b-d9cb-469f-a165-70867728950e", accepted, 0, ""},
        {"no value", "id:5 err: stat:DELIVRD text:", "5", delivered, 0, ""},
        {"err of letters", "id:5 stat:UNDELIV err:A1F", "5", undeliverable, 0, ""},
        {"FAILED has six letters", "id:5 stat:FAILED err:1", "5", undeliverable, 1, ""},
        {"in full", "id:5 stat:DELIVERED", "5", delivered, 0, ""},
        {"buffered", "id:5 stat:BUFFRED", "5", enroute, 0, ""},
        {"commas", "id:5,sub:001,stat:DELIVRD,err:002", "5", delivered, 2, ""},
        {"keys unknown", "id:5 foo:bar network:24405 stat:DELIVRD", "5", delivered, 0, ""},
        {"text with keys in it", "id:5 stat:DELIVRD text:id:6 stat:EXPIRED", "5", delivered, 0,
         "id:6 stat:EXPIRED"},
        {"first id counts", "id:5 id:6 stat:DELIVRD", "5", delivered, 0, ""},
        {"64 characters", "id:" + std::string(64, 'a') + " stat:DELIVRD", std::string(64, 'a'),
         delivered, 0, ""},
    };
    for (const TextCase& c : cases) {
        Receipt receipt;
        EXPECT_TRUE(parse_receipt(with_text(c.text), receipt)) << c.name;
        EXPECT_EQ(receipt.message_id, c.id) << c.name;
        EXPECT_EQ(receipt.state, c.state) << c.name;
        EXPECT_TRUE(receipt.state_known) << c.name;
        EXPECT_EQ(receipt.error, c.error) << c.name;
        EXPECT_EQ(receipt.text, c.quoted) << c.name;
    }
}

TEST(ParseReceipt, UnknownWordIsEnrouteAndAbsentWordUnknown) {
    Receipt receipt;
    ASSERT_TRUE(parse_receipt(with_text("id:5 stat:STRANGE"), receipt));
    EXPECT_EQ(receipt.state, MessageState::enroute);
    EXPECT_FALSE(receipt.state_known);
    EXPECT_TRUE(receipt.intermediate);
    EXPECT_EQ(receipt.stat, "STRANGE");
    ASSERT_TRUE(parse_receipt(with_text("id:5"), receipt));
    EXPECT_EQ(receipt.state, MessageState::unknown);
    EXPECT_FALSE(receipt.state_known);
}

TEST(ParseReceipt, NoIdIsNoReceiptToMatch) {
    Receipt receipt;
    EXPECT_FALSE(parse_receipt(with_text("stat:DELIVRD"), receipt));
    EXPECT_FALSE(parse_receipt(with_text(""), receipt));
    EXPECT_FALSE(parse_receipt(with_text("id:" + std::string(65, 'a') + " stat:DELIVRD"), receipt));
}

TEST(ParseReceipt, TlvsWinOverText) {
    const Wire tlvs = Wire()
                          .tlv(0x001E, std::string_view("tlv-id\0", 7))
                          .tlv(0x0427, "\x05")
                          .tlv(0x0423, std::string_view("\x03\x00\x1B", 3))
                          .tlv(0x0204, "\x09");
    Sm sm = with_text("id:text-id stat:DELIVRD err:007");
    sm.tlvs = tlvs;
    Receipt receipt;
    ASSERT_TRUE(parse_receipt(sm, receipt));
    EXPECT_EQ(receipt.message_id, "tlv-id");
    EXPECT_EQ(receipt.text_message_id, "text-id");
    EXPECT_EQ(receipt.state, MessageState::undeliverable);
    EXPECT_EQ(receipt.error, 0x1Bu);
    EXPECT_EQ(receipt.err, "007");
    EXPECT_EQ(receipt.user_message_reference, 9);
    EXPECT_EQ(receipt.network_error_code, (NetworkErrorCode{3, 0x1B}));
}

TEST(ParseReceipt, TextFillsWhatTlvsLeaveOut) {
    const Wire id_only = Wire().tlv(0x001E, "77");  // without NUL
    Sm sm = with_text("id:88 stat:EXPIRED");
    sm.tlvs = id_only;
    Receipt receipt;
    ASSERT_TRUE(parse_receipt(sm, receipt));
    EXPECT_EQ(receipt.message_id, "77");
    EXPECT_EQ(receipt.state, MessageState::expired);
    const Wire bad_state = Wire().tlv(0x0427, "\x63").tlv(0x001E, "");
    sm.tlvs = bad_state;
    ASSERT_TRUE(parse_receipt(sm, receipt));
    EXPECT_EQ(receipt.message_id, "88");
    EXPECT_EQ(receipt.state, MessageState::expired);
}

TEST(ParseReceipt, ReadsTextFromPayloadAndBehindAUdh) {
    const Wire payload = Wire().tlv(0x0424, "id:9 stat:DELIVRD");
    Sm sm;
    sm.esm_class = esm_class_delivery_receipt;
    sm.tlvs = payload;
    Receipt receipt;
    ASSERT_TRUE(parse_receipt(sm, receipt));
    EXPECT_EQ(receipt.message_id, "9");
    const std::string udh_text = std::string("\x05\x00\x03\x01\x01\x01", 6) + "id:8 stat:DELIVRD";
    ASSERT_TRUE(parse_receipt(with_text(udh_text, 0x44), receipt));
    EXPECT_EQ(receipt.message_id, "8");
}

TEST(ParseReceipt, IntermediateByTypeOrState) {
    Receipt receipt;
    ASSERT_TRUE(parse_receipt(with_text("id:5 stat:DELIVRD", esm_class_intermediate), receipt));
    EXPECT_TRUE(receipt.intermediate);
    ASSERT_TRUE(parse_receipt(with_text("id:5 stat:ENROUTE"), receipt));
    EXPECT_TRUE(receipt.intermediate);
}

TEST(FormatReceipt, WritesEveryKeyOfAppendixB) {
    ReceiptText text;
    text.message_id = "0123456789";
    text.state = MessageState::delivered;
    text.submitted_wall_ns = noon_ns;
    text.done_wall_ns = noon_ns + 60 * second_ns;
    text.text = as_octets("Hello, this is the text");
    std::array<uint8_t, receipt_text_octets_max> out{};
    EXPECT_EQ(as_chars(format_receipt_text(text, out)), appendix_b);
}

TEST(FormatReceipt, IsReadBackInEveryState) {
    for (uint8_t state = 0; state <= 9; ++state) {
        const std::string id(64, 'f');
        ReceiptText text;
        text.message_id = id;
        text.state = static_cast<MessageState>(state);
        text.error = 34;
        text.submitted_wall_ns = noon_ns;
        text.done_wall_ns = noon_ns;
        text.text = as_octets("\x01\xFFmore than twenty characters");
        text.user_message_reference = 0x0102;
        std::array<uint8_t, receipt_text_octets_max> out{};
        std::array<uint8_t, receipt_tlvs_octets_max> tlvs{};
        for (const bool with_tlvs : {false, true}) {
            Sm sm;
            sm.short_message = format_receipt_text(text, out);
            ASSERT_FALSE(sm.short_message.empty());
            sm.tlvs = with_tlvs ? format_receipt_tlvs(text, tlvs) : Octets{};
            ASSERT_EQ(sm.tlvs.empty(), !with_tlvs);
            Receipt receipt;
            ASSERT_TRUE(parse_receipt(sm, receipt));
            EXPECT_EQ(receipt.message_id, id);
            EXPECT_EQ(receipt.text_message_id, id);
            EXPECT_EQ(receipt.state, text.state);
            EXPECT_EQ(receipt.error, 34u);
            EXPECT_EQ(receipt.submit_date_ns, noon_ns);
            EXPECT_EQ(receipt.text, "??more than twenty c");
            EXPECT_EQ(receipt.user_message_reference.has_value(), with_tlvs);
        }
    }
}

TEST(FormatReceipt, TlvsCarryTheErrorOfFailures) {
    std::array<uint8_t, receipt_tlvs_octets_max> out{};
    ReceiptText text;
    text.message_id = "1";
    text.state = MessageState::undeliverable;
    text.network_error_code = NetworkErrorCode{1, 0x1234};
    Octets value;
    ASSERT_TRUE(find_tlv(format_receipt_tlvs(text, out), TlvTag::network_error_code, value));
    EXPECT_EQ(as_chars(value), "\x01\x12\x34");
    text.network_error_code.reset();
    EXPECT_FALSE(find_tlv(format_receipt_tlvs(text, out), TlvTag::network_error_code, value));
    ASSERT_TRUE(find_tlv(format_receipt_tlvs(text, out), TlvTag::receipted_message_id, value));
    EXPECT_EQ(as_chars(value), std::string_view("1\0", 2));
}

TEST(FormatReceipt, WritesNothingThatDoesNotFit) {
    ReceiptText text;
    text.message_id = "0123456789";
    std::array<uint8_t, 40> small{};
    EXPECT_TRUE(format_receipt_text(text, small).empty());
    EXPECT_TRUE(format_receipt_tlvs(text, std::span(small).first(10)).empty());
}

TEST(StatWords, AreEachOthersInverse) {
    for (uint8_t state = 0; state <= 9; ++state) {
        const std::string_view word = stat_word(static_cast<MessageState>(state));
        EXPECT_EQ(word.size(), 7u);
        EXPECT_EQ(parse_stat_word(word), static_cast<MessageState>(state)) << word;
    }
    EXPECT_EQ(parse_stat_word(""), std::nullopt);
    EXPECT_EQ(parse_stat_word("DELIVR"), std::nullopt);
}

}  // namespace
}  // namespace sy::smpp
