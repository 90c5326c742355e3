// What a router promises about messages that it took to store and forward: over restarts, when
// suppliers refuse, are away or do not answer, in which order, and until when.
#include <algorithm>

#include "core/base/assert.h"
#include "core/engine/record.h"
#include "tests/unit/store/fixture.h"

namespace sy::engine {
namespace {

using smpp::MessageState;
using store::Family;

class StoredMessageTest : public StoreTest {
  protected:
    StoredMessageTest() {
        config.customers[0].store_and_forward = true;
        config.customers[0].window = 4000;
        config.retry.next = {2 * second_ns, 10 * second_ns};
        config.retry.pause = {second_ns};
        config.retry.down = {5 * second_ns};
        config.retry.validity_ns = 60 * second_ns;
        router->reload(config);
    }

    static smpp::Sm message(std::string_view text, std::string_view to = "+447700900001") {
        smpp::Sm sm = test::sm("Shop", to, text);
        sm.registered_delivery = 1;
        return sm;
    }

    // Submits and waits for the OK; the customer's id.
    std::string taken(ConnId conn, uint32_t sequence, const smpp::Sm& sm) {
        acme.submit(conn, sequence, sm);
        router->run_until([&] { return acme.response(conn, sequence) != nullptr; }, second_ns);
        const Pdu* response = acme.response(conn, sequence);
        EXPECT_NE(response, nullptr);
        if (response == nullptr) {
            return "";
        }
        EXPECT_EQ(response->status(), CommandStatus::esme_rok);
        smpp::SmResp resp;
        EXPECT_EQ(smpp::decode_sm_resp(response->octets(), {}, resp), CommandStatus::esme_rok);
        return std::string(resp.message_id);
    }

    // The texts that a supplier was sent, in order.
    static std::vector<std::string> sent(const SimPeer& supplier) {
        std::vector<std::string> out;
        for (const Pdu* pdu : supplier.all(CommandId::submit_sm)) {
            smpp::Sm sm;
            EXPECT_EQ(smpp::decode_sm(pdu->octets(), {}, sm), CommandStatus::esme_rok);
            out.emplace_back(as_chars(sm.short_message));
        }
        return out;
    }

    // Keeps what alpha is sent in `received`, answered or not.
    void keep_submits(CommandStatus status, bool answers = true) {
        alpha.answer_submits = false;
        alpha.on_pdu = [this, status, answers](const Pdu& pdu) {
            if (answers && pdu.header.command_id == CommandId::submit_sm) {
                alpha.answer(pdu, status, std::to_string(alpha.next_id++));
            }
            return false;
        };
    }

    MessageState receipt_state(size_t index) {
        const auto receipts = acme.all(CommandId::deliver_sm);
        smpp::Sm sm;
        EXPECT_EQ(smpp::decode_sm(receipts.at(index)->octets(), {}, sm), CommandStatus::esme_rok);
        smpp::Receipt receipt;
        EXPECT_TRUE(smpp::parse_receipt(sm, receipt));
        return receipt.state;
    }

    void expect_nothing_left() {
        router->run_for(second_ns);
        EXPECT_EQ(database.size(Family::messages), 0u);
        EXPECT_EQ(database.size(Family::queue), 0u);
        EXPECT_EQ(database.size(Family::order), 0u);
        EXPECT_EQ(router->hub().store()->messages_stored(), 0);
        EXPECT_EQ(router->in_flight(), 0u);
    }

    void expect_waiting(size_t count) {
        EXPECT_EQ(database.size(Family::messages), count);
        EXPECT_EQ(database.size(Family::queue), count);
        EXPECT_EQ(database.size(Family::order), count);
        EXPECT_EQ(router->hub().store()->messages_stored(), static_cast<int64_t>(count));
        EXPECT_EQ(router->in_flight(), 0u) << "they wait on disk, not in buffers";
    }

