// A SYN flood against one stack whose established connections are as busy as the core allows.
//
// The clock is the stack's own work: after a turn it moves on by the cycles that the turn took, and
// the flood sends what its rate makes of that time. So the figures are those of a core that the
// stack has for itself, at any rate, on a machine whose cores are shared: attacker and clients cost
// nothing. A turn in which the machine did something else counts as its predecessor.
//
// rate: SYNs a second with spoofed sources, in thousands. Line rates of 64-octet frames: 1,488 for
// 1 Gb/s, 14,881 for 10 Gb/s. Clients: 256 connections with one request of 200 octets under way
// each, so that there is always one to answer. A ring that is full drops frames, whosever they are,
// as a port does. What is checked before a figure is given: every octet of the calm exchange, and
// that the newcomers are accepted and served.
#include <algorithm>
#include <array>
#include <memory>
#include <vector>
#include <x86intrin.h>

#include <benchmark/benchmark.h>

#include "bench/memory_port.h"
#include "bench/stack_pair.h"
#include "core/base/prng.h"
#include "io/tcpip/checksum.h"

namespace sy::tcpip {
namespace {

constexpr uint32_t clients = 256;
constexpr uint32_t newcomers = 100;
constexpr uint16_t port = 2775;

/// Of the time stamp counter, measured once against the clock.
double cycles_per_ns() {
    static const double value = [] {
        const auto clock_ns = [] {
            timespec t{};
            clock_gettime(CLOCK_MONOTONIC, &t);
            return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
        };
        const double from_ns = clock_ns();
        const uint64_t from = __rdtsc();
        while (clock_ns() - from_ns < 20e6) {
        }
        return static_cast<double>(__rdtsc() - from) / (clock_ns() - from_ns);
    }();
    return value;
}

/// SYNs from sources that do not answer, by way of a gateway.
class Attacker {
  public:
    Attacker(MemoryPort& own, MemoryPort& victim) : own_(own), victim_(victim) {
        const Mac& to = victim.info().mac;
        std::copy(to.begin(), to.end(), frame_.begin());
        const std::array<uint8_t, 8> ethernet{2, 0, 0, 0, 0xee, 1, 8, 0};
        std::copy(ethernet.begin(), ethernet.end(), frame_.begin() + 6);
        const std::array<uint8_t, 20> ip{0x45, 0, 0, 44, 0, 0, 0x40, 0, 64, 6,
                                         0,    0, 0, 0,  0, 0, 10,   0, 0,  2};
        std::copy(ip.begin(), ip.end(), frame_.begin() + 14);
        const std::array<uint8_t, 24> tcp{0, 0, port >> 8, port & 0xff, 0,    0,    0,    0,
                                          0, 0, 0,         0,           0x60, 0x02, 0xff, 0xff,
                                          0, 0, 0,         0,           2,    4,    0x05, 0xb4};
        std::copy(tcp.begin(), tcp.end(), frame_.begin() + 34);
    }

    void send(uint64_t count) {
        std::array<TxFrame, 64> frames;
        while (count > 0) {
            const uint32_t got =
                own_.allocate({frames.data(), std::min<size_t>(count, frames.size())});
            if (got == 0) {
                dropped_ += count;
                return;
            }
            count -= got;
            for (uint32_t i = 0; i < got; ++i) {
                vary();
                std::copy(frame_.begin(), frame_.end(), frames[i].data);
                frames[i].bytes = bytes;
                ++sent_;
                if (!victim_.put(frames[i])) {
                    ++dropped_;
                    own_.discard({&frames[i], 1});
                }
            }
        }
    }
    [[nodiscard]] uint64_t sent() const { return sent_; }
    [[nodiscard]] uint64_t dropped() const { return dropped_; }

  private:
    static constexpr uint32_t bytes = 14 + 20 + 24;

    void vary() {
        const uint64_t random = prng_();
        frame_[26] = static_cast<uint8_t>(100 + random % 64);  // 100.0.0.0 and on
        frame_[27] = static_cast<uint8_t>(random >> 8);
        frame_[28] = static_cast<uint8_t>(random >> 16);
        frame_[29] = static_cast<uint8_t>(1 + (random >> 24) % 254);
        std::memcpy(&frame_[34], reinterpret_cast<const uint8_t*>(&random) + 4, 2);
        std::memcpy(&frame_[38], reinterpret_cast<const uint8_t*>(&random) + 4, 4);
        frame_[24] = frame_[25] = frame_[50] = frame_[51] = 0;
        store_checksum(&frame_[24], sum_octets(&frame_[14], 20));
        store_checksum(&frame_[50], sum_octets(&frame_[34], 24) +
                                        pseudo_sum_ipv4(&frame_[26], &frame_[30], 6, 24));
    }

