#include "tests/sim/world.h"

#include <algorithm>

namespace sy::sim {
namespace {

constexpr Nanos quiet_ns_max = 120 * second_ns;
constexpr Nanos drain_ns_max = 30 * second_ns;
constexpr Nanos settle_ns = 12 * second_ns;

}  // namespace

World::World(uint64_t seed, const Options& options)
    : scenario_(draw_scenario(seed)),
      network_(seed, scenario_.workers, scenario_.mix, options.stack ? scenario_.wire() : nullptr),
      net_(network_.net()),
      ledger_(net_, [this](const std::string& name) { return network_.find_log(name); }),
      prng_(mix64(seed + 1)) {
    network_.set_trace(options.trace);
    network_.set_pcap(options.pcap);
}

RunResult World::run() {
    add_workers();
    add_peers();
    publish(0);
    plan_faults();
    traffic_phase();
    if (scenario_.drain_in_traffic) {
        // What waits for a customer that is not bound ends with the process, receipts too.
        ledger_.allow_lost_receipts();
        drain_phase();
        settle_links();
        ledger_.balance();
    } else {
        quiet_phase();
        ledger_.balance();
        drain_phase();
    }
    check_router();
    rest_stacks();
    return {.hash = network_.hash(),
            .violations = ledger_.violations(),
            .totals = ledger_.totals(),
            .events = net_.counters().events,
            .frames = network_.frames(),
            .frames_lost = network_.frames_lost(),
            .turns = turns_,
            .virtual_ns = net_.now_ns()};
}

void World::add_workers() {
    engine::HubOptions options;
    options.workers = scenario_.workers;
    options.connections_max = 128;
    options.messages_max = 1024;
    options.large_messages_max = 4;
    options.receipts_max = 4096;
    options.long_messages_max = 1024;
    options.quality_pairs_max = 64;
    hub_ = std::make_unique<engine::Hub>(options);
    for (uint8_t w = 0; w < scenario_.workers; ++w) {
        Node node;
        node.transport = network_.make_worker(w, options.connections_max);
        node.worker = std::make_unique<engine::Worker>(*hub_, WorkerId{w}, scenario_.seed + w);
        node.driver =
            std::make_unique<engine::Driver<RouterTransport>>(*node.worker, *node.transport);
        hub_->set_waker(
            WorkerId{w}, [](void* transport) { static_cast<RouterTransport*>(transport)->wake(); },
            node.transport.get());
        const auto listening = node.transport->listen(router_endpoint());
        SY_ASSERT(listening.has_value());
        nodes_.push_back(std::move(node));
    }
}

void World::add_peers() {
    for (const SupplierNature& nature : scenario_.suppliers) {
        suppliers_.push_back(std::make_unique<Supplier>(network_, ledger_, prng_(), nature));
        suppliers_.back()->start(scenario_.numbers);
        const auto& account = *scenario_.supplier_accounts[nature.index];
        ledger_.set_supplier(nature.index, account.on_unknown, account.timers.response_ns);
    }
    for (const CustomerNature& nature : scenario_.customers) {
        customers_.push_back(std::make_unique<Customer>(network_, ledger_, prng_(), nature,
                                                        router_endpoint(), scenario_.prefixes));
        customers_.back()->start();
    }
}

void World::publish(size_t rule_set) {
    const auto published = hub_->publish(make_snapshot(scenario_, rule_set));
    SY_ASSERT(published.has_value());
    ledger_.published(scenario_.rule_sets.at(rule_set), net_.now_ns());
    for (Node& node : nodes_) {
        node.next_ns = std::max(node.stalled_until_ns, std::min(node.next_ns, net_.now_ns()));
    }
}

void World::plan_faults() {
    for (size_t i = 1; i < scenario_.rule_sets.size(); ++i) {
        faults_.emplace(net_.now_ns() + i * scenario_.traffic_ns / (scenario_.rule_sets.size()),
                        [this, i] {
                            change_accounts(scenario_, prng_);
                            publish(i);
                        });
    }
    for (uint32_t i = 0; i < scenario_.supplier_restarts; ++i) {
        faults_.emplace(net_.now_ns() + prng_.below(scenario_.traffic_ns),
                        [this] { suppliers_[prng_.below(suppliers_.size())]->restart(); });
    }
    for (uint32_t i = 0; i < network_.cables_pulled(); ++i) {
        faults_.emplace(net_.now_ns() + prng_.below(scenario_.traffic_ns), [this] {
            network_.pull_cable(prng_.below(customers_.size() + suppliers_.size()));
        });
    }
}

// ---------------------------------------------------------------- the clock

bool World::turn_worker(Node& node) {
    const Nanos now_ns = net_.now_ns();
    if (now_ns < node.stalled_until_ns ||
        (now_ns < node.next_ns && !node.transport->carrier().has_work())) {
        return false;
    }
    ++turns_;
    if (node.driver->turn(net_.now())) {
        node.next_ns = now_ns + microsecond_ns;
    } else {
        node.driver->sleep();
        node.next_ns = std::max(node.transport->carrier().wait_until_ns(), now_ns + microsecond_ns);
    }
    if (const auto* stack = node.transport->carrier().stack(); stack && turns_ % 16 == 0) {
        stack->check_invariants();
    }
    if (prng_.chance(scenario_.stall, 1000)) {
        // The machine had something better to do than to run this thread.
        node.stalled_until_ns = now_ns + prng_.below(30 * millisecond_ns);
    }
    return true;
}

/// Everybody who has something to do now, workers in a drawn order; then the clock moves on.
void World::step(Nanos end_ns) {
    while (!faults_.empty() && faults_.begin()->first <= net_.now_ns()) {
        const auto fault = std::move(faults_.begin()->second);
        faults_.erase(faults_.begin());
        fault();
    }
    const size_t first = prng_.below(nodes_.size());
    for (size_t i = 0; i < nodes_.size(); ++i) {
        turn_worker(nodes_[(first + i) % nodes_.size()]);
    }
    Nanos next_ns = std::min(end_ns, network_.next_event_ns());
    const auto turn_peer = [&](Peer& peer) {
        if (peer.has_work() || peer.next_ns() <= net_.now_ns()) {
            peer.turn();
        }
        next_ns = std::min(next_ns, peer.has_work() ? net_.now_ns() : peer.next_ns());
    };
    for (auto& peer : customers_) {
        turn_peer(*peer);
    }
    for (auto& peer : suppliers_) {
        turn_peer(*peer);
    }
    for (const Node& node : nodes_) {
        const Nanos wanted_ns = node.transport->carrier().has_work() ? net_.now_ns() : node.next_ns;
        next_ns = std::min(next_ns, std::max(wanted_ns, node.stalled_until_ns));
    }
    if (!faults_.empty()) {
        next_ns = std::min(next_ns, faults_.begin()->first);
    }
    // What was just sent may be the earliest now.
    next_ns = std::min(next_ns, network_.next_event_ns());
    network_.advance_to(std::max(next_ns, net_.now_ns() + microsecond_ns));
    (void)hub_->reclaim();
    hub_->merge_quality(net_.now_ns());
    engine::Event event;
    while (hub_->next_event(event)) {
        net_.note((uint64_t{static_cast<uint8_t>(event.kind)} << 32) ^ event.detail);
    }
}

template <class Done>
bool World::run_until(Nanos end_ns, Done done) {
    while (net_.now_ns() < end_ns) {
        if (done()) {
            return true;
        }
        step(end_ns);
    }
    return done();
}

// ---------------------------------------------------------------- phases

void World::traffic_phase() {
    (void)run_until(net_.now_ns() + scenario_.traffic_ns, [] { return false; });
}

/// Nothing new, nothing goes wrong any more: what is under way comes to its end.
void World::quiet_phase() {
    network_.be_fair();
    for (auto& customer : customers_) {
        customer->stop_traffic();
        customer->behave();
    }
    for (auto& supplier : suppliers_) {
        supplier->stop_traffic();
        supplier->behave();
    }
    if (!run_until(net_.now_ns() + quiet_ns_max, [this] { return settled(); })) {
        ledger_.violation("the router did not come to rest");
        for (const auto& customer : customers_) {
            ledger_.violation("  a customer has {} requests open, all bound {}",
                              customer->outstanding(), customer->all_bound());
        }
        for (const auto& supplier : suppliers_) {
            ledger_.violation("  a supplier has {} deliveries open, bound {}",
                              supplier->deliveries_open(), supplier->any_bound());
        }
        for (const Node& node : nodes_) {
            ledger_.violation("  a worker has {} messages",
                              node.worker->pool().count() - node.worker->pool().free_count());
        }
    }
}

bool World::settled() const {
    const bool customers = std::ranges::all_of(customers_, [](const auto& customer) {
        return customer->all_bound() && customer->outstanding() == 0;
    });
    const bool suppliers = std::ranges::all_of(suppliers_, [](const auto& supplier) {
        return supplier->any_bound() && supplier->deliveries_open() == 0;
    });
    return customers && suppliers && std::ranges::all_of(nodes_, [](const Node& node) {
               return node.worker->pool().free_count() == node.worker->pool().count();
           });
}

void World::drain_phase() {
    hub_->begin_drain(net_.now_ns() + drain_ns_max / 2);
    if (!run_until(net_.now_ns() + drain_ns_max, [this] { return hub_->drained(); })) {
        ledger_.violation("the router did not drain");
    }
}

/// Over stacks: when the router is through, nothing of it is left in them, on a fair wire.
void World::rest_stacks() {
    constexpr Nanos rest_ns_max = 120 * second_ns;
    if (!network_.over_stack()) {
        return;
    }
    network_.be_fair();
    const auto resting = [this] {
        return std::ranges::all_of(nodes_, [](const Node& node) {
            const tcpip::Stack& stack = node.transport->carrier().stack()->stack();
            return stack.connections_used() == 0 && stack.half_open_used() == 0 &&
                   stack.chunks_used() == 0;
        });
    };
    if (!run_until(net_.now_ns() + rest_ns_max, resting)) {
        ledger_.violation("a stack of the router still has connections or octets");
    }
    for (const Node& node : nodes_) {
        node.transport->carrier().stack()->check_invariants();
    }
    for (Node& node : nodes_) {
        node.driver.reset();
        node.transport.reset();
    }
    if (const uint32_t held = network_.router_frames_held(); held != 0) {
        ledger_.violation("the router's stacks kept {} frames", held);
    }
}

/// What the router sent last arrives, and every peer learns that its links are gone.
void World::settle_links() {
    (void)run_until(net_.now_ns() + settle_ns, [] { return false; });
}

uint64_t World::sum(engine::Counter engine::WorkerCounters::* counter) {
    uint64_t total = 0;
    for (uint8_t w = 0; w < scenario_.workers; ++w) {
        total += (hub_->counters(WorkerId{w}).*counter).get();
    }
    return total;
}

/// The router's own books, and against those of its peers.
void World::check_router() {
    using C = engine::WorkerCounters;
    const auto equal = [&](const char* what, uint64_t left, uint64_t right) {
        if (left != right) {
            ledger_.violation("{}: {} is not {}", what, left, right);
        }
    };
    const auto at_most = [&](const char* what, uint64_t left, uint64_t right) {
        if (left > right) {
            ledger_.violation("{}: {} is more than {}", what, left, right);
        }
    };
    uint64_t in_use = 0;
    for (const Node& node : nodes_) {
        in_use += node.worker->pool().count() - node.worker->pool().free_count();
    }
    if (!scenario_.drain_in_traffic) {
        equal("message pools: in use after drain", in_use, 0);
    }
    const Ledger::Totals totals = ledger_.totals();
    const uint64_t good = sum(&C::mt_accepted) + sum(&C::mt_dropped);
    const uint64_t bad = sum(&C::mt_rejected) + sum(&C::mt_expired) + sum(&C::mt_unknown);
    equal("MT in and end states", sum(&C::mt_in), good + bad);
    equal("MO in and end states", sum(&C::mo_in), sum(&C::mo_delivered) + sum(&C::mo_rejected));
    const uint64_t receipts_ended = sum(&C::receipts_orphaned) + sum(&C::receipts_duplicate) +
                                    sum(&C::receipts_suppressed) + sum(&C::receipts_delivered) +
                                    sum(&C::receipts_refused) + sum(&C::receipts_expired);
    // In use after a drain are only receipts that wait for customers that are not bound. One that
    // was held off is the supplier's again.
    equal("receipts in, and ended, held off or waiting", sum(&C::receipts_in),
          receipts_ended + sum(&C::receipts_held_off) + in_use);
    at_most("answers OK at customers and end states", totals.answered_ok, good);
    at_most("end states OK and answers at customers", good, totals.answered_ok + totals.unanswered);
    at_most("errors at customers and end states", totals.answered_error, bad + sum(&C::mt_refused));
    at_most("MT in and what customers sent", sum(&C::mt_in) + sum(&C::mt_refused), totals.submits);
    uint64_t submitted = 0;
    uint64_t received = 0;
    for (const auto& supplier : suppliers_) {
        received += supplier->submits();
    }
    for (uint8_t w = 0; w < scenario_.workers; ++w) {
        for (uint16_t s = 0; s < suppliers_.size(); ++s) {
            submitted += hub_->counters(WorkerId{w}, SupplierId{s}).submitted.get();
        }
    }
    at_most("submits at suppliers and sent by the router", received, submitted);
    equal("malformed PDUs", sum(&C::pdus_malformed), 0);
    equal("impossible frames", sum(&C::frames_bad), 0);
    equal("generic_nack sent", sum(&C::nacks_out), 0);
    // The router remembers a bounded number of requests that it gave up.
    const bool late =
        std::ranges::any_of(scenario_.customers,
                            [](const CustomerNature& nature) { return nature.deliver_late > 0; }) ||
        std::ranges::any_of(scenario_.suppliers,
                            [](const SupplierNature& nature) { return nature.late > 0; });
    if (!late) {
        equal("responses that were not pending", sum(&C::responses_unmatched), 0);
    }
}

}  // namespace sy::sim