    struct Round {
        RecordEnd end{};
        uint64_t id = 0;
        std::vector<CommandStatus> answers;
        bool resent = false;
    };
    // What the records of all workers say, in the order of each.
    std::vector<Round> rounds() {
        std::vector<Round> out;
        for (uint8_t worker = 0; worker < GetParam(); ++worker) {
            queue::ByteRing* ring = router->hub().records(WorkerId{worker});
            if (ring == nullptr) {
                ADD_FAILURE() << "no records are written";
                break;
            }
            for (Octets entry = ring->front(); !entry.empty(); entry = ring->front()) {
                Record record;
                RecordStorage storage;
                EXPECT_TRUE(decode_record(entry, storage, record));
                Round round{record.end, record.id, {}, record.resent};
                for (const Attempt& attempt : record.attempts) {
                    round.answers.push_back(attempt.status);
                }
                out.push_back(std::move(round));
                ring->pop();
            }
        }
        return out;
    }

    uint64_t count(Counter WorkerCounters::* counter) { return router->count(counter); }
};

INSTANTIATE_TEST_SUITE_P(Workers, StoredMessageTest, testing::Values(1, 3));

// ---------------------------------------------------------------- taking

TEST_P(StoredMessageTest, IsAnsweredWhenItIsOnDiskAndNotBefore) {
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rok, false);
    router->store_runs = false;
    acme.submit(conn, 2, message("one"));
    router->run_for(second_ns);
    EXPECT_EQ(acme.response(conn, 2), nullptr);
    EXPECT_TRUE(sent(alpha).empty());
    router->store_runs = true;
    router->run_for(100 * millisecond_ns);
    ASSERT_NE(acme.response(conn, 2), nullptr) << "no supplier has answered";
    EXPECT_EQ(acme.response(conn, 2)->status(), CommandStatus::esme_rok);
    EXPECT_EQ(sent(alpha), std::vector<std::string>{"one"});
    EXPECT_EQ(database.size(Family::messages), 1u);
}

TEST_P(StoredMessageTest, IsForgottenWhenASupplierHasItAndItsReceiptComesHome) {
    const std::string id = taken(bind(), 2, message("one"));
    router->run_for(100 * millisecond_ns);
    EXPECT_EQ(database.size(Family::ways), 1u);
    send_receipt("1", 501);
    EXPECT_EQ(delivered(1), std::vector{id});
    EXPECT_EQ(count(&WorkerCounters::mt_accepted), 1u);
    expect_nothing_left();
}

TEST_P(StoredMessageTest, TheMessagingModeDecidesBeforeTheAccount) {
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rok, false);
    smpp::Sm forward = message("forward");
    forward.esm_class = 0x01;
    acme.submit(conn, 2, forward);
    router->run_for(100 * millisecond_ns);
    EXPECT_EQ(acme.response(conn, 2), nullptr);
    EXPECT_EQ(database.size(Family::messages), 0u);

    config.customers[0].store_and_forward = false;
    router->reload(config);
    smpp::Sm stored = message("stored", "+447700900002");
    stored.esm_class = 0x03;
    taken(conn, 3, stored);
    EXPECT_EQ(database.size(Family::messages), 1u);
}

TEST_P(StoredMessageTest, WithoutARouteIsRefusedAtOnce) {
    const ConnId conn = bind();
    acme.submit(conn, 2, message("one", "+99123456789"));
    router->run_for(100 * millisecond_ns);
    ASSERT_NE(acme.response(conn, 2), nullptr);
    EXPECT_EQ(acme.response(conn, 2)->status(), CommandStatus::esme_rinvdstadr);
    expect_nothing_left();
}

TEST_P(StoredMessageTest, IsRefusedWhileTheDiskFails) {
    const ConnId conn = bind();
    database.fails_writes = true;
    acme.submit(conn, 2, message("one"));
    router->run_for(100 * millisecond_ns);
    ASSERT_NE(acme.response(conn, 2), nullptr);
    EXPECT_EQ(acme.response(conn, 2)->status(), CommandStatus::esme_rsyserr);
    EXPECT_TRUE(sent(alpha).empty());
    database.fails_writes = false;
    taken(conn, 3, message("two"));
    router->run_for(100 * millisecond_ns);
    EXPECT_EQ(alpha.next_id, 2u);
    expect_nothing_left();
}

