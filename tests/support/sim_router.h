// A whole router over the simulated network, in one thread, for tests: workers, drivers, hub, and a
// configuration given as values. Peers are SimPeer (sim_peer.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/engine/driver.h"
#include "core/engine/hub.h"
#include "core/engine/worker.h"
#include "core/store/reader.h"
#include "core/store/spills.h"
#include "core/store/writer.h"
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
    // Of the hub: only the first configuration counts.
    uint32_t record_ring_bytes = 0;
    uint32_t messages_max = 4096;
    route::RecordFields record_fields;
    route::RetrySchedule retry;
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
    /// `database`: of its store, which takes its turns with the workers; null: it has none.
    SimRouter(sim::SimNet& net,
              const SimConfig& config,
              uint32_t workers = 1,
              store::Database* database = nullptr);
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

    /// False: the store does not get to work, as if its disk took long.
    bool store_runs = true;
    /// It works in every so manieth round of turns.
    uint32_t store_every = 1;
    /// After so many rounds of turns everything stands still, as at a kill in the middle of work.
    uint32_t rounds_left = 0xFFFFFFFF;
    /// What the store's ends said went wrong.
    std::vector<std::string> store_errors;

    static constexpr const char* address = "10.0.0.1:2775";

  private:
    struct Store {
        Store(engine::Hub& hub, const SimConfig& config, store::Database& database);

        store::Names names;
        store::Spills spills;
        std::unique_ptr<store::Writer> writer;
        std::unique_ptr<store::Reader> reader;
        std::vector<store::Interrupted> interrupted;
    };

    bool turn_store();
    void turn_all();
    void step(Nanos end_ns);

    sim::SimNet& net_;
    uint32_t worker_count_;
    engine::Hub hub_;
    std::unique_ptr<Store> store_;
    uint32_t store_rounds_ = 0;
    std::vector<std::unique_ptr<sim::SimTransport>> transports_;
    std::vector<std::unique_ptr<engine::Worker>> workers_;
    std::vector<std::unique_ptr<engine::Driver<sim::SimTransport>>> drivers_;
    std::vector<SimPeer*> peers_;
};

}  // namespace sy::test
