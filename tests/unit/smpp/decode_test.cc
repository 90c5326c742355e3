#include "core/smpp/decode.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "tests/unit/smpp/wire.h"

namespace sy::smpp {
namespace {

using enum CommandStatus;

constexpr DecodeRules lenient{};

TEST(DecodeBind, ReadsEveryField) {
    const Wire body =
        Wire().c_string("acme").c_string("secret").c_string("sms").u8(0x34).u8(1).u8(2).c_string(
            "^44");
    Bind bind;
    ASSERT_EQ(decode_bind(body, lenient, bind), esme_rok);
    EXPECT_EQ(bind.system_id, "acme");
    EXPECT_EQ(bind.password, "secret");
    EXPECT_EQ(bind.system_type, "sms");
    EXPECT_EQ(bind.interface_version, 0x34);
    EXPECT_EQ(bind.addr_ton, 1);
    EXPECT_EQ(bind.addr_npi, 2);
    EXPECT_EQ(bind.address_range, "^44");
}

TEST(DecodeBindResp, ReadsIdAndTlvs) {
    const Wire body = Wire().c_string("smsc").tlv(0x0210, "\x34");
    BindResp resp;
    ASSERT_EQ(decode_bind_resp(body, lenient, resp), esme_rok);
    EXPECT_EQ(resp.system_id, "smsc");
    EXPECT_EQ(resp.tlvs.size(), 5u);
}

TEST(DecodeBindResp, TakesAbsentBodyAndLoneNul) {
    BindResp resp;
    EXPECT_EQ(decode_bind_resp({}, lenient, resp), esme_rok);
    EXPECT_TRUE(resp.system_id.empty());
    EXPECT_EQ(decode_bind_resp(Wire().u8(0), lenient, resp), esme_rok);
    EXPECT_TRUE(resp.system_id.empty());
    EXPECT_TRUE(resp.tlvs.empty());
}

TEST(DecodeOutbind, ReadsBothFields) {
    const Wire body = Wire().c_string("mc").c_string("pw");
    Outbind outbind;
    ASSERT_EQ(decode_outbind(body, lenient, outbind), esme_rok);
    EXPECT_EQ(outbind.system_id, "mc");
    EXPECT_EQ(outbind.password, "pw");
}

TEST(DecodeSm, ReadsEveryField) {
    Wire body;
    body.c_string("CMT").address(5, 0, "Sender").address(1, 1, "447700900002");
    body.u8(0x43).u8(0x40).u8(2);
    body.c_string("260101120000004+").c_string("000002000000000R");
    body.u8(0x11).u8(1).u8(8).u8(9).u8(4).text(std::string_view("\0a\0b", 4));
    body.tlv(0x0204, std::string_view("\x00\x07", 2)).tlv(0x130C, "");
    Sm sm;
    ASSERT_EQ(decode_sm(body, lenient, sm), esme_rok);
    EXPECT_EQ(sm.service_type, "CMT");
    EXPECT_EQ(sm.source.ton, 5);
    EXPECT_EQ(sm.source.npi, 0);
    EXPECT_EQ(sm.source.digits, "Sender");
    EXPECT_EQ(sm.destination.ton, 1);
    EXPECT_EQ(sm.destination.npi, 1);
    EXPECT_EQ(sm.destination.digits, "447700900002");
    EXPECT_EQ(sm.esm_class, 0x43);
    EXPECT_EQ(sm.protocol_id, 0x40);
    EXPECT_EQ(sm.priority_flag, 2);
    EXPECT_EQ(sm.schedule_delivery_time, "260101120000004+");
    EXPECT_EQ(sm.validity_period, "000002000000000R");
    EXPECT_EQ(sm.registered_delivery, 0x11);
    EXPECT_EQ(sm.replace_if_present_flag, 1);
    EXPECT_EQ(sm.data_coding, 8);
    EXPECT_EQ(sm.sm_default_msg_id, 9);
    EXPECT_EQ(as_chars(sm.short_message), std::string_view("\0a\0b", 4));
    EXPECT_EQ(sm.tlvs.size(), 10u);
}

TEST(DecodeSm, RebaseMovesEveryView) {
    SmFields fields;
    fields.service_type = "CMT";
    fields.validity = "000002000000000R";
    fields.behind = std::string("\x13\x0C\0\0", 4);
    const std::vector<uint8_t> body = fields.wire().octets();
    Sm sm;
    ASSERT_EQ(decode_sm(body, lenient, sm), esme_rok);
    std::vector<uint8_t> copy = body;
    sm.rebase(body.data(), copy.data());
    for (auto& octet : copy) {
        octet = octet == 0 ? uint8_t{0} : uint8_t{'x'};  // only views of the copy see this
    }
    EXPECT_EQ(sm.service_type, "xxx");
    EXPECT_EQ(sm.source.digits, "xxxxxxxxxxxx");
    EXPECT_EQ(sm.destination.digits, "xxxxxxxxxxxx");
    EXPECT_EQ(sm.validity_period, "xxxxxxxxxxxxxxxx");
    EXPECT_EQ(as_chars(sm.short_message), "xxxxxxxxxxxx");
    EXPECT_EQ(as_chars(sm.tlvs), std::string_view("xx\0\0", 4));
    EXPECT_EQ(sm.schedule_delivery_time.data(), nullptr);
}

TEST(DecodeDataSm, ReadsFieldsAndClearsTheRest) {
    const Wire body = Wire()
                          .c_string("")
                          .address(1, 1, std::string(64, '4'))
                          .address(0, 1, "1")
                          .u8(0x40)
                          .u8(1)
                          .u8(4)
                          .tlv(0x0424, "text");
    Sm sm;
    sm.protocol_id = 7;
    sm.validity_period = "old";
    ASSERT_EQ(decode_data_sm(body, lenient, sm), esme_rok);
    EXPECT_EQ(sm.source.digits.size(), 64u);
    EXPECT_EQ(sm.destination.digits, "1");
    EXPECT_EQ(sm.esm_class, 0x40);
    EXPECT_EQ(sm.registered_delivery, 1);
    EXPECT_EQ(sm.data_coding, 4);
    EXPECT_EQ(sm.tlvs.size(), 8u);
    EXPECT_EQ(sm.protocol_id, 0);
    EXPECT_TRUE(sm.validity_period.empty());
}

// PROTOCOL 16.2: what peers send in responses.
struct RespCase {
    const char* name;
    Wire body;
    std::string id;
    size_t tlvs_bytes;
};

TEST(DecodeSmResp, TakesWhateverPeersSend) {
    const RespCase cases[] = {
        {"no body", {}, "", 0},
        {"lone NUL", Wire().u8(0), "", 0},
        {"plain id", Wire().c_string("0A000000A3D323A1"), "0A000000A3D323A1", 0},
        {"id without NUL", Wire().text("0A000000A3D323A1"), "0A000000A3D323A1", 0},
        {"id and TLV", Wire().c_string("1").tlv(0x0428, "\x10"), "1", 5},
        {"TLV only, tag begins with NUL", Wire().tlv(0x001D, "some text"), "", 13},
        {"TLV only, tag begins with a control character", Wire().tlv(0x0425, "\x01"), "", 5},
        {"id and trailing NULs", Wire().c_string("77").u16(0), "77", 0},
        {"id and garbage", Wire().c_string("77").text("garbage"), "77", 0},
        {"64 characters", Wire().c_string(std::string(64, 'f')), std::string(64, 'f'), 0},
    };
    for (const RespCase& c : cases) {
        SmResp resp;
        EXPECT_EQ(decode_sm_resp(c.body, lenient, resp), esme_rok) << c.name;
        EXPECT_EQ(resp.message_id, c.id) << c.name;
        EXPECT_EQ(resp.tlvs.size(), c.tlvs_bytes) << c.name;
    }
}

TEST(DecodeSmResp, RefusesIdBeyond64Characters) {
    SmResp resp;
    EXPECT_EQ(decode_sm_resp(Wire().c_string(std::string(65, 'f')), lenient, resp), esme_rinvmsgid);
    EXPECT_TRUE(resp.message_id.empty());
}

TEST(DecodeSubmitMulti, ReadsDestinationsAndSharedFields) {
    Wire body;
    body.c_string("").address(1, 1, "1000").u8(3);
    body.u8(1).address(1, 1, "2001").u8(2).c_string("friends").u8(1).address(0, 0, "2003");
    body.u8(0x40).u8(0).u8(1).c_string("").c_string("").u8(1).u8(0).u8(4).u8(0).u8(2).text("hi");
    body.tlv(0x0204, "\x01\x02");
    SubmitMulti multi;
    ASSERT_EQ(decode_submit_multi(body, lenient, multi), esme_rok);
    EXPECT_EQ(multi.sm.source.digits, "1000");
    EXPECT_EQ(multi.number_of_dests, 3);
    EXPECT_EQ(multi.sm.esm_class, 0x40);
    EXPECT_EQ(multi.sm.priority_flag, 1);
    EXPECT_EQ(as_chars(multi.sm.short_message), "hi");
    EXPECT_EQ(multi.sm.tlvs.size(), 6u);

    std::vector<std::string> seen;
    Octets list = multi.dest_addresses;
    MultiDestination destination;
    while (next_destination(list, destination)) {
        seen.emplace_back(destination.dest_flag == 1 ? destination.address.digits
                                                     : destination.dl_name);
    }
    EXPECT_EQ(seen, (std::vector<std::string>{"2001", "friends", "2003"}));
}

TEST(DecodeSubmitMultiResp, ReadsRecipients) {
    Wire body;
    body.c_string("id1").u8(2).address(1, 1, "2001").u32(0x0B).address(1, 1, "2003").u32(0x58);
    SubmitMultiResp resp;
    ASSERT_EQ(decode_submit_multi_resp(body, lenient, resp), esme_rok);
    EXPECT_EQ(resp.message_id, "id1");
    Octets list = resp.unsuccess_smes;
    UnsuccessSme recipient;
    ASSERT_TRUE(next_unsuccess(list, recipient));
    EXPECT_EQ(recipient.address.digits, "2001");
    EXPECT_EQ(recipient.error_status_code, 0x0Bu);
    ASSERT_TRUE(next_unsuccess(list, recipient));
    EXPECT_EQ(recipient.error_status_code, 0x58u);
    EXPECT_FALSE(next_unsuccess(list, recipient));
}

TEST(DecodeQuery, ReadsRequestAndResponse) {
    const Wire request = Wire().c_string("42").address(1, 1, "1000");
    QuerySm query;
    ASSERT_EQ(decode_query_sm(request, lenient, query), esme_rok);
    EXPECT_EQ(query.message_id, "42");
    EXPECT_EQ(query.source.digits, "1000");
    QuerySmResp resp;
    const Wire body = Wire().c_string("42").c_string("260101120000").u8(2).u8(7);
    ASSERT_EQ(decode_query_sm_resp(body, lenient, resp), esme_rok);
    EXPECT_EQ(resp.final_date, "260101120000");
    EXPECT_EQ(resp.message_state, 2);
    EXPECT_EQ(resp.error_code, 7);
}

TEST(DecodeCancel, ReadsEveryField) {
    const Wire body =
        Wire().c_string("CMT").c_string("42").address(1, 2, "1000").address(3, 4, "2000");
    CancelSm cancel;
    ASSERT_EQ(decode_cancel_sm(body, lenient, cancel), esme_rok);
    EXPECT_EQ(cancel.service_type, "CMT");
    EXPECT_EQ(cancel.message_id, "42");
    EXPECT_EQ(cancel.source.npi, 2);
    EXPECT_EQ(cancel.destination.ton, 3);
    EXPECT_EQ(cancel.destination.digits, "2000");
}

TEST(DecodeReplace, ReadsEveryField) {
    Wire body;
    body.c_string("42").address(1, 2, "1000").c_string("").c_string("000002000000000R");
    body.u8(1).u8(0).u8(3).text("new").tlv(0x0424, "x");
    ReplaceSm replace;
    ASSERT_EQ(decode_replace_sm(body, lenient, replace), esme_rok);
    EXPECT_EQ(replace.message_id, "42");
    EXPECT_EQ(replace.validity_period, "000002000000000R");
    EXPECT_EQ(replace.registered_delivery, 1);
    EXPECT_EQ(as_chars(replace.short_message), "new");
    EXPECT_EQ(replace.tlvs.size(), 5u);
}

TEST(DecodeAlert, ReadsBothAddresses) {
    const Wire body = Wire()
                          .address(1, 1, std::string(64, '1'))
                          .address(0, 1, "esme")
                          .tlv(0x0422, std::string_view("\0", 1));
    AlertNotification alert;
    ASSERT_EQ(decode_alert_notification(body, lenient, alert), esme_rok);
    EXPECT_EQ(alert.source.digits.size(), 64u);
    EXPECT_EQ(alert.esme.digits, "esme");
    EXPECT_EQ(alert.tlvs.size(), 5u);
}

// The model: one std::string at a time, nothing shared with the decoder under test.
struct ModelSm {
    CommandStatus status = esme_rok;
    std::vector<std::string> fields;
    std::string numbers;
    size_t tlvs_bytes = 0;
};

class SmModel {
  public:
    explicit SmModel(std::string body) : body_(std::move(body)) {}

