// PROTOCOL 9, the rows about meaning: one named case each, against the status of the table.
#include "core/smpp/validate.h"

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/smpp/decode.h"
#include "tests/unit/smpp/wire.h"

namespace sy::smpp {
namespace {

using enum CommandStatus;

// 2026-01-31 12:00:00 UTC.
constexpr Nanos noon_ns = Nanos{1'769'860'800} * second_ns;

struct Case {
    const char* row;
    std::function<void(Sm&, ValidateRules&)> spoil;
    CommandStatus status;
};

void PrintTo(const Case& c, std::ostream* out) {
    *out << c.row;
}

std::string wire_of(const Wire& wire) {
    return std::string(as_chars(Octets(wire)));
}

// Texts and TLVs that the cases point to.
const std::string text_255(255, 't');
const std::string whole_udh("\x05\x00\x03\x01\x02\x01hello", 11);
const std::string udh_too_long("\x0F\x00\x03\x01\x02\x01hello", 11);
const std::string udh_element_too_long("\x05\x00\x09\x01\x02\x01hello", 11);
const std::string payload = wire_of(Wire().tlv(0x0424, "text"));
const std::string payload_udh = wire_of(Wire().tlv(0x0424, whole_udh));
const std::string reference_1 = wire_of(Wire().tlv(0x0204, "\x01"));
const std::string reference_3 = wire_of(Wire().tlv(0x0204, "abc"));
const std::string sar_good =
    wire_of(Wire().tlv(0x020C, "ab").tlv(0x020E, "\x02").tlv(0x020F, "\x01"));
const std::string sar_beyond =
    wire_of(Wire().tlv(0x020C, "ab").tlv(0x020E, "\x02").tlv(0x020F, "\x03"));
const std::string sar_incomplete = wire_of(Wire().tlv(0x020E, "\x02").tlv(0x020F, "\x03"));
const std::string sar_wide = wire_of(Wire().tlv(0x020E, "ab"));
const std::string port = wire_of(Wire().tlv(0x020B, "ab"));
const std::string odd_unused = wire_of(Wire().tlv(0x0381, "x").tlv(0x1400, "").tlv(0x0030, "xyz"));

std::vector<Case> submit_cases() {
    using S = Sm&;
    using R = ValidateRules&;
    return {
        {"right", [](S, R) {}, esme_rok},
        {"14 source empty", [](S s, R) { s.source.digits = ""; }, esme_rok},
        {"14 source with a control character", [](S s, R) { s.source.digits = "a\tb"; },
         esme_rinvsrcadr},
        {"14 source in another charset", [](S s, R) { s.source.digits = "Caf\xE9"; }, esme_rok},
        {"15 destination empty", [](S s, R) { s.destination.digits = ""; }, esme_rinvdstadr},
        {"15 destination with a control character", [](S s, R) { s.destination.digits = "12\n"; },
         esme_rinvdstadr},
        {"16 source TON 7", [](S s, R) { s.source.ton = 7; }, esme_rinvsrcton},
        {"16 source NPI 2", [](S s, R) { s.source.npi = 2; }, esme_rinvsrcnpi},
        {"16 source NPI 18", [](S s, R) { s.source.npi = 18; }, esme_rok},
        {"16 destination TON 255", [](S s, R) { s.destination.ton = 255; }, esme_rinvdstton},
        {"16 destination NPI 64", [](S s, R) { s.destination.npi = 64; }, esme_rinvdstnpi},
        {"17 transaction mode", [](S s, R) { s.esm_class = 0x02; }, esme_rinvesmclass},
        {"17 store and forward", [](S s, R) { s.esm_class = 0x03; }, esme_rok},
        {"17 user acknowledgement", [](S s, R) { s.esm_class = 0x10; }, esme_rok},
        {"17 receipt from a 3.4 customer", [](S s, R) { s.esm_class = 0x04; }, esme_rinvesmclass},
        {"17 receipt from a 5.0 customer",
         [](S s, R r) {
             s.esm_class = 0x04;
             r.version = Version::v50;
         },
         esme_rok},
        {"17 reserved type", [](S s, R) { s.esm_class = 0x3C; }, esme_rinvesmclass},
        {"17 whole UDH",
         [](S s, R) {
             s.esm_class = 0x40;
             s.short_message = as_octets(whole_udh);
         },
         esme_rok},
        {"17 UDH beyond the text",
         [](S s, R) {
             s.esm_class = 0x40;
             s.short_message = as_octets(udh_too_long);
         },
         esme_rinvesmclass},
        {"17 element beyond the UDH",
         [](S s, R) {
             s.esm_class = 0x40;
             s.short_message = as_octets(udh_element_too_long);
         },
         esme_rinvesmclass},
        {"17 UDHI without text",
         [](S s, R) {
             s.esm_class = 0x40;
             s.short_message = {};
         },
         esme_rinvesmclass},
        {"17 UDH in the payload",
         [](S s, R) {
             s.esm_class = 0x40;
             s.short_message = {};
             s.tlvs = as_octets(payload_udh);
         },
         esme_rok},
        {"18 priority 5", [](S s, R) { s.priority_flag = 5; }, esme_rok},
        {"18 priority 4, strict",
         [](S s, R r) {
             s.priority_flag = 4;
             r.strict = true;
         },
         esme_rinvprtflg},
        {"18 priority 4 on 5.0, strict",
         [](S s, R r) {
             s.priority_flag = 4;
             r.strict = true;
             r.version = Version::v50;
         },
         esme_rok},
        {"19 schedule that is no time",
         [](S s, R) { s.schedule_delivery_time = "26xx01120000000+"; }, esme_rinvsched},
        {"20 validity that is no time", [](S s, R) { s.validity_period = "260230120000000+"; },
         esme_rinvexpiry},
        {"20 validity past", [](S s, R) { s.validity_period = "260131115959000+"; },
         esme_rinvexpiry},
        {"20 validity to come", [](S s, R) { s.validity_period = "260131120001000+"; }, esme_rok},
        {"20 validity relative", [](S s, R) { s.validity_period = "000000000100000R"; }, esme_rok},
        {"21 reserved bit", [](S s, R) { s.registered_delivery = 0x81; }, esme_rinvregdlvflg},
        {"21 value 3", [](S s, R) { s.registered_delivery = 3; }, esme_rok},
        {"21 value 3, strict",
         [](S s, R r) {
             s.registered_delivery = 3;
             r.strict = true;
         },
         esme_rinvregdlvflg},
        {"21 bit 5, strict",
         [](S s, R r) {
             s.registered_delivery = 0x21;
             r.strict = true;
         },
         esme_rinvregdlvflg},
        {"21 intermediate",
         [](S s, R r) {
             s.registered_delivery = 0x11;
             r.strict = true;
         },
         esme_rok},
        {"22 replace 2", [](S s, R) { s.replace_if_present_flag = 2; }, esme_rinvrepflag},
        {"22 replace not offered",
         [](S s, R r) {
             s.replace_if_present_flag = 1;
             r.replace_if_present = false;
         },
         esme_rinvsubrep},
        {"22 replace offered", [](S s, R) { s.replace_if_present_flag = 1; }, esme_rok},
        {"24 sm_default_msg_id", [](S s, R) { s.sm_default_msg_id = 1; }, esme_rinvdftmsgid},
        {"25 length 255", [](S s, R) { s.short_message = as_octets(text_255); }, esme_rok},
        {"25 length 255, strict",
         [](S s, R r) {
             s.short_message = as_octets(text_255);
             r.strict = true;
         },
         esme_rinvmsglen},
        {"27 longer than the account allows",
         [](S s, R r) {
             s.short_message = as_octets(text_255);
             r.text_octets_max = 254;
         },
         esme_rinvmsglen},
        {"28 text and payload", [](S s, R) { s.tlvs = as_octets(payload); }, esme_roptparnotallwd},
        {"28 text and payload, allowed",
         [](S s, R r) {
             s.tlvs = as_octets(payload);
             r.payload_beside_text = true;
         },
         esme_rok},
        {"28 payload alone",
         [](S s, R) {
             s.short_message = {};
             s.tlvs = as_octets(payload);
         },
         esme_rok},
        {"30 user_message_reference of 3", [](S s, R) { s.tlvs = as_octets(reference_3); },
         esme_rinvparlen},
        {"30 user_message_reference of 1", [](S s, R) { s.tlvs = as_octets(reference_1); },
         esme_rok},
        {"30 sar_total_segments of 2", [](S s, R) { s.tlvs = as_octets(sar_wide); },
         esme_rinvparlen},
        {"30 TLVs that we do not use", [](S s, R) { s.tlvs = as_octets(odd_unused); }, esme_rok},
        {"31 segment beyond the total", [](S s, R) { s.tlvs = as_octets(sar_beyond); },
         esme_rinvoptparamval},
        {"34 sar incomplete", [](S s, R) { s.tlvs = as_octets(sar_incomplete); }, esme_rok},
        {"35 sar beside a UDH",
         [](S s, R) {
             s.esm_class = 0x40;
             s.short_message = as_octets(whole_udh);
             s.tlvs = as_octets(sar_good);
         },
         esme_rok},
        {"35 sar beside a UDH, strict",
         [](S s, R r) {
             s.esm_class = 0x40;
             s.short_message = as_octets(whole_udh);
             s.tlvs = as_octets(sar_good);
             r.strict = true;
         },
         esme_rinvoptparamval},
        {"35 port beside a UDH, strict",
         [](S s, R r) {
             s.esm_class = 0x40;
             s.short_message = as_octets(whole_udh);
             s.tlvs = as_octets(port);
             r.strict = true;
         },
         esme_rinvoptparamval},
        {"the first fault in wire order counts",
         [](S s, R) {
             s.sm_default_msg_id = 1;
             s.destination.digits = "";
             s.esm_class = 0x3C;
         },
         esme_rinvdstadr},
    };
}

class SubmitRows : public testing::TestWithParam<Case> {};

TEST_P(SubmitRows, GetTheirStatus) {
    Sm sm;
    sm.source = {1, 1, "447700900001"};
    sm.destination = {1, 1, "491711234567"};
    sm.short_message = as_octets("hello");
    ValidateRules rules;
    rules.wall_now_ns = noon_ns;
    GetParam().spoil(sm, rules);
    EXPECT_EQ(validate_submit(sm, rules), GetParam().status) << GetParam().row;
}
INSTANTIATE_TEST_SUITE_P(Protocol9, SubmitRows, testing::ValuesIn(submit_cases()));

TEST(ValidateDataSm, Row32NeedsAPayload) {
    Sm sm;
    sm.destination = {1, 1, "491711234567"};
    EXPECT_EQ(validate_data_sm(sm, {}), esme_rmissingoptparam);
    sm.tlvs = as_octets(payload);
    EXPECT_EQ(validate_data_sm(sm, {}), esme_rok);
    sm.esm_class = 0x02;  // transaction mode is for data_sm
    EXPECT_EQ(validate_data_sm(sm, {}), esme_rok);
    sm.esm_class = 0x40;
    EXPECT_EQ(validate_data_sm(sm, {}), esme_rinvesmclass);
}

struct MultiCase {
    const char* row;
    Wire destinations;
    unsigned replace;
    ValidateRules rules;
    CommandStatus status;
};

TEST(ValidateSubmitMulti, Row36DestinationsOneByOne) {
    const auto good = [] { return Wire().u8(1).u8(1).address(1, 1, "2001"); };
    Wire many = Wire().u8(255);
    for (int i = 0; i < 255; ++i) {
        many.u8(1).address(1, 1, "2001");
    }
    const MultiCase cases[] = {
        {"right", good(), 0, {}, esme_rok},
        {"list", Wire().u8(1).u8(2).c_string("friends"), 0, {}, esme_rcntsubdl},
        {"list, allowed",
         Wire().u8(1).u8(2).c_string("friends"),
         0,
         {.distribution_lists = true},
         esme_rok},
        {"second empty",
         Wire().u8(2).u8(1).address(1, 1, "1").u8(1).address(1, 1, ""),
         0,
         {},
         esme_rinvdstadr},
        {"TON of the second",
         Wire().u8(2).u8(1).address(1, 1, "1").u8(1).address(9, 1, "1"),
         0,
         {},
         esme_rinvdstton},
        {"replace", good(), 1, {}, esme_rinvrepflag},
        {"255 destinations", many, 0, {}, esme_rok},
        {"255 destinations, strict", many, 0, {.strict = true}, esme_rinvnumdests},
    };
    for (const MultiCase& c : cases) {
        Wire body;
        body.c_string("").address(1, 1, "1000").text(as_chars(Octets(c.destinations)));
        body.u8(0).u8(0).u8(0).c_string("").c_string("").u8(0).u8(c.replace).u8(0).u8(0);
        body.u8(2).text("hi");
        SubmitMulti multi;
        ASSERT_EQ(decode_submit_multi(body, {}, multi), esme_rok) << c.row;
        EXPECT_EQ(validate_submit_multi(multi, c.rules), c.status) << c.row;
    }
}

// Addresses are looked at in words: every octet at every place of every length.
TEST(Validate, ControlCharactersAnywhereInAnAddress) {
    for (size_t length = 1; length <= 20; ++length) {
        for (size_t at = 0; at < length; ++at) {
            for (uint32_t octet = 1; octet < 256; ++octet) {
                std::string digits(length, '7');
                digits[at] = static_cast<char>(octet);
                Sm sm;
                sm.source = {1, 1, digits};
                sm.destination = {1, 1, "447700900123"};
                const bool control = octet < 0x20 || octet == 0x7F;
                ASSERT_EQ(validate_submit(sm, {}), control ? esme_rinvsrcadr : esme_rok) << octet;
            }
        }
    }
}

}  // namespace
}  // namespace sy::smpp
