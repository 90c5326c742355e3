#include "core/store/writer.h"

#include <algorithm>
#include <span>

#include "core/base/assert.h"
#include "core/base/prefetch.h"

namespace sy::store {
namespace {

using engine::Message;
using engine::StoreAnswer;
using engine::StoreEnd;
using engine::StoreOrder;

// Some 200 KB: far below what a disk writes while it is asked once to be sure.
constexpr size_t batch_max = 2048;

// A message comes from another core: its lines are asked for some messages before its own turn,
// first those that say where its body is, then what its order needs.
constexpr size_t heads_ahead = 8;
constexpr size_t rest_ahead = 4;

// What is written in it, and read again when the batch is on disk.
void prefetch_store_fields(const Message& message) {
    prefetch_to_write(&message.next);
    prefetch_to_write(&message.store_order);
    prefetch_to_write(&message.destination_hash);
}

void prefetch_rest(const Message& message) {
    switch (message.store_order) {
        case StoreOrder::keep_message:
            prefetch_lines(message.body, message.body + message.body_bytes);
            prefetch(&message.destination);
            prefetch(&message.sm.priority_flag);
            return;
        case StoreOrder::keep_way:
        case StoreOrder::keep_receipt:
            prefetch(&message.key);
            prefetch_lines(&message.way, &message.way + 1);
            return;
        default:
            return;
    }
}

void prefetch_behind(std::span<Message* const> batch, size_t i) {
    if (i + heads_ahead < batch.size()) {
        const Message* message = batch[i + heads_ahead];
        prefetch_lines(message, &message->body);
        prefetch_store_fields(*message);
    }
    if (i + rest_ahead < batch.size()) {
        prefetch_rest(*batch[i + rest_ahead]);
    }
}

bool is_question(const Message* message) {
    return message->store_order == StoreOrder::query_message ||
           message->store_order == StoreOrder::cancel_message ||
           message->store_order == StoreOrder::replace_message;
}

}  // namespace

Writer::Writer(engine::Hub& hub, Database& database, Spills& spills, uint64_t next_sequence)
    : hub_(hub),
      link_(*hub.store()),
      database_(database),
      spills_(spills),
      sequence_{next_sequence},
      own_receipts_(database, spills, sequence_),
      queue_(hub, database, sequence_),
      watch_(hub, database, sequence_, own_receipts_),
      questions_(database, queue_, own_receipts_),
      batch_(batch_max),
      returns_(hub, StoreEnd::writer) {
    first_.reserve(batch_max);
    second_.reserve(batch_max);
}

bool Writer::run(const Names& names, bool durable) {
    if (!returns_.flush()) {
        return true;  // a worker is behind, and what it has not taken is not to grow
    }
    const uint32_t count = link_.take(StoreEnd::writer, batch_);
    if (count == 0) {
        return false;
    }
    bool must_last = false;
    first_.clear();
    second_.clear();
    const std::span<Message* const> batch(batch_.data(), count);
    for (size_t i = 0; i < batch.size(); ++i) {
        prefetch_behind(batch, i);
        const Applied applied = apply(*batch[i], names);
        must_last = must_last || applied == Applied::must_last;
        (applied == Applied::later ? second_ : first_).push_back(batch[i]);
    }
    if (!first_.empty()) {
        const bool written = commit(durable && must_last);
        for (size_t i = 0; i < first_.size(); ++i) {
            if (i + heads_ahead < first_.size()) {
                prefetch_store_fields(*first_[i + heads_ahead]);
            }
            settle(*first_[i], written);
            returns_.add(first_[i]);
        }
    }
    run_second(names, durable);
    for (const std::string& error : {queue_.take_error(), watch_.take_error()}) {
        if (!error.empty()) {
            error_ = error;
        }
    }
    (void)returns_.flush();
    return true;
}

bool Writer::commit(bool durable) {
    const auto written = database_.commit(durable);
    counts_.batches.add();
    counts_.failures.add(written ? 0 : 1);
    if (!written) {
        error_ = written.error().text;
    }
    own_receipts_.settle(written.has_value());
    queue_.settle(written.has_value());
    watch_.settle(written.has_value());
    return written.has_value();
}

Writer::Applied Writer::apply(Message& message, const Names& names) {
    message.store_answer = StoreAnswer::done;
    switch (message.store_order) {
        case StoreOrder::keep_way:
            database_.put_new(Family::ways, way_key(message.key, message.way.id),
                              encode_way(message.way, names));
            counts_.ways.add();
            if (message.way.round != 0) {
                watch_.begin(message, names);
            } else if (message.stored) {
                queue_.end(message);
            }
            return Applied::must_last;
        case StoreOrder::forget_way:
            database_.erase(Family::ways, way_key(message.key, message.way.id));
            return Applied::nothing_to_wait_for;
        case StoreOrder::keep_receipt:
            keep_receipt(message, names);
            return Applied::must_last;
        case StoreOrder::forget_receipt:
            database_.erase(Family::receipts,
                            receipt_key(names.name_of(message.customer), message.store_sequence));
            return Applied::nothing_to_wait_for;
        case StoreOrder::keep_message:
            queue_.keep(message, names);
            return Applied::must_last;
        case StoreOrder::postpone_message:
            queue_.postpone(message, names);
            return Applied::must_last;
        case StoreOrder::end_message:
            end_message(message, names);
            return message.way_ends ? Applied::must_last : Applied::nothing_to_wait_for;
        case StoreOrder::wait_turn:
        case StoreOrder::next_message:
        case StoreOrder::query_message:
        case StoreOrder::cancel_message:
        case StoreOrder::replace_message:
        case StoreOrder::settle_watched:
        case StoreOrder::next_watched:
        case StoreOrder::end_reroute:
            return Applied::later;
        case StoreOrder::find_way:
        case StoreOrder::next_receipt:
            break;
    }
    SY_COUNT_BUG("an order of the reader came to the writer");
    message.store_answer = StoreAnswer::failed;
    return Applied::nothing_to_wait_for;
}

void Writer::keep_receipt(Message& message, const Names& names) {
    const CustomerId customer = message.customer;
    const engine::CustomerShared& shared = hub_.customer(customer);
    message.store_sequence = sequence_.next++;
    const bool is_away = shared.rx_workers.load(std::memory_order_relaxed) == 0;
    if (spills_.stays(customer, is_away, message.store_sequence)) {
        message.store_answer = StoreAnswer::spilled;
        counts_.receipts_spilled.add();
    }
    database_.put_new(Family::receipts,
                      receipt_key(names.name_of(customer), message.store_sequence),
                      encode_receipt(message, message.supplier, names));
    if (message.way_ends) {
        database_.erase(Family::ways, way_key(message.key, message.way.id));
    }
    counts_.receipts.add();
}

void Writer::end_message(Message& message, const Names& names) {
    queue_.end(message);
    if (message.way_ends) {
        own_receipts_.put(message, names);
        counts_.receipts.add();
    }
}

void Writer::settle(Message& message, bool written) {
    switch (message.store_order) {
        case StoreOrder::keep_message:
            queue_.settle_keep(message, written);
            break;
        case StoreOrder::postpone_message:
            queue_.settle_postpone(message, written);
            break;
        case StoreOrder::end_message:
            queue_.settle_end(message, written);
            break;
        case StoreOrder::keep_way:
            if (message.stored) {
                queue_.settle_end(message, written);
            }
            break;
        default:
            break;
    }
    if (message.store_answer == StoreAnswer::spilled) {
        spills_.written(message.customer, written);
    }
    if (written) {
        return;
    }
    if (message.store_order == StoreOrder::keep_receipt) {
        message.store_sequence = 0;
    }
    message.store_answer = StoreAnswer::failed;
}

// ---------------------------------------------------------------- what must see the first batch

void Writer::run_second(const Names& names, bool durable) {
    std::ranges::stable_partition(second_, is_question);
    std::erase_if(second_, [&](Message* message) { return !apply_second(*message, names); });
    queue_.put_off_others(names);
    if (queue_.has_second() || watch_.has_changes()) {
        const bool written = commit(durable);
        queue_.settle_second(written);
        for (Message* message : second_) {
            settle_second(*message, written);
        }
    }
    for (Message* message : second_) {
        returns_.add(message);
    }
    while (Message* message = queue_.pop_released()) {
        returns_.add(message);
    }
}

void Writer::settle_second(Message& message, bool written) {
    if (message.store_answer == StoreAnswer::spilled) {
        spills_.written(message.customer, written);
    }
    if (written) {
        return;
    }
    switch (message.store_order) {
        case StoreOrder::wait_turn:
        case StoreOrder::next_message:
            return;  // the queue has said so
        case StoreOrder::settle_watched:
        case StoreOrder::next_watched:
        case StoreOrder::end_reroute:
            message.store_sequence = 0;
            message.store_answer = StoreAnswer::failed;
            return;
        default:
            if (message.store_answer == StoreAnswer::done) {
                message.store_answer = StoreAnswer::failed;
            }
    }
}

// The one receipt that its customer sees of a message over several suppliers.
void Writer::settle_watched(Message& message, const Names& names) {
    const bool is_last = watch_.settle_receipt(message);
    if (message.store_answer == StoreAnswer::failed) {
        return;
    }
    if (is_last && message.deliver_next) {
        keep_receipt(message, names);
    } else {
        database_.erase(Family::ways, way_key(message.key, message.way.id));
    }
}

// False: it stays in the queue for now.
bool Writer::apply_second(Message& message, const Names& names) {
    switch (message.store_order) {
        case StoreOrder::wait_turn:
            return queue_.turn(message, names);
        case StoreOrder::next_message:
            return queue_.next(message, names);
        case StoreOrder::settle_watched:
            settle_watched(message, names);
            return true;
        case StoreOrder::next_watched:
            watch_.next(message, names);
            return true;
        case StoreOrder::end_reroute:
            watch_.end(message, names);
            return true;
        default:
            questions_.answer(message, names);
            return true;
    }
}

}  // namespace sy::store
