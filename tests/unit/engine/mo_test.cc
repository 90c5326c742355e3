// MO: from a supplier's deliver_sm to the customer of its inbound number, and the answer back.
#include "core/engine/worker.h"
#include "tests/unit/engine/fixture.h"

namespace sy::engine {
namespace {

class MoTest : public EngineTest {
  protected:
    using EngineTest::EngineTest;

    void deliver(const std::string& to, const std::string& text, uint32_t sequence = 700) {
        const smpp::Sm sm = test::sm("447700900999", to, text);
        alpha.send_pdu(alpha.bound.at(0), [&](auto out) {
            return smpp::encode_sm(out, CommandId::deliver_sm, sequence, sm);
        });
    }
    const Pdu* supplier_answer(uint32_t sequence = 700) {
        router.run_until(
            [&] {
                return std::ranges::any_of(alpha.received, [&](const Pdu& pdu) {
                    return pdu.header.command_id == CommandId::deliver_sm_resp &&
                           pdu.header.sequence_number == sequence;
                });
            },
            60 * second_ns);
        for (const Pdu* pdu : alpha.all(CommandId::deliver_sm_resp)) {
            if (pdu->header.sequence_number == sequence) {
                return pdu;
            }
        }
        return nullptr;
    }
};

TEST_F(MoTest, ReachesTheCustomerOfTheNumberAndIsAnsweredAfterIt) {
    bind();
    acme.answer_delivers = false;
    deliver("447700900123", "HELP me");
    ASSERT_TRUE(router.run_until([&] { return acme.all(CommandId::deliver_sm).size() == 1; }));
    router.run_for(second_ns);
    EXPECT_TRUE(alpha.all(CommandId::deliver_sm_resp).empty());
    const smpp::Sm sm = decode(*acme.all(CommandId::deliver_sm)[0]);
    EXPECT_EQ(sm.source.digits, "447700900999");
    EXPECT_EQ(sm.destination.digits, "447700900123");
    EXPECT_EQ(as_chars(sm.short_message), "HELP me");
    acme.answer(*acme.all(CommandId::deliver_sm)[0], CommandStatus::esme_rok);
    ASSERT_NE(supplier_answer(), nullptr);
    EXPECT_EQ(supplier_answer()->status(), CommandStatus::esme_rok);
    // deliver_sm_resp: one NUL for its message_id (SMPP 3.4 section 4.6.2).
    EXPECT_EQ(supplier_answer()->body, std::string(1, '\0'));
    EXPECT_EQ(count(&WorkerCounters::mo_delivered), 1u);
    EXPECT_EQ(router.in_flight(), 0u);
}

TEST_F(MoTest, ForANumberOfNobodyIsRefusedForGood) {
    bind();
    deliver("447700900777", "x");
    ASSERT_NE(supplier_answer(), nullptr);
    EXPECT_EQ(supplier_answer()->status(), CommandStatus::esme_rx_r_appn);
    EXPECT_EQ(count(&WorkerCounters::mo_rejected), 1u);
}

TEST_F(MoTest, ForACustomerThatIsNotBoundIsRefusedForNow) {
    const ConnId conn = bind();
    acme.close(conn);
    router.run_until([&] { return !acme.is_live(conn); });
    router.run_for(second_ns);
    deliver("447700900123", "x");
    ASSERT_NE(supplier_answer(), nullptr);
    EXPECT_EQ(supplier_answer()->status(), CommandStatus::esme_rsyserr);
}

TEST_F(MoTest, GoesToTheNextTierWhenTheFirstCustomerIsAway) {
    config.mo[0].targets = {{{CustomerId{1}, 1}}, {{CustomerId{0}, 1}}};
    router.reload(config);
    bind();
    deliver("447700900123", "x");
    ASSERT_NE(supplier_answer(), nullptr);
    EXPECT_EQ(supplier_answer()->status(), CommandStatus::esme_rok);
    EXPECT_EQ(acme.all(CommandId::deliver_sm).size(), 1u);
}

TEST_F(MoTest, ByKeywordWhateverItsLetterCase) {
    config.mo[0].targets = {{{CustomerId{1}, 1}}};
    config.mo.push_back(config.mo[0]);
    config.mo[1].line = 3;
    config.mo[1].keyword = "help";
    config.mo[1].targets = {{{CustomerId{0}, 1}}};
    router.reload(config);
    bind();
    deliver("447700900123", "HeLP me");
    ASSERT_NE(supplier_answer(), nullptr);
    EXPECT_EQ(supplier_answer()->status(), CommandStatus::esme_rok);
    EXPECT_EQ(acme.all(CommandId::deliver_sm).size(), 1u);
    deliver("447700900123", "other", 701);
    ASSERT_NE(supplier_answer(701), nullptr);
    EXPECT_EQ(supplier_answer(701)->status(), CommandStatus::esme_rsyserr);
}

TEST_F(MoTest, ACustomerThatNeverAnswersLeavesTheSupplierToRepeat) {
    config.customers[0].timers.response_ns = 2 * second_ns;
    router.reload(config);
    bind();
    acme.answer_delivers = false;
    deliver("447700900123", "x");
    ASSERT_NE(supplier_answer(), nullptr);
    EXPECT_EQ(supplier_answer()->status(), CommandStatus::esme_rsyserr);
    EXPECT_EQ(acme.all(CommandId::deliver_sm).size(), 1u);
    EXPECT_EQ(router.in_flight(), 0u);
}

TEST_F(MoTest, TheCustomersWindowHoldsAndTheRestWaits) {
    config.customers[0].window = 2;
    router.reload(config);
    bind();
    acme.answer_delivers = false;
    for (uint32_t i = 0; i < 5; ++i) {
        deliver("447700900123", "x", 700 + i);
    }
    router.run_for(second_ns);
    ASSERT_EQ(acme.all(CommandId::deliver_sm).size(), 2u);
    acme.answer_delivers = true;
    acme.answer(*acme.all(CommandId::deliver_sm)[0], CommandStatus::esme_rok);
    acme.answer(*acme.all(CommandId::deliver_sm)[1], CommandStatus::esme_rok);
    ASSERT_TRUE(router.run_until([&] { return acme.all(CommandId::deliver_sm).size() == 5; }));
    ASSERT_TRUE(
        router.run_until([&] { return alpha.all(CommandId::deliver_sm_resp).size() == 5; }));
    EXPECT_EQ(router.in_flight(), 0u);
}

// Bravo binds too and gets copies; the phone gets an answer.
class MoFollowsTest : public MoTest {
  protected:
    explicit MoFollowsTest(uint32_t workers = 1) : MoTest(follow_config(), workers) {
        router.add(bravo);
    }
    static test::SimConfig follow_config() {
        test::SimConfig config = basic_config();
        config.mo[0].copies = {CustomerId{1}};
        config.mo[0].reply =
            std::make_shared<const route::ReplyTemplate>(*route::parse_reply("{keyword}: {1}!"));
        return config;
    }
    ConnId bind_bravo() {
        const ConnId conn =
            bravo.bind(router.address, CommandId::bind_transceiver, "bravo", "secret");
        EXPECT_TRUE(router.run_until([&] { return bravo.response(conn, 1) != nullptr; }));
        return conn;
    }
    void deliver_part(uint8_t sequence, const std::string& text, uint32_t pdu_sequence) {
        std::string octets = {5, 0, 3, 0x11, 2, static_cast<char>(sequence)};
        octets += text;
        smpp::Sm sm = test::sm("447700900999", "447700900123", octets);
        sm.esm_class = smpp::esm_class_udhi;
        alpha.send_pdu(alpha.bound.at(0), [&](auto out) {
            return smpp::encode_sm(out, CommandId::deliver_sm, pdu_sequence, sm);
        });
        ASSERT_NE(supplier_answer(pdu_sequence), nullptr);
        EXPECT_EQ(supplier_answer(pdu_sequence)->status(), CommandStatus::esme_rok);
    }

