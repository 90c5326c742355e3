// The userspace stack on one queue of a DPDK device: both ends of a test bypass the kernel. Spins;
// whoever calls it is the stack's one thread.
#pragma once

#include "bench/smppload/net.h"
#include "bench/smppload/options.h"

namespace sy::load {

/// Brings up EAL (once a process) and the device. `options`: --dpdk and what belongs to it.
[[nodiscard]] Result<std::unique_ptr<Net>> make_dpdk_net(const Options& options);

}  // namespace sy::load
