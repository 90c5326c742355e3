// Receipt-driven re-route: a message whose receipt fails or does not come goes over its next
// target, and its customer sees one message and one final receipt, whatever is killed when.
#include "core/engine/record.h"
#include "tests/unit/store/fixture.h"

namespace sy::engine {
namespace {

using smpp::MessageState;
using store::Family;

constexpr Nanos patience_ns = 10 * second_ns;

class RerouteTest : public StoreTest {
  protected:
    RerouteTest() {
        config.mt = {test::rule("44", {0, 1})};
        config.mt[0].reroute_ns = patience_ns;
        for (SimPeer* supplier : {&alpha, &beta}) {
            keep_submits(*supplier);
        }
        alpha.next_id = 100;
        beta.next_id = 200;
        router->reload(config);
        router->run_until([&] { return !beta.bound.empty(); });
    }

    static void keep_submits(SimPeer& supplier, bool answers = true) {
        supplier.answer_submits = false;
        supplier.on_pdu = [&supplier, answers](const Pdu& pdu) {
            if (answers && pdu.header.command_id == CommandId::submit_sm) {
                supplier.answer(pdu, CommandStatus::esme_rok, std::to_string(supplier.next_id++));
            }
            return false;
        };
    }

    static smpp::Sm message(uint8_t registered_delivery = 1) {
        smpp::Sm sm = test::sm("Shop", "+447700900001", "x");
        sm.registered_delivery = registered_delivery;
        return sm;
    }

    std::string taken(ConnId conn, uint32_t sequence, const smpp::Sm& sm) {
        acme.submit(conn, sequence, sm);
        router->run_until([&] { return acme.response(conn, sequence) != nullptr; });
        const Pdu* response = acme.response(conn, sequence);
        smpp::SmResp resp;
        EXPECT_TRUE(response != nullptr && response->status() == CommandStatus::esme_rok &&
                    smpp::decode_sm_resp(response->octets(), {}, resp) == CommandStatus::esme_rok);
        return std::string(resp.message_id);
    }

    void receipt(SimPeer& supplier, uint64_t id, std::string_view stat) {
        const std::string body = "id:" + std::to_string(id) +
                                 " sub:001 dlvrd:001 submit date:2611230900 done date:2611230901 "
                                 "stat:" +
                                 std::string(stat) + " err:042 text:x";
        smpp::Sm sm = test::sm("447700900001", "Shop", body);
        sm.esm_class = smpp::esm_class_delivery_receipt;
        const uint32_t sequence = next_sequence_++;
        supplier.send_pdu(supplier.bound.front(), [&](auto out) {
            return smpp::encode_sm(out, CommandId::deliver_sm, sequence, sm);
        });
        const auto is_answered = [&] {
            for (const Pdu* pdu : supplier.all(CommandId::deliver_sm_resp)) {
                if (pdu->header.sequence_number == sequence) {
                    return pdu->status() == CommandStatus::esme_rok;
                }
            }
            return false;
        };
        EXPECT_TRUE(router->run_until(is_answered, 5 * second_ns)) << stat << " of " << id;
        router->run_for(100 * millisecond_ns);
    }

    static size_t sent(const SimPeer& supplier) {
        return supplier.all(CommandId::submit_sm).size();
    }

    struct Seen {
        std::string id;
        MessageState state{};
        uint32_t error = 0;
        friend bool operator==(const Seen&, const Seen&) = default;
    };
    std::vector<Seen> seen() {
        std::vector<Seen> out;
        for (const Pdu* pdu : acme.all(CommandId::deliver_sm)) {
            smpp::Sm sm;
            smpp::Receipt receipt;
            EXPECT_EQ(smpp::decode_sm(pdu->octets(), {}, sm), CommandStatus::esme_rok);
            EXPECT_TRUE(smpp::parse_receipt(sm, receipt));
            out.push_back({std::string(receipt.message_id), receipt.state, receipt.error});
        }
        return out;
    }
    static std::vector<Seen> one(const std::string& id, MessageState state) {
        return {{id, state, 42}};
    }

    void expect_nothing_left() {
        router->run_for(second_ns);
        EXPECT_EQ(database.size(Family::messages), 0u);
        EXPECT_EQ(database.size(Family::watches), 0u);
        EXPECT_EQ(database.size(Family::receipts), 0u);
        EXPECT_EQ(router->in_flight(), 0u);
        EXPECT_TRUE(router->store_errors.empty());
    }