    SimPeer bravo{net, "10.0.2.2"};
};

TEST_F(MoFollowsTest, AcceptedMessageIsCopiedAndAnswered) {
    bind();
    bind_bravo();
    acme.answer_delivers = false;
    deliver("447700900123", "HELP me");
    ASSERT_TRUE(router.run_until([&] { return acme.all(CommandId::deliver_sm).size() == 1; }));
    router.run_for(second_ns);
    EXPECT_TRUE(bravo.all(CommandId::deliver_sm).empty()) << "not before it is accepted";
    EXPECT_TRUE(alpha.all(CommandId::submit_sm).empty());
    acme.answer(*acme.all(CommandId::deliver_sm)[0], CommandStatus::esme_rok);
    ASSERT_NE(supplier_answer(), nullptr);
    ASSERT_TRUE(router.run_until([&] { return alpha.all(CommandId::submit_sm).size() == 1; }));
    router.run_for(second_ns);

    ASSERT_EQ(bravo.all(CommandId::deliver_sm).size(), 1u);
    const smpp::Sm copy = decode(*bravo.all(CommandId::deliver_sm)[0]);
    EXPECT_EQ(copy.source.digits, "447700900999");
    EXPECT_EQ(copy.destination.digits, "447700900123");
    EXPECT_EQ(as_chars(copy.short_message), "HELP me");
    const smpp::Sm reply = decode(*alpha.all(CommandId::submit_sm)[0]);
    EXPECT_EQ(reply.source.digits, "447700900123");
    EXPECT_EQ(reply.destination.digits, "447700900999");
    EXPECT_EQ(reply.destination.ton, 1);
    EXPECT_EQ(as_chars(reply.short_message), "HELP: me!");
    EXPECT_EQ(reply.data_coding, 0);
    EXPECT_EQ(reply.registered_delivery, 0);
    EXPECT_EQ(count(&WorkerCounters::mo_copies_delivered), 1u);
    EXPECT_EQ(count(&WorkerCounters::mo_replies), 1u);
    EXPECT_EQ(count(&WorkerCounters::mt_accepted), 1u);
    EXPECT_EQ(count(&WorkerCounters::answers_unsent), 0u);
    EXPECT_EQ(router.in_flight(), 0u);
}

TEST_F(MoFollowsTest, RefusedMessageIsNeitherCopiedNorAnswered) {
    bind();
    bind_bravo();
    acme.answer_delivers = false;
    deliver("447700900123", "x y");
    ASSERT_TRUE(router.run_until([&] { return acme.all(CommandId::deliver_sm).size() == 1; }));
    acme.answer(*acme.all(CommandId::deliver_sm)[0], CommandStatus::esme_rx_p_appn);
    ASSERT_NE(supplier_answer(), nullptr);
    router.run_for(second_ns);
    EXPECT_TRUE(bravo.all(CommandId::deliver_sm).empty());
    EXPECT_TRUE(alpha.all(CommandId::submit_sm).empty());
    EXPECT_EQ(router.in_flight(), 0u);
}

TEST_F(MoFollowsTest, ACopyThatNobodyTakesChangesNothing) {
    bind();  // bravo is away
    deliver("447700900123", "x y");
    ASSERT_NE(supplier_answer(), nullptr);
    EXPECT_EQ(supplier_answer()->status(), CommandStatus::esme_rok);
    router.run_for(second_ns);
    EXPECT_EQ(count(&WorkerCounters::mo_copies), 1u);
    EXPECT_EQ(count(&WorkerCounters::mo_copies_lost), 1u);
    EXPECT_EQ(router.in_flight(), 0u);
}

TEST_F(MoFollowsTest, TheCustomerThatAcceptedGetsNoCopy) {
    config.mo[0].copies = {CustomerId{0}, CustomerId{1}};
    router.reload(config);
    bind();
    bind_bravo();
    deliver("447700900123", "x y");
    ASSERT_NE(supplier_answer(), nullptr);
    router.run_for(second_ns);
    EXPECT_EQ(acme.all(CommandId::deliver_sm).size(), 1u);
    EXPECT_EQ(bravo.all(CommandId::deliver_sm).size(), 1u);
}

TEST_F(MoFollowsTest, AnswersWhatGsmLacksInUcs2AndCutsWhatIsTooLong) {
    config.mo[0].reply = std::make_shared<const route::ReplyTemplate>(
        *route::parse_reply("\u0421\u0422\u041E\u041F {args}"));
    router.reload(config);
    bind();
    deliver("447700900123", "x " + std::string(150, 'y'));
    ASSERT_TRUE(router.run_until([&] { return alpha.all(CommandId::submit_sm).size() == 1; }));
    const smpp::Sm reply = decode(*alpha.all(CommandId::submit_sm)[0]);
    EXPECT_EQ(reply.data_coding, 8);
    ASSERT_EQ(reply.short_message.size(), 140u);
    EXPECT_EQ(as_chars(reply.short_message).substr(0, 4), std::string("\x04\x21\x04\x22"));
    EXPECT_EQ(count(&WorkerCounters::mo_replies_cut), 1u);
}

// A machine that answers every answer of ours.
TEST_F(MoFollowsTest, ALoopEnds) {
    bind();
    for (uint32_t i = 0; i < 50; ++i) {
        deliver("447700900123", "auto reply", 700 + i);
        ASSERT_NE(supplier_answer(700 + i), nullptr);
        router.run_for(10 * millisecond_ns);
    }
    router.run_for(second_ns);
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), size_t{limits::replies_an_hour_max});
    EXPECT_EQ(count(&WorkerCounters::mo_replies_held), 50u - limits::replies_an_hour_max);
    EXPECT_EQ(count(&WorkerCounters::mo_delivered), 50u) << "the messages themselves all arrive";
    EXPECT_EQ(router.in_flight(), 0u);
}

