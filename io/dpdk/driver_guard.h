// Keeps workers out of a driver while it lets go of its memory. DPDK 22.11's memif driver unmaps
// the shared regions on EAL's interrupt thread as soon as the peer is gone, and its burst functions
// look at the connection once, on entry: a worker that is inside one then reads unmapped memory. No
// event of ethdev comes before that, so the unmapping itself waits here (munmap of this program)
// until every worker that was inside has come out; the driver has marked the port as disconnected
// by then, and whoever enters after that turns back at once.
//
// Costs a worker two stores a burst, on guarded ports alone, and munmap one load elsewhere.
// Control thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace sy::dpdk {

/// Odd while its worker is inside the driver; written by the worker alone.
using DriverGuard = std::atomic<uint32_t>;

/// Until unguard_driver(). REQUIRES: its worker does not run yet. False when there are too many.
[[nodiscard]] bool guard_driver(const DriverGuard& guard);
void unguard_driver(const DriverGuard& guard);

/// How often munmap has waited for workers; for tests.
[[nodiscard]] uint64_t driver_guard_waits();

}  // namespace sy::dpdk
