// PROTOCOL 9, the rows that belong to framing and decoding: one named case each. The rows about
// meaning are in validate_test.cc, those about states in session_test.cc.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/smpp/decode.h"
#include "core/smpp/framer.h"
#include "tests/unit/smpp/wire.h"

namespace sy::smpp {
namespace {

using enum CommandStatus;

struct BadSm {
    const char* row;
    Wire body;
    CommandStatus status;
    bool ignore_trailing_nuls = true;
};

void PrintTo(const BadSm& c, std::ostream* out) {
    *out << c.row;
}

template <class Change>
Wire spoilt(Change change) {
    SmFields fields;
    change(fields);
    return fields.wire();
}

Wire cut(size_t octets) {
    Wire out;
    const Wire whole = SmFields{}.wire();
    return out.text(as_chars(Octets(whole).first(octets)));
}

std::vector<BadSm> bad_sms() {
    using F = SmFields;
    const std::string payload_cut(
        "\x04\x24\x00\x05"
        "abcd",
        8);
    const std::string one_nul(1, '\0');
    const std::string three_nuls(3, '\0');
    return {
        {"12 body empty", Wire(), esme_rinvcmdlen},
        {"12 body ends in source_addr", cut(8), esme_rinvcmdlen},
        {"12 body ends before sm_length", cut(SmFields{}.wire().size() - 13), esme_rinvcmdlen},
        {"12 no NUL in the whole body", Wire().text("1234"), esme_rinvcmdlen},
        {"13 service_type of 6", spoilt([](F& f) { f.service_type = "TOLONG"; }), esme_rinvsertyp},
        {"14 source_addr of 21", spoilt([](F& f) { f.source = std::string(21, '1'); }),
         esme_rinvsrcadr},
        {"14 source_addr empty is legal", spoilt([](F& f) { f.source = ""; }), esme_rok},
        {"14 source_addr of 20 is legal", spoilt([](F& f) { f.source = std::string(20, '1'); }),
         esme_rok},
        {"15 destination_addr of 30", spoilt([](F& f) { f.destination = std::string(30, '1'); }),
         esme_rinvdstadr},
        {"19 schedule_delivery_time of 3", spoilt([](F& f) { f.schedule = "123"; }),
         esme_rinvsched},
        {"19 schedule_delivery_time of 17", spoilt([](F& f) { f.schedule = std::string(17, '1'); }),
         esme_rinvsched},
        {"20 validity_period of 3", spoilt([](F& f) { f.validity = "123"; }), esme_rinvexpiry},
        {"20 validity_period of 17", spoilt([](F& f) { f.validity = std::string(17, '1'); }),
         esme_rinvexpiry},
        {"25 sm_length 255 with its octets", spoilt([](F& f) { f.text = std::string(255, 'a'); }),
         esme_rok},
        {"26 sm_length beyond the body", spoilt([](F& f) { f.sm_length = 13; }), esme_rinvmsglen},
        {"26 sm_length 255 beyond the body", spoilt([](F& f) { f.sm_length = 255; }),
         esme_rinvmsglen},
        {"29 TLV longer than the body", spoilt([&](F& f) { f.behind = payload_cut; }),
         esme_rinvoptparstream},
        {"29 two octets left", spoilt([](F& f) { f.behind = "ab"; }), esme_rinvoptparstream},
        {"29 sm_length short of the text", spoilt([](F& f) { f.sm_length = 2; }),
         esme_rinvoptparstream},
        {"29 one trailing NUL, lenient", spoilt([&](F& f) { f.behind = one_nul; }), esme_rok},
        {"29 three trailing NULs, lenient", spoilt([&](F& f) { f.behind = three_nuls; }), esme_rok},
        {"29 one trailing NUL, strict", spoilt([&](F& f) { f.behind = one_nul; }),
         esme_rinvoptparstream, false},
        {"43 NUL inside short_message", spoilt([](F& f) { f.text = std::string("a\0b\0", 4); }),
         esme_rok},
    };
}

class BadSmRows : public testing::TestWithParam<BadSm> {};

TEST_P(BadSmRows, GetTheirStatus) {
    const BadSm& c = GetParam();
    DecodeRules rules;
    rules.ignore_trailing_nuls = c.ignore_trailing_nuls;
    const std::vector<uint8_t> exact = c.body.octets();
    Sm sm;
    EXPECT_EQ(decode_sm(exact, rules, sm), c.status) << c.row;
}
INSTANTIATE_TEST_SUITE_P(Protocol9, BadSmRows, testing::ValuesIn(bad_sms()));

TEST(BadFrame, Row1LengthBelow16) {
    for (const uint32_t length : {0u, 8u, 15u}) {
        const std::vector<uint8_t> stream = Wire().u32(length).u32(0x15).u32(0).u32(1).octets();
        Octets rest = stream;
        Frame frame;
        EXPECT_EQ(next_frame(rest, limits::pdu_bytes_max, frame), FrameOutcome::too_short);
    }
}

TEST(BadFrame, Row2LengthBeyondMaximum) {
    // "HTTP" read as a length; the sequence number is there for the generic_nack.
    const Wire whole = Wire().text("HTTP").u32(0x15).u32(0).u32(77);
    Octets rest = whole;
    Frame frame;
    ASSERT_EQ(next_frame(rest, limits::pdu_bytes_max, frame), FrameOutcome::too_long);
    EXPECT_EQ(frame.header.sequence_number, 77u);
    const Wire part = Wire().text("HTTP/1");
    rest = part;
    ASSERT_EQ(next_frame(rest, limits::pdu_bytes_max, frame), FrameOutcome::too_long);
    EXPECT_EQ(frame.header.sequence_number, 0u);
}

TEST(BadCommandId, Row3UnknownAndRetiredIds) {
    for (const uint32_t id :
         {0u, 0x0Au, 0x0Cu, 0x22u, 0x104u, 0x10200u, 0x80000102u, 0x8000000Bu, 0xFFFFFFFFu}) {
        EXPECT_FALSE(is_known(static_cast<CommandId>(id))) << id;
    }
    for (const CommandId id : {CommandId::submit_sm, CommandId::generic_nack, CommandId::outbind,
                               CommandId::broadcast_sm, CommandId::cancel_broadcast_sm_resp}) {
        EXPECT_TRUE(is_known(id));
    }
}

TEST(BadBind, Row9LengthFaults) {
    struct Case {
        const char* row;
        std::string system_id, password, system_type;
        CommandStatus status;
    };
    const Case cases[] = {
        {"longer than 3.4 allows, as customers have it", std::string(30, 'i'), std::string(32, 'p'),
         "t", esme_rok},
        {"system_id of 65", std::string(65, 'i'), "p", "t", esme_rinvsysid},
        {"password of 65", "i", std::string(65, 'p'), "t", esme_rinvpaswd},
        {"system_type of 13", "i", "p", std::string(13, 't'), esme_rinvsystyp},
    };
    for (const Case& c : cases) {
        Bind bind;
        const Wire body = Wire()
                              .c_string(c.system_id)
                              .c_string(c.password)
                              .c_string(c.system_type)
                              .u8(0x34)
                              .u8(0)
                              .u8(0)
                              .c_string("");
        EXPECT_EQ(decode_bind(body, DecodeRules{}, bind), c.status) << c.row;
    }
    DecodeRules by_the_letter;
    by_the_letter.password_octets_max = 8;
    Bind bind;
    const Wire body =
        Wire().c_string("i").c_string("123456789").c_string("").u8(0x34).u8(0).u8(0).c_string("");
    EXPECT_EQ(decode_bind(body, by_the_letter, bind), esme_rinvpaswd);
}

TEST(BadBind, Row12BodyEndsEarly) {
    const std::vector<uint8_t> body =
        Wire().c_string("i").c_string("p").c_string("t").u8(0x34).u8(0).u8(0).c_string("").octets();
    for (size_t length = 0; length < body.size(); ++length) {
        const std::vector<uint8_t> part(body.begin(),
                                        body.begin() + static_cast<std::ptrdiff_t>(length));
        Bind bind;
        EXPECT_EQ(decode_bind(part, DecodeRules{}, bind), esme_rinvcmdlen) << length;
    }
}

TEST(BadSubmitMulti, Row36Destinations) {
    struct Case {
        const char* row;
        Wire list;
        CommandStatus status;
    };
    const Case cases[] = {
        {"none", Wire().u8(0), esme_rinvnumdests},
        {"body ends before the second", Wire().u8(2).u8(1).address(1, 1, "1"), esme_rinvnumdests},
        {"flag 3", Wire().u8(1).u8(3).c_string("x"), esme_rinvdestflag},
        {"list name of 21", Wire().u8(1).u8(2).c_string(std::string(21, 'n')), esme_rinvdlname},
        {"address of 21", Wire().u8(1).u8(1).address(1, 1, std::string(21, '1')), esme_rinvdstadr},
        {"address without end", Wire().u8(1).u8(1).u8(1).u8(1).text("12"), esme_rinvcmdlen},
    };
    for (const Case& c : cases) {
        const Wire body = Wire().c_string("").address(1, 1, "1000").text(as_chars(Octets(c.list)));
        SubmitMulti multi;
        EXPECT_EQ(decode_submit_multi(body, DecodeRules{}, multi), c.status) << c.row;
    }
}

TEST(BadOther, OperationsNameTheirField) {
    const std::string long_id(65, '1');
    const std::string long_address(21, '1');
    QuerySm query;
    EXPECT_EQ(decode_query_sm(Wire().c_string(long_id), {}, query), esme_rinvmsgid);
    EXPECT_EQ(decode_query_sm(Wire().c_string("1").address(1, 1, long_address), {}, query),
              esme_rinvsrcadr);
    CancelSm cancel;
    EXPECT_EQ(decode_cancel_sm(Wire().c_string("").c_string(long_id), {}, cancel), esme_rinvmsgid);
    EXPECT_EQ(decode_cancel_sm(
                  Wire().c_string("").c_string("1").address(1, 1, "").address(1, 1, long_address),
                  {}, cancel),
              esme_rinvdstadr);
    ReplaceSm replace;
    EXPECT_EQ(decode_replace_sm(Wire().c_string("1").address(1, 1, "").c_string("1"), {}, replace),
              esme_rinvsched);
    EXPECT_EQ(
        decode_replace_sm(Wire().c_string("1").address(1, 1, "").u8(0).u8(0).u8(0).u8(0).u8(9), {},
                          replace),
        esme_rinvmsglen);
    Sm data;
    EXPECT_EQ(decode_data_sm(Wire().c_string("").address(1, 1, std::string(65, '1')), {}, data),
              esme_rinvsrcadr);
    AlertNotification alert;
    EXPECT_EQ(decode_alert_notification(
                  Wire().address(1, 1, "1").address(1, 1, std::string(65, '1')), {}, alert),
              esme_rinvdstadr);
}

TEST(Version33, TrailingOctetsAreNoTlvs) {
    SmFields fields;
    fields.behind = "abcdefg";
    DecodeRules rules;
    rules.version = Version::v33;
    Sm sm;
    EXPECT_EQ(decode_sm(fields.wire(), rules, sm), esme_rok);
    EXPECT_TRUE(sm.tlvs.empty());
}

}  // namespace
}  // namespace sy::smpp
