// DPDK's environment: brought up once a process, before ports and worker threads, and taken down
// after them. CPUs are not its business: it gets the calling thread's own as its one lcore, and
// that thread's affinity is as before when start() returns; workers are our threads and register
// themselves, so that they have caches in the mempools.
//
// start() and the destructor: the control thread. EalThread: each worker for itself.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace sy::dpdk {

struct EalOptions {
    std::vector<std::string> arguments;  // [dpdk] eal
    std::vector<std::string> devices;    // [[dpdk.port]] device
    uint64_t memory_bytes = 0;  // what the pools will take: the size where --no-huge is set
};

/// What rte_eal_init gets: the configured arguments behind our defaults, each left out where it is
/// configured: a file prefix of this process, nothing left in files, warnings alone in the log, no
/// telemetry socket, and of PCI only the devices that ports name. `cpus`: of the calling thread,
/// such as "0,2,3".
[[nodiscard]] std::vector<std::string> eal_arguments(const EalOptions& options,
                                                     const std::string& cpus,
                                                     uint64_t process_id);

class Eal {
  public:
    /// EAL starts once a process: a second start() fails, even after the first has ended.
    [[nodiscard]] static Result<std::unique_ptr<Eal>> start(const EalOptions& options);
    ~Eal();
    Eal(const Eal&) = delete;
    Eal& operator=(const Eal&) = delete;

  private:
    Eal() = default;
    std::vector<std::string> arguments_;
    std::vector<char*> argv_;
    bool is_up_ = false;
};

/// The calling thread as an lcore of EAL. Without it everything works, but slower.
class EalThread {
  public:
    [[nodiscard]] static Result<std::unique_ptr<EalThread>> enter();
    ~EalThread();
    EalThread(const EalThread&) = delete;
    EalThread& operator=(const EalThread&) = delete;

  private:
    EalThread() = default;
};

}  // namespace sy::dpdk
