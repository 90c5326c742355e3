// Suppliers that fail in a row: other targets, probes, slow starts.
#include <string>

#include "core/engine/worker.h"
#include "tests/unit/engine/fixture.h"

namespace sy::engine {
namespace {

class BreakerTest : public EngineTest {
  protected:
    explicit BreakerTest(test::SimConfig start = basic_config(), uint32_t workers = 1)
        : EngineTest(std::move(start), workers) {}

    /// Status of a message to 33 (alpha, then beta) or 44 (alpha alone).
    CommandStatus submit(ConnId conn, const char* to = "33612345678") {
        const uint32_t sequence = next_sequence++;
        acme.submit(conn, sequence, test::sm("Shop", to, "x"));
        const Pdu* response = answer(conn, sequence);
        EXPECT_NE(response, nullptr);
        return response != nullptr ? response->status() : CommandStatus::esme_runknownerr;
    }
    size_t to_alpha() { return alpha.all(CommandId::submit_sm).size(); }
    size_t to_beta() { return beta.all(CommandId::submit_sm).size(); }

    /// Ten failures in a row.
    void open(ConnId conn) {
        alpha.submit_status = CommandStatus::esme_rsyserr;
        for (int i = 0; i < 10; ++i) {
            ASSERT_EQ(submit(conn), CommandStatus::esme_rok);
        }
        ASSERT_TRUE(gate().is_open());
    }
    SupplierGate& gate() { return router.hub().supplier(SupplierId{0}).gate; }

    uint64_t events(EventKind kind) {
        Event event;
        while (router.hub().next_event(event)) {
            seen.push_back(event.kind);
        }
        return static_cast<uint64_t>(std::ranges::count(seen, kind));
    }

    uint32_t next_sequence = 100;
    std::vector<EventKind> seen;
};

TEST_F(BreakerTest, AfterTenFailuresInARowMessagesGoToTheNextTargetAtOnce) {
    const ConnId conn = bind();
    open(conn);
    EXPECT_EQ(to_alpha(), 10u);
    EXPECT_EQ(to_beta(), 10u);
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(submit(conn), CommandStatus::esme_rok);
    }
    EXPECT_EQ(to_alpha(), 10u);
    EXPECT_EQ(to_beta(), 30u);
    EXPECT_EQ(submit(conn, "447700900001"), CommandStatus::esme_rsyserr);
    EXPECT_EQ(to_alpha(), 10u);
    EXPECT_EQ(router.hub().counters(WorkerId{0}, SupplierId{0}).breaker_opened.get(), 1u);
    EXPECT_EQ(events(EventKind::supplier_opened), 1u);
    EXPECT_EQ(router.in_flight(), 0u);
}

TEST_F(BreakerTest, OneProbeAtATimeUntilItWorksThenAllOfItsTraffic) {
    const ConnId conn = bind();
    open(conn);
    router.run_for(5 * second_ns);
    for (int i = 0; i < 5; ++i) {  // the first of them probes, and is accepted by beta
        EXPECT_EQ(submit(conn), CommandStatus::esme_rok);
    }
    EXPECT_EQ(to_alpha(), 11u);
    router.run_for(8 * second_ns);  // 10 s now
    EXPECT_EQ(submit(conn), CommandStatus::esme_rok);
    EXPECT_EQ(to_alpha(), 11u);
    router.run_for(2 * second_ns);
    alpha.submit_status = CommandStatus::esme_rok;
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(submit(conn), CommandStatus::esme_rok);
    }
    EXPECT_EQ(to_alpha(), 31u);
    EXPECT_EQ(gate().mode(), SupplierGate::Mode::normal);
    EXPECT_EQ(events(EventKind::supplier_opened), 2u);
    EXPECT_EQ(events(EventKind::supplier_probed), 2u);
    EXPECT_EQ(events(EventKind::supplier_recovered), 1u);
}

