// One record for each message's end, with every attempt; one for each receipt's.
#include "core/engine/record.h"

#include <memory>
#include <vector>

#include "core/engine/worker.h"
#include "core/smpp/receipt.h"
#include "tests/unit/engine/fixture.h"

namespace sy::engine {
namespace {

constexpr SupplierId alpha_id{0};
constexpr SupplierId beta_id{1};

// A record that outlives the ring's octets.
struct Kept {
    std::vector<uint8_t> octets;
    RecordStorage storage;
    Record record;
};

class RecordTest : public EngineTest {
  protected:
    explicit RecordTest(test::SimConfig start = records_config(), uint32_t workers = 1)
        : EngineTest(std::move(start), workers), workers_(workers) {}

    static test::SimConfig records_config() {
        test::SimConfig config = basic_config();
        config.record_ring_bytes = 1 << 20;
        return config;
    }

    // All that were written since the last call.
    const std::vector<std::unique_ptr<Kept>>& take() {
        kept_.clear();
        for (uint8_t w = 0; w < workers_; ++w) {
            queue::ByteRing* ring = router.hub().records(WorkerId{w});
            if (ring == nullptr) {
                ADD_FAILURE() << "no ring";
                break;
            }
            for (Octets entry = ring->front(); !entry.empty(); entry = ring->front()) {
                auto one = std::make_unique<Kept>();
                one->octets.assign(entry.begin(), entry.end());
                EXPECT_TRUE(decode_record(one->octets, one->storage, one->record));
                kept_.push_back(std::move(one));
                ring->pop();
            }
        }
        return kept_;
    }
    // The only one.
    const Record& one() {
        EXPECT_EQ(take().size(), 1u);
        static const Record nothing;
        return kept_.empty() ? nothing : kept_[0]->record;
    }
    const Record& one_mt(RecordEnd end, CommandStatus status) {
        const Record& record = one();
        EXPECT_EQ(record.kind, RecordKind::mt);
        EXPECT_EQ(record.end, end);
        EXPECT_EQ(record.status, status);
        return record;
    }

    void submit_and_wait(ConnId conn, const smpp::Sm& sm, uint32_t sequence = 2) {
        acme.submit(conn, sequence, sm);
        ASSERT_NE(answer(conn, sequence), nullptr);
    }

