// The rings between the workers and the store: a message that something must be written about, or
// looked up for, leaves its worker over a ring and comes back over another, as between two workers.
// While it is away only the store may touch it. The store has two ends, so that a read from a cold
// disk does not keep acknowledgements waiting: the writer and the reader.
//
// Threads: push() and pop() by the worker that is named, take() and give_back() by the end's own
// thread, all else by any. Nothing allocates after the constructor.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/base/limits.h"
#include "core/engine/message.h"
#include "core/queue/spsc_ring.h"
#include "core/smpp/status.h"

namespace sy::engine {

enum class StoreEnd : uint8_t { writer, reader };

/// Which end carries the order out.
[[nodiscard]] constexpr StoreEnd end_of(StoreOrder order) {
    return order == StoreOrder::find_way || order == StoreOrder::next_receipt ? StoreEnd::reader
                                                                              : StoreEnd::writer;
}

class StoreLink {
  public:
    /// `messages_max`: of one worker's pool.
    StoreLink(uint32_t workers, uint32_t messages_max);

    // --- Workers.

    /// By message->store_order. False when the ring is full: try again later.
    [[nodiscard]] bool push(WorkerId from, Message* message);
    /// What came back to the worker.
    [[nodiscard]] uint32_t pop(WorkerId to, StoreEnd end, std::span<Message*> out);
    [[nodiscard]] bool has_returns(WorkerId to) const;
    /// Wakes the end if it sleeps.
    void ring(StoreEnd end);

    /// ROK, or what messages that need the store are refused with for now: RSYSERR when it fails,
    /// RMSGQFUL when it is full.
    [[nodiscard]] smpp::CommandStatus refusal() const {
        return static_cast<smpp::CommandStatus>(refusal_.load(std::memory_order_relaxed));
    }
    /// Receipts that stand in the store alone, of all customers.
    [[nodiscard]] int64_t receipts_stored() const {
        return receipts_stored_.load(std::memory_order_relaxed);
    }

    /// Messages that stand in the store alone, of all customers.
    [[nodiscard]] int64_t messages_stored() const {
        return messages_stored_.load(std::memory_order_relaxed);
    }

    /// When to ask for the first message to re-route (UTC), not before it.
    [[nodiscard]] Nanos watched_due_ns() const {
        return watched_due_ns_.load(std::memory_order_relaxed);
    }

    // --- The store.

    [[nodiscard]] uint32_t take(StoreEnd end, std::span<Message*> out);
    /// To the worker message->store_back. False when its ring is full: it empties it at each turn.
    [[nodiscard]] bool give_back(StoreEnd end, Message* message);
    void set_refusal(smpp::CommandStatus status) {
        refusal_.store(static_cast<uint32_t>(status), std::memory_order_relaxed);
    }
    void add_receipts_stored(int64_t count) {
        receipts_stored_.fetch_add(count, std::memory_order_relaxed);
    }
    void add_messages_stored(int64_t count) {
        messages_stored_.fetch_add(count, std::memory_order_relaxed);
    }
    void set_watched_due(Nanos due_ns) { watched_due_ns_.store(due_ns, std::memory_order_relaxed); }
    /// How to end the end's sleep; set before the workers run. Whoever sleeps does so between
    /// these, and only when has_work() is false after lie_down().
    void set_waker(StoreEnd end, void (*wake)(void*), void* context);
    void lie_down(StoreEnd end);
    void get_up(StoreEnd end);
    [[nodiscard]] bool has_work(StoreEnd end) const;

  private:
    using Ring = queue::SpscRing<Message*>;
    static constexpr size_t ends = 2;

    struct alignas(limits::cache_line_bytes) Bell {
        std::atomic<bool> asleep{false};
        void (*wake)(void*) = nullptr;
        void* context = nullptr;
    };

    [[nodiscard]] static size_t index(StoreEnd end) { return static_cast<size_t>(end); }

    // By worker, of each end.
    std::array<std::vector<std::unique_ptr<Ring>>, ends> orders_;
    std::array<std::vector<std::unique_ptr<Ring>>, ends> returns_;
    std::array<uint32_t, ends> next_{};  // worker whose orders are taken first; the end's own
    std::array<Bell, ends> bells_;
    std::atomic<uint32_t> refusal_{0};
    std::atomic<int64_t> receipts_stored_{0};
    std::atomic<int64_t> messages_stored_{0};
    std::atomic<Nanos> watched_due_ns_{~Nanos{0}};
};

}  // namespace sy::engine
