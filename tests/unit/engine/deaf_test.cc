// Peers that do not hear, beside healthy ones: a supplier that answers nothing or reads nothing, a
// customer that reads nothing. They cost what they may hold, and nobody else waits for them.
#include <algorithm>
#include <vector>

#include "core/engine/worker.h"
#include "tests/unit/engine/fixture.h"

namespace sy::engine {
namespace {

test::SimConfig many_open() {
    test::SimConfig config = basic_config();
    for (route::Customer& customer : config.customers) {
        customer.window = 1000;
    }
    config.suppliers[1].window = 50;
    return config;
}

enum class Deafness : uint8_t { answers_nothing, reads_nothing };

class DeafTest : public EngineTest, public testing::WithParamInterface<Deafness> {
  protected:
    DeafTest() : EngineTest(many_open(), 2) {}

    /// Twenty messages of bravo by beta; how long until all of them are answered with OK.
    Nanos round(ConnId conn) {
        const Nanos start = net.now_ns();
        const uint32_t first = sequence;
        for (; sequence < first + 20; ++sequence) {
            acme.submit(conn, sequence, test::sm("Shop", "4915112345678", "x"));
        }
        EXPECT_TRUE(router.run_until([&] { return acme.response(conn, sequence - 1) != nullptr; }));
        for (uint32_t each = first; each < sequence; ++each) {
            const Pdu* response = acme.response(conn, each);
            EXPECT_NE(response, nullptr);
            EXPECT_TRUE(response == nullptr || response->status() == CommandStatus::esme_rok);
        }
        return net.now_ns() - start;
    }
    struct Rounds {
        Nanos all = 0;
        Nanos slowest = 0;
    };
    Rounds fifty_rounds(ConnId conn) {
        Rounds out;
        for (int i = 0; i < 50; ++i) {
            const Nanos took = round(conn);
            out.all += took;
            out.slowest = std::max(out.slowest, took);
        }
        return out;
    }
    /// The network's delays are random: about as long, in all and at worst.
    void expect_as_before(const Rounds& before, const Rounds& now) {
        EXPECT_LE(now.all, before.all + before.all / 10);
        EXPECT_LE(now.slowest, before.slowest * 2);
    }

    uint32_t sequence = 100;
};

TEST_P(DeafTest, TheHealthyAreServedAsBefore) {
    const ConnId healthy =
        acme.bind(router.address, CommandId::bind_transceiver, "bravo", "secret");
    const ConnId deaf = bind();
    const Rounds before = fifty_rounds(healthy);

    alpha.answer_submits = false;
    if (GetParam() == Deafness::reads_nothing) {
        alpha.stop_reading(alpha.bound.at(0));
    }
    acme.stop_reading(deaf);
    // To the deaf supplier, to the healthy one, and nowhere: 60 octets in, 16 or more out, unread.
    for (uint32_t i = 0; i < 30'000; ++i) {
        const char* const to[] = {"447700900001", "4915112345678", "15551234567"};
        acme.submit(deaf, 10 + i, test::sm("Shop", to[i % 3], "x"));
    }
    expect_as_before(before, fifty_rounds(healthy));
    router.run_for(second_ns);
    expect_as_before(before, fifty_rounds(healthy));

    // The customer is held by its own window, the supplier by its own; nobody lost a session.
    EXPECT_LE(router.in_flight(), 1000u);
    EXPECT_EQ(count(&WorkerCounters::output_exhausted), 0u);
    EXPECT_EQ(count(&WorkerCounters::pool_empty), 0u);
    EXPECT_TRUE(acme.is_live(deaf));
    EXPECT_TRUE(acme.is_live(healthy));
    EXPECT_EQ(acme.all(CommandId::submit_sm_resp).size(), sequence - 100);
}

class UnreadTest : public EngineTest {
  protected:
    UnreadTest() : EngineTest(crowd()) {}

    static test::SimConfig crowd() {
        test::SimConfig config = many_open();
        config.customers[0].binds_max = 100;
        return config;
    }

    // Requests with an answer of 16 octets each, numbered from 2.
    void ask(ConnId conn, uint32_t count) {
        std::string octets;
        for (uint32_t sequence = 2; sequence < 2 + count; ++sequence) {
            std::array<uint8_t, 16> pdu;
            EXPECT_EQ(
                smpp::encode_empty(pdu, CommandId::enquire_link, CommandStatus::esme_rok, sequence),
                pdu.size());
            octets.append(as_chars(pdu));
        }
        acme.send(conn, octets);
    }
};

TEST_F(UnreadTest, WhoReadsAgainIsReadAgainAndMissesNothing) {
    const ConnId conn = bind();
    acme.stop_reading(conn);
    constexpr uint32_t asked = 150'000;  // twice what the router keeps for one
    ask(conn, asked);
    router.run_for(5 * second_ns);
    EXPECT_TRUE(acme.all(CommandId::enquire_link_resp).empty());
    acme.start_reading(conn);
    const auto answered = [&] { return acme.all(CommandId::enquire_link_resp).size() == asked; };
    EXPECT_TRUE(router.run_until(answered, 20 * second_ns));
    acme.submit(conn, asked + 2, test::sm("Shop", "447700900001", "x"));
    ASSERT_NE(answer(conn, asked + 2), nullptr);
    EXPECT_EQ(answer(conn, asked + 2)->status(), CommandStatus::esme_rok);
}

TEST_F(UnreadTest, ACrowdOfThemLeavesRoomForOthers) {
    const ConnId healthy =
        acme.bind(router.address, CommandId::bind_transceiver, "bravo", "secret");
    std::vector<ConnId> crowd;
    for (int i = 0; i < 60; ++i) {
        crowd.push_back(bind());
        acme.stop_reading(crowd.back());
        ask(crowd.back(), 100'000);
        router.run_for(100 * millisecond_ns);
    }
    router.run_for(second_ns);
    acme.submit(healthy, 2, test::sm("Shop", "447700900001", "x"));
    ASSERT_NE(answer(healthy, 2), nullptr);
    EXPECT_EQ(answer(healthy, 2)->status(), CommandStatus::esme_rok);
    // One that takes a large buffer: nobody else's is in its way.
    smpp::Sm sm = test::sm("Shop", "447700900001", "");
    const std::string text(6000, 'y');
    std::vector<uint8_t> octets(7000);
    ByteWriter tlvs(octets);
    tlvs.tlv(static_cast<uint16_t>(smpp::TlvTag::message_payload), as_octets(text));
    sm.tlvs = {octets.data(), tlvs.written()};
    acme.submit(healthy, 3, sm);
    ASSERT_NE(answer(healthy, 3), nullptr);
    EXPECT_EQ(answer(healthy, 3)->status(), CommandStatus::esme_rok);
    EXPECT_EQ(count(&WorkerCounters::output_exhausted), 0u);
    for (const ConnId conn : crowd) {
        EXPECT_TRUE(acme.is_live(conn));
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds,
                         DeafTest,
                         testing::Values(Deafness::answers_nothing, Deafness::reads_nothing));

}  // namespace
}  // namespace sy::engine
