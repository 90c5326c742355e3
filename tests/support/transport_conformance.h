// What every transport must do alike, as a typed test. A World gives two transports, "server"
// (listening) and "client", and the time between them:
//
//   using Transport;                   server(), client() -> Transport&
//   Endpoint listening() const;        where server() listens
//   Endpoint nobody() const;           an address that refuses
//   void turn(H& server, H& client);   polls both once and lets a little time pass
//   static constexpr int turns_max;    turns after which a condition counts as never met
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "tests/support/recording_handler.h"

namespace sy::test {

template <class World>
class TransportConformance : public ::testing::Test {
  protected:
    using T = typename World::Transport;

    template <class Condition>
    bool until(Condition condition) {
        for (int i = 0; i < World::turns_max; ++i) {
            if (condition()) {
                return true;
            }
            world.turn(server, client);
        }
        return condition();
    }
    void turns(int count) {
        for (int i = 0; i < count; ++i) {
            world.turn(server, client);
        }
    }

    // A connected pair; the newest on both sides.
    void link() {
        const size_t before = server.accepted.size();
        auto conn = world.client().connect(world.listening());
        ASSERT_TRUE(conn.has_value());
        near = *conn;
        ASSERT_TRUE(until([&] { return server.accepted.size() > before && client[near].up; }));
        far = server.accepted.back();
    }

    static std::string pattern(size_t size, uint64_t seed = 1) {
        Prng prng(seed);
        std::string out(size, '\0');
        for (char& c : out) {
            c = static_cast<char>(prng());
        }
        return out;
    }

    // Sends all of it from the client's end, as the transport takes it.
    struct Sender {
        T& transport;
        ConnId conn;
        std::string text;
        size_t sent = 0;
        size_t short_sends = 0;

        void push() {
            while (sent < text.size()) {
                const size_t left = text.size() - sent;
                const size_t took =
                    transport.send(conn, as_octets(std::string_view(text).substr(sent)));
                sent += took;
                if (took < left) {
                    ++short_sends;
                    return;
                }
            }
        }
    };