// ---------------------------------------------------------------- retries

TEST_P(StoredMessageTest, GoesToTheNextTargetBeforeItIsTriedAgain) {
    const ConnId conn = bind();
    router->run_until([&] { return !beta.bound.empty(); });
    keep_submits(CommandStatus::esme_rsubmitfail);
    taken(conn, 2, message("one", "+33123456789"));
    router->run_for(100 * millisecond_ns);
    EXPECT_EQ(sent(alpha).size(), 1u);
    EXPECT_EQ(beta.next_id, 2u);
    EXPECT_EQ(count(&WorkerCounters::mt_postponed), 0u);
    expect_nothing_left();
}

TEST_P(StoredMessageTest, WaitsOnDiskByTheScheduleOfItsError) {
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rsubmitfail);
    taken(conn, 2, message("one"));
    router->run_for(100 * millisecond_ns);
    EXPECT_EQ(sent(alpha).size(), 1u);
    expect_waiting(1);
    router->run_for(1500 * millisecond_ns);
    EXPECT_EQ(sent(alpha).size(), 1u);
    router->run_for(second_ns);
    EXPECT_EQ(sent(alpha).size(), 2u) << "after 2 s";
    router->run_for(9 * second_ns);
    EXPECT_EQ(sent(alpha).size(), 2u);
    keep_submits(CommandStatus::esme_rok);
    router->run_for(2 * second_ns);
    EXPECT_EQ(sent(alpha).size(), 3u) << "after 10 s more";
    EXPECT_EQ(count(&WorkerCounters::mt_accepted), 1u);
    EXPECT_EQ(count(&WorkerCounters::mt_postponed), 2u);
    expect_nothing_left();
}

TEST_P(StoredMessageTest, LeavesARecordOfEachRoundAndOneOfItsEnd) {
    config.record_ring_bytes = 1 << 20;
    restart();
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rsubmitfail);
    const std::string id = taken(conn, 2, message("one"));
    router->run_for(100 * millisecond_ns);
    std::vector<Round> all = rounds();
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].end, RecordEnd::postponed);
    EXPECT_EQ(std::to_string(all[0].id), id);
    EXPECT_EQ(all[0].answers, std::vector{CommandStatus::esme_rsubmitfail});
    keep_submits(CommandStatus::esme_rok);
    router->run_for(3 * second_ns);
    all = rounds();
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].end, RecordEnd::accepted);
    EXPECT_EQ(std::to_string(all[0].id), id);
    EXPECT_EQ(all[0].answers, std::vector{CommandStatus::esme_rok});
    EXPECT_FALSE(all[0].resent);

    keep_submits(CommandStatus::esme_rok, false);
    taken(conn, 3, message("two"));
    router->run_for(100 * millisecond_ns);
    restart();
    keep_submits(CommandStatus::esme_rok);
    router->run_for(10 * second_ns);
    all = rounds();
    ASSERT_FALSE(all.empty());
    EXPECT_EQ(all.back().end, RecordEnd::accepted);
    EXPECT_TRUE(all.back().resent) << "the router that was killed may have sent it";
}

TEST_P(StoredMessageTest, OfASupplierThatIsAwayGoesOutWhenItIsBack) {
    const ConnId conn = bind();
    config.retry.validity_ns = 300 * second_ns;
    router->reload(config);
    alpha.answer_binds = false;
    for (const ConnId link : std::vector(alpha.bound)) {
        alpha.abort(link);
    }
    router->run_for(second_ns);
    taken(conn, 2, message("one"));
    router->run_for(100 * millisecond_ns);
    expect_waiting(1);
    alpha.answer_binds = true;
    router->run_for(100 * second_ns);
    EXPECT_EQ(count(&WorkerCounters::mt_accepted), 1u);
    expect_nothing_left();
}