TEST_F(MoFollowsTest, NoAnswerToAShortCodeOrAName) {
    bind();
    for (const char* from : {"60001", "Info"}) {
        smpp::Sm sm = test::sm(from, "447700900123", "x y");
        alpha.send_pdu(alpha.bound.at(0), [&](auto out) {
            return smpp::encode_sm(out, CommandId::deliver_sm, 700, sm);
        });
        ASSERT_NE(supplier_answer(), nullptr);
        router.run_for(second_ns);
    }
    EXPECT_EQ(count(&WorkerCounters::mo_replies_held), 2u);
    EXPECT_TRUE(alpha.all(CommandId::submit_sm).empty());
    EXPECT_EQ(router.in_flight(), 0u);
}

TEST_F(MoFollowsTest, NoAnswerToAnInboundNumberOfOursOrToAnAcknowledgement) {
    config.mo.push_back(config.mo[0]);
    config.mo[1].line = 3;
    config.mo[1].number = "447700900124";
    router.reload(config);
    bind();
    smpp::Sm sm = test::sm("447700900124", "447700900123", "x y");
    const auto send = [&](uint32_t sequence) {
        alpha.send_pdu(alpha.bound.at(0), [&](auto out) {
            return smpp::encode_sm(out, CommandId::deliver_sm, sequence, sm);
        });
        ASSERT_NE(supplier_answer(sequence), nullptr);
        router.run_for(second_ns);
    };
    send(700);
    sm.source.digits = "447700900999";
    sm.esm_class = 0x10;  // user acknowledgement (SMPP 3.4 section 5.2.12)
    send(701);
    EXPECT_EQ(acme.all(CommandId::deliver_sm).size(), 2u);
    EXPECT_EQ(count(&WorkerCounters::mo_replies_held), 2u);
    EXPECT_TRUE(alpha.all(CommandId::submit_sm).empty());
    EXPECT_EQ(router.in_flight(), 0u);
}