TEST_F(BreakerTest, ItStartsSlowly) {
    const ConnId conn = bind();
    open(conn);
    router.run_for(5 * second_ns);
    alpha.answer_submits = false;
    for (uint32_t i = 0; i < 10; ++i) {
        acme.submit(conn, 10 + i, test::sm("Shop", "447700900001", "x"));
    }
    router.run_for(50 * millisecond_ns);
    EXPECT_EQ(to_alpha(), 11u);  // the probe; for the others there is no other target
    EXPECT_EQ(acme.all(CommandId::submit_sm_resp).size(), 10u + 9u);
    size_t at = 10;
    const auto answer_all = [&] {
        const auto all = alpha.all(CommandId::submit_sm);
        std::vector<Pdu> waiting;
        for (; at < all.size(); ++at) {
            waiting.push_back(*all[at]);
        }
        for (const Pdu& pdu : waiting) {
            alpha.answer(pdu, CommandStatus::esme_rok, std::to_string(alpha.next_id++));
        }
        router.run_for(50 * millisecond_ns);
    };
    answer_all();
    for (uint32_t i = 0; i < 9; ++i) {
        acme.submit(conn, 30 + i, test::sm("Shop", "447700900001", "x"));
    }
    router.run_for(50 * millisecond_ns);
    EXPECT_EQ(to_alpha() - at, 2u);
    answer_all();
    EXPECT_EQ(to_alpha() - at, 4u);
    answer_all();
    EXPECT_EQ(to_alpha() - at, 3u);  // the rest
    answer_all();
    EXPECT_EQ(router.in_flight(), 0u);
}

TEST_F(BreakerTest, SilenceOpensItToo) {
    config.suppliers[0].timers.response_ns = second_ns;
    router.reload(config);
    const ConnId conn = bind();
    router.run_for(100 * millisecond_ns);
    alpha.answer_submits = false;
    for (uint32_t i = 0; i < 10; ++i) {
        acme.submit(conn, 10 + i, test::sm("Shop", "33612345678", "x"));
    }
    router.run_for(1500 * millisecond_ns);
    EXPECT_EQ(count(&WorkerCounters::mt_unknown), 10u);
    EXPECT_TRUE(gate().is_open());
    EXPECT_EQ(submit(conn), CommandStatus::esme_rok);
    EXPECT_EQ(to_beta(), 1u);
}

TEST_F(BreakerTest, ErrorsOfMessagesDoNotOpenIt) {
    const ConnId conn = bind();
    alpha.submit_status = CommandStatus::esme_rinvdstadr;
    for (int i = 0; i < 30; ++i) {
        EXPECT_EQ(submit(conn), CommandStatus::esme_rok);
    }
    EXPECT_EQ(to_alpha(), 30u);
    EXPECT_FALSE(gate().is_open());
}

TEST_F(BreakerTest, WhatTheErrorTableCallsFinalIsNoFailure) {
    route::ErrorRule rule;
    rule.status = CommandStatus::esme_rsyserr;
    rule.error_class = route::ErrorClass::final;
    config.errors = {rule};
    router.reload(config);
    const ConnId conn = bind();
    alpha.submit_status = CommandStatus::esme_rsyserr;
    for (int i = 0; i < 30; ++i) {
        EXPECT_EQ(submit(conn), CommandStatus::esme_rsyserr);
    }
    EXPECT_FALSE(gate().is_open());
}

// What waits for it when it opens goes to the next target, or is answered: nobody waits for a
// pause.
TEST_F(BreakerTest, WhatWaitsWhenItOpensLooksForItsNextTarget) {
    config.customers[0].window = 200;
    router.reload(config);
    const ConnId conn = bind();
    alpha.answer_submits = false;
    for (uint32_t i = 0; i < 50; ++i) {
        acme.submit(conn, 10 + i, test::sm("Shop", "33612345678", "x"));
        acme.submit(conn, 100 + i, test::sm("Shop", "447700900001", "x"));
    }
    router.run_for(50 * millisecond_ns);
    ASSERT_EQ(to_alpha(), 10u);
    std::vector<Pdu> window;
    for (const Pdu* pdu : alpha.all(CommandId::submit_sm)) {
        window.push_back(*pdu);
    }
    for (const Pdu& pdu : window) {
        alpha.answer(pdu, CommandStatus::esme_rsyserr);
    }
    router.run_for(500 * millisecond_ns);
    // The first answers let others into the window before the tenth opened it.
    const size_t left = to_alpha() - 10;
    EXPECT_LT(left, 11u);
    EXPECT_EQ(router.in_flight(), left);
    EXPECT_GE(to_beta(), 50u - 10);
}

