// Several workers on one port: every frame reaches whom it concerns, whatever the device can do.
#include <atomic>
#include <set>
#include <sys/mman.h>
#include <thread>

#include "io/dpdk/driver_guard.h"
#include "tests/unit/dpdk/ring_device.h"

namespace sy::dpdk {
namespace {

using test::Octets8;

tcpip::FlowKey flow_of(uint32_t number) {
    return number % 2 == 0
               ? test::flow("192.0.2.7", static_cast<uint16_t>(30'000 + number), "192.0.2.1", 2775)
               : test::flow("2001:db8::7", static_cast<uint16_t>(30'000 + number), "2001:db8::1",
                            2775);
}

// (hardware queues, workers)
class Spread : public testing::TestWithParam<std::pair<uint32_t, uint32_t>> {
  protected:
    [[nodiscard]] uint32_t queues() const { return GetParam().first; }
    [[nodiscard]] uint32_t workers() const { return GetParam().second; }
    [[nodiscard]] uint32_t owner_of(const tcpip::FlowKey& flow) {
        uint32_t owner = workers();
        for (uint32_t worker = 0; worker < workers(); ++worker) {
            if (port_->queue(worker).owns(flow)) {
                EXPECT_EQ(owner, workers()) << "two owners";
                owner = worker;
            }
        }
        EXPECT_LT(owner, workers()) << "no owner";
        return owner;
    }
    // Turns of all workers until nothing moves any more; what each got.
    std::vector<std::vector<Octets8>> run() {
        std::vector<std::vector<Octets8>> got(workers());
        for (bool moved = true; moved;) {
            moved = false;
            for (uint32_t worker = 0; worker < workers(); ++worker) {
                for (Octets8& octets : test::receive(port_->queue(worker))) {
                    got[worker].push_back(std::move(octets));
                    moved = true;
                }
            }
        }
        return got;
    }
    [[nodiscard]] uint64_t sum(Counter QueueCounters::* counter) {
        uint64_t total = 0;
        for (uint32_t worker = 0; worker < workers(); ++worker) {
            total += (port_->queue(worker).counters().*counter).get();
        }
        return total;
    }

    test::RingDevice device_{"many", queues()};
    test::Wire wire_{"wire_many"};
    std::unique_ptr<Port> port_ = test::open_port(device_.settings(), workers());
    uint32_t baseline_ = test::frames_in_use();
};

TEST_P(Spread, EveryFlowHasOneOwnerAndItsFramesGoThereInOrder) {
    EXPECT_EQ(port_->summary().queues, std::min(queues(), workers()));
    EXPECT_FALSE(port_->summary().hardware_rss);
    std::vector<std::vector<Octets8>> wanted(workers());
    for (uint32_t i = 0; i < 300; ++i) {
        const tcpip::FlowKey flow = flow_of(i % 50);
        const Octets8 frame = test::tcp_frame(flow, i);
        wire_.put(device_.rx(0), frame);
        wanted[owner_of(flow)].push_back(frame);
    }
    EXPECT_EQ(run(), wanted);
    EXPECT_EQ(sum(&QueueCounters::rx_handover_full), 0u);
    EXPECT_EQ(wire_.in_use(), 0u);
}

TEST_P(Spread, AnyHardwareQueueMayGetAFrame) {
    std::vector<size_t> wanted(workers(), 0);
    for (uint32_t i = 0; i < 200; ++i) {
        const tcpip::FlowKey flow = flow_of(i);
        wire_.put(device_.rx(i % port_->summary().queues), test::tcp_frame(flow));
        ++wanted[owner_of(flow)];
    }
    const auto got = run();
    for (uint32_t worker = 0; worker < workers(); ++worker) {
        EXPECT_EQ(got[worker].size(), wanted[worker]);
    }
}

TEST_P(Spread, AnswersOfArpAndNdReachEveryWorkerOnceAndErrorsTheirFlow) {
    const Octets8 arp = test::arp(2, "192.0.2.7", "192.0.2.1");
    const Octets8 advertisement = test::icmp_error(136, flow_of(1));
    const Octets8 error = test::icmp_error(3, flow_of(8));
    for (const Octets8& frame : {arp, advertisement, error}) {
        wire_.put(device_.rx(0), frame);
    }
    std::vector<std::vector<Octets8>> wanted(workers(), {arp, advertisement});
    wanted[owner_of(flow_of(8))].push_back(error);
    EXPECT_EQ(run(), wanted);
    EXPECT_EQ(sum(&QueueCounters::rx_shared), 2u);
    EXPECT_EQ(wire_.in_use(), 0u);
}

TEST_P(Spread, OneWorkerAnswersAQuestion) {
    wire_.put(device_.rx(0), test::arp(1, "192.0.2.7", "192.0.2.1"));
    const auto got = run();
    EXPECT_EQ(got[0].size(), 1u);
    for (uint32_t worker = 1; worker < workers(); ++worker) {
        EXPECT_TRUE(got[worker].empty());
    }
}

TEST_P(Spread, EveryWorkerCanSend) {
    std::multiset<std::string> wanted;
    for (uint32_t worker = 0; worker < workers(); ++worker) {
        std::vector<Octets8> frames;
        for (uint32_t i = 0; i < 100; ++i) {
            frames.push_back(test::tcp_frame(flow_of(worker), worker * 100 + i));
            wanted.emplace(frames.back().begin(), frames.back().end());
        }
        EXPECT_EQ(test::send(port_->queue(worker), frames), 100u);
    }
    for (uint32_t turn = 0; turn < 10; ++turn) {
        run();  // those with a queue send for those without, a burst a turn
    }
    std::multiset<std::string> sent;
    for (uint32_t queue = 0; queue < port_->summary().queues; ++queue) {
        for (const Octets8& frame : test::Wire::take(device_.tx(queue))) {
            sent.emplace(frame.begin(), frame.end());
        }
    }
    EXPECT_EQ(sent.size(), wanted.size());
    EXPECT_TRUE(sent == wanted);
    EXPECT_EQ(test::frames_in_use(), baseline_);
}

TEST_P(Spread, AFullRingDropsAndCounts) {
    tcpip::FlowKey flow = flow_of(0);
    for (uint32_t i = 0; owner_of(flow) != workers() - 1; ++i) {
        flow = flow_of(i);
    }
    // The owner makes no turn meanwhile.
    constexpr uint32_t more = 100;
    for (uint32_t i = 0; i < handover_frames + more; ++i) {
        wire_.put(device_.rx(0), test::tcp_frame(flow));
    }
    for (uint32_t i = 0; i < 2 * (handover_frames + more) / burst_max; ++i) {
        EXPECT_TRUE(test::receive(port_->queue(0)).empty());
    }
    EXPECT_EQ(sum(&QueueCounters::rx_handover_full), more);
    EXPECT_EQ(wire_.in_use(), handover_frames);
    EXPECT_EQ(run()[workers() - 1].size(), handover_frames);
    EXPECT_EQ(wire_.in_use(), 0u);
}

TEST_P(Spread, StoppingFreesWhatLiesInTheRings) {
    for (uint32_t i = 0; i < 60; ++i) {
        wire_.put(device_.rx(0), test::tcp_frame(flow_of(i)));
    }
    EXPECT_LT(test::receive(port_->queue(0)).size(), 60u);
    EXPECT_GT(wire_.in_use(), 0u);
    EXPECT_EQ(test::send(port_->queue(workers() - 1), {test::tcp_frame(flow_of(0))}), 1u);
    port_.reset();
    EXPECT_EQ(wire_.in_use(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Devices,
                         Spread,
                         testing::Values(std::pair{2u, 2u},
                                         std::pair{1u, 2u},
                                         std::pair{1u, 3u},
                                         std::pair{2u, 5u},
                                         std::pair{4u, 3u}));

// net_null shows a key and a table as a NIC does, and spreads by nothing at all.
TEST(HardwareRss, KeyAndTableAreReadBack) {
    config::DpdkPort settings;
    settings.device = "net_null0";
    const auto port = test::open_port(settings, 3);
    ASSERT_NE(port, nullptr);
    EXPECT_TRUE(port->summary().hardware_rss) << port->summary().why_not_rss;
    std::array<uint32_t, 3> flows{};
    for (uint32_t i = 0; i < 3000; ++i) {
        for (uint32_t worker = 0; worker < 3; ++worker) {
            flows[worker] += port->queue(worker).owns(flow_of(i)) ? 1u : 0u;
        }
    }
    EXPECT_EQ(flows[0] + flows[1] + flows[2], 3000u);
    for (const uint32_t count : flows) {
        EXPECT_GT(count, 700u);
    }
}

// Two threads pass frames to each other through the rings and the pool's caches.
TEST(Threads, FramesCrossBetweenWorkers) {
    constexpr uint32_t total = 20'000;
    const test::RingDevice device("cross", 2);
    const auto port = test::open_port(device.settings(), 2);
    const uint32_t baseline = test::frames_in_use();
    std::atomic<uint32_t> got{0};
    std::atomic<uint64_t> dropped{0};
    const auto work = [&](uint32_t self) {
        const auto lcore = EalThread::enter();
        ASSERT_TRUE(lcore);
        DpdkQueue& queue = port->queue(self);
        uint32_t sent = 0;
        while (got.load() + dropped.load() < 2 * total) {
            if (sent < total) {
                sent += test::send(queue, {test::tcp_frame(flow_of(sent % 97), sent % 64)});
            }
            // The wire: what queue n sends comes in at queue n.
            void* frame = nullptr;
            while (rte_ring_dequeue(device.tx(self), &frame) == 0) {
                ASSERT_EQ(rte_ring_enqueue(device.rx(self), frame), 0);
            }
            got += static_cast<uint32_t>(test::receive(queue).size());
            dropped = port->queue(0).counters().rx_handover_full.get() +
                      port->queue(1).counters().rx_handover_full.get();
        }
    };
    std::thread other([&] { work(1); });
    work(0);
    other.join();
    EXPECT_EQ(got.load() + dropped.load(), 2 * total);
    EXPECT_EQ(test::frames_in_use(), baseline);
}

// Stands for a driver that gives up its memory while a worker is inside it.
TEST(DriverGuard, UnmappingWaitsForAWorkerThatIsInside) {
    DriverGuard guard{0};
    ASSERT_TRUE(guard_driver(guard));
    const auto unmap = [] {
        void* page = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ASSERT_EQ(munmap(page, 4096), 0);
    };
    const uint64_t before = driver_guard_waits();
    unmap();
    EXPECT_EQ(driver_guard_waits(), before);
    guard = 1;
    std::atomic<bool> done{false};
    std::thread other([&] {
        unmap();
        done = true;
    });
    while (driver_guard_waits() == before) {
    }
    EXPECT_FALSE(done.load());
    guard = 2;
    other.join();
    EXPECT_TRUE(done.load());
    unguard_driver(guard);
    guard = 3;
    unmap();
    EXPECT_EQ(driver_guard_waits(), before + 1);
}

}  // namespace
}  // namespace sy::dpdk
