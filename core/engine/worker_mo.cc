// MO: from a supplier's deliver_sm to the customer that a rule names, end to end: the supplier gets
// its answer when a customer has given one. See worker.h.
#include <algorithm>
#include <cstring>

#include "core/base/assert.h"
#include "core/engine/record.h"
#include "core/engine/worker.h"
#include "core/smpp/encode.h"

namespace sy::engine {

using smpp::CommandStatus;

// Copies the PDU's body, once, into a message of this worker's pool; null when none is left.
Message* Worker::take_from_supplier(Session& session,
                                    const smpp::Frame& frame,
                                    const smpp::Sm& sm,
                                    MessageKind kind) {
    Message* message = pool_.take(static_cast<uint32_t>(frame.body.size()));
    if (message == nullptr) {
        counters_.pool_empty.add();
        return nullptr;
    }
    std::memcpy(message->body, frame.body.data(), frame.body.size());
    message->sm = sm;
    message->sm.rebase(frame.body.data(), message->body);
    message->kind = kind;
    message->is_data_sm = frame.header.command_id == smpp::CommandId::data_sm;
    message->supplier = session.supplier_id;
    message->origin = session.conn;
    message->origin_sequence = frame.header.sequence_number;
    message->accepted_ns = now_.mono_ns;
    message->deadline_ns =
        now_.mono_ns + (session.supplier != nullptr ? session.supplier->timers.response_ns
                                                    : snapshot_->timers.response_ns);
    ++session.requests_open;
    return message;
}

void Worker::on_mo(Session& session, const smpp::Frame& frame, const smpp::Sm& sm) {
    Message* message = draining_ || session.supplier == nullptr
                           ? nullptr
                           : take_from_supplier(session, frame, sm, MessageKind::mo);
    if (message == nullptr) {
        counters_.mo_refused.add();
        answer_error(session, frame.header,
                     session.supplier != nullptr ? session.supplier->refuse_status
                                                 : CommandStatus::esme_rsyserr);
        return;
    }
    counters_.mo_in.add();
    message->id = message_id_next_++ << 6 | id_.value;
    const number::NumberPlan& plan = session.supplier->number_plan;
    message->destination_kind = number::normalise(sm.destination, plan, message->destination);
    message->source_kind = number::normalise(sm.source, plan, message->source);

    route::MoQuery query;
    query.supplier = session.supplier_id;
    query.number = number::usable(message->destination_kind) ? message->destination.view()
                                                             : message->sm.destination.digits;
    query.source =
        number::usable(message->source_kind) ? message->source.view() : message->sm.source.digits;
    query.alphabet = session.supplier->alphabet;
    query.sm = &message->sm;
    query.wall_ns = now_.wall_ns;
    const route::MoDecision decision = decide_mo(*message, query);
    message->rule_line = decision.rule_line;
    message->reply = nullptr;
    if (!decision.routed) {
        finish_mo(message, CommandStatus::esme_rx_r_appn);
        return;
    }
    message->target_count = decision.target_count;
    for (uint32_t t = 0; t < decision.target_count; ++t) {
        message->targets[t] = decision.targets[t].value;
    }
    keep_parts_together(*message);
    message->copy_count = decision.copy_count;
    for (uint32_t c = 0; c < decision.copy_count; ++c) {
        message->targets[decision.target_count + c] = decision.copies[c].value;
    }
    if (decision.reply != nullptr && !query.is_later_part) {
        message->reply = make_reply(*message, query.alphabet, *decision.reply);
    }
    dispatch_mo(message, refuse_status(message->supplier));
}

// The first part of a long message has the keyword: where it won is remembered for the others. One
// that comes before it goes by the rules without a keyword: nothing is held back.
route::MoDecision Worker::decide_mo(Message& message, route::MoQuery& query) {
    const Spread spread = spread_of(message);
    query.spread = spread.hash;
    const uint64_t key =
        mix64(spread.hash ^ snapshot_->mo.content_hash() ^ uint64_t{message.supplier.value} << 48) |
        1;
    message.parts_key = spread.is_part ? mix64(key) | 1 : 0;
    if (spread.sequence > 1) {
        query.is_later_part = true;
        query.first_place = hub_.mo_parts().find(key, now_.mono_ns);
    }
    route::MoDecision decision;
    snapshot_->mo.decide({&query, 1}, {&decision, 1}, *scratch_);
    if (spread.sequence == 1 && decision.place != route::no_place) {
        hub_.mo_parts().move(key, decision.place, now_.mono_ns);
    }
    return decision;
}

// A part goes to the customer that an earlier part went to, if that is still a target: also where
// the first target was away then and is back now.
void Worker::keep_parts_together(Message& message) {
    if (message.parts_key == 0) [[likely]] {
        return;
    }
    const uint16_t with_others =
        hub_.mo_parts().claim(message.parts_key, message.targets[0], now_.mono_ns);
    const auto end = message.targets.begin() + message.target_count;
    const auto found = std::find(message.targets.begin(), end, with_others);
    if (found != end) {
        std::rotate(message.targets.begin(), found, found + 1);
    }
}

smpp::CommandStatus Worker::refuse_status(SupplierId supplier) const {
    const route::Supplier* account = snapshot_->supplier(supplier);
    return account != nullptr ? account->refuse_status : CommandStatus::esme_rsyserr;
}

void Worker::dispatch_mo(Message* message, CommandStatus status) {
    while (message->target_next < message->target_count && now_.mono_ns < message->deadline_ns) {
        const CustomerId customer{message->targets[message->target_next++]};
        if (hub_.customer(customer).rx_workers.load(std::memory_order_relaxed) != 0) {
            message->customer = customer;
            if (message->parts_key != 0 && message->target_next > 1) [[unlikely]] {
                hub_.mo_parts().move(message->parts_key, customer.value, now_.mono_ns);
            }
            deliver(message);
            return;
        }
        status = refuse_status(message->supplier);
    }
    finish_mo(message, status);
}

// At home: a customer has answered, or could not be reached.
void Worker::settle_mo(Message* message) {
    SY_DCHECK(message->home == id_.value);
    if (message->outcome == Outcome::answered && message->status == CommandStatus::esme_rok) {
        finish_mo(message, CommandStatus::esme_rok);
    } else if (message->outcome == Outcome::unknown || message->outcome == Outcome::expired) {
        // A customer may have it or may be slow: nobody else gets it, and the supplier repeats.
        finish_mo(message, refuse_status(message->supplier));
    } else {
        const bool temporary =
            message->outcome == Outcome::bounced || is_temporary(message->status);
        dispatch_mo(message,
                    temporary ? refuse_status(message->supplier) : CommandStatus::esme_rx_r_appn);
    }
}

void Worker::finish_mo(Message* message, CommandStatus status) {
    (status == CommandStatus::esme_rok ? counters_.mo_delivered : counters_.mo_rejected).add();
    if (records_ != nullptr) {
        record_mo(*message, RecordKind::mo, status);
    }
    answer_deliver(message, status);
    const bool accepted = status == CommandStatus::esme_rok;
    if (accepted && message->copy_count > 0) {
        send_copies(*message);
    }
    if (message->reply != nullptr) {
        accepted ? send_reply(*message, message->reply) : pool_.give_back(message->reply);
    }
    pool_.give_back(message);
}

/// At home: the supplier's deliver_sm (or data_sm) gets its response.
void Worker::answer_deliver(Message* message, CommandStatus status) {
    message->answered = true;
    Session* session = session_of(message->origin);
    if (session == nullptr) {
        counters_.answers_unsent.add();
        return;
    }
    SY_DCHECK(session->requests_open > 0);
    --session->requests_open;
    const auto command =
        message->is_data_sm ? smpp::CommandId::data_sm_resp : smpp::CommandId::deliver_sm_resp;
    if (status != CommandStatus::esme_rok) {
        send_empty(*session, command, status, message->origin_sequence);
        return;
    }
    const auto out = reserve(*session, limits::pdu_header_bytes + 1);
    if (!out.empty()) {
        commit(*session, smpp::encode_sm_resp(out, command, message->origin_sequence, {}));
    }
}

}  // namespace sy::engine
