// The stack over real DPDK devices, without huge pages and root if need be: two stacks over
// net_ring on one core (the figure that does not depend on where virtual CPUs are), and on two
// cores over memif, with one message a segment and with many. Across cores: core_latency before and
// after.
//
// Environment: SY_BENCH_CPUS  the two CPUs, default "0 1"
//              SY_BENCH_HUGE  1: in huge pages (256 of 2 MiB, root), as a router on a server is
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <pthread.h>
#include <sched.h>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>

#include <benchmark/benchmark.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ring.h>

#include "bench/stack_pair.h"
#include "io/dpdk/eal.h"
#include "io/dpdk/port.h"

namespace sy::tcpip {
namespace {

std::unique_ptr<dpdk::Port> open_port(const std::string& device) {
    config::DpdkPort settings;
    settings.device = device;
    auto port = dpdk::Port::open(settings, {0});
    if (!port) {
        std::fprintf(stderr, "%s\n", port.error().text.c_str());
        std::abort();
    }
    return *std::move(port);
}

/// net_ring devices have no MAC of their own; everything else is the queue.
class WithMac final : public PacketPort {
  public:
    WithMac(PacketPort& queue, uint8_t last_octet) : queue_(queue), info_(queue.info()) {
        info_.mac = {2, 0, 0, 0, 0, last_octet};
    }
    uint32_t receive(std::span<RxFrame> out) override { return queue_.receive(out); }
    void release(std::span<const RxFrame> frames) override { queue_.release(frames); }
    uint32_t allocate(std::span<TxFrame> out) override { return queue_.allocate(out); }
    uint32_t transmit(std::span<const TxFrame> frames) override { return queue_.transmit(frames); }
    void discard(std::span<const TxFrame> frames) override { queue_.discard(frames); }
    [[nodiscard]] const PortInfo& info() const override { return info_; }

  private:
    PacketPort& queue_;
    PortInfo info_;
};

/// Both pairs of devices: opened once, a closed one does not come back.
struct Devices {
    std::unique_ptr<dpdk::Port> ring_left;
    std::unique_ptr<dpdk::Port> ring_right;
    std::unique_ptr<dpdk::Port> memif_left;
    std::unique_ptr<dpdk::Port> memif_right;

