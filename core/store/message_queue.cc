#include "core/store/message_queue.h"

#include <algorithm>

#include "core/base/assert.h"

namespace sy::store {
namespace {

using engine::Message;
using engine::StoreAnswer;

constexpr size_t waiting_counts_size = size_t{1} << 24;
constexpr uint8_t count_max = 255;  // stays: such a destination is looked for on the disk
constexpr size_t rows_a_commit = 4096;
// More than that behind one message to a number wait until its old time.
constexpr uint32_t released_at_once_max = 1000;

void count_up(uint8_t& count) {
    if (count < count_max) {
        ++count;
    }
}

}  // namespace

MessageQueue::MessageQueue(engine::Hub& hub, Database& database, Sequence& sequence)
    : hub_(hub),
      database_(database),
      sequence_(sequence),
      lines_(limits::customers_max),
      // Zeros that take no memory until they are counted up.
      waiting_counts_(static_cast<uint8_t*>(std::calloc(waiting_counts_size, 1))) {
    SY_ASSERT(waiting_counts_ != nullptr);
}

// ---------------------------------------------------------------- before the writer runs

Result<MessageQueue::Found> MessageQueue::open(MessageWatch& watch) {
    Found found;
    std::vector<uint64_t> ids;
    SY_TRY(database_.each(Family::queue, [&](std::string_view key, std::string_view value) {
        std::string_view customer;
        Waiting waiting;
        if (!decode_queue(key, value, customer, waiting)) {
            // Its message, which has no place then, gets a new one below.
            counts_.unreadable.add();
            database_.erase(Family::queue, key);
            return;
        }
        ids.push_back(waiting.id);
        count_up(waiting_at(waiting.destination));
        auto line = strangers_.find(customer);
        if (line == strangers_.end()) {
            line = strangers_.emplace(customer, Lines{}).first;
        }
        ++line->second[waiting.priority].count;
        sequence_.next = std::max(sequence_.next, waiting.sequence + 1);
        ++found.waiting;
    }));
    std::ranges::sort(ids);
    const Names nobody({}, {}, {});
    std::vector<std::pair<std::string, Waiting>> under_way;
    auto waiting_id = ids.begin();  // messages come in the order of their ids too
    SY_TRY(database_.each(Family::messages, [&](std::string_view key, std::string_view value) {
        StoredMessage stored;
        if (key.size() != sizeof(uint64_t) || !decode_message(value, nobody, stored)) {
            counts_.unreadable.add();
            return;
        }
        const uint64_t id = load_be<uint64_t>(as_octets(key).data());
        sequence_.next = std::max(sequence_.next, stored.sequence + 1);
        if (stored.is_watched) {
            if (watch.found(id, value, stored)) {
                found.under_way.push_back({id, std::string(value)});
            }
            return;
        }
        while (waiting_id != ids.end() && *waiting_id < id) {
            ++waiting_id;
        }
        if (waiting_id == ids.end() || *waiting_id != id) {
            Waiting waiting;
            waiting.priority = stored.priority;
            waiting.maybe_sent = true;
            waiting.due_ns = stored.accepted_wall_ns;
            waiting.sequence = stored.sequence;
            waiting.id = id;
            waiting.destination = stored.destination;
            under_way.emplace_back(stored.customer_name, waiting);
            found.under_way.push_back({id, std::string(value)});
        }
    }));
    for (size_t i = 0; i < under_way.size(); ++i) {
        const auto& [customer, waiting] = under_way[i];
        // Where its place in the queue could not be read, the one in the order may still be there.
        database_.erase(Family::order, order_key(waiting.destination, waiting.sequence));
        put_rows(customer, waiting);
        count_up(waiting_at(waiting.destination));
        ++strangers_[customer][waiting.priority].count;
        if ((i + 1) % rows_a_commit == 0) {
            SY_TRY(database_.commit(false));
        }
    }
    SY_TRY(database_.commit(true));
    return found;
}

void MessageQueue::resolve(const Names& names) {
    for (auto at = strangers_.begin(); at != strangers_.end();) {
        const CustomerId customer = names.find_customer(at->first);
        if (!customer.valid()) {
            ++at;
            continue;
        }
        for (uint8_t p = 0; p < priorities; ++p) {
            Line& line = lines_[customer.value][p];
            line.from_ns = 0;
            line.from_sequence = 0;
            line.count += at->second[p].count;
            hub_.store()->add_messages_stored(at->second[p].count);
        }
        set_due(customer, 0);
        at = strangers_.erase(at);
    }
}

// ---------------------------------------------------------------- what waits

Waiting MessageQueue::waiting_of(const Message& message) {
    Waiting out;
    out.priority = priority_of(message);
    out.tries = message.tries;
    out.maybe_sent = message.maybe_sent;
    out.is_scheduled = message.is_scheduled;
    out.due_ns = message.due_wall_ns;
    out.sequence = message.store_sequence;
    out.id = message.id;
    out.destination = message.destination_hash;
    return out;
}

uint8_t& MessageQueue::waiting_at(uint64_t destination) {
    return waiting_counts_[destination % waiting_counts_size];
}

void MessageQueue::count_waiting(CustomerId customer, const Waiting& waiting, int64_t change) {
    lines_[customer.value][waiting.priority].count += change;
    hub_.store()->add_messages_stored(change);
    uint8_t& there = waiting_at(waiting.destination);
    if (there < count_max) {
        SY_DCHECK(change > 0 || there > 0);
        there = static_cast<uint8_t>(there + change);
    }
}

// It is to be found again from here on.
void MessageQueue::lower(CustomerId customer, const Waiting& waiting) {
    Line& line = lines_[customer.value][waiting.priority];
    if (std::pair(waiting.due_ns, waiting.sequence) < std::pair(line.from_ns, line.from_sequence)) {
        line.from_ns = waiting.due_ns;
        line.from_sequence = waiting.sequence;
    }
    // Relaxed: a hint; whoever reads an old one asks a moment later.
    auto& due = hub_.customer(customer).message_due_ns;
    if (waiting.due_ns < due.load(std::memory_order_relaxed)) {
        due.store(waiting.due_ns, std::memory_order_relaxed);
    }
}

void MessageQueue::set_due(CustomerId customer, Nanos due_ns) {
    hub_.customer(customer).message_due_ns.store(due_ns, std::memory_order_relaxed);
}

void MessageQueue::put_rows(std::string_view customer, const Waiting& waiting) {
    database_.put_new(Family::queue,
                      queue_key(customer, waiting.priority, waiting.due_ns, waiting.sequence),
                      encode_queue_value(waiting));
    database_.put_new(Family::order, order_key(waiting.destination, waiting.sequence),
                      encode_order_value(waiting));
}

void MessageQueue::add_waiting(CustomerId customer, const Waiting& waiting, const Names& names) {
    put_rows(names.name_of(customer), waiting);
    count_waiting(customer, waiting, 1);
    lower(customer, waiting);
    changes_.push_back({customer, waiting, 1});
    if (gone_.erase(waiting.sequence) > 0) {
        moved_.insert(waiting.sequence);
    }
}

void MessageQueue::remove_waiting(CustomerId customer, const Waiting& waiting, const Names& names) {
    database_.erase(Family::queue, queue_key(names.name_of(customer), waiting.priority,
                                             waiting.due_ns, waiting.sequence));
    database_.erase(Family::order, order_key(waiting.destination, waiting.sequence));
    count_waiting(customer, waiting, -1);
    changes_.push_back({customer, waiting, -1});
    gone_.insert(waiting.sequence);
}

void MessageQueue::settle(bool written) {
    if (!written) {
        for (const Change& change : changes_) {
            count_waiting(change.customer, change.waiting, -change.count);
            if (change.count < 0) {
                lower(change.customer, change.waiting);
            }
        }
    }
    is_rewritten_ = false;
    changes_.clear();
    gone_.clear();
    moved_.clear();
}

Result<void> MessageQueue::each_waiting(
    uint64_t destination,
    uint64_t from_sequence,
    uint32_t max,
    const std::function<Result<bool>(const Waiting& waiting)>& see) {
    const std::string prefix = order_prefix(destination);
    std::string from = order_key(destination, from_sequence);
    Database::Entry entry;
    for (uint32_t seen = 0; seen < max; ++seen) {
        const auto found = database_.seek(Family::order, from, prefix, entry);
        if (!found) {
            return std::unexpected(found.error());
        }
        Waiting waiting;
        if (!*found) {
            break;
        }
        if (decode_order(entry.key, entry.value, waiting)) {
            const auto more = see(waiting);
            if (!more) {
                return std::unexpected(more.error());
            }
            if (!*more) {
                break;
            }
        } else {
            counts_.unreadable.add();
        }
        from = std::move(entry.key);
        from.push_back('\0');  // the next key there can be
    }
    return {};
}

// What waited behind it for longer than for itself: again from now on.
Result<void> MessageQueue::release_behind(CustomerId customer,
                                          const Waiting& before,
                                          Nanos now_ns,
                                          const Names& names) {
    const auto release = [&](Waiting waiting) -> Result<bool> {
        const bool waits_for_it =
            !waiting.is_scheduled && waiting.tries == 0 && waiting.due_ns > now_ns;
        if (waits_for_it && !gone_.contains(waiting.sequence) &&
            !moved_.contains(waiting.sequence)) {
            remove_waiting(customer, waiting, names);
            waiting.due_ns = now_ns;
            add_waiting(customer, waiting, names);
        }
        return true;
    };
    return each_waiting(before.destination, before.sequence + 1, released_at_once_max, release);
}

// ---------------------------------------------------------------- orders

void MessageQueue::keep(Message& message, const Names& names) {
    if (message.id <= UINT32_MAX && !is_free(message.id)) {
        message.store_answer = StoreAnswer::failed;
        return;
    }
    message.destination_hash =
        destination_hash(names.name_of(message.customer), message.destination.view());
    message.store_sequence = sequence_.next++;
    message.blocked = false;
    database_.put_new(Family::messages, message_key(message.id), encode_message(message, names));
    counts_.kept.add();
    if (message.queue_wanted || waiting_at(message.destination_hash) > 0) {
        message.store_answer = StoreAnswer::queued;
        add_waiting(message.customer, waiting_of(message), names);
        return;
    }
    const auto [flight, is_first] = flights_.try_emplace(message.destination_hash);
    message.store_answer = is_first ? StoreAnswer::done : StoreAnswer::blocked;
    if (!is_first) {
        message.blocked = true;
        ++flight->second.expected;
    }
}

// 32 bits come again, and may be of a message of days ago.
bool MessageQueue::is_free(uint64_t id) {
    const auto there = find(id);
    if (!there) {
        (void)fail_with(there.error().text);
    }
    return there && !*there;
}

void MessageQueue::settle_keep(Message& message, bool written) {
    if (written) {
        counts_.queued.add(message.store_answer == StoreAnswer::queued ? 1 : 0);
        return;
    }
    if (message.store_answer == StoreAnswer::blocked) {
        leave_place(message);
    } else if (message.store_answer == StoreAnswer::done) {
        leave(message.destination_hash);
    }
}

void MessageQueue::postpone(Message& message, const Names& names) {
    message.store_answer = StoreAnswer::queued;
    add_waiting(message.customer, waiting_of(message), names);
}

void MessageQueue::settle_postpone(Message& message, bool written) {
    if (!written) {
        return;
    }
    counts_.queued.add();
    if (message.blocked) {
        leave_place(message);
        return;
    }
    const auto flight = flights_.find(message.destination_hash);
    if (flight == flights_.end()) {
        SY_COUNT_BUG("a message was put off that was not under way");
        return;
    }
    while (Message* other = flight->second.chain.pop_front()) {
        other->due_wall_ns =
            std::min(std::max(other->due_wall_ns, message.due_wall_ns), other->expires_wall_ns);
        to_put_off_.push_back(other);
    }
    leave(message.destination_hash);
}

void MessageQueue::end(Message& message) {
    message.store_answer = StoreAnswer::done;
    database_.erase(Family::messages, message_key(message.id));
}

void MessageQueue::settle_end(Message& message, bool written) {
    if (!written) {
        return;
    }
    if (message.blocked) {
        leave_place(message);
    } else {
        leave(message.destination_hash);
    }
}

// It is under way no more: the next one's turn.
void MessageQueue::leave(uint64_t destination) {
    const auto flight = flights_.find(destination);
    if (flight == flights_.end()) {
        SY_COUNT_BUG("a message ended that was not under way");
        return;
    }
    if (Message* next = flight->second.chain.pop_front()) {
        next->store_answer = StoreAnswer::done;
        released_.push_back(next);
    } else if (flight->second.expected > 0) {
        flight->second.is_busy = false;
    } else {
        flights_.erase(flight);
    }
}

// It is in nobody's way and could not be written either: it is expected again.
void MessageQueue::hold_place(Message& message) {
    const auto [flight, is_new] = flights_.try_emplace(message.destination_hash);
    flight->second.is_busy = flight->second.is_busy && !is_new;
    ++flight->second.expected;
    message.blocked = true;
}

// One that was `blocked` will not come for its turn.
void MessageQueue::leave_place(Message& message) {
    message.blocked = false;
    const auto flight = flights_.find(message.destination_hash);
    if (flight == flights_.end() || flight->second.expected == 0) {
        SY_COUNT_BUG("a message was blocked by none");
        return;
    }
    if (--flight->second.expected == 0 && !flight->second.is_busy) {
        flights_.erase(flight);
    }
}

// ---------------------------------------------------------------- reading

Result<std::optional<std::string>> MessageQueue::find(uint64_t id) {
    const std::string key = message_key(id);
    Database::Entry entry;
    const auto found = database_.seek(Family::messages, key, key, entry);
    if (!found) {
        return std::unexpected(found.error());
    }
    return *found ? std::optional(std::move(entry.value)) : std::nullopt;
}

Result<std::optional<Waiting>> MessageQueue::waiting(uint64_t destination, uint64_t sequence) {
    const std::string key = order_key(destination, sequence);
    Database::Entry entry;
    const auto found = database_.seek(Family::order, key, key, entry);
    if (!found) {
        return std::unexpected(found.error());
    }
    Waiting out;
    if (!*found || !decode_order(entry.key, entry.value, out) || gone_.contains(sequence) ||
        moved_.contains(sequence)) {
        return std::optional<Waiting>();
    }
    return std::optional(out);
}

MessageQueue::Step MessageQueue::fail_with(std::string text) {
    counts_.failures.add();
    error_ = std::move(text);
    return Step::failed;
}

}  // namespace sy::store
