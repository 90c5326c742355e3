// Receipts: every way in which one comes, and what the customer gets (PROTOCOL 15, 16.1).
#include "core/engine/worker.h"
#include "tests/unit/engine/fixture.h"

namespace sy::engine {
namespace {

class ReceiptTest : public EngineTest {
  protected:
    using EngineTest::EngineTest;

    // Submits a message that asks for a receipt and gives the supplier's id and the customer's.
    struct Sent {
        std::string customer_id;
        std::string supplier_id;
    };
    Sent submit(ConnId conn,
                uint32_t sequence,
                const std::string& supplier_id,
                uint8_t registered_delivery = 1) {
        alpha.answer_submits = false;
        smpp::Sm sm = test::sm("Shop", "+447700900001", "x");
        sm.registered_delivery = registered_delivery;
        const size_t before = alpha.all(CommandId::submit_sm).size();
        acme.submit(conn, sequence, sm);
        EXPECT_TRUE(
            router.run_until([&] { return alpha.all(CommandId::submit_sm).size() == before + 1; }));
        alpha.answer(*alpha.all(CommandId::submit_sm).back(), CommandStatus::esme_rok, supplier_id);
        const Pdu* response = answer(conn, sequence);
        EXPECT_NE(response, nullptr);
        return {response == nullptr ? "" : id_of(*response), supplier_id};
    }

    static std::string text(const std::string& id, const std::string& stat) {
        return "id:" + id +
               " sub:001 dlvrd:001 submit date:2611230900 done date:2611230901 stat:" + stat +
               " err:000 text:x";
    }

    void send_receipt(const std::string& id,
                      const std::string& stat,
                      uint8_t esm_class = 0x04,
                      size_t link = 0,
                      uint32_t sequence = 500) {
        const std::string body = text(id, stat);
        smpp::Sm sm = test::sm("447700900001", "Shop", body);
        sm.esm_class = esm_class;
        alpha.send_pdu(alpha.bound.at(link), [&](auto out) {
            return smpp::encode_sm(out, CommandId::deliver_sm, sequence, sm);
        });
    }

