// Goal: a text expression sees the same characters however the message carries them: every
// alphabet, with and without a UDH, in short_message or in message_payload. Method: octets written
// out by hand, and an expression that is the whole text.
#include <cstdint>
#include <string>
#include <vector>

#include "tests/unit/route/route_fixture.h"

namespace sy::route {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint8_t udhi = 0x40;
constexpr uint8_t gsm = 0;
constexpr uint8_t latin1 = 3;
constexpr uint8_t binary = 4;
constexpr uint8_t ucs2 = 8;

struct Carried {
    uint8_t data_coding;
    Bytes udh;  // empty: none
    Bytes text;
    bool payload = false;
};

Bytes operator+(Bytes left, const Bytes& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

bool matches(const std::string& expression, const Carried& carried) {
    MtRule rule;
    rule.line = 2;
    rule.plan = "default";
    rule.text = expression;
    rule.targets = testing::to_suppliers({{0}});
    testing::MtBench bench({rule});
    const Bytes octets = carried.udh + carried.text;
    const auto size = static_cast<uint16_t>(octets.size());
    const Bytes payload =
        Bytes{0x04, 0x24, static_cast<uint8_t>(size >> 8), static_cast<uint8_t>(size & 0xFF)} +
        octets;
    smpp::Sm sm;
    sm.data_coding = carried.data_coding;
    sm.esm_class = carried.udh.empty() ? 0 : udhi;
    if (carried.payload) {
        sm.tlvs = payload;
    } else {
        sm.short_message = octets;
    }
    MtQuery query;
    query.plan = PlanId{0};
    query.destination = "447700900123";
    query.sm = &sm;
    return bench.decide(query).rule_line == 2;
}

// In each of the four ways that a message can have it.
void expect_text(const std::string& utf8, uint8_t data_coding, const Bytes& text, Bytes udh) {
    const std::string whole = "^" + utf8 + "$";
    for (const bool payload : {false, true}) {
        EXPECT_TRUE(matches(whole, {data_coding, udh, text, payload})) << utf8 << payload;
        EXPECT_FALSE(matches("x" + utf8, {data_coding, udh, text, payload})) << utf8 << payload;
    }
}

const Bytes concat8{5, 0x00, 3, 0x7A, 2, 1};
const Bytes concat16{6, 0x08, 4, 0x12, 0x34, 2, 1};

TEST(ScanText, GsmDefaultAlphabet) {
    const Bytes text{0x00, 0x02, 'a', 0x11, 0x05, 0x10, 0x40, 0x5B, 0x7D, 0x09};
    for (const Bytes& udh : {Bytes{}, concat8, concat16}) {
        expect_text("@\\$a_éΔ¡ÄñÇ", gsm, text, udh);
    }
}

TEST(ScanText, GsmExtensionTable) {
    const Bytes text{0x1B, 0x65, '5', 0x1B, 0x28, 0x1B, 0x3E, 0x1B, 0x40};
    for (const Bytes& udh : {Bytes{}, concat8, concat16}) {
        expect_text("€5\\{\\]\\|", gsm, text, udh);
    }
}

TEST(ScanText, GsmNationalTablesThatTheUdhNames) {
    const Bytes turkish_single{3, 0x24, 1, 1};
    const Bytes turkish_both{6, 0x24, 1, 1, 0x25, 1, 1};
    const Bytes portuguese_in_part{8, 0x00, 3, 0x7A, 2, 1, 0x25, 1, 3};
    expect_text("ŞığÜ", gsm, {0x1B, 0x53, 0x1B, 0x69, 0x1B, 0x67, 0x5E}, turkish_single);
    expect_text("İçş€ğ", gsm, {0x40, 0x60, 0x1D, 0x04, 0x1B, 0x67}, turkish_both);
    expect_text("êÍÃ", gsm, {0x04, 0x40, 0x5B}, portuguese_in_part);
    // A language without tables here is read by the default ones.
    expect_text("@€", gsm, {0x00, 0x1B, 0x65}, {3, 0x24, 1, 99});
}

TEST(ScanText, Latin1) {
    for (const Bytes& udh : {Bytes{}, concat8, concat16}) {
        expect_text("Café £5 ñ", latin1, {'C', 'a', 'f', 0xE9, ' ', 0xA3, '5', ' ', 0xF1}, udh);
    }
}

TEST(ScanText, Ucs2WithSurrogatesAndByteOrderMarks) {
    const Bytes big{0x04, 0x1F, 0x04, 0x40, 0x00, '!', 0xD8, 0x3D, 0xDE, 0x00};
    for (const Bytes& udh : {Bytes{}, concat8, concat16}) {
        expect_text("Пр!😀", ucs2, big, udh);
        expect_text("Пр!😀", ucs2, Bytes{0xFE, 0xFF} + big, udh);
        expect_text("Пр", ucs2, {0xFF, 0xFE, 0x1F, 0x04, 0x40, 0x04}, udh);
    }
    EXPECT_TRUE(matches("(?i)^пР!", {ucs2, {}, big}));  // letter case beyond ASCII
}

TEST(ScanText, LongTextComesByThePayload) {
    Bytes text(900, 'x');
    text.push_back('y');
    EXPECT_TRUE(matches("xy$", {gsm, {}, text, true}));
    EXPECT_TRUE(matches("^x{900}y$", {gsm, concat16, text, true}));
}

TEST(ScanText, WhatIsNoTextMatchesNothing) {
    EXPECT_FALSE(matches(".*", {binary, {}, {'a'}}));
    EXPECT_FALSE(matches(".*", {gsm, {2, 0x70, 0}, {'a'}}));  // a SIM toolkit command
    EXPECT_TRUE(matches(".*", {gsm, {}, {}}));                // an empty text is a text
}

// A header that claims more than there is counts as text, so that nothing hides behind it.
TEST(ScanText, MalformedUdhHidesNothing) {
    EXPECT_TRUE(matches("spam", {gsm, {200}, {'s', 'p', 'a', 'm'}}));
    EXPECT_TRUE(matches("spam", {gsm, {3, 0x24, 9}, {'x', 's', 'p', 'a', 'm'}}));
}

}  // namespace
}  // namespace sy::route
