// Who leaves first when more waits for a supplier than it takes.
#include <algorithm>
#include <string>

#include "core/engine/worker.h"
#include "tests/unit/engine/fixture.h"

namespace sy::engine {
namespace {

test::SimConfig with_backlog() {
    test::SimConfig config = basic_config();
    for (route::Customer& customer : config.customers) {
        customer.window = 4000;
    }
    return config;
}

class FairnessTest : public EngineTest {
  protected:
    explicit FairnessTest(test::SimConfig start = with_backlog(), uint32_t workers = 1)
        : EngineTest(std::move(start), workers) {}

    ConnId bind_bravo() {
        const ConnId conn =
            acme.bind(router.address, CommandId::bind_transceiver, "bravo", "secret");
        EXPECT_TRUE(router.run_until([&] { return acme.response(conn, 1) != nullptr; }));
        return conn;
    }

    void submit(ConnId conn, uint32_t sequence, const char* text, uint8_t priority = 0) {
        smpp::Sm sm = test::sm("Shop", "447700900001", text);
        sm.priority_flag = priority;
        acme.submit(conn, sequence, sm);
    }

    void submit_part(ConnId conn, uint32_t sequence, uint8_t reference, uint8_t part) {
        std::string text("\x05\x00\x03", 3);
        text += static_cast<char>(reference);
        text += '\x04';
        text += static_cast<char>(part);
        smpp::Sm sm = test::sm("Shop", "447700900001", "");
        sm.esm_class = 0x40;
        sm.short_message = as_octets(text);
        acme.submit(conn, sequence, sm);
    }

    size_t sent() { return alpha.all(CommandId::submit_sm).size(); }