TEST_P(StoredMessageTest, RefusedForGoodBringsAReceiptThatSaysSo) {
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rinvdstadr);
    route::ErrorRule rule;
    rule.status = CommandStatus::esme_rinvdstadr;
    rule.error_class = route::ErrorClass::final;
    config.errors = {rule};
    router->reload(config);
    const std::string id = taken(conn, 2, message("one"));
    EXPECT_EQ(delivered(1), std::vector{id});
    EXPECT_EQ(receipt_state(0), MessageState::rejected);
    EXPECT_EQ(count(&WorkerCounters::mt_rejected), 1u);
    expect_nothing_left();
    EXPECT_EQ(database.size(Family::receipts), 0u);
}

TEST_P(StoredMessageTest, ExpiresToTheSecondWithAReceipt) {
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rsubmitfail);
    smpp::Sm sm = message("one");
    sm.validity_period = "000000000007000R";
    const Nanos since = net.now_ns();
    const std::string id = taken(conn, 2, sm);
    router->run_until([&] { return !acme.all(CommandId::deliver_sm).empty(); }, 60 * second_ns);
    EXPECT_GE(net.now_ns() - since, 7 * second_ns);
    EXPECT_LT(net.now_ns() - since, 8 * second_ns);
    EXPECT_EQ(delivered(), std::vector{id});
    EXPECT_EQ(receipt_state(0), MessageState::expired);
    EXPECT_EQ(count(&WorkerCounters::mt_expired), 1u);
    expect_nothing_left();
}

TEST_P(StoredMessageTest, WaitsForItsScheduleAndIsSentWithoutIt) {
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rok);
    smpp::Sm sm = message("one");
    sm.schedule_delivery_time = "000000000010000R";
    sm.validity_period = "000000000030000R";
    taken(conn, 2, sm);
    router->run_for(9 * second_ns);
    expect_waiting(1);
    EXPECT_TRUE(sent(alpha).empty());
    router->run_for(2 * second_ns);
    ASSERT_EQ(sent(alpha).size(), 1u);
    smpp::Sm out;
    ASSERT_EQ(smpp::decode_sm(alpha.all(CommandId::submit_sm)[0]->octets(), {}, out),
              CommandStatus::esme_rok);
    EXPECT_EQ(out.schedule_delivery_time, "");
    EXPECT_EQ(out.validity_period.substr(0, 10), "0000000000") << "the 30 s less the 10";
    EXPECT_EQ(out.validity_period.substr(10, 2), "19") << out.validity_period;
    expect_nothing_left();
}

TEST_P(StoredMessageTest, AnUnknownOutcomeIsSaidOrSentAgainMarked) {
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rok, false);
    const std::string id = taken(conn, 2, message("one"));
    router->run_for(100 * millisecond_ns);
    for (const ConnId link : std::vector(alpha.bound)) {
        alpha.abort(link);
    }
    EXPECT_EQ(delivered(1), std::vector{id});
    EXPECT_EQ(receipt_state(0), MessageState::unknown);

    config.suppliers[0].on_unknown = route::OnUnknown::resend;
    router->reload(config);
    router->run_for(5 * second_ns);
    taken(conn, 3, message("two"));
    router->run_for(100 * millisecond_ns);
    for (const ConnId link : std::vector(alpha.bound)) {
        alpha.abort(link);
    }
    keep_submits(CommandStatus::esme_rok);
    router->run_for(20 * second_ns);
    EXPECT_EQ(count(&WorkerCounters::mt_accepted), 1u);
    EXPECT_EQ(count(&WorkerCounters::mt_resent), 1u);
    expect_nothing_left();
}

// ---------------------------------------------------------------- order

