// The writing end of the store: takes what workers hand over, writes it as one batch, and gives it
// back when it is on disk. While a batch is being written the next one gathers in the rings, so the
// slower the disk, the larger the batches (group commit). What must see the batch (whose turn it
// is, questions) is done after it, in a second one. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/engine/hub.h"
#include "core/store/codec.h"
#include "core/store/database.h"
#include "core/store/message_questions.h"
#include "core/store/message_queue.h"
#include "core/store/message_watch.h"
#include "core/store/own_receipts.h"
#include "core/store/returns.h"
#include "core/store/spills.h"

namespace sy::store {

struct WriterCounts {
    engine::Counter batches;
    engine::Counter ways;
    engine::Counter receipts;
    engine::Counter receipts_spilled;
    engine::Counter failures;  // batches that could not be written
};

class Writer {
  public:
    /// `next_sequence`: above every one of a receipt in the database. All outlive this.
    Writer(engine::Hub& hub, Database& database, Spills& spills, uint64_t next_sequence);

    /// Before the first run(): what an earlier run left of messages.
    [[nodiscard]] Result<MessageQueue::Found> open() {
        auto found = queue_.open(watch_);
        watch_.opened();
        return found;
    }
    /// Whenever there are new accounts.
    void resolve(const Names& names) { queue_.resolve(names); }

    /// One batch; false when there was nothing to do. With `durable` nothing is given back before
    /// it is on disk.
    bool run(const Names& names, bool durable);

    /// What a batch failed with since the last call; empty: nothing.
    [[nodiscard]] std::string take_error() { return std::exchange(error_, {}); }
    [[nodiscard]] const WriterCounts& counts() const { return counts_; }
    [[nodiscard]] const QueueCounts& queue_counts() const { return queue_.counts(); }
    [[nodiscard]] const WatchCounts& watch_counts() const { return watch_.counts(); }

  private:
    enum class Applied : uint8_t { nothing_to_wait_for, must_last, later };

    Applied apply(engine::Message& message, const Names& names);
    void keep_receipt(engine::Message& message, const Names& names);
    void end_message(engine::Message& message, const Names& names);
    void settle(engine::Message& message, bool written);
    bool commit(bool durable);
    void run_second(const Names& names, bool durable);
    void settle_second(engine::Message& message, bool written);
    [[nodiscard]] bool apply_second(engine::Message& message, const Names& names);
    void settle_watched(engine::Message& message, const Names& names);

    engine::Hub& hub_;
    engine::StoreLink& link_;
    Database& database_;
    Spills& spills_;
    Sequence sequence_;
    OwnReceipts own_receipts_;
    MessageQueue queue_;
    MessageWatch watch_;
    MessageQuestions questions_;
    std::vector<engine::Message*> batch_;
    std::vector<engine::Message*> first_;   // of the batch: written
    std::vector<engine::Message*> second_;  // questions, then the others that must see that
    Returns returns_;
    std::string error_;
    WriterCounts counts_;
};

}  // namespace sy::store
