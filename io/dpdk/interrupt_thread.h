// EAL's interrupt thread, on which drivers learn of their devices and alarms run, while ports and
// EAL come down. Nothing in DPDK 22.11 stops it: the memif driver lets go of a lost peer there, the
// link marked down first and its regions freed behind that without a lock, as a stop of the port
// frees them; and rte_eal_cleanup() unmaps the memory in which the thread goes on to look for what
// it watches. Control thread.
#pragma once

namespace sy::dpdk {

/// Returns once the thread has done what it was doing. Before a port is stopped; what is left is a
/// peer that goes between this and the stop.
void finish_interrupt_thread();

/// Ends the thread and returns when it is gone. Once, when every port is closed, so that nothing
/// but alarms is left for it to watch, and before rte_eal_cleanup().
void end_interrupt_thread();

}  // namespace sy::dpdk
