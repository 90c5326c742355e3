// query_sm, cancel_sm and replace_sm (SMPP 3.4 sections 4.8 to 4.10). They are about messages taken
// to store and forward; any other is answered when a supplier has it, so that there is nothing of
// it here that could be asked for, cancelled or replaced: the answer says so. See worker.h.
#include <algorithm>
#include <cstring>

#include "core/engine/worker.h"
#include "core/number/normalise.h"
#include "core/smpp/encode.h"

namespace sy::engine {
namespace {

using smpp::CommandId;
using smpp::CommandStatus;

CommandStatus failure_of(StoreOrder order) {
    return order == StoreOrder::query_message    ? CommandStatus::esme_rqueryfail
           : order == StoreOrder::cancel_message ? CommandStatus::esme_rcancelfail
                                                 : CommandStatus::esme_rreplacefail;
}

CommandId response_of(StoreOrder order) {
    return smpp::response_to(order == StoreOrder::query_message    ? CommandId::query_sm
                             : order == StoreOrder::cancel_message ? CommandId::cancel_sm
                                                                   : CommandId::replace_sm);
}

}  // namespace

void Worker::on_question(Session& session, const smpp::Frame& frame) {
    const bool room = session.ending == Ending::no && session.customer != nullptr &&
                      session.requests_open < session.customer->window;
    if (!room) {
        answer_error(session, frame.header, CommandStatus::esme_rthrottled);
        return;
    }
    Message* message = pool_.take(static_cast<uint32_t>(frame.body.size()));
    if (message == nullptr) {
        counters_.pool_empty.add();
        answer_error(session, frame.header, CommandStatus::esme_rmsgqful);
        return;
    }
    std::memcpy(message->body, frame.body.data(), frame.body.size());
    const CommandStatus status = read_question(session, frame, *message);
    if (status != CommandStatus::esme_rok) {
        pool_.give_back(message);
        answer_error(session, frame.header, status);
        return;
    }
    ++session.requests_open;
    order_of_store(message, message->store_order, Stage::question_answered, id_);
}

// What is asked, into the message that carries the question; else what to answer at once.
smpp::CommandStatus Worker::read_question(const Session& session,
                                          const smpp::Frame& frame,
                                          Message& message) {
    smpp::QuerySm query;
    smpp::CancelSm cancel;
    smpp::ReplaceSm replace;
    const Octets body{message.body, frame.body.size()};
    CommandStatus status{};
    std::string_view id;
    message.sm = {};
    message.due_wall_ns = now_.wall_ns;
    message.received_wall_ns = now_.wall_ns;
    message.expires_wall_ns = 0;
    message.tries = 0;
    switch (frame.header.command_id) {
        case CommandId::query_sm:
            message.store_order = StoreOrder::query_message;
            status = smpp::decode_query_sm(body, session.decode_rules, query);
            id = query.message_id;
            message.sm.source = query.source;
            break;
        case CommandId::cancel_sm:
            message.store_order = StoreOrder::cancel_message;
            status = smpp::decode_cancel_sm(body, session.decode_rules, cancel);
            id = cancel.message_id;
            message.sm.source = cancel.source;
            message.sm.destination = cancel.destination;
            message.sm.service_type = cancel.service_type;
            break;
        default:
            message.store_order = StoreOrder::replace_message;
            status = smpp::decode_replace_sm(body, session.decode_rules, replace);
            id = replace.message_id;
            message.due_wall_ns = 0;  // both 0: as they are
            if (!replace.schedule_delivery_time.empty() &&
                !smpp::parse_time(replace.schedule_delivery_time, now_.wall_ns,
                                  message.due_wall_ns)) {
                return CommandStatus::esme_rinvsched;
            }
            if (!replace.validity_period.empty() &&
                !smpp::parse_time(replace.validity_period, now_.wall_ns, message.expires_wall_ns)) {
                return CommandStatus::esme_rinvexpiry;
            }
            message.expires_wall_ns =
                std::min(message.expires_wall_ns, now_.wall_ns + snapshot_->retry.validity_max_ns);
            break;
    }
    if (status != CommandStatus::esme_rok) {
        return status;
    }
    const CommandStatus failure = failure_of(message.store_order);
    const bool all = message.store_order == StoreOrder::cancel_message && id.empty();
    message.id = all ? 0 : parse_id(id, session.id_form);
    if (store_ == nullptr || (message.id == 0 && !all)) {
        return failure;
    }
    if (all && !number::usable(number::normalise(
                   message.sm.destination, session.customer->number_plan, message.destination))) {
        return CommandStatus::esme_rinvdstadr;
    }
    message.kind = MessageKind::mt;
    message.customer = session.customer_id;
    message.origin = session.conn;
    message.origin_sequence = frame.header.sequence_number;
    message.id_form = session.id_form;
    message.version = session.version;
    return CommandStatus::esme_rok;
}

// One message ended; a cancel_sm without an id goes on with the next.
bool Worker::cancels_more(Message& message) {
    if (message.store_order != StoreOrder::cancel_message) {
        return false;
    }
    const bool all = message.id == 0;
    if (message.store_answer == StoreAnswer::done) {
        counters_.mt_cancelled.add();
        if (records_ != nullptr) {
            record_cancelled(message);
        }
        message.tries = 1;
        return all;
    }
    if (all && message.store_answer == StoreAnswer::none && message.tries > 0) {
        message.store_answer = StoreAnswer::done;
    }
    return false;
}

void Worker::answer_question(Message* message) {
    if (cancels_more(*message)) {
        order_of_store(message, StoreOrder::cancel_message, Stage::question_answered, id_);
        return;
    }
    Session* session = session_of(message->origin);
    if (session == nullptr) {
        counters_.answers_unsent.add();
        pool_.give_back(message);
        return;
    }
    --session->requests_open;
    const StoreOrder order = message->store_order;
    if (message->store_answer != StoreAnswer::done || order != StoreOrder::query_message) {
        send_empty(*session, response_of(order),
                   message->store_answer == StoreAnswer::done     ? CommandStatus::esme_rok
                   : message->store_answer == StoreAnswer::failed ? CommandStatus::esme_rsyserr
                                                                  : failure_of(order),
                   message->origin_sequence);
    } else {
        IdText text;
        smpp::QuerySmResp resp;
        resp.message_id = format_id(message->id, message->id_form, text);
        resp.message_state = message->receipt_state;
        const auto out =
            reserve(*session, limits::pdu_header_bytes + limits::message_id_octets_max + 4);
        if (out.empty()) {
            counters_.answers_unsent.add();
        } else {
            commit(*session, smpp::encode_query_sm_resp(out, message->origin_sequence, resp));
        }
    }
    pool_.give_back(message);
}

}  // namespace sy::engine
