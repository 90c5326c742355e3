// Reload in mid-traffic, drain, and that nothing on the message path allocates.
#include "core/engine/record.h"
#include "core/engine/worker.h"
#include "tests/support/allocation_counter.h"
#include "tests/unit/engine/fixture.h"

namespace sy::engine {
namespace {

class ReloadTest : public EngineTest {};

TEST_F(ReloadTest, UnchangedSessionsStayAndNewRoutesCount) {
    const ConnId conn = bind();
    const ConnId link = alpha.bound.at(0);
    config.mt[0] = test::rule("44", {1});
    router.reload(config);
    router.run_for(second_ns);
    EXPECT_TRUE(acme.is_live(conn));
    EXPECT_TRUE(alpha.is_live(link));
    EXPECT_EQ(alpha.bound.size(), 1u);
    acme.submit(conn, 2, test::sm("Shop", "447700900001", "x"));
    ASSERT_NE(answer(conn, 2), nullptr);
    EXPECT_EQ(answer(conn, 2)->status(), CommandStatus::esme_rok);
    EXPECT_EQ(beta.all(CommandId::submit_sm).size(), 1u);
}

TEST_F(ReloadTest, OldSnapshotsAreFreed) {
    bind();
    for (int i = 0; i < 5; ++i) {
        router.reload(config);
        router.run_for(second_ns);
    }
    EXPECT_EQ(router.hub().reclaim(), 0u);
}

TEST_F(ReloadTest, ARemovedCustomerIsUnboundAfterWhatIsInFlight) {
    const ConnId conn = bind();
    alpha.answer_submits = false;
    acme.submit(conn, 2, test::sm("Shop", "447700900001", "x"));
    router.run_until([&] { return alpha.all(CommandId::submit_sm).size() == 1; });
    config.customers[0].name = "";
    router.reload(config);
    router.run_for(second_ns);
    EXPECT_TRUE(acme.is_live(conn));
    alpha.answer(*alpha.all(CommandId::submit_sm)[0], CommandStatus::esme_rok, "1");
    ASSERT_NE(answer(conn, 2), nullptr);
    EXPECT_EQ(answer(conn, 2)->status(), CommandStatus::esme_rok);
    EXPECT_TRUE(router.run_until([&] { return !acme.is_live(conn); }));
    EXPECT_EQ(acme.all(CommandId::unbind).size(), 1u);
}

TEST_F(ReloadTest, ARemovedSupplierGetsNothingMoreAndItsQueueGoesElsewhere) {
    config.suppliers[0].window = 1;
    router.reload(config);
    const ConnId conn = bind();
    alpha.answer_submits = false;
    for (uint32_t i = 0; i < 5; ++i) {
        acme.submit(conn, 10 + i, test::sm("Shop", "33612345678", "x"));
    }
    router.run_until([&] { return alpha.all(CommandId::submit_sm).size() == 1; });
    config.suppliers[0].name = "";
    router.reload(config);
    ASSERT_TRUE(router.run_until([&] { return acme.all(CommandId::submit_sm_resp).size() >= 4; }));
    EXPECT_EQ(beta.all(CommandId::submit_sm).size(), 4u);
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), 1u);
}

TEST_F(ReloadTest, AChangedSupplierIsBoundAgain) {
    bind();
    config.suppliers[0].system_type = "VMA";
    router.reload(config);
    ASSERT_TRUE(router.run_until([&] { return alpha.all(CommandId::bind_transceiver).size() == 2; },
                                 20 * second_ns));
    smpp::Bind request;
    ASSERT_EQ(smpp::decode_bind(alpha.all(CommandId::bind_transceiver)[1]->octets(), {}, request),
              CommandStatus::esme_rok);
    EXPECT_EQ(request.system_type, "VMA");
}

TEST_F(ReloadTest, DrainSettlesWhatIsInFlightThenUnbindsEverybody) {
    const ConnId conn = bind();
    alpha.answer_submits = false;
    acme.submit(conn, 2, test::sm("Shop", "447700900001", "x"));
    router.run_until([&] { return alpha.all(CommandId::submit_sm).size() == 1; });
    router.hub().begin_drain(net.now_ns() + 30 * second_ns);
    acme.submit(conn, 3, test::sm("Shop", "447700900001", "x"));
    ASSERT_NE(answer(conn, 3), nullptr);
    EXPECT_EQ(answer(conn, 3)->status(), CommandStatus::esme_rsyserr);
    EXPECT_TRUE(acme.is_live(conn));
    alpha.answer(*alpha.all(CommandId::submit_sm)[0], CommandStatus::esme_rok, "1");
    ASSERT_NE(answer(conn, 2), nullptr);
    EXPECT_EQ(answer(conn, 2)->status(), CommandStatus::esme_rok);
    EXPECT_TRUE(router.run_until([&] { return router.hub().drained(); }));
    EXPECT_TRUE(acme.live.empty());
    EXPECT_TRUE(alpha.live.empty());
    EXPECT_EQ(acme.all(CommandId::unbind).size(), 1u);
    EXPECT_EQ(alpha.all(CommandId::unbind).size(), 1u);
}