TEST_P(StoredMessageTest, GoInOrderToOneDestination) {
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rok, false);
    for (uint32_t i = 0; i < 5; ++i) {
        taken(conn, 2 + i, message("one " + std::to_string(i)));
        taken(conn, 102 + i, message("two " + std::to_string(i), "+447700900002"));
    }
    router->run_for(100 * millisecond_ns);
    EXPECT_EQ(sent(alpha), (std::vector<std::string>{"one 0", "two 0"})) << "one at a time";
    // The first is refused, and tried again later: the others of its destination wait behind it.
    const auto submits = alpha.all(CommandId::submit_sm);
    const Pdu first = *submits[0];
    const Pdu other = *submits[1];
    keep_submits(CommandStatus::esme_rok);
    alpha.answer(first, CommandStatus::esme_rsubmitfail);
    alpha.answer(other, CommandStatus::esme_rok, "900");
    router->run_for(500 * millisecond_ns);
    EXPECT_EQ(sent(alpha),
              (std::vector<std::string>{"one 0", "two 0", "two 1", "two 2", "two 3", "two 4"}));
    expect_waiting(5);
    router->run_for(4 * second_ns);
    EXPECT_EQ(sent(alpha),
              (std::vector<std::string>{"one 0", "two 0", "two 1", "two 2", "two 3", "two 4",
                                        "one 0", "one 1", "one 2", "one 3", "one 4"}));
    expect_nothing_left();
}

TEST_P(StoredMessageTest, OneThatComesLaterWaitsBehindOneOfItsDestination) {
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rsubmitfail);
    taken(conn, 2, message("first"));
    router->run_for(100 * millisecond_ns);
    keep_submits(CommandStatus::esme_rok);
    taken(conn, 3, message("second"));
    taken(conn, 4, message("other", "+447700900002"));
    router->run_for(500 * millisecond_ns);
    EXPECT_EQ(sent(alpha), (std::vector<std::string>{"first", "other"}));
    router->run_for(3 * second_ns);
    EXPECT_EQ(sent(alpha), (std::vector<std::string>{"first", "other", "first", "second"}));
    expect_nothing_left();
}

TEST_P(StoredMessageTest, ThoseOfAHighPriorityComeOutFirst) {
    const ConnId conn = bind();
    std::vector<std::string> wanted;
    for (uint32_t i = 0; i < 8; ++i) {
        const std::string text = "text " + std::to_string(i);
        const std::string to = "+44770090000" + std::to_string(i);
        smpp::Sm sm = message(text, to);
        sm.schedule_delivery_time = "000000000010000R";
        sm.priority_flag = static_cast<uint8_t>(i % 4);
        taken(conn, 2 + i, sm);
    }
    keep_submits(CommandStatus::esme_rok);
    router->run_for(15 * second_ns);
    EXPECT_EQ(sent(alpha), (std::vector<std::string>{"text 3", "text 7", "text 2", "text 6",
                                                     "text 1", "text 5", "text 0", "text 4"}));
    expect_nothing_left();
}

TEST_P(StoredMessageTest, MoreThanMayBeUnderWayWaitOnDisk) {
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rok, false);
    constexpr uint32_t messages = 3000;
    for (uint32_t i = 0; i < messages; ++i) {
        acme.submit(conn, 2 + i, message("x", "+4477" + std::to_string(10'000'000 + i)));
    }
    router->run_for(second_ns);
    EXPECT_EQ(count(&WorkerCounters::mt_stored), messages);
    if (GetParam() == 1) {  // others would take them
        EXPECT_GT(database.size(Family::queue), 0u);
        EXPECT_LT(router->in_flight(), messages);
    }
    for (const Pdu* pdu : alpha.all(CommandId::submit_sm)) {
        alpha.answer(*pdu, CommandStatus::esme_rok, std::to_string(alpha.next_id++));
    }
    keep_submits(CommandStatus::esme_rok);
    router->run_for(60 * second_ns);
    EXPECT_EQ(count(&WorkerCounters::mt_accepted), messages);
    expect_nothing_left();
}

// ---------------------------------------------------------------- restarts