TEST_F(MoFollowsTest, AnAnswerWithoutTextIsNotSent) {
    config.mo[0].reply =
        std::make_shared<const route::ReplyTemplate>(*route::parse_reply("{args}"));
    router.reload(config);
    bind();
    deliver("447700900123", "HELP");
    ASSERT_NE(supplier_answer(), nullptr);
    router.run_for(second_ns);
    EXPECT_EQ(count(&WorkerCounters::mo_replies_held), 1u);
    EXPECT_TRUE(alpha.all(CommandId::submit_sm).empty());
    EXPECT_EQ(router.in_flight(), 0u);
}

// 140 octets are what one message has in any alphabet but the GSM one.
TEST_F(MoFollowsTest, ACustomersLatin1EndsAfter140Characters) {
    config.customers[0].alphabet = route::Alphabet::latin1;
    config.mo[0].reply =
        std::make_shared<const route::ReplyTemplate>(*route::parse_reply("{args}"));
    router.reload(config);
    bind();
    deliver("447700900123", "x " + std::string(150, 'y'));
    ASSERT_TRUE(router.run_until([&] { return alpha.all(CommandId::submit_sm).size() == 1; }));
    const smpp::Sm reply = decode(*alpha.all(CommandId::submit_sm)[0]);
    EXPECT_EQ(reply.data_coding, 0);
    EXPECT_EQ(as_chars(reply.short_message), std::string(140, 'y'));
    EXPECT_EQ(count(&WorkerCounters::mo_replies_cut), 1u);
}

TEST_F(MoFollowsTest, CopiesLeaveAQuarterOfTheMessagesFree) {
    config.customers[0].receipt_queue_max = 4096;
    config.mo[0].reply = nullptr;
    router.reload(config);
    bind();
    bind_bravo();
    acme.answer_delivers = false;
    const uint32_t held = router.worker(0).pool().count() * 3 / 4 + 1;
    for (uint32_t i = 0; i < held; ++i) {
        const smpp::Sm sm = test::sm("447700900999", "447700900123", "x y");
        alpha.send_pdu(alpha.bound.at(0), [&](auto out) {
            return smpp::encode_sm(out, CommandId::deliver_sm, 700 + i, sm);
        });
    }
    ASSERT_TRUE(router.run_until([&] { return count(&WorkerCounters::mo_in) == held; }));
    acme.answer(*acme.all(CommandId::deliver_sm).at(0), CommandStatus::esme_rok);
    ASSERT_NE(supplier_answer(), nullptr);
    EXPECT_EQ(count(&WorkerCounters::mo_copies_lost), 1u);
    EXPECT_TRUE(bravo.all(CommandId::deliver_sm).empty());
}

