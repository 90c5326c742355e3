// What one seed means: how many workers, accounts, rules, what goes wrong and how often. Drawn
// once; everything else of a run follows from it and from the seed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/route/snapshot.h"
#include "io/sim/net.h"
#include "tests/sim/customer.h"
#include "tests/sim/ledger.h"
#include "tests/sim/supplier.h"
#include "tests/sim/wire.h"

namespace sy::sim {

struct Scenario {
    uint64_t seed = 0;
    uint32_t workers = 1;
    Nanos traffic_ns = 6 * second_ns;
    uint32_t reloads = 0;
    uint32_t supplier_restarts = 0;
    bool drain_in_traffic = false;  // SIGTERM while everybody talks; else after a quiet end
    uint32_t stall = 0;  // turns of a worker, parts in 1,000, after which it is held up for a while
    LinkMix mix;         // while there is traffic
    std::vector<std::string> prefixes;
    std::vector<RuleSet> rule_sets;  // the first one, then one a reload
    std::vector<CustomerNature> customers;
    std::vector<std::string> numbers;  // inbound, one a customer
    std::vector<SupplierNature> suppliers;
    // The accounts as the configuration has them; reloads replace some.
    std::vector<std::shared_ptr<const route::Customer>> customer_accounts;
    std::vector<std::shared_ptr<const route::Supplier>> supplier_accounts;

    [[nodiscard]] std::string describe() const;
    /// What is under it when it runs over stacks.
    [[nodiscard]] std::unique_ptr<Wire> wire() const;
};

[[nodiscard]] Scenario draw_scenario(uint64_t seed);

/// The snapshot of rule set `index` and the scenario's accounts as they are now.
[[nodiscard]] std::unique_ptr<route::Snapshot> make_snapshot(const Scenario& scenario,
                                                             size_t index);

/// What a reload does besides the rules: some accounts become others (equal in content but for a
/// detail), which makes the router rebind them.
void change_accounts(Scenario& scenario, Prng& prng);

[[nodiscard]] Endpoint router_endpoint();

}  // namespace sy::sim
