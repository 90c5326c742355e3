// Two CPUs for what crosses cores: pinning, and how long a cache line takes from one to the other.
// On virtual machines that swings with the placement of the virtual CPUs (50 to 1,000 ns were seen
// on one machine in an hour), and every figure that crosses cores with it.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <pthread.h>
#include <sched.h>
#include <thread>
#include <vector>

#include "core/base/limits.h"

namespace sy::bench {

inline bool pin(uint32_t cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return cpu < CPU_SETSIZE && pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

/// Those that this thread may use: ask before pin().
inline std::vector<uint32_t> own_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    std::vector<uint32_t> cpus;
    for (uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &set)) {
            cpus.push_back(cpu);
        }
    }
    return cpus;
}

/// A thread on a CPU of its own; joined at the end of its life.
class PinnedThread {
  public:
    template <class Work>
    PinnedThread(uint32_t cpu, Work work)
        : thread_([this, cpu, work] {
              const bool good = pin(cpu);
              state_.store(good ? 1 : -1, std::memory_order_release);
              if (good) {
                  work();
              }
          }) {
        while (state_.load(std::memory_order_acquire) == 0) {
            std::this_thread::yield();
        }
    }
    ~PinnedThread() { thread_.join(); }
    PinnedThread(const PinnedThread&) = delete;
    PinnedThread& operator=(const PinnedThread&) = delete;

    /// False: the CPU is none of ours, and `work` was not done.
    [[nodiscard]] bool runs() const { return state_.load(std::memory_order_acquire) > 0; }

  private:
    std::atomic<int> state_{0};  // 1: pinned, -1: could not be
    std::thread thread_;
};

inline constexpr uint32_t line_trips_a_batch = 1'000;

namespace detail {

struct alignas(limits::cache_line_bytes) Line {
    // Release with the number, acquire by the waiter: as a ring's index does it.
    std::atomic<uint32_t> number{0};
};

/// Adds one whenever the number is odd; ends with the last trip.
inline void answer(Line& line, uint32_t trips) {
    for (uint32_t trip = 0; trip < trips; ++trip) {
        while (line.number.load(std::memory_order_acquire) != 2 * trip + 1) {
        }
        line.number.store(2 * trip + 2, std::memory_order_release);
    }
}

}  // namespace detail

/// Nanoseconds one way from this thread to a CPU and back, a batch each, ascending; empty where the
/// CPU is none of ours. REQUIRES: this thread is on another CPU.
inline std::vector<double> line_latency(uint32_t there, uint32_t batches) {
    using Clock = std::chrono::steady_clock;
    detail::Line line;
    std::vector<double> out;
    const PinnedThread other(there,
                             [&line, batches] { answer(line, batches * line_trips_a_batch); });
    for (uint32_t batch = 0; other.runs() && batch < batches; ++batch) {
        const auto begun = Clock::now();
        for (uint32_t i = 0; i < line_trips_a_batch; ++i) {
            const uint32_t trip = batch * line_trips_a_batch + i;
            line.number.store(2 * trip + 1, std::memory_order_release);
            while (line.number.load(std::memory_order_acquire) != 2 * trip + 2) {
            }
        }
        const std::chrono::duration<double, std::nano> took = Clock::now() - begun;
        out.push_back(took.count() / (2.0 * line_trips_a_batch));
    }
    std::ranges::sort(out);
    return out;
}

}  // namespace sy::bench
