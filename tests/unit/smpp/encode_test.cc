#include "core/smpp/encode.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/smpp/decode.h"
#include "core/smpp/framer.h"
#include "tests/unit/smpp/wire.h"

namespace sy::smpp {
namespace {

using enum CommandStatus;

constexpr DecodeRules rules{};

/// What an encoder wrote, cut by the framer: header and body.
class Written {
  public:
    template <class Encode>
    explicit Written(Encode encode) {
        size_ = encode(std::span<uint8_t>(buffer_));
        Octets stream(buffer_.data(), size_);
        EXPECT_EQ(next_frame(stream, limits::pdu_bytes_max, frame), FrameOutcome::complete);
        EXPECT_TRUE(stream.empty());
        expect_no_partial_write(encode);
    }
    Frame frame;

  private:
    template <class Encode>
    void expect_no_partial_write(Encode encode) {
        std::vector<uint8_t> exact(size_);
        EXPECT_EQ(encode(std::span<uint8_t>(exact)), size_);
        for (size_t room = 0; room < size_; ++room) {
            std::vector<uint8_t> small(room);
            EXPECT_EQ(encode(std::span<uint8_t>(small)), 0u) << room;
        }
    }

    std::array<uint8_t, 2048> buffer_{};
    size_t size_ = 0;
};

void expect_header(const Frame& frame, CommandId id, uint32_t sequence_number) {
    EXPECT_EQ(frame.header.command_id, id);
    EXPECT_EQ(frame.header.command_status, 0u);
    EXPECT_EQ(frame.header.sequence_number, sequence_number);
}

void expect_body(const Frame& frame, const Wire& body) {
    EXPECT_EQ(std::vector<uint8_t>(frame.body.begin(), frame.body.end()), body.octets());
}

TEST(EncodeEmpty, WritesStatus) {
    const Written pdu([](std::span<uint8_t> out) {
        return encode_empty(out, CommandId::submit_sm_resp, esme_rthrottled, 0x80000001);
    });
    EXPECT_EQ(pdu.frame.header.command_id, CommandId::submit_sm_resp);
    EXPECT_EQ(pdu.frame.header.command_status, 0x58u);
    EXPECT_EQ(pdu.frame.header.sequence_number, 0x80000001u);
    EXPECT_TRUE(pdu.frame.body.empty());
}

TEST(EncodeBind, IsDecodesInverse) {
    const Wire body =
        Wire().c_string("id").c_string("pw").c_string("ty").u8(0x34).u8(1).u8(2).c_string("^1");
    Bind bind;
    ASSERT_EQ(decode_bind(body, rules, bind), esme_rok);
    const Written pdu([&](std::span<uint8_t> out) {
        return encode_bind(out, CommandId::bind_transceiver, 7, bind);
    });
    expect_header(pdu.frame, CommandId::bind_transceiver, 7);
    expect_body(pdu.frame, body);
}

TEST(EncodeBindResp, IsDecodesInverse) {
    const Wire body = Wire().c_string("smsc").tlv(0x0210, "\x34");
    BindResp resp;
    ASSERT_EQ(decode_bind_resp(body, rules, resp), esme_rok);
    const Written pdu([&](std::span<uint8_t> out) {
        return encode_bind_resp(out, CommandId::bind_receiver_resp, 7, resp);
    });
    expect_header(pdu.frame, CommandId::bind_receiver_resp, 7);
    expect_body(pdu.frame, body);
}

TEST(EncodeOutbind, IsDecodesInverse) {
    const Wire body = Wire().c_string("mc").c_string("pw");
    Outbind outbind;
    ASSERT_EQ(decode_outbind(body, rules, outbind), esme_rok);
    const Written pdu([&](std::span<uint8_t> out) { return encode_outbind(out, 1, outbind); });
    expect_header(pdu.frame, CommandId::outbind, 1);
    expect_body(pdu.frame, body);
}

TEST(EncodeSm, IsDecodesInverseForEveryFieldLength) {
    // Lengths around the copy's steps (8 and 16 octets) and the fields' ends.
    for (size_t length = 0; length <= 20; ++length) {
        SmFields fields;
        fields.service_type = std::string(length % 6, 's');
        fields.source = std::string(length, '1');
        fields.destination = std::string(20 - length, '2');
        fields.validity = length % 2 == 0 ? "" : "000002000000000R";
        fields.schedule = length % 3 == 0 ? "" : "260101120000004+";
        fields.text = std::string(length * 12, 't');
        fields.behind = std::string("\x13\x0C\x00\x00\x04\x26\x00\x01\x01", 9);
        const std::vector<uint8_t> body = fields.wire().octets();
        Sm sm;
        ASSERT_EQ(decode_sm(body, rules, sm), esme_rok);
        const Written pdu([&](std::span<uint8_t> out) {
            return encode_sm(out, CommandId::deliver_sm, 0x7FFFFFFF, sm);
        });
        expect_header(pdu.frame, CommandId::deliver_sm, 0x7FFFFFFF);
        expect_body(pdu.frame, fields.wire());
        EXPECT_GE(encoded_sm_bytes_max(sm), pdu.frame.header.command_length);
    }
}

TEST(EncodeDataSm, IsDecodesInverse) {
    const Wire body = Wire()
                          .c_string("WAP")
                          .address(1, 1, std::string(64, '1'))
                          .address(2, 2, "22")
                          .u8(0x40)
                          .u8(1)
                          .u8(4)
                          .tlv(0x0424, "payload");
    Sm sm;
    ASSERT_EQ(decode_data_sm(body, rules, sm), esme_rok);
    const Written pdu([&](std::span<uint8_t> out) { return encode_data_sm(out, 3, sm); });
    expect_header(pdu.frame, CommandId::data_sm, 3);
    expect_body(pdu.frame, body);
    EXPECT_GE(encoded_sm_bytes_max(sm), pdu.frame.header.command_length);
}

TEST(EncodeDataSm, CarriesShortMessageAsMessagePayload) {
    const std::vector<uint8_t> submit = SmFields{}.wire().octets();
    Sm sm;
    ASSERT_EQ(decode_sm(submit, rules, sm), esme_rok);
    const Written pdu([&](std::span<uint8_t> out) { return encode_data_sm(out, 3, sm); });
    Sm data;
    ASSERT_EQ(decode_data_sm(pdu.frame.body, rules, data), esme_rok);
    EXPECT_EQ(as_chars(data.tlvs), std::string_view("\x04\x24\x00\x0CHello, world", 16));
    EXPECT_GE(encoded_sm_bytes_max(sm), pdu.frame.header.command_length);
}

TEST(EncodeSmResp, IsDecodesInverse) {
    const Wire body = Wire().c_string("0000abcd").tlv(0x0428, "\x50");
    SmResp resp;
    ASSERT_EQ(decode_sm_resp(body, rules, resp), esme_rok);
    const Written pdu([&](std::span<uint8_t> out) {
        return encode_sm_resp(out, CommandId::data_sm_resp, 9, resp);
    });
    expect_header(pdu.frame, CommandId::data_sm_resp, 9);
    expect_body(pdu.frame, body);
}

TEST(EncodeSubmitMulti, IsDecodesInverse) {
    Wire body;
    body.c_string("").address(1, 1, "1000").u8(2);
    body.u8(1).address(1, 1, "2001").u8(2).c_string("friends");
    body.u8(0).u8(1).u8(2).c_string("260101120000004+").c_string("000002000000000R");
    body.u8(1).u8(0).u8(4).u8(0).u8(2).text("hi").tlv(0x0204, "ab");
    SubmitMulti multi;
    ASSERT_EQ(decode_submit_multi(body, rules, multi), esme_rok);
    const Written pdu([&](std::span<uint8_t> out) { return encode_submit_multi(out, 5, multi); });
    expect_header(pdu.frame, CommandId::submit_multi, 5);
    expect_body(pdu.frame, body);
}

TEST(EncodeSubmitMultiResp, IsReadBack) {
    const UnsuccessSme failed[] = {{{1, 1, "2001"}, 0x0B}, {{0, 0, ""}, 0x400}};
    const Written pdu(
        [&](std::span<uint8_t> out) { return encode_submit_multi_resp(out, 6, "id", failed); });
    expect_header(pdu.frame, CommandId::submit_multi_resp, 6);
    expect_body(
        pdu.frame,
        Wire().c_string("id").u8(2).address(1, 1, "2001").u32(0x0B).address(0, 0, "").u32(0x400));
}

TEST(EncodeQuery, IsDecodesInverse) {
    const Wire body = Wire().c_string("42").address(1, 1, "1000");
    QuerySm query;
    ASSERT_EQ(decode_query_sm(body, rules, query), esme_rok);
    const Written pdu([&](std::span<uint8_t> out) { return encode_query_sm(out, 2, query); });
    expect_header(pdu.frame, CommandId::query_sm, 2);
    expect_body(pdu.frame, body);

    const Wire resp_body = Wire().c_string("42").c_string("260101120000004+").u8(2).u8(1);
    QuerySmResp resp;
    ASSERT_EQ(decode_query_sm_resp(resp_body, rules, resp), esme_rok);
    const Written answer(
        [&](std::span<uint8_t> out) { return encode_query_sm_resp(out, 2, resp); });
    expect_header(answer.frame, CommandId::query_sm_resp, 2);
    expect_body(answer.frame, resp_body);
}

TEST(EncodeCancel, IsDecodesInverse) {
    const Wire body = Wire().c_string("S").c_string("4").address(1, 2, "1").address(3, 4, "2");
    CancelSm cancel;
    ASSERT_EQ(decode_cancel_sm(body, rules, cancel), esme_rok);
    const Written pdu([&](std::span<uint8_t> out) { return encode_cancel_sm(out, 2, cancel); });
    expect_header(pdu.frame, CommandId::cancel_sm, 2);
    expect_body(pdu.frame, body);
}

TEST(EncodeReplace, IsDecodesInverse) {
    Wire body;
    body.c_string("4").address(1, 2, "1").c_string("").c_string("000002000000000R");
    body.u8(1).u8(0).u8(3).text("new").tlv(0x0424, "x");
    ReplaceSm replace;
    ASSERT_EQ(decode_replace_sm(body, rules, replace), esme_rok);
    const Written pdu([&](std::span<uint8_t> out) { return encode_replace_sm(out, 2, replace); });
    expect_header(pdu.frame, CommandId::replace_sm, 2);
    expect_body(pdu.frame, body);
}

TEST(EncodeAlert, IsDecodesInverse) {
    const Wire body = Wire().address(1, 1, "1").address(0, 1, "2").tlv(0x0422, "\x01");
    AlertNotification alert;
    ASSERT_EQ(decode_alert_notification(body, rules, alert), esme_rok);
    const Written pdu(
        [&](std::span<uint8_t> out) { return encode_alert_notification(out, 2, alert); });
    expect_header(pdu.frame, CommandId::alert_notification, 2);
    expect_body(pdu.frame, body);
}

}  // namespace
}  // namespace sy::smpp
