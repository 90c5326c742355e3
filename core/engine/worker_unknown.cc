// Submits whose outcome is unknown: the link died, or no response came in time. What may still
// settle them: a response that comes late, on the same session (a new one has numbers of its own,
// SMPP 5.0 section 2.6.3), or a receipt, on any bind. Without the response nobody knows the
// supplier's id; a receipt whose id is nobody's, from a phone to which one message of unknown
// outcome went by that supplier, is that message's. See worker.h.
#include <algorithm>

#include "core/engine/attempt_log.h"
#include "core/engine/receipt_key.h"
#include "core/engine/receipt_way.h"
#include "core/engine/record.h"
#include "core/engine/worker.h"
#include "core/smpp/decode.h"

namespace sy::engine {
namespace {

using smpp::CommandStatus;

// Suppliers write numbers in forms of their own; the tail is what stays the same, as in
// is_same_destination().
constexpr size_t tail_digits = 8;
constexpr uint64_t lost_salt = 0x6C6F73742D776179;

// The key of the way of a message without a response. False for no destination.
bool lost_key(uint64_t supplier_seed, std::string_view destination, ReceiptKey& out) {
    const size_t tail = std::min(destination.size(), tail_digits);
    return receipt_key(supplier_seed ^ lost_salt, destination.substr(destination.size() - tail),
                       smpp::IdConversion::none, out);
}

}  // namespace

// Sent, and no answer will be understood any more. Returns what a late response is found by.
uint64_t Worker::lose(Message* message, CommandStatus status) {
    hub_.supplier(message->supplier).gate.leave(message->pass);
    hub_.counters(id_, message->supplier).unknown.add();
    quality_.answered(message->supplier, message->network, false);
    supplier_event(EventKind::message_unknown, message->supplier, status, message->id);
    message->outcome = Outcome::unknown;
    message->status = status;
    if (records_ != nullptr) {
        note_end(*message);
    }
    const uint64_t ticket = remember_lost(*message);
    message->stage = Stage::settle;
    send_to(WorkerId{message->home}, message);
    return ticket;
}

// A customer that was answered with an error does not know the id, and one whose message is sent
// again has the receipt of that: what comes for them is counted and recorded, not delivered.
uint64_t Worker::remember_lost(const Message& message) {
    LostWays::Lost lost;
    lost.supplier = message.supplier;
    lost.rule_line = message.rule_line;
    lost.accepted_ns = message.accepted_ns;
    lost.sent_ns = message.log != nullptr && message.log->count > 0
                       ? message.log->attempts[message.log->count - 1u].sent_ns
                       : message.accepted_ns;
    lost.was_resent = sends_again(message);
    fill_way(message, now_.wall_ns - (now_.mono_ns - message.accepted_ns), lost.way);
    lost.way.is_lost = true;
    if (!message.stored || lost.was_resent) {
        lost.way.registered_delivery = 0;
    }
    lost.wants_receipt = message.wants_receipt && lost_key(key_seed_of(message.supplier),
                                                           message.sm.destination.digits, lost.key);
    if (lost.wants_receipt) {
        send_way(lost.way, lost.key, Stage::receipt_insert);
    }
    return lost_ways_.add(lost);
}

bool Worker::sends_again(const Message& message) const {
    const route::Supplier* supplier = snapshot_->supplier(message.supplier);
    const bool has_next = message.target_next < message.target_count && !draining_;
    return supplier != nullptr && supplier->on_unknown == route::OnUnknown::resend &&
           (has_next || message.stored);
}

// To the owner of its key.
void Worker::send_way(const ReceiptWay& way, const ReceiptKey& key, Stage stage) {
    Message* carrier = has_spare_messages() ? pool_.take(0) : nullptr;
    if (carrier == nullptr) {
        counters_.ways_lost_dropped.add();
        return;
    }
    carrier->kind = MessageKind::way;
    carrier->customer = way.customer;
    carrier->way = way;
    carrier->key = key;
    carrier->stage = stage;
    send_to(owner_of(key), carrier);
}

// At the key's owner: the true way is known, by the supplier's id.
void Worker::forget_lost_way(Message* carrier) {
    receipt_map_.finish(carrier->key, carrier->way.id);
    if (store_ != nullptr) {
        order_of_store(carrier, StoreOrder::forget_way, Stage::release, WorkerId{carrier->home});
        return;
    }
    carrier->stage = Stage::release;
    send_to(WorkerId{carrier->home}, carrier);
}

// A response to a request that was given up.
void Worker::on_late_resp(Session& session, const smpp::Frame& frame, uint64_t ticket) {
    counters_.responses_late.add();
    const LostWays::Lost* lost = lost_ways_.find(ticket);
    const bool accepted = frame.header.command_status == 0 &&
                          frame.header.command_id != smpp::CommandId::generic_nack;
    counters_.mt_late_accepted.add(accepted ? 1 : 0);
    if (lost == nullptr) {
        return;
    }
    smpp::SmResp resp;
    const bool has_id = accepted && smpp::decode_sm_resp(frame.body, session.decode_rules, resp) ==
                                        CommandStatus::esme_rok;
    if (accepted && lost->was_resent) {
        counters_.mt_duplicates.add();
    }
    if (records_ != nullptr) {
        record_late(*lost, static_cast<CommandStatus>(frame.header.command_status),
                    has_id ? resp.message_id : std::string_view());
    }
    if (!lost->wants_receipt) {
        return;
    }
    ReceiptKey key;
    const bool known = has_id && receipt_key(key_seed_of(lost->supplier), resp.message_id,
                                             response_id_form(account_of(session)), key);
    if (known) {
        send_way(lost->way, key, Stage::receipt_insert);
    }
    if (known || !accepted) {
        send_way(lost->way, lost->key, Stage::way_forgotten);
    }
}

// The park time of a receipt is over whose id is nobody's. False: there is nothing to look for.
bool Worker::look_by_destination(Message* message) {
    if (message->by_destination || draining_ ||
        !lost_key(key_seed_of(message->supplier), message->sm.source.digits, message->key)) {
        return false;
    }
    message->by_destination = true;
    message->store_asked = false;
    message->stage = Stage::receipt_lookup;
    send_to(owner_of(message->key), message);
    return true;
}

}  // namespace sy::engine
