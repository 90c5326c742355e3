// The userspace stack alone: two stacks on one core joined by memory, 200-octet requests and
// responses, one PDU a segment. Cycles are of the time stamp counter, for one pair (request and
// response) and side, everything included: parsing, lookup, TCP both ways, checksums, copies.
//
// The port hands frames over by pointer, so what is measured is the stack. Every octet that arrives
// is compared with what was sent before anything is timed.
#include <array>
#include <fstream>
#include <memory>
#include <unistd.h>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/stack_pair.h"

namespace sy::tcpip {
namespace {

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

/// The ports with their frames.
struct MemoryPorts {
    static constexpr uint32_t buffers = 8192;

    MemoryPorts() : memory(size_t{buffers} * MemoryPort::buffer_bytes) {
        for (uint32_t i = 0; i < buffers; ++i) {
            pool.push_back(memory.data() + size_t{i} * MemoryPort::buffer_bytes);
        }
        left.join(right);
        right.join(left);
    }

    std::vector<uint8_t> memory;
    std::vector<uint8_t*> pool;
    MemoryPort left{1, pool};
    MemoryPort right{2, pool};
};

/// What the process has in memory.
double resident_octets() {
    std::ifstream statm("/proc/self/statm");
    uint64_t pages = 0;
    uint64_t resident = 0;
    statm >> pages >> resident;
    SY_ASSERT(statm.good());
    return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

void stack_pair(benchmark::State& state) {
    const auto connections = static_cast<uint32_t>(state.range(0));
    MemoryPorts ports;
    const double before = resident_octets();
    Pair pair(ports.left, ports.right, connections);
    // Idle: they are up and nothing was sent. What a stack has whatever its connections are is in
    // it too, so only the largest figure says something.
    state.counters["resident_per_connection"] = (resident_octets() - before) / (2.0 * connections);
    measure_pair(state, pair, connections);
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