TEST_F(ReloadTest, DrainEndsInBoundedTimeWhenASupplierNeverAnswers) {
    const ConnId conn = bind();
    alpha.answer_submits = false;
    acme.submit(conn, 2, test::sm("Shop", "447700900001", "x"));
    router.run_until([&] { return alpha.all(CommandId::submit_sm).size() == 1; });
    router.hub().begin_drain(net.now_ns() + 3 * second_ns);
    EXPECT_TRUE(router.run_until([&] { return router.hub().drained(); }, 20 * second_ns));
    ASSERT_NE(acme.response(conn, 2), nullptr);
    EXPECT_EQ(acme.response(conn, 2)->status(), CommandStatus::esme_rsyserr);
}

// The worker alone, between two in-memory ends: every octet that it takes and gives, no allocation.
// With a store (that answers at once) and without.
class AllocationTest : public testing::TestWithParam<bool> {
  protected:
    static constexpr ConnId customer{0, 1};
    static constexpr ConnId supplier{1, 1};

    AllocationTest() {
        out_.reserve(1 << 16);
        config_.customers = {test::customer("acme")};
        config_.customers[0].window = 100;
        config_.suppliers = {test::supplier("alpha", "10.0.1.1:2776")};
        config_.suppliers[0].window = 100;
        config_.mt = {test::rule("44", {0})};
        config_.mt[0].sender = "^Sh.p$";
        config_.mt[0].select = route::Select::quality;
        config_.mt[0].max_cost = {20};
        config_.prices = test::prices({{0, {20}}});
        route::MoRule mo;
        mo.line = 2;
        mo.number = "447700900123";
        mo.keyword = "help";
        mo.targets = {{{CustomerId{0}, 1}}};
        mo.copies = {CustomerId{1}};  // is not bound
        mo.reply = std::make_shared<const route::ReplyTemplate>(
            *route::parse_reply("{keyword} {1}: {sender}"));
        config_.customers.push_back(test::customer("bravo"));
        config_.mt.push_back(test::rule("4477009009", {0}));
        config_.mo = {mo};
        config_.record_fields = {.tlvs = {0x0204}, .text = true};
        EXPECT_TRUE(hub_.publish(test::make_snapshot(config_, 1, nullptr)).has_value());
    }

    void turn() {
        now_.mono_ns += millisecond_ns;
        now_.wall_ns += millisecond_ns;
        worker_.begin_turn(now_);
        if (pending_conn_.valid()) {
            const Octets in{in_.data(), in_bytes_};
            EXPECT_EQ(worker_.on_bytes(pending_conn_, in), in.size());
            pending_conn_ = {};
        }
        worker_.run();
        // An MT goes there and back once, a receipt twice.
        for (int trips = 0; hub_.store() != nullptr && trips < 2; ++trips) {
            serve_store();
            worker_.run();
        }
        out_.clear();
        const auto send = [&](ConnId conn, Octets octets) {
            last_conn_ = conn;
            out_.insert(out_.end(), octets.begin(), octets.end());
            return octets.size();
        };
        worker_.flush(send, [](ConnId) {});
        for (const Action& action : worker_.actions()) {
            if (action.kind == Action::Kind::connect) {
                connect_ = action.trunk;
            }
        }
        worker_.clear_actions();
        worker_.end_turn();
    }
    void serve_store() {
        std::array<Message*, 8> orders{};
        const uint32_t count = hub_.store()->take(StoreEnd::writer, orders);
        for (uint32_t i = 0; i < count; ++i) {
            orders[i]->store_answer = StoreAnswer::done;
            orders[i]->store_sequence = ++store_orders_;
            ASSERT_TRUE(hub_.store()->give_back(StoreEnd::writer, orders[i]));
        }
    }
    template <class Encode>
    void feed(ConnId conn, Encode&& encode) {
        in_bytes_ = encode(std::span<uint8_t>(in_));
        ASSERT_GT(in_bytes_, 0u);
        pending_conn_ = conn;
        turn();
    }
    [[nodiscard]] smpp::Header sent() const { return smpp::decode_header(out_.data()); }

