// The worker threads: one engine worker over one transport each, pinned to one CPU. Made, started
// and stopped by the control thread; between start() and stop() only the threads touch them. Which
// transport it is, worker_impl.h does not know: a new one is a class there and a line in create().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/endpoint.h"
#include "core/base/result.h"
#include "core/config/config.h"
#include "core/engine/hub.h"
#include "io/admin/metrics.h"

namespace sy::daemon {

class DpdkDevices;
class OneWorker;

class Workers {
  public:
    /// Makes transports and engine workers and lets every transport listen. No thread runs yet.
    /// `hub` outlives this and has a published snapshot.
    static Result<std::unique_ptr<Workers>> create(engine::Hub& hub, const config::Config& config);
    ~Workers();  // stops
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    /// Starts and pins the threads. On error none is left running.
    [[nodiscard]] Result<void> start();
    /// Ends every thread after its turn and waits for it; sessions are cut.
    void stop();

    /// Where customers really connect: port 0 of the configuration is replaced.
    [[nodiscard]] const std::vector<Endpoint>& listening() const { return listening_; }
    /// What the operator should know about the transports; empty as a rule.
    [[nodiscard]] std::vector<std::string> warnings() const;
    /// The transports' counters; any thread.
    [[nodiscard]] std::vector<admin::WorkerSample> samples() const;
    /// What became of the devices, one line each, for the log.
    [[nodiscard]] std::vector<std::string> devices() const;
    /// A few times a second, on the control thread: what the machine reports of the transports'
    /// devices (a link that came or went). One line each, to be logged.
    [[nodiscard]] std::vector<std::string> poll_devices();

  private:
    Workers();
    Result<void> create_kernel(engine::Hub& hub, const config::Config& config);
    Result<void> create_dpdk(engine::Hub& hub, const config::Config& config);

    // Devices outlive the workers on them.
    std::unique_ptr<DpdkDevices> dpdk_;
    std::vector<std::unique_ptr<OneWorker>> all_;
    std::vector<Endpoint> listening_;
};

}  // namespace sy::daemon
