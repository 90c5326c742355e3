// What the workers of one router share, and nothing else: the published snapshot, one ring a
// supplier, a mailbox for every pair of workers, rate buckets and bind counts of accounts,
// counters, events.
//
// Threads: publish(), reclaim() and the readers of counters and events belong to the control
// thread; all else may be called by every worker. Nothing allocates after the control thread's
// calls.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/ids.h"
#include "core/base/limits.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/engine/counters.h"
#include "core/engine/events.h"
#include "core/engine/message.h"
#include "core/engine/parts_memory.h"
#include "core/engine/store_link.h"
#include "core/engine/supplier_gate.h"
#include "core/queue/byte_ring.h"
#include "core/queue/published.h"
#include "core/queue/shared_ring.h"
#include "core/queue/spsc_ring.h"
#include "core/route/quality.h"
#include "core/route/snapshot.h"

namespace sy::engine {

/// A rate limit shared by all workers without a lock: the time at which the bucket is full again,
/// moved on by one interval a message (GCRA). Exact over all binds of an account.
class RateBucket {
  public:
    /// Takes the worth of `messages`, or nothing. `rate_per_second` 0: always true. `burst` 0: one
    /// second's worth. `credit`: so many more than are there may be taken; whoever comes later
    /// waits for them. More messages than a burst are taken when it is full.
    [[nodiscard]] bool take(Nanos now_ns,
                            uint32_t rate_per_second,
                            uint32_t burst,
                            uint32_t credit = 0,
                            uint32_t messages = 1);

  private:
    std::atomic<uint64_t> full_again_ns_{0};
};

struct alignas(limits::cache_line_bytes) SupplierShared {
    std::atomic<queue::SharedRing*> ring{
        nullptr};                              // set once by control, before anyone can route to it
    std::atomic<uint64_t> tx_workers{0};       // bit w: worker w has a link bound for submitting
    std::atomic<uint64_t> paused_until_ns{0};  // monotonic; error class `pause`
    RateBucket bucket;
    SupplierGate gate;
    std::atomic<uint64_t> key_seed{0};  // of receipts' keys; set by control with the ring
    std::atomic<uint32_t> staged{0};    // out of the ring and waiting, at all workers
    // Bit w: worker w has messages staged; worker w has room on a link and none.
    std::atomic<uint64_t> full_workers{0};
    std::atomic<uint64_t> hungry_workers{0};
};

struct alignas(limits::cache_line_bytes) CustomerShared {
    std::atomic<uint32_t> binds{0};       // sessions bound, all workers
    std::atomic<uint64_t> rx_workers{0};  // bit w: worker w has a session that takes deliver_sm
    std::atomic<int64_t> receipts_waiting{0};  // on all workers
    std::atomic<int64_t> receipts_stored{0};   // in the store alone
    // Messages in the store alone: when to look for the first one (wall clock), not before it.
    std::atomic<uint64_t> message_due_ns{~uint64_t{0}};
    RateBucket bucket;
};

struct HubOptions {
    uint32_t workers = 1;
    uint32_t connections_max = 16'384;  // a worker
    uint32_t messages_max = 65'536;     // a worker, in flight
    uint32_t large_messages_max = 256;  // a worker, with a body beyond 512 octets
    uint32_t receipts_max = 1'048'576;  // a worker, ways back
    Nanos receipt_age_ns = Nanos{72} * 3600 * second_ns;
    uint32_t long_messages_max = 65'536;  // of MT and of MO, whose parts are kept together
    uint32_t quality_pairs_max = limits::quality_pairs_max;
    bool store = false;              // something must survive a restart: there is a StoreLink
    uint32_t record_ring_bytes = 0;  // a worker; 0: no records
};

class Hub {
  public:
    explicit Hub(const HubOptions& options);
    ~Hub();
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;

    // --- Control thread.

    /// Makes the rings of new suppliers, then the snapshot visible; workers adopt it at their next
    /// turn.
    [[nodiscard]] Result<void> publish(std::unique_ptr<const route::Snapshot> snapshot);
    /// Frees snapshots that no worker can hold; call regularly. Returns how many still wait.
    size_t reclaim() { return published_.reclaim(); }
    /// New figures of the suppliers' quality, once a second; call about as often.
    void merge_quality(Nanos now_mono_ns) { quality_.merge(now_mono_ns, quality_counts_); }
    /// No new messages; what is in flight settles, then every session is unbound, at the latest at
    /// `unbind_latest_ns` (monotonic).
    void begin_drain(Nanos unbind_latest_ns);
    /// True when that many workers have nothing left.
    [[nodiscard]] bool drained() const;
    /// How to end worker `w`'s sleep; set before its thread starts.
    void set_waker(WorkerId worker, void (*wake)(void*), void* context);
    /// Next event of any worker; false when there is none.
    [[nodiscard]] bool next_event(Event& out);

