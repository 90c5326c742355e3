// What fuzzing found in the userspace stack, segment by segment.
#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <vector>

#include "tests/unit/tcpip/stack_fixture.h"

namespace sy::tcpip {
namespace {

// The frame in hand was the one in which the solicitation left: what left for the segment was a
// frame that nobody had written.
TEST_F(StackTest, ASegmentAndTheSolicitationThatItCausesHaveFramesOfTheirOwn) {
    start();
    establish();
    // The MAC grows old; the first frame after that probes it.
    for (int i = 0; i < 4; ++i) {
        others.clear();
        sent.clear();
        pass(50 * second_ns);
        inject_octets(100);
        inject_octets(100);
        turn();
        turn();
        ASSERT_FALSE(sent.empty());
        EXPECT_EQ(sent.back().segment.ack, seq);
        resolve();
        turn();
    }
    EXPECT_GT(transport->stack().ip().counters().arp_requests_out.value(), 1u);
    // Never resolved at all: connect() to somebody new.
    others.clear();
    ASSERT_TRUE(transport->connect(*parse_endpoint("10.0.0.9:1")).has_value());
    turn();
    ASSERT_EQ(others.size(), 1u);
    EXPECT_EQ(frames::get(others[0], 12, 2), 0x0806u);
}

// Behind an acknowledged FIN the end of the queue is the next sequence number again, and a second
// FIN left with the next acknowledgement.
TEST_F(StackTest, AnAcknowledgedFinIsNotSentAgain) {
    start();
    establish();
    transport->close(conn);
    turn();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_TRUE(sent[0].segment.has(fin));
    acked += 1;
    sent.clear();
    inject_octets(10);
    inject_octets(10);
    turn();
    turn();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_FALSE(sent[0].segment.has(fin));
    EXPECT_EQ(sent[0].segment.seq, acked);
    EXPECT_EQ(connection().state, TcpState::fin_wait_2);
}

// The reset freed what the user had left; the octets behind it, of the same burst, came all the
// same: a gap.
TEST_F(StackTest, AResetBehindOctetsThatWaitLeavesNoGap) {
    start();
    establish();
    handler.consume = [](ConnId, Octets) { return size_t{0}; };
    inject_octets(10);
    turn();
    handler.consume = [](ConnId, Octets octets) { return octets.size(); };
    inject_octets(10);
    inject({.seq = seq, .flags = rst});
    turn();
    EXPECT_TRUE(handler.closed(conn));
    const frames::Bytes whole = stream(isn + 1, 20);
    const std::string& bytes = handler[conn].bytes;
    EXPECT_EQ(bytes, std::string(as_chars(whole)).substr(0, bytes.size()));
}

TEST_F(StackTest, AResetBehindOctetsTakenInPartLeavesNoGap) {
    start();
    establish();
    size_t offers = 0;
    handler.consume = [&](ConnId, Octets octets) { return offers++ == 0 ? 3 : octets.size(); };
    inject_octets(10);
    inject_octets(10);
    inject({.seq = seq, .flags = rst});
    turn();
    EXPECT_TRUE(handler.closed(conn));
    EXPECT_EQ(handler[conn].bytes, std::string(as_chars(stream(isn + 1, 3))));
}

// Header prediction took the window update before the octets acknowledged with it left the flight,
// and remembered a window that the peer never offered.
TEST_F(StackTest, TheLargestWindowIsTheSameWithAndWithoutPrediction) {
    for (const bool fast_path : {true, false}) {
        options.fast_path = fast_path;
        handler = {};
        start();
        establish();
        const frames::Bytes octets(1000, 'x');
        ASSERT_EQ(transport->send(conn, octets), octets.size());
        turn();
        acked += 1000;
        inject_octets(10);
        turn();
        EXPECT_EQ(transport->stack().counters().fast_path.value(), fast_path ? 1u : 0u);
        EXPECT_EQ(connection().snd_wnd_max, 65535u);
        EXPECT_EQ(connection().snd_wnd, 65535u);
    }
}

// The persist timer stayed while data was in flight: what was lost then came again octet by octet.
TEST_F(StackTest, DataSentIntoAWindowThatOpensAgainHasTheRetransmissionTimer) {
    start();
    window = 0;
    establish();
    const frames::Bytes octets(1000, 'x');
    ASSERT_EQ(transport->send(conn, octets), octets.size());
    turn();
    while (transport->stack().counters().window_probes.value() < 6) {
        pass(std::max(transport->next_event_ns(), now_ns) - now_ns);
        inject_octets(0);
        turn();
    }
    EXPECT_EQ(connection().timer, RetransmitTimer::persist);
    EXPECT_GE(connection().backoffs, 5);
    now_ns += 50 * second_ns;
    window = 65535;
    inject_octets(0);
    turn();
    sent.clear();
    turn();
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_EQ(sent[0].segment.payload.size(), 536u);
    EXPECT_EQ(connection().timer, RetransmitTimer::retransmit);
    EXPECT_EQ(connection().backoffs, 0);
    // Lost: all of it again, soon, and no end of the connection.
    sent.clear();
    pass(3 * second_ns);
    turn();
    ASSERT_FALSE(sent.empty());
    EXPECT_EQ(sent[0].segment.payload.size(), 536u);
    EXPECT_FALSE(handler.closed(conn));
}

// Segments that the port cuts had the size that fits without SACK blocks, and the blocks on top.
TEST_F(StackTest, SegmentsThatThePortCutsLeaveRoomForSackBlocks) {
    port.settings().tx_ip_checksum = true;
    port.settings().tx_tcp_checksum = true;
    port.settings().tso_bytes_max = 16'000;
    start();
    establish({2, 4, 5, 0xb4, 4, 2, 1, 1});
    const frames::Bytes octets(5000, 'x');
    inject({.seq = seq + 100, .ack = acked, .payload = stream(seq + 100, 10)});
    turn();
    sent.clear();
    ASSERT_EQ(transport->send(conn, octets), octets.size());
    turn();
    ASSERT_GE(sent.size(), 4u);
    for (const Sent& one : sent) {
        EXPECT_FALSE(one.segment.sack.empty());
        EXPECT_LE(one.frame.size(), 1514u);
    }
}

// A user who had read everything and gone saw his connection reset because the peer's FIN came with
// octets that he had.
TEST_F(StackTest, AFinBehindKnownOctetsEndsAnOrphanInOrder) {
    start();
    establish();
    inject_octets(10);
    turn();
    transport->close(conn);
    turn();
    acked += 1;
    inject_octets(0);
    turn();
    pass(2 * second_ns);
    turn();
    ASSERT_TRUE(handler.closed(conn));
    sent.clear();
    inject({.seq = seq - 10, .ack = acked, .flags = ack | fin, .payload = stream(seq - 10, 10)});
    turn();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_FALSE(sent[0].segment.has(rst));
    EXPECT_EQ(sent[0].segment.ack, seq + 1);
    EXPECT_EQ(transport->stack().time_wait_used(), 1u);
}

// One user's octets took the memory that a burst of frames had been promised.
TEST_F(StackTest, SendLeavesMemoryForWhatABurstBrings) {
    options.send_buffer_bytes = 4U << 20;
    start();
    establish();
    const frames::Bytes many(4U << 20, 'x');
    EXPECT_LT(transport->send(conn, many), many.size());
    const uint32_t left = options.chunks - transport->stack().chunks_used();
    EXPECT_GE(left, 2 * Stack::burst_max);
    handler.consume = [](ConnId, Octets) { return size_t{0}; };
    for (uint32_t i = 0; i < Stack::burst_max; ++i) {
        inject_octets(900);
    }
    turn();
}

// The clock of a machine that has been up for hours, not 0: the time-out counted from 0 and had
// passed at the first turn.
TEST_F(StackTest, ConnectBeforeTheFirstTurnHasItsWholeTime) {
    options.connect_timeout_ns = second_ns;
    transport = std::make_unique<TcpTransport>(port, options);
    ASSERT_TRUE(transport->connect(*parse_endpoint("10.0.0.9:1")).has_value());
    turn();
    EXPECT_EQ(handler.closed_count, 0U);
    pass(2 * second_ns);
    turn();
    EXPECT_EQ(handler.closed_count, 1U);
}

// Ten thousand connects in one turn found the port full, and all but the first waited a second for
// the timer that repeats a lost SYN.
TEST_F(StackTest, AConnectThatFoundNoFrameGoesWhenThereIsOneAndOnce) {
    port.set_buffers_max(2);
    start();
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(transport->connect(*parse_endpoint("10.0.0.2:2775")).has_value());
    }
    for (int i = 0; i < 8; ++i) {
        turn();
    }
    ASSERT_EQ(sent.size(), 5U);
    std::set<uint16_t> ports;
    for (const Sent& one : sent) {
        EXPECT_EQ(one.segment.flags, syn);
        ports.insert(one.segment.key.local_port);
    }
    EXPECT_EQ(ports.size(), 5U);
    // Each is repeated by its timer, once.
    port.set_buffers_max(64);
    sent.clear();
    pass(second_ns + 10 * millisecond_ns);
    EXPECT_EQ(sent.size(), 5U);
}

// Two SYNs wait at a full port, and their timers find no frame to repeat them; the third has none
// at all. What is owed goes as soon as there are frames, once, and the time of the third runs from
// then.
TEST_F(StackTest, ARepeatedSynThatFoundNoFrameDoesNotWaitForTheNextTime) {
    port.set_buffers_max(2);
    start();
    port.set_transmit_room(0);
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(transport->connect(*parse_endpoint("10.0.0.2:2775")).has_value());
    }
    turn();
    pass(second_ns + 10 * millisecond_ns);
    ASSERT_TRUE(sent.empty());
    port.set_transmit_room(64);
    for (int i = 0; i < 8; ++i) {
        turn();
    }
    std::map<uint16_t, int> syns;
    for (const Sent& one : sent) {
        ++syns[one.segment.key.local_port];
    }
    ASSERT_EQ(syns.size(), 3U);
    const auto third = std::ranges::find(syns, 1, &std::pair<const uint16_t, int>::second);
    ASSERT_NE(third, syns.end());
    EXPECT_EQ(sent.size(), 5U);
    sent.clear();
    port.set_buffers_max(64);
    pass(second_ns);
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].segment.key.local_port, third->first);
    sent.clear();
    pass(second_ns);
    EXPECT_EQ(sent.size(), 2U);
}

// 100,000 connections with nothing under way: what each has for itself, and its share of the
// tables. Octets on the way are in chunks, whose number does not depend on the connections.
TEST(StackMemory, IdleConnectionTakesAtMostOneKibibyte) {
    StackOptions options;
    options.connections_max = 100'000;
    options.time_wait_max = 100'000;
    const uint32_t indices =
        options.connections_max + options.half_open_max + options.time_wait_max;
    const FlowTable flows(indices);
    const TimerWheel wheel(indices, 0);
    const size_t queues = 4 * sizeof(uint32_t) + sizeof(CloseReason);  // free, dirty, ready, dead
    const size_t tables = flows.memory_bytes() + wheel.memory_bytes() +
                          options.half_open_max * sizeof(HalfOpen) +
                          options.time_wait_max * sizeof(TimeWait);
    const size_t each = sizeof(Connection) + queues + tables / options.connections_max;
    RecordProperty("octets", static_cast<int>(each));
    std::printf("%zu octets a connection: %zu itself, %zu of tables\n", each, sizeof(Connection),
                tables / options.connections_max);
    EXPECT_LE(each, 1024U);
}

}  // namespace
}  // namespace sy::tcpip