TEST_F(BreakerTest, ALinkThatComesBackIsProbedAtOnce) {
    config.suppliers[0].breaker_pause_ns = 60 * second_ns;
    router.reload(config);
    const ConnId conn = bind();
    open(conn);
    alpha.submit_status = CommandStatus::esme_rok;
    alpha.close(alpha.bound.at(0));
    router.run_until([&] { return alpha.bound.empty(); });
    ASSERT_TRUE(router.run_until([&] { return !alpha.bound.empty(); }));
    router.run_for(50 * millisecond_ns);
    EXPECT_EQ(submit(conn), CommandStatus::esme_rok);
    EXPECT_EQ(to_alpha(), 11u);
    EXPECT_EQ(gate().mode(), SupplierGate::Mode::slow_start);
}

test::SimConfig links_on_two_workers() {
    test::SimConfig config = basic_config();
    config.suppliers[0].binds = 2;
    config.customers[0].binds_max = 16;
    return config;
}

class SharedBreakerTest : public BreakerTest {
  protected:
    SharedBreakerTest() : BreakerTest(links_on_two_workers(), 2) {}
};

// Sessions and links on both workers: all of them know, and there is one probe.
TEST_F(SharedBreakerTest, IsOneOverAllWorkers) {
    const ConnId first = bind();
    ASSERT_TRUE(router.run_until([&] { return alpha.bound.size() == 2; }));
    std::vector<ConnId> sessions{first};
    for (int i = 0; i < 7; ++i) {
        sessions.push_back(
            acme.bind(router.address, CommandId::bind_transceiver, "acme", "secret"));
        ASSERT_TRUE(router.run_until([&] { return acme.response(sessions.back(), 1) != nullptr; }));
    }
    ASSERT_GT(router.worker(0).session_count(), 3u);
    ASSERT_GT(router.worker(1).session_count(), 3u);
    alpha.submit_status = CommandStatus::esme_rsyserr;
    for (size_t i = 0; i < 10; ++i) {
        EXPECT_EQ(submit(sessions[i % 8]), CommandStatus::esme_rok);
    }
    ASSERT_TRUE(gate().is_open());
    for (const ConnId conn : sessions) {
        EXPECT_EQ(submit(conn), CommandStatus::esme_rok);
    }
    EXPECT_EQ(to_alpha(), 10u);
    router.run_for(5 * second_ns);
    alpha.answer_submits = false;
    for (const ConnId conn : sessions) {
        acme.submit(conn, 50, test::sm("Shop", "33612345678", "x"));
        acme.submit(conn, 51, test::sm("Shop", "33612345678", "x"));
    }
    router.run_for(50 * millisecond_ns);
    EXPECT_EQ(to_alpha(), 11u);
    EXPECT_EQ(router.in_flight(), 1u);
    alpha.answer(*alpha.all(CommandId::submit_sm).back(), CommandStatus::esme_rok, "probe");
    router.run_for(50 * millisecond_ns);
    EXPECT_EQ(router.in_flight(), 0u);
    alpha.answer_submits = true;
    alpha.submit_status = CommandStatus::esme_rok;
    for (int i = 0; i < 5; ++i) {
        for (const ConnId conn : sessions) {
            EXPECT_EQ(submit(conn), CommandStatus::esme_rok);
        }
    }
    EXPECT_EQ(to_alpha(), 51u);
    EXPECT_EQ(gate().mode(), SupplierGate::Mode::normal);
}

}  // namespace
}  // namespace sy::engine
