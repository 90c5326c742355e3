// The way of an MT message: from submit_sm to submit_sm_resp.
#include <set>

#include "core/engine/worker.h"
#include "tests/unit/engine/fixture.h"

namespace sy::engine {
namespace {

class MtTest : public EngineTest {};

TEST_F(MtTest, ReachesTheSupplierOfItsPrefixAndIsAnsweredWithAnId) {
    const ConnId conn = bind();
    acme.submit(conn, 7, test::sm("Shop", "447700900001", "hello"));
    const Pdu* response = answer(conn, 7);
    ASSERT_NE(response, nullptr);
    EXPECT_EQ(response->header.command_id, CommandId::submit_sm_resp);
    EXPECT_EQ(response->status(), CommandStatus::esme_rok);
    EXPECT_FALSE(id_of(*response).empty());
    ASSERT_EQ(alpha.all(CommandId::submit_sm).size(), 1u);
    EXPECT_TRUE(beta.all(CommandId::submit_sm).empty());
    const smpp::Sm sm = decode(*alpha.all(CommandId::submit_sm)[0]);
    EXPECT_EQ(sm.source.digits, "Shop");
    EXPECT_EQ(sm.source.ton, 5);
    EXPECT_EQ(sm.destination.digits, "447700900001");
    EXPECT_EQ(sm.destination.ton, 1);
    EXPECT_EQ(as_chars(sm.short_message), "hello");
    EXPECT_EQ(count(&WorkerCounters::mt_accepted), 1u);
    EXPECT_EQ(router.in_flight(), 0u);
}

TEST_F(MtTest, FieldsFlagsAndTlvsPassThroughUnchanged) {
    const ConnId conn = bind();
    smpp::Sm sm = test::sm("12345", "", "");
    const std::string text("\x05\x00\x03\x2a\x02\x01part one", 14);
    const std::string tlvs("\x14\x00\x00\x03\x01\x00\x02\x02\x04\x00\x02\x12\x34", 13);
    sm.destination = {1, 1, "+447700900001"};
    sm.service_type = "CMT";
    sm.esm_class = 0x43;
    sm.protocol_id = 0x41;
    sm.priority_flag = 2;
    sm.registered_delivery = 0;
    sm.data_coding = 0x04;
    sm.short_message = as_octets(text);
    sm.tlvs = as_octets(tlvs);
    acme.submit(conn, 2, sm);
    ASSERT_NE(answer(conn, 2), nullptr);
    ASSERT_EQ(answer(conn, 2)->status(), CommandStatus::esme_rok);
    const smpp::Sm out = decode(*alpha.all(CommandId::submit_sm).at(0));
    EXPECT_EQ(out.service_type, "CMT");
    EXPECT_EQ(out.esm_class, 0x43);
    EXPECT_EQ(out.protocol_id, 0x41);
    EXPECT_EQ(out.priority_flag, 2);
    EXPECT_EQ(out.data_coding, 0x04);
    EXPECT_EQ(as_chars(out.short_message), text);
    EXPECT_EQ(as_chars(out.tlvs), tlvs);
    EXPECT_EQ(out.destination.digits, "447700900001");
}

TEST_F(MtTest, EveryMessageOfABurstIsAnsweredOnceWithItsSequenceNumber) {
    config.customers[0].window = 500;
    router.reload(config);
    const ConnId conn = bind();
    for (uint32_t i = 0; i < 300; ++i) {
        acme.submit(conn, 1000 + i,
                    test::sm("Shop", i % 2 == 0 ? "447700900001" : "4915112345678", "x"));
    }
    ASSERT_TRUE(
        router.run_until([&] { return acme.all(CommandId::submit_sm_resp).size() == 300; }));
    std::set<uint32_t> sequences;
    std::set<std::string> ids;
    for (const Pdu* pdu : acme.all(CommandId::submit_sm_resp)) {
        EXPECT_EQ(pdu->status(), CommandStatus::esme_rok);
        sequences.insert(pdu->header.sequence_number);
        ids.insert(id_of(*pdu));
    }
    EXPECT_EQ(sequences.size(), 300u);
    EXPECT_EQ(*sequences.begin(), 1000u);
    EXPECT_EQ(ids.size(), 300u);
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), 150u);
    EXPECT_EQ(beta.all(CommandId::submit_sm).size(), 150u);
}

TEST_F(MtTest, NoRouteIsAnsweredWithTheAccountsStatus) {
    const ConnId conn = bind();
    acme.submit(conn, 2, test::sm("Shop", "15551234567", "x"));
    ASSERT_NE(answer(conn, 2), nullptr);
    EXPECT_EQ(answer(conn, 2)->status(), CommandStatus::esme_rinvdstadr);
    EXPECT_EQ(count(&WorkerCounters::mt_rejected), 1u);
}