    [[nodiscard]] std::array<dpdk::Port*, 4> all() const {
        return {ring_left.get(), ring_right.get(), memif_left.get(), memif_right.get()};
    }
};
std::unique_ptr<Devices> devices;

rte_ring* make_ring(const char* name) {
    rte_ring* ring = rte_ring_create(name, 1024, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    SY_ASSERT(ring != nullptr);
    return ring;
}

/// A port that receives from one ring and sends into the other.
std::unique_ptr<dpdk::Port> ring_port(const char* name, rte_ring* in, rte_ring* out) {
    const int id = rte_eth_from_rings(name, &in, 1, &out, 1, 0);
    SY_ASSERT(id >= 0);
    char full[RTE_ETH_NAME_MAX_LEN] = "";
    SY_ASSERT(rte_eth_dev_get_name_by_port(static_cast<uint16_t>(id), full) == 0);
    return open_port(full);
}

void open_devices() {
    devices = std::make_unique<Devices>();
    rte_ring* to_left = make_ring("to_left");
    rte_ring* to_right = make_ring("to_right");
    devices->ring_left = ring_port("left", to_left, to_right);
    devices->ring_right = ring_port("right", to_right, to_left);
    devices->memif_right = open_port("net_memif0");  // the server end is there first
    devices->memif_left = open_port("net_memif1");
    const auto all_up = [] {
        return std::ranges::all_of(devices->all(),
                                   [](const dpdk::Port* p) { return p->link_up(); });
    };
    while (!all_up()) {
        for (dpdk::Port* port : devices->all()) {
            port->poll();
        }
    }
}

/// What the stacks of the run before left on the way.
void empty(PacketPort& port) {
    std::array<RxFrame, Stack::burst_max> frames;
    while (const uint32_t count = port.receive(frames)) {
        port.release(std::span(frames).first(count));
    }
}

void ring_pair(benchmark::State& state) {
    const auto connections = static_cast<uint32_t>(state.range(0));
    empty(devices->ring_left->queue(0));
    empty(devices->ring_right->queue(0));
    WithMac left(devices->ring_left->queue(0), 1);
    WithMac right(devices->ring_right->queue(0), 2);
    Pair pair(left, right, connections);
    measure_pair(state, pair, connections);
}
BENCHMARK(ring_pair)->Name("tcpip/stack/net_ring/connections")->Arg(1)->Arg(100)->Arg(100'000);

/// The limit of net_ring: frames of the same size through the same queues and nobody looks at them.
void ring_limit(benchmark::State& state) {
    constexpr uint32_t frame_bytes = 66 + message_bytes;
    PacketPort& left = devices->ring_left->queue(0);
    PacketPort& right = devices->ring_right->queue(0);
    empty(left);
    empty(right);
    constexpr uint32_t burst = 32;
    std::array<TxFrame, burst> out;
    std::array<RxFrame, burst> in;
    uint64_t frames = 0;
    const uint64_t start = __rdtsc();
    for (auto _ : state) {
        SY_ASSERT(left.allocate(out) == burst);
        for (TxFrame& frame : out) {
            frame.bytes = frame_bytes;
        }
        SY_ASSERT(left.transmit(out) == burst);
        SY_ASSERT(right.receive(in) == burst);
        right.release(in);
        frames += burst;
    }
    state.counters["cycles_per_frame"] =
        static_cast<double>(__rdtsc() - start) / static_cast<double>(frames);
}
BENCHMARK(ring_limit)->Name("dpdk/net_ring/limit");

/// A response of 200 octets on its way into a frame and until it is acknowledged. Copied: into the
/// send queue, from there into the frame, which goes back when the device is done. In place: into
/// the frame, which is kept for a retransmission until the acknowledgement.
template <bool in_place>
void response(benchmark::State& state) {
    constexpr uint32_t burst = 32;
    constexpr uint32_t headers_bytes = 66;
    PacketPort& port = devices->ring_left->queue(0);
    ChunkPool pool(1024);
    std::array<ChunkQueue, burst> queues;
    std::array<TxFrame, burst> frames;
    std::array<uint8_t, message_bytes> message{};
    message.fill(7);
    const uint32_t sum = fold_sum(sum_octets(message.data(), message.size()));
    uint64_t responses = 0;
    const uint64_t start = __rdtsc();
    for (auto _ : state) {
        SY_ASSERT(port.allocate(frames) == burst);
        for (uint32_t i = 0; i < burst; ++i) {
            uint8_t* to = frames[i].data + headers_bytes;
            uint32_t found = 0;
            if constexpr (in_place) {
                found = fold_sum(copy_and_sum(to, message.data(), message.size()));
                rte_mbuf_refcnt_update(static_cast<rte_mbuf*>(frames[i].buffer), 1);
            } else {
                SY_ASSERT(queues[i].append(pool, message) == message.size());
                ChunkQueue::Cursor cursor = queues[i].at(pool, 0);
                found = fold_sum(queues[i].copy_out_and_sum(pool, cursor, {to, message.size()}));
            }
            SY_ASSERT(found == sum);
        }
        port.discard(frames);  // the device is done
        if constexpr (in_place) {
            port.discard(frames);  // acknowledged
        } else {
            for (ChunkQueue& queue : queues) {
                queue.drop_front(pool, message_bytes);
            }
        }
        responses += burst;
    }
    state.counters["cycles_per_response"] =
        static_cast<double>(__rdtsc() - start) / static_cast<double>(responses);
}
BENCHMARK(response<false>)->Name("dpdk/response/copied");
BENCHMARK(response<true>)->Name("dpdk/response/in_place");

Nanos clock_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<Nanos>(now.tv_sec) * second_ns + static_cast<Nanos>(now.tv_nsec);
}

struct Cpus {
    uint32_t left = 0;
    uint32_t right = 1;
};

Cpus chosen_cpus() {
    Cpus cpus;
    if (const char* text = std::getenv("SY_BENCH_CPUS"); text != nullptr) {
        std::istringstream(text) >> cpus.left >> cpus.right;
    }
    return cpus;
}

bool pin(uint32_t cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

/// Keeps messages under way on each connection: as many as came back whole go out again. Takes
/// everything that it is offered, messages end where they will.
struct WindowClient : EchoClient {
    std::vector<uint8_t> messages;      // many of them, in a row
    std::vector<uint32_t> part_octets;  // of a message, by slot

    WindowClient(TcpTransport& over, uint32_t window) : part_octets(over.connections_max()) {
        transport = &over;
        for (uint32_t i = 0; i < message_bytes; ++i) {
            message[i] = static_cast<uint8_t>(i * 7 + 3);
        }
        for (uint32_t i = 0; i < window; ++i) {
            messages.insert(messages.end(), message.begin(), message.end());
        }
    }
    size_t on_bytes(ConnId conn, Octets octets) {
        uint32_t& part = part_octets[conn.slot];
        for (size_t i = 0; verify && i < octets.size(); ++i) {
            SY_ASSERT(octets[i] == message[(part + i) % message_bytes]);
        }
        received += octets.size();
        const size_t whole = (part + octets.size()) / message_bytes * message_bytes;
        part = static_cast<uint32_t>(part + octets.size() - whole);
        const size_t sent = transport->send(conn, Octets(messages).first(whole));
        SY_ASSERT(sent == whole);
        return octets.size();
    }
};

/// The echo on its own core, until it goes.
class ServerThread {
  public:
    ServerThread(PacketPort& port, uint32_t connections, uint32_t cpu)
        : transport_(port, options_for(2, connections)) {
        const uint8_t four[4] = {10, 0, 0, 2};
        SY_ASSERT(transport_.listen({IpAddress::from_ipv4(four).octets, 2775}).has_value());
        server_.transport = &transport_;
        thread_ = std::thread([this, cpu] {
            SY_ASSERT(pin(cpu));
            const auto lcore = dpdk::EalThread::enter();
            while (!stopping_.load(std::memory_order_relaxed)) {
                transport_.poll(clock_ns(), server_);
            }
        });
    }
    ~ServerThread() {
        stopping_.store(true, std::memory_order_relaxed);
        thread_.join();
    }
    ServerThread(const ServerThread&) = delete;
    ServerThread& operator=(const ServerThread&) = delete;

  private:
    TcpTransport transport_;
    EchoServer server_;
    std::atomic<bool> stopping_{false};  // relaxed: says nothing but "end"
    std::thread thread_;
};

void connect_all(TcpTransport& transport, WindowClient& client, uint32_t connections) {
    const uint8_t four[4] = {10, 0, 0, 2};
    transport.poll(clock_ns(), client);  // the stack learns the time
    for (uint32_t i = 0; i < connections; ++i) {
        SY_ASSERT(transport.connect({IpAddress::from_ipv4(four).octets, 2775}).has_value());
        while (client.up.size() <= i) {
            transport.poll(clock_ns(), client);
        }
    }
}

/// range(0) connections with range(1) messages under way on each.
void memif_pair(benchmark::State& state) {
    const auto connections = static_cast<uint32_t>(state.range(0));
    const auto window = static_cast<uint32_t>(state.range(1));
    const Cpus cpus = chosen_cpus();
    if (cpus.left == cpus.right || !pin(cpus.right) || !pin(cpus.left)) {
        state.SkipWithError("needs two CPUs, see SY_BENCH_CPUS");
        return;
    }
    PacketPort& left = devices->memif_left->queue(0);
    PacketPort& right = devices->memif_right->queue(0);
    empty(left);
    empty(right);
    ServerThread server(right, connections, cpus.right);
    TcpTransport transport(left, options_for(1, connections));
    WindowClient client(transport, window);
    connect_all(transport, client, connections);
    for (const ConnId conn : client.up) {
        const size_t octets = size_t{window} * message_bytes;
        SY_ASSERT(transport.send(conn, Octets(client.messages).first(octets)) == octets);
    }
    const auto advance = [&](uint64_t pairs) {
        const uint64_t goal = client.received + pairs * message_bytes;
        while (client.received < goal) {
            transport.poll(clock_ns(), client);
        }
    };
    advance(uint64_t{connections} * window);  // every octet compared
    client.verify = false;
    const uint64_t segments = transport.stack().counters().segments_in.value();
    const uint64_t received = client.received;
    for (auto _ : state) {
        advance(4096);
    }
    const auto pairs = static_cast<double>((client.received - received) / message_bytes);
    state.counters["pairs_per_second"] = benchmark::Counter(pairs, benchmark::Counter::kIsRate);
    state.counters["responses_per_segment"] =
        pairs / static_cast<double>(transport.stack().counters().segments_in.value() - segments);
}
BENCHMARK(memif_pair)
    ->Name("tcpip/stack/memif/connections/window")
    ->Args({256, 1})
    ->Args({32, 64})
    ->UseRealTime();

int run(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 1;
    }
    const std::string memif = "socket=/tmp/sy_bench_" + std::to_string(getpid()) +
                              ".sock,socket-abstract=no,id=0,bsize=2048,rsize=10";
    const char* huge = std::getenv("SY_BENCH_HUGE");
    const bool in_huge_pages = huge != nullptr && std::string_view(huge) == "1";
    auto eal =
        dpdk::Eal::start({.arguments = {in_huge_pages ? "--in-memory" : "--no-huge", "--no-pci",
                                        "-m", "512", "--vdev=net_memif0,role=server," + memif,
                                        "--vdev=net_memif1,role=client," + memif},
                          .devices = {},
                          .memory_bytes = 0});
    if (!eal) {
        std::fprintf(stderr, "%s\n", eal.error().text.c_str());
        return 1;
    }
    open_devices();
    benchmark::RunSpecifiedBenchmarks();
    devices.reset();  // before EAL
    return 0;
}

}  // namespace
}  // namespace sy::tcpip

int main(int argc, char** argv) {
    return sy::tcpip::run(argc, argv);
}
