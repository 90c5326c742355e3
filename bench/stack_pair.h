// Two userspace stacks that talk to each other over a pair of ports: messages of 200 octets from
// left to right, echoes back. For the benchmarks of the stack. One thread, but for EchoClient and
// EchoServer, which may have one each.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <vector>
#include <x86intrin.h>

#include <benchmark/benchmark.h>

#include "core/base/assert.h"
#include "io/tcpip/transport.h"

namespace sy::tcpip {

inline constexpr uint32_t message_bytes = 200;

struct EchoClient {
    TcpTransport* transport = nullptr;
    std::vector<ConnId> up;
    uint64_t received = 0;
    bool verify = true;
    std::array<uint8_t, message_bytes> message{};

    void on_accepted(ConnId, const Endpoint&) {}
    void on_connected(ConnId conn) { up.push_back(conn); }
    size_t on_bytes(ConnId, Octets octets) {
        if (verify) {
            SY_ASSERT(octets.size() % message_bytes == 0);
            for (size_t i = 0; i < octets.size(); ++i) {
                SY_ASSERT(octets[i] == message[i % message_bytes]);
            }
        }
        received += octets.size();
        return octets.size();
    }
    void on_writable(ConnId) {}
    void on_closed(ConnId, CloseReason) { SY_ASSERT(false); }
};

/// Sends back what it gets.
struct EchoServer {
    TcpTransport* transport = nullptr;

    void on_accepted(ConnId, const Endpoint&) {}
    void on_connected(ConnId) {}
    size_t on_bytes(ConnId conn, Octets octets) { return transport->send(conn, octets); }
    void on_writable(ConnId) {}
    void on_closed(ConnId, CloseReason) { SY_ASSERT(false); }
};

inline StackOptions options_for(uint8_t last_octet, uint32_t connections) {
    StackOptions options;
    const uint8_t four[4] = {10, 0, 0, last_octet};
    options.interface.addresses.push_back(
        {.address = IpAddress::from_ipv4(four), .prefix_bits = 24});
    options.connections_max = connections + 8;
    // What the server has sent is acknowledged with the next request: a chunk each until then.
    options.chunks = std::max(options.chunks, 2 * connections);
    options.half_open_max = 1024;
    options.time_wait_max = 64;
    options.port_min = 1024;
    options.port_max = 65'535;
    return options;
}

/// `connections` connections; each turn `burst` of them, in turn, have one message under way.
class Pair {
  public:
    /// The ports are joined and outlive it.
    Pair(PacketPort& left_port, PacketPort& right_port, uint32_t connections)
        : left_(std::make_unique<TcpTransport>(left_port, options_for(1, connections))),
          right_(std::make_unique<TcpTransport>(right_port, options_for(2, connections))) {
        client_.transport = left_.get();
        server_.transport = right_.get();
        for (uint32_t i = 0; i < message_bytes; ++i) {
            client_.message[i] = static_cast<uint8_t>(i * 7 + 3);
        }
        connect(connections);
    }

    void turn() {
        now_ns_ += microsecond_ns;
        left_->poll(now_ns_, client_);
        right_->poll(now_ns_, server_);
    }

    /// One message each on the next `burst` connections, there and back.
    void exchange(uint32_t burst) {
        const uint64_t goal = client_.received + uint64_t{burst} * message_bytes;
        for (uint32_t i = 0; i < burst; ++i) {
            const size_t sent = left_->send(client_.up[next_], client_.message);
            SY_ASSERT(sent == message_bytes);
            next_ = next_ + 1 < client_.up.size() ? next_ + 1 : 0;
        }
        while (client_.received < goal) {
            turn();
        }
    }
    EchoClient& client() { return client_; }
    [[nodiscard]] uint64_t fast_path() const {
        return left_->stack().counters().fast_path.value() +
               right_->stack().counters().fast_path.value();
    }
    [[nodiscard]] uint64_t segments() const {
        return left_->stack().counters().segments_in.value() +
               right_->stack().counters().segments_in.value();
    }

  private:
    void connect(uint32_t connections) {
        const uint8_t four[4] = {10, 0, 0, 2};
        uint16_t port = 2775;
        for (uint16_t i = 0; i < 4; ++i) {
            SY_ASSERT(
                right_->listen({IpAddress::from_ipv4(four).octets, static_cast<uint16_t>(port + i)})
                    .has_value());
        }
        turn();
        for (uint32_t i = 0; i < connections; ++i) {
            const auto to = static_cast<uint16_t>(port + i % 4);
            SY_ASSERT(left_->connect({IpAddress::from_ipv4(four).octets, to}).has_value());
            if (i == 0 || i % 256 == 255) {  // the first one resolves the neighbour
                while (client_.up.size() <= i) {
                    turn();
                }
            }
        }
        while (client_.up.size() < connections) {
            turn();
        }
    }

    std::unique_ptr<TcpTransport> left_;
    std::unique_ptr<TcpTransport> right_;
    EchoClient client_;
    EchoServer server_;
    Nanos now_ns_ = second_ns;
    size_t next_ = 0;
};

/// The loop of a benchmark over a pair with its connections up: cycles a pair and side, and how
/// many segments a pair took. The first exchange compares every octet.
inline void measure_pair(benchmark::State& state, Pair& pair, uint32_t connections) {
    const uint32_t burst = std::min<uint32_t>(connections, 32);
    pair.exchange(burst);  // every octet compared
    pair.client().verify = false;
    const uint64_t fast_before = pair.fast_path();
    const uint64_t segments_before = pair.segments();
    uint64_t pairs = 0;
    const uint64_t start = __rdtsc();
    for (auto _ : state) {
        pair.exchange(burst);
        pairs += burst;
    }
    const auto cycles = static_cast<double>(__rdtsc() - start);
    state.SetItemsProcessed(static_cast<int64_t>(pairs));
    state.counters["cycles_per_pair_and_side"] = cycles / static_cast<double>(2 * pairs);
    state.counters["segments_per_pair"] =
        static_cast<double>(pair.segments() - segments_before) / static_cast<double>(pairs);
    state.counters["predicted"] = static_cast<double>(pair.fast_path() - fast_before) /
                                  static_cast<double>(pair.segments() - segments_before);
}
}  // namespace sy::tcpip
