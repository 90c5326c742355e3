// Rates and long messages: a limiter delays or refuses messages, never parts of one.
#include <string>

#include "core/engine/worker.h"
#include "tests/unit/engine/fixture.h"

namespace sy::engine {
namespace {

class RateTest : public EngineTest {
  protected:
    /// Part `part` of the long message `reference` of `total` parts.
    void submit_part(
        ConnId conn, uint32_t sequence, uint8_t reference, uint8_t part, uint8_t total) {
        const std::string text{'\x05',
                               '\0',
                               '\x03',
                               static_cast<char>(reference),
                               static_cast<char>(total),
                               static_cast<char>(part),
                               'x'};
        smpp::Sm sm = test::sm("Shop", "447700900001", "");
        sm.esm_class = 0x40;
        sm.short_message = as_octets(text);
        acme.submit(conn, sequence, sm);
    }
    CommandStatus status(ConnId conn, uint32_t sequence) {
        const Pdu* response = answer(conn, sequence);
        EXPECT_NE(response, nullptr) << sequence;
        return response != nullptr ? response->status() : CommandStatus::esme_runknownerr;
    }
    void limit_customer() {
        config.customers[0].rate_per_second = 10;
        config.customers[0].burst = 2;
        config.customers[0].window = 1000;
        router.reload(config);
    }
};

TEST_F(RateTest, TheDoorTakesAllPartsOfAMessageWhoseFirstItTook) {
    limit_customer();
    const ConnId conn = bind();
    acme.submit(conn, 10, test::sm("Shop", "447700900001", "x"));
    for (uint8_t part = 1; part <= 5; ++part) {  // one token is left for them
        submit_part(conn, 10u + part, 7, part, 5);
    }
    acme.submit(conn, 20, test::sm("Shop", "447700900001", "x"));
    for (uint32_t sequence = 10; sequence <= 15; ++sequence) {
        EXPECT_EQ(status(conn, sequence), CommandStatus::esme_rok) << sequence;
    }
    EXPECT_EQ(status(conn, 20), CommandStatus::esme_rthrottled);
}

TEST_F(RateTest, ASubmitMultiThatIsRefusedCostsNothing) {
    limit_customer();
    const ConnId conn = bind();
    acme.submit(conn, 10, test::sm("Shop", "447700900001", "x"));
    EXPECT_EQ(status(conn, 10), CommandStatus::esme_rok);
    smpp::SubmitMulti multi;
    multi.sm = test::sm("Shop", "", "to all");
    std::string list;
    for (int i = 0; i < 2; ++i) {
        list += std::string("\x01\x01\x01", 3) + "447700900001" + '\0';
    }
    multi.number_of_dests = 2;
    multi.dest_addresses = as_octets(list);
    const auto submit_multi = [&](uint32_t sequence) {
        acme.send_pdu(conn,
                      [&](auto out) { return smpp::encode_submit_multi(out, sequence, multi); });
    };
    submit_multi(11);
    EXPECT_EQ(status(conn, 11), CommandStatus::esme_rthrottled) << "one of two tokens is left";
    acme.submit(conn, 12, test::sm("Shop", "447700900001", "x"));
    EXPECT_EQ(status(conn, 12), CommandStatus::esme_rok);
    router.run_for(200 * millisecond_ns);
    submit_multi(13);
    EXPECT_EQ(status(conn, 13), CommandStatus::esme_rok);
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), 4u);
}

TEST_F(RateTest, WhatWentOnCreditIsPaidBack) {
    limit_customer();
    const ConnId conn = bind();
    for (uint8_t part = 1; part <= 7; ++part) {  // five beyond the burst
        submit_part(conn, 10u + part, 7, part, 7);
    }
    router.run_for(450 * millisecond_ns);
    acme.submit(conn, 30, test::sm("Shop", "447700900001", "x"));
    EXPECT_EQ(status(conn, 30), CommandStatus::esme_rthrottled);
    router.run_for(200 * millisecond_ns);
    acme.submit(conn, 31, test::sm("Shop", "447700900001", "x"));
    EXPECT_EQ(status(conn, 31), CommandStatus::esme_rok);
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), 8u);
}

TEST_F(RateTest, NoPartOfAMessageThatHasNotBegunGoesOnCredit) {
    limit_customer();
    const ConnId conn = bind();
    submit_part(conn, 10, 7, 1, 2);
    submit_part(conn, 11, 7, 2, 2);
    submit_part(conn, 12, 8, 1, 2);
    submit_part(conn, 13, 8, 2, 2);
    EXPECT_EQ(status(conn, 10), CommandStatus::esme_rok);
    EXPECT_EQ(status(conn, 11), CommandStatus::esme_rok);
    EXPECT_EQ(status(conn, 12), CommandStatus::esme_rthrottled);
    EXPECT_EQ(status(conn, 13), CommandStatus::esme_rthrottled);
}

// Who calls everything a part of one message gets the longest message's worth, once.
TEST_F(RateTest, CreditAtTheDoorIsBounded) {
    limit_customer();
    const ConnId conn = bind();
    for (uint32_t i = 0; i < 600; ++i) {
        submit_part(conn, 10 + i, 7, static_cast<uint8_t>(i % 2 + 1), 2);
    }
    router.run_for(second_ns);
    size_t accepted = 0;
    for (const Pdu* pdu : acme.all(CommandId::submit_sm_resp)) {
        accepted += pdu->status() == CommandStatus::esme_rok ? 1u : 0u;
    }
    EXPECT_GE(accepted, 256u);
    EXPECT_LE(accepted, 258u);
}

TEST_F(RateTest, ASuppliersRateLetsPartsLeaveTogether) {
    config.suppliers[0].rate_per_second = 10;
    config.suppliers[0].burst = 1;
    router.reload(config);
    const ConnId conn = bind();
    for (uint8_t part = 1; part <= 4; ++part) {
        submit_part(conn, 10u + part, 7, part, 4);
    }
    acme.submit(conn, 20, test::sm("Shop", "447700900001", "x"));
    router.run_for(50 * millisecond_ns);
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), 4u);
    router.run_for(300 * millisecond_ns);
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), 4u);  // the credit is paid for
    router.run_for(100 * millisecond_ns);
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), 5u);
}

}  // namespace
}  // namespace sy::engine
