// What a worker hands to the store, and what it does when it comes back. See worker.h; the rings
// are in store_link.h. Without a store nothing here runs.
#include <algorithm>

#include "core/base/assert.h"
#include "core/base/prefetch.h"
#include "core/engine/record.h"
#include "core/engine/worker.h"

namespace sy::engine {
namespace {

using smpp::CommandStatus;

constexpr uint32_t returns_burst = 64;
constexpr uint32_t returns_ahead = 6;
constexpr uint32_t returns_work_max = 512;  // a turn and end
// Receipts on their way from the store to a customer that has come back: enough for its windows,
// few beside the pool.
constexpr uint32_t loads_open_max = 256;
constexpr uint32_t loaded_waiting_max = 128;  // of one customer
constexpr uint32_t customers_a_look = 512;    // looked at for a bind each millisecond

// It was last touched by another core.
void prefetch_return(const Message& message) {
    prefetch_lines_to_write(&message, &message.key);
    prefetch(&message.store_order);
    prefetch(&message.due_wall_ns);
}

}  // namespace

void Worker::order_of_store(Message* message, StoreOrder order, Stage then, WorkerId back) {
    SY_DCHECK(store_ != nullptr);
    message->store_order = order;
    message->stage = then;
    message->store_back = back.value;
    (end_of(order) == StoreEnd::writer ? rang_writer_ : rang_reader_) = false;
    if (!store_spill_.empty() || !store_->push(id_, message)) {
        store_spill_.push_back(message);
    }
}

void Worker::run_store() {
    if (store_ == nullptr) {
        return;
    }
    while (!store_spill_.empty() && store_->push(id_, store_spill_.front())) {
        store_spill_.pop_front();
        rang_writer_ = rang_reader_ = false;
    }
    std::array<Message*, returns_burst> burst;
    for (const StoreEnd end : {StoreEnd::writer, StoreEnd::reader}) {
        for (uint32_t done = 0; done < returns_work_max;) {
            const uint32_t count = store_->pop(id_, end, burst);
            for (uint32_t i = 0; i < count; ++i) {
                if (i + returns_ahead < count) {
                    prefetch_return(*burst[i + returns_ahead]);
                }
                handle(burst[i]);
            }
            work_ += count;
            done += count;
            if (count < returns_burst) {
                break;
            }
        }
    }
}

void Worker::ring_store() {
    if (!rang_writer_) {
        rang_writer_ = true;
        store_->ring(StoreEnd::writer);
    }
    if (!rang_reader_) {
        rang_reader_ = true;
        store_->ring(StoreEnd::reader);
    }
}

// ---------------------------------------------------------------- ways back

void Worker::on_way_kept(Message* message) {
    if (message->store_answer != StoreAnswer::failed) {
        remember_way(message);
        return;
    }
    counters_.ways_unstored.add(message->kind == MessageKind::mt ? 1 : 0);
    if (message->way.round != 0) {
        --message->watch.round;
    }
    message->outcome = Outcome::unstored;
    message->stage = Stage::settle;
    send_to(WorkerId{message->home}, message);
}

void Worker::on_way_found(Message* message) {
    if (message->store_answer == StoreAnswer::failed && !message->answered) {
        hold_off(message);
        return;
    }
    // Its submit_sm_resp may have come meanwhile: what is in memory is newer.
    const bool in_memory = find_way(*message).way != nullptr;
    if (!in_memory && message->store_answer == StoreAnswer::done) {
        // Back in memory for the receipts that follow, and to tell a repeated one.
        const Nanos age_ns = now_.wall_ns - message->way.submitted_wall_ns;
        (void)receipt_map_.insert(message->key, message->way, now_.mono_ns - age_ns);
    }
    lookup_receipt(message);
}

// ---------------------------------------------------------------- receipts

void Worker::on_receipt_kept(Message* message) {
    if (message->store_answer == StoreAnswer::failed) {
        const bool decides = message->store_order == StoreOrder::settle_watched;
        if ((message->deliver_next || decides) && !message->answered) {
            if (message->way_ends) {
                receipt_map_.reopen(message->key, message->way.id);
            }
            message->deliver_next = false;
            hold_off(message);
            return;
        }
        counters_.receipts_unstored.add(message->deliver_next ? 1 : 0);
    }
    if (message->store_order == StoreOrder::settle_watched &&
        (message->store_answer == StoreAnswer::none ||
         message->store_answer == StoreAnswer::swallowed)) {
        end_swallowed(message);
        return;
    }
    if (message->store_answer == StoreAnswer::spilled) {
        counters_.receipts_matched.add();
        counters_.mt_settled.add(message->way.is_lost && message->way_ends ? 1 : 0);
        message->deliver_next = false;  // load_receipts() brings it, in its turn
        end_receipt_from_owner(message, CommandStatus::esme_rok);
        return;
    }
    accept_receipt(message);
}

// Of a message over several suppliers, and not the one that its customer sees.
void Worker::end_swallowed(Message* message) {
    const bool was_settled = message->store_answer == StoreAnswer::none;
    (was_settled ? counters_.receipts_duplicate : counters_.receipts_swallowed).add();
    if (records_ != nullptr) {
        record_receipt(*message, was_settled ? RecordEnd::duplicate : RecordEnd::swallowed);
    }
    message->deliver_next = false;
    end_receipt_from_owner(message, CommandStatus::esme_rok);
}

// A few customers each millisecond, all of them within 32: those that have come back and have
// receipts in the store get them, and messages whose time has come are taken.
void Worker::load_from_store(Nanos elapsed_ns) {
    if (store_ == nullptr || draining_) {
        return;
    }
    load_watched();
    const bool receipts = store_->receipts_stored() > 0;
    const bool messages = store_->messages_stored() > 0;
    if (!receipts && !messages) {
        return;
    }
    const auto customers = static_cast<uint32_t>(snapshot_->customers.size());
    const uint64_t share = customers_a_look * (elapsed_ns / millisecond_ns + 1);
    for (uint64_t i = 0; i < std::min<uint64_t>(share, customers); ++i) {
        load_cursor_ = load_cursor_ + 1 < customers ? load_cursor_ + 1 : 0;
        const CustomerId customer{static_cast<uint16_t>(load_cursor_)};
        if (receipts) {
            load_receipts_of(customer);
        }
        if (messages) {
            load_messages_of(customer);
        }
    }
}

void Worker::load_receipts_of(CustomerId customer) {
    if (draining_ || rx_sessions_[customer.value].empty()) {
        return;
    }
    int64_t stored = hub_.customer(customer).receipts_stored.load(std::memory_order_relaxed);
    while (stored > 0 && loads_open_ < loads_open_max &&
           waiting_[customer.value].messages.count() + loads_open_ < loaded_waiting_max &&
           has_spare_messages()) {
        Message* message = pool_.take(0);
        if (message == nullptr) {
            return;
        }
        message->kind = MessageKind::receipt;
        message->customer = customer;
        message->sm = {};
        ++loads_open_;
        --stored;
        order_of_store(message, StoreOrder::next_receipt, Stage::receipt_loaded, id_);
    }
}

void Worker::on_receipt_loaded(Message* message) {
    --loads_open_;
    if (message->store_answer != StoreAnswer::done) {
        pool_.give_back(message);
        return;
    }
    counters_.receipts_loaded.add();
    message->answered = true;
    // deliver() counts its age from here.
    message->accepted_ns = now_.mono_ns - (now_.wall_ns - message->received_wall_ns);
    message->not_before_ns = 0;
    const CustomerId customer = message->customer;
    deliver(message);
    load_receipts_of(customer);
}

}  // namespace sy::engine
