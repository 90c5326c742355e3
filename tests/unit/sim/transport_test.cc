#include "io/sim/transport.h"

#include <gtest/gtest.h>

#include "tests/support/transport_conformance.h"

namespace sy::sim {
namespace {

using test::RecordingHandler;

Endpoint at(const char* text) {
    return *parse_endpoint(text);
}

SimOptions options_at(const char* address) {
    return {.connections_max = 16, .address = at(address)};
}

// Polls everybody, then moves the clock to the next event, but a little at least.
template <class... Pair>
void turn(SimNet& net, Pair&&... pairs) {
    (pairs.first.get().poll(net.now_ns(), pairs.second.get()), ...);
    const Nanos next = std::min(net.next_event_ns(), net.now_ns() + 10 * millisecond_ns);
    net.advance_to(std::max(next, net.now_ns() + microsecond_ns));
}
template <class... Pair>
void turns(int count, SimNet& net, Pair&&... pairs) {
    for (int i = 0; i < count; ++i) {
        turn(net, pairs...);
    }
}
std::pair<std::reference_wrapper<SimTransport>, std::reference_wrapper<RecordingHandler>> with(
    SimTransport& transport, RecordingHandler& handler) {
    return {transport, handler};
}

template <uint32_t variant>
struct SimWorld {
    using Transport = SimTransport;
    static constexpr int turns_max = 200'000;

    SimWorld() {
        LinkMix mix;
        if constexpr (variant == 1) {  // tiny segments, late and jittery
            mix.latency_max_ns = 80 * millisecond_ns;
            mix.segment_bytes_max = 40;
            mix.window_bytes_min = 6000;
            mix.window_bytes_max = 9000;
        } else if constexpr (variant == 2) {  // no time at all
            mix.latency_min_ns = 0;
            mix.latency_max_ns = 0;
            mix.segment_bytes_max = 64 * 1024;
        }
        net.set_mix(mix);
        EXPECT_TRUE(server_.listen(listening()).has_value());
    }

    SimTransport& server() { return server_; }
    SimTransport& client() { return client_; }
    [[nodiscard]] Endpoint listening() const { return at("10.0.0.1:2775"); }
    [[nodiscard]] Endpoint nobody() const { return at("10.0.0.1:2776"); }
    void turn(RecordingHandler& server, RecordingHandler& client) {
        sim::turn(net, with(server_, server), with(client_, client));
    }

    SimNet net{7};

  private:
    SimTransport server_{net, options_at("10.0.0.1:0")};
    SimTransport client_{net, options_at("10.0.0.2:0")};
};

using Worlds = ::testing::Types<SimWorld<0>, SimWorld<1>, SimWorld<2>>;

}  // namespace
}  // namespace sy::sim

namespace sy::test {
INSTANTIATE_TYPED_TEST_SUITE_P(Sim, TransportConformance, sim::Worlds);
}  // namespace sy::test

namespace sy::sim {
namespace {

static_assert(Transport<SimTransport, RecordingHandler>);

// A server and clients that send random octets over a faulty network; what the run was like.
struct Traffic {
    uint64_t hash = 0;
    uint64_t octets = 0;
    size_t closed = 0;
    size_t left = 0;  // connections that the client could not get rid of
};
Traffic run_traffic(uint64_t seed) {
    SimNet net(seed);
    LinkMix mix;
    mix.window_bytes_max = 8000;
    mix.refuse = 100;
    mix.connect_silence = 50;
    mix.cut_fin = mix.cut_rst = mix.cut_silence = 100;
    mix.cut_bytes_max = 5000;
    mix.short_send = 200;
    net.set_mix(mix);
    SimTransport server(net, options_at("10.0.0.1:0"));
    SimTransport client(net, options_at("10.0.0.2:0"));
    RecordingHandler at_server;
    RecordingHandler at_client;
    EXPECT_TRUE(server.listen(at("10.0.0.1:2775")).has_value());
    std::map<uint32_t, ConnId> by_slot;
    Prng prng(seed);
    for (int step = 0; step < 3000; ++step) {
        if (by_slot.size() < 8) {
            if (auto conn = client.connect(at("10.0.0.1:2775"))) {
                by_slot[conn->slot] = *conn;
            }
        }
        for (auto it = by_slot.begin(); it != by_slot.end();) {
            if (at_client.closed(it->second)) {
                it = by_slot.erase(it);
                continue;
            }
            const uint64_t word = prng();
            (void)client.send(it->second, Octets(reinterpret_cast<const uint8_t*>(&word), 8));
            if (prng.chance(1, 200)) {
                client.abort(it->second);
            } else if (prng.chance(1, 200)) {
                client.close(it->second);
            }
            ++it;
        }
        turn(net, with(server, at_server), with(client, at_client));
    }
    for (const auto& [slot, conn] : by_slot) {
        client.abort(conn);
    }
    turns(3000, net, with(server, at_server), with(client, at_client));
    return {net.hash(), net.counters().octets, at_client.closed_count, client.connections_used()};
}

TEST(SimNet, SameSeedGivesTheSameBytes) {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
        const Traffic once = run_traffic(seed);
        const Traffic again = run_traffic(seed);
        EXPECT_EQ(once.hash, again.hash);
        EXPECT_EQ(once.octets, again.octets);
        EXPECT_GT(once.octets, 1000U);
        EXPECT_GT(once.closed, 20U);
        EXPECT_EQ(once.left, 0U);
    }
    EXPECT_NE(run_traffic(1).hash, run_traffic(2).hash);
}

struct Pair {
    SimNet net;
    SimTransport server{net, options_at("10.0.0.1:0")};
    SimTransport client{net, options_at("10.0.0.2:0")};
    RecordingHandler at_server;
    RecordingHandler at_client;
    ConnId near;

