// The CPUs that the workers are pinned to. Checked before the first thread exists, so that a
// refusal leaves nothing behind (ports are checked by io/kernel). Control thread, but
// pin_this_thread() and make_this_thread_quiet().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace sy::daemon {

/// Whether every CPU exists and this process may run on it; the error names the first that fails.
[[nodiscard]] Result<void> check_cpus(const std::vector<uint32_t>& cpus);

/// Pins the calling thread and names it (15 characters at most are shown by ps and perf).
[[nodiscard]] Result<void> pin_this_thread(uint32_t cpu, const std::string& name);

/// Keeps every thread that there is, and what they start from here on, off the workers' CPUs where
/// there are others: a compile must not take a worker's time. Says which are left to them.
/// REQUIRES: no worker thread yet.
std::string keep_off(const std::vector<uint32_t>& cpus);

/// Gives every thread but the calling one, and what they start from here on, the lowest priority:
/// the first compile leaves threads behind that later reloads compile with, beside the traffic.
/// REQUIRES: no worker thread yet.
void make_other_threads_quiet();

/// The same for the calling thread, and names it.
void make_this_thread_quiet(const char* name);

/// "0-3,6" for {0,1,2,3,6}.
[[nodiscard]] std::string cpu_list(const std::vector<uint32_t>& cpus);

}  // namespace sy::daemon
