// Everything of io/dpdk that a router over DPDK holds: EAL, then its ports. Made before the worker
// threads, gone after them, in the opposite order. Control thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"
#include "io/admin/metrics.h"
#include "io/dpdk/eal.h"
#include "io/dpdk/port.h"

namespace sy::daemon {

class DpdkDevices {
  public:
    [[nodiscard]] static Result<std::unique_ptr<DpdkDevices>> start(const config::Config& config);

    /// Of the worker's queue on the port: what its TCP/IP stack stands on.
    [[nodiscard]] dpdk::DpdkQueue& queue(uint32_t port, uint32_t worker) {
        return ports_[port]->queue(worker);
    }
    [[nodiscard]] uint32_t port_count() const { return static_cast<uint32_t>(ports_.size()); }

    /// What became of the ports, one line each, for the log.
    [[nodiscard]] std::vector<std::string> summary() const;
    /// A link that came or went, or a device that did, one line each.
    [[nodiscard]] std::vector<std::string> poll();
    /// The queues' counters under their worker, the devices' under worker 0. Any thread.
    void add_samples(std::vector<admin::WorkerSample>& out) const;

  private:
    DpdkDevices() = default;

    std::unique_ptr<dpdk::Eal> eal_;  // before the ports: goes last
    std::vector<std::unique_ptr<dpdk::Port>> ports_;
};

}  // namespace sy::daemon
