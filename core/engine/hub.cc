#include "core/engine/hub.h"

#include <algorithm>
#include <span>
#include <utility>

#include "core/base/assert.h"
#include "core/engine/receipt_key.h"

namespace sy::engine {
namespace {

// A mailbox that is full is no loss: the sender keeps a list and tries again next turn.
constexpr uint32_t mailbox_entries = 8192;
constexpr uint32_t event_entries = 1024;

}  // namespace

bool RateBucket::take(
    Nanos now_ns, uint32_t rate_per_second, uint32_t burst, uint32_t credit, uint32_t messages) {
    if (rate_per_second == 0) {
        return true;
    }
    const uint64_t interval_ns = second_ns / rate_per_second;
    const uint64_t depth = uint64_t{burst == 0 ? rate_per_second : burst} + credit;
    const uint64_t taken_ns = interval_ns * messages;
    const uint64_t depth_ns = std::max(interval_ns * depth, taken_ns);
    // Relaxed: the bucket is the only thing that these workers agree on here.
    uint64_t at = full_again_ns_.load(std::memory_order_relaxed);
    while (true) {
        const uint64_t base = at > now_ns ? at : now_ns;
        if (base + taken_ns > now_ns + depth_ns) {
            return false;
        }
        if (full_again_ns_.compare_exchange_weak(at, base + taken_ns, std::memory_order_relaxed)) {
            return true;
        }
    }
}

Hub::Hub(const HubOptions& options)
    : options_(options),
      published_(options.workers),
      suppliers_(std::make_unique<SupplierShared[]>(limits::suppliers_max)),
      customers_(std::make_unique<CustomerShared[]>(limits::customers_max)),
      counters_(std::make_unique<WorkerCounters[]>(options.workers)),
      supplier_counters_(
          std::make_unique<SupplierCounters[]>(size_t{options.workers} * limits::suppliers_max)),
      customer_counters_(
          std::make_unique<CustomerCounters[]>(size_t{options.workers} * limits::customers_max)),
      parts_(options.long_messages_max),
      mo_parts_(2 * options.long_messages_max),
      quality_(options.workers, options.quality_pairs_max) {
    SY_ASSERT(options.workers > 0 && options.workers <= limits::workers_max);
    if (options.store) {
        store_ = std::make_unique<StoreLink>(options.workers, options.messages_max);
    }
    for (uint32_t i = 0; i < options.workers * options.workers; ++i) {
        mailboxes_.push_back(std::make_unique<queue::SpscRing<Message*>>(mailbox_entries));
    }
    for (uint32_t i = 0; i < options.workers; ++i) {
        events_.push_back(std::make_unique<queue::SpscRing<Event>>(event_entries));
        quality_counts_.push_back(
            std::make_unique<route::QualityCounts>(options.quality_pairs_max));
        if (options.record_ring_bytes > 0) {
            records_.push_back(std::make_unique<queue::ByteRing>(options.record_ring_bytes));
        }
    }
}

Hub::~Hub() = default;

Result<void> Hub::publish(std::unique_ptr<const route::Snapshot> snapshot) {
    SY_ASSERT(snapshot->scratches.size() == options_.workers);
    for (size_t i = 0; i < snapshot->suppliers.size(); ++i) {
        const auto* supplier = snapshot->suppliers[i].get();
        if (supplier == nullptr || suppliers_[i].ring.load(std::memory_order_relaxed) != nullptr) {
            continue;
        }
        auto ring = queue::SharedRing::create(supplier->queue, options_.workers == 1);
        if (!ring) {
            return fail("supplier " + supplier->name + ": " + ring.error().text);
        }
        suppliers_[i].key_seed.store(key_seed(supplier->name), std::memory_order_relaxed);
        // Release: made visible with the snapshot that first names the supplier.
        suppliers_[i].ring.store(ring->get(), std::memory_order_release);
        rings_.push_back(std::move(*ring));
    }
    quality_.configure(snapshot->quality);
    published_.publish(std::move(snapshot));
    ring(~uint64_t{0});
    return {};
}

void Hub::begin_drain(Nanos unbind_latest_ns) {
    // Nobody has reported yet: until then everybody counts as busy.
    for (uint32_t w = 0; w < options_.workers; ++w) {
        in_flight_[w].store(1, std::memory_order_relaxed);
    }
    drain_latest_ns_.store(unbind_latest_ns == 0 ? 1 : unbind_latest_ns, std::memory_order_release);
    ring(~uint64_t{0});
}

int64_t Hub::in_flight() const {
    int64_t sum = 0;
    for (uint32_t w = 0; w < options_.workers; ++w) {
        sum += in_flight_[w].load(std::memory_order_relaxed);
    }
    return sum;
}

bool Hub::drained() const {
    const uint64_t all =
        options_.workers == 64 ? ~uint64_t{0} : (uint64_t{1} << options_.workers) - 1;
    return drained_mask_.load(std::memory_order_acquire) == all;
}

void Hub::set_waker(WorkerId worker, void (*wake)(void*), void* context) {
    doorbells_[worker.value].wake = wake;
    doorbells_[worker.value].context = context;
}

bool Hub::next_event(Event& out) {
    for (auto& ring : events_) {
        if (ring->pop({&out, 1}) == 1) {
            return true;
        }
    }
    return false;
}

void Hub::report(WorkerId worker, const Event& event) {
    if (!events_[worker.value]->push(event)) {
        counters(worker).events_lost.add();
    }
}

void Hub::lie_down(WorkerId worker) {
    doorbells_[worker.value].asleep.store(true, std::memory_order_relaxed);
    // Pairs with the fence in ring(): either the sleeper sees the new work in its last check, or
    // the giver sees that it sleeps.
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

void Hub::get_up(WorkerId worker) {
    doorbells_[worker.value].asleep.store(false, std::memory_order_relaxed);
}

void Hub::ring(uint64_t worker_mask) {
    std::atomic_thread_fence(std::memory_order_seq_cst);  // pairs with lie_down()
    for (uint32_t w = 0; w < options_.workers; ++w) {
        Doorbell& bell = doorbells_[w];
        if ((worker_mask >> w & 1) != 0 && bell.asleep.load(std::memory_order_relaxed) &&
            bell.asleep.exchange(false, std::memory_order_relaxed) && bell.wake != nullptr) {
            bell.wake(bell.context);
        }
    }
}

}  // namespace sy::engine
