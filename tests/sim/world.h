// One run: the router (a Hub and its workers), customers and suppliers over one Network, in one
// thread, in the order that the seed says.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/engine/driver.h"
#include "core/engine/hub.h"
#include "core/engine/worker.h"
#include "tests/sim/customer.h"
#include "tests/sim/ledger.h"
#include "tests/sim/network.h"
#include "tests/sim/scenario.h"
#include "tests/sim/supplier.h"

namespace sy::sim {

struct RunResult {
    uint64_t hash = 0;  // of everything that happened
    std::vector<std::string> violations;
    Ledger::Totals totals;
    uint64_t events = 0;  // of byte streams
    uint64_t frames = 0;  // of the wire
    uint64_t frames_lost = 0;
    uint64_t turns = 0;
    Nanos virtual_ns = 0;
};

class World {
  public:
    struct Options {
        bool stack = false;  // over the userspace stack and a wire of packets
        std::FILE* trace = nullptr;
        PcapWriter* pcap = nullptr;  // what the router's end of the wire sees
    };
    World(uint64_t seed, const Options& options);
    RunResult run();

  private:
    // A worker of the router and when it wants its next turn.
    struct Node {
        std::unique_ptr<RouterTransport> transport;
        std::unique_ptr<engine::Worker> worker;
        std::unique_ptr<engine::Driver<RouterTransport>> driver;
        Nanos next_ns = 0;
        Nanos stalled_until_ns = 0;
    };

    void add_workers();
    void add_peers();
    void publish(size_t rule_set);
    void plan_faults();
    void traffic_phase();
    void quiet_phase();
    void drain_phase();
    void settle_links();
    void rest_stacks();
    void check_router();

    template <class Done>
    bool run_until(Nanos end_ns, Done done);
    void step(Nanos end_ns);
    bool turn_worker(Node& node);
    [[nodiscard]] bool settled() const;
    [[nodiscard]] uint64_t sum(engine::Counter engine::WorkerCounters::* counter);

    Scenario scenario_;
    Network network_;
    SimNet& net_;  // the network's clock
    Ledger ledger_;
    Prng prng_;
    std::unique_ptr<engine::Hub> hub_;
    std::vector<Node> nodes_;
    std::vector<std::unique_ptr<Customer>> customers_;
    std::vector<std::unique_ptr<Supplier>> suppliers_;
    std::multimap<Nanos, std::function<void()>> faults_;
    uint64_t turns_ = 0;
};

}  // namespace sy::sim
