// Submits without a response, and what settles them: a response that comes late, a receipt on
// another link, also after a restart; and where nobody can say whose a receipt is.
#include "core/engine/record.h"
#include "tests/unit/store/fixture.h"

namespace sy::engine {
namespace {

using smpp::MessageState;
using store::Family;

class UnknownTest : public StoreTest {
  protected:
    UnknownTest() {
        config.customers[0].store_and_forward = true;
        config.suppliers[0].timers.response_ns = 2 * second_ns;
        config.suppliers[0].receipt_park_ns = 3 * second_ns;
        router->reload(config);
        alpha.answer_submits = false;
        alpha.on_pdu = [](const Pdu&) { return false; };
    }

    // Taken, sent, and the link that has it dies.
    std::string lost(ConnId conn, uint32_t sequence) {
        const size_t before = alpha.all(CommandId::submit_sm).size();
        const std::string id = accepted(conn, sequence);
        router->run_until([&] { return alpha.all(CommandId::submit_sm).size() > before; },
                          second_ns);
        alpha.abort(alpha.all(CommandId::submit_sm).back()->conn);
        router->run_until([&] { return alpha.bound.size() == 1; }, 5 * second_ns);
        router->run_until([&] { return alpha.bound.size() == 2; }, 5 * second_ns);
        router->run_for(100 * millisecond_ns);
        return id;
    }

    std::vector<std::pair<std::string, MessageState>> seen() {
        std::vector<std::pair<std::string, MessageState>> out;
        for (const Pdu* pdu : acme.all(CommandId::deliver_sm)) {
            smpp::Sm sm;
            smpp::Receipt receipt;
            EXPECT_EQ(smpp::decode_sm(pdu->octets(), {}, sm), CommandStatus::esme_rok);
            EXPECT_TRUE(smpp::parse_receipt(sm, receipt));
            out.emplace_back(receipt.message_id, receipt.state);
        }
        return out;
    }