TEST_F(MtTest, ARuleReplacesTheSenderInItsOwnForm) {
    const auto submitted = [&](const char* sender_to, uint32_t sequence) {
        config.mt[0].sender_to =
            std::make_shared<const number::Sender>(*number::parse_sender(sender_to));
        router.reload(config);
        const ConnId conn = bind();
        acme.submit(conn, sequence, test::sm("447700900777", "447700900001", "x"));
        EXPECT_NE(answer(conn, sequence), nullptr);
        const smpp::Sm sm = decode(*alpha.all(CommandId::submit_sm).back());
        return std::to_string(sm.source.ton) + "/" + std::to_string(sm.source.npi) + " " +
               std::string(sm.source.digits);
    };
    EXPECT_EQ(submitted("My Shop", 2), "5/0 My Shop");
    EXPECT_EQ(submitted("88000", 3), "3/0 88000");
    EXPECT_EQ(submitted("+4915112345678", 4), "1/1 4915112345678");
}

TEST_F(MtTest, ANameIsReplacedByANumberAndTheNextMessageKeepsItsOwn) {
    config.mt[0].sender_to = std::make_shared<const number::Sender>(*number::parse_sender("88000"));
    router.reload(config);
    const ConnId conn = bind();
    acme.submit(conn, 2, test::sm("Shop", "447700900001", "x"));
    ASSERT_NE(answer(conn, 2), nullptr);
    acme.submit(conn, 3, test::sm("Shop", "4915112345678", "x"));
    ASSERT_NE(answer(conn, 3), nullptr);
    EXPECT_EQ(decode(*alpha.all(CommandId::submit_sm).at(0)).source.digits, "88000");
    EXPECT_EQ(decode(*beta.all(CommandId::submit_sm).at(0)).source.digits, "Shop");
    EXPECT_EQ(decode(*beta.all(CommandId::submit_sm).at(0)).source.ton, 5);
}

TEST_F(MtTest, EachSupplierGetsTheDestinationInItsOwnForm) {
    config.suppliers[0].number_form.national_country = "33";
    config.suppliers[0].number_form.trunk_prefix = "0";
    config.suppliers[1].number_form.prefix = "+";
    config.suppliers[1].number_form.rewrites = {{"33", "9933"}};
    router.reload(config);
    alpha.submit_status = CommandStatus::esme_rsyserr;
    const ConnId conn = bind();
    acme.submit(conn, 2, test::sm("Shop", "+33612345678", "x"));  // alpha refuses, then beta
    ASSERT_NE(answer(conn, 2), nullptr);
    const smpp::Sm national = decode(*alpha.all(CommandId::submit_sm).at(0));
    EXPECT_EQ(national.destination.digits, "0612345678");
    EXPECT_EQ(national.destination.ton, 2);
    const smpp::Sm rewritten = decode(*beta.all(CommandId::submit_sm).at(0));
    EXPECT_EQ(rewritten.destination.digits, "+9933612345678");
    EXPECT_EQ(rewritten.destination.ton, 1);
}

// The simulated clock starts on Thursday, 2026-01-01 00:00 UTC.
TEST_F(MtTest, AWhenHoldsByTheClockOfTheWorker) {
    auto when = std::make_shared<route::When>();
    const auto thursday = static_cast<int32_t>(3 * route::day_seconds);
    const auto utc = std::make_shared<const route::Zone>(route::Zone{"UTC", {{0, 0}}});
    when->parts.push_back({utc, {{thursday, thursday + 30}}});
    config.mt[0].when = when;
    config.mt.push_back(test::rule("44", {1}));
    router.reload(config);
    const ConnId conn = bind();
    acme.submit(conn, 2, test::sm("Shop", "447700900001", "x"));
    ASSERT_NE(answer(conn, 2), nullptr);
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), 1u);
    router.run_for(30 * second_ns);
    acme.submit(conn, 3, test::sm("Shop", "447700900001", "x"));
    ASSERT_NE(answer(conn, 3), nullptr);
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), 1u);
    EXPECT_EQ(beta.all(CommandId::submit_sm).size(), 1u);
}

TEST_F(MtTest, AStatusOfClassNextGoesToTheNextTarget) {
    alpha.submit_status = CommandStatus::esme_rsyserr;
    const ConnId conn = bind();
    acme.submit(conn, 2, test::sm("Shop", "33612345678", "x"));
    ASSERT_NE(answer(conn, 2), nullptr);
    EXPECT_EQ(answer(conn, 2)->status(), CommandStatus::esme_rok);
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), 1u);
    EXPECT_EQ(beta.all(CommandId::submit_sm).size(), 1u);
    EXPECT_EQ(count(&WorkerCounters::mt_rerouted), 1u);
}

