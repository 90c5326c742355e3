// query_sm, cancel_sm and replace_sm of messages that wait in the store, and what waits behind
// them.
#include "tests/unit/store/messages_fixture.h"

namespace sy::engine {
namespace {

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
                              std::string_view schedule,
                              std::string_view text = "new") {
        smpp::ReplaceSm replace;
        replace.message_id = id;
        replace.source.digits = "Shop";
        replace.schedule_delivery_time = schedule;
        replace.registered_delivery = 1;
        replace.short_message = as_octets(text);
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

TEST_P(StoredQuestionTest, AScheduledOneIsInNobodysWay) {
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rok);
    scheduled(conn, 2);
    taken(conn, 3, message("second"));
    EXPECT_TRUE(router->run_until([&] { return sent(alpha).size() == 1; }, second_ns));
    EXPECT_EQ(sent(alpha), std::vector<std::string>{"second"});
    router->run_for(100 * millisecond_ns);
    expect_waiting(1);
}

TEST_P(StoredQuestionTest, OneBehindACancelledOneGoesAtOnce) {
    config.retry.next = {30 * second_ns};
    router->reload(config);
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rsubmitfail);
    const std::string first = taken(conn, 2, message("first"));
    router->run_for(100 * millisecond_ns);
    keep_submits(CommandStatus::esme_rok);
    taken(conn, 3, message("second"));
    taken(conn, 4, message("third"));
    router->run_for(second_ns);
    EXPECT_EQ(sent(alpha).size(), 1u) << "they wait behind it";
    EXPECT_EQ(ask_cancel(conn, 5, first), CommandStatus::esme_rok);
    EXPECT_TRUE(router->run_until([&] { return sent(alpha).size() == 3; }, second_ns));
    EXPECT_EQ(sent(alpha), (std::vector<std::string>{"first", "second", "third"}));
    expect_nothing_left();
}

TEST_P(StoredQuestionTest, SoDoesOneBehindOneThatIsMovedOnlyInItsTurn) {
    config.retry.next = {30 * second_ns};
    router->reload(config);
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rsubmitfail);
    const std::string first = taken(conn, 2, message("first"));
    router->run_for(100 * millisecond_ns);
    keep_submits(CommandStatus::esme_rok);
    taken(conn, 3, message("second"));
    router->run_for(second_ns);
    EXPECT_EQ(ask_replace(conn, 4, first, "000000000003000R"), CommandStatus::esme_rok);
    router->run_for(5 * second_ns);
    // What is scheduled is in nobody's way, also where a replace_sm said so.
    EXPECT_EQ(sent(alpha), (std::vector<std::string>{"first", "second", "new"}));
    expect_nothing_left();
}

TEST_P(StoredQuestionTest, OneBehindAnotherExpiresInItsOwnTime) {
    config.retry.next = {30 * second_ns};
    router->reload(config);
    const ConnId conn = bind();
    keep_submits(CommandStatus::esme_rsubmitfail);
    taken(conn, 2, message("first"));
    router->run_for(100 * millisecond_ns);
    smpp::Sm sm = message("second");
    sm.validity_period = "000000000003000R";
    const std::string id = taken(conn, 3, sm);
    router->run_for(2 * second_ns);
    EXPECT_TRUE(delivered().empty());
    router->run_for(1100 * millisecond_ns);
    EXPECT_EQ(delivered(), std::vector{id});
    EXPECT_EQ(receipt_state(0), MessageState::expired);
    EXPECT_EQ(sent(alpha), std::vector<std::string>{"first"});
}

TEST_P(StoredQuestionTest, OneWhoseValidityEndsBeforeItsScheduleExpiresThen) {
    const ConnId conn = bind();
    smpp::Sm sm = message("one");
    sm.schedule_delivery_time = "000000000030000R";
    sm.validity_period = "000000000002000R";
    const std::string id = taken(conn, 2, sm);
    router->run_for(3 * second_ns);
    EXPECT_EQ(delivered(), std::vector{id});
    EXPECT_EQ(receipt_state(0), MessageState::expired);
    expect_nothing_left();
}

TEST_P(StoredQuestionTest, OneThatWaitsBehindAnotherIsNotScheduled) {
    config.retry.next = {30 * second_ns};
    router->reload(config);
    const ConnId conn =
        acme.bind(router->address, CommandId::bind_transceiver, "acme", "secret", 0x50);
    router->run_for(100 * millisecond_ns);
    keep_submits(CommandStatus::esme_rsubmitfail);
    taken(conn, 2, message("first"));
    router->run_for(100 * millisecond_ns);
    const std::string id = taken(conn, 3, message("second"));
    router->run_for(second_ns);
    const Pdu* answer = ask_query(conn, 4, id);
    ASSERT_NE(answer, nullptr);
    smpp::QuerySmResp resp;
    ASSERT_EQ(smpp::decode_query_sm_resp(answer->octets(), {}, resp), CommandStatus::esme_rok);
    EXPECT_EQ(resp.message_state, static_cast<uint8_t>(MessageState::enroute));
}

