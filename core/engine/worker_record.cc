// Records: attempts are noted as they are made and end, a message's record is handed over when it
// ends, by the worker that ends it. Called only where records are on; each call is one branch
// elsewhere. See worker.h and record.h.
#include <algorithm>
#include <array>

#include "core/base/assert.h"
#include "core/engine/record.h"
#include "core/engine/record_content.h"
#include "core/engine/worker.h"
#include "core/smpp/decode.h"
#include "core/smpp/receipt.h"
#include "core/smpp/tlv.h"
#include "core/text/udh.h"

namespace sy::engine {

using smpp::CommandStatus;

// ---------------------------------------------------------------- attempts

// `sm` is what the supplier gets: its number form, the rule's sender.
void Worker::note_sent(Message& message, const smpp::Sm& sm) {
    AttemptLog& log = *message.log;
    log.begin(message.supplier.value, now_.mono_ns);
    log.has_sent = true;
    log.source.set(sm.source);
    log.destination.set(sm.destination);
}

// The supplier's link cannot carry the message: an attempt that ended before anything was sent.
void Worker::note_unfit(Message& message) {
    message.log->begin(message.supplier.value, 0);
    note_end(message);
}

void Worker::note_answer(Message& message, const Session& session, const smpp::Frame& frame) {
    Attempt* attempt = message.log->open();
    if (attempt == nullptr) {
        SY_COUNT_BUG("an answer to no attempt");
        return;
    }
    smpp::SmResp resp;
    if (message.status == CommandStatus::esme_rok &&
        smpp::decode_sm_resp(frame.body, session.decode_rules, resp) == CommandStatus::esme_rok) {
        attempt->set_id(resp.message_id);
    }
    note_end(message);
}

// What `message` says of its attempt's end. A message that was never sent has none that is open.
void Worker::note_end(Message& message) {
    Attempt* attempt = message.log->open();
    if (attempt != nullptr) {
        attempt->outcome = message.outcome;
        attempt->status = message.status;
        attempt->settled_ns = now_.mono_ns;
    }
}

// To a customer: of MO messages and their copies, receipts have no attempts of their own.
void Worker::note_delivery(Message& message) {
    if (message.kind != MessageKind::receipt) {
        message.log->begin(message.customer.value, now_.mono_ns);
    }
}

// ---------------------------------------------------------------- records

void Worker::record_mt(const Message& message, CommandStatus status, const Counter& end_state) {
    Record record;
    record.kind = RecordKind::mt;
    record.end = &end_state == &counters_.mt_accepted    ? RecordEnd::accepted
                 : &end_state == &counters_.mt_expired   ? RecordEnd::expired
                 : &end_state == &counters_.mt_unknown   ? RecordEnd::unknown
                 : &end_state == &counters_.mt_dropped   ? RecordEnd::dropped
                 : &end_state == &counters_.mt_postponed ? RecordEnd::postponed
                                                         : RecordEnd::rejected;
    record.status = status;
    record.is_reply = message.is_reply;
    record.is_multi = message.group != nullptr;
    record.rerouted = message.rerouted;
    const route::Customer* customer = snapshot_->customer(message.customer);
    record.alphabet = customer != nullptr ? customer->alphabet : text::Alphabet::gsm7;
    record.network = record_network(message);
    // Of a message that no supplier was asked for, the field is not set.
    record.supplier = message.log->count > 0 ? message.supplier : SupplierId::none();
    set_record_times(message, record);
    set_record_content(message, record);
    set_record_price(message, record);
    write_record(record);
}

void Worker::record_mo(const Message& message, RecordKind kind, CommandStatus status) {
    Record record;
    record.kind = kind;
    const bool delivered = status == CommandStatus::esme_rok &&
                           (kind == RecordKind::mo || message.outcome == Outcome::answered);
    record.end = delivered                  ? RecordEnd::delivered
                 : kind == RecordKind::copy ? RecordEnd::lost
                                            : RecordEnd::rejected;
    record.status = status;
    const route::Supplier* supplier = snapshot_->supplier(message.supplier);
    record.alphabet = supplier != nullptr ? supplier->alphabet : text::Alphabet::gsm7;
    record.supplier = message.supplier;
    set_record_times(message, record);
    set_record_content(message, record);
    write_record(record);
}

Record Worker::new_record(RecordKind kind, RecordEnd end, Nanos accepted_ns) const {
    Record record;
    record.kind = kind;
    record.end = end;
    record.accepted_ns = accepted_ns;
    record.finished_ns = now_.mono_ns;
    record.finished_wall_ns = now_.wall_ns;
    return record;
}

// The message's own record has all else: the two are joined by our id, or the supplier's.
void Worker::record_receipt(const Message& message, RecordEnd end) {
    Record record = new_record(RecordKind::receipt, end, message.accepted_ns);
    record.status = message.status;
    record.supplier = message.supplier;
    record.receipt_state = message.receipt_state;
    record.receipt_error = message.receipt_error;
    record.intermediate = message.intermediate;
    smpp::Receipt receipt;
    if (smpp::parse_receipt(message.sm, receipt)) {
        record.set(RecordPart::supplier_id, receipt.message_id);
    }
    // An orphan's way back is nobody's: what stands there is of an earlier message.
    if (end != RecordEnd::orphaned) {
        set_way(message.way, record);
    }
    write_record(record);
}

// The response that came after its message was counted unknown. All else is in the record of that.
void Worker::record_late(const LostWays::Lost& lost,
                         CommandStatus status,
                         std::string_view supplier_id) {
    Record record = new_record(RecordKind::mt, RecordEnd::late, lost.accepted_ns);
    record.status = status;
    record.supplier = lost.supplier;
    record.rule_line = lost.rule_line;
    record.resent = lost.was_resent;
    set_way(lost.way, record);
    Attempt attempt;
    attempt.sent_ns = lost.sent_ns;
    attempt.settled_ns = now_.mono_ns;
    attempt.status = status;
    attempt.party = lost.supplier.value;
    attempt.outcome = Outcome::answered;
    attempt.set_id(supplier_id);
    record.attempts = {&attempt, 1};
    write_record(record);
}

// Of the message that a cancel_sm ended while it waited in the store alone.
void Worker::record_cancelled(const Message& question) {
    const Nanos age_ns = now_.wall_ns - question.way.submitted_wall_ns;
    Record record = new_record(RecordKind::mt, RecordEnd::cancelled, now_.mono_ns - age_ns);
    set_way(question.way, record);
    write_record(record);
}

void Worker::set_way(const ReceiptWay& way, Record& out) {
    out.customer = way.customer;
    out.id = way.id;
    out.id_form = way.id_form;
    out.network = way.network;
    out.submitted_wall_ns = way.submitted_wall_ns;
    out.settles = way.is_lost;
    out.source_ton = way.source_ton;
    out.source_npi = way.source_npi;
    out.destination_ton = way.destination_ton;
    out.destination_npi = way.destination_npi;
    out.set(RecordPart::source, std::string_view(way.source.data(), way.source_length));
    out.set(RecordPart::destination,
            std::string_view(way.destination.data(), way.destination_length));
}

void Worker::set_record_times(const Message& message, Record& out) const {
    const AttemptLog& log = *message.log;
    out.id = message.id;
    out.id_form = message.id_form;
    out.customer = message.customer;
    out.rule_line = message.rule_line;
    out.accepted_ns = message.accepted_ns;
    out.finished_ns = now_.mono_ns;
    out.finished_wall_ns = now_.wall_ns;
    out.resent = log.resent && log.count > 0;
    out.attempts_overwritten = log.overwritten;
    out.attempts = {log.attempts.data(), log.count};
    out.targets = {message.targets.data(), message.target_count};
    if (log.has_sent) {
        out.has_sent = true;
        out.sent_source_ton = log.source.ton;
        out.sent_source_npi = log.source.npi;
        out.sent_destination_ton = log.destination.ton;
        out.sent_destination_npi = log.destination.npi;
        out.set(RecordPart::sent_source, log.source.view());
        out.set(RecordPart::sent_destination, log.destination.view());
    }
}

void Worker::set_record_content(const Message& message, Record& out) {
    const route::RecordFields& fields = snapshot_->record_fields;
    set_content(message, fields.text, out);
    if (!fields.tlvs.empty() && !message.sm.tlvs.empty()) {
        out.set(RecordPart::tlvs, chosen_tlvs(message.sm.tlvs));
    }
}

// Of the supplier that had the message last, at the minute in which the message came; looked up
// here, so that a router without records or without prices does nothing for it.
void Worker::set_record_price(const Message& message, Record& out) const {
    const route::Prices& prices = snapshot_->mt.prices();
    if (prices.buy == nullptr || !out.has_sent || !prices.buy->has_prices(out.supplier)) {
        return;
    }
    const uint64_t key = route::number_key(message.destination.view());
    route::PriceTable::Place place;
    prices.buy->table.locate({&key, 1}, {&out.network, 1}, {&place, 1});
    const auto minute =
        static_cast<route::Minute>(out.wall_of(message.accepted_ns) / route::minute_ns);
    const route::PriceTable::Step* step = prices.buy->find(place, out.supplier, minute);
    if (step != nullptr) {
        out.has_price = true;
        out.per_delivery = step->per_delivery();
        out.price_nanos = step->price.nanos;
        prices.currency.copy(out.currency.data(), out.currency.size() - 1);
    }
}

// The routing decision knows it only where a rule or a price asked.
NetworkId Worker::record_network(const Message& message) const {
    const route::NetworkTables& tables = snapshot_->mt.networks();
    if (message.network.valid() || tables.networks == nullptr) {
        return message.network;
    }
    const uint64_t key = route::number_key(message.destination.view());
    route::NetworkTables::Resolved resolved;
    tables.resolve({&key, 1}, {&resolved, 1});
    return resolved.network;
}

Octets Worker::chosen_tlvs(Octets stream) {
    const auto& wanted = snapshot_->record_fields.tlvs;
    ByteWriter chosen({tlv_buffer_.get(), limits::pdu_bytes_max});
    for (const smpp::Tlv& tlv : smpp::TlvRange(stream)) {
        if (std::ranges::find(wanted, static_cast<uint16_t>(tlv.tag)) != wanted.end()) {
            chosen.tlv(static_cast<uint16_t>(tlv.tag), tlv.value);
        }
    }
    return {tlv_buffer_.get(), chosen.written()};
}

// Never waits: without room the record is lost, and counted; the record thread says so in the file.
void Worker::write_record(const Record& record) {
    const auto bytes = static_cast<uint32_t>(encoded_record_bytes(record));
    const std::span<uint8_t> room = records_->reserve(bytes);
    if (room.empty()) {
        counters_.records_lost.add();
        return;
    }
    encode_record(record, room);
    records_->commit(bytes);
}

}  // namespace sy::engine
