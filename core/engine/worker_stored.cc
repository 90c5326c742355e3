// MT messages taken to store and forward: kept before their customer is answered, tried by the
// retry schedule until somebody has them or their validity ends. While one waits it stands in the
// store alone. See worker.h; the store's side is core/store/message_queue.h.
#include <algorithm>

#include "core/base/assert.h"
#include "core/engine/attempt_log.h"
#include "core/engine/receipt_way.h"
#include "core/engine/worker.h"
#include "core/smpp/tlv.h"

namespace sy::engine {
namespace {

using smpp::CommandStatus;
using smpp::MessageState;

// Of one customer in one worker's hands: enough for a fast supplier's windows, and few enough that
// one customer's campaign does not fill the pool or a supplier's queue.
constexpr uint32_t stored_open_max = 2048;
// Of one customer, asked of the store at a time: each such round costs the disk two syncs.
constexpr uint16_t loads_a_look = 64;
constexpr Nanos store_again_every_ns = 250 * millisecond_ns;
// Until its customer, who is not configured, may be again.
constexpr Nanos stranger_wait_ns = 60 * second_ns;

// What its customer is told of a message that ended here.
MessageState state_of(const Counter& end_state, const WorkerCounters& counters) {
    return &end_state == &counters.mt_expired   ? MessageState::expired
           : &end_state == &counters.mt_unknown ? MessageState::unknown
                                                : MessageState::rejected;
}

}  // namespace

// ---------------------------------------------------------------- taking

// The messaging mode (SMPP 3.4 section 5.2.12) decides, where it says something.
bool Worker::takes_to_store(const Session& session, uint8_t esm_class) const {
    if (store_ == nullptr || session.customer == nullptr) {
        return false;
    }
    const uint8_t mode = esm_class & smpp::esm_class_mode_mask;
    return mode == smpp::esm_class_store_and_forward ||
           (mode == 0 && session.customer->store_and_forward);
}

void Worker::set_times_of_stored(Message& message) const {
    const route::RetrySchedule& retry = snapshot_->retry;
    const Nanos now = now_.wall_ns;
    Nanos due = now;
    // Both were checked when the message was validated.
    if (!message.sm.schedule_delivery_time.empty()) {
        (void)smpp::parse_time(message.sm.schedule_delivery_time, now, due);
        due = std::max(due, now);
    }
    Nanos expires = due + retry.validity_ns;
    if (!message.sm.validity_period.empty()) {
        (void)smpp::parse_time(message.sm.validity_period, now, expires);
    }
    uint32_t seconds = 0;  // data_sm has this instead (section 5.3.2.7)
    if (!message.sm.tlvs.empty() &&
        smpp::find_integer(message.sm.tlvs, smpp::TlvTag::qos_time_to_live, seconds)) {
        expires = now + Nanos{seconds} * second_ns;
    }
    message.accepted_wall_ns = now;
    message.expires_wall_ns = std::min(expires, due + retry.validity_max_ns);
    // At its end, if that is before: to say that it expired.
    message.due_wall_ns = std::min(due, message.expires_wall_ns);
    message.is_scheduled = due > now;
    message.tries = 0;
    message.maybe_sent = false;
}

void Worker::on_message_kept(Message* message) {
    message->to_store = false;
    if (message->store_answer == StoreAnswer::failed) {
        const CommandStatus refusal = store_->refusal();
        --stored_open_[message->customer.value];
        finish_mt(message,
                  refusal != CommandStatus::esme_rok ? refusal : CommandStatus::esme_rsyserr,
                  counters_.mt_rejected);
        return;
    }
    counters_.mt_stored.add();
    if (message->group != nullptr) {
        finish_group(message, CommandStatus::esme_rok);
        message->group = nullptr;
    } else {
        answer_submit(message, CommandStatus::esme_rok);
    }
    message->stored = true;
    switch (message->store_answer) {
        case StoreAnswer::queued:
            counters_.mt_postponed.add();
            release_stored(message);
            return;
        case StoreAnswer::blocked:
            if (draining_) {
                postpone_until(message, now_.wall_ns);
            } else {
                order_of_store(message, StoreOrder::wait_turn, Stage::message_turn, id_);
            }
            return;
        default:
            set_round_deadline(*message, snapshot_->timers.response_ns);
            dispatch_mt(message, CommandStatus::esme_rsyserr);
            return;
    }
}

void Worker::on_message_turn(Message* message) {
    switch (message->store_answer) {
        case StoreAnswer::done:
            begin_round(message);
            return;
        case StoreAnswer::queued:
            counters_.mt_postponed.add();
            release_stored(message);
            return;
        default:
            // The store could not write that it waits, and holds its place.
            postpone_until(message, message->due_wall_ns);
            return;
    }
}

// ---------------------------------------------------------------- rounds

// Routed anew each time: tables, prices and links are others than when it was taken.
void Worker::begin_round(Message* message) {
    const route::Customer* account = snapshot_->customer(message->customer);
    if (account == nullptr) {
        postpone_until(message, now_.wall_ns + stranger_wait_ns);
        return;
    }
    if (draining_) {
        postpone_until(message, now_.wall_ns);
        return;
    }
    reset_round(*message);
    set_round_deadline(*message, account->timers.response_ns);
    message->wants_receipt = smpp::wants_receipt(message->sm.registered_delivery);
    const CommandStatus status = set_numbers(*account, *message);
    if (now_.wall_ns >= message->expires_wall_ns) {
        finish_mt(message, CommandStatus::esme_rsyserr, counters_.mt_expired);
        return;
    }
    if (status != CommandStatus::esme_rok) {
        finish_mt(message, status, counters_.mt_rejected);
        return;
    }
    route_soon(message);
}

// Of an earlier round, or of what the buffer carried before.
void Worker::reset_round(Message& message) const {
    message.target_next = 0;
    message.target_count = 0;
    message.attempts = 0;
    message.priority = std::min<uint8_t>(message.sm.priority_flag, SupplierQueue::levels - 1);
    message.outcome = Outcome::none;
    message.accepted_ns = now_.mono_ns - (now_.wall_ns - message.accepted_wall_ns);
    message.network = NetworkId::none();
    if (message.log != nullptr) {
        message.log->resent = message.maybe_sent;
    }
}

void Worker::set_round_deadline(Message& message, Nanos patience_ns) const {
    const Nanos now = now_.wall_ns;
    const Nanos left = message.expires_wall_ns > now ? message.expires_wall_ns - now : 0;
    message.deadline_ns = now_.mono_ns + std::min(patience_ns, left);
}

// Until the next round, by what ended this one.
Nanos Worker::retry_wait(const Message& message, CommandStatus status, uint8_t tries) const {
    const route::RetrySchedule& retry = snapshot_->retry;
    const bool was_refused = message.attempts > 0 && message.outcome == Outcome::answered;
    const auto& waits =
        !was_refused ? retry.down
        : snapshot_->errors.classify(message.supplier, status) == route::ErrorClass::pause
            ? retry.pause
            : retry.next;
    return route::RetrySchedule::wait(waits, tries);
}

// Nobody took it in this round.
void Worker::postpone(Message* message, CommandStatus status) {
    const Nanos now = now_.wall_ns;
    if (now >= message->expires_wall_ns) {
        finish_mt(message, status, counters_.mt_expired);
        return;
    }
    message->tries = static_cast<uint8_t>(std::min(message->tries + 1, 255));
    const Nanos wait = retry_wait(*message, status, message->tries);
    if (records_ != nullptr) {
        record_mt(*message, status, counters_.mt_postponed);
    }
    // At the end of its validity it is looked at once more, to say that it expired.
    postpone_until(message, draining_ ? now : std::min(now + wait, message->expires_wall_ns));
}

void Worker::postpone_until(Message* message, Nanos due_wall_ns) {
    message->due_wall_ns = due_wall_ns;
    order_of_store(message, StoreOrder::postpone_message, Stage::message_postponed, id_);
}

void Worker::on_message_postponed(Message* message) {
    if (message->store_answer == StoreAnswer::failed) {
        store_again(message);
        return;
    }
    counters_.mt_postponed.add();
    release_stored(message);
}

// Counted and recorded; the store forgets it, and keeps the receipt that its customer is owed. One
// whose receipt a supplier will send has ended with the way back.
void Worker::end_stored(Message* message, CommandStatus status, const Counter& end_state) {
    const bool accepted = &end_state == &counters_.mt_accepted;
    if (accepted && message->wants_receipt) {
        release_stored(message);
        return;
    }
    message->way_ends = false;
    const MessageState state = state_of(end_state, counters_);
    if (!accepted && &end_state != &counters_.mt_dropped &&
        is_wanted(message->sm.registered_delivery, true, state)) {
        make_own_receipt(*message, state, status, now_.wall_ns);
        message->way_ends = true;
        counters_.mt_receipts.add();
    }
    order_of_store(message, StoreOrder::end_message, Stage::message_ended, id_);
}

void Worker::on_message_ended(Message* message) {
    if (message->store_answer == StoreAnswer::failed) {
        store_again(message);
        return;
    }
    release_stored(message);
}

void Worker::release_stored(Message* message) {
    const CustomerId customer = message->customer;
    SY_DCHECK(stored_open_[customer.value] > 0);
    --stored_open_[customer.value];
    pool_.give_back(message);
    // What waits on disk is older; no more of it comes at a time than leaves room for the others.
    load_messages_of(customer);
    write_held(customer);
}

// ---------------------------------------------------------------- a store that fails

// New messages are refused meanwhile. Killed now, the router would find these under way.
void Worker::store_again(Message* message) {
    store_again_.push_back(message);
}

void Worker::run_store_again() {
    if (store_again_.empty() || now_.mono_ns - store_again_ns_ < store_again_every_ns) {
        return;
    }
    store_again_ns_ = now_.mono_ns;
    for (uint32_t left = store_again_.count(); left > 0; --left) {
        Message* message = store_again_.pop_front();
        switch (message->stage) {
            case Stage::message_postponed:
                order_of_store(message, StoreOrder::postpone_message, message->stage, id_);
                break;
            case Stage::message_ended:
                order_of_store(message, StoreOrder::end_message, message->stage, id_);
                break;
            case Stage::reroute_ended:
                order_end_reroute(message, message->due_wall_ns, message->queue_wanted);
                break;
            default:
                // A supplier has it, and the way of its receipt is not stored yet.
                message->outcome = Outcome::answered;
                message->status = CommandStatus::esme_rok;
                on_attempt_end(message);
                break;
        }
    }
}

// ---------------------------------------------------------------- taking from the store

bool Worker::hands_are_full(CustomerId customer) const {
    return stored_open_[customer.value] >= stored_open_max;
}

void Worker::load_messages_of(CustomerId customer) {
    const auto& shared = hub_.customer(customer);
    while (!draining_ && now_.wall_ns >= shared.message_due_ns.load(std::memory_order_relaxed) &&
           message_loads_[customer.value] < loads_a_look && !hands_are_full(customer) &&
           has_spare_messages()) {
        Message* message = pool_.take(0);
        if (message == nullptr) {
            return;
        }
        order_next_message(customer, message);
    }
}

void Worker::order_next_message(CustomerId customer, Message* message) {
    message->kind = MessageKind::mt;
    message->customer = customer;
    message->sm = {};
    message->due_wall_ns = now_.wall_ns;
    message->blocked = false;
    ++message_loads_[customer.value];
    ++stored_open_[customer.value];
    order_of_store(message, StoreOrder::next_message, Stage::message_loaded, id_);
}

void Worker::on_message_loaded(Message* message) {
    const CustomerId customer = message->customer;
    --message_loads_[customer.value];
    switch (message->store_answer) {
        case StoreAnswer::done:
            counters_.mt_loaded.add();
            message->to_store = false;
            begin_round(message);
            load_messages_of(customer);
            return;
        case StoreAnswer::queued:
            // It waited behind another one to its destination, which was put off.
            counters_.mt_loaded.add();
            counters_.mt_postponed.add();
            release_stored(message);
            return;
        case StoreAnswer::too_small: {
            --stored_open_[customer.value];
            pool_.give_back(message);
            Message* large = pool_.take(limits::pdu_bytes_max);
            if (large != nullptr) {
                order_next_message(customer, large);
            }
            return;
        }
        default:
            if (message->blocked) {
                // Taken before, behind another one; now the store could not write that it waits.
                counters_.mt_loaded.add();
                postpone_until(message, message->due_wall_ns);
                return;
            }
            --stored_open_[customer.value];
            pool_.give_back(message);
            return;
    }
}

}  // namespace sy::engine