    uint64_t count(Counter WorkerCounters::* counter) { return router->count(counter); }
};

INSTANTIATE_TEST_SUITE_P(Workers, UnknownTest, testing::Values(1, 3));

TEST_P(UnknownTest, AReceiptOnAnotherLinkSettlesAMessageWhoseLinkDied) {
    const std::string id = lost(bind(), 2);
    EXPECT_EQ(seen(), (std::vector{std::pair(id, MessageState::unknown)}));
    send_receipt("not-known", 501);
    router->run_for(config.suppliers[0].receipt_park_ns + second_ns);
    EXPECT_EQ(receipt_answer(501), CommandStatus::esme_rok);
    EXPECT_EQ(seen(), (std::vector{std::pair(id, MessageState::unknown),
                                   std::pair(id, MessageState::delivered)}));
    EXPECT_EQ(count(&WorkerCounters::mt_settled), 1u);
    EXPECT_EQ(count(&WorkerCounters::receipts_orphaned), 0u);
    EXPECT_EQ(database.size(Family::ways), 0u);
    EXPECT_EQ(router->in_flight(), 0u);
}

TEST_P(UnknownTest, AlsoAfterARestart) {
    const std::string id = lost(bind(), 2);
    restart();
    alpha.received.clear();
    bind();
    send_receipt("not-known", 501);
    router->run_for(config.suppliers[0].receipt_park_ns + second_ns);
    // UNKNOWN perhaps once more: that it was delivered was not on disk yet.
    ASSERT_FALSE(seen().empty());
    EXPECT_EQ(seen().back(), std::pair(id, MessageState::delivered));
    EXPECT_EQ(database.size(Family::ways), 0u);
}

TEST_P(UnknownTest, OfTwoToOnePhoneNobodyCanSay) {
    const ConnId conn = bind();
    (void)lost(conn, 2);
    (void)lost(conn, 3);
    EXPECT_EQ(seen().size(), 2u);
    send_receipt("not-known", 501);
    router->run_for(config.suppliers[0].receipt_park_ns + second_ns);
    EXPECT_EQ(receipt_answer(501), CommandStatus::esme_rok);
    EXPECT_EQ(seen().size(), 2u);
    EXPECT_EQ(count(&WorkerCounters::receipts_orphaned), 1u);
    restart();
    alpha.received.clear();
    bind();
    send_receipt("not-known", 502);
    router->run_for(config.suppliers[0].receipt_park_ns + second_ns);
    for (const auto& [id, state] : seen()) {
        EXPECT_EQ(state, MessageState::unknown);
    }
    EXPECT_EQ(count(&WorkerCounters::receipts_orphaned), 1u);
}

TEST_P(UnknownTest, AReceiptFromAnotherPhoneIsNotTakenForIt) {
    (void)lost(bind(), 2);
    smpp::Sm sm = test::sm("447700900002", "Shop", "id:not-known stat:DELIVRD err:000");
    sm.esm_class = smpp::esm_class_delivery_receipt;
    alpha.send_pdu(alpha.bound.front(),
                   [&](auto out) { return smpp::encode_sm(out, CommandId::deliver_sm, 501, sm); });
    router->run_for(config.suppliers[0].receipt_park_ns + second_ns);
    EXPECT_EQ(seen().size(), 1u);
    EXPECT_EQ(count(&WorkerCounters::receipts_orphaned), 1u);
}

TEST_P(UnknownTest, ALateResponseTellsTheIdThatItsReceiptNames) {
    const ConnId conn = bind();
    const std::string id = accepted(conn, 2);
    router->run_until([&] { return count(&WorkerCounters::mt_unknown) == 1; }, 10 * second_ns);
    alpha.answer(*alpha.all(CommandId::submit_sm).at(0), CommandStatus::esme_rok, "77");
    router->run_for(500 * millisecond_ns);
    EXPECT_EQ(count(&WorkerCounters::mt_late_accepted), 1u);
    EXPECT_EQ(database.size(Family::ways), 1u) << "the true one alone";
    send_receipt("77", 501);
    EXPECT_EQ(receipt_answer(501), CommandStatus::esme_rok);
    router->run_for(500 * millisecond_ns);
    EXPECT_EQ(seen(), (std::vector{std::pair(id, MessageState::unknown),
                                   std::pair(id, MessageState::delivered)}))
        << "and does not wait for the park time";
    EXPECT_EQ(database.size(Family::ways), 0u);
    EXPECT_EQ(router->in_flight(), 0u);
}

TEST_P(UnknownTest, ALateRefusalSettlesItToo) {
    const ConnId conn = bind();
    (void)accepted(conn, 2);
    router->run_until([&] { return count(&WorkerCounters::mt_unknown) == 1; }, 10 * second_ns);
    alpha.answer(*alpha.all(CommandId::submit_sm).at(0), CommandStatus::esme_rinvdstadr);
    router->run_for(500 * millisecond_ns);
    EXPECT_EQ(count(&WorkerCounters::mt_late_accepted), 0u);
    EXPECT_EQ(database.size(Family::ways), 0u) << "no receipt can come for it";
}

TEST_P(UnknownTest, ACustomerThatHeardOfAnErrorIsSentNoReceipt) {
    config.customers[0].store_and_forward = false;
    router->reload(config);
    const ConnId conn = bind();
    submit(conn, 2);
    router->run_until([&] { return acme.response(conn, 2) != nullptr; });
    ASSERT_EQ(acme.response(conn, 2)->status(), CommandStatus::esme_rsyserr);
    send_receipt("not-known", 501);
    router->run_for(config.suppliers[0].receipt_park_ns + second_ns);
    EXPECT_TRUE(seen().empty()) << "it was never given the id";
    EXPECT_EQ(count(&WorkerCounters::mt_settled), 1u);
    EXPECT_EQ(count(&WorkerCounters::receipts_suppressed), 1u);
    EXPECT_EQ(database.size(Family::ways), 0u);
}

TEST_P(UnknownTest, OneSentAgainThatItsSupplierHadIsCounted) {
    config.suppliers[0].on_unknown = route::OnUnknown::resend;
    config.mt = {test::rule("44", {0, 1})};
    config.customers[0].store_and_forward = false;
    router->reload(config);
    router->run_until([&] { return !beta.bound.empty(); });
    const ConnId conn = bind();
    const std::string id = accepted(conn, 2);
    EXPECT_EQ(count(&WorkerCounters::mt_resent), 1u);
    alpha.answer(*alpha.all(CommandId::submit_sm).at(0), CommandStatus::esme_rok, "77");
    router->run_for(500 * millisecond_ns);
    EXPECT_EQ(count(&WorkerCounters::mt_duplicates), 1u);
    send_receipt("77", 501);
    EXPECT_EQ(receipt_answer(501), CommandStatus::esme_rok);
    router->run_for(500 * millisecond_ns);
    EXPECT_TRUE(seen().empty()) << "its customer has the receipt of the other to come";
    EXPECT_EQ(count(&WorkerCounters::mt_settled), 1u);
}

}  // namespace
}  // namespace sy::engine
