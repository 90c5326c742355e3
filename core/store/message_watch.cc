#include "core/store/message_watch.h"

#include <algorithm>

#include "core/engine/receipt_way.h"

namespace sy::store {
namespace {

using engine::Message;
using engine::StoreAnswer;
using engine::Watch;
using smpp::MessageState;

constexpr int steps_max = 64;  // of one search, so that others are not kept waiting
constexpr Nanos retry_read_ns = second_ns;
constexpr Nanos never_ns = ~Nanos{0};
// Until its customer, who is not configured, may be again.
constexpr Nanos stranger_wait_ns = 60 * second_ns;

}  // namespace

MessageWatch::MessageWatch(engine::Hub& hub,
                           Database& database,
                           Sequence& sequence,
                           OwnReceipts& receipts)
    : hub_(hub),
      database_(database),
      sequence_(sequence),
      receipts_(receipts),
      nobody_({}, {}, {}) {}

// ---------------------------------------------------------------- before the writer runs

bool MessageWatch::found(uint64_t id, std::string_view value, const StoredMessage& stored) {
    if (stored.watch.due_ns != 0) {
        return false;
    }
    // Its run ended while it was on its way to its next target: it may have been sent there.
    Row row{std::string(value), stored};
    row.stored.watch.maybe_sent = true;
    put_off(id, row, stored.accepted_wall_ns);
    return true;
}

void MessageWatch::opened() {
    hub_.store()->set_watched_due(0);
    has_changes_ = false;
}

// ---------------------------------------------------------------- a supplier has it

void MessageWatch::begin(Message& message, const Names& names) {
    if (message.watch.round > 1) {
        // A receipt of an earlier round may have settled it meanwhile.
        const auto row = row_of(message.id, nobody_);
        if (row && !*row) {
            return;
        }
        if (row) {
            message.watch.failed_state = (*row)->stored.watch.failed_state;
            message.watch.failed_error = (*row)->stored.watch.failed_error;
        } else {
            counts_.failures.add();
            error_ = row.error().text;
        }
    }
    if (!message.stored && message.watch.round == 1) {
        message.store_sequence = sequence_.next++;
        message.destination_hash =
            destination_hash(names.name_of(message.customer), message.destination.view());
    }
    const std::string key = watch_key(message.watch.due_ns, message.store_sequence);
    put_row(message.id, encode_message(message, names));
    database_.put(Family::watches, key, message_key(message.id));
    from_ = std::min(from_, key);
    if (message.watch.due_ns < hub_.store()->watched_due_ns()) {
        hub_.store()->set_watched_due(message.watch.due_ns);
    }
    counts_.watched.add();
}

// ---------------------------------------------------------------- receipts

bool MessageWatch::settle_receipt(Message& message) {
    message.store_answer = StoreAnswer::none;
    has_changes_ = true;
    const uint64_t id = message.way.id;
    auto found = row_of(id, nobody_);
    if (!found) {
        fail_with(message, found.error().text);
        return false;
    }
    if (!*found) {
        return false;
    }
    Row& row = **found;
    Watch& watch = row.stored.watch;
    const bool is_newest = message.way.round == watch.round;
    if (engine::is_success(static_cast<MessageState>(message.receipt_state)) ||
        (is_newest && watch.has_ended)) {
        erase(id, row.stored);
        counts_.settled.add();
        message.store_answer = StoreAnswer::done;
        return true;
    }
    message.store_answer = StoreAnswer::swallowed;
    if (!is_newest) {
        return false;
    }
    watch.failed_state = message.receipt_state;
    watch.failed_error = message.receipt_error;
    if (watch.due_ns == 0) {
        // Missed, and on its way to its next target: its last word, where nobody else takes it.
        set_watch(row.value, watch);
        put_row(id, std::move(row.value));
    } else {
        database_.erase(Family::watches, watch_key(watch.due_ns, row.stored.sequence));
        put_off(id, row, message.received_wall_ns);
    }
    return false;
}

// ---------------------------------------------------------------- whose time has come

void MessageWatch::next(Message& message, const Names& names) {
    message.store_answer = StoreAnswer::none;
    for (int steps = 0; steps < steps_max; ++steps) {
        switch (look(message, names)) {
            case Step::none:
                return;
            case Step::again:
                break;
            case Step::taken:
                counts_.taken.add();
                message.store_answer = StoreAnswer::done;
                return;
            case Step::too_small:
                message.store_answer = StoreAnswer::too_small;
                return;
            case Step::failed:
                hub_.store()->set_watched_due(message.due_wall_ns + retry_read_ns);
                return;
        }
    }
}

MessageWatch::Step MessageWatch::look(Message& message, const Names& names) {
    const Nanos now = message.due_wall_ns;
    Database::Entry entry;
    const auto found = database_.seek(Family::watches, from_, {}, entry);
    if (!found) {
        fail_with(message, found.error().text);
        return Step::failed;
    }
    if (!*found) {
        hub_.store()->set_watched_due(has_changes_ ? now : never_ns);
        return Step::none;
    }
    Nanos due = 0;
    uint64_t id = 0;
    const bool readable = decode_watch(entry.key, entry.value, due, id);
    if (readable && due > now) {
        hub_.store()->set_watched_due(has_changes_ ? now : due);
        return Step::none;
    }
    auto row = readable ? row_of(id, names) : Result<std::optional<Row>>(std::nullopt);
    if (!row) {
        fail_with(message, row.error().text);
        return Step::failed;
    }
    const bool is_there = *row && (*row)->stored.watch.due_ns == due;
    if (is_there && (*row)->stored.body.size() > message.body_capacity) {
        return Step::too_small;
    }
    counts_.unreadable.add(readable ? 0 : 1);
    has_changes_ = true;
    from_ = entry.key;
    from_.push_back('\0');  // the next key there can be
    if (!is_there) {
        database_.erase(Family::watches, entry.key);
        return Step::again;
    }
    const StoredMessage& stored = (*row)->stored;
    if (stored.watch.has_ended || !restore(stored, id, message)) {
        (stored.watch.has_ended ? counts_.unsettled : counts_.unreadable).add();
        erase(id, stored);
        return Step::again;
    }
    database_.erase(Family::watches, entry.key);
    if (!stored.customer.valid()) {
        put_off(id, **row, now + stranger_wait_ns);
        return Step::again;
    }
    message.maybe_sent = stored.watch.maybe_sent;
    Watch watch = stored.watch;
    watch.due_ns = 0;
    set_watch((*row)->value, watch);
    put_row(id, std::move((*row)->value));
    return Step::taken;
}

// ---------------------------------------------------------------- nobody else takes it

void MessageWatch::end(Message& message, const Names& names) {
    message.store_answer = StoreAnswer::done;
    has_changes_ = true;
    auto found = row_of(message.id, names);
    if (!found) {
        fail_with(message, found.error().text);
        return;
    }
    if (!*found) {
        return;  // a receipt of an earlier round has settled it
    }
    Row& row = **found;
    Watch& watch = row.stored.watch;
    if (message.queue_wanted) {
        watch.tries = message.watch.tries;
        put_off(message.id, row, message.due_wall_ns);
        return;
    }
    if (watch.failed_state == 0) {
        // The receipt that did not come may still: until its way is forgotten.
        watch.has_ended = true;
        put_off(message.id, row, message.due_wall_ns + hub_.options().receipt_age_ns);
        return;
    }
    erase(message.id, row.stored);
    counts_.settled.add();
    const auto state = static_cast<MessageState>(watch.failed_state);
    if (engine::is_wanted(message.sm.registered_delivery, true, state)) {
        engine::make_own_receipt(message, state, {}, message.due_wall_ns);
        message.receipt_error = watch.failed_error;
        receipts_.put(message, names);
        message.way_ends = true;
    }
}

// ---------------------------------------------------------------- rows

/// None for a message that is not watched (any more).
Result<std::optional<MessageWatch::Row>> MessageWatch::row_of(uint64_t id, const Names& names) {
    if (ended_.contains(id)) {
        return std::optional<Row>();
    }
    std::optional<Row> out(std::in_place);
    if (const auto open = rows_.find(id); open != rows_.end()) {
        out->value = open->second;
    } else {
        const std::string key = message_key(id);
        Database::Entry entry;
        const auto found = database_.seek(Family::messages, key, key, entry);
        if (!found) {
            return std::unexpected(found.error());
        }
        if (!*found) {
            return std::optional<Row>();
        }
        out->value = std::move(entry.value);
    }
    if (!decode_message(out->value, names, out->stored)) {
        counts_.unreadable.add();
        return std::optional<Row>();
    }
    return out->stored.is_watched ? std::move(out) : std::optional<Row>();
}

void MessageWatch::put_row(uint64_t id, std::string value) {
    database_.put(Family::messages, message_key(id), value);
    rows_[id] = std::move(value);
}

/// As `row.stored.watch` says, but for its time.
void MessageWatch::put_off(uint64_t id, Row& row, Nanos due_ns) {
    row.stored.watch.due_ns = due_ns;
    set_watch(row.value, row.stored.watch);
    const std::string key = watch_key(due_ns, row.stored.sequence);
    put_row(id, row.value);
    database_.put(Family::watches, key, message_key(id));
    from_ = std::min(from_, key);
    if (due_ns < hub_.store()->watched_due_ns()) {
        hub_.store()->set_watched_due(due_ns);
    }
}

void MessageWatch::erase(uint64_t id, const StoredMessage& stored) {
    database_.erase(Family::messages, message_key(id));
    if (stored.watch.due_ns != 0) {
        database_.erase(Family::watches, watch_key(stored.watch.due_ns, stored.sequence));
    }
    ended_.insert(id);
}

void MessageWatch::settle(bool written) {
    if (!written) {
        from_.clear();
        hub_.store()->set_watched_due(0);
    }
    ended_.clear();
    rows_.clear();
    has_changes_ = false;
}

void MessageWatch::fail_with(Message& message, std::string text) {
    message.store_answer = StoreAnswer::failed;
    counts_.failures.add();
    error_ = std::move(text);
}

}  // namespace sy::store
