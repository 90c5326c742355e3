// What a queue counts, and how the daemon gets it. Written by the queue's worker alone, read by any
// thread (a stale value is fine).
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "core/base/limits.h"

namespace sy::dpdk {

/// One writer: no locked instruction. Relaxed: a statistic, it orders nothing.
class Counter {
  public:
    void add(uint64_t more) {
        value_.store(value_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
    }
    [[nodiscard]] uint64_t get() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<uint64_t> value_{0};
};

struct alignas(limits::cache_line_bytes) QueueCounters {
    Counter rx_frames;         // given to the stack
    Counter rx_handed_over;    // given to other workers
    Counter rx_handover_full;  // dropped: the other worker's ring was full
    Counter rx_shared;         // needed by every worker (ARP, ND)
    Counter rx_linearised;     // came in several buffers, copied into one
    Counter rx_too_long;       // came in several buffers that do not fit into one: dropped
    Counter rx_rss_wrong;      // the device put a flow on another queue than its key and table say
    Counter tx_frames;         // taken by the device
    Counter tx_handed_over;    // given to the worker that has a queue
    Counter tx_full;           // not taken at once, the stack tries again
    Counter tx_link_down;      // discarded: no link, or the device is gone
    Counter tx_refused;        // discarded: the driver refuses the offloads asked for
    Counter tx_no_memory;      // allocations that fell short
};

struct QueueSample {
    std::string_view name;
    std::string_view help;
    uint32_t worker = 0;
    uint64_t value = 0;
};

}  // namespace sy::dpdk