    /// Texts of what alpha got, in order, from the given place on.
    std::vector<std::string> texts(size_t from = 0) {
        std::vector<std::string> out;
        for (const Pdu* pdu : alpha.all(CommandId::submit_sm)) {
            out.emplace_back(as_chars(decode(*pdu).short_message));
        }
        return {out.begin() + static_cast<std::ptrdiff_t>(from), out.end()};
    }
};

// A campaign of 2,000 messages waits for a supplier that takes 100 a second: 20 s. A password of
// another customer is not behind it.
TEST_F(FairnessTest, AnothersMessageIsAmongTheNextOfALongBacklog) {
    config.suppliers[0].rate_per_second = 100;
    config.suppliers[0].burst = 1;
    router.reload(config);
    const ConnId conn = bind();
    const ConnId other = bind_bravo();
    for (uint32_t i = 0; i < 2000; ++i) {
        submit(conn, 10 + i, "campaign");
    }
    router.run_for(200 * millisecond_ns);
    const size_t before = sent();
    ASSERT_GT(before, 5u);
    ASSERT_LT(before, 50u);
    submit(other, 2, "password");
    ASSERT_TRUE(router.run_until([&] { return acme.response(other, 2) != nullptr; }, second_ns));
    const auto after = texts(before);
    EXPECT_LT(std::ranges::find(after, "password") - after.begin(), 4);
}

TEST_F(FairnessTest, TheSameBehindAFullWindow) {
    const ConnId conn = bind();
    const ConnId other = bind_bravo();
    alpha.answer_submits = false;
    for (uint32_t i = 0; i < 500; ++i) {
        submit(conn, 10 + i, "campaign");
    }
    router.run_for(20 * millisecond_ns);
    submit(other, 2, "password");
    router.run_for(20 * millisecond_ns);
    ASSERT_EQ(sent(), 10u);
    for (size_t i = 0; i < 2; ++i) {
        alpha.answer(*alpha.all(CommandId::submit_sm).at(i), CommandStatus::esme_rok, "1");
        router.run_for(20 * millisecond_ns);
    }
    const auto after = texts(10);
    EXPECT_NE(std::ranges::find(after, "password"), after.end());
}

TEST_F(FairnessTest, TwoCampaignsShareTheRateInHalves) {
    config.suppliers[0].rate_per_second = 100;
    config.suppliers[0].burst = 1;
    router.reload(config);
    const ConnId conn = bind();
    const ConnId other = bind_bravo();
    for (uint32_t i = 0; i < 1000; ++i) {
        submit(conn, 10 + i, "acme");
    }
    router.run_for(50 * millisecond_ns);
    for (uint32_t i = 0; i < 300; ++i) {
        submit(other, 10 + i, "bravo");
    }
    router.run_for(50 * millisecond_ns);
    const size_t before = sent();
    router.run_for(4 * second_ns);
    const auto after = texts(before);
    EXPECT_GT(after.size(), 350u);  // turns come each millisecond: a little of the rate is lost
    EXPECT_NEAR(static_cast<double>(std::ranges::count(after, "bravo")),
                static_cast<double>(after.size()) / 2, 2);
}

TEST_F(FairnessTest, OfACustomerTheHigherPriorityGoesFirst) {
    const ConnId conn = bind();
    alpha.answer_submits = false;
    for (uint32_t i = 0; i < 50; ++i) {
        submit(conn, 10 + i, "low", 0);
    }
    submit(conn, 60, "first high", 2);
    submit(conn, 61, "second high", 2);
    submit(conn, 62, "highest", 3);
    router.run_for(20 * millisecond_ns);
    for (size_t i = 0; i < 4; ++i) {
        alpha.answer(*alpha.all(CommandId::submit_sm).at(i), CommandStatus::esme_rok, "1");
    }
    router.run_for(20 * millisecond_ns);
    EXPECT_EQ(texts(10), (std::vector<std::string>{"highest", "first high", "second high", "low"}));
}

TEST_F(FairnessTest, ThePartsOfALongMessageLeaveTogether) {
    const ConnId conn = bind();
    const ConnId other = bind_bravo();
    alpha.answer_submits = false;
    for (uint32_t i = 0; i < 10; ++i) {
        submit(conn, 10 + i, "fills the window");
    }
    router.run_for(20 * millisecond_ns);
    for (uint8_t part = 1; part <= 4; ++part) {
        submit_part(conn, 20u + part, 7, part);
        submit(other, 20u + part, "other");
    }
    router.run_for(20 * millisecond_ns);
    for (size_t i = 0; i < 8; ++i) {
        alpha.answer(*alpha.all(CommandId::submit_sm).at(i), CommandStatus::esme_rok, "1");
        router.run_for(20 * millisecond_ns);
    }
    const auto after = texts(10);
    ASSERT_EQ(after.size(), 8u);
    const auto is_part = [](const std::string& text) { return text != "other"; };
    const auto first = std::ranges::find_if(after, is_part);
    ASSERT_LE(first - after.begin(), 1);
    for (int part = 0; part < 4; ++part) {
        ASSERT_TRUE(is_part(first[part])) << part;
        EXPECT_EQ(first[part].back(), part + 1);
    }
}

// Its time is over while hundreds stand before it and hundreds behind it.
TEST_F(FairnessTest, AMessageInTheMiddleOfABacklogExpiresInTime) {
    const ConnId conn = bind();
    alpha.answer_submits = false;
    for (uint32_t i = 0; i < 800; ++i) {
        smpp::Sm sm = test::sm("Shop", "447700900001", "x");
        sm.validity_period = i == 400 ? "000000000002000R" : "";
        acme.submit(conn, 10 + i, sm);
    }
    router.run_for(1900 * millisecond_ns);
    EXPECT_EQ(acme.response(conn, 410), nullptr);
    router.run_for(200 * millisecond_ns);
    ASSERT_NE(acme.response(conn, 410), nullptr);
    EXPECT_EQ(acme.response(conn, 410)->status(), CommandStatus::esme_rsyserr);
    EXPECT_EQ(count(&WorkerCounters::mt_expired), 1u);
    EXPECT_EQ(router.in_flight(), 799u);
}

// What a worker keeps of a queue counts as queued: `queue` is what it says.
TEST_F(FairnessTest, AQueueHoldsNoMoreThanItsLimit) {
    config.suppliers[0].queue = 64;  // a new ring comes with a new supplier only
    config.suppliers[0].window = 1;
    config.suppliers.push_back(test::supplier("gamma", "10.0.1.1:2776"));
    config.suppliers[2].queue = 64;
    config.suppliers[2].window = 1;
    config.mt[0] = test::rule("44", {2});
    router.reload(config);
    const ConnId conn = bind();
    router.run_for(second_ns);
    alpha.answer_submits = false;
    for (uint32_t round = 0; round < 4; ++round) {
        for (uint32_t i = 0; i < 50; ++i) {
            submit(conn, 10 + round * 50 + i, "x");
        }
        router.run_for(20 * millisecond_ns);
    }
    size_t refused = 0;
    for (const Pdu* pdu : acme.all(CommandId::submit_sm_resp)) {
        EXPECT_EQ(pdu->status(), CommandStatus::esme_rmsgqful);
        ++refused;
    }
    EXPECT_EQ(refused, 200u - 64 - 1);
}

test::SimConfig backlog_of_two_links() {
    test::SimConfig config = with_backlog();
    config.suppliers[0].binds = 2;  // one on each of two workers
    return config;
}

class SharedBacklogTest : public FairnessTest, public testing::WithParamInterface<size_t> {
  protected:
    SharedBacklogTest() : FairnessTest(backlog_of_two_links(), 2) {}

