#include "io/sim/fault_port.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/fake_port.h"

namespace sy::sim {
namespace {

using tcpip::FakePort;
using tcpip::RxFrame;
using tcpip::TxFrame;
using Bytes = std::vector<uint8_t>;

// An Ethernet frame of an EtherType that no port interprets, with a number in it.
Bytes numbered(uint32_t number) {
    Bytes frame(64, 0);
    frame[12] = 0x88;
    frame[13] = 0xb5;
    frame[20] = static_cast<uint8_t>(number >> 8);
    frame[21] = static_cast<uint8_t>(number);
    return frame;
}

uint32_t number_of(const uint8_t* frame) {
    return static_cast<uint32_t>(frame[20] << 8 | frame[21]);
}

struct Rig {
    FakePort port;
    FaultPort faulty;

    explicit Rig(const PortFaults& faults, uint64_t seed = 1) : faulty(port, faults, seed) {}

    /// Numbers in the order of arrival at the stack.
    std::vector<uint32_t> receive() {
        std::vector<uint32_t> out;
        std::array<RxFrame, 64> frames;
        while (const uint32_t count = faulty.receive(frames)) {
            for (uint32_t i = 0; i < count; ++i) {
                out.push_back(number_of(frames[i].data));
            }
            faulty.release({frames.data(), count});
        }
        return out;
    }
    void send(uint32_t number) {
        TxFrame frame;
        ASSERT_EQ(faulty.allocate({&frame, 1}), 1u);
        const Bytes octets = numbered(number);
        std::copy(octets.begin(), octets.end(), frame.data);
        frame.bytes = static_cast<uint32_t>(octets.size());
        ASSERT_EQ(faulty.transmit({&frame, 1}), 1u);
    }
    std::vector<uint32_t> sent() {
        std::vector<uint32_t> out;
        for (const Bytes& frame : port.take_sent()) {
            out.push_back(number_of(frame.data()));
        }
        return out;
    }
    void expect_nothing_held() {
        EXPECT_EQ(faulty.slots_used(), 0u);
        EXPECT_EQ(port.received_out(), 0u);
        EXPECT_EQ(port.allocated_out(), 0u);
    }
};

TEST(FaultPort, WithoutFaultsPassesEverythingInOrder) {
    Rig rig({});
    for (uint32_t i = 0; i < 100; ++i) {
        rig.port.inject(numbered(i));
        rig.send(i);
    }
    std::vector<uint32_t> all(100);
    for (uint32_t i = 0; i < 100; ++i) {
        all[i] = i;
    }
    EXPECT_EQ(rig.receive(), all);
    EXPECT_EQ(rig.sent(), all);
    rig.expect_nothing_held();
}

TEST(FaultPort, LosesTheShareThatIsAskedForAndKeepsNoBuffer) {
    Rig rig({.loss = 200});
    for (uint32_t i = 0; i < 10'000; ++i) {
        rig.port.inject(numbered(i));
        rig.send(i);
    }
    EXPECT_NEAR(static_cast<double>(rig.receive().size()), 8000, 200);
    EXPECT_NEAR(static_cast<double>(rig.sent().size()), 8000, 200);
    EXPECT_EQ(rig.faulty.received().frames, 10'000u);
    EXPECT_NEAR(static_cast<double>(rig.faulty.received().lost), 2000, 200);
    rig.expect_nothing_held();
}

TEST(FaultPort, DuplicatesAreWholeCopies) {
    Rig rig({.duplicate = 1000});
    for (uint32_t i = 0; i < 50; ++i) {
        rig.port.inject(numbered(i));
        rig.send(i);
    }
    std::map<uint32_t, int> times;
    for (const uint32_t number : rig.receive()) {
        ++times[number];
    }
    for (const Bytes& frame : rig.port.take_sent()) {
        EXPECT_EQ(frame, numbered(number_of(frame.data())));
        ++times[number_of(frame.data())];
    }
    EXPECT_EQ(times.size(), 50u);
    for (const auto& [number, count] : times) {
        EXPECT_EQ(count, 4) << number;
    }
    rig.expect_nothing_held();
}

TEST(FaultPort, DelayHoldsFramesUntilTheyAreDueInTheirOrder) {
    Rig rig({.delay_ns = 10});
    rig.faulty.set_now(100);
    rig.port.inject(numbered(1));
    rig.send(2);
    rig.faulty.set_now(105);
    rig.port.inject(numbered(3));
    EXPECT_TRUE(rig.receive().empty());
    EXPECT_EQ(rig.port.received_out(), 0u) << "the port's buffers are not held";
    rig.faulty.set_now(114);
    EXPECT_TRUE(rig.sent().empty());
    EXPECT_TRUE(rig.receive().empty());
    EXPECT_EQ(rig.sent(), (std::vector<uint32_t>{2}));
    rig.faulty.set_now(115);
    EXPECT_EQ(rig.receive(), (std::vector<uint32_t>{1, 3}));
    rig.expect_nothing_held();
}

TEST(FaultPort, ReorderedFramesAreOvertakenAndArrive) {
    Rig rig({.reorder = 300, .reorder_ns_max = 50});
    std::vector<uint32_t> got;
    for (uint32_t i = 0; i < 1000; ++i) {
        rig.faulty.set_now(1000 + i * 10);
        rig.port.inject(numbered(i));
        for (const uint32_t number : rig.receive()) {
            got.push_back(number);
        }
    }
    rig.faulty.set_now(1'000'000);
    for (const uint32_t number : rig.receive()) {
        got.push_back(number);
    }
    EXPECT_FALSE(std::is_sorted(got.begin(), got.end()));
    std::sort(got.begin(), got.end());
    ASSERT_EQ(got.size(), 1000u);
    for (uint32_t i = 0; i < 1000; ++i) {
        EXPECT_EQ(got[i], i);
    }
    rig.expect_nothing_held();
}

TEST(FaultPort, SameSeedGivesTheSameFaults) {
    const PortFaults faults{.loss = 100, .duplicate = 100, .reorder = 100};
    const auto run = [&](uint64_t seed) {
        Rig rig(faults, seed);
        for (uint32_t i = 0; i < 500; ++i) {
            rig.port.inject(numbered(i));
        }
        std::vector<uint32_t> got = rig.receive();
        rig.faulty.set_now(second_ns);
        const std::vector<uint32_t> late = rig.receive();
        got.insert(got.end(), late.begin(), late.end());
        return got;
    };
    EXPECT_EQ(run(7), run(7));
    EXPECT_NE(run(7), run(8));
}

TEST(FaultPort, WithoutRoomForMoreDropsAndCounts) {
    Rig rig({.delay_ns = 10});
    for (uint32_t i = 0; i < FaultPort::slots_max + 5; ++i) {
        rig.port.inject(numbered(i));
    }
    for (uint32_t burst = 0; burst <= FaultPort::slots_max / 64; ++burst) {
        EXPECT_TRUE(rig.receive().empty());
    }
    EXPECT_EQ(rig.faulty.slots_used(), FaultPort::slots_max);
    EXPECT_EQ(rig.faulty.received().full, 5u);
    rig.faulty.set_now(second_ns);
    EXPECT_EQ(rig.receive().size(), FaultPort::slots_max);
    rig.expect_nothing_held();
}

TEST(FaultPort, APortThatIsFullGetsTheFrameAgain) {
    Rig rig({});
    rig.port.set_transmit_room(0);
    TxFrame frame;
    ASSERT_EQ(rig.faulty.allocate({&frame, 1}), 1u);
    const Bytes octets = numbered(9);
    std::copy(octets.begin(), octets.end(), frame.data);
    frame.bytes = 64;
    EXPECT_EQ(rig.faulty.transmit({&frame, 1}), 0u);
    rig.port.set_transmit_room(FakePort::unlimited);
    EXPECT_EQ(rig.faulty.transmit({&frame, 1}), 1u);
    EXPECT_EQ(rig.sent(), (std::vector<uint32_t>{9}));
    rig.expect_nothing_held();
}

}  // namespace
}  // namespace sy::sim