TEST_P(StoredQuestionTest, APartIsNotReplacedByTextWithoutItsHeader) {
    const ConnId conn = bind();
    smpp::Sm sm = message("");
    const std::string part("\x05\x00\x03\x07\x02\x01part", 10);
    sm.short_message = as_octets(part);
    sm.esm_class = smpp::esm_class_udhi;
    sm.schedule_delivery_time = "000000000030000R";
    const std::string id = taken(conn, 2, sm);
    router->run_for(10 * millisecond_ns);
    EXPECT_EQ(ask_replace(conn, 3, id, ""), CommandStatus::esme_rreplacefail);
    EXPECT_EQ(ask_replace(conn, 4, id, "", part), CommandStatus::esme_rok);
}

TEST_P(StoredQuestionTest, ACancelledOneHasItsEndStateAndRecord) {
    restart_with_records();
    const ConnId conn = bind();
    const std::string id = scheduled(conn, 2);
    scheduled(conn, 3);
    scheduled(conn, 4);
    EXPECT_EQ(ask_cancel(conn, 5, id), CommandStatus::esme_rok);
    EXPECT_EQ(ask_cancel(conn, 6, ""), CommandStatus::esme_rok);
    EXPECT_EQ(count(&WorkerCounters::mt_in), 3u);
    EXPECT_EQ(count(&WorkerCounters::mt_cancelled), 3u);
    uint32_t cancelled = 0;
    bool is_named = false;
    for (const Round& round : rounds()) {
        cancelled += round.end == RecordEnd::cancelled ? 1 : 0;
        is_named =
            is_named || (round.end == RecordEnd::cancelled && std::to_string(round.id) == id);
    }
    EXPECT_EQ(cancelled, 3u);
    EXPECT_TRUE(is_named);
}

// ---------------------------------------------------------------- 3.3

class StoredQuestion33Test : public StoredQuestionTest {
  protected:
    ConnId bind_33() {
        const ConnId conn =
            acme.bind(router->address, CommandId::bind_transmitter, "acme", "secret", 0x33);
        EXPECT_TRUE(router->run_until([&] { return acme.response(conn, 1) != nullptr; }));
        return conn;
    }
};

TEST_P(StoredQuestion33Test, KnowsAMessageByTheEightDigitsThatItsCustomerWasGiven) {
    ConnId conn = bind_33();
    const std::string id = scheduled(conn, 2);
    ASSERT_EQ(id.size(), 8u);
    const Pdu* answer = ask_query(conn, 3, id);
    ASSERT_NE(answer, nullptr);
    EXPECT_EQ(answer->status(), CommandStatus::esme_rok);
    EXPECT_EQ(ask_query(conn, 4, "f" + id)->status(), CommandStatus::esme_rqueryfail);
    restart();
    conn = bind_33();
    EXPECT_EQ(ask_query(conn, 5, id)->status(), CommandStatus::esme_rok);
    EXPECT_EQ(ask_replace(conn, 6, id, "000000000010000R"), CommandStatus::esme_rok);
    EXPECT_EQ(ask_cancel(conn, 7, id), CommandStatus::esme_rok);
    EXPECT_EQ(ask_query(conn, 8, id)->status(), CommandStatus::esme_rqueryfail);
}

TEST_P(StoredQuestion33Test, AnIdThatIsTakenIsNotGivenAgain) {
    const ConnId conn = bind_33();
    const std::string id = scheduled(conn, 2);
    const uint64_t next = parse_id(id, IdForm::hex8) + (1u << 6);
    const std::string key = store::message_key(next - (1u << 6));
    store::Database::Entry first;
    ASSERT_TRUE(database.seek(Family::messages, key, key, first).value_or(false));
    database.put(Family::messages, store::message_key(next), "of days ago");
    ASSERT_TRUE(database.commit(true).has_value());
    acme.submit(conn, 3, message("new"));
    router->run_for(100 * millisecond_ns);
    ASSERT_NE(acme.response(conn, 3), nullptr);
    EXPECT_EQ(acme.response(conn, 3)->status(), CommandStatus::esme_rsyserr);
    store::Database::Entry kept;
    const std::string next_key = store::message_key(next);
    ASSERT_TRUE(database.seek(Family::messages, next_key, next_key, kept).value_or(false));
    EXPECT_EQ(kept.value, "of days ago");
    EXPECT_EQ(parse_id(taken(conn, 4, message("again")), IdForm::hex8), next + (1u << 6));
}

INSTANTIATE_TEST_SUITE_P(Workers, StoredQuestion33Test, testing::Values(1, 3));

}  // namespace
}  // namespace sy::engine
