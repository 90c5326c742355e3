// A worker's queue: frames pass unchanged both ways, none is lost or kept, nothing allocates.
#include "tests/support/allocation_counter.h"
#include "tests/unit/dpdk/ring_device.h"

namespace sy::dpdk {
namespace {

using test::Octets8;

const tcpip::FlowKey some_flow = test::flow("192.0.2.7", 40'000, "192.0.2.1", 2775);

std::vector<Octets8> some_frames(uint32_t count) {
    std::vector<Octets8> out;
    for (uint32_t i = 0; i < count; ++i) {
        out.push_back(test::tcp_frame(some_flow, i * 7 % 1400));
    }
    return out;
}

class OneWorker : public testing::Test {
  protected:
    test::RingDevice device_{"one", 1};
    test::Wire wire_{"wire_one"};
    std::unique_ptr<Port> port_ = test::open_port(device_.settings(), 1);
    uint32_t baseline_ = test::frames_in_use();
};

TEST_F(OneWorker, ReceivesWhatIsOnTheWireInOrder) {
    const std::vector<Octets8> sent = some_frames(200);
    for (const Octets8& octets : sent) {
        wire_.put(device_.rx(0), octets);
    }
    std::vector<Octets8> got;
    for (uint32_t turn = 0; turn < 10; ++turn) {
        for (Octets8& octets : test::receive(port_->queue(0))) {
            got.push_back(std::move(octets));
        }
    }
    EXPECT_EQ(got, sent);
    EXPECT_EQ(port_->queue(0).counters().rx_frames.get(), 200u);
    EXPECT_EQ(wire_.in_use(), 0u);
}

TEST_F(OneWorker, ReceivesNoMoreThanThereIsRoomFor) {
    for (const Octets8& octets : some_frames(10)) {
        wire_.put(device_.rx(0), octets);
    }
    EXPECT_EQ(test::receive(port_->queue(0), 3).size(), 3u);
    EXPECT_EQ(test::receive(port_->queue(0), 64).size(), 7u);
    EXPECT_TRUE(test::receive(port_->queue(0)).empty());
}

TEST_F(OneWorker, SendsWhatTheStackWroteInOrder) {
    const std::vector<Octets8> sent = some_frames(200);
    EXPECT_EQ(test::send(port_->queue(0), sent), 200u);
    EXPECT_EQ(test::Wire::take(device_.tx(0)), sent);
    EXPECT_EQ(port_->queue(0).counters().tx_frames.get(), 200u);
    EXPECT_EQ(test::frames_in_use(), baseline_);
}

TEST_F(OneWorker, LeavesToTheStackWhatTheDeviceDoesNotTake) {
    const std::vector<Octets8> sent = some_frames(400);
    uint32_t taken = 0;
    for (uint32_t i = 0; i < 4; ++i) {
        taken += test::send(port_->queue(0), sent);
    }
    EXPECT_EQ(taken, test::RingDevice::ring_frames - 1);
    EXPECT_EQ(port_->queue(0).counters().tx_full.get(), 1600u - taken);
    EXPECT_EQ(test::Wire::take(device_.tx(0)).size(), taken);
    EXPECT_EQ(test::frames_in_use(), baseline_);
}

TEST_F(OneWorker, AllocatesLessThanAskedForAtTheEndOfThePool) {
    std::vector<tcpip::TxFrame> frames(20'000);
    const uint32_t count = port_->queue(0).allocate(frames);
    EXPECT_GE(count, unsent_frames_max);
    EXPECT_LT(count, frames.size());
    EXPECT_EQ(port_->queue(0).allocate(std::span(frames).subspan(count)), 0u);
    EXPECT_GT(port_->queue(0).counters().tx_no_memory.get(), 0u);
    port_->queue(0).discard(std::span(frames).first(count));
    EXPECT_EQ(test::frames_in_use(), baseline_);
}

TEST_F(OneWorker, FramesInPiecesAreJoinedWhenTheyFit) {
    const Octets8 head = test::tcp_frame(some_flow, 100);
    const Octets8 tail(200, 0x77);
    rte_mbuf* mbuf = wire_.frame(head);
    ASSERT_EQ(rte_pktmbuf_chain(mbuf, wire_.frame(tail)), 0);
    wire_.put(device_.rx(0), mbuf);
    rte_mbuf* too_long = wire_.frame(Octets8(2000, 1));
    ASSERT_EQ(rte_pktmbuf_chain(too_long, wire_.frame(Octets8(2000, 2))), 0);
    wire_.put(device_.rx(0), too_long);
    wire_.put(device_.rx(0), head);

    Octets8 joined = head;
    test::put(joined, tail);
    EXPECT_EQ(test::receive(port_->queue(0)), (std::vector<Octets8>{joined, head}));
    EXPECT_EQ(port_->queue(0).counters().rx_linearised.get(), 1u);
    EXPECT_EQ(port_->queue(0).counters().rx_too_long.get(), 1u);
    EXPECT_EQ(wire_.in_use(), 0u);
}

TEST_F(OneWorker, ChecksumVerdictsOfTheDeviceArePassedOn) {
    struct Case {
        uint64_t flags;
        tcpip::ChecksumState ip;
        tcpip::ChecksumState l4;
    };
    using tcpip::ChecksumState;
    const Case cases[] = {
        {0, ChecksumState::unknown, ChecksumState::unknown},
        {RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD, ChecksumState::good,
         ChecksumState::good},
        {RTE_MBUF_F_RX_IP_CKSUM_BAD, ChecksumState::bad, ChecksumState::unknown},
        {RTE_MBUF_F_RX_L4_CKSUM_BAD, ChecksumState::unknown, ChecksumState::bad},
        {RTE_MBUF_F_RX_L4_CKSUM_NONE, ChecksumState::unknown, ChecksumState::good},
    };
    for (const Case& one : cases) {
        rte_mbuf* mbuf = wire_.frame(test::tcp_frame(some_flow));
        mbuf->ol_flags = one.flags;
        wire_.put(device_.rx(0), mbuf);
        std::array<tcpip::RxFrame, 1> frame;
        ASSERT_EQ(port_->queue(0).receive(frame), 1u);
        EXPECT_EQ(frame[0].ip_checksum, one.ip);
        EXPECT_EQ(frame[0].l4_checksum, one.l4);
        port_->queue(0).release(frame);
    }
}

TEST_F(OneWorker, WhatTheStackAsksForStandsInTheFrame) {
    std::array<tcpip::TxFrame, 1> frames;
    ASSERT_EQ(port_->queue(0).allocate(frames), 1u);
    frames[0].bytes = 100;
    frames[0].tcp_checksum = true;
    frames[0].ip_checksum = true;
    frames[0].l2_bytes = 18;
    frames[0].l3_bytes = 20;
    frames[0].l4_bytes = 32;
    frames[0].segment_bytes = 1448;
    ASSERT_EQ(port_->queue(0).transmit(frames), 1u);
    void* object = nullptr;
    ASSERT_EQ(rte_ring_dequeue(device_.tx(0), &object), 0);
    auto* mbuf = static_cast<rte_mbuf*>(object);
    EXPECT_EQ(mbuf->nb_segs, 1);
    EXPECT_EQ(mbuf->pkt_len, 100u);
    EXPECT_EQ(mbuf->ol_flags, RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM |
                                  RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_TCP_SEG);
    EXPECT_EQ(mbuf->l2_len, 18);
    EXPECT_EQ(mbuf->l3_len, 20);
    EXPECT_EQ(mbuf->l4_len, 32);
    EXPECT_EQ(mbuf->tso_segsz, 1448);
    rte_pktmbuf_free(mbuf);
}

TEST_F(OneWorker, InfoSaysWhatTheDeviceHas) {
    const tcpip::PortInfo& info = port_->queue(0).info();
    EXPECT_EQ(info.mtu, 1500u);
    EXPECT_TRUE(info.link_up);
    EXPECT_FALSE(info.tx_ip_checksum);
    EXPECT_FALSE(info.tx_tcp_checksum);
    EXPECT_EQ(info.tso_bytes_max, 0u);
    EXPECT_EQ(port_->summary().driver, "net_ring");
    EXPECT_TRUE(port_->queue(0).owns(some_flow));
}

TEST_F(OneWorker, WithoutLinkFramesAreDiscardedAndCounted) {
    port_->note_link(false);
    EXPECT_EQ(test::send(port_->queue(0), some_frames(100)), 100u);
    EXPECT_EQ(port_->queue(0).counters().tx_link_down.get(), 100u);
    EXPECT_TRUE(test::Wire::take(device_.tx(0)).empty());
    EXPECT_EQ(test::frames_in_use(), baseline_);
    EXPECT_TRUE(test::receive(port_->queue(0)).empty());
    EXPECT_FALSE(port_->queue(0).info().link_up);
    EXPECT_TRUE(port_->poll());  // the device says that it has a link
    EXPECT_TRUE(test::receive(port_->queue(0)).empty());
    EXPECT_TRUE(port_->queue(0).info().link_up);
}

TEST_F(OneWorker, ARemovedDeviceIsNeitherPolledNorFedAndDoesNotComeBack) {
    wire_.put(device_.rx(0), test::tcp_frame(some_flow));
    port_->note_removed();
    EXPECT_TRUE(test::receive(port_->queue(0)).empty());
    EXPECT_EQ(test::send(port_->queue(0), some_frames(5)), 5u);
    EXPECT_FALSE(port_->queue(0).info().link_up);
    EXPECT_FALSE(port_->poll());
    EXPECT_FALSE(port_->link_up());
    EXPECT_TRUE(port_->statistics().empty());
    EXPECT_TRUE(test::Wire::take(device_.tx(0)).empty());
    EXPECT_EQ(test::Wire::take(device_.rx(0)).size(), 1u);
}

TEST_F(OneWorker, StatisticsNameWhatTheDeviceCounts) {
    wire_.put(device_.rx(0), test::tcp_frame(some_flow));
    EXPECT_EQ(test::receive(port_->queue(0)).size(), 1u);
    uint64_t packets = 0;
    for (const PortStatistic& one : port_->statistics()) {
        packets += one.name == "ipackets" ? one.value : 0;
    }
    EXPECT_EQ(packets, 1u);
    bool found = false;
    for (const QueueSample& one : port_->samples()) {
        found = found || (one.name == "dpdk_rx_frames" && one.worker == 0 && one.value == 1);
    }
    EXPECT_TRUE(found);
}

TEST_F(OneWorker, WaitEndsByItselfAndAWakeEndsTheNextOne) {
    port_->queue(0).wait(0);
    port_->queue(0).wake();
    port_->queue(0).wake();
    port_->queue(0).wait(~Nanos{0});
    port_->queue(0).wait(~Nanos{0});
}

TEST(Guard, SeesAnAllocation) {
    sy::test::AllocationCounter::start();
    auto probe = std::make_unique<int>(1);
    EXPECT_EQ(sy::test::AllocationCounter::stop(), 1u);
    EXPECT_EQ(*probe, 1);
}

// Two ports back to back: what one sends the other gets, a million octets later nothing is held and
// nothing was allocated.
TEST(TwoPorts, EchoWithoutAllocationAndWithoutLeak) {
    const test::RingDevice left("left", 1);
    const test::RingDevice right("right", left);
    const auto a = test::open_port(left.settings(), 1);
    const auto b = test::open_port(right.settings(), 1);
    const uint32_t baseline = test::frames_in_use();
    std::array<tcpip::TxFrame, 32> tx;
    std::array<tcpip::RxFrame, 32> rx;
    uint64_t wrong = 0;
    uint64_t echoed = 0;
    sy::test::AllocationCounter::start();
    for (uint32_t round = 0; round < 1000; ++round) {
        const uint32_t got = a->queue(0).allocate(tx);
        for (uint32_t i = 0; i < got; ++i) {
            std::memset(tx[i].data, static_cast<int>(round + i) & 0xff, 60 + i);
            tx[i].bytes = 60 + i;
        }
        wrong += got - a->queue(0).transmit(std::span(tx).first(got));
        const uint32_t there = b->queue(0).receive(rx);
        const uint32_t back = b->queue(0).allocate(std::span(tx).first(there));
        for (uint32_t i = 0; i < back; ++i) {
            std::memcpy(tx[i].data, rx[i].data, rx[i].bytes);
            tx[i].bytes = rx[i].bytes;
        }
        b->queue(0).release(std::span(rx).first(there));
        wrong += back - b->queue(0).transmit(std::span(tx).first(back));
        const uint32_t home = a->queue(0).receive(rx);
        for (uint32_t i = 0; i < home; ++i) {
            const auto mark = static_cast<uint8_t>(round + i);
            wrong += rx[i].bytes == 60 + i && rx[i].data[0] == mark && rx[i].data[59 + i] == mark
                         ? 0u
                         : 1u;
        }
        echoed += home;
        a->queue(0).release(std::span(rx).first(home));
    }
    EXPECT_EQ(sy::test::AllocationCounter::stop(), 0u);
    EXPECT_EQ(wrong, 0u);
    EXPECT_EQ(echoed, 32'000u);
    EXPECT_EQ(test::frames_in_use(), baseline);
}

}  // namespace
}  // namespace sy::dpdk