    void bind_both() {
        turn();
        worker_.begin_turn(now_);
        worker_.connect_started(connect_, supplier);
        worker_.on_connected(supplier);
        worker_.on_accepted(customer, test::endpoint("10.0.2.1:1"));
        worker_.run();
        turn();
        ASSERT_EQ(sent().command_id, CommandId::bind_transceiver);
        feed(supplier, [&](auto out) {
            return smpp::encode_bind_resp(out, CommandId::bind_transceiver_resp,
                                          sent().sequence_number, {"smsc", {}});
        });
        feed(customer, [](auto out) {
            return smpp::encode_bind(out, CommandId::bind_transceiver, 1,
                                     {.system_id = "acme",
                                      .password = "secret",
                                      .system_type = "",
                                      .interface_version = 0x34,
                                      .address_range = ""});
        });
        ASSERT_EQ(sent().command_id, CommandId::bind_transceiver_resp);
    }

    // One MT with its receipt and one MO, each to its end; the counts of what was seen on the way.
    void one_round(uint32_t round) {
        smpp::Sm sm = test::sm("Shop", "447700900001", "hello");
        sm.registered_delivery = 1;
        if (round % 2 == 1) {  // a part of a long message
            sm.short_message = as_octets(std::string_view("\x05\x00\x03\x11\x02\x01hello", 11));
            sm.esm_class = smpp::esm_class_udhi;
        }
        feed(customer,
             [&](auto out) { return smpp::encode_sm(out, CommandId::submit_sm, 100 + round, sm); });
        submits_ += sent().command_id == CommandId::submit_sm ? 1u : 0u;
        std::array<char, 12> id{};
        std::snprintf(id.data(), id.size(), "id%u", round);
        feed(supplier, [&](auto out) {
            return smpp::encode_sm_resp(out, CommandId::submit_sm_resp, sent().sequence_number,
                                        {id.data(), {}});
        });
        responses_ += sent().command_id == CommandId::submit_sm_resp ? 1u : 0u;
        std::array<char, 160> text{};
        std::snprintf(text.data(), text.size(), "id:%s stat:DELIVRD err:000", id.data());
        smpp::Sm receipt = test::sm("447700900001", "Shop", text.data());
        receipt.esm_class = 4;
        feed(supplier, [&](auto out) {
            return smpp::encode_sm(out, CommandId::deliver_sm, 5000 + round, receipt);
        });
        acknowledge();
        std::array<char, 16> phone{};  // another each round: nobody is answered too often
        std::snprintf(phone.data(), phone.size(), "4477009009%02u", round % 100);
        const smpp::Sm mo = test::sm(phone.data(), "447700900123", "Help me");
        feed(supplier, [&](auto out) {
            return smpp::encode_sm(out, CommandId::deliver_sm, 9000 + round, mo);
        });
        acknowledge();
        answer_reply();
    }
    // One MT taken to store and forward, then accepted or put off.
    void stored_round(uint32_t round) {
        smpp::Sm sm = test::sm("Shop", "447700900001", "hello");
        sm.esm_class = smpp::esm_class_store_and_forward;
        sm.registered_delivery = 1;
        feed(customer,
             [&](auto out) { return smpp::encode_sm(out, CommandId::submit_sm, 100 + round, sm); });
        Octets rest{out_.data(), out_.size()};
        smpp::Frame frame;
        uint32_t sequence = 0;
        while (smpp::next_frame(rest, limits::pdu_bytes_max, frame) ==
               smpp::FrameOutcome::complete) {
            responses_ += frame.header.command_id == CommandId::submit_sm_resp ? 1u : 0u;
            if (frame.header.command_id == CommandId::submit_sm) {
                sequence = frame.header.sequence_number;
                ++submits_;
            }
        }
        feed(supplier, [&](auto out) {
            return round % 2 == 0
                       ? smpp::encode_sm_resp(out, CommandId::submit_sm_resp, sequence, {"s", {}})
                       : smpp::encode_empty(out, CommandId::submit_sm_resp,
                                            CommandStatus::esme_rsubmitfail, sequence);
        });
    }
    // The last turn took the customer's answer to the MO: ours to the phone went out.
    void answer_reply() {
        Octets rest{out_.data(), out_.size()};
        smpp::Frame frame;
        uint32_t sequence = 0;
        while (smpp::next_frame(rest, limits::pdu_bytes_max, frame) ==
               smpp::FrameOutcome::complete) {
            if (frame.header.command_id == CommandId::submit_sm) {
                sequence = frame.header.sequence_number;
                ++replies_;
            }
        }
        feed(supplier, [&](auto out) {
            return smpp::encode_sm_resp(out, CommandId::submit_sm_resp, sequence, {"r", {}});
        });
    }
    // The last turn sent a deliver_sm to the customer (among others): answer it.
    void acknowledge() {
        Octets rest{out_.data(), out_.size()};
        smpp::Frame frame;
        uint32_t sequence = 0;
        while (smpp::next_frame(rest, limits::pdu_bytes_max, frame) ==
               smpp::FrameOutcome::complete) {
            if (frame.header.command_id == CommandId::deliver_sm) {
                sequence = frame.header.sequence_number;
                ++delivers_;
            }
        }
        feed(customer, [&](auto out) {
            return smpp::encode_sm_resp(out, CommandId::deliver_sm_resp, sequence, {});
        });
    }

