// What a router promises about messages that it took to store and forward: over restarts, when
// suppliers refuse, are away or do not answer, in which order, and until when.
#include <algorithm>

#include "core/base/assert.h"
#include "tests/unit/store/messages_fixture.h"

namespace sy::engine {
namespace {

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

TEST_P(StoredMessageTest, EachDestinationOfASubmitMultiIsStored) {
    ConnId conn = bind();
    keep_submits(CommandStatus::esme_rsubmitfail);
    smpp::SubmitMulti multi;
    multi.sm = message("to all", "");
    const auto destination = [](const std::string& digits) {
        return std::string("\x01\x01\x01", 3) + digits + '\0';
    };
    const std::string list =
        destination("447700900001") + destination("447700900002") + destination("15551234567");
    multi.number_of_dests = 3;
    multi.dest_addresses = as_octets(list);
    acme.send_pdu(conn, [&](auto out) { return smpp::encode_submit_multi(out, 2, multi); });
    router->run_until([&] { return acme.response(conn, 2) != nullptr; }, second_ns);
    const Pdu* response = acme.response(conn, 2);
    ASSERT_NE(response, nullptr);
    EXPECT_EQ(response->header.command_id, CommandId::submit_multi_resp);
    EXPECT_EQ(response->status(), CommandStatus::esme_rok);
    const std::string id = response->body.substr(0, response->body.find('\0'));
    // no_unsuccess = 1: the one without a route.
    EXPECT_EQ(response->body.substr(id.size() + 1), std::string("\x01\x01\x01"
                                                                "15551234567\0\x00\x00\x00\x0b",
                                                                19));
    router->run_for(100 * millisecond_ns);
    expect_waiting(2);
    restart();
    keep_submits(CommandStatus::esme_rok);
    conn = bind();
    router->run_for(5 * second_ns);
    EXPECT_EQ(sent(alpha), std::vector<std::string>(4, "to all")) << "each was refused once";
    EXPECT_EQ(count(&WorkerCounters::mt_accepted), 2u);
    expect_nothing_left();
    send_receipt(std::to_string(alpha.next_id - 1), 501);
    send_receipt(std::to_string(alpha.next_id - 2), 502);
    std::vector<std::string> home = delivered(2);
    std::ranges::sort(home);
    ASSERT_EQ(home.size(), 2u);
    EXPECT_NE(home[0], home[1]);
    EXPECT_EQ(home[0], id) << "the answer told the first's";
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

TEST_P(StoredMessageTest, TheRecordOfAReceiptThatWaitedNamesItsSupplier) {
    restart_with_records();
    const ConnId conn = bind();
    const std::string id = taken(conn, 2, message("one"));
    router->run_for(100 * millisecond_ns);
    acme.close(conn);
    router->run_for(2 * second_ns);
    send_receipt(std::to_string(alpha.next_id - 1), 501);
    EXPECT_EQ(receipt_answer(501), CommandStatus::esme_rok);
    restart();
    bind();
    EXPECT_EQ(delivered(1), std::vector{id});
    const std::vector<Round> all = rounds();
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].end, RecordEnd::delivered);
    EXPECT_EQ(std::to_string(all[0].id), id);
    EXPECT_EQ(all[0].supplier, SupplierId{0});
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
    all = rounds();
    ASSERT_FALSE(all.empty()) << "before it is sent again: the next life's records may be lost";
    EXPECT_EQ(all[0].end, RecordEnd::postponed);
    EXPECT_TRUE(all[0].resent);
    EXPECT_TRUE(all[0].answers.empty());
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

}  // namespace
}  // namespace sy::engine
