// A whole router over the simulated network, in one thread, for tests: workers, drivers, hub, and a
// configuration given as values. Peers are SimPeer (sim_peer.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/engine/driver.h"
#include "core/engine/hub.h"
#include "core/engine/worker.h"
#include "io/sim/net.h"
#include "io/sim/transport.h"

namespace sy::test {

class SimPeer;

/// What a test says about accounts and rules; names become ids in the order in which they stand.
struct SimConfig {
    std::vector<route::Customer> customers;
    std::vector<route::Supplier> suppliers;
    std::vector<route::MtRule> mt;
    std::vector<route::MoRule> mo;
    std::vector<route::ErrorRule> errors;
    route::Timers timers;
    route::NetworkTables networks;
    std::shared_ptr<const route::Prices> prices = std::make_shared<route::Prices>();
    route::QualityOptions quality;
};

[[nodiscard]] Endpoint endpoint(const std::string& text);
[[nodiscard]] std::unique_ptr<route::Snapshot> make_snapshot(const SimConfig& config,
                                                             uint32_t workers,
                                                             const route::Snapshot* previous);
/// Accounts and rows with what tests usually need: password "secret", one bind, window 10.
[[nodiscard]] route::Customer customer(const std::string& name);
[[nodiscard]] route::Supplier supplier(const std::string& name, const std::string& host);
/// A row of plan "default" to the targets, one tier each.
[[nodiscard]] route::MtRule rule(const std::string& prefix, std::vector<uint16_t> suppliers);

struct TestPrice {
    uint16_t supplier = 0;
    route::Money price;
    route::Minute from = 0;
};
/// prices.csv with these rows, each for every destination.
[[nodiscard]] std::shared_ptr<const route::Prices> prices(const std::vector<TestPrice>& rows);

class SimRouter {
  public:
    SimRouter(sim::SimNet& net, const SimConfig& config, uint32_t workers = 1);
    ~SimRouter();

    /// A new configuration, as SIGHUP would bring it.
    void reload(const SimConfig& config);
    void add(SimPeer& peer) { peers_.push_back(&peer); }

    /// Lets the world run for that long; every worker takes its turns as things happen.
    void run_for(Nanos duration_ns);
    /// Until the condition holds; false when it does not within the bound.
    template <class Condition>
    bool run_until(Condition&& condition, Nanos bound_ns = 10 * second_ns) {
        const Nanos end = net_.now_ns() + bound_ns;
        while (!condition()) {
            if (net_.now_ns() >= end) {
                return false;
            }
            step(end);
        }
        return true;
    }

    [[nodiscard]] engine::Hub& hub() { return hub_; }
    [[nodiscard]] engine::Worker& worker(uint32_t index) { return *workers_[index]; }
    /// A worker counter summed over all workers.
    [[nodiscard]] uint64_t count(engine::Counter engine::WorkerCounters::* counter);
    /// Messages that are not back in their pools.
    [[nodiscard]] uint32_t in_flight() const;

    static constexpr const char* address = "10.0.0.1:2775";

  private:
    void turn_all();
    void step(Nanos end_ns);

    sim::SimNet& net_;
    uint32_t worker_count_;
    engine::Hub hub_;
    std::vector<std::unique_ptr<sim::SimTransport>> transports_;
    std::vector<std::unique_ptr<engine::Worker>> workers_;
    std::vector<std::unique_ptr<engine::Driver<sim::SimTransport>>> drivers_;
    std::vector<SimPeer*> peers_;
};

}  // namespace sy::test