TEST_P(StoredMessageTest, WhatWaitsSurvivesARestartAndIsNotMarked) {
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rsubmitfail);
    const std::string id = taken(conn, 2, message("one"));
    router->run_for(100 * millisecond_ns);
    restart();
    keep_submits(CommandStatus::esme_rok);
    bind();
    router->run_for(5 * second_ns);
    EXPECT_EQ(count(&WorkerCounters::mt_accepted), 1u);
    EXPECT_EQ(count(&WorkerCounters::mt_resent), 0u);
    send_receipt(std::to_string(alpha.next_id - 1), 501);
    EXPECT_EQ(delivered(1), std::vector{id});
    expect_nothing_left();
}

TEST_P(StoredMessageTest, WhatWasUnderWayIsSentAgainAndMarked) {
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rok, false);
    taken(conn, 2, message("one"));
    router->run_for(100 * millisecond_ns);
    EXPECT_EQ(sent(alpha).size(), 1u);
    restart();
    keep_submits(CommandStatus::esme_rok);
    router->run_for(10 * second_ns);
    EXPECT_EQ(count(&WorkerCounters::mt_accepted), 1u);
    EXPECT_EQ(count(&WorkerCounters::mt_resent), 1u);
    expect_nothing_left();
}

TEST_P(StoredMessageTest, ADrainLeavesThemOnDisk) {
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rsubmitfail);
    taken(conn, 2, message("one"));
    router->run_for(100 * millisecond_ns);
    router->hub().begin_drain(net.now_ns() + 5 * second_ns);
    router->run_for(20 * second_ns);
    EXPECT_TRUE(router->hub().drained());
    EXPECT_EQ(database.size(Family::messages), 1u);
    EXPECT_EQ(database.size(Family::queue), 1u);
}

// ---------------------------------------------------------------- a failing disk

TEST_P(StoredMessageTest, WhatEndedWhileTheDiskFailedIsForgottenLater) {
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rok, false);
    const std::string with = taken(conn, 2, message("with a receipt"));
    smpp::Sm without = message("without", "+447700900002");
    without.registered_delivery = 0;
    taken(conn, 3, without);
    router->run_for(100 * millisecond_ns);
    ASSERT_EQ(sent(alpha).size(), 2u);
    database.fails_writes = true;
    for (const Pdu* pdu : alpha.all(CommandId::submit_sm)) {
        alpha.answer(*pdu, CommandStatus::esme_rok, std::to_string(alpha.next_id++));
    }
    router->run_for(2 * second_ns);
    EXPECT_EQ(database.size(Family::messages), 2u);
    database.fails_writes = false;
    router->run_for(2 * second_ns);
    send_receipt("1", 501);
    EXPECT_EQ(delivered(1), std::vector{with});
    EXPECT_EQ(count(&WorkerCounters::mt_accepted), 2u);
    EXPECT_EQ(sent(alpha).size(), 2u) << "not sent again";
    expect_nothing_left();
}

// The first is refused and put off; in the batch behind that, the second is to be put off too.
TEST_P(StoredMessageTest, OneBehindAnotherIsNotLostWhenItCannotBeWrittenThatItWaits) {
    for (const char* schedule : {"", "000000000005000R"}) {  // fresh, and taken from the store
        SCOPED_TRACE(schedule);
        const ConnId conn = bind();
        alpha.received.clear();
        keep_submits(CommandStatus::esme_rok, false);
        smpp::Sm first = message("first");
        smpp::Sm second = message("second");
        first.schedule_delivery_time = second.schedule_delivery_time = schedule;
        taken(conn, 2, first);
        taken(conn, 3, second);
        router->run_for(6 * second_ns);
        ASSERT_EQ(sent(alpha), std::vector<std::string>{"first"});
        const uint64_t bugs = bug_count().load();
        const uint64_t accepted = count(&WorkerCounters::mt_accepted);
        database.fails_at = database.commits + 2;
        const Pdu request = *alpha.all(CommandId::submit_sm)[0];
        alpha.answer(request, CommandStatus::esme_rsubmitfail);
        router->run_for(second_ns);
        ASSERT_GT(database.commits, database.fails_at);
        keep_submits(CommandStatus::esme_rok);
        router->run_for(20 * second_ns);
        EXPECT_EQ(sent(alpha), (std::vector<std::string>{"first", "first", "second"}));
        EXPECT_EQ(count(&WorkerCounters::mt_accepted), accepted + 2);
        EXPECT_EQ(bug_count().load(), bugs);
        expect_nothing_left();
    }
}