    // --- Any thread.

    [[nodiscard]] const HubOptions& options() const { return options_; }
    [[nodiscard]] uint32_t workers() const { return options_.workers; }
    [[nodiscard]] const route::Snapshot* owned_snapshot() const { return published_.owned(); }
    [[nodiscard]] WorkerCounters& counters(WorkerId worker) { return counters_[worker.value]; }
    [[nodiscard]] SupplierCounters& counters(WorkerId worker, SupplierId supplier) {
        return supplier_counters_[size_t{worker.value} * limits::suppliers_max + supplier.value];
    }
    [[nodiscard]] CustomerCounters& counters(WorkerId worker, CustomerId customer) {
        return customer_counters_[size_t{worker.value} * limits::customers_max + customer.value];
    }

    [[nodiscard]] const route::QualityBoard& quality() const { return quality_; }
    /// Records of what that worker ended: it fills, the record thread empties. Null: no records.
    [[nodiscard]] queue::ByteRing* records(WorkerId worker) const {
        return records_.empty() ? nullptr : records_[worker.value].get();
    }

    // --- Workers.

    [[nodiscard]] route::QualityCounts& quality_counts(WorkerId worker) {
        return *quality_counts_[worker.value];
    }
    /// Null: there is no store.
    [[nodiscard]] StoreLink* store() { return store_.get(); }
    [[nodiscard]] PartsMemory& parts() { return parts_; }
    [[nodiscard]] PartsMemory& mo_parts() { return mo_parts_; }
    [[nodiscard]] queue::Published<route::Snapshot>& published() { return published_; }
    [[nodiscard]] SupplierShared& supplier(SupplierId id) { return suppliers_[id.value]; }
    [[nodiscard]] CustomerShared& customer(CustomerId id) { return customers_[id.value]; }
    [[nodiscard]] queue::SpscRing<Message*>& mailbox(WorkerId from, WorkerId to) {
        return *mailboxes_[size_t{from.value} * options_.workers + to.value];
    }
    /// When every session is unbound at the latest; 0 while not draining.
    [[nodiscard]] Nanos drain_latest_ns() const {
        return drain_latest_ns_.load(std::memory_order_acquire);
    }
    /// What worker `w` still has in hand while draining: its pool's messages less those that wait
    /// here for a customer that is not bound.
    void report_in_flight(WorkerId worker, int64_t count) {
        in_flight_[worker.value].store(count, std::memory_order_relaxed);
    }
    [[nodiscard]] int64_t in_flight() const;
    void report_drained(WorkerId worker) {
        drained_mask_.fetch_or(uint64_t{1} << worker.value, std::memory_order_release);
    }
    void report(WorkerId worker, const Event& event);

    /// The worker is about to sleep: from here on whoever gives it work must ring. The caller
    /// checks its mailboxes and rings once more after this and sleeps only when they are empty.
    void lie_down(WorkerId worker);
    void get_up(WorkerId worker);
    /// Ends the sleep of every worker in the mask that is asleep.
    void ring(uint64_t worker_mask);

  private:
    struct alignas(limits::cache_line_bytes) Doorbell {
        std::atomic<bool> asleep{false};
        void (*wake)(void*) = nullptr;
        void* context = nullptr;
    };

    HubOptions options_;
    queue::Published<route::Snapshot> published_;
    std::unique_ptr<SupplierShared[]> suppliers_;
    std::unique_ptr<CustomerShared[]> customers_;
    std::vector<std::unique_ptr<queue::SharedRing>> rings_;
    std::vector<std::unique_ptr<queue::SpscRing<Message*>>> mailboxes_;
    std::vector<std::unique_ptr<queue::SpscRing<Event>>> events_;
    std::vector<std::unique_ptr<queue::ByteRing>> records_;  // by worker
    std::unique_ptr<WorkerCounters[]> counters_;
    std::unique_ptr<SupplierCounters[]> supplier_counters_;
    std::unique_ptr<CustomerCounters[]> customer_counters_;
    std::unique_ptr<StoreLink> store_;
    PartsMemory parts_;
    PartsMemory mo_parts_;  // of each: the place of its row, and its customer
    std::vector<std::unique_ptr<route::QualityCounts>> quality_counts_;  // by worker
    route::QualityBoard quality_;
    std::array<Doorbell, limits::workers_max> doorbells_{};
    std::atomic<Nanos> drain_latest_ns_{0};
    std::array<std::atomic<int64_t>, limits::workers_max> in_flight_{};
    std::atomic<uint64_t> drained_mask_{0};
};

}  // namespace sy::engine