    ModelSm decode() {
        string(5, esme_rinvsertyp);
        octets(2);
        string(20, esme_rinvsrcadr);
        octets(2);
        string(20, esme_rinvdstadr);
        octets(3);
        time(esme_rinvsched);
        time(esme_rinvexpiry);
        octets(4);
        octets(1);
        if (out_.status == esme_rok) {
            const auto length = static_cast<uint8_t>(out_.numbers.back());
            if (length > body_.size()) {
                out_.status = esme_rinvmsglen;
            } else {
                out_.fields.push_back(body_.substr(0, length));
                body_.erase(0, length);
            }
        }
        tlvs();
        return out_;
    }

  private:
    void string(size_t max, CommandStatus too_long) {
        if (out_.status != esme_rok) {
            return;
        }
        const size_t nul = body_.find('\0');
        const size_t length = std::min(nul, body_.size());
        if (length > max) {
            out_.status = too_long;
        } else if (nul == std::string::npos) {
            out_.status = esme_rinvcmdlen;
        } else {
            out_.fields.push_back(body_.substr(0, nul));
            body_.erase(0, nul + 1);
        }
    }
    void time(CommandStatus bad) {
        string(16, bad);
        if (out_.status == esme_rok && out_.fields.back().size() % 16 != 0) {
            out_.status = bad;
        }
    }
    void octets(size_t count) {
        for (size_t i = 0; i < count && out_.status == esme_rok; ++i) {
            if (body_.empty()) {
                out_.status = esme_rinvcmdlen;
                return;
            }
            out_.numbers += body_[0];
            body_.erase(0, 1);
        }
    }
    void tlvs() {
        if (out_.status != esme_rok) {
            return;
        }
        while (body_.size() >= 4) {
            const size_t length = static_cast<size_t>(static_cast<uint8_t>(body_[2])) * 256 +
                                  static_cast<uint8_t>(body_[3]);
            if (4 + length > body_.size()) {
                out_.status = esme_rinvoptparstream;
                return;
            }
            out_.tlvs_bytes += 4 + length;
            body_.erase(0, 4 + length);
        }
        if (body_.find_first_not_of('\0') != std::string::npos) {
            out_.status = esme_rinvoptparstream;
        }
    }

