// One userspace stack at 10.0.0.1 (and fd00::1) with a listener on port 2775, and a peer whose
// segments a test writes one by one.
#pragma once

#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "io/tcpip/transport.h"
#include "tests/support/fake_port.h"
#include "tests/support/frames.h"
#include "tests/support/recording_handler.h"
#include "tests/support/stack_flow.h"

namespace sy::tcpip {

class StackTest : public ::testing::Test {
  protected:
    static constexpr uint8_t fin = 0x01;
    static constexpr uint8_t syn = 0x02;
    static constexpr uint8_t rst = 0x04;
    static constexpr uint8_t ack = 0x10;
    static constexpr uint32_t isn = 0xFFFFFF00;  // wraps after a few segments

    struct Sent {
        frames::Bytes frame;
        SeenSegment segment;
    };

    StackTest() {
        options.interface.addresses = {{frames::ip_address("10.0.0.1"), 24}};
        options.interface.duplicate_address_detection = false;
        options.connections_max = 8;
        options.half_open_max = 8;
        options.time_wait_max = 8;
        options.chunks = 640;
        options.recoveries_max = 8;
    }
    ~StackTest() override {
        transport.reset();
        EXPECT_EQ(port.allocated_out(), 0u);
        EXPECT_EQ(port.received_out(), 0u);
    }

    /// The stack with what `options` are now.
    void start() {
        transport = std::make_unique<TcpTransport>(port, options);
        ASSERT_TRUE(transport->listen(*parse_endpoint("0.0.0.0:2775")).has_value());
        turn();
        resolve();
        turn();
        sent.clear();
    }
    /// Tells the stack where the peer is.
    void resolve() {
        port.inject(frames::ethernet(
            port.info().mac, peer_mac, 0x0806,
            frames::arp({.operation = 1, .sender_mac = peer_mac, .sender = peer, .target = own})));
    }
    void turn() {
        (void)transport->poll(now_ns, handler);
        transport->check_invariants();
        EXPECT_EQ(port.received_out(), 0u);
        for (frames::Bytes& frame : port.take_sent()) {
            Sent& one = sent.emplace_back();
            one.frame = std::move(frame);
            if (!see_segment(one.frame, one.segment)) {
                others.push_back(one.frame);
                sent.pop_back();
            }
        }
    }
    void pass(Nanos ns) {
        now_ns += ns;
        turn();
    }
    void inject(const frames::Tcp& tcp) {
        port.inject(frames::ethernet(
            port.info().mac, peer_mac, 0x0800,
            frames::ip({.source = peer, .destination = own}, frames::tcp(tcp, peer, own))));
    }
    /// The next segment of the peer: octets in order, acknowledging `acked`.
    void inject_octets(uint32_t octets, uint8_t flags = ack) {
        inject({.seq = seq,
                .ack = acked,
                .flags = flags,
                .window = window,
                .payload = stream(seq, octets)});
        seq += octets + ((flags & fin) != 0 ? 1 : 0);
    }
    static frames::Bytes stream(uint32_t from, uint32_t octets) {
        frames::Bytes out;
        for (uint32_t i = 0; i < octets; ++i) {
            out.push_back(stream_octet(from + i, 0));
        }
        return out;
    }
    /// A handshake that the peer begins, with these options in its SYN.
    void establish(const frames::Bytes& syn_options = {}) {
        inject({.seq = isn, .flags = syn, .options = syn_options});
        turn();
        ASSERT_FALSE(sent.empty());
        first = sent.back().segment.seq;
        seq = isn + 1;
        acked = first + 1;
        inject({.seq = seq, .ack = acked, .window = window});
        turn();
        ASSERT_EQ(handler.accepted.size(), 1u);
        conn = handler.accepted.back();
        sent.clear();
    }
    [[nodiscard]] const Connection& connection() const {
        return transport->stack().connection(conn.slot);
    }

    const Mac peer_mac{0x02, 0, 0, 0, 0, 0x02};
    const IpAddress peer = frames::ip_address("10.0.0.2");
    const IpAddress own = frames::ip_address("10.0.0.1");
    StackOptions options;
    FakePort port;
    test::RecordingHandler handler;
    std::unique_ptr<TcpTransport> transport;
    Nanos now_ns = second_ns;
    std::vector<Sent> sent;             // TCP, since it was cleared
    std::vector<frames::Bytes> others;  // everything else
    ConnId conn;
    uint32_t first = 0;  // the stack's initial sequence number
    uint32_t seq = 0;    // of the peer's next octet
    uint32_t acked = 0;  // what the peer acknowledges
    uint16_t window = 65535;
};

}  // namespace sy::tcpip
