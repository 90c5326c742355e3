// Back-pressure of store and forward: a customer that is faster than its suppliers is answered
// later, and its messages do not go to the store's queue, unless suppliers take nothing.
#include "tests/unit/store/fixture.h"

namespace sy::engine {
namespace {

using store::Family;

constexpr uint32_t hand = 2048;  // of a customer's messages in a worker's hands
constexpr uint32_t more = 200;

class HeldTest : public StoreTest {
  protected:
    HeldTest() {
        config.customers[0].store_and_forward = true;
        config.customers[0].window = 4000;
        config.suppliers[0].window = 4000;
        router->reload(config);
        alpha.answer_submits = false;
        alpha.on_pdu = [this](const Pdu& pdu) {
            if (answers && pdu.header.command_id == CommandId::submit_sm) {
                alpha.answer(pdu, CommandStatus::esme_rok, std::to_string(alpha.next_id++));
            }
            return false;
        };
    }

    // `first`: of the sequence numbers; one destination each, but those of `same`.
    void submit_many(ConnId conn, uint32_t first, uint32_t count, bool same = false) {
        for (uint32_t i = first; i < first + count; ++i) {
            const uint32_t number = same ? 0 : i;
            acme.submit(
                conn, i,
                test::sm("Shop", "+4477" + std::to_string(10'000'000 + number), std::to_string(i)));
        }
    }
    void answer_what_came() {
        answers = true;
        for (const Pdu* pdu : alpha.all(CommandId::submit_sm)) {
            alpha.answer(*pdu, CommandStatus::esme_rok, std::to_string(alpha.next_id++));
        }
    }
    size_t answered() { return acme.all(CommandId::submit_sm_resp).size(); }
    uint64_t count(Counter WorkerCounters::* counter) { return router->count(counter); }

    bool answers = false;
};

INSTANTIATE_TEST_SUITE_P(Workers, HeldTest, testing::Values(1, 3));

TEST_P(HeldTest, MoreThanSuppliersHaveTakenIsAnsweredLater) {
    const ConnId conn = bind();
    submit_many(conn, 2, hand + more);
    router->run_for(100 * millisecond_ns);
    EXPECT_EQ(answered(), hand);
    EXPECT_EQ(count(&WorkerCounters::mt_held), more);
    answer_what_came();
    router->run_for(100 * millisecond_ns);
    EXPECT_EQ(answered(), hand + more);
    EXPECT_EQ(count(&WorkerCounters::mt_accepted), hand + more);
    EXPECT_EQ(count(&WorkerCounters::mt_postponed), 0u) << "none has to wait in the store";
    EXPECT_EQ(database.size(Family::messages), 0u);
    EXPECT_EQ(router->in_flight(), 0u);
}

TEST_P(HeldTest, NobodyIsHeldForASupplierThatTakesNothing) {
    const ConnId conn = bind();
    submit_many(conn, 2, hand + more);
    router->run_for(100 * millisecond_ns);
    ASSERT_EQ(answered(), hand);
    // It dies without a word: no answer comes, and no end of its links.
    router->run_for(300 * millisecond_ns);
    EXPECT_EQ(answered(), hand + more);
    EXPECT_GE(database.size(Family::messages), hand + more);
    if (GetParam() == 1) {  // others would take them
        EXPECT_EQ(database.size(Family::queue), more);
    }
    // Nor does it take what comes next: that is not held first.
    submit_many(conn, 2 + hand + more, more);
    router->run_for(50 * millisecond_ns);
    EXPECT_EQ(answered(), hand + 2 * more);
    answer_what_came();
    router->run_for(5 * second_ns);
    EXPECT_EQ(count(&WorkerCounters::mt_accepted), hand + 2 * more);
    EXPECT_EQ(database.size(Family::messages), 0u);
    EXPECT_EQ(database.size(Family::queue), 0u);
}

TEST_P(HeldTest, LinksThatEndLetThemGoWithTheOthers) {
    const ConnId conn = bind();
    config.suppliers[0].on_unknown = route::OnUnknown::resend;
    router->reload(config);
    submit_many(conn, 2, hand + more);
    router->run_for(100 * millisecond_ns);
    ASSERT_EQ(answered(), hand);
    for (const ConnId link : std::vector(alpha.bound)) {
        alpha.abort(link);
    }
    router->run_for(20 * millisecond_ns);
    EXPECT_EQ(answered(), hand + more);
    answers = true;
    router->run_for(60 * second_ns);
    EXPECT_EQ(count(&WorkerCounters::mt_accepted), hand + more);
    EXPECT_EQ(database.size(Family::messages), 0u);
}

TEST_P(HeldTest, ThoseToOneDestinationStayInOrder) {
    const ConnId conn = bind();
    constexpr uint32_t first = 2 + hand;
    submit_many(conn, 2, hand);
    submit_many(conn, first, more, true);
    router->run_for(100 * millisecond_ns);
    ASSERT_EQ(answered(), hand);
    answer_what_came();
    router->run_for(5 * second_ns);
    uint32_t next = first;
    for (const Pdu* pdu : alpha.all(CommandId::submit_sm)) {
        smpp::Sm sm;
        ASSERT_EQ(smpp::decode_sm(pdu->octets(), {}, sm), CommandStatus::esme_rok);
        const auto number = std::stoul(std::string(as_chars(sm.short_message)));
        if (number >= first) {
            EXPECT_EQ(number, next);
            ++next;
        }
    }
    EXPECT_EQ(next, first + more);
    EXPECT_EQ(database.size(Family::messages), 0u);
}

TEST_P(HeldTest, ADrainAnswersThem) {
    const ConnId conn = bind();
    submit_many(conn, 2, hand + more);
    router->run_for(100 * millisecond_ns);
    ASSERT_EQ(answered(), hand);
    router->hub().begin_drain(net.now_ns() + 10 * second_ns);
    router->run_for(50 * millisecond_ns);
    EXPECT_EQ(answered(), hand + more);
    EXPECT_EQ(database.size(Family::messages), hand + more);
}

}  // namespace
}  // namespace sy::engine