TEST_F(MtTest, AFinalStatusGoesToTheCustomerAndNowhereElse) {
    alpha.submit_status = CommandStatus::esme_rinvmsglen;
    const ConnId conn = bind();
    acme.submit(conn, 2, test::sm("Shop", "33612345678", "x"));
    ASSERT_NE(answer(conn, 2), nullptr);
    EXPECT_EQ(answer(conn, 2)->status(), CommandStatus::esme_rinvmsglen);
    EXPECT_TRUE(beta.all(CommandId::submit_sm).empty());
}

TEST_F(MtTest, WhenEveryTargetRefusesTheLastStatusIsTheAnswer) {
    alpha.submit_status = CommandStatus::esme_rsyserr;
    beta.submit_status = CommandStatus::esme_rmsgqful;
    const ConnId conn = bind();
    acme.submit(conn, 2, test::sm("Shop", "33612345678", "x"));
    ASSERT_NE(answer(conn, 2), nullptr);
    EXPECT_EQ(answer(conn, 2)->status(), CommandStatus::esme_rmsgqful);
}

TEST_F(MtTest, AThrottlingSupplierIsHeldForAMomentAndTheMessageGetsThrough) {
    const ConnId conn = bind();
    alpha.submit_status = CommandStatus::esme_rthrottled;
    acme.submit(conn, 2, test::sm("Shop", "447700900001", "x"));
    router.run_for(100 * millisecond_ns);
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), 1u);
    EXPECT_EQ(acme.response(conn, 2), nullptr);
    alpha.submit_status = CommandStatus::esme_rok;
    ASSERT_NE(answer(conn, 2), nullptr);
    EXPECT_EQ(answer(conn, 2)->status(), CommandStatus::esme_rok);
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), 2u);
}

TEST_F(MtTest, ASupplierThatAlwaysThrottlesEndsInRthrottled) {
    const ConnId conn = bind();
    alpha.submit_status = CommandStatus::esme_rthrottled;
    acme.submit(conn, 2, test::sm("Shop", "447700900001", "x"));
    ASSERT_NE(answer(conn, 2), nullptr);
    EXPECT_EQ(answer(conn, 2)->status(), CommandStatus::esme_rthrottled);
    EXPECT_EQ(router.in_flight(), 0u);
}

TEST_F(MtTest, AMessageForASupplierThatIsDownGoesToTheNextTarget) {
    const ConnId conn = bind();
    alpha.close(alpha.bound.at(0));
    router.run_until([&] { return alpha.live.empty(); });
    router.run_for(10 * millisecond_ns);
    acme.submit(conn, 2, test::sm("Shop", "33612345678", "x"));
    ASSERT_NE(answer(conn, 2), nullptr);
    EXPECT_EQ(answer(conn, 2)->status(), CommandStatus::esme_rok);
    EXPECT_EQ(beta.all(CommandId::submit_sm).size(), 1u);
}

TEST_F(MtTest, ALinkThatDiesAfterTheSubmitLeavesAnUnknownThatIsNotResent) {
    const ConnId conn = bind();
    alpha.answer_submits = false;
    acme.submit(conn, 2, test::sm("Shop", "33612345678", "x"));
    router.run_until([&] { return alpha.all(CommandId::submit_sm).size() == 1; });
    alpha.abort(alpha.bound.at(0));
    ASSERT_NE(answer(conn, 2), nullptr);
    EXPECT_EQ(answer(conn, 2)->status(), CommandStatus::esme_rsyserr);
    EXPECT_EQ(count(&WorkerCounters::mt_unknown), 1u);
    EXPECT_TRUE(beta.all(CommandId::submit_sm).empty());
}

TEST_F(MtTest, AnUnknownIsResentWhereTheSupplierIsSetSo) {
    config.suppliers[0].on_unknown = route::OnUnknown::resend;
    router.reload(config);
    const ConnId conn = bind();
    alpha.answer_submits = false;
    acme.submit(conn, 2, test::sm("Shop", "33612345678", "x"));
    router.run_until([&] { return alpha.all(CommandId::submit_sm).size() == 1; });
    alpha.abort(alpha.bound.at(0));
    ASSERT_NE(answer(conn, 2), nullptr);
    EXPECT_EQ(answer(conn, 2)->status(), CommandStatus::esme_rok);
    EXPECT_EQ(beta.all(CommandId::submit_sm).size(), 1u);
    EXPECT_EQ(count(&WorkerCounters::mt_resent), 1u);
}

