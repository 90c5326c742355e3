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
