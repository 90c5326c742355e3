// Messages taken to store and forward: which are under way, which wait in the store alone, and
// whose turn it is. A message stands in Family::messages from the moment its customer is answered
// until it has ended; while it waits it stands in Family::queue and Family::order too. One that
// stands in neither was under way when its router died: it may have been sent.
//
// Messages of a customer to one destination go one after another: the next one begins when the one
// before has ended, or waits behind it. Otherwise priority_flag decides, then the time that is due.
//
// One thread, the writer's; workers see CustomerShared::message_due_ns and the count in StoreLink.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/engine/hub.h"
#include "core/queue/intrusive_list.h"
#include "core/store/database.h"
#include "core/store/interrupted.h"
#include "core/store/message_codec.h"
#include "core/store/message_watch.h"
#include "core/store/own_receipts.h"

namespace sy::store {

struct QueueCounts {
    engine::Counter kept;
    engine::Counter queued;      // into the queue, at first or again
    engine::Counter taken;       // out of it
    engine::Counter unreadable;  // entries passed over
    engine::Counter failures;    // reads that the database refused
};

class MessageQueue {
  public:
    MessageQueue(engine::Hub& hub, Database& database, Sequence& sequence);

    // --- Before the writer runs.

    struct Found {
        uint64_t waiting = 0;
        // Under way when the run before ended; they wait now.
        std::vector<Interrupted> under_way;
    };
    /// Those whose receipt decides are `watch`'s.
    [[nodiscard]] Result<Found> open(MessageWatch& watch);

    /// Gives what was found to the customers that there are by now.
    void resolve(const Names& names);

    // --- An order is put into the open batch; then, by what became of the batch, settle() first,
    // and
    // --- settle_*() for each.

    void settle(bool written);
    /// Fails where another one has its id, which 3.3 customers' ids may.
    void keep(engine::Message& message, const Names& names);
    void settle_keep(engine::Message& message, bool written);
    void postpone(engine::Message& message, const Names& names);
    void settle_postpone(engine::Message& message, bool written);
    void end(engine::Message& message);
    void settle_end(engine::Message& message, bool written);

    // --- After that batch, in one of their own; questions before next().

    /// wait_turn. False: it stays here until its turn comes.
    [[nodiscard]] bool turn(engine::Message& message, const Names& names);
    /// next_message; its answer is set. False: it stays here until its turn comes.
    [[nodiscard]] bool next(engine::Message& message, const Names& names);
    /// Those behind a message that waits now: they wait too. Into the open batch.
    void put_off_others(const Names& names);
    /// Something of the open batch is to be written.
    [[nodiscard]] bool has_second() const { return !changes_.empty() || is_rewritten_; }
    /// A message's value was put: there is something to write.
    void set_rewritten() { is_rewritten_ = true; }
    /// What became of the batch of those three, after settle().
    void settle_second(bool written);
    /// Messages whose turn has come, or that were put off: `store_answer` says which.
    [[nodiscard]] engine::Message* pop_released() { return released_.pop_front(); }

    // --- For questions (message_questions.h).

    /// The message's value; empty when there is none.
    [[nodiscard]] Result<std::optional<std::string>> find(uint64_t id);
    /// Where it waits; nothing when it is under way.
    [[nodiscard]] Result<std::optional<Waiting>> waiting(uint64_t destination, uint64_t sequence);
    void add_waiting(CustomerId customer, const Waiting& waiting, const Names& names);
    void remove_waiting(CustomerId customer, const Waiting& waiting, const Names& names);
    /// Shows what waits for one destination from that sequence on, in order, `max` of them at most,
    /// until `see` returns false. What the open batch changes does not show.
    [[nodiscard]] Result<void> each_waiting(
        uint64_t destination,
        uint64_t from_sequence,
        uint32_t max,
        const std::function<Result<bool>(const Waiting& waiting)>& see);
    /// That one is gone, or due at another time: those behind it need not wait for its old one.
    [[nodiscard]] Result<void> release_behind(CustomerId customer,
                                              const Waiting& before,
                                              Nanos now_ns,
                                              const Names& names);

    [[nodiscard]] const QueueCounts& counts() const { return counts_; }
    [[nodiscard]] std::string take_error() { return std::exchange(error_, {}); }

  private:
    struct Line {
        int64_t count = 0;
        Nanos from_ns = 0;  // none that waits is due before
        uint64_t from_sequence = 0;
    };
    using Lines = std::array<Line, priorities>;  // of a customer
    // What is under way to one destination.
    struct Flight {
        bool is_busy = true;    // one is under way; else the first that is `expected` goes next
        uint32_t expected = 0;  // answered `blocked`, on their way here
        queue::IntrusiveFifo<engine::Message> chain;
    };
    struct Taken {
        engine::Message* message = nullptr;
        CustomerId customer;
        Waiting waiting;
    };
    struct Change {
        CustomerId customer;
        Waiting waiting;
        int64_t count = 0;
    };
    struct Freed {
        void operator()(uint8_t* memory) const { std::free(memory); }
    };
    enum class Step : uint8_t { none, taken, chained, again, too_small, failed };

    [[nodiscard]] static Waiting waiting_of(const engine::Message& message);
    [[nodiscard]] uint8_t& waiting_at(uint64_t destination);
    void put_rows(std::string_view customer, const Waiting& waiting);
    void count_waiting(CustomerId customer, const Waiting& waiting, int64_t change);
    static void pass(Line& line, const Waiting& waiting);
    void lower(CustomerId customer, const Waiting& waiting);
    void put_off(engine::Message& message, const Names& names);
    void leave(uint64_t destination);
    void hold_place(engine::Message& message);
    void leave_place(engine::Message& message);
    void give_up(const Taken& taken);
    void set_due(CustomerId customer, Nanos due_ns);
    [[nodiscard]] Step look(engine::Message& message,
                            CustomerId customer,
                            uint8_t priority,
                            const Names& names,
                            Nanos& next_due_ns);
    [[nodiscard]] Step take(engine::Message& message,
                            CustomerId customer,
                            const Waiting& waiting,
                            const Names& names);
    [[nodiscard]] Result<std::optional<Waiting>> first_of(const Waiting& due, Nanos now_ns);
    [[nodiscard]] bool is_free(uint64_t id);
    [[nodiscard]] Result<Nanos> expiry_of(uint64_t id);
    Step fail_with(std::string text);

    engine::Hub& hub_;
    Database& database_;
    Sequence& sequence_;
    std::vector<Lines> lines_;  // by CustomerId
    std::map<std::string, Lines, std::less<>> strangers_;
    std::pmr::unsynchronized_pool_resource flights_memory_;  // they come and go by hundreds
    std::pmr::unordered_map<uint64_t, Flight> flights_{&flights_memory_};
    // How many wait, by destination_hash modulo its size, at most 255: 0 is sure, else look.
    std::unique_ptr<uint8_t[], Freed> waiting_counts_;
    bool is_rewritten_ = false;
    // In the open batch; what it erases the database still shows.
    std::vector<Change> changes_;
    std::vector<Taken> taken_;
    std::unordered_set<uint64_t> gone_;                 // sequences
    std::unordered_set<uint64_t> moved_;                // likewise
    queue::IntrusiveFifo<engine::Message> to_put_off_;  // behind one that waits now
    queue::IntrusiveFifo<engine::Message> put_off_;     // in the open batch
    queue::IntrusiveFifo<engine::Message> released_;
    std::string error_;
    QueueCounts counts_;
};

}  // namespace sy::store
