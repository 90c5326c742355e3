// Whose turn it is: those that wait for one before them, and those whose time has come. See
// message_queue.h.
#include <algorithm>

#include "core/base/assert.h"
#include "core/store/message_queue.h"

namespace sy::store {
namespace {

using engine::Message;
using engine::StoreAnswer;

constexpr int steps_max = 64;  // of one search, so that others are not kept waiting
constexpr Nanos retry_read_ns = second_ns;
constexpr uint32_t no_limit = ~uint32_t{0};
constexpr Nanos never_ns = ~uint64_t{0};

}  // namespace

bool MessageQueue::turn(Message& message, const Names& names) {
    message.blocked = false;
    const auto flight = flights_.find(message.destination_hash);
    if (flight == flights_.end() || flight->second.expected == 0) {
        SY_COUNT_BUG("a turn was asked for that nobody had");
        hold_place(message);
        message.store_answer = StoreAnswer::failed;
        return true;
    }
    --flight->second.expected;
    if (flight->second.is_busy) {
        flight->second.chain.push_back(&message);
        return false;
    }
    if (waiting_at(message.destination_hash) > 0) {
        // The one before waits now, or may: behind it.
        if (flight->second.expected == 0) {
            flights_.erase(flight);
        }
        put_off(message, names);
        return false;
    }
    flight->second.is_busy = true;
    message.store_answer = StoreAnswer::done;
    return true;
}

void MessageQueue::put_off(Message& message, const Names& names) {
    add_waiting(message.customer, waiting_of(message), names);
    put_off_.push_back(&message);
}

void MessageQueue::put_off_others(const Names& names) {
    while (Message* message = to_put_off_.pop_front()) {
        put_off(*message, names);
    }
}

bool MessageQueue::next(Message& message, const Names& names) {
    const CustomerId customer = message.customer;
    message.store_answer = StoreAnswer::none;
    Nanos next_due = never_ns;
    int steps = 0;
    for (int priority = priorities - 1; priority >= 0 && steps < steps_max; ++steps) {
        switch (look(message, customer, static_cast<uint8_t>(priority), names, next_due)) {
            case Step::none:
                --priority;
                break;
            case Step::again:
                break;
            case Step::taken:
                message.store_answer = StoreAnswer::done;
                return true;
            case Step::chained:
                return false;
            case Step::too_small:
                message.store_answer = StoreAnswer::too_small;
                return true;
            case Step::failed:
                message.store_answer = StoreAnswer::failed;
                set_due(customer, message.due_wall_ns + retry_read_ns);
                return true;
        }
    }
    if (steps < steps_max) {
        // What stands in the open batch was not to be seen.
        for (const Change& change : changes_) {
            if (change.count > 0 && change.customer == customer) {
                next_due = std::min(next_due, change.waiting.due_ns);
            }
        }
        set_due(customer, next_due);
    }
    return true;
}

void MessageQueue::pass(Line& line, const Waiting& waiting) {
    line.from_ns = waiting.due_ns;
    line.from_sequence = waiting.sequence + 1;
}

// At the first of the customer's that has this priority; message.due_wall_ns is now.
MessageQueue::Step MessageQueue::look(Message& message,
                                      CustomerId customer,
                                      uint8_t priority,
                                      const Names& names,
                                      Nanos& next_due_ns) {
    Line& line = lines_[customer.value][priority];
    if (line.count <= 0) {
        return Step::none;
    }
    const Nanos now = message.due_wall_ns;
    const std::string_view name = names.name_of(customer);
    Database::Entry entry;
    const auto found =
        database_.seek(Family::queue, queue_key(name, priority, line.from_ns, line.from_sequence),
                       queue_prefix(name, priority), entry);
    if (!found) {
        return fail_with(found.error().text);
    }
    if (!*found) {
        return Step::none;
    }
    Waiting waiting;
    std::string_view owner;
    const bool readable = decode_queue(entry.key, entry.value, owner, waiting);
    if (readable && waiting.due_ns > now) {
        next_due_ns = std::min(next_due_ns, waiting.due_ns);
        return Step::none;
    }
    const bool is_gone = gone_.contains(waiting.sequence) || moved_.contains(waiting.sequence);
    if (!readable || is_gone) {
        counts_.unreadable.add(readable ? 0 : 1);
        pass(line, waiting);
        return Step::again;
    }
    const auto first = first_of(waiting, now);
    if (!first) {
        return fail_with(first.error().text);
    }
    const bool is_first = !*first || (*first)->sequence >= waiting.sequence;
    if (is_first || (*first)->due_ns <= now) {
        const Step step = take(message, customer, is_first ? waiting : **first, names);
        // One that stands elsewhere in the queue is passed over when it is come upon.
        if (is_first && step != Step::too_small && step != Step::failed) {
            pass(line, waiting);
        }
        return step;
    }
    // Behind one to the same destination that waits longer, as long as it is valid itself.
    const auto expires = expiry_of(waiting.id);
    if (!expires) {
        return fail_with(expires.error().text);
    }
    if (*expires <= now) {
        const Step step = take(message, customer, waiting, names);
        if (step != Step::too_small && step != Step::failed) {
            pass(line, waiting);
        }
        return step;
    }
    remove_waiting(customer, waiting, names);
    pass(line, waiting);
    waiting.due_ns = std::min((*first)->due_ns, *expires);
    waiting.is_scheduled = false;
    add_waiting(customer, waiting, names);
    return Step::again;
}

// 0 for what cannot be read: take() says so.
Result<Nanos> MessageQueue::expiry_of(uint64_t id) {
    const auto value = find(id);
    if (!value) {
        return std::unexpected(value.error());
    }
    const Names nobody({}, {}, {});
    StoredMessage stored;
    return *value && decode_message(**value, nobody, stored) ? stored.expires_wall_ns : 0;
}

// The first that waits for that one's destination. One that is scheduled for later is in nobody's
// way.
Result<std::optional<Waiting>> MessageQueue::first_of(const Waiting& due, Nanos now_ns) {
    if (waiting_at(due.destination) == 1) {
        return std::optional(due);  // nothing else waits for it
    }
    std::optional<Waiting> first;
    SY_TRY(each_waiting(due.destination, 0, no_limit, [&](const Waiting& waiting) -> Result<bool> {
        const bool is_later = waiting.is_scheduled && waiting.due_ns > now_ns;
        if (is_later || gone_.contains(waiting.sequence)) {
            return true;
        }
        first = waiting;
        return false;
    }));
    return first;
}

MessageQueue::Step MessageQueue::take(Message& message,
                                      CustomerId customer,
                                      const Waiting& waiting,
                                      const Names& names) {
    const auto value = find(waiting.id);
    if (!value) {
        return fail_with(value.error().text);
    }
    StoredMessage stored;
    const bool readable = *value && decode_message(**value, names, stored);
    if (readable && stored.body.size() > message.body_capacity) {
        return Step::too_small;
    }
    remove_waiting(customer, waiting, names);
    if (!readable || !restore(stored, waiting.id, message)) {
        counts_.unreadable.add();
        message.customer = customer;
        return Step::again;
    }
    message.customer = customer;
    message.tries = waiting.tries;
    message.maybe_sent = waiting.maybe_sent;
    message.is_scheduled = false;
    message.blocked = false;
    counts_.taken.add();
    taken_.push_back({&message, customer, waiting});
    const auto [flight, is_new] = flights_.try_emplace(waiting.destination);
    if (!is_new && flight->second.is_busy) {
        flight->second.chain.push_back(&message);
        return Step::chained;
    }
    flight->second.is_busy = true;
    return Step::taken;
}

void MessageQueue::settle_second(bool written) {
    while (Message* message = put_off_.pop_front()) {
        if (written) {
            counts_.queued.add();
            message->store_answer = StoreAnswer::queued;
        } else {
            message->store_answer = StoreAnswer::failed;
            hold_place(*message);
        }
        released_.push_back(message);
    }
    if (!written) {
        for (const Taken& taken : taken_) {
            give_up(taken);
        }
    }
    taken_.clear();
}

// It still waits, as far as the disk knows.
void MessageQueue::give_up(const Taken& taken) {
    taken.message->store_answer = StoreAnswer::failed;
    Flight& flight = flights_.at(taken.waiting.destination);
    bool was_chained = false;
    for (uint32_t left = flight.chain.count(); left > 0; --left) {
        Message* other = flight.chain.pop_front();
        if (other == taken.message) {
            was_chained = true;
            released_.push_back(other);
        } else {
            flight.chain.push_back(other);
        }
    }
    if (!was_chained) {
        leave(taken.waiting.destination);
    }
}

}  // namespace sy::store