    bool wait_for_delivers(size_t count, Nanos bound = 10 * second_ns) {
        return router.run_until([&] { return acme.all(CommandId::deliver_sm).size() >= count; },
                                bound);
    }
    std::string delivered_text(size_t index) {
        return std::string(
            as_chars(decode(*acme.all(CommandId::deliver_sm).at(index)).short_message));
    }
};

TEST_F(ReceiptTest, ComesHomeWithTheCustomersIdAndItsOwnAddresses) {
    const ConnId conn = bind();
    const Sent sent = submit(conn, 2, "abc123");
    send_receipt("abc123", "DELIVRD");
    ASSERT_TRUE(wait_for_delivers(1));
    const smpp::Sm sm = decode(*acme.all(CommandId::deliver_sm)[0]);
    EXPECT_EQ(sm.esm_class & smpp::esm_class_type_mask, smpp::esm_class_delivery_receipt);
    EXPECT_EQ(sm.source.digits, "+447700900001");
    EXPECT_EQ(sm.source.ton, 1);
    EXPECT_EQ(sm.destination.digits, "Shop");
    EXPECT_EQ(sm.destination.ton, 5);
    EXPECT_NE(delivered_text(0).find("id:" + sent.customer_id + " "), std::string::npos);
    EXPECT_NE(delivered_text(0).find("stat:DELIVRD"), std::string::npos);
    EXPECT_NE(as_chars(sm.tlvs).find(sent.customer_id), std::string_view::npos);
    router.run_for(second_ns);
    ASSERT_EQ(alpha.all(CommandId::deliver_sm_resp).size(), 1u);
    EXPECT_EQ(alpha.all(CommandId::deliver_sm_resp)[0]->status(), CommandStatus::esme_rok);
    EXPECT_EQ(count(&WorkerCounters::receipts_delivered), 1u);
    EXPECT_EQ(router.in_flight(), 0u);
}

TEST_F(ReceiptTest, ComesHomeToTheCustomersSenderWhereARuleReplacedIt) {
    config.mt[0].sender_to = std::make_shared<const number::Sender>(*number::parse_sender("88000"));
    config.suppliers[0].number_form.rewrites = {{"", "99"}};
    router.reload(config);
    const ConnId conn = bind();
    const Sent sent = submit(conn, 2, "abc");
    EXPECT_EQ(decode(*alpha.all(CommandId::submit_sm).at(0)).source.digits, "88000");
    EXPECT_EQ(decode(*alpha.all(CommandId::submit_sm).at(0)).destination.digits, "99447700900001");
    send_receipt("abc", "DELIVRD");
    ASSERT_TRUE(wait_for_delivers(1));
    const smpp::Sm receipt = decode(*acme.all(CommandId::deliver_sm).at(0));
    EXPECT_EQ(receipt.source.digits, "+447700900001");
    EXPECT_EQ(receipt.destination.digits, "Shop");
}

TEST_F(ReceiptTest, ZerosAndLetterCaseOfTheIdDoNotMatter) {
    const ConnId conn = bind();
    submit(conn, 2, "0e999f21");
    send_receipt("E999F21", "DELIVRD");
    EXPECT_TRUE(wait_for_delivers(1));
}

TEST_F(ReceiptTest, HexInTheResponseAndDecimalInTheReceipt) {
    config.suppliers[0].id_mode = route::MessageIdMode::hex_decimal;
    router.reload(config);
    const ConnId conn = bind();
    submit(conn, 2, "00FF");
    send_receipt("0000000255", "DELIVRD");
    EXPECT_TRUE(wait_for_delivers(1));
}

TEST_F(ReceiptTest, DecimalInTheResponseAndHexInTheReceipt) {
    config.suppliers[0].id_mode = route::MessageIdMode::decimal_hex;
    router.reload(config);
    const ConnId conn = bind();
    submit(conn, 2, "255");
    send_receipt("ff", "DELIVRD");
    EXPECT_TRUE(wait_for_delivers(1));
}

TEST_F(ReceiptTest, BeforeItsResponseIsParkedAndThenDelivered) {
    const ConnId conn = bind();
    alpha.answer_submits = false;
    smpp::Sm sm = test::sm("Shop", "447700900001", "x");
    sm.registered_delivery = 1;
    acme.submit(conn, 2, sm);
    router.run_until([&] { return alpha.all(CommandId::submit_sm).size() == 1; });
    send_receipt("early", "DELIVRD");
    router.run_for(second_ns);
    EXPECT_TRUE(acme.all(CommandId::deliver_sm).empty());
    EXPECT_EQ(count(&WorkerCounters::receipts_parked), 1u);
    alpha.answer(*alpha.all(CommandId::submit_sm)[0], CommandStatus::esme_rok, "early");
    ASSERT_TRUE(wait_for_delivers(1));
    // The response came first all the same.
    EXPECT_NE(acme.response(conn, 2), nullptr);
    EXPECT_EQ(router.run_until([&] { return router.in_flight() == 0; }), true);
}

TEST_F(ReceiptTest, OfNobodyIsAcceptedAndCountedAfterTheParkTime) {
    bind();
    send_receipt("nobody", "DELIVRD");
    router.run_for(35 * second_ns);
    EXPECT_EQ(alpha.all(CommandId::deliver_sm_resp).at(0)->status(), CommandStatus::esme_rok);
    EXPECT_EQ(count(&WorkerCounters::receipts_orphaned), 1u);
    EXPECT_EQ(router.in_flight(), 0u);
}

TEST_F(ReceiptTest, OfNobodyIsRefusedWhereTheSupplierIsToRepeatIt) {
    config.suppliers[0].orphan_refuse = true;
    config.suppliers[0].receipt_park_ns = 2 * second_ns;
    router.reload(config);
    bind();
    send_receipt("nobody", "DELIVRD");
    router.run_for(second_ns);
    EXPECT_TRUE(alpha.all(CommandId::deliver_sm_resp).empty());
    router.run_for(4 * second_ns);
    EXPECT_EQ(alpha.all(CommandId::deliver_sm_resp).at(0)->status(), CommandStatus::esme_rsyserr);
    EXPECT_EQ(router.in_flight(), 0u);
}

TEST_F(ReceiptTest, FailureOnlySuppressesSuccess) {
    const ConnId conn = bind();
    submit(conn, 2, "1", 2);
    submit(conn, 3, "2", 2);
    send_receipt("1", "DELIVRD");
    send_receipt("2", "UNDELIV", 0x04, 0, 501);
    ASSERT_TRUE(wait_for_delivers(1));
    router.run_for(second_ns);
    EXPECT_EQ(acme.all(CommandId::deliver_sm).size(), 1u);
    EXPECT_NE(delivered_text(0).find("stat:UNDELIV"), std::string::npos);
    EXPECT_EQ(count(&WorkerCounters::receipts_suppressed), 1u);
}

TEST_F(ReceiptTest, IntermediateStatesOnlyWhereAskedForAndTheFinalOneFollows) {
    const ConnId conn = bind();
    submit(conn, 2, "1", 1);
    submit(conn, 3, "2", 0x11);
    send_receipt("1", "ENROUTE", 0x20);
    send_receipt("2", "ENROUTE", 0x20, 0, 501);
    send_receipt("1", "DELIVRD", 0x04, 0, 502);
    send_receipt("2", "DELIVRD", 0x04, 0, 503);
    ASSERT_TRUE(wait_for_delivers(3));
    router.run_for(second_ns);
    EXPECT_EQ(acme.all(CommandId::deliver_sm).size(), 3u);
}

TEST_F(ReceiptTest, ARepeatedFinalReceiptIsDeliveredOnce) {
    const ConnId conn = bind();
    submit(conn, 2, "1");
    send_receipt("1", "DELIVRD");
    send_receipt("1", "DELIVRD", 0x04, 0, 501);
    ASSERT_TRUE(wait_for_delivers(1));
    router.run_for(second_ns);
    EXPECT_EQ(acme.all(CommandId::deliver_sm).size(), 1u);
    EXPECT_EQ(alpha.all(CommandId::deliver_sm_resp).size(), 2u);
    EXPECT_EQ(count(&WorkerCounters::receipts_duplicate), 1u);
}

TEST_F(ReceiptTest, WaitsForACustomerThatIsNotBound) {
    const ConnId conn = bind();
    submit(conn, 2, "1");
    acme.close(conn);
    router.run_until([&] { return !acme.is_live(conn); });
    send_receipt("1", "DELIVRD");
    router.run_for(20 * second_ns);
    EXPECT_EQ(alpha.all(CommandId::deliver_sm_resp).size(), 1u);
    EXPECT_TRUE(acme.all(CommandId::deliver_sm).empty());
    bind(CommandId::bind_receiver);
    EXPECT_TRUE(wait_for_delivers(1));
    router.run_for(second_ns);
    EXPECT_EQ(router.in_flight(), 0u);
}

TEST_F(ReceiptTest, SaysWhenItCameAndNotWhenItWasFetched) {
    const ConnId conn = bind();
    submit(conn, 2, "1");
    acme.close(conn);
    router.run_until([&] { return !acme.is_live(conn); });
    send_receipt("1", "DELIVRD");
    router.run_for(180 * second_ns);
    bind(CommandId::bind_receiver);
    ASSERT_TRUE(wait_for_delivers(1));
    const std::string text = delivered_text(0);
    const auto date = [&](const std::string& key) {
        return std::stoll(text.substr(text.find(key) + key.size(), 10));
    };
    // Minutes: the message and its receipt were in the same one or in neighbours.
    EXPECT_LE(date("done date:") - date("submit date:"), 1) << text;
}

TEST_F(ReceiptTest, IsRefusedForNowWhenTooManyWaitAndLostNever) {
    config.customers[0].receipt_queue_max = 2;
    router.reload(config);
    const ConnId conn = bind(CommandId::bind_transmitter);
    for (uint32_t i = 0; i < 4; ++i) {
        submit(conn, 10 + i, "id" + std::to_string(i));
        send_receipt("id" + std::to_string(i), "DELIVRD", 0x04, 0, 500 + i);
        router.run_for(second_ns);
    }
    const auto answers = alpha.all(CommandId::deliver_sm_resp);
    ASSERT_EQ(answers.size(), 4u);
    EXPECT_EQ(answers[0]->status(), CommandStatus::esme_rok);
    EXPECT_EQ(answers[1]->status(), CommandStatus::esme_rok);
    EXPECT_EQ(answers[2]->status(), CommandStatus::esme_rsyserr);
    EXPECT_EQ(answers[3]->status(), CommandStatus::esme_rsyserr);
    EXPECT_EQ(count(&WorkerCounters::receipts_held_off), 2u);
    bind(CommandId::bind_receiver);
    ASSERT_TRUE(wait_for_delivers(2));
    // The supplier repeats what was refused, and now there is room.
    send_receipt("id2", "DELIVRD", 0x04, 0, 600);
    send_receipt("id3", "DELIVRD", 0x04, 0, 601);
    EXPECT_TRUE(wait_for_delivers(4));
    router.run_for(second_ns);
    EXPECT_EQ(router.in_flight(), 0u);
    EXPECT_EQ(router.hub().customer(CustomerId{0}).receipts_waiting.load(), 0);
}

TEST_F(ReceiptTest, IsNotGivenToATransmitter) {
    const ConnId conn = bind(CommandId::bind_transmitter);
    submit(conn, 2, "1");
    send_receipt("1", "DELIVRD");
    router.run_for(5 * second_ns);
    EXPECT_TRUE(acme.all(CommandId::deliver_sm).empty());
    bind(CommandId::bind_receiver);
    EXPECT_TRUE(wait_for_delivers(1));
}

TEST_F(ReceiptTest, IsRepeatedWhenTheSessionDiesBeforeItsAnswer) {
    const ConnId conn = bind();
    submit(conn, 2, "1");
    acme.answer_delivers = false;
    send_receipt("1", "DELIVRD");
    ASSERT_TRUE(wait_for_delivers(1));
    acme.abort(conn);
    router.run_until([&] { return !acme.is_live(conn); });
    acme.answer_delivers = true;
    bind();
    EXPECT_TRUE(wait_for_delivers(2));
    router.run_for(second_ns);
    EXPECT_EQ(router.in_flight(), 0u);
}

TEST_F(ReceiptTest, IsRepeatedAfterATemporaryRefusalAndNotAfterAFinalOne) {
    const ConnId conn = bind();
    submit(conn, 2, "1");
    acme.answer_delivers = false;
    send_receipt("1", "DELIVRD");
    ASSERT_TRUE(wait_for_delivers(1));
    acme.answer(*acme.all(CommandId::deliver_sm)[0], CommandStatus::esme_rthrottled);
    ASSERT_TRUE(wait_for_delivers(2));
    acme.answer(*acme.all(CommandId::deliver_sm)[1], CommandStatus::esme_rx_r_appn);
    router.run_for(30 * second_ns);
    EXPECT_EQ(acme.all(CommandId::deliver_sm).size(), 2u);
    EXPECT_EQ(count(&WorkerCounters::receipts_refused), 1u);
    EXPECT_EQ(router.in_flight(), 0u);
}

TEST_F(ReceiptTest, ByItsTextAloneWhereTheTypeBitsAreMissing) {
    const ConnId conn = bind();
    submit(conn, 2, "1");
    send_receipt("1", "DELIVRD", 0x00);
    ASSERT_TRUE(wait_for_delivers(1));
    EXPECT_EQ(count(&WorkerCounters::mo_in), 0u);
}

TEST_F(ReceiptTest, SurvivesARerouteAndFindsItsWayFromTheSupplierThatTookIt) {
    const ConnId conn = bind();
    alpha.submit_status = CommandStatus::esme_rsyserr;
    smpp::Sm sm = test::sm("Shop", "33612345678", "x");
    sm.registered_delivery = 1;
    acme.submit(conn, 2, sm);
    ASSERT_NE(answer(conn, 2), nullptr);
    const std::string body = text("1", "DELIVRD");
    smpp::Sm receipt = test::sm("33612345678", "Shop", body);
    receipt.esm_class = 4;
    beta.send_pdu(beta.bound.at(0), [&](auto out) {
        return smpp::encode_sm(out, CommandId::deliver_sm, 1, receipt);
    });
    ASSERT_TRUE(wait_for_delivers(1));
    EXPECT_NE(delivered_text(0).find(id_of(*acme.response(conn, 2))), std::string::npos);
}

test::SimConfig two_binds() {
    test::SimConfig config = basic_config();
    config.suppliers[0].binds = 4;
    return config;
}

class ReceiptManyWorkersTest : public ReceiptTest {
  protected:
    ReceiptManyWorkersTest() : ReceiptTest(two_binds(), 4) {}
};

TEST_F(ReceiptManyWorkersTest, ByAnyBindOnAnyWorker) {
    const ConnId conn = bind();
    ASSERT_TRUE(router.run_until([&] { return alpha.bound.size() == 4; }));
    for (uint32_t i = 0; i < 40; ++i) {
        submit(conn, 10 + i, "id-" + std::to_string(i));
        send_receipt("id-" + std::to_string(i), "DELIVRD", 0x04, i % 4, 500 + i);
    }
    EXPECT_TRUE(wait_for_delivers(40));
    router.run_for(second_ns);
    EXPECT_EQ(acme.all(CommandId::deliver_sm).size(), 40u);
    EXPECT_EQ(router.in_flight(), 0u);
}

}  // namespace
}  // namespace sy::engine
