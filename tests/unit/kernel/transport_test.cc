#include "io/kernel/transport.h"

#include <chrono>
#include <ctime>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/support/transport_conformance.h"

namespace sy::kernel {
namespace {

using test::RecordingHandler;

Nanos monotonic_now() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<Nanos>(now.tv_sec) * second_ns + static_cast<Nanos>(now.tv_nsec);
}

Endpoint any_port() {
    return *parse_endpoint("127.0.0.1:0");
}

std::unique_ptr<KernelTransport> make(KernelOptions options = {}) {
    options.connections_max = std::min(options.connections_max, 64U);
    auto transport = KernelTransport::create(options);
    EXPECT_TRUE(transport.has_value());
    return std::move(*transport);
}

KernelOptions small_options() {
    KernelOptions options;
    options.connections_max = 16;
    options.close_linger_ns = 100 * millisecond_ns;
    options.socket.send_buffer_bytes = 64 * 1024;
    options.socket.receive_buffer_bytes = 64 * 1024;
    return options;
}

// Two instances over loopback.
template <uint32_t kept_blocks, uint32_t read_bytes>
struct KernelWorld {
    using Transport = KernelTransport;
    static constexpr int turns_max = 40'000;  // an idle one lasts a millisecond at most

    KernelWorld() {
        KernelOptions options = small_options();
        options.kept_blocks = kept_blocks;
        options.read_bytes = read_bytes;
        server_ = make(options);
        client_ = make(options);
        EXPECT_TRUE(server_->listen(any_port()).has_value());
        // A port that was free a moment ago, held without listen(): connecting to it is refused.
        closed_ = Fd(::socket(AF_INET, SOCK_STREAM, 0));
        SocketAddress address = to_socket_address(any_port());
        EXPECT_EQ(::bind(closed_.get(), address.get(), address.length), 0);
    }

    KernelTransport& server() { return *server_; }
    KernelTransport& client() { return *client_; }
    [[nodiscard]] Endpoint listening() const { return server_->listener_endpoint(0); }
    [[nodiscard]] Endpoint nobody() const { return local_endpoint(closed_.get()); }

    void turn(RecordingHandler& server, RecordingHandler& client) {
        uint32_t events = server_->poll(monotonic_now(), server);
        events += client_->poll(monotonic_now(), client);
        if (events == 0) {
            client_->wait(monotonic_now() + millisecond_ns);  // loopback needs a moment
        }
    }

  private:
    std::unique_ptr<KernelTransport> server_;
    std::unique_ptr<KernelTransport> client_;
    Fd closed_;
};

// The second world never has a block to keep octets in, the third reads a handful at a time.
using Worlds =
    ::testing::Types<KernelWorld<4, 64 * 1024>, KernelWorld<0, 64 * 1024>, KernelWorld<1, 61>>;

}  // namespace
}  // namespace sy::kernel

namespace sy::test {
INSTANTIATE_TYPED_TEST_SUITE_P(Kernel, TransportConformance, kernel::Worlds);
}  // namespace sy::test

