// Congestion: what suppliers say of theirs, and what 5.0 customers hear of ours.
#include <string>

#include "core/engine/worker.h"
#include "tests/unit/engine/fixture.h"

namespace sy::engine {
namespace {

test::SimConfig with_v50_supplier() {
    test::SimConfig config = basic_config();
    config.suppliers[0].interface_version = 0x50;
    config.suppliers[0].window = 40;
    config.customers[0].window = 1000;
    return config;
}

class CongestionTest : public EngineTest {
  protected:
    CongestionTest() : EngineTest(with_v50_supplier()) {
        alpha.on_pdu = [this](const Pdu& pdu) {
            if (pdu.header.command_id != CommandId::submit_sm || congestion < 0) {
                return false;
            }
            alpha.received.push_back(pdu);
            answer_with(pdu, static_cast<uint8_t>(congestion));
            return true;
        };
    }

    void answer_with(const Pdu& request, uint8_t state) {
        const std::string tlv{'\x04', '\x28', '\0', '\x01', static_cast<char>(state)};
        alpha.send_pdu(request.conn, [&](auto out) {
            return smpp::encode_sm_resp(out, CommandId::submit_sm_resp,
                                        request.header.sequence_number,
                                        {std::to_string(alpha.next_id++), as_octets(tlv)});
        });
    }

    void submit(ConnId conn, uint32_t count) {
        for (uint32_t i = 0; i < count; ++i) {
            acme.submit(conn, next_sequence++, test::sm("Shop", "447700900001", "x"));
        }
        router.run_for(50 * millisecond_ns);
    }
    size_t to_alpha() { return alpha.all(CommandId::submit_sm).size(); }
    uint32_t allowed() { return router.hub().supplier(SupplierId{0}).gate.allowed(40); }

    int congestion = -1;  // what alpha says; -1: nothing
    uint32_t next_sequence = 100;
};

TEST_F(CongestionTest, ASupplierNearItsLimitGetsHalfAndThenMoreStepByStep) {
    const ConnId conn = bind();
    congestion = 95;
    submit(conn, 1);
    EXPECT_EQ(allowed(), 20u);
    congestion = -1;
    alpha.answer_submits = false;
    const size_t before = to_alpha();
    submit(conn, 100);
    EXPECT_EQ(to_alpha() - before, 20u);
    std::vector<Pdu> window;
    const auto all = alpha.all(CommandId::submit_sm);
    for (size_t i = before; i < all.size(); ++i) {
        window.push_back(*all[i]);
    }
    for (const Pdu& pdu : window) {
        answer_with(pdu, 10);
    }
    router.run_for(50 * millisecond_ns);
    EXPECT_EQ(allowed(), 21u);
    EXPECT_EQ(to_alpha() - before, 41u);
}

TEST_F(CongestionTest, AWindowOfBadNewsHalvesItOnce) {
    const ConnId conn = bind();
    congestion = 99;
    submit(conn, 40);
    EXPECT_EQ(allowed(), 20u);
}

TEST_F(CongestionTest, AtItsOptimumItGetsNoLess) {
    const ConnId conn = bind();
    for (const int state : {0, 50, 79, 80, 89}) {
        congestion = state;
        submit(conn, 20);
        EXPECT_EQ(allowed(), 40u) << state;
    }
}

TEST_F(CongestionTest, WhatTheSpecificationDoesNotKnowSaysNothing) {
    const ConnId conn = bind();
    for (const int state : {101, 255}) {
        congestion = state;
        submit(conn, 5);
        EXPECT_EQ(allowed(), 40u) << state;
    }
}

TEST_F(CongestionTest, AFullSupplierGetsNothingForAMoment) {
    const ConnId conn = bind();
    congestion = 100;
    submit(conn, 1);
    const size_t before = to_alpha();
    congestion = 0;
    submit(conn, 10);
    EXPECT_EQ(to_alpha(), before);
    router.run_for(second_ns);
    EXPECT_EQ(to_alpha(), before + 10);
}

// A peer that is bound as 3.4 has no such TLV: what it sends under that tag is its own.
TEST_F(CongestionTest, OnlyOf50PeersItIsHeard) {
    config.suppliers[0].interface_version = 0x34;
    router.reload(config);
    router.run_for(3 * second_ns);
    const ConnId conn = bind();
    congestion = 100;
    submit(conn, 20);
    EXPECT_EQ(allowed(), 40u);
    EXPECT_EQ(to_alpha(), 20u);
}

TEST_F(CongestionTest, ThrottlingHalvesWhatIsInFlightBehindThePause) {
    const ConnId conn = bind();
    alpha.submit_status = CommandStatus::esme_rthrottled;
    submit(conn, 1);
    EXPECT_EQ(allowed(), 20u);
    alpha.submit_status = CommandStatus::esme_rok;
    alpha.answer_submits = false;
    const size_t before = to_alpha();
    submit(conn, 60);
    EXPECT_EQ(to_alpha(), before);
    router.run_for(second_ns);
    EXPECT_EQ(to_alpha() - before, 20u);
}

TEST_F(CongestionTest, A50CustomerHearsHowFullItsWindowIs) {
    config.customers[0].window = 4;
    router.reload(config);
    const ConnId conn = bind(CommandId::bind_transceiver, 0x50);
    alpha.answer_submits = false;
    submit(conn, 3);
    const Pdu first = *alpha.all(CommandId::submit_sm).at(0);
    alpha.answer(first, CommandStatus::esme_rok, "1");
    router.run_for(50 * millisecond_ns);
    const Pdu* response = acme.response(conn, 100);
    ASSERT_NE(response, nullptr);
    // message_id, NUL, then tag 0x0428, length 1, 50: two of four are still open.
    const std::string& body = response->body;
    const size_t nul = body.find('\0');
    ASSERT_NE(nul, std::string::npos);
    EXPECT_EQ(body.substr(nul + 1), std::string("\x04\x28\x00\x01\x32", 5));
}

TEST_F(CongestionTest, OrHowFullTheQueueOfItsSupplierIs) {
    // A ring is as large as it was made: of a new supplier.
    config.suppliers.push_back(test::supplier("gamma", "10.0.1.2:2776"));
    config.suppliers[2].queue = 64;
    config.suppliers[2].window = 1;
    config.mt.push_back(test::rule("39", {2}));
    router.reload(config);
    const ConnId conn = bind(CommandId::bind_transceiver, 0x50);
    router.run_for(second_ns);
    beta.answer_submits = false;
    for (uint32_t i = 0; i < 50; ++i) {
        acme.submit(conn, 100 + i, test::sm("Shop", "39612345678", "x"));
    }
    router.run_for(50 * millisecond_ns);
    beta.answer(*beta.all(CommandId::submit_sm).at(0), CommandStatus::esme_rok, "1");
    ASSERT_TRUE(router.run_until([&] { return acme.response(conn, 100) != nullptr; }));
    // 49 of 64 were waiting when the answer came: 76.
    EXPECT_EQ(acme.response(conn, 100)->body.substr(acme.response(conn, 100)->body.find('\0') + 1),
              std::string("\x04\x28\x00\x01\x4C", 5));
}

TEST_F(CongestionTest, Other34CustomersHearNothingOfIt) {
    const ConnId conn = bind();
    submit(conn, 1);
    const Pdu* response = answer(conn, 100);
    ASSERT_NE(response, nullptr);
    EXPECT_EQ(response->body.find('\0'), response->body.size() - 1);
}

}  // namespace
}  // namespace sy::engine