TEST_F(MtTest, AnAnswerThatNeverComesIsUnknownAfterTheResponseTimer) {
    config.suppliers[0].timers.response_ns = 2 * second_ns;
    router.reload(config);
    const ConnId conn = bind();
    std::vector<Pdu> held;
    alpha.answer_submits = false;
    acme.submit(conn, 2, test::sm("Shop", "447700900001", "x"));
    ASSERT_NE(answer(conn, 2), nullptr);
    EXPECT_EQ(answer(conn, 2)->status(), CommandStatus::esme_rsyserr);
    EXPECT_EQ(count(&WorkerCounters::mt_unknown), 1u);
    // The late answer is recognised, and not taken for another message's.
    alpha.answer(*alpha.all(CommandId::submit_sm).at(0), CommandStatus::esme_rok, "late");
    router.run_for(second_ns);
    EXPECT_EQ(count(&WorkerCounters::responses_late), 1u);
    EXPECT_EQ(acme.all(CommandId::submit_sm_resp).size(), 1u);
}

TEST_F(MtTest, TheSuppliersWindowIsNeverExceeded) {
    config.suppliers[0].window = 3;
    config.customers[0].window = 50;
    router.reload(config);
    const ConnId conn = bind();
    alpha.answer_submits = false;
    for (uint32_t i = 0; i < 20; ++i) {
        acme.submit(conn, 10 + i, test::sm("Shop", "447700900001", "x"));
    }
    router.run_for(second_ns);
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), 3u);
    alpha.answer(*alpha.all(CommandId::submit_sm).at(1), CommandStatus::esme_rok, "1");
    router.run_for(second_ns);
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), 4u);
}

TEST_F(MtTest, MoreThanTheCustomersWindowIsThrottled) {
    config.customers[0].window = 2;
    router.reload(config);
    const ConnId conn = bind();
    alpha.answer_submits = false;
    for (uint32_t i = 0; i < 3; ++i) {
        acme.submit(conn, 10 + i, test::sm("Shop", "447700900001", "x"));
    }
    ASSERT_NE(answer(conn, 12), nullptr);
    EXPECT_EQ(answer(conn, 12)->status(), CommandStatus::esme_rthrottled);
    EXPECT_EQ(acme.response(conn, 10), nullptr);
}

TEST_F(MtTest, MoreThanTheCustomersRateIsThrottled) {
    config.customers[0].rate_per_second = 10;
    config.customers[0].burst = 2;
    router.reload(config);
    const ConnId conn = bind();
    for (uint32_t i = 0; i < 3; ++i) {
        acme.submit(conn, 10 + i, test::sm("Shop", "447700900001", "x"));
    }
    ASSERT_NE(answer(conn, 12), nullptr);
    EXPECT_EQ(answer(conn, 12)->status(), CommandStatus::esme_rthrottled);
    router.run_for(second_ns);
    acme.submit(conn, 13, test::sm("Shop", "447700900001", "x"));
    ASSERT_NE(answer(conn, 13), nullptr);
    EXPECT_EQ(answer(conn, 13)->status(), CommandStatus::esme_rok);
}

TEST_F(MtTest, AMessageStuckInAQueueEndsWhenItsTimeIsOver) {
    config.customers[0].timers.response_ns = 3 * second_ns;
    config.suppliers[0].window = 1;
    router.reload(config);
    const ConnId conn = bind();
    alpha.answer_submits = false;
    acme.submit(conn, 10, test::sm("Shop", "447700900001", "x"));
    acme.submit(conn, 11, test::sm("Shop", "447700900001", "x"));
    ASSERT_NE(answer(conn, 11), nullptr);
    EXPECT_EQ(answer(conn, 11)->status(), CommandStatus::esme_rsyserr);
    EXPECT_EQ(count(&WorkerCounters::mt_expired), 1u);
}

TEST_F(MtTest, DataSmIsForwardedAsSubmitSm) {
    const ConnId conn = bind();
    smpp::Sm sm = test::sm("Shop", "447700900001", "");
    const std::string tlvs("\x04\x24\x00\x05hello\x14\x00\x00\x01z", 14);
    sm.tlvs = as_octets(tlvs);
    acme.send_pdu(conn, [&](auto out) { return smpp::encode_data_sm(out, 5, sm); });
    ASSERT_NE(answer(conn, 5), nullptr);
    EXPECT_EQ(answer(conn, 5)->header.command_id, CommandId::data_sm_resp);
    EXPECT_EQ(answer(conn, 5)->status(), CommandStatus::esme_rok);
    const smpp::Sm out = decode(*alpha.all(CommandId::submit_sm).at(0));
    EXPECT_EQ(as_chars(out.short_message), "hello");
    EXPECT_EQ(as_chars(out.tlvs), std::string_view("\x14\x00\x00\x01z", 5));
}