namespace sy::kernel {
namespace {

static_assert(Transport<KernelTransport, RecordingHandler>);

TEST(KernelTransport, PortInUseNamesTheAddressAndWhatToDo) {
    auto holder = open_listener(any_port(), SocketOptions{}, false);
    ASSERT_TRUE(holder.has_value());
    const Endpoint taken = local_endpoint(holder->get());
    const auto result = make()->listen(taken);
    ASSERT_FALSE(result.has_value());
    EXPECT_NE(result.error().text.find(to_string(taken)), std::string::npos);
    EXPECT_NE(result.error().text.find("in use"), std::string::npos) << result.error().text;
}

TEST(KernelTransport, PortSharedByAnotherInstanceIsFoundByTheCheck) {
    auto first = make();
    ASSERT_TRUE(first->listen(any_port()).has_value());
    const Endpoint taken = first->listener_endpoint(0);
    EXPECT_TRUE(make()->listen(taken).has_value()) << "workers share the port";
    EXPECT_FALSE(check_can_listen(taken).has_value()) << "but another router must not";
    first->close_listeners();
    EXPECT_TRUE(check_can_listen(taken).has_value());
}

TEST(KernelTransport, ForeignAddressSaysWhatToDo) {
    const auto result = make()->listen(*parse_endpoint("192.0.2.1:2775"));
    ASSERT_FALSE(result.has_value());
    EXPECT_NE(result.error().text.find("192.0.2.1:2775"), std::string::npos);
    EXPECT_NE(result.error().text.find("no such address"), std::string::npos)
        << result.error().text;
}

TEST(KernelTransport, PrivilegedPortSaysWhatToDo) {
    if (geteuid() == 0) {
        GTEST_SKIP() << "root may bind any port";
    }
    const auto result = make()->listen(*parse_endpoint("127.0.0.1:1"));
    ASSERT_FALSE(result.has_value());
    EXPECT_NE(result.error().text.find("privilege"), std::string::npos) << result.error().text;
}

TEST(KernelTransport, Ipv6WorksWhereTheMachineHasIt) {
    auto server = make();
    if (!server->listen(*parse_endpoint("[::1]:0"))) {
        GTEST_SKIP() << "no IPv6 loopback here";
    }
    auto client = make();
    RecordingHandler at_server;
    RecordingHandler at_client;
    ASSERT_TRUE(client->connect(server->listener_endpoint(0)).has_value());
    const Nanos end_ns = monotonic_now() + 5 * second_ns;
    while (at_server.accepted.empty() && monotonic_now() < end_ns) {
        client->poll(monotonic_now(), at_client);
        server->poll(monotonic_now(), at_server);
    }
    ASSERT_EQ(at_server.accepted.size(), 1U);
    EXPECT_FALSE(is_ipv4(at_server[at_server.accepted[0]].peer));
}

TEST(KernelTransport, WakeBeforeWaitMakesItReturn) {
    auto transport = make();
    RecordingHandler handler;
    transport->wake();
    transport->poll(monotonic_now(), handler);  // must not swallow it
    transport->wait(monotonic_now() + 3600 * second_ns);
    SUCCEED() << "wait() returned";
}

TEST(KernelTransport, WakeOfAnotherThreadEndsWait) {
    // Many rounds, so that the wake-up meets every point of going to sleep. What the waker wrote
    // before must be seen after; a lost wake-up hangs the test.
    auto transport = make();
    RecordingHandler handler;
    std::atomic<uint32_t> posted{0};
    constexpr uint32_t rounds = 2000;
    std::atomic<uint32_t> seen{0};
    std::thread waker([&] {
        for (uint32_t i = 1; i <= rounds; ++i) {
            posted.store(i, std::memory_order_relaxed);
            transport->wake();
            while (seen.load(std::memory_order_acquire) != i) {
                std::this_thread::yield();
            }
        }
    });
    for (uint32_t expected = 1; expected <= rounds; ++expected) {
        while (posted.load(std::memory_order_relaxed) != expected) {
            transport->poll(monotonic_now(), handler);
            transport->wait(monotonic_now() + 3600 * second_ns);
        }
        seen.store(expected, std::memory_order_release);
    }
    waker.join();
    EXPECT_EQ(seen.load(), rounds);
}

TEST(KernelTransport, WaitReturnsAtItsDeadline) {
    auto transport = make();
    const Nanos deadline_ns = monotonic_now() + 2 * millisecond_ns;
    transport->wait(deadline_ns);
    EXPECT_GE(monotonic_now(), deadline_ns);
}

TEST(KernelTransport, WaitReturnsWhenAConnectionArrives) {
    auto server = make();
    ASSERT_TRUE(server->listen(any_port()).has_value());
    auto client = make();
    RecordingHandler at_server;
    RecordingHandler at_client;
    ASSERT_TRUE(client->connect(server->listener_endpoint(0)).has_value());
    while (at_server.accepted.empty()) {
        server->wait(monotonic_now() + 3600 * second_ns);
        server->poll(monotonic_now(), at_server);
    }
    EXPECT_EQ(at_server.accepted.size(), 1U);
}

TEST(KernelTransport, ConnectTimesOutAtItsOwnBound) {
    // 192.0.2.0/24 is for documentation: silence, or an error at once where there is no route.
    KernelOptions options = small_options();
    options.connect_timeout_ns = 5 * millisecond_ns;
    auto client = make(options);
    RecordingHandler handler;
    auto conn = client->connect(*parse_endpoint("192.0.2.1:9"));
    ASSERT_TRUE(conn.has_value());
    const Nanos end_ns = monotonic_now() + 5 * second_ns;
    while (!handler.closed(*conn) && monotonic_now() < end_ns) {
        client->wait(monotonic_now() + second_ns);
        client->poll(monotonic_now(), handler);
    }
    ASSERT_TRUE(handler.closed(*conn));
    EXPECT_NE(handler[*conn].reason, CloseReason::local);
    EXPECT_TRUE(handler.connected.empty());
}

TEST(KernelTransport, OnePollReadsABoundedAmountOfOneConnection) {
    KernelOptions options = small_options();
    options.read_bytes = 1000;
    auto server = make(options);
    auto client = make(options);
    ASSERT_TRUE(server->listen(any_port()).has_value());
    RecordingHandler at_server;
    RecordingHandler at_client;
    auto conn = client->connect(server->listener_endpoint(0));
    while (at_client.connected.empty() || at_server.accepted.empty()) {
        client->poll(monotonic_now(), at_client);
        server->poll(monotonic_now(), at_server);
    }
    const std::string text(10'000, 'x');
    ASSERT_EQ(client->send(*conn, as_octets(text)), text.size());
    const ConnId far = at_server.accepted[0];
    size_t before = 0;
    while (at_server[far].bytes.size() < text.size()) {
        server->poll(monotonic_now(), at_server);
        EXPECT_LE(at_server[far].bytes.size() - before, options.read_bytes);
        before = at_server[far].bytes.size();
    }
}

TEST(KernelTransport, AFullServerResetsWhatItCannotTake) {
    KernelOptions options = small_options();
    options.connections_max = 1;
    auto server = make(options);
    auto client = make(small_options());
    ASSERT_TRUE(server->listen(any_port()).has_value());
    RecordingHandler at_server;
    RecordingHandler at_client;
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(client->connect(server->listener_endpoint(0)).has_value());
    }
    const Nanos end_ns = monotonic_now() + 5 * second_ns;
    while (at_client.closed_count < 1 && monotonic_now() < end_ns) {
        client->poll(monotonic_now(), at_client);
        server->poll(monotonic_now(), at_server);
    }
    EXPECT_EQ(at_client.closed_count, 1U);
    EXPECT_EQ(at_server.accepted.size(), 1U);
    EXPECT_EQ(server->counters().refused_slots.load(), 1U);
}

TEST(KernelTransport, OpenFilesLimitRefusesWithoutSpinning) {
    auto server = make(small_options());
    auto client = make(small_options());
    ASSERT_TRUE(server->listen(any_port()).has_value());
    RecordingHandler at_server;
    RecordingHandler at_client;
    auto conn = client->connect(server->listener_endpoint(0));
    ASSERT_TRUE(conn.has_value());
    // Not one descriptor more in this process, while the connection waits to be accepted.
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    const int lowest_free = ::dup(0);
    ASSERT_GE(lowest_free, 0);
    ::close(lowest_free);
    const rlimit tight{.rlim_cur = static_cast<rlim_t>(lowest_free), .rlim_max = before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
    const Nanos end_ns = monotonic_now() + 5 * second_ns;
    while (!at_client.closed(*conn) && monotonic_now() < end_ns) {
        server->poll(monotonic_now(), at_server);
        client->poll(monotonic_now(), at_client);
    }
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_TRUE(at_client.closed(*conn));
    EXPECT_TRUE(at_server.accepted.empty());
    EXPECT_EQ(server->counters().refused_files.load(), 1U);
    EXPECT_EQ(server->counters().accept_errors.load(), 0U);
    // And it accepts again afterwards.
    ASSERT_TRUE(client->connect(server->listener_endpoint(0)).has_value());
    while (at_server.accepted.empty() && monotonic_now() < end_ns) {
        client->poll(monotonic_now(), at_client);
        server->poll(monotonic_now(), at_server);
    }
    EXPECT_EQ(at_server.accepted.size(), 1U);
}

TEST(KernelTransport, SmallReadsNeedOneSystemCallEach) {
    // One recv a burst: the second one, which would bring nothing, is not made.
    auto server = make(small_options());
    auto client = make(small_options());
    ASSERT_TRUE(server->listen(any_port()).has_value());
    RecordingHandler at_server;
    RecordingHandler at_client;
    auto conn = client->connect(server->listener_endpoint(0));
    while (at_client.connected.empty() || at_server.accepted.empty()) {
        client->poll(monotonic_now(), at_client);
        server->poll(monotonic_now(), at_server);
    }
    const ConnId far = at_server.accepted[0];
    for (size_t i = 1; i <= 100; ++i) {
        ASSERT_EQ(client->send(*conn, as_octets("0123456789")), 10U);
        while (at_server[far].bytes.size() < i * 10) {
            server->poll(monotonic_now(), at_server);
        }
    }
    EXPECT_EQ(server->counters().reads.load(), 100U);
    EXPECT_EQ(server->counters().reads_empty.load(), 0U);
}

TEST(KernelTransport, ConnectionsThatTheFilesLimitCannotCarryAreReported) {
    rlimit limit{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlimit tight{.rlim_cur = 512, .rlim_max = limit.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
    KernelOptions options;
    options.connections_max = 1000;
    options.instances = 1'000'000;  // more than any kernel's fs.nr_open allows
    const auto transport = KernelTransport::create(options);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ASSERT_TRUE(transport.has_value());
    EXPECT_NE((*transport)->warning().find("open files"), std::string::npos);
    EXPECT_NE((*transport)->warning().find("LimitNOFILE"), std::string::npos);
}

}  // namespace
}  // namespace sy::kernel