    uint32_t workers_;
    std::vector<std::unique_ptr<Kept>> kept_;
};

TEST_F(RecordTest, OfAnAcceptedMessageSaysWhatWentInAndOut) {
    config.suppliers[0].number_form.prefix = "+";
    config.mt[0].sender_to = std::make_shared<number::Sender>(*number::parse_sender("Switch"));
    config.record_fields.tlvs = {0x1400};
    router.reload(config);
    const ConnId conn = bind();
    smpp::Sm sm = test::sm("Shop", "+447700900001", "");
    const std::string text("\x05\x00\x03\x2a\x02\x01part one", 14);
    const std::string tlvs("\x14\x00\x00\x03\x01\x00\x02\x02\x04\x00\x02\x12\x34", 13);
    sm.esm_class = smpp::esm_class_udhi;
    sm.short_message = as_octets(text);
    sm.tlvs = as_octets(tlvs);
    submit_and_wait(conn, sm);
    const Record& record = one_mt(RecordEnd::accepted, CommandStatus::esme_rok);
    IdText id;
    EXPECT_EQ(format_id(record.id, record.id_form, id), id_of(*answer(conn, 2)));
    EXPECT_EQ(record.customer, CustomerId{0});
    EXPECT_EQ(record.supplier, alpha_id);
    EXPECT_EQ(record.rule_line, 2u);
    EXPECT_EQ(record.chars(RecordPart::source), "Shop");
    EXPECT_EQ(record.chars(RecordPart::destination), "+447700900001");
    EXPECT_EQ(record.chars(RecordPart::destination_number), "447700900001");
    EXPECT_EQ(record.chars(RecordPart::source_number), "Switch");
    EXPECT_EQ(record.chars(RecordPart::sent_source), "Switch");
    const smpp::Sm sent = decode(*alpha.all(CommandId::submit_sm).at(0));
    EXPECT_EQ(record.chars(RecordPart::sent_destination), sent.destination.digits);
    EXPECT_EQ(record.sent_destination_ton, sent.destination.ton);
    EXPECT_EQ(as_chars(record.part(RecordPart::udh)), text.substr(0, 6));
    EXPECT_EQ(as_chars(record.part(RecordPart::tlvs)), tlvs.substr(0, 7));
    EXPECT_EQ(record.part_reference, 0x2a);
    EXPECT_EQ(record.part_total, 2);
    EXPECT_EQ(record.part_sequence, 1);
    EXPECT_EQ(record.text_octets, 8u);
    EXPECT_TRUE(record.part(RecordPart::text).empty());
    ASSERT_EQ(record.attempts.size(), 1u);
    EXPECT_EQ(record.attempts[0].id_text(), "1");
    EXPECT_EQ(record.attempts[0].party, alpha_id.value);
    EXPECT_GE(record.attempts[0].sent_ns, record.accepted_ns);
    EXPECT_GT(record.attempts[0].settled_ns, record.attempts[0].sent_ns);
    EXPECT_GE(record.finished_ns, record.attempts[0].settled_ns);
    EXPECT_EQ(record.wall_of(record.finished_ns), record.finished_wall_ns);
}

TEST_F(RecordTest, HasTheTextOnlyWhereItIsWanted) {
    config.record_fields.text = true;
    router.reload(config);
    const ConnId conn = bind();
    submit_and_wait(conn, test::sm("Shop", "447700900001", "hello"));
    EXPECT_EQ(one().chars(RecordPart::text), "hello");
}

TEST_F(RecordTest, OfAReroutedMessageHasEveryAttempt) {
    alpha.submit_status = CommandStatus::esme_rmsgqful;
    const ConnId conn = bind();
    submit_and_wait(conn, test::sm("Shop", "33612345678", "x"));
    const Record& record = one_mt(RecordEnd::accepted, CommandStatus::esme_rok);
    EXPECT_EQ(record.supplier, beta_id);
    ASSERT_EQ(record.targets.size(), 2u);
    EXPECT_EQ(record.targets[0], alpha_id.value);
    ASSERT_EQ(record.attempts.size(), 2u);
    EXPECT_EQ(record.attempts[0].party, alpha_id.value);
    EXPECT_EQ(record.attempts[0].status, CommandStatus::esme_rmsgqful);
    EXPECT_EQ(record.attempts[0].id_text(), "");
    EXPECT_EQ(record.attempts[1].party, beta_id.value);
    EXPECT_EQ(record.attempts[1].status, CommandStatus::esme_rok);
    EXPECT_EQ(count(&WorkerCounters::mt_rerouted), 1u);
}

TEST_F(RecordTest, OfARejectedMessageHasTheStatusThatWasAnswered) {
    alpha.submit_status = CommandStatus::esme_rinvdstadr;
    const ConnId conn = bind();
    submit_and_wait(conn, test::sm("Shop", "447700900001", "x"));
    EXPECT_EQ(one_mt(RecordEnd::rejected, CommandStatus::esme_rinvdstadr).attempts.size(), 1u);
    submit_and_wait(conn, test::sm("Shop", "7700900001", "no route"), 3);
    const Record& no_route = one_mt(RecordEnd::rejected, answer(conn, 3)->status());
    EXPECT_TRUE(no_route.attempts.empty());
    EXPECT_FALSE(no_route.supplier.valid());
    EXPECT_FALSE(no_route.has_sent);
}

TEST_F(RecordTest, OfADroppedMessage) {
    config.mt[0].action = route::Action::drop;
    config.mt[0].targets.clear();
    router.reload(config);
    const ConnId conn = bind();
    submit_and_wait(conn, test::sm("Shop", "447700900001", "x"));
    EXPECT_TRUE(one_mt(RecordEnd::dropped, CommandStatus::esme_rok).attempts.empty());
}

TEST_F(RecordTest, OfAnUnknownMessageSaysThatNobodyAnswered) {
    const ConnId conn = bind();
    alpha.answer_submits = false;
    acme.submit(conn, 2, test::sm("Shop", "447700900001", "x"));
    router.run_until([&] { return alpha.all(CommandId::submit_sm).size() == 1; });
    alpha.abort(alpha.bound.at(0));
    ASSERT_NE(answer(conn, 2), nullptr);
    const Record& record = one_mt(RecordEnd::unknown, CommandStatus::esme_rsyserr);
    ASSERT_EQ(record.attempts.size(), 1u);
    EXPECT_EQ(record.attempts[0].outcome, Outcome::unknown);
    EXPECT_FALSE(record.resent);
}

TEST_F(RecordTest, OfAResentMessageBearsTheMark) {
    config.suppliers[0].on_unknown = route::OnUnknown::resend;
    router.reload(config);
    const ConnId conn = bind();
    alpha.answer_submits = false;
    acme.submit(conn, 2, test::sm("Shop", "33612345678", "x"));
    router.run_until([&] { return alpha.all(CommandId::submit_sm).size() == 1; });
    alpha.abort(alpha.bound.at(0));
    ASSERT_NE(answer(conn, 2), nullptr);
    const Record& record = one_mt(RecordEnd::accepted, CommandStatus::esme_rok);
    EXPECT_TRUE(record.resent);
    ASSERT_EQ(record.attempts.size(), 2u);
    EXPECT_EQ(record.attempts[0].outcome, Outcome::unknown);
    EXPECT_EQ(record.attempts[1].party, beta_id.value);
}

TEST_F(RecordTest, OfAnExpiredMessage) {
    config.suppliers[0].window = 1;
    config.customers[0].timers.response_ns = 2 * second_ns;
    router.reload(config);
    const ConnId conn = bind();
    alpha.answer_submits = false;
    acme.submit(conn, 2, test::sm("Shop", "447700900001", "fills the window"));
    acme.submit(conn, 3, test::sm("Shop", "447700900001", "waits"));
    ASSERT_NE(answer(conn, 3), nullptr);
    const Record& record = one_mt(RecordEnd::expired, answer(conn, 3)->status());
    EXPECT_TRUE(record.attempts.empty());
    EXPECT_EQ(count(&WorkerCounters::mt_expired), 1u);
}

TEST_F(RecordTest, OfEachDestinationOfASubmitMulti) {
    const ConnId conn = bind();
    const std::string to(
        "\x01\x01\x01"
        "447700900001\0"
        "\x01\x01\x01"
        "4915112345678\0"
        "\x01\x01\x01"
        "x\0",
        16 + 17 + 5);
    smpp::SubmitMulti multi;
    multi.sm = test::sm("Shop", "", "x");
    multi.number_of_dests = 3;
    multi.dest_addresses = as_octets(to);
    acme.send_pdu(conn, [&](auto out) { return smpp::encode_submit_multi(out, 2, multi); });
    ASSERT_NE(answer(conn, 2), nullptr);
    uint32_t accepted = 0;
    uint64_t id = 0;
    ASSERT_EQ(take().size(), 3u);
    for (const auto& kept : kept_) {
        EXPECT_TRUE(kept->record.is_multi);
        accepted += kept->record.end == RecordEnd::accepted ? 1u : 0u;
        EXPECT_TRUE(id == 0 || id == kept->record.id);
        id = kept->record.id;
    }
    EXPECT_EQ(accepted, 2u);
}

TEST_F(RecordTest, HasThePriceOfItsSupplierAtTheTimeItCame) {
    config.prices = test::prices({{0, {2'500'000}}, {1, {1'000'000}}});
    router.reload(config);
    const ConnId conn = bind();
    submit_and_wait(conn, test::sm("Shop", "447700900001", "x"));
    const Record& record = one();
    EXPECT_TRUE(record.has_price);
    EXPECT_EQ(record.price_nanos, 2'500'000);
}

TEST_F(RecordTest, OfARefusalAtTheDoorThereIsNone) {
    const ConnId conn = bind();
    submit_and_wait(conn, test::sm("Shop", "x", "no number"));
    EXPECT_NE(answer(conn, 2)->status(), CommandStatus::esme_rok);
    EXPECT_EQ(count(&WorkerCounters::mt_refused), 1u);
    EXPECT_TRUE(take().empty());
}

TEST_F(RecordTest, OfAnMoAndItsCopyAndTheAnswerToThePhone) {
    config.mo[0].copies = {CustomerId{1}};  // nobody of bravo is bound
    config.mo[0].reply =
        std::make_shared<const route::ReplyTemplate>(*route::parse_reply("Thank you"));
    router.reload(config);
    bind();
    const smpp::Sm sm = test::sm("447700900001", "447700900123", "Help me");
    alpha.send_pdu(alpha.bound.at(0),
                   [&](auto out) { return smpp::encode_sm(out, CommandId::deliver_sm, 77, sm); });
    ASSERT_TRUE(router.run_until([&] { return count(&WorkerCounters::mt_accepted) == 1; }));
    ASSERT_EQ(take().size(), 3u);
    const auto of = [&](RecordKind kind) -> const Record& {
        return (*std::ranges::find_if(kept_, [&](const auto& k) { return k->record.kind == kind; }))
            ->record;
    };
    const Record& mo = of(RecordKind::mo);
    EXPECT_EQ(mo.end, RecordEnd::delivered);
    EXPECT_EQ(mo.customer, CustomerId{0});
    EXPECT_EQ(mo.supplier, alpha_id);
    ASSERT_EQ(mo.attempts.size(), 1u);
    EXPECT_EQ(mo.attempts[0].outcome, Outcome::answered);
    EXPECT_EQ(mo.text_octets, 7u);
    EXPECT_EQ(of(RecordKind::copy).end, RecordEnd::lost);
    EXPECT_EQ(of(RecordKind::copy).id, mo.id);
    EXPECT_TRUE(of(RecordKind::mt).is_reply);
    EXPECT_EQ(of(RecordKind::mt).chars(RecordPart::destination), "447700900001");
}

TEST_F(RecordTest, OfEachEndOfAReceipt) {
    const ConnId conn = bind();
    smpp::Sm sm = test::sm("Shop", "+447700900001", "x");
    sm.registered_delivery = 1;
    submit_and_wait(conn, sm);
    const uint64_t id = one().id;
    uint32_t sequence = 500;
    const auto receipt = [&](const std::string& text) {
        smpp::Sm deliver = test::sm("447700900001", "Shop", text);
        deliver.esm_class = smpp::esm_class_delivery_receipt;
        alpha.send_pdu(alpha.bound.at(0), [&](auto out) {
            return smpp::encode_sm(out, CommandId::deliver_sm, ++sequence, deliver);
        });
        router.run_for(60 * second_ns);
    };
    receipt("id:1 stat:ENROUTE err:000");
    EXPECT_EQ(one().end, RecordEnd::suppressed);
    receipt("id:1 stat:UNDELIV err:034");
    const Record& delivered = one();
    EXPECT_EQ(delivered.kind, RecordKind::receipt);
    EXPECT_EQ(delivered.end, RecordEnd::delivered);
    EXPECT_EQ(delivered.id, id);
    EXPECT_EQ(delivered.supplier, alpha_id);
    EXPECT_EQ(delivered.chars(RecordPart::supplier_id), "1");
    EXPECT_EQ(delivered.chars(RecordPart::destination), "+447700900001");
    EXPECT_EQ(delivered.receipt_error, 34u);
    EXPECT_EQ(delivered.receipt_state, static_cast<uint8_t>(smpp::MessageState::undeliverable));
    EXPECT_GT(delivered.wall_of(delivered.accepted_ns), delivered.submitted_wall_ns);
    receipt("id:1 stat:UNDELIV err:034");
    const Record& duplicate = one();
    EXPECT_EQ(duplicate.end, RecordEnd::duplicate);
    EXPECT_EQ(duplicate.id, id);
    receipt("id:nobodys stat:DELIVRD err:000");
    const Record& orphaned = one();
    EXPECT_EQ(orphaned.end, RecordEnd::orphaned);
    EXPECT_EQ(orphaned.id, 0u);
    EXPECT_EQ(orphaned.chars(RecordPart::supplier_id), "nobodys");
    acme.answer_delivers = false;
    acme.on_pdu = [&](const Pdu& pdu) {
        if (pdu.header.command_id != CommandId::deliver_sm) {
            return false;
        }
        acme.send_pdu(pdu.conn, [&](auto out) {
            smpp::encode_header(out.data(), {16, CommandId::deliver_sm_resp,
                                             static_cast<uint32_t>(CommandStatus::esme_rx_p_appn),
                                             pdu.header.sequence_number});
            return size_t{16};
        });
        return true;
    };
    submit_and_wait(conn, sm, 3);
    take();
    receipt("id:2 stat:DELIVRD err:000");
    EXPECT_EQ(one().end, RecordEnd::refused);
}

TEST_F(RecordTest, AFullRingLosesRecordsAndCountsThem) {
    config.customers[0].window = 500;
    router.reload(config);
    const ConnId conn = bind();
    const uint32_t messages = 6000;
    for (uint32_t i = 0; i < messages; i += 300) {
        for (uint32_t j = 0; j < 300; ++j) {
            acme.submit(conn, 1000 + i + j, test::sm("Shop", "447700900001", "x"));
        }
        ASSERT_TRUE(router.run_until(
            [&] { return acme.all(CommandId::submit_sm_resp).size() == i + 300; }));
    }
    const uint64_t lost = count(&WorkerCounters::records_lost);
    EXPECT_GT(lost, 0u);
    EXPECT_EQ(take().size() + lost, messages);
    submit_and_wait(conn, test::sm("Shop", "447700900001", "there is room again"), 9);
    EXPECT_EQ(take().size(), 1u);
}

class RecordManyWorkersTest : public RecordTest {
  protected:
    RecordManyWorkersTest() : RecordTest(records_config(), 3) {}
};

TEST_F(RecordManyWorkersTest, TotalsEqualTheCounters) {
    config.customers[0].window = 500;
    config.suppliers[0].binds = 3;
    config.suppliers[1].binds = 2;
    router.reload(config);
    uint64_t asked = 0;
    alpha.answer_submits = false;
    alpha.on_pdu = [&](const Pdu& pdu) {
        if (pdu.header.command_id != CommandId::submit_sm) {
            return false;
        }
        const CommandStatus status = ++asked % 3 == 0 ? CommandStatus::esme_rmsgqful
                                     : asked % 3 == 1 ? CommandStatus::esme_rinvdstadr
                                                      : CommandStatus::esme_rok;
        alpha.answer(pdu, status, std::to_string(asked));
        return true;
    };
    const ConnId conn = bind();
    for (uint32_t i = 0; i < 300; ++i) {
        acme.submit(conn, 1000 + i,
                    test::sm("Shop", i % 2 == 0 ? "447700900001" : "33612345678", "x"));
    }
    ASSERT_TRUE(
        router.run_until([&] { return acme.all(CommandId::submit_sm_resp).size() == 300; }));
    uint64_t accepted = 0;
    uint64_t rejected = 0;
    uint64_t attempts = 0;
    for (const auto& kept : take()) {
        accepted += kept->record.end == RecordEnd::accepted ? 1u : 0u;
        rejected += kept->record.end == RecordEnd::rejected ? 1u : 0u;
        attempts += kept->record.attempts.size();
    }
    EXPECT_EQ(kept_.size(), 300u);
    EXPECT_GT(accepted, 0u);
    EXPECT_EQ(accepted, count(&WorkerCounters::mt_accepted));
    EXPECT_EQ(rejected, count(&WorkerCounters::mt_rejected));
    EXPECT_EQ(attempts, alpha.all(CommandId::submit_sm).size() + asked +
                            beta.all(CommandId::submit_sm).size());
}

}  // namespace
}  // namespace sy::engine
