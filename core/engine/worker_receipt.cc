// Receipts: from a supplier's deliver_sm back to the customer whose message it speaks of. The way
// back is kept by the worker that owns the key (supplier, normalised id), so no map is shared. See
// worker.h.
#include <algorithm>

#include "core/base/assert.h"
#include "core/engine/receipt_key.h"
#include "core/engine/receipt_way.h"
#include "core/engine/record.h"
#include "core/engine/worker.h"
#include "core/smpp/encode.h"
#include "core/smpp/receipt.h"
#include "core/smpp/tlv.h"

namespace sy::engine {
namespace {

using smpp::CommandStatus;
using smpp::MessageState;

// Parked receipts are all looked at once in this time.
constexpr Nanos park_round_ns = 500 * millisecond_ns;

bool is_final(MessageState state, const route::Supplier* supplier) {
    switch (state) {
        case MessageState::scheduled:
        case MessageState::enroute:
            return false;
        case MessageState::accepted:
            return supplier != nullptr && supplier->acceptd_is_final;
        default:
            return true;
    }
}

}  // namespace

// ---------------------------------------------------------------- the way back

// At the key's owner, before the customer is answered.
void Worker::insert_receipt(Message* message) {
    if (message->kind == MessageKind::mt) {
        fill_way(*message, now_.wall_ns - (now_.mono_ns - message->accepted_ns), message->way);
        begin_watch(*message);
    }
    if (store_ != nullptr) {
        order_of_store(message, StoreOrder::keep_way, Stage::way_kept, id_);
    } else {
        remember_way(message);
    }
}

void Worker::remember_way(Message* message) {
    if (receipt_map_.insert(message->key, message->way, now_.mono_ns) && store_ == nullptr) {
        counters_.receipts_evicted.add();
    }
    const ReceiptKey key = message->key;
    // The answer first: on one worker the customer then hears of its message before its receipt.
    message->stage = Stage::settle;
    send_to(WorkerId{message->home}, message);
    if (parked_count_ > 0) {
        unpark_receipts(key);
    }
}

// ---------------------------------------------------------------- receipts in

void Worker::on_receipt(Session& session, const smpp::Frame& frame, const smpp::Sm& sm) {
    const route::Supplier* account = account_of(session);
    counters_.receipts_in.add();
    // Receipts that wait for their customers must not starve the messages that pay for them.
    const bool room = pool_.free_count() > pool_.count() / 4;
    Message* message =
        room ? take_from_supplier(session, frame, sm, MessageKind::receipt) : nullptr;
    if (message == nullptr) {
        counters_.receipts_held_off.add();
        answer_error(session, frame.header, refuse_status(session.supplier_id));
        return;
    }
    smpp::Receipt receipt;
    const bool readable = smpp::parse_receipt(message->sm, receipt);
    message->receipt_state = static_cast<uint8_t>(receipt.state);
    message->receipt_error = receipt.error;
    message->intermediate =
        !is_final(receipt.state, account) ||
        (sm.esm_class & smpp::esm_class_type_mask) == smpp::esm_class_intermediate;
    message->network_error_code = receipt.network_error_code;
    message->received_wall_ns = now_.wall_ns;
    message->store_sequence = 0;
    message->store_asked = false;
    message->by_destination = false;
    if (!readable || !receipt_key(key_seed_of(session.supplier_id), receipt.message_id,
                                  receipt_id_form(account), message->key)) {
        counters_.receipts_orphaned.add();
        if (records_ != nullptr) {
            record_receipt(*message, RecordEnd::orphaned);
        }
        end_receipt(message, CommandStatus::esme_rok);
        return;
    }
    message->not_before_ns = now_.mono_ns + (account != nullptr ? account->receipt_park_ns : 0);
    message->stage = Stage::receipt_lookup;
    send_to(owner_of(message->key), message);
}

ReceiptMap::Found Worker::find_way(const Message& message) const {
    return message.by_destination ? receipt_map_.find_lost(message.key)
                                  : receipt_map_.find(message.key, message.sm.source.digits);
}

// At the key's owner.
void Worker::lookup_receipt(Message* message) {
    const auto found = find_way(*message);
    if (found.way != nullptr) {
        match_receipt(message, found);
    } else if (store_ != nullptr && !message->store_asked) {
        message->store_asked = true;
        order_of_store(message, StoreOrder::find_way, Stage::way_found, id_);
    } else {
        wait_for_way(message);
    }
}

// No way is known yet.
void Worker::wait_for_way(Message* message) {
    if (message->by_destination) {
        end_orphan(message);
        return;
    }
    const route::Supplier* account = snapshot_->supplier(message->supplier);
    // With a store an answer means that the receipt survives, which it does once it is matched: the
    // supplier keeps it until then.
    const bool answered_last = store_ != nullptr || (account != nullptr && account->orphan_refuse);
    if (message->answered || answered_last) {
        park_receipt(message);
        return;
    }
    // The supplier's window is not to wait for a submit_sm_resp that may take long: it is answered
    // first (at home), then the receipt comes back to be looked up again.
    message->lookup_next = true;
    end_receipt_from_owner(message, CommandStatus::esme_rok);
}

void Worker::match_receipt(Message* message, const ReceiptMap::Found& found) {
    const auto state = static_cast<MessageState>(message->receipt_state);
    if (found.finished) {
        counters_.receipts_duplicate.add();
        if (records_ != nullptr) {
            message->way = *found.way;
            message->customer = found.way->customer;
            record_receipt(*message, RecordEnd::duplicate);
        }
        end_receipt_from_owner(message, CommandStatus::esme_rok);
        return;
    }
    message->way = *found.way;
    message->customer = found.way->customer;
    const bool wanted = is_wanted(message->way.registered_delivery, !message->intermediate, state);
    if (wanted && !message->answered && queue_is_full(message->customer)) {
        hold_off(message);
        return;
    }
    message->way_ends = !message->intermediate;
    if (message->way_ends) {
        quality_.receipt(message->supplier, found.way->network, is_success(state),
                         now_.mono_ns - found.since_ns);
        receipt_map_.finish(found.entry);
    }
    message->deliver_next = wanted;
    if (store_ != nullptr && (wanted || message->way_ends)) {
        const bool decides = message->way_ends && message->way.round != 0;
        order_of_store(message,
                       decides  ? StoreOrder::settle_watched
                       : wanted ? StoreOrder::keep_receipt
                                : StoreOrder::forget_way,
                       Stage::receipt_kept, id_);
        return;
    }
    accept_receipt(message);
}

// The router has it, and what it must not forget of it is kept: the supplier may.
void Worker::accept_receipt(Message* message) {
    counters_.receipts_matched.add();
    counters_.mt_settled.add(message->way.is_lost && message->way_ends ? 1 : 0);
    if (!message->deliver_next) {
        counters_.receipts_suppressed.add();
        if (records_ != nullptr) {
            record_receipt(*message, RecordEnd::suppressed);
        }
    }
    end_receipt_from_owner(message, CommandStatus::esme_rok);
}

// The supplier keeps it and sends it again.
void Worker::hold_off(Message* message) {
    counters_.receipts_held_off.add();
    end_receipt_from_owner(message, refuse_status(message->supplier));
}

// More than the account lets wait: the supplier keeps the receipt and repeats it, nothing is lost.
bool Worker::queue_is_full(CustomerId customer) const {
    const route::Customer* account = snapshot_->customer(customer);
    const CustomerShared& shared = hub_.customer(customer);
    return account != nullptr && shared.receipts_waiting.load(std::memory_order_relaxed) +
                                         shared.receipts_stored.load(std::memory_order_relaxed) >=
                                     int64_t{account->receipt_queue_max};
}

// The supplier's answer is given at home; with nothing to answer the way there is spared.
void Worker::end_receipt_from_owner(Message* message, CommandStatus status) {
    if (message->answered && message->deliver_next) {
        deliver(message);
        return;
    }
    message->status = status;
    message->stage = Stage::answer_receipt;
    send_to(WorkerId{message->home}, message);
}

// At home: answer what is not answered, then deliver or be done.
void Worker::end_receipt(Message* message, CommandStatus status) {
    if (!message->answered) {
        answer_deliver(message, status);
    }
    if (message->deliver_next) {
        deliver(message);
    } else if (message->lookup_next) {
        message->lookup_next = false;
        message->stage = Stage::receipt_lookup;
        send_to(owner_of(message->key), message);
    } else {
        pool_.give_back(message);
    }
}

// ---------------------------------------------------------------- receipt before response

void Worker::park_receipt(Message* message) {
    counters_.receipts_parked.add();
    parked_[message->key.low % park_buckets].push_back(message);
    ++parked_count_;
}

void Worker::unpark_receipts(const ReceiptKey& key) {
    auto& bucket = parked_[key.low % park_buckets];
    for (uint32_t left = bucket.count(); left > 0; --left) {
        Message* message = bucket.pop_front();
        if (message->key == key) {
            --parked_count_;
            lookup_receipt(message);
        } else {
            bucket.push_back(message);
        }
    }
}

void Worker::expire_parked(Nanos elapsed_ns) {
    const uint64_t share = park_buckets * std::min(elapsed_ns, park_round_ns) / park_round_ns + 1;
    for (uint64_t i = 0; i < share && parked_count_ > 0; ++i) {
        parked_cursor_ = (parked_cursor_ + 1) % park_buckets;
        auto& bucket = parked_[parked_cursor_];
        for (uint32_t left = bucket.count(); left > 0; --left) {
            Message* message = bucket.pop_front();
            if (now_.mono_ns < message->not_before_ns && !draining_) {
                bucket.push_back(message);
                continue;
            }
            --parked_count_;
            if (!look_by_destination(message)) {
                end_orphan(message);
            }
        }
    }
}

void Worker::end_orphan(Message* message) {
    counters_.receipts_orphaned.add();
    if (records_ != nullptr) {
        record_receipt(*message, RecordEnd::orphaned);
    }
    const route::Supplier* account = snapshot_->supplier(message->supplier);
    // Cut short by a drain, its way may still be on its way into the store: the supplier keeps it
    // for the next run.
    const bool cut_short = store_ != nullptr && now_.mono_ns < message->not_before_ns;
    const bool refuse = cut_short || (account != nullptr && account->orphan_refuse);
    end_receipt_from_owner(message,
                           refuse ? refuse_status(message->supplier) : CommandStatus::esme_rok);
}

// ---------------------------------------------------------------- receipts out

// deliver_sm with the customer's own id and addresses: source and destination change places
// (SMPP 3.4 appendix B, PROTOCOL 15.1).
size_t Worker::encode_receipt(const Session& session,
                              const Message& message,
                              std::span<uint8_t> out,
                              uint32_t sequence_number) {
    const ReceiptWay& way = message.way;
    IdText id;
    smpp::ReceiptText text;
    text.message_id = format_id(way.id, way.id_form, id);
    text.state = static_cast<MessageState>(message.receipt_state);
    text.error = message.receipt_error;
    text.submitted_wall_ns = way.submitted_wall_ns;
    // When it came, not when the customer had a session for it: that may be days later.
    text.done_wall_ns = message.received_wall_ns;
    if (way.has_reference) {
        text.user_message_reference = way.user_message_reference;
    }
    text.network_error_code = message.network_error_code;
    std::array<uint8_t, 255> short_message;
    std::array<uint8_t, 192> tlvs;
    smpp::Sm sm;
    sm.source = {
        way.destination_ton, way.destination_npi, {way.destination.data(), way.destination_length}};
    sm.destination = {way.source_ton, way.source_npi, {way.source.data(), way.source_length}};
    sm.esm_class =
        message.intermediate ? smpp::esm_class_intermediate : smpp::esm_class_delivery_receipt;
    sm.short_message = smpp::format_receipt_text(text, short_message);
    const bool with_tlvs =
        session.tlvs && (session.customer == nullptr || session.customer->receipt_tlvs);
    if (with_tlvs) {
        sm.tlvs = smpp::format_receipt_tlvs(text, tlvs);
    }
    return smpp::encode_sm(out, smpp::CommandId::deliver_sm, sequence_number, sm);
}

}  // namespace sy::engine