    explicit Pair(const LinkMix& mix, uint64_t seed = 3) : net(seed) {
        net.set_mix(mix);
        EXPECT_TRUE(server.listen(at("10.0.0.1:2775")).has_value());
        near = *client.connect(at("10.0.0.1:2775"));
    }
    void go(int count) { turns(count, net, with(server, at_server), with(client, at_client)); }
};

// Nothing is lost before the cut, nothing arrives behind it, and each end learns what it should.
TEST(SimNet, CutHappensAtTheVeryOctet) {
    LinkMix mix;
    mix.cut_rst = 1000;
    mix.cut_bytes_max = 700;
    bool inside = false;
    for (uint64_t seed = 1; seed < 60; ++seed) {
        Pair pair(mix, seed);
        const std::string text(1000, 'x');
        pair.go(20);
        ASSERT_EQ(pair.at_server.accepted.size(), 1U);
        const ConnId far = pair.at_server.accepted[0];
        (void)pair.client.send(pair.near, as_octets(text));
        (void)pair.server.send(far, as_octets(text));
        pair.go(300);
        EXPECT_TRUE(pair.at_server.closed(far));
        EXPECT_TRUE(pair.at_client.closed(pair.near));
        EXPECT_EQ(pair.at_server[far].reason, CloseReason::peer_reset);
        EXPECT_EQ(pair.at_client[pair.near].reason, CloseReason::peer_reset);
        const size_t got = pair.at_server[far].bytes.size();
        inside = inside || (got > 0 && got < text.size());
    }
    EXPECT_TRUE(inside) << "no seed cut inside the stream";
}

TEST(SimNet, CutByFinEndsTheReaderOrderly) {
    Pair pair(LinkMix{});
    pair.go(20);
    const ConnId far = pair.at_server.accepted.at(0);
    (void)pair.client.send(pair.near, as_octets("before"));
    pair.client.sever(pair.near, Cut::fin);
    (void)pair.client.send(pair.near, as_octets("behind"));
    pair.go(200);
    EXPECT_EQ(pair.at_server[far].bytes, "before");
    EXPECT_EQ(pair.at_server[far].reason, CloseReason::peer_closed);
    EXPECT_EQ(pair.at_client[pair.near].reason, CloseReason::peer_reset);
}

TEST(SimNet, SilenceTellsNobody) {
    Pair pair(LinkMix{});
    pair.go(20);
    pair.client.sever(pair.near, Cut::silence);
    (void)pair.client.send(pair.near, as_octets("lost"));
    pair.go(2000);
    EXPECT_EQ(pair.at_server.closed_count, 0U);
    EXPECT_EQ(pair.at_client.closed_count, 0U);
    pair.client.close(pair.near);
    pair.go(200);
    EXPECT_EQ(pair.at_client[pair.near].reason, CloseReason::local);
    EXPECT_EQ(pair.at_server.closed_count, 0U);
}

TEST(SimNet, SilentConnectTimesOut) {
    LinkMix mix;
    mix.connect_silence = 1000;
    Pair pair(mix);
    const Nanos from_ns = pair.net.now_ns();
    pair.go(2000);
    EXPECT_EQ(pair.at_client[pair.near].reason, CloseReason::connect_failed);
    EXPECT_GE(pair.net.now_ns() - from_ns, 10 * second_ns);
    EXPECT_TRUE(pair.at_server.accepted.empty());
}

TEST(SimNet, ListenersOfOneAddressShareTheConnections) {
    SimNet net(5);
    std::vector<std::unique_ptr<SimTransport>> workers;
    std::vector<RecordingHandler> handlers(3);
    for (int i = 0; i < 3; ++i) {
        workers.push_back(std::make_unique<SimTransport>(net, options_at("10.0.0.1:0")));
        ASSERT_TRUE(workers.back()->listen(at("10.0.0.1:2775")).has_value());
    }
    SimTransport client(net, {.connections_max = 30, .address = at("10.0.0.2:0")});
    RecordingHandler at_client;
    for (int i = 0; i < 30; ++i) {
        ASSERT_TRUE(client.connect(at("10.0.0.1:2775")).has_value());
    }
    turns(300, net, with(*workers[0], handlers[0]), with(*workers[1], handlers[1]),
          with(*workers[2], handlers[2]), with(client, at_client));
    size_t accepted = 0;
    for (RecordingHandler& handler : handlers) {
        EXPECT_GE(handler.accepted.size(), 3U);
        accepted += handler.accepted.size();
    }
    EXPECT_EQ(accepted + at_client.closed_count, 30U);
    EXPECT_GE(accepted, 30U - 14U) << "16 slots each";
}

TEST(SimTransport, WaitKeepsTheDeadlineUnlessThereIsWork) {
    Pair pair(LinkMix{});
    pair.server.wait(pair.net.now_ns() + 500);
    EXPECT_EQ(pair.server.wait_until_ns(), pair.net.now_ns() + 500);
    pair.server.wake();
    EXPECT_TRUE(pair.server.has_work());
    pair.server.wait(pair.net.now_ns() + 500);
    EXPECT_EQ(pair.server.wait_until_ns(), pair.net.now_ns());
    EXPECT_FALSE(pair.server.has_work());
}

}  // namespace
}  // namespace sy::sim
