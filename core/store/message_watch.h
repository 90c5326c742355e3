// Messages that a supplier has accepted and whose receipt decides whether that was the end
// (receipt-driven re-route, route::MtRule::reroute_ns). Each stands in Family::messages, with its
// engine::Watch, until one receipt has settled it, and in Family::watches at the time when it is
// looked at; while it is under way to its next target it does not stand there. The writer's thread
// alone decides, so that one receipt settles it, whichever worker brings it.
//
// One thread, the writer's; workers see StoreLink::watched_due_ns().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/engine/hub.h"
#include "core/store/database.h"
#include "core/store/message_codec.h"
#include "core/store/own_receipts.h"

namespace sy::store {

struct WatchCounts {
    engine::Counter watched;     // accepted by a supplier, the receipt awaited
    engine::Counter settled;     // a receipt was the last word
    engine::Counter taken;       // to be sent over the next target
    engine::Counter unsettled;   // ended without a receipt, at their ways' end
    engine::Counter unreadable;  // entries passed over
    engine::Counter failures;    // reads that the database refused
};

class MessageWatch {
  public:
    MessageWatch(engine::Hub& hub, Database& database, Sequence& sequence, OwnReceipts& receipts);

    /// Before the writer runs: one of an earlier run. True for one that was under way to its next
    /// target, which is due at once.
    [[nodiscard]] bool found(uint64_t id, std::string_view value, const StoredMessage& stored);
    void opened();

    // --- Into the open batch.

    /// A supplier accepted it (Watch::round counts that), with StoreOrder::keep_way.
    void begin(engine::Message& message, const Names& names);

    // --- Into the batch after it: they look at what it has written.

    /// settle_watched. True: it is its customer's, if that asked for it; else the answer says what
    /// it is. The way is not touched.
    [[nodiscard]] bool settle_receipt(engine::Message& message);
    /// next_watched: the answer is set.
    void next(engine::Message& message, const Names& names);
    /// end_reroute: the answer is set.
    void end(engine::Message& message, const Names& names);

    [[nodiscard]] bool has_changes() const { return has_changes_; }
    /// What became of the open batch, either of them.
    void settle(bool written);

    [[nodiscard]] const WatchCounts& counts() const { return counts_; }
    [[nodiscard]] std::string take_error() { return std::exchange(error_, {}); }

  private:
    struct Row {
        std::string value;  // `stored` points into it
        StoredMessage stored;
    };
    enum class Step : uint8_t { none, taken, again, too_small, failed };

    [[nodiscard]] Result<std::optional<Row>> row_of(uint64_t id, const Names& names);
    [[nodiscard]] Step look(engine::Message& message, const Names& names);
    void put_row(uint64_t id, std::string value);
    void put_off(uint64_t id, Row& row, Nanos due_ns);
    void erase(uint64_t id, const StoredMessage& stored);
    void fail_with(engine::Message& message, std::string text);

    engine::Hub& hub_;
    Database& database_;
    Sequence& sequence_;
    OwnReceipts& receipts_;
    const Names nobody_;
    std::string from_;  // no key of Family::watches below it counts
    // In the open batch, which the database does not show: ids that ended, rows as they will be.
    std::unordered_set<uint64_t> ended_;
    std::unordered_map<uint64_t, std::string> rows_;
    bool has_changes_ = false;
    std::string error_;
    WatchCounts counts_;
};

}  // namespace sy::store
