// The userspace stack alone: two stacks on one core joined by memory, 200-octet requests and
// responses, one PDU a segment. Cycles are of the time stamp counter, for one pair (request and
// response) and side, everything included: parsing, lookup, TCP both ways, checksums, copies.
//
// The port hands frames over by pointer, so what is measured is the stack. Every octet that arrives
// is compared with what was sent before anything is timed.
#include <array>
#include <memory>
#include <vector>
#include <x86intrin.h>

#include <benchmark/benchmark.h>

#include "core/base/assert.h"
#include "io/tcpip/transport.h"

namespace sy::tcpip {
namespace {

constexpr uint32_t message_bytes = 200;

/// Two ports back to back: a frame that one sends stands in the other's ring.
class MemoryPort final : public PacketPort {
  public:
    explicit MemoryPort(uint8_t last_octet, std::vector<uint8_t*>& pool) : pool_(pool) {
        info_.mac = {2, 0, 0, 0, 0, last_octet};
        ring_.resize(ring_max);
    }
    void join(MemoryPort& peer) { peer_ = &peer; }

    uint32_t receive(std::span<RxFrame> out) override {
        uint32_t count = 0;
        while (count < out.size() && head_ != tail_) {
            out[count++] = ring_[head_++ % ring_max];
        }
        for (uint32_t i = 0; i < count; ++i) {
            __builtin_prefetch(out[i].data);
        }
        return count;
    }
    void release(std::span<const RxFrame> frames) override {
        for (const RxFrame& frame : frames) {
            pool_.push_back(static_cast<uint8_t*>(frame.buffer));
        }
    }
    uint32_t allocate(std::span<TxFrame> out) override {
        uint32_t count = 0;
        while (count < out.size() && !pool_.empty()) {
            uint8_t* buffer = pool_.back();
            pool_.pop_back();
            out[count] = {};
            out[count].data = buffer + headroom;
            out[count].capacity = buffer_bytes - headroom;
            out[count++].buffer = buffer;
        }
        return count;
    }
    uint32_t transmit(std::span<const TxFrame> frames) override {
        uint32_t count = 0;
        for (const TxFrame& frame : frames) {
            if (peer_->tail_ - peer_->head_ == ring_max) {
                break;
            }
            RxFrame& in = peer_->ring_[peer_->tail_++ % ring_max];
            in = {};
            in.data = frame.data;
            in.bytes = frame.bytes;
            in.buffer = frame.buffer;
            ++count;
        }
        return count;
    }
    void discard(std::span<const TxFrame> frames) override {
        for (const TxFrame& frame : frames) {
            pool_.push_back(static_cast<uint8_t*>(frame.buffer));
        }
    }
    [[nodiscard]] const PortInfo& info() const override { return info_; }

    static constexpr uint32_t buffer_bytes = 2048;

  private:
    static constexpr uint32_t headroom = 128;
    static constexpr uint32_t ring_max = 4096;

    std::vector<uint8_t*>& pool_;
    PortInfo info_;
    MemoryPort* peer_ = nullptr;
    std::vector<RxFrame> ring_;
    uint32_t head_ = 0;
    uint32_t tail_ = 0;
};

struct Client {
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
struct Server {
    TcpTransport* transport = nullptr;

    void on_accepted(ConnId, const Endpoint&) {}
    void on_connected(ConnId) {}
    size_t on_bytes(ConnId conn, Octets octets) { return transport->send(conn, octets); }
    void on_writable(ConnId) {}
    void on_closed(ConnId, CloseReason) { SY_ASSERT(false); }
};

StackOptions options_for(uint8_t last_octet, uint32_t connections) {
    StackOptions options;
    const uint8_t four[4] = {10, 0, 0, last_octet};
    options.interface.addresses.push_back(
        {.address = IpAddress::from_ipv4(four), .prefix_bits = 24});
    options.connections_max = connections + 8;
    options.half_open_max = 1024;
    options.time_wait_max = 64;
    options.port_min = 1024;
    options.port_max = 65'535;
    return options;
}

/// `connections` connections; each turn `burst` of them, in turn, have one message under way.
class Pair {
  public:
    explicit Pair(uint32_t connections)
        : memory_(size_t{buffers} * MemoryPort::buffer_bytes),
          left_port_(1, pool_),
          right_port_(2, pool_) {
        for (uint32_t i = 0; i < buffers; ++i) {
            pool_.push_back(memory_.data() + size_t{i} * MemoryPort::buffer_bytes);
        }
        left_port_.join(right_port_);
        right_port_.join(left_port_);
        left_ = std::make_unique<TcpTransport>(left_port_, options_for(1, connections));
        right_ = std::make_unique<TcpTransport>(right_port_, options_for(2, connections));
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
    Client& client() { return client_; }
    [[nodiscard]] uint64_t fast_path() const {
        return left_->stack().counters().fast_path.value() +
               right_->stack().counters().fast_path.value();
    }
    [[nodiscard]] uint64_t segments() const {
        return left_->stack().counters().segments_in.value() +
               right_->stack().counters().segments_in.value();
    }

  private:
    static constexpr uint32_t buffers = 8192;

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

    std::vector<uint8_t> memory_;
    std::vector<uint8_t*> pool_;
    MemoryPort left_port_;
    MemoryPort right_port_;
    std::unique_ptr<TcpTransport> left_;
    std::unique_ptr<TcpTransport> right_;
    Client client_;
    Server server_;
    Nanos now_ns_ = second_ns;
    size_t next_ = 0;
};

void stack_pair(benchmark::State& state) {
    const auto connections = static_cast<uint32_t>(state.range(0));
    const uint32_t burst = std::min<uint32_t>(connections, 32);
    Pair pair(connections);
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
BENCHMARK(stack_pair)
    ->Name("tcpip/stack/pair/connections")
    ->Arg(1)
    ->Arg(100)
    ->Arg(10'000)
    ->Arg(100'000);

}  // namespace
}  // namespace sy::tcpip

BENCHMARK_MAIN();
