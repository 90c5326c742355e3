#include "tests/support/sim_router.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/base/assert.h"
#include "core/store/open.h"
#include "tests/support/sim_peer.h"

namespace sy::test {
namespace {

engine::HubOptions options(const SimConfig& config, uint32_t workers, bool store) {
    engine::HubOptions out;
    out.workers = workers;
    out.store = store;
    out.connections_max = 256;
    out.messages_max = config.messages_max;
    out.large_messages_max = 16;
    out.receipts_max = 8192;
    out.long_messages_max = 1024;
    out.quality_pairs_max = 64;
    out.record_ring_bytes = config.record_ring_bytes;
    return out;
}

}  // namespace

Endpoint endpoint(const std::string& text) {
    return parse_endpoint(text).value();
}

route::Customer customer(const std::string& name) {
    route::Customer out;
    out.name = name;
    out.system_id = name;
    out.password = "secret";
    out.window = 10;
    return out;
}

route::Supplier supplier(const std::string& name, const std::string& host) {
    route::Supplier out;
    out.name = name;
    out.hosts = {endpoint(host)};
    out.system_id = "sy";
    out.password = "secret";
    return out;
}

route::MtRule rule(const std::string& prefix, std::vector<uint16_t> suppliers) {
    route::MtRule out;
    out.line = 2;
    out.plan = "default";
    out.prefix = prefix;
    for (const uint16_t id : suppliers) {
        out.targets.push_back({{SupplierId{id}, 1}});
    }
    return out;
}

std::shared_ptr<const route::Prices> prices(const std::vector<TestPrice>& rows) {
    auto buy = std::make_shared<route::BuyPrices>();
    uint16_t columns = 0;
    std::vector<route::PriceRow> sorted;
    for (const TestPrice& each : rows) {
        route::PriceRow row;
        row.line = static_cast<uint32_t>(sorted.size() + 2);
        row.column = buy->suppliers.claim(SupplierId{each.supplier}, columns);
        row.price = each.price;
        row.from = each.from;
        sorted.push_back(row);
    }
    sort_rows(sorted);
    buy->table = route::PriceTable(sorted, columns);
    auto out = std::make_shared<route::Prices>();
    out->buy = std::move(buy);
    return out;
}

std::unique_ptr<route::Snapshot> make_snapshot(const SimConfig& config,
                                               uint32_t workers,
                                               const route::Snapshot* previous) {
    auto out = std::make_unique<route::Snapshot>();
    out->generation = previous == nullptr ? 1 : previous->generation + 1;
    out->timers = config.timers;
    std::vector<std::string> plans{"default"};
    for (const auto& account : config.customers) {
        if (std::ranges::find(plans, account.plan) == plans.end()) {
            plans.push_back(account.plan);
        }
    }
    const auto keep = [](const auto& fresh, const auto* old, uint16_t index) {
        using Account = std::decay_t<decltype(fresh)>;
        if (old != nullptr && index < old->size() && (*old)[index] != nullptr &&
            *(*old)[index] == fresh) {
            return (*old)[index];
        }
        return std::make_shared<const Account>(fresh);
    };
    for (uint16_t i = 0; i < config.customers.size(); ++i) {
        route::Customer account = config.customers[i];
        const auto plan = std::ranges::find(plans, account.plan) - plans.begin();
        account.plan_id = PlanId{static_cast<uint16_t>(plan)};
        if (account.name.empty()) {  // removed by the test
            out->customers.push_back(nullptr);
            continue;
        }
        out->customers.push_back(
            keep(account, previous != nullptr ? &previous->customers : nullptr, i));
        out->customer_by_system_id[account.system_id] = CustomerId{i};
    }
    for (uint16_t i = 0; i < config.suppliers.size(); ++i) {
        if (config.suppliers[i].name.empty()) {
            out->suppliers.push_back(nullptr);
            continue;
        }
        out->suppliers.push_back(
            keep(config.suppliers[i], previous != nullptr ? &previous->suppliers : nullptr, i));
    }
    std::vector<route::MtTable::BuildError> errors;
    out->mt = route::MtTable::build(config.mt, plans, errors, config.networks);
    out->mt.set_prices(config.prices);
    out->quality = config.quality;
    out->record_fields = config.record_fields;
    out->retry = config.retry;
    out->mo = route::MoTable::build(config.mo, {}, errors);
    SY_ASSERT(errors.empty());
    out->errors = route::ErrorTable(config.errors);
    out->scratches.resize(workers);
    for (route::RouteScratch& scratch : out->scratches) {
        SY_ASSERT(scratch.prepare(out->mt, out->mo).has_value());
    }
    return out;
}

SimRouter::Store::Store(engine::Hub& hub, const SimConfig& config, store::Database& database)
    : names(
          [&] {
              std::vector<std::string> out;
              for (const route::Customer& account : config.customers) {
                  out.push_back(account.name);
              }
              return out;
          }(),
          {"23415", "26201"},
          [&] {
              std::vector<std::string> out;
              for (const route::Supplier& account : config.suppliers) {
                  out.push_back(account.name);
              }
              return out;
          }()),
      spills(hub) {
    const auto found = store::open(database, spills);
    SY_ASSERT(found.has_value());
    spills.resolve(names);
    writer = std::make_unique<store::Writer>(hub, database, spills, found->next_sequence);
    auto messages = writer->open();
    SY_ASSERT(messages.has_value());
    interrupted = std::move(messages->under_way);
    writer->resolve(names);
    reader = std::make_unique<store::Reader>(hub, database, spills);
}

SimRouter::SimRouter(sim::SimNet& net,
                     const SimConfig& config,
                     uint32_t workers,
                     store::Database* database)
    : net_(net), worker_count_(workers), hub_(options(config, workers, database != nullptr)) {
    if (database != nullptr) {
        store_ = std::make_unique<Store>(hub_, config, *database);
    }
    SY_ASSERT(hub_.publish(make_snapshot(config, workers, nullptr)).has_value());
    if (store_ != nullptr) {
        const Now now = net.now();
        const size_t marked =
            store::record_interrupted(store_->interrupted, 0, hub_, *hub_.owned_snapshot(),
                                      store_->names, now.wall_ns, now.mono_ns);
        SY_ASSERT(marked == store_->interrupted.size());
    }
    for (uint32_t w = 0; w < workers; ++w) {
        const sim::SimOptions sim_options{.connections_max = 256,
                                          .address = endpoint("10.0.0.1:0"),
                                          .close_linger_ns = second_ns};
        transports_.push_back(std::make_unique<sim::SimTransport>(net, sim_options));
        SY_ASSERT(transports_.back()->listen(endpoint(address)).has_value());
        workers_.push_back(std::make_unique<engine::Worker>(hub_, WorkerId{static_cast<uint8_t>(w)},
                                                            net.prng()()));
        drivers_.push_back(std::make_unique<engine::Driver<sim::SimTransport>>(
            *workers_.back(), *transports_.back()));
    }
}

SimRouter::~SimRouter() = default;

void SimRouter::reload(const SimConfig& config) {
    SY_ASSERT(
        hub_.publish(make_snapshot(config, worker_count_, hub_.owned_snapshot())).has_value());
}

bool SimRouter::turn_store() {
    if (store_ == nullptr || !store_runs) {
        return false;
    }
    if (++store_rounds_ % store_every != 0) {
        const engine::StoreLink& link = *hub_.store();
        return link.has_work(engine::StoreEnd::writer) || link.has_work(engine::StoreEnd::reader);
    }
    const bool wrote = store_->writer->run(store_->names, true);
    const bool read = store_->reader->run(store_->names);
    for (std::string error : {store_->writer->take_error(), store_->reader->take_error()}) {
        if (!error.empty()) {
            store_errors.push_back(std::move(error));
        }
    }
    return wrote || read;
}

void SimRouter::turn_all() {
    bool busy = true;
    for (int rounds = 0; busy && rounds < 1000 && rounds_left > 0; ++rounds) {
        --rounds_left;
        busy = false;
        for (auto& driver : drivers_) {
            busy = driver->turn(net_.now()) || busy;
        }
        for (SimPeer* peer : peers_) {
            busy = peer->turn() || busy;
        }
        busy = turn_store() || busy;
    }
    hub_.reclaim();
    hub_.merge_quality(net_.now_ns());
}

void SimRouter::step(Nanos end_ns) {
    if (rounds_left == 0) {
        net_.advance_to(end_ns);
        return;
    }
    turn_all();
    Nanos next = std::min(end_ns, net_.next_event_ns());
    for (auto& driver : drivers_) {
        next = std::min(next, driver->next_wakeup_ns());
    }
    for (SimPeer* peer : peers_) {
        next = std::min(next, peer->next_wakeup_ns());
    }
    net_.advance_to(std::max(next, net_.now_ns() + 1));
}

void SimRouter::run_for(Nanos duration_ns) {
    const Nanos end = net_.now_ns() + duration_ns;
    while (net_.now_ns() < end) {
        step(end);
    }
    turn_all();
}

uint64_t SimRouter::count(engine::Counter engine::WorkerCounters::* counter) {
    uint64_t sum = 0;
    for (auto& worker : workers_) {
        sum += (hub_.counters(worker->id()).*counter).get();
    }
    return sum;
}

uint32_t SimRouter::in_flight() const {
    uint32_t sum = 0;
    for (const auto& worker : workers_) {
        sum += worker->pool().count() - worker->pool().free_count();
    }
    return sum;
}

}  // namespace sy::test
