#include "io/dpdk/driver_guard.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <ctime>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/limits.h"

namespace sy::dpdk {
namespace {

// Slots are filled and emptied by the control thread (release) and read by whoever unmaps
// (acquire).
std::array<std::atomic<const DriverGuard*>, limits::workers_max> guarded{};
std::atomic<uint32_t> guarded_count{0};
std::atomic<uint64_t> waits{0};  // relaxed: a statistic

// A worker is inside a driver for microseconds; one that the scheduler has put aside, for some
// milliseconds. Past a second it is not coming out, and the interrupt thread has other ports.
constexpr uint32_t polls_max = 20'000;
constexpr long poll_ns = 50'000;

void wait_until_out(const DriverGuard& guard) {
    const uint32_t before = guard.load(std::memory_order_acquire);
    if (before % 2 == 0) {
        return;
    }
    waits.fetch_add(1, std::memory_order_relaxed);
    for (uint32_t i = 0; i < polls_max && guard.load(std::memory_order_acquire) == before; ++i) {
        const timespec pause{0, poll_ns};
        nanosleep(&pause, nullptr);
    }
}

// Every thread of the process passes a full barrier: a worker that enters from here on sees that
// the driver is disconnected, and one that entered before is seen to be inside.
void barrier_for_all() {
    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

void wait_for_workers() {
    barrier_for_all();
    for (const auto& slot : guarded) {
        if (const DriverGuard* guard = slot.load(std::memory_order_acquire)) {
            wait_until_out(*guard);
        }
    }
}

}  // namespace

bool guard_driver(const DriverGuard& guard) {
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0) {
        return false;
    }
    for (auto& slot : guarded) {
        if (slot.load(std::memory_order_relaxed) == nullptr) {
            slot.store(&guard, std::memory_order_release);
            guarded_count.fetch_add(1, std::memory_order_release);
            return true;
        }
    }
    return false;
}

void unguard_driver(const DriverGuard& guard) {
    for (auto& slot : guarded) {
        if (slot.load(std::memory_order_relaxed) == &guard) {
            slot.store(nullptr, std::memory_order_release);
            guarded_count.fetch_sub(1, std::memory_order_release);
        }
    }
}

uint64_t driver_guard_waits() {
    return waits.load(std::memory_order_relaxed);
}

}  // namespace sy::dpdk

// In the place of libc's for this program and every driver that it loads.
extern "C" int munmap(void* address, size_t bytes) noexcept {
    if (sy::dpdk::guarded_count.load(std::memory_order_acquire) != 0) {
        sy::dpdk::wait_for_workers();
    }
    return static_cast<int>(syscall(SYS_munmap, address, bytes));
}