    /// The one of alpha's two links that the parameter names does not answer.
    void make_one_deaf() {
        ASSERT_TRUE(router.run_until([&] { return alpha.bound.size() == 2; }));
        deaf = alpha.bound[GetParam()];
        alpha.on_pdu = [this](const Pdu& pdu) {
            const bool stays = pdu.conn == deaf && pdu.header.command_id == CommandId::submit_sm;
            if (stays) {
                alpha.received.push_back(pdu);
            }
            return stays;
        };
    }
    size_t answered() { return acme.all(CommandId::submit_sm_resp).size(); }

    ConnId deaf;
};

// No worker hoards: all but what stands in the deaf link's window leaves by the other.
TEST_P(SharedBacklogTest, AWorkerWhoseLinkIsStuckGivesToTheOneThatHasRoom) {
    const ConnId conn = bind();
    make_one_deaf();
    for (uint32_t i = 0; i < 1000; ++i) {
        submit(conn, 10 + i, "x");
    }
    EXPECT_TRUE(router.run_until([&] { return answered() >= 990; }, 5 * second_ns)) << answered();
    EXPECT_EQ(router.in_flight(), 10u);
}

// What waited at a worker whose link has gone is not refused while another has one.
TEST_P(SharedBacklogTest, ABacklogSurvivesTheLinkOfItsWorker) {
    const ConnId conn = bind();
    ASSERT_TRUE(router.run_until([&] { return alpha.bound.size() == 2; }));
    alpha.answer_submits = false;
    for (uint32_t i = 0; i < 500; ++i) {
        submit(conn, 10 + i, "x");
    }
    router.run_for(50 * millisecond_ns);
    ASSERT_EQ(sent(), 20u);
    const auto first = alpha.all(CommandId::submit_sm);
    std::vector<Pdu> held;
    for (const Pdu* pdu : first) {
        held.push_back(*pdu);
    }
    deaf = alpha.bound[GetParam()];
    alpha.answer_submits = true;
    alpha.abort(deaf);
    for (const Pdu& pdu : held) {
        if (pdu.conn != deaf) {
            alpha.answer(pdu, CommandStatus::esme_rok, "held");
        }
    }
    ASSERT_TRUE(router.run_until([&] { return answered() == 500; }, 5 * second_ns)) << answered();
    size_t accepted = 0;
    for (const Pdu* pdu : acme.all(CommandId::submit_sm_resp)) {
        accepted += pdu->status() == CommandStatus::esme_rok ? 1u : 0u;
    }
    EXPECT_EQ(accepted, 490u);  // the window of the dead link is unknown
    EXPECT_EQ(count(&WorkerCounters::mt_unknown), 10u);
    EXPECT_EQ(router.in_flight(), 0u);
}

INSTANTIATE_TEST_SUITE_P(EitherLink, SharedBacklogTest, testing::Values(0, 1));

}  // namespace
}  // namespace sy::engine