    MemoryPort& own_;
    MemoryPort& victim_;
    Prng prng_{1};
    std::array<uint8_t, bytes> frame_{};
    uint64_t sent_ = 0;
    uint64_t dropped_ = 0;
};

/// Clients of one stack: the first `clients` have a request under way each, all the time.
class Clients {
  public:
    Clients(PacketPort& own_port, const StackOptions& options)
        : transport(own_port, options), message_(message_bytes) {
        for (uint32_t i = 0; i < message_bytes; ++i) {
            message_[i] = static_cast<uint8_t>(i * 7 + 3);
        }
    }

    void on_accepted(ConnId, const Endpoint&) {}
    void on_connected(ConnId conn) {
        ++up;
        ask(conn);
    }
    size_t on_bytes(ConnId conn, Octets octets) {
        SY_ASSERT(octets.size() == message_bytes);
        SY_ASSERT(!verify || std::equal(octets.begin(), octets.end(), message_.begin()));
        ++answered;
        if (conn.slot >= clients) {
            ++newcomers_served;
            return octets.size();
        }
        ask(conn);
        return octets.size();
    }
    void on_writable(ConnId) {}
    void on_closed(ConnId, CloseReason reason) {
        SY_ASSERT(reason == CloseReason::connect_failed);
        ++failed;
    }

    TcpTransport transport;
    bool verify = true;
    uint32_t up = 0;
    uint32_t failed = 0;
    uint32_t newcomers_served = 0;
    uint64_t answered = 0;

  private:
    void ask(ConnId conn) { SY_ASSERT(transport.send(conn, message_) == message_bytes); }

    std::vector<uint8_t> message_;
};

class Scene {
  public:
    Scene()
        : attacker_(ports_.left, ports_.right),
          clients_(ports_.left, stack_options(1)),
          victim_(ports_.right, stack_options(2)) {
        server_.transport = &victim_;
        SY_ASSERT(victim_.listen(listening()).has_value());
        turn();
        for (uint32_t i = 0; i < clients; ++i) {
            SY_ASSERT(clients_.transport.connect(listening()).has_value());
            while (i == 0 && clients_.up == 0) {  // resolves the neighbour
                turn();
            }
        }
        while (clients_.up < clients) {
            turn();
        }
        run(millisecond_ns);
        clients_.verify = false;
    }

    void set_rate(uint64_t a_second) { rate_ = a_second; }
    /// So much time of the stack's core.
    void run(Nanos ns) {
        const Nanos end_ns = now_ns_ + ns;
        while (now_ns_ < end_ns) {
            turn();
        }
    }
    /// New clients at drawn instants, while the flood goes on.
    void invite(uint32_t count) {
        Prng prng(2);
        for (uint32_t i = 0; i < count; ++i) {
            run(prng.below(2 * millisecond_ns));
            SY_ASSERT(clients_.transport.connect(listening()).has_value());
        }
    }
    /// Until so many were served or that instant; how many were.
    uint32_t wait_for(uint32_t count, Nanos end_ns) {
        while (now_ns_ < end_ns && clients_.newcomers_served < count) {
            turn();
        }
        return clients_.newcomers_served;
    }

    [[nodiscard]] Nanos now_ns() const { return now_ns_; }
    [[nodiscard]] uint64_t answered() const { return clients_.answered; }
    [[nodiscard]] uint64_t interruptions() const { return interruptions_; }
    [[nodiscard]] const Attacker& attacker() const { return attacker_; }
    [[nodiscard]] const TcpCounters& counters() const { return victim_.stack().counters(); }

  private:
    static Endpoint listening() { return *parse_endpoint("10.0.0.2:2775"); }
    static StackOptions stack_options(uint8_t last_octet) {
        StackOptions options = options_for(last_octet, clients + newcomers);
        options.connect_timeout_ns = 130 * second_ns;  // as Linux: seven SYNs
        options.half_open_max = StackOptions{}.half_open_max;
        const uint8_t gateway[4] = {10, 0, 0, 3};
        options.interface.gateway_v4 = IpAddress::from_ipv4(gateway);
        return options;
    }

    /// A drawn part of what is due, so that nobody's frames have a place of their own in a burst.
    void flood() {
        const uint64_t count = prng_.below(static_cast<uint64_t>(owed_) + 1);
        attacker_.send(count);
        owed_ -= static_cast<double>(count);
    }
    void turn() {
        flood();
        clients_.transport.poll(now_ns_, clients_);
        clients_.transport.wait(0);  // the next requests leave
        flood();
        const uint64_t start = __rdtsc();
        victim_.poll(now_ns_, server_);
        const uint64_t cycles = __rdtsc() - start;
        const auto taken_ns = static_cast<Nanos>(static_cast<double>(cycles) / cycles_per_ns());
        constexpr Nanos turn_ns_max = 100 * microsecond_ns;
        if (taken_ns > turn_ns_max) {
            ++interruptions_;
        } else {
            last_ns_ = std::max<Nanos>(taken_ns, 1);
        }
        now_ns_ += last_ns_;
        owed_ += static_cast<double>(rate_) * static_cast<double>(last_ns_) / 1e9;
    }