TEST_P(StoredMessageTest, APlaceThatCannotBeReadIsMadeAnew) {
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rsubmitfail);
    taken(conn, 2, message("one"));
    router->run_for(100 * millisecond_ns);
    store::Database::Entry place;
    ASSERT_TRUE(database.seek(Family::queue, "", "", place).value_or(false));
    database.put(Family::queue, place.key, "bad");
    database.put(Family::queue, "acme", "bad too");
    ASSERT_TRUE(database.commit(true).has_value());
    restart();
    keep_submits(CommandStatus::esme_rok);
    router->run_for(10 * second_ns);
    EXPECT_EQ(count(&WorkerCounters::mt_accepted), 1u);
    EXPECT_EQ(count(&WorkerCounters::mt_resent), 1u) << "where it stood, nobody knows";
    expect_nothing_left();
}

// ---------------------------------------------------------------- query, cancel, replace

class StoredQuestionTest : public StoredMessageTest {
  protected:
    // One that waits for its time.
    std::string scheduled(ConnId conn, uint32_t sequence) {
        smpp::Sm sm = message("old");
        sm.schedule_delivery_time = "000000000030000R";
        const std::string id = taken(conn, sequence, sm);
        router->run_for(10 * millisecond_ns);
        return id;
    }
    const Pdu* ask_query(ConnId conn,
                         uint32_t sequence,
                         const std::string& id,
                         std::string_view source = "Shop") {
        smpp::QuerySm query;
        query.message_id = id;
        query.source.digits = source;
        acme.send_pdu(conn, [&](auto out) { return smpp::encode_query_sm(out, sequence, query); });
        router->run_for(100 * millisecond_ns);
        return acme.response(conn, sequence);
    }
    CommandStatus ask_cancel(ConnId conn,
                             uint32_t sequence,
                             const std::string& id,
                             std::string_view to = "+447700900001") {
        smpp::CancelSm cancel;
        cancel.message_id = id;
        cancel.source.digits = "Shop";
        cancel.destination.digits = to;
        acme.send_pdu(conn,
                      [&](auto out) { return smpp::encode_cancel_sm(out, sequence, cancel); });
        router->run_for(100 * millisecond_ns);
        const Pdu* answer = acme.response(conn, sequence);
        EXPECT_NE(answer, nullptr);
        return answer->status();
    }
    CommandStatus ask_replace(ConnId conn,
                              uint32_t sequence,
                              const std::string& id,
                              std::string_view schedule) {
        smpp::ReplaceSm replace;
        replace.message_id = id;
        replace.source.digits = "Shop";
        replace.schedule_delivery_time = schedule;
        replace.registered_delivery = 1;
        replace.short_message = as_octets("new");
        acme.send_pdu(conn,
                      [&](auto out) { return smpp::encode_replace_sm(out, sequence, replace); });
        router->run_for(100 * millisecond_ns);
        const Pdu* answer = acme.response(conn, sequence);
        EXPECT_NE(answer, nullptr);
        return answer->status();
    }
};

INSTANTIATE_TEST_SUITE_P(Workers, StoredQuestionTest, testing::Values(1, 3));

