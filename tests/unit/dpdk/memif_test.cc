// A memif peer that is killed while this side receives and sends at full rate: the process lives,
// sees the link go, and serves the next peer. The peer is this program, started again with --peer.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "io/dpdk/driver_guard.h"
#include "tests/unit/dpdk/ring_device.h"

namespace sy::dpdk {
namespace {

std::string socket_path;

config::DpdkPort memif_port() {
    config::DpdkPort out;
    out.device = "net_memif0";
    return out;
}

std::unique_ptr<Eal> start_eal(const std::string& role, const std::string& path) {
    auto eal = Eal::start({.arguments = {"--no-huge", "--no-pci", "-m", "128",
                                         fmt::format("--vdev=net_memif0,role={},id=0,socket={},"
                                                     "socket-abstract=no,bsize=2048,rsize=10",
                                                     role, path)},
                           .devices = {},
                           .memory_bytes = 0});
    if (!eal) {
        std::fprintf(stderr, "%s\n", eal.error().text.c_str());
        return nullptr;
    }
    return *std::move(eal);
}

const test::Octets8 a_frame =
    test::tcp_frame(test::flow("192.0.2.7", 40'000, "192.0.2.1", 2775), 1400);

// Sends and receives until it is killed.
int be_peer(const std::string& path) {
    const auto eal = start_eal("client", path);
    auto port = Port::open(memif_port(), {0});
    if (eal == nullptr || !port) {
        return 1;
    }
    const std::vector<test::Octets8> burst(32, a_frame);
    while (true) {
        (*port)->poll();
        test::send((*port)->queue(0), burst);
        test::receive((*port)->queue(0));
    }
}

pid_t start_peer() {
    const pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "memif_test", "--peer", socket_path.c_str(), nullptr);
        _exit(127);
    }
    return child;
}

TEST(Memif, APeerThatIsKilledCostsFramesAndNotTheProcess) {
    auto opened = Port::open(memif_port(), {0});
    ASSERT_TRUE(opened) << opened.error().text;
    Port& port = **opened;
    EXPECT_EQ(port.summary().queues, 1u);
    const uint32_t baseline = test::frames_in_use();
    std::atomic<uint64_t> received{0};
    std::atomic<bool> stopping{false};
    std::thread worker([&] {
        const auto lcore = EalThread::enter();
        const std::vector<test::Octets8> burst(32, a_frame);
        while (!stopping.load()) {
            test::send(port.queue(0), burst);
            for (const test::Octets8& frame : test::receive(port.queue(0))) {
                received += frame == a_frame ? 1u : 0u;
            }
        }
    });
    constexpr uint32_t peers = 3;
    for (uint32_t i = 0; i < peers; ++i) {
        const pid_t peer = start_peer();
        ASSERT_GT(peer, 0);
        const uint64_t before = received.load();
        while (received.load() < before + 20'000 && waitpid(peer, nullptr, WNOHANG) == 0) {
            port.poll();
        }
        EXPECT_GE(received.load(), before + 20'000);
        EXPECT_TRUE(port.link_up());
        kill(peer, SIGKILL);
        waitpid(peer, nullptr, 0);
        while (port.link_up()) {
            port.poll();
        }
    }
    stopping = true;
    worker.join();
    EXPECT_GT(port.queue(0).counters().tx_link_down.get(), 0u);
    EXPECT_EQ(test::frames_in_use(), baseline);
    std::printf("munmap waited for a worker %lu times\n",
                static_cast<unsigned long>(driver_guard_waits()));
}

}  // namespace
}  // namespace sy::dpdk

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    if (argc == 3 && std::string(argv[1]) == "--peer") {
        return sy::dpdk::be_peer(argv[2]);
    }
    sy::dpdk::socket_path = fmt::format("{}sy_memif_{}.sock", testing::TempDir(), getpid());
    int failed = 1;
    if (const auto eal = sy::dpdk::start_eal("server", sy::dpdk::socket_path)) {
        failed = RUN_ALL_TESTS();
    }
    unlink(sy::dpdk::socket_path.c_str());
    return failed;
}