    std::string body_;
    ModelSm out_;
};

void expect_same(const std::vector<uint8_t>& body, int& accepted) {
    // An exact heap copy, so that an address sanitizer sees any read beyond the body.
    const std::vector<uint8_t> exact(body.begin(), body.end());
    Sm sm;
    const CommandStatus status = decode_sm(exact, lenient, sm);
    const ModelSm model = SmModel(std::string(body.begin(), body.end())).decode();
    ASSERT_EQ(status, model.status);
    if (status != esme_rok) {
        return;
    }
    ++accepted;
    const std::vector<std::string> fields = {
        std::string(sm.service_type),       std::string(sm.source.digits),
        std::string(sm.destination.digits), std::string(sm.schedule_delivery_time),
        std::string(sm.validity_period),    std::string(as_chars(sm.short_message))};
    ASSERT_EQ(fields, model.fields);
    std::string numbers;
    for (const unsigned number :
         {unsigned{sm.source.ton}, unsigned{sm.source.npi}, unsigned{sm.destination.ton},
          unsigned{sm.destination.npi}, unsigned{sm.esm_class}, unsigned{sm.protocol_id},
          unsigned{sm.priority_flag}, unsigned{sm.registered_delivery},
          unsigned{sm.replace_if_present_flag}, unsigned{sm.data_coding},
          unsigned{sm.sm_default_msg_id}, static_cast<unsigned>(sm.short_message.size())}) {
        numbers += static_cast<char>(number);
    }
    ASSERT_EQ(numbers, model.numbers);
    ASSERT_EQ(sm.tlvs.size(), model.tlvs_bytes);
}

std::string random_text(Prng& prng, size_t length_max) {
    std::string text(prng.below(length_max + 1), ' ');
    for (char& c : text) {
        c = static_cast<char>('0' + prng.below(60));
    }
    return text;
}

SmFields random_fields(Prng& prng) {
    SmFields fields;
    const bool odd = prng.chance(1, 4);
    fields.service_type = random_text(prng, odd ? 8 : 3);
    fields.source = random_text(prng, odd ? 24 : 20);
    fields.destination = random_text(prng, odd ? 24 : 20);
    fields.schedule = prng.chance(1, 8) ? random_text(prng, 20) : "";
    fields.validity = prng.chance(1, 4) ? std::string(prng.chance(1, 4) ? 15 : 16, '1') : "";
    fields.text = random_text(prng, prng.chance(1, 3) ? 255 : 20);
    fields.sm_length = prng.chance(1, 8) ? static_cast<int>(prng.below(256)) : -1;
    if (prng.chance(1, 3)) {
        fields.behind = random_text(prng, 8);
    } else if (prng.chance(1, 2)) {
        fields.behind = std::string("\x04\x24\x00\x02zz\x00\x00", prng.below(9));
    }
    return fields;
}

TEST(DecodeSm, AgreesWithSlowModelOnRightAndSpoiltBodies) {
    Prng prng(20260101);
    int accepted = 0;
    constexpr int rounds = 60'000;
    for (int round = 0; round < rounds; ++round) {
        std::vector<uint8_t> body = random_fields(prng).wire().octets();
        for (uint64_t spoils = prng.below(3); spoils > 0; --spoils) {
            body[prng.below(body.size())] = static_cast<uint8_t>(prng.below(4) * 85);
        }
        if (prng.chance(1, 8)) {
            body.resize(prng.below(body.size()));
        }
        ASSERT_NO_FATAL_FAILURE(expect_same(body, accepted)) << "round " << round;
    }
    EXPECT_GT(accepted, rounds / 5);  // both outcomes were compared
    EXPECT_LT(accepted, rounds * 4 / 5);
}

}  // namespace
}  // namespace sy::smpp