TEST_F(MoFollowsTest, PartsStayWithTheCustomerThatTookTheFirst) {
    config.mo[0].copies = {};
    config.mo[0].targets = {{{CustomerId{0}, 1}}, {{CustomerId{1}, 1}}};
    router.reload(config);
    bind_bravo();
    ASSERT_TRUE(router.run_until([&] { return !alpha.bound.empty(); }));
    router.run_for(10 * millisecond_ns);
    deliver_part(1, "join this", 700);  // acme is away
    bind();
    deliver_part(2, "and that", 701);
    EXPECT_EQ(bravo.all(CommandId::deliver_sm).size(), 2u);
    EXPECT_TRUE(acme.all(CommandId::deliver_sm).empty());
}

TEST_F(MoFollowsTest, PartsGoWhereTheirKeywordSaidAndAreAnsweredOnce) {
    config.mo[0].copies = {};
    config.mo[0].keyword = "join";
    config.mo.push_back(config.mo[0]);
    config.mo[1].line = 3;
    config.mo[1].keyword = "";
    config.mo[1].reply = nullptr;
    config.mo[1].targets = {{{CustomerId{1}, 1}}};
    router.reload(config);
    bind();
    bind_bravo();
    deliver_part(1, "JOIN this", 700);
    deliver_part(2, "and that", 701);
    EXPECT_EQ(acme.all(CommandId::deliver_sm).size(), 2u);
    EXPECT_TRUE(bravo.all(CommandId::deliver_sm).empty());
    router.run_for(second_ns);
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), 1u);
    // The same reference once more, from another phone, later part first: nothing is held back.
    smpp::Sm sm = test::sm("447700900998", "447700900123", {"\x05\x00\x03\x11\x02\x02join", 10});
    sm.esm_class = smpp::esm_class_udhi;
    alpha.send_pdu(alpha.bound.at(0),
                   [&](auto out) { return smpp::encode_sm(out, CommandId::deliver_sm, 702, sm); });
    ASSERT_NE(supplier_answer(702), nullptr);
    EXPECT_EQ(bravo.all(CommandId::deliver_sm).size(), 1u);
    // A reload that does not change the rules forgets nothing.
    deliver_part(1, "join again", 703);
    router.reload(config);
    router.run_for(second_ns);
    deliver_part(2, "the rest", 704);
    EXPECT_EQ(acme.all(CommandId::deliver_sm).size(), 4u);
}

class MoFollowsManyWorkersTest : public MoFollowsTest {
  protected:
    MoFollowsManyWorkersTest() : MoFollowsTest(4) {}
};

TEST_F(MoFollowsManyWorkersTest, CopiesAndAnswersCrossWorkers) {
    bind();
    bind_bravo();
    for (uint32_t i = 0; i < 15; ++i) {
        deliver("447700900123", "x y", 700 + i);
        router.run_for(20 * millisecond_ns);
    }
    router.run_for(2 * second_ns);
    EXPECT_EQ(acme.all(CommandId::deliver_sm).size(), 15u);
    EXPECT_EQ(bravo.all(CommandId::deliver_sm).size(), 15u);
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), 15u);
    EXPECT_EQ(count(&WorkerCounters::mo_copies_delivered), 15u);
    EXPECT_EQ(router.in_flight(), 0u);
}

class MoManyWorkersTest : public MoTest {
  protected:
    MoManyWorkersTest() : MoTest(basic_config(), 4) {}
};

// One session of the customer, links of suppliers on other workers.
TEST_F(MoManyWorkersTest, CrossesWorkersBothWays) {
    bind();
    for (uint32_t i = 0; i < 20; ++i) {
        deliver("447700900123", "x", 700 + i);
        const smpp::Sm sm = test::sm("447700900999", "447700900123", "y");
        beta.send_pdu(beta.bound.at(0), [&](auto out) {
            return smpp::encode_sm(out, CommandId::deliver_sm, 900 + i, sm);
        });
        router.run_for(20 * millisecond_ns);
    }
    ASSERT_TRUE(router.run_until([&] { return acme.all(CommandId::deliver_sm).size() == 40; }));
    router.run_for(second_ns);
    EXPECT_EQ(alpha.all(CommandId::deliver_sm_resp).size(), 20u);
    EXPECT_EQ(beta.all(CommandId::deliver_sm_resp).size(), 20u);
    EXPECT_EQ(router.in_flight(), 0u);
}

}  // namespace
}  // namespace sy::engine
