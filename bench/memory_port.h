// Two packet ports back to back in memory, for the benchmarks of the stack: a frame that one sends
// stands in the other's ring, by pointer. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "io/tcpip/port.h"

namespace sy::tcpip {

class MemoryPort final : public PacketPort {
  public:
    static constexpr uint32_t buffer_bytes = 2048;
    static constexpr uint32_t headroom = 128;
    static constexpr uint32_t ring_max = 4096;

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
            if (!peer_->put(frame)) {
                break;
            }
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

    /// A frame into this port's ring, by whoever has it from allocate(); false: the ring is full.
    bool put(const TxFrame& frame) {
        if (tail_ - head_ == ring_max) {
            return false;
        }
        RxFrame& in = ring_[tail_++ % ring_max];
        in = {};
        in.data = frame.data;
        in.bytes = frame.bytes;
        in.buffer = frame.buffer;
        return true;
    }
    /// Frames that wait for receive().
    [[nodiscard]] uint32_t waiting() const { return tail_ - head_; }

  private:
    std::vector<uint8_t*>& pool_;
    PortInfo info_;
    MemoryPort* peer_ = nullptr;
    std::vector<RxFrame> ring_;
    uint32_t head_ = 0;
    uint32_t tail_ = 0;
};

/// The ports with their frames.
struct MemoryPorts {
    static constexpr uint32_t buffers = 2 * MemoryPort::ring_max;

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

}  // namespace sy::tcpip