    MemoryPorts ports_;
    Attacker attacker_;
    Clients clients_;
    TcpTransport victim_;
    EchoServer server_;
    uint64_t rate_ = 0;
    double owed_ = 0;
    Prng prng_{3};
    Nanos now_ns_ = second_ns;
    Nanos last_ns_ = 1;
    uint64_t interruptions_ = 0;
};

double median(std::vector<double>& values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

double pairs_a_second(Scene& scene, Nanos ns) {
    const uint64_t answered = scene.answered();
    const Nanos from_ns = scene.now_ns();
    scene.run(ns);
    return static_cast<double>(scene.answered() - answered) * 1e9 /
           static_cast<double>(scene.now_ns() - from_ns);
}

/// How much of their throughput established connections keep, and what a SYN costs. Calm and flood
/// take turns, a millisecond each, so that both meet the same neighbours on the machine; medians.
void flood_kept(benchmark::State& state) {
    constexpr Nanos settle_ns = millisecond_ns;  // the cookies that the calm saved are gone
    Scene scene;
    const auto rate = static_cast<uint64_t>(state.range(0)) * 1000;
    scene.set_rate(rate);
    scene.run(20 * millisecond_ns);  // the SYN cache is full
    std::vector<double> calm;
    std::vector<double> flooded;
    uint64_t taken = 0;
    uint64_t cookies = 0;
    uint64_t ring_drops = 0;
    for (auto _ : state) {
        scene.set_rate(0);
        scene.run(settle_ns);
        calm.push_back(pairs_a_second(scene, millisecond_ns));
        scene.set_rate(rate);
        scene.run(settle_ns);
        const uint64_t segments = scene.attacker().sent() - scene.attacker().dropped();
        const uint64_t sent = scene.counters().cookies_sent.value();
        const uint64_t dropped = scene.attacker().dropped();
        flooded.push_back(pairs_a_second(scene, millisecond_ns));
        taken += scene.attacker().sent() - scene.attacker().dropped() - segments;
        cookies += scene.counters().cookies_sent.value() - sent;
        ring_drops += scene.attacker().dropped() - dropped;
    }
    const double seconds = static_cast<double>(flooded.size()) / 1e3;
    const double hertz = cycles_per_ns() * 1e9;
    const double before = median(calm);
    const double during = median(flooded);
    const double taken_a_second = static_cast<double>(taken) / seconds;
    state.counters["pairs_calm"] = before;
    state.counters["pairs_flooded"] = during;
    state.counters["kept_percent"] = 100 * during / before;
    state.counters["cycles_per_pair"] = hertz / before;
    state.counters["cycles_per_syn"] = hertz * (1 - during / before) / taken_a_second;
    state.counters["cookies"] = static_cast<double>(cookies) / seconds;
    state.counters["shed"] = static_cast<double>(taken - cookies) / seconds;
    state.counters["ring_drops"] = static_cast<double>(ring_drops) / seconds;
    state.counters["interruptions"] = static_cast<double>(scene.interruptions());
}
BENCHMARK(flood_kept)
    ->Name("tcpip/flood/kept/rate_k")
    ->Arg(500)
    ->Arg(1'488)
    ->Arg(3'000)
    ->Arg(5'000)
    ->Arg(14'881);

/// New clients while the flood runs: how many are served by their first SYN, by that or the second
/// one after a second, by the third after two more.
void flood_newcomers(benchmark::State& state) {
    for (auto _ : state) {
        Scene scene;
        scene.set_rate(static_cast<uint64_t>(state.range(0)) * 1000);
        scene.run(20 * millisecond_ns);
        const Nanos from_ns = scene.now_ns();
        scene.invite(newcomers);  // all within 200 ms
        const auto by = [&](Nanos after_ns) {
            return scene.wait_for(newcomers, from_ns + after_ns);
        };
        state.counters["by_1_syn"] = by(800 * millisecond_ns);
        state.counters["by_2_syns"] = by(2500 * millisecond_ns);
        const uint32_t served = by(4 * second_ns);
        state.counters["by_3_syns"] = served;
        SY_ASSERT(served > 0);
    }
    state.counters["newcomers"] = newcomers;
}
BENCHMARK(flood_newcomers)
    ->Name("tcpip/flood/newcomers/rate_k")
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1)
    ->Arg(500)
    ->Arg(1'488)
    ->Arg(3'000)
    ->Arg(14'881);

}  // namespace
}  // namespace sy::tcpip

BENCHMARK_MAIN();