    uint32_t next_sequence_ = 500;
};

INSTANTIATE_TEST_SUITE_P(Workers, RerouteTest, testing::Values(1, 3));

TEST_P(RerouteTest, AFailedReceiptSendsTheMessageOverTheNextTarget) {
    const ConnId conn = bind();
    const std::string id = taken(conn, 2, message());
    EXPECT_EQ(sent(alpha), 1u);
    receipt(alpha, 100, "UNDELIV");
    EXPECT_TRUE(router->run_until([&] { return sent(beta) == 1; }, second_ns));
    EXPECT_TRUE(seen().empty()) << "its customer hears of none of that";
    EXPECT_EQ(acme.all(CommandId::submit_sm_resp).size(), 1u);
    receipt(beta, 200, "DELIVRD");
    EXPECT_EQ(seen(), one(id, MessageState::delivered));
    EXPECT_EQ(sent(alpha), 1u);
    EXPECT_EQ(router->count(&WorkerCounters::mt_accepted), 1u) << "one message";
    EXPECT_EQ(router->count(&WorkerCounters::mt_receipt_reroutes), 1u);
    EXPECT_EQ(router->count(&WorkerCounters::receipts_swallowed), 1u);
    expect_nothing_left();
    EXPECT_EQ(database.size(Family::ways), 0u);
}

TEST_P(RerouteTest, AMissingReceiptDoesWhenItsTimeIsOver) {
    const ConnId conn = bind();
    const std::string id = taken(conn, 2, message());
    router->run_for(patience_ns - 200 * millisecond_ns);
    EXPECT_EQ(sent(beta), 0u);
    EXPECT_TRUE(router->run_until([&] { return sent(beta) == 1; }, second_ns));
    receipt(beta, 200, "DELIVRD");
    EXPECT_EQ(seen(), one(id, MessageState::delivered));
    expect_nothing_left();
}

TEST_P(RerouteTest, AFailureThatComesAsItIsMissedSendsItOnce) {
    const ConnId conn = bind();
    const std::string id = taken(conn, 2, message());
    router->run_for(patience_ns - second_ns);
    router->store_runs = false;
    router->run_for(2 * second_ns);  // a worker has asked for it
    smpp::Sm sm = test::sm("447700900001", "Shop", "id:100 stat:UNDELIV err:042");
    sm.esm_class = smpp::esm_class_delivery_receipt;
    alpha.send_pdu(alpha.bound.front(),
                   [&](auto out) { return smpp::encode_sm(out, CommandId::deliver_sm, 400, sm); });
    router->run_for(500 * millisecond_ns);
    router->store_runs = true;
    router->run_for(3 * second_ns);
    EXPECT_EQ(sent(beta), 1u);
    receipt(beta, 200, "DELIVRD");
    EXPECT_EQ(seen(), one(id, MessageState::delivered));
    expect_nothing_left();
}

TEST_P(RerouteTest, ASuccessInTimeIsTheEnd) {
    const ConnId conn = bind();
    const std::string id = taken(conn, 2, message());
    receipt(alpha, 100, "DELIVRD");
    EXPECT_EQ(seen(), one(id, MessageState::delivered));
    expect_nothing_left();
    router->run_for(2 * patience_ns);
    EXPECT_EQ(sent(beta), 0u);
}

TEST_P(RerouteTest, ALateSuccessOfTheFirstIsTheOneThatItsCustomerSees) {
    const ConnId conn = bind();
    const std::string id = taken(conn, 2, message());
    router->run_until([&] { return sent(beta) == 1; }, 2 * patience_ns);
    receipt(alpha, 100, "DELIVRD");
    receipt(beta, 200, "UNDELIV");
    EXPECT_EQ(seen(), one(id, MessageState::delivered));
    EXPECT_EQ(router->count(&WorkerCounters::receipts_duplicate), 1u);
    expect_nothing_left();
}

TEST_P(RerouteTest, ALateFailureOfTheFirstChangesNothing) {
    const ConnId conn = bind();
    const std::string id = taken(conn, 2, message());
    router->run_until([&] { return sent(beta) == 1; }, 2 * patience_ns);
    receipt(alpha, 100, "UNDELIV");
    EXPECT_TRUE(seen().empty());
    receipt(beta, 200, "DELIVRD");
    EXPECT_EQ(seen(), one(id, MessageState::delivered));
    expect_nothing_left();
}

TEST_P(RerouteTest, WhenAllFailItsCustomerSeesTheLastFailure) {
    const ConnId conn = bind();
    const std::string id = taken(conn, 2, message());
    receipt(alpha, 100, "EXPIRED");
    router->run_until([&] { return sent(beta) == 1; }, second_ns);
    receipt(beta, 200, "UNDELIV");
    router->run_for(second_ns);
    EXPECT_EQ(seen(), one(id, MessageState::undeliverable));
    expect_nothing_left();
}

TEST_P(RerouteTest, WithNoOtherTargetItsCustomerSeesTheFailureAtOnce) {
    config.mt[0].targets.pop_back();
    router->reload(config);
    const std::string id = taken(bind(), 2, message());
    receipt(alpha, 100, "UNDELIV");
    router->run_for(second_ns);
    EXPECT_EQ(seen(), one(id, MessageState::undeliverable));
    expect_nothing_left();
}

TEST_P(RerouteTest, SoItDoesWhereTheNextOneRefusesItForGood) {
    beta.on_pdu = [&](const Pdu& pdu) {
        if (pdu.header.command_id == CommandId::submit_sm) {
            beta.answer(pdu, CommandStatus::esme_rinvdstadr);
        }
        return false;
    };
    config.errors = {
        {2, SupplierId::none(), CommandStatus::esme_rinvdstadr, route::ErrorClass::final}};
    router->reload(config);
    const std::string id = taken(bind(), 2, message());
    receipt(alpha, 100, "UNDELIV");
    router->run_for(second_ns);
    EXPECT_EQ(sent(beta), 1u);
    EXPECT_EQ(seen(), one(id, MessageState::undeliverable));
    expect_nothing_left();
}

TEST_P(RerouteTest, ATargetThatIsAwayIsTriedAgain) {
    config.retry.down = {3 * second_ns};
    router->reload(config);
    const std::string id = taken(bind(), 2, message());
    beta.answer_binds = false;
    beta.abort(beta.bound.front());
    router->run_for(100 * millisecond_ns);
    receipt(alpha, 100, "UNDELIV");
    router->run_for(20 * second_ns);
    EXPECT_TRUE(seen().empty());
    EXPECT_EQ(router->in_flight(), 0u) << "it waits on disk";
    beta.answer_binds = true;
    EXPECT_TRUE(router->run_until([&] { return sent(beta) == 1; }, 90 * second_ns));
    receipt(beta, 200, "DELIVRD");
    EXPECT_EQ(seen(), one(id, MessageState::delivered));
    expect_nothing_left();
}

TEST_P(RerouteTest, UntilItsValidityEnds) {
    config.retry.down = {3 * second_ns};
    config.retry.validity_ns = 30 * second_ns;
    router->reload(config);
    const std::string id = taken(bind(), 2, message());
    beta.answer_binds = false;
    beta.abort(beta.bound.front());
    router->run_for(100 * millisecond_ns);
    receipt(alpha, 100, "UNDELIV");
    router->run_for(25 * second_ns);
    EXPECT_TRUE(seen().empty());
    router->run_for(10 * second_ns);
    EXPECT_EQ(seen(), one(id, MessageState::undeliverable));
    expect_nothing_left();
}

TEST_P(RerouteTest, AReceiptThatComesAfterAllIsTheLastWordWhereNoTargetIsLeft) {
    config.mt[0].targets.pop_back();
    router->reload(config);
    const std::string id = taken(bind(), 2, message());
    router->run_for(2 * patience_ns);
    EXPECT_TRUE(seen().empty());
    EXPECT_EQ(database.size(Family::watches), 1u);
    receipt(alpha, 100, "UNDELIV");
    EXPECT_EQ(seen(), one(id, MessageState::undeliverable));
    expect_nothing_left();
}

TEST_P(RerouteTest, OneThatNoReceiptEverSettlesEndsWithItsWay) {
    config.mt[0].targets.pop_back();
    router->reload(config);
    (void)taken(bind(), 2, message());
    router->run_for(2 * patience_ns);
    EXPECT_EQ(database.size(Family::watches), 1u);
    router.reset();
    net.advance_to(net.now_ns() + 73 * 3600 * second_ns);
    for (SimPeer* peer : {&acme, &alpha, &beta}) {
        peer->turn();
        peer->bound.clear();
    }
    start();
    router->run_for(second_ns);
    EXPECT_EQ(database.size(Family::watches), 0u);
    EXPECT_EQ(database.size(Family::messages), 0u);
}

TEST_P(RerouteTest, ACustomerThatAskedForNoReceiptIsServedAsWell) {
    const ConnId conn = bind();
    (void)taken(conn, 2, message(0));
    smpp::Sm sm;
    ASSERT_EQ(smpp::decode_sm(alpha.all(CommandId::submit_sm).at(0)->octets(), {}, sm),
              CommandStatus::esme_rok);
    EXPECT_EQ(sm.registered_delivery, 1u) << "the router wants it";
    receipt(alpha, 100, "REJECTD");
    EXPECT_TRUE(router->run_until([&] { return sent(beta) == 1; }, second_ns));
    receipt(beta, 200, "DELIVRD");
    EXPECT_TRUE(seen().empty());
    expect_nothing_left();
    EXPECT_EQ(database.size(Family::ways), 0u);
}

TEST_P(RerouteTest, WithoutTheRulesReceiptTimeNothingIsWatched) {
    config.mt[0].reroute_ns = 0;
    router->reload(config);
    const ConnId conn = bind();
    const std::string id = taken(conn, 2, message());
    EXPECT_EQ(database.size(Family::watches), 0u);
    receipt(alpha, 100, "UNDELIV");
    EXPECT_EQ(seen(), one(id, MessageState::undeliverable));
    EXPECT_EQ(sent(beta), 0u);
}

TEST_P(RerouteTest, ALongMessageGoesAsAWhole) {
    const ConnId conn = bind();
    smpp::Sm sm = message();
    const std::string text(3000, 'y');
    std::vector<uint8_t> octets(4000);
    ByteWriter tlvs(octets);
    tlvs.tlv(static_cast<uint16_t>(smpp::TlvTag::message_payload), as_octets(text));
    sm.short_message = {};
    sm.tlvs = {octets.data(), tlvs.written()};
    const std::string id = taken(conn, 2, sm);
    receipt(alpha, 100, "UNDELIV");
    ASSERT_TRUE(router->run_until([&] { return sent(beta) == 1; }, second_ns));
    smpp::Sm got;
    Octets payload;
    ASSERT_EQ(smpp::decode_sm(beta.all(CommandId::submit_sm).at(0)->octets(), {}, got),
              CommandStatus::esme_rok);
    ASSERT_TRUE(smpp::find_tlv(got.tlvs, smpp::TlvTag::message_payload, payload));
    EXPECT_EQ(as_chars(payload), text);
    receipt(beta, 200, "DELIVRD");
    EXPECT_EQ(seen(), one(id, MessageState::delivered));
    expect_nothing_left();
}

TEST_P(RerouteTest, AStoredMessageDoesTheSameAndHoldsUpNoOther) {
    config.customers[0].store_and_forward = true;
    router->reload(config);
    const ConnId conn = bind();
    const std::string first = taken(conn, 2, message());
    const std::string second = taken(conn, 3, message());
    EXPECT_TRUE(router->run_until([&] { return sent(alpha) == 2; }, second_ns))
        << "to the same destination";
    receipt(alpha, 100, "UNDELIV");
    EXPECT_TRUE(router->run_until([&] { return sent(beta) == 1; }, second_ns));
    receipt(alpha, 101, "DELIVRD");
    receipt(beta, 200, "DELIVRD");
    EXPECT_EQ(seen(), (std::vector<Seen>{{second, MessageState::delivered, 42},
                                         {first, MessageState::delivered, 42}}));
    expect_nothing_left();
    EXPECT_EQ(database.size(Family::queue), 0u);
    EXPECT_EQ(router->hub().store()->messages_stored(), 0);
}

TEST_P(RerouteTest, WhatWaitsForItsReceiptWaitsOverARestart) {
    const std::string id = taken(bind(), 2, message());
    restart();
    router->run_until([&] { return !beta.bound.empty(); });
    bind();
    receipt(alpha, 100, "UNDELIV");
    EXPECT_TRUE(router->run_until([&] { return sent(beta) == 1; }, second_ns));
    receipt(beta, 200, "DELIVRD");
    EXPECT_EQ(seen(), one(id, MessageState::delivered));
    expect_nothing_left();
}

TEST_P(RerouteTest, KilledOnTheWayToTheNextTargetItGoesThereAgain) {
    const std::string id = taken(bind(), 2, message());
    keep_submits(beta, false);
    receipt(alpha, 100, "UNDELIV");
    EXPECT_TRUE(router->run_until([&] { return sent(beta) == 1; }, second_ns));
    keep_submits(beta);
    beta.next_id = 200;
    restart_with_records();
    Record mark;
    RecordStorage storage;
    queue::ByteRing* ring = router->hub().records(WorkerId{0});
    ASSERT_NE(ring, nullptr);
    ASSERT_TRUE(decode_record(ring->front(), storage, mark)) << "before it goes there again";
    EXPECT_EQ(mark.end, RecordEnd::postponed);
    EXPECT_EQ(std::to_string(mark.id), id);
    EXPECT_TRUE(mark.resent && mark.rerouted);
    bind();
    EXPECT_TRUE(router->run_until([&] { return sent(beta) == 2; }, 90 * second_ns));
    receipt(beta, 200, "DELIVRD");
    EXPECT_EQ(seen(), one(id, MessageState::delivered));
    EXPECT_EQ(router->count(&WorkerCounters::mt_resent), 1u) << "and is said to be sent again";
    expect_nothing_left();
}

TEST_P(RerouteTest, ADiskThatFailsLosesNoReceiptAlsoOneThatNobodyAskedFor) {
    const ConnId conn = bind();
    (void)taken(conn, 2, message(0));
    database.fails_writes = true;
    smpp::Sm sm = test::sm("447700900001", "Shop", "id:100 stat:UNDELIV err:042");
    sm.esm_class = smpp::esm_class_delivery_receipt;
    alpha.send_pdu(alpha.bound.front(),
                   [&](auto out) { return smpp::encode_sm(out, CommandId::deliver_sm, 400, sm); });
    router->run_until([&] { return !alpha.all(CommandId::deliver_sm_resp).empty(); }, second_ns);
    ASSERT_EQ(alpha.all(CommandId::deliver_sm_resp).size(), 1u);
    EXPECT_NE(alpha.all(CommandId::deliver_sm_resp).at(0)->status(), CommandStatus::esme_rok)
        << "the supplier keeps it";
    EXPECT_EQ(sent(beta), 0u);
    database.fails_writes = false;
    router->store_errors.clear();
    receipt(alpha, 100, "UNDELIV");
    EXPECT_TRUE(router->run_until([&] { return sent(beta) == 1; }, 2 * second_ns));
    receipt(beta, 200, "DELIVRD");
    router->store_errors.clear();
    expect_nothing_left();
}

TEST_P(RerouteTest, ARecordSaysWhatEachRoundDid) {
    restart_with_records();
    router->run_until([&] { return !beta.bound.empty(); });
    (void)taken(bind(), 2, message());
    receipt(alpha, 100, "UNDELIV");
    router->run_until([&] { return sent(beta) == 1; }, second_ns);
    receipt(beta, 200, "DELIVRD");
    std::vector<std::pair<RecordEnd, bool>> ends;
    for (uint8_t worker = 0; worker < GetParam(); ++worker) {
        queue::ByteRing* ring = router->hub().records(WorkerId{worker});
        ASSERT_NE(ring, nullptr);
        for (Octets entry = ring->front(); !entry.empty(); entry = ring->front()) {
            Record record;
            RecordStorage storage;
            ASSERT_TRUE(decode_record(entry, storage, record));
            ends.emplace_back(record.end, record.rerouted);
            ring->pop();
        }
    }
    std::ranges::sort(ends);
    EXPECT_EQ(ends, (std::vector<std::pair<RecordEnd, bool>>{{RecordEnd::accepted, false},
                                                             {RecordEnd::accepted, true},
                                                             {RecordEnd::delivered, false},
                                                             {RecordEnd::swallowed, false}}));
}

}  // namespace
}  // namespace sy::engine