TEST_F(MtTest, SubmitMultiIsSplitAndAnsweredOnceWithWhatFailed) {
    const ConnId conn = bind();
    smpp::SubmitMulti multi;
    multi.sm = test::sm("Shop", "", "to all");
    const std::string list = std::string(
                                 "\x01\x01\x01"
                                 "447700900001\0",
                                 16) +
                             std::string(
                                 "\x01\x01\x01"
                                 "4915112345678\0",
                                 17) +
                             std::string(
                                 "\x01\x01\x01"
                                 "15551234567\0",
                                 15);
    multi.number_of_dests = 3;
    multi.dest_addresses = as_octets(list);
    acme.send_pdu(conn, [&](auto out) { return smpp::encode_submit_multi(out, 6, multi); });
    const Pdu* response = answer(conn, 6);
    ASSERT_NE(response, nullptr);
    EXPECT_EQ(response->header.command_id, CommandId::submit_multi_resp);
    EXPECT_EQ(response->status(), CommandStatus::esme_rok);
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), 1u);
    EXPECT_EQ(beta.all(CommandId::submit_sm).size(), 1u);
    // message_id, no_unsuccess = 1, then the address that has no route and its status.
    const std::string& body = response->body;
    const size_t id_end = body.find('\0');
    ASSERT_NE(id_end, std::string::npos);
    EXPECT_EQ(body.substr(id_end + 1), std::string("\x01\x01\x01"
                                                   "15551234567\0\x00\x00\x00\x0b",
                                                   19));
    EXPECT_EQ(router.in_flight(), 0u);
}

TEST_F(MtTest, QueriesAreAnsweredTruthfullyThatTheyCannotBeDone) {
    const ConnId conn = bind();
    acme.send_pdu(conn, [](auto out) { return smpp::encode_query_sm(out, 5, {"123", {}}); });
    acme.send_pdu(conn,
                  [](auto out) { return smpp::encode_cancel_sm(out, 6, {"", "123", {}, {}}); });
    acme.send_pdu(conn, [](auto out) {
        smpp::ReplaceSm replace;
        replace.message_id = "123";
        return smpp::encode_replace_sm(out, 7, replace);
    });
    ASSERT_NE(answer(conn, 7), nullptr);
    EXPECT_EQ(answer(conn, 5)->status(), CommandStatus::esme_rqueryfail);
    EXPECT_EQ(answer(conn, 6)->status(), CommandStatus::esme_rcancelfail);
    EXPECT_EQ(answer(conn, 7)->status(), CommandStatus::esme_rreplacefail);
}

class MtTwoWorkersTest : public EngineTest {
  protected:
    MtTwoWorkersTest() : EngineTest(basic_config(), 2) {}
};

// alpha's only bind is on worker 0, beta's on worker 1; customers land on either: some messages
// must cross, both ways.
TEST_F(MtTwoWorkersTest, MessagesCrossWorkersAndTheirResponsesComeHome) {
    std::vector<ConnId> conns;
    for (int i = 0; i < 4; ++i) {
        conns.push_back(bind());
    }
    uint32_t sequence = 10;
    for (int i = 0; i < 5; ++i) {
        for (const ConnId conn : conns) {
            acme.submit(conn, ++sequence, test::sm("Shop", "447700900001", "x"));
            acme.submit(conn, ++sequence, test::sm("Shop", "4915112345678", "x"));
        }
    }
    ASSERT_TRUE(router.run_until([&] { return acme.all(CommandId::submit_sm_resp).size() == 40; }));
    std::set<uint32_t> sequences;
    for (const Pdu* pdu : acme.all(CommandId::submit_sm_resp)) {
        EXPECT_EQ(pdu->status(), CommandStatus::esme_rok);
        sequences.insert(pdu->header.sequence_number);
    }
    EXPECT_EQ(sequences.size(), 40u);
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), 20u);
    EXPECT_EQ(beta.all(CommandId::submit_sm).size(), 20u);
    const uint64_t first = router.hub().counters(WorkerId{0}).mt_in.get();
    const uint64_t second = router.hub().counters(WorkerId{1}).mt_in.get();
    EXPECT_EQ(first + second, 40u);
    EXPECT_GT(first, 0u);
    EXPECT_GT(second, 0u);
    EXPECT_EQ(router.in_flight(), 0u);
}

}  // namespace
}  // namespace sy::engine
