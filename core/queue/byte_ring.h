// Bounded single-producer single-consumer ring for entries of any size: what a worker hands to the
// record thread. An entry lies whole in the ring's memory, so that it is written and read in place;
// one that does not fit before the end of the memory begins at its start again.
//
// Threads: exactly one producer and one consumer thread; they may be the same.
// Invariants: I1 head <= tail <= head + capacity (free-running 64-bit offsets, multiples of 8).
//             I2 octets in [head, tail) are written before tail is published (release/acquire).
//             I3 octets are reused only after head passed them (release/acquire the other way).
//             I4 a mark to skip to the start is published together with the entry behind it.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/limits.h"

namespace sy::queue {

class ByteRing {
  public:
    /// Capacity is rounded up to a power of two. Allocates; control plane only.
    explicit ByteRing(uint32_t capacity_bytes)
        : mask_(std::bit_ceil(capacity_bytes) - 1),
          memory_(std::make_unique<uint64_t[]>((size_t{mask_} + 1) / unit_bytes)) {
        SY_ASSERT(capacity_bytes >= capacity_min && capacity_bytes <= capacity_max);
    }

    static constexpr uint32_t capacity_min = 64;
    static constexpr uint32_t capacity_max = 1u << 30;

    [[nodiscard]] uint32_t capacity() const { return mask_ + 1; }
    /// The longest entry that an empty ring takes wherever its offsets stand.
    [[nodiscard]] uint32_t entry_bytes_max() const { return capacity() / 2 - unit_bytes; }

    /// Producer: room for one entry of 1 to `bytes` octets; empty when there is none now, or never
    /// will be. Nothing is visible before commit(); a second reserve() takes the place of the
    /// first.
    [[nodiscard]] std::span<uint8_t> reserve(uint32_t bytes) {
        SY_DCHECK(bytes > 0);
        if (bytes > entry_bytes_max()) {
            return {};
        }
        // Relaxed: only this thread writes tail.
        const uint64_t tail = producer_.tail.load(std::memory_order_relaxed);
        const uint32_t to_end = capacity() - place(tail);
        const uint32_t needed = taken_by(bytes);
        const uint32_t skipped = needed > to_end ? to_end : 0;
        if (tail + skipped + needed - producer_.head_cache > capacity()) {
            // Acquire pairs with the release in pop(): I3.
            producer_.head_cache = consumer_.head.load(std::memory_order_acquire);
            if (tail + skipped + needed - producer_.head_cache > capacity()) {
                return {};
            }
        }
        if (skipped != 0) {
            write_length(tail, skip_mark);
        }
        producer_.reserved = tail + skipped;
        return {at(producer_.reserved) + unit_bytes, bytes};
    }

    /// Producer: the first `bytes` of what reserve() gave are an entry. REQUIRES: 1 to what was
    /// reserved.
    void commit(uint32_t bytes) {
        SY_DCHECK(bytes > 0 && bytes <= entry_bytes_max());
        write_length(producer_.reserved, bytes);
        // Release pairs with the acquire in front(): I2, I4.
        producer_.tail.store(producer_.reserved + taken_by(bytes), std::memory_order_release);
    }

    /// Consumer: the oldest entry, valid until pop(); empty when there is none.
    [[nodiscard]] Octets front() {
        // Relaxed: only this thread writes head.
        uint64_t head = consumer_.head.load(std::memory_order_relaxed);
        if (head == consumer_.tail_cache) {
            // Acquire pairs with the release in commit(): I2.
            consumer_.tail_cache = producer_.tail.load(std::memory_order_acquire);
            if (head == consumer_.tail_cache) {
                return {};
            }
        }
        uint32_t bytes = read_length(head);
        if (bytes == skip_mark) {
            head += capacity() - place(head);
            bytes = read_length(head);  // I4
        }
        consumer_.front = head;
        return {at(head) + unit_bytes, bytes};
    }

    /// Consumer: done with what front() gave. REQUIRES: it was not empty.
    void pop() {
        const uint64_t next = consumer_.front + taken_by(read_length(consumer_.front));
        // Release pairs with the acquire in reserve(): I3.
        consumer_.head.store(next, std::memory_order_release);
    }

    /// Any thread; a momentary truth.
    [[nodiscard]] bool empty() const {
        return consumer_.head.load(std::memory_order_acquire) ==
               producer_.tail.load(std::memory_order_acquire);
    }

  private:
    // In front of each entry: its length. Eight octets, so that entries are aligned.
    static constexpr uint32_t unit_bytes = 8;
    static constexpr uint32_t skip_mark = 0;

    struct alignas(limits::cache_line_bytes) Producer {
        std::atomic<uint64_t> tail{0};
        uint64_t head_cache = 0;
        uint64_t reserved = 0;  // where the entry under way begins
    };
    struct alignas(limits::cache_line_bytes) Consumer {
        std::atomic<uint64_t> head{0};
        uint64_t tail_cache = 0;
        uint64_t front = 0;  // where the entry begins that front() gave
    };

    static constexpr uint32_t taken_by(uint32_t bytes) {
        return unit_bytes + (bytes + unit_bytes - 1) / unit_bytes * unit_bytes;
    }
    [[nodiscard]] uint32_t place(uint64_t offset) const {
        return static_cast<uint32_t>(offset) & mask_;
    }
    [[nodiscard]] uint8_t* at(uint64_t offset) {
        return reinterpret_cast<uint8_t*>(memory_.get()) + place(offset);
    }
    void write_length(uint64_t offset, uint32_t bytes) {
        std::memcpy(at(offset), &bytes, sizeof bytes);
    }
    [[nodiscard]] uint32_t read_length(uint64_t offset) {
        uint32_t bytes = 0;
        std::memcpy(&bytes, at(offset), sizeof bytes);
        return bytes;
    }

    Producer producer_;
    Consumer consumer_;
    alignas(limits::cache_line_bytes) uint32_t mask_;
    std::unique_ptr<uint64_t[]> memory_;
};

}  // namespace sy::queue