    void take_records() {
        queue::ByteRing* ring = hub_.records(WorkerId{0});
        ASSERT_NE(ring, nullptr);
        for (Octets entry = ring->front(); !entry.empty(); entry = ring->front()) {
            Record record;
            RecordStorage storage;
            ASSERT_TRUE(decode_record(entry, storage, record));
            ++records_[static_cast<size_t>(record.kind)];
            ring->pop();
        }
    }

    test::SimConfig config_;
    Hub hub_{{.workers = 1,
              .connections_max = 16,
              .messages_max = 256,
              .large_messages_max = 4,
              .receipts_max = 4096,
              .receipt_age_ns = 3600 * second_ns,
              .store = GetParam(),
              .record_ring_bytes = 1 << 20}};
    Now now_{second_ns, 1'790'000'000 * second_ns};
    Worker worker_{hub_, WorkerId{0}, 1};
    std::array<uint8_t, 4096> in_{};
    size_t in_bytes_ = 0;
    ConnId pending_conn_;
    ConnId last_conn_;
    std::vector<uint8_t> out_;
    uint16_t connect_ = 0;
    uint32_t submits_ = 0;
    uint32_t responses_ = 0;
    uint32_t delivers_ = 0;
    uint32_t replies_ = 0;
    uint64_t store_orders_ = 0;
    std::array<uint32_t, record_kinds> records_{};  // taken, of each kind
};

INSTANTIATE_TEST_SUITE_P(Store, AllocationTest, testing::Bool());

TEST_P(AllocationTest, TheGuardSeesAnAllocation) {
    test::AllocationCounter::start();
    auto probe = std::make_unique<int>(1);
    EXPECT_EQ(test::AllocationCounter::stop(), 1u);
    EXPECT_EQ(*probe, 1);
}

TEST_P(AllocationTest, NoMessageAllocatesOnItsWholeWay) {
    bind_both();
    one_round(0);
    take_records();
    submits_ = responses_ = delivers_ = replies_ = 0;
    records_ = {};
    test::AllocationCounter::start();
    for (uint32_t round = 1; round <= 500; ++round) {
        one_round(round);
        take_records();
        hub_.merge_quality(now_.mono_ns);
    }
    EXPECT_EQ(test::AllocationCounter::stop(), 0u);
    EXPECT_GT(hub_.quality().reading(SupplierId{0}, NetworkId::none()).receipts, 300u);
    EXPECT_EQ(submits_, 500u);
    EXPECT_EQ(responses_, 500u);
    EXPECT_EQ(delivers_, 1000u);
    EXPECT_EQ(replies_, 500u);
    // Each round: the message and our answer to the phone, the MO, its receipt. Nobody has a copy.
    EXPECT_EQ(records_, (std::array<uint32_t, record_kinds>{1000, 500, 500, 500}));
    EXPECT_EQ(hub_.counters(WorkerId{0}).records_lost.get(), 0u);
    EXPECT_EQ(hub_.counters(WorkerId{0}).mo_copies_lost.get(), 501u);
    EXPECT_EQ(hub_.counters(WorkerId{0}).receipts_delivered.get(), 501u);
    EXPECT_EQ(hub_.counters(WorkerId{0}).mo_delivered.get(), 501u);
    EXPECT_EQ(worker_.pool().free_count(), worker_.pool().count());
    // A way, its receipt, its end each.
    EXPECT_EQ(store_orders_, GetParam() ? 3u * 501u : 0u);
}

TEST_P(AllocationTest, NorDoesOneThatIsStoredAndForwarded) {
    if (!GetParam()) {
        GTEST_SKIP() << "there is no store";
    }
    bind_both();
    stored_round(0);
    take_records();
    submits_ = responses_ = 0;
    test::AllocationCounter::start();
    for (uint32_t round = 1; round <= 500; ++round) {
        stored_round(round);
        take_records();
    }
    EXPECT_EQ(test::AllocationCounter::stop(), 0u);
    EXPECT_EQ(submits_, 500u);
    EXPECT_EQ(responses_, 500u);
    const WorkerCounters& counters = hub_.counters(WorkerId{0});
    EXPECT_EQ(counters.mt_stored.get(), 501u);
    EXPECT_EQ(counters.mt_accepted.get(), 251u);
    EXPECT_EQ(counters.mt_postponed.get(), 250u);
    EXPECT_EQ(worker_.pool().free_count(), worker_.pool().count());
}

}  // namespace
}  // namespace sy::engine
