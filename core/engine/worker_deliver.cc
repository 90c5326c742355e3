// deliver_sm to customers, for MO and receipts alike: the session, the window, waiting and trying
// again. See worker.h.
#include <algorithm>
#include <bit>

#include "core/base/assert.h"
#include "core/engine/record.h"
#include "core/engine/worker.h"
#include "core/smpp/encode.h"

namespace sy::engine {
namespace {

using smpp::CommandId;
using smpp::CommandStatus;

// A receipt that the customer refuses "for now": again after this, at most that often.
constexpr Nanos retry_after_ns = 2 * second_ns;
constexpr uint8_t delivery_tries_max = 30;
// A deliver_sm of ours: receipt text, TLVs, addresses.
constexpr size_t receipt_pdu_bytes_max = 640;

}  // namespace

// PROTOCOL 15.5: what a customer's deliver_sm_resp may say and still mean "later".
bool Worker::is_temporary(CommandStatus status) {
    switch (status) {
        case CommandStatus::esme_rsyserr:
        case CommandStatus::esme_rmsgqful:
        case CommandStatus::esme_rthrottled:
        case CommandStatus::esme_rx_t_appn:
        case CommandStatus::esme_rsubmitfail:
        case CommandStatus::esme_rdeliveryfailure:
        case CommandStatus::esme_runknownerr:
            return true;
        default:
            return false;
    }
}

void Worker::rx_session_up(CustomerId customer) {
    auto& workers = hub_.customer(customer).rx_workers;
    const uint64_t bit = uint64_t{1} << id_.value;
    // Relaxed: who reads a stale bit finds no session there and waits.
    if (rx_sessions_[customer.value].empty()) {
        workers.fetch_and(~bit, std::memory_order_relaxed);
    } else {
        workers.fetch_or(bit, std::memory_order_relaxed);
        run_waiting_of(customer);
    }
}

// To a worker with a receiving session of the customer, this one before others.
void Worker::deliver(Message* message) {
    message->stage = Stage::deliver;
    if (!rx_sessions_[message->customer.value].empty()) {
        Waiting& waiting = waiting_[message->customer.value];
        // What already waits goes first: receipts arrive in order.
        if (!waiting.messages.empty() || !deliver_now(message)) {
            wait_for_customer(message);
        }
        return;
    }
    if (const uint64_t others = other_rx_workers(message->customer); others != 0) {
        send_to(WorkerId{static_cast<uint8_t>(std::countr_zero(others))}, message);
        return;
    }
    if (message->kind != MessageKind::receipt) {
        end_delivery(message, Outcome::bounced, CommandStatus::esme_rx_t_appn);
        return;
    }
    wait_for_customer(message);
}

uint64_t Worker::other_rx_workers(CustomerId customer) const {
    return hub_.customer(customer).rx_workers.load(std::memory_order_relaxed) &
           ~(uint64_t{1} << id_.value);
}

bool Worker::deliver_now(Message* message) {
    auto& slots = rx_sessions_[message->customer.value];
    const size_t count = slots.size();
    if (message->not_before_ns > now_.mono_ns && message->delivery_tries > 0) {
        return false;
    }
    for (size_t i = 0; i < count; ++i) {
        // Round robin over the customer's sessions.
        Session& session = sessions_[slots[rx_next_++ % count]];
        const bool open = session.ending == Ending::no && !session.blocked &&
                          session.hold_until_ns <= now_.mono_ns && !session.window->full();
        if (open && deliver_on(session, message)) {
            return true;
        }
    }
    return false;
}

bool Worker::deliver_on(Session& session, Message* message) {
    const bool is_receipt = message->kind == MessageKind::receipt;
    smpp::Sm sm = message->sm;
    if (!session.tlvs) {
        sm.tlvs = {};
    }
    const auto out =
        reserve(session, is_receipt ? receipt_pdu_bytes_max : smpp::encoded_sm_bytes_max(sm));
    if (out.empty()) {
        return false;
    }
    const uint32_t sequence = session.window->push(now_.mono_ns, Outstanding{message});
    const size_t bytes = is_receipt ? encode_receipt(session, *message, out, sequence)
                                    : smpp::encode_sm(out, CommandId::deliver_sm, sequence, sm);
    SY_ASSERT(bytes > 0);
    commit(session, bytes);
    ++message->delivery_tries;
    if (records_ != nullptr) {
        note_delivery(*message);
    }
    ++work_;
    return true;
}

// ---------------------------------------------------------------- waiting

// Receipts are in the router's hands here: however many wait, none is dropped but by its age (the
// limit is kept where they are taken, match_receipt()). An MO has its supplier waiting.
void Worker::wait_for_customer(Message* message) {
    const route::Customer* customer = snapshot_->customer(message->customer);
    const uint32_t limit = customer != nullptr ? customer->receipt_queue_max : 0;
    if (message->kind != MessageKind::receipt &&
        waiting_[message->customer.value].messages.count() >= limit) {
        drop_waiting(message);
        return;
    }
    queue_waiting(message, false);
}

void Worker::queue_waiting(Message* message, bool first) {
    const CustomerId customer = message->customer;
    Waiting& waiting = waiting_[customer.value];
    first ? waiting.messages.push_front(message) : waiting.messages.push_back(message);
    if (!waiting.listed) {
        waiting.listed = true;
        waiting_list_.push_back(customer);
    }
    if (message->kind == MessageKind::receipt) {
        hub_.customer(customer).receipts_waiting.fetch_add(1, std::memory_order_relaxed);
    }
    hub_.counters(id_, customer).receipts_waiting.set(waiting.messages.count());
}

Message* Worker::pop_waiting(CustomerId customer) {
    Waiting& waiting = waiting_[customer.value];
    Message* message = waiting.messages.pop_front();
    if (message->kind == MessageKind::receipt) {
        hub_.customer(customer).receipts_waiting.fetch_sub(1, std::memory_order_relaxed);
    }
    hub_.counters(id_, customer).receipts_waiting.set(waiting.messages.count());
    return message;
}

void Worker::drop_waiting(Message* message) {
    if (message->kind != MessageKind::receipt) {
        end_delivery(message, Outcome::expired, CommandStatus::esme_rmsgqful);
    } else {
        counters_.receipts_expired.add();
        if (records_ != nullptr) {
            record_receipt(*message, RecordEnd::expired);
        }
        release(message);
    }
}

void Worker::run_waiting() {
    for (size_t i = 0; i < waiting_list_.size();) {
        const CustomerId customer = waiting_list_[i];
        run_waiting_of(customer);
        Waiting& waiting = waiting_[customer.value];
        if (waiting.messages.empty()) {
            waiting.listed = false;
            waiting_list_.remove_at(i);
        } else {
            ++i;
        }
    }
}

void Worker::run_waiting_of(CustomerId customer) {
    Waiting& waiting = waiting_[customer.value];
    if (waiting.messages.empty()) {
        return;
    }
    const route::Customer* account = snapshot_->customer(customer);
    const Nanos age_max = account != nullptr ? account->receipt_age_max_ns : 0;
    const bool here = !rx_sessions_[customer.value].empty();
    const uint64_t others = here ? 0 : other_rx_workers(customer);
    while (Message* message = waiting.messages.front()) {
        const bool mo = message->kind != MessageKind::receipt;
        if (mo ? now_.mono_ns >= message->deadline_ns
               : now_.mono_ns - message->accepted_ns >= age_max) {
            drop_waiting(pop_waiting(customer));
        } else if (here) {
            if (!deliver_now(message)) {
                break;
            }
            (void)pop_waiting(customer);
        } else if (others != 0) {
            send_to(WorkerId{static_cast<uint8_t>(std::countr_zero(others))},
                    pop_waiting(customer));
        } else {
            break;
        }
    }
}

// Draining, and the customer has gone: its MO messages go back to be answered to their suppliers
// while there still are links to them. Receipts keep their order.
void Worker::give_up_waiting_mo(CustomerId customer) {
    auto& messages = waiting_[customer.value].messages;
    for (auto left = messages.count(); left > 0; --left) {
        Message* message = messages.pop_front();
        if (message->kind != MessageKind::receipt) {
            end_delivery(message, Outcome::bounced, CommandStatus::esme_rx_t_appn);
        } else {
            messages.push_back(message);
        }
    }
}

// ---------------------------------------------------------------- answers

void Worker::on_deliver_resp(Session& session, const smpp::Frame& frame) {
    const auto outstanding = session.window->take(frame.header.sequence_number);
    if (!outstanding) {
        const bool late = session.window->take_late(frame.header.sequence_number).has_value();
        (late ? counters_.responses_late : counters_.responses_unmatched).add();
        return;
    }
    Message* message = outstanding->message;
    auto status = static_cast<CommandStatus>(frame.header.command_status);
    if (frame.header.command_id == CommandId::generic_nack && status == CommandStatus::esme_rok) {
        status = CommandStatus::esme_runknownerr;
    }
    CustomerCounters& customer = hub_.counters(id_, message->customer);
    if (status == CommandStatus::esme_rok) {
        if (message->kind != MessageKind::receipt) {
            customer.mo_delivered.add();
            end_delivery(message, Outcome::answered, status);
        } else {
            counters_.receipts_delivered.add();
            customer.receipts_delivered.add();
            if (records_ != nullptr) {
                record_receipt(*message, RecordEnd::delivered);
            }
            release(message);
        }
    } else {
        if (is_temporary(status)) {
            session.hold_until_ns = now_.mono_ns + retry_after_ns / 4;
        }
        undelivered(message, status, false);
    }
    run_waiting_of(session.customer_id);
}

// Refused, or the session died before its answer (`unknown`). Receipts are delivered at least once;
// an MO goes home, where its supplier is answered.
void Worker::undelivered(Message* message, CommandStatus status, bool unknown) {
    if (message->kind != MessageKind::receipt) {
        end_delivery(message, unknown ? Outcome::unknown : Outcome::answered, status);
        return;
    }
    if (!unknown && (!is_temporary(status) || message->delivery_tries >= delivery_tries_max)) {
        counters_.receipts_refused.add();
        if (records_ != nullptr) {
            record_receipt(*message, RecordEnd::refused);
        }
        release(message);
        return;
    }
    message->not_before_ns = unknown ? 0 : now_.mono_ns + retry_after_ns;
    // Back to the front: it was first in line.
    queue_waiting(message, true);
}

void Worker::end_delivery(Message* message, Outcome outcome, CommandStatus status) {
    message->outcome = outcome;
    message->status = status;
    if (records_ != nullptr) {
        note_end(*message);
    }
    message->stage = Stage::settle;
    send_to(WorkerId{message->home}, message);
}

void Worker::release(Message* message) {
    const bool is_stored = message->kind == MessageKind::receipt && message->store_sequence != 0;
    if (is_stored) {
        order_of_store(message, StoreOrder::forget_receipt, Stage::release,
                       WorkerId{message->home});
        return;
    }
    message->stage = Stage::release;
    send_to(WorkerId{message->home}, message);
}

}  // namespace sy::engine
