#include "io/daemon/durable.h"

#include "io/daemon/clock.h"

namespace sy::daemon {

std::shared_ptr<const store::Names> store_names_of(const config::Registry& registry) {
    return std::make_shared<const store::Names>(registry.customers(), registry.networks(),
                                                registry.suppliers());
}

Result<std::unique_ptr<store::Store>> open_store(engine::Hub& hub,
                                                 const config::Config& config,
                                                 const config::Registry& registry) {
    const config::Store& wanted = config.store;
    if (wanted.path.empty()) {
        return nullptr;
    }
    store::StoreOptions options;
    options.database.path = wanted.path;
    options.database.age_ns = wanted.age_ns;
    options.database.memory_bytes = wanted.memory_bytes;
    options.database.wall_ns = [] { return read_clock(CLOCK_REALTIME); };
    options.every_commit = wanted.every_commit;
    options.interval_ns = wanted.interval_ns;
    options.size_max_bytes = wanted.size_max_bytes;
    return store::Store::open(hub, std::move(options), store_names_of(registry));
}

void mark_interrupted(engine::Hub& hub,
                      store::Store& store,
                      record::Writer* records,
                      const config::Registry& registry) {
    const std::vector<store::Interrupted> all = store.take_interrupted();
    const auto names = store_names_of(registry);
    for (size_t done = 0, before = 0; done < all.size(); before = done) {
        done = store::record_interrupted(all, done, hub, *hub.owned_snapshot(), *names,
                                         read_clock(CLOCK_REALTIME), read_clock(CLOCK_MONOTONIC));
        if (records != nullptr) {
            records->write_waiting();
        }
        if (done == before) {
            // Larger than the whole ring.
            hub.counters(WorkerId{0}).records_lost.add();
            ++done;
        }
    }
}

void add_store_samples(const store::Store* store, std::vector<admin::TotalSample>& out) {
    if (store == nullptr) {
        return;
    }
    for (const store::NamedCount& one : store->counts()) {
        out.push_back({one.name, one.help, {}, {}, one.value});
    }
}

}  // namespace sy::daemon