    World world;
    RecordingHandler server;
    RecordingHandler client;
    ConnId near;  // client's end
    ConnId far;   // server's end
};

template <class T>
void expect_ignored(T& transport, ConnId stale) {
    EXPECT_EQ(transport.send(stale, as_octets("stale")), 0U);
    transport.pause(stale);
    transport.resume(stale);
    transport.close(stale);
    transport.abort(stale);
    transport.abort(ConnId{});
}

TYPED_TEST_SUITE_P(TransportConformance);

TYPED_TEST_P(TransportConformance, BytesArriveInOrderBothWays) {
    this->link();
    const std::string out = this->pattern(3000, 1);
    const std::string back = this->pattern(5000, 2);
    EXPECT_EQ(this->world.client().send(this->near, as_octets(out)), out.size());
    EXPECT_EQ(this->world.server().send(this->far, as_octets(back)), back.size());
    EXPECT_TRUE(this->until([&] {
        return this->server[this->far].bytes.size() >= out.size() &&
               this->client[this->near].bytes.size() >= back.size();
    }));
    EXPECT_EQ(this->server[this->far].bytes, out);
    EXPECT_EQ(this->client[this->near].bytes, back);
}

TYPED_TEST_P(TransportConformance, BytesNotConsumedAreOfferedAgain) {
    // An odd number of octets at a time, so every boundary is met; nothing lost, nothing twice.
    this->server.consume = [](ConnId, Octets octets) { return std::min<size_t>(octets.size(), 7); };
    this->link();
    const std::string out = this->pattern(500);
    ASSERT_EQ(this->world.client().send(this->near, as_octets(out)), out.size());
    EXPECT_TRUE(this->until([&] { return this->server[this->far].bytes.size() >= out.size(); }));
    EXPECT_EQ(this->server[this->far].bytes, out);
}

TYPED_TEST_P(TransportConformance, BytesAreOfferedBeforeThePeersEnd) {
    this->server.consume = [](ConnId, Octets octets) { return std::min<size_t>(octets.size(), 9); };
    this->link();
    const std::string out = this->pattern(300);
    ASSERT_EQ(this->world.client().send(this->near, as_octets(out)), out.size());
    this->world.client().close(this->near);
    EXPECT_TRUE(this->until([&] { return this->server.closed(this->far); }));
    EXPECT_EQ(this->server[this->far].bytes, out);
    EXPECT_EQ(this->server[this->far].reason, CloseReason::peer_closed);
}

TYPED_TEST_P(TransportConformance, PausedConnectionIsOfferedNothingUntilResumed) {
    this->link();
    this->world.server().pause(this->far);
    const std::string out = this->pattern(200);
    ASSERT_EQ(this->world.client().send(this->near, as_octets(out)), out.size());
    this->turns(20);
    EXPECT_EQ(this->server[this->far].offers, 0U);
    this->world.server().resume(this->far);
    EXPECT_TRUE(this->until([&] { return this->server[this->far].bytes.size() >= out.size(); }));
    EXPECT_EQ(this->server[this->far].bytes, out);
}

TYPED_TEST_P(TransportConformance, PauseInsideOnBytesKeepsTheRest) {
    bool first = true;
    this->server.consume = [&](ConnId conn, Octets octets) -> size_t {
        if (first) {
            first = false;
            this->world.server().pause(conn);
            return 1;
        }
        return octets.size();
    };
    this->link();
    const std::string out = this->pattern(200);
    ASSERT_EQ(this->world.client().send(this->near, as_octets(out)), out.size());
    ASSERT_TRUE(this->until([&] { return !first; }));
    this->turns(20);
    EXPECT_EQ(this->server[this->far].offers, 1U);
    this->world.server().resume(this->far);
    EXPECT_TRUE(this->until([&] { return this->server[this->far].bytes.size() >= out.size(); }));
    EXPECT_EQ(this->server[this->far].bytes, out);
}

TYPED_TEST_P(TransportConformance, FullSocketTakesLessAndTellsWhenWritable) {
    this->link();
    this->world.server().pause(this->far);
    typename TestFixture::Sender sender{this->world.client(), this->near,
                                        this->pattern(size_t{1} << 20)};
    this->client.when_writable = [&](ConnId) { sender.push(); };
    sender.push();
    this->turns(20);
    ASSERT_LT(sender.sent, sender.text.size()) << "the window never closed";
    ASSERT_GT(sender.short_sends, 0U);
    this->world.server().resume(this->far);
    EXPECT_TRUE(
        this->until([&] { return this->server[this->far].bytes.size() >= sender.text.size(); }));
    EXPECT_TRUE(this->server[this->far].bytes == sender.text);
    EXPECT_GT(this->client[this->near].writable, 0U);
}

TYPED_TEST_P(TransportConformance, CloseDeliversWhatWasTakenAndEndsBothSides) {
    this->link();
    const std::string out = this->pattern(2000);
    ASSERT_EQ(this->world.client().send(this->near, as_octets(out)), out.size());
    this->world.client().close(this->near);
    EXPECT_TRUE(this->until(
        [&] { return this->server.closed(this->far) && this->client.closed(this->near); }));
    EXPECT_EQ(this->server[this->far].bytes, out);
    EXPECT_EQ(this->server[this->far].reason, CloseReason::peer_closed);
    EXPECT_EQ(this->client[this->near].reason, CloseReason::local);
}

TYPED_TEST_P(TransportConformance, ClosingSideIsOfferedNothingMore) {
    this->link();
    this->world.client().close(this->near);
    (void)this->world.server().send(this->far, as_octets("too late"));
    EXPECT_TRUE(this->until([&] { return this->client.closed(this->near); }));
    EXPECT_EQ(this->client[this->near].offers, 0U);
}

TYPED_TEST_P(TransportConformance, CloseOfBothSidesAtOnceEndsBoth) {
    this->link();
    this->world.client().close(this->near);
    this->world.server().close(this->far);
    EXPECT_TRUE(this->until(
        [&] { return this->server.closed(this->far) && this->client.closed(this->near); }));
    EXPECT_EQ(this->client[this->near].reason, CloseReason::local);
}

TYPED_TEST_P(TransportConformance, CloseIsNotHeldUpByASilentPeer) {
    // The peer neither reads nor closes: the bound of close() ends it.
    this->link();
    this->world.server().pause(this->far);
    this->world.client().close(this->near);
    EXPECT_TRUE(this->until([&] { return this->client.closed(this->near); }));
    EXPECT_EQ(this->client[this->near].reason, CloseReason::local);
}

TYPED_TEST_P(TransportConformance, AbortResetsThePeer) {
    this->link();
    this->world.client().abort(this->near);
    EXPECT_TRUE(this->until(
        [&] { return this->server.closed(this->far) && this->client.closed(this->near); }));
    EXPECT_EQ(this->server[this->far].reason, CloseReason::peer_reset);
    EXPECT_EQ(this->client[this->near].reason, CloseReason::local);
}

TYPED_TEST_P(TransportConformance, AbortReachesAPausedPeer) {
    this->link();
    this->world.server().pause(this->far);
    this->world.client().abort(this->near);
    EXPECT_TRUE(this->until([&] { return this->server.closed(this->far); }));
    EXPECT_EQ(this->server[this->far].reason, CloseReason::peer_reset);
}

TYPED_TEST_P(TransportConformance, AbortInsideOnBytesEndsTheConnectionOnce) {
    this->server.consume = [&](ConnId conn, Octets octets) {
        this->world.server().abort(conn);
        return octets.size();
    };
    this->link();
    ASSERT_GT(this->world.client().send(this->near, as_octets("x")), 0U);
    EXPECT_TRUE(this->until(
        [&] { return this->server.closed(this->far) && this->client.closed(this->near); }));
    this->turns(20);
    EXPECT_EQ(this->server.closed_count, 1U);
    EXPECT_EQ(this->server[this->far].reason, CloseReason::local);
    EXPECT_EQ(this->client[this->near].reason, CloseReason::peer_reset);
}

TYPED_TEST_P(TransportConformance, AbortInsideOnAcceptedIsReported) {
    this->server.when_up = [&](ConnId conn) { this->world.server().abort(conn); };
    auto conn = this->world.client().connect(this->world.listening());
    ASSERT_TRUE(conn.has_value());
    EXPECT_TRUE(
        this->until([&] { return this->server.closed_count == 1 && this->client.closed(*conn); }));
}

TYPED_TEST_P(TransportConformance, RefusedConnectIsReportedOnce) {
    auto conn = this->world.client().connect(this->world.nobody());
    ASSERT_TRUE(conn.has_value());
    EXPECT_TRUE(this->until([&] { return this->client.closed(*conn); }));
    this->turns(20);
    EXPECT_EQ(this->client.closed_count, 1U);
    EXPECT_EQ(this->client[*conn].reason, CloseReason::connect_refused);
    EXPECT_TRUE(this->client.connected.empty());
}

TYPED_TEST_P(TransportConformance, AbortOfAConnectingConnectionIsReported) {
    auto conn = this->world.client().connect(this->world.listening());
    ASSERT_TRUE(conn.has_value());
    this->world.client().abort(*conn);
    EXPECT_TRUE(this->until([&] { return this->client.closed(*conn); }));
    this->turns(20);
    EXPECT_TRUE(this->client.connected.empty());
    EXPECT_EQ(this->client[*conn].reason, CloseReason::local);
}

TYPED_TEST_P(TransportConformance, ConnectionsAreReusableButOldIdsAreIgnored) {
    this->link();
    const ConnId old = this->near;
    this->world.client().abort(old);
    ASSERT_TRUE(this->until([&] { return this->client.closed(old); }));
    this->link();
    ASSERT_EQ(this->near.slot, old.slot) << "the test wants the slot to be taken again";
    ASSERT_NE(this->near.generation, old.generation);
    expect_ignored(this->world.client(), old);
    const std::string out = this->pattern(100);
    ASSERT_EQ(this->world.client().send(this->near, as_octets(out)), out.size());
    EXPECT_TRUE(this->until([&] { return this->server[this->far].bytes.size() >= out.size(); }));
    EXPECT_EQ(this->server[this->far].bytes, out);
    EXPECT_FALSE(this->client.closed(this->near));
}

TYPED_TEST_P(TransportConformance, SlotsRunOutAndComeBack) {
    std::vector<ConnId> conns;
    for (uint32_t i = 0; i < this->world.client().connections_max(); ++i) {
        auto conn = this->world.client().connect(this->world.nobody());
        ASSERT_TRUE(conn.has_value());
        ASSERT_LT(conn->slot, this->world.client().connections_max());
        conns.push_back(*conn);
    }
    auto more = this->world.client().connect(this->world.nobody());
    ASSERT_FALSE(more.has_value());
    EXPECT_NE(more.error().text.find("connections_max"), std::string::npos) << more.error().text;
    for (const ConnId conn : conns) {
        this->world.client().abort(conn);
    }
    ASSERT_TRUE(this->until([&] { return this->client.closed_count == conns.size(); }));
    this->link();
}

TYPED_TEST_P(TransportConformance, ClosedListenersRefuse) {
    this->link();
    this->world.server().close_listeners();
    auto conn = this->world.client().connect(this->world.listening());
    ASSERT_TRUE(conn.has_value());
    EXPECT_TRUE(this->until([&] { return this->client.closed(*conn); }));
    EXPECT_EQ(this->client[*conn].reason, CloseReason::connect_refused);
    // Connections that exist go on.
    ASSERT_EQ(this->world.client().send(this->near, as_octets("still")), 5U);
    EXPECT_TRUE(this->until([&] { return this->server[this->far].bytes == "still"; }));
}

REGISTER_TYPED_TEST_SUITE_P(TransportConformance,
                            BytesArriveInOrderBothWays,
                            BytesNotConsumedAreOfferedAgain,
                            BytesAreOfferedBeforeThePeersEnd,
                            PausedConnectionIsOfferedNothingUntilResumed,
                            PauseInsideOnBytesKeepsTheRest,
                            FullSocketTakesLessAndTellsWhenWritable,
                            CloseDeliversWhatWasTakenAndEndsBothSides,
                            ClosingSideIsOfferedNothingMore,
                            CloseOfBothSidesAtOnceEndsBoth,
                            CloseIsNotHeldUpByASilentPeer,
                            AbortResetsThePeer,
                            AbortReachesAPausedPeer,
                            AbortInsideOnBytesEndsTheConnectionOnce,
                            AbortInsideOnAcceptedIsReported,
                            RefusedConnectIsReportedOnce,
                            AbortOfAConnectingConnectionIsReported,
                            ConnectionsAreReusableButOldIdsAreIgnored,
                            SlotsRunOutAndComeBack,
                            ClosedListenersRefuse);

}  // namespace sy::test