TEST_P(StoredQuestionTest, AQuerySaysWhatIsTrue) {
    const ConnId conn = bind();
    const std::string id = scheduled(conn, 2);
    const Pdu* answer = ask_query(conn, 3, id);
    ASSERT_NE(answer, nullptr);
    ASSERT_EQ(answer->status(), CommandStatus::esme_rok);
    smpp::QuerySmResp resp;
    ASSERT_EQ(smpp::decode_query_sm_resp(answer->octets(), {}, resp), CommandStatus::esme_rok);
    EXPECT_EQ(resp.message_id, id);
    EXPECT_EQ(resp.message_state, static_cast<uint8_t>(MessageState::enroute));
    EXPECT_EQ(resp.final_date, "");
    EXPECT_EQ(ask_query(conn, 4, id, "Other")->status(), CommandStatus::esme_rqueryfail);
    EXPECT_EQ(ask_query(conn, 5, "12345")->status(), CommandStatus::esme_rqueryfail);
    router->run_for(70 * second_ns);
    EXPECT_EQ(ask_query(conn, 6, id)->status(), CommandStatus::esme_rqueryfail) << "it has ended";
    expect_nothing_left();
}

TEST_P(StoredQuestionTest, AVersionFiveCustomerHearsThatItIsScheduled) {
    const ConnId conn =
        acme.bind(router->address, CommandId::bind_transceiver, "acme", "secret", 0x50);
    router->run_for(100 * millisecond_ns);
    const std::string id = scheduled(conn, 2);
    const Pdu* answer = ask_query(conn, 3, id);
    ASSERT_NE(answer, nullptr);
    smpp::QuerySmResp resp;
    ASSERT_EQ(smpp::decode_query_sm_resp(answer->octets(), {}, resp), CommandStatus::esme_rok);
    EXPECT_EQ(resp.message_state, static_cast<uint8_t>(MessageState::scheduled));
}

TEST_P(StoredQuestionTest, ACancelledOneIsNotSentAndItsReceiptSaysDeleted) {
    const ConnId conn = bind();
    const std::string id = scheduled(conn, 2);
    EXPECT_EQ(ask_cancel(conn, 3, id, "+447700900009"), CommandStatus::esme_rcancelfail);
    EXPECT_EQ(ask_cancel(conn, 4, id), CommandStatus::esme_rok);
    EXPECT_EQ(ask_cancel(conn, 5, id), CommandStatus::esme_rcancelfail) << "it is gone";
    EXPECT_EQ(delivered(1), std::vector{id});
    EXPECT_EQ(receipt_state(0), MessageState::deleted);
    router->run_for(70 * second_ns);
    EXPECT_EQ(alpha.next_id, 1u);
    expect_nothing_left();
}

TEST_P(StoredQuestionTest, AllOfADestinationAreCancelledWithoutAnId) {
    const ConnId conn = bind();
    const std::vector<std::string> ids{scheduled(conn, 2), scheduled(conn, 3)};
    smpp::Sm other = message("other", "+447700900002");
    other.schedule_delivery_time = "000000000030000R";
    taken(conn, 4, other);
    EXPECT_EQ(ask_cancel(conn, 5, ""), CommandStatus::esme_rok);
    EXPECT_EQ(ask_cancel(conn, 6, ""), CommandStatus::esme_rcancelfail);
    EXPECT_EQ(delivered(2), ids);
    router->run_for(70 * second_ns);
    EXPECT_EQ(alpha.next_id, 2u);
    expect_nothing_left();
}

TEST_P(StoredQuestionTest, OneUnderWayIsNotCancelled) {
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rok, false);
    const std::string id = taken(conn, 2, message("one"));
    router->run_for(100 * millisecond_ns);
    EXPECT_EQ(ask_cancel(conn, 3, id), CommandStatus::esme_rcancelfail);
    EXPECT_EQ(ask_replace(conn, 4, id, ""), CommandStatus::esme_rreplacefail);
}

TEST_P(StoredQuestionTest, AReplacedOneHasItsNewTextAndTime) {
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rok);
    const std::string id = scheduled(conn, 2);
    EXPECT_EQ(ask_replace(conn, 3, id, "000000000005000R"), CommandStatus::esme_rok);
    router->run_for(4 * second_ns);
    EXPECT_TRUE(sent(alpha).empty());
    router->run_for(2 * second_ns);
    EXPECT_EQ(sent(alpha), std::vector<std::string>{"new"});
    expect_nothing_left();
}

}  // namespace
}  // namespace sy::engine
