// What comes to the customers: receipts and MO messages.
#include <cstring>

#include <fmt/format.h>

#include "bench/smppload/customer_side.h"
#include "core/smpp/encode.h"

namespace sy::load {

using smpp::CommandId;

void CustomerSide::remember_id(uint32_t message, uint16_t customer, Octets body, Nanos now) {
    Octets rest = body;
    std::string_view id;
    if (!take_c_string(rest, id) || id.empty()) {
        context_.ledger.trouble(Trouble::malformed,
                                fmt::format("M{:010}: submit_sm_resp without an id", message));
        return;
    }
    ++receipts_awaited_;
    const uint64_t hash = hash_id(id);
    IdTable::Entry* entry = ids_.find(hash);
    if (entry == nullptr) {
        ids_.insert({hash, message, customer, false});
        return;
    }
    if (!entry->parked) {
        context_.ledger.trouble(Trouble::receipt_unknown_id,
                                fmt::format("M{:010} and M{:010} were given the same id '{}'",
                                            entry->value, message, id));
        return;
    }
    // The receipt overtook the answer on another bind.
    const uint32_t place = entry->value;
    ids_.erase(entry);
    Parked parked = std::move(parked_[place]);
    parked_[place] = {};
    parked_free_.push_back(place);
    settle_receipt(message, customer, parked.customer, parked.source, parked.destination,
                   parked.stat, parked.at_ns);
    (void)now;
}

void CustomerSide::on_deliver(Session& session,
                              const smpp::Header& header,
                              Octets body,
                              Nanos now) {
    SendBuffer& out = session.link->out;
    // deliver_sm_resp: message_id is unused and stays empty (SMPP 3.4 section 4.6.2).
    uint8_t* to = out.claim(17);
    smpp::encode_header(to, {17, CommandId::deliver_sm_resp, 0, header.sequence_number});
    to[16] = 0;
    out.commit(17);
    context_.net.written(*session.link);
    SmView sm;
    if (!view_sm(body, sm)) {
        malformed(session, header);
        return;
    }
    if ((sm.esm_class & smpp::esm_class_type_mask) == smpp::esm_class_delivery_receipt) {
        on_receipt(session, sm, now);
    } else {
        on_mo(session, sm, now);
    }
}

void CustomerSide::on_receipt(Session& session, const SmView& sm, Nanos now) {
    Ledger& ledger = context_.ledger;
    ++ledger.receipts_home;
    const std::string_view text = as_chars(sm.short_message);
    const std::string_view text_id = receipt_word(text, "id:");
    const std::string_view stat = receipt_word(text, "stat:");
    std::string_view tlv_id = as_chars(find_tlv(sm.tlvs, tlv_receipted_message_id));
    tlv_id = tlv_id.substr(0, tlv_id.find('\0'));
    if (!tlv_id.empty() && tlv_id != text_id) {
        ledger.trouble(Trouble::receipt_altered,
                       fmt::format("id '{}' in the text, '{}' in the TLV", text_id, tlv_id));
    }
    const Octets state = find_tlv(sm.tlvs, tlv_message_state);
    for (const Stat& known : context_.options.stats) {
        if (known.word == stat && !state.empty() && state[0] != known.message_state) {
            ledger.trouble(Trouble::receipt_altered,
                           fmt::format("id '{}': stat {} in the text, message_state {} in the TLV",
                                       text_id, stat, state[0]));
        }
    }
    const uint64_t hash = hash_id(text_id);
    if (IdTable::Entry* entry = ids_.find(hash); entry != nullptr && !entry->parked) {
        const IdTable::Entry found = *entry;
        ids_.erase(entry);
        settle_receipt(found.value, found.customer, session.customer, sm.source, sm.destination,
                       stat, now);
        return;
    } else if (entry != nullptr) {
        ledger.trouble(Trouble::receipt_unknown_id, fmt::format("id '{}' came again", text_id));
        return;
    }
    uint32_t place = static_cast<uint32_t>(parked_.size());
    if (parked_free_.empty()) {
        parked_.emplace_back();
    } else {
        place = parked_free_.back();
        parked_free_.pop_back();
    }
    parked_[place] = {0,
                      session.customer,
                      std::string(text_id.empty() ? "(none)" : text_id),
                      std::string(sm.source),
                      std::string(sm.destination),
                      std::string(stat),
                      now};
    ids_.insert({hash, place, session.customer, true});
}

void CustomerSide::settle_receipt(uint32_t message,
                                  uint16_t owner,
                                  uint16_t customer,
                                  std::string_view source,
                                  std::string_view destination,
                                  std::string_view stat,
                                  Nanos at_ns) {
    Ledger& ledger = context_.ledger;
    uint16_t& record = ledger.message(message);
    record |= Ledger::receipt_home;
    --receipts_awaited_;
    if (owner != customer) {
        ledger.trouble(Trouble::receipt_wrong_customer,
                       fmt::format("M{:010} of {} came to {}", message, customer_name(owner),
                                   customer_name(customer)));
    }
    const Choice choice = context_.traffic.choose(message);
    const Stat& expected = context_.traffic.stat(message);
    if (source != context_.traffic.destination(choice) ||
        destination != context_.traffic.sender(choice)) {
        ledger.trouble(Trouble::receipt_altered,
                       fmt::format("M{:010}: from {} to {}, expected from {} to {}", message,
                                   source, destination, context_.traffic.destination(choice),
                                   context_.traffic.sender(choice)));
    } else if (stat != expected.word) {
        ledger.trouble(Trouble::receipt_altered, fmt::format("M{:010}: stat '{}', expected '{}'",
                                                             message, stat, expected.word));
    }
    if (context_.suppliers_here && measured(context_, message)) {
        const Nanos due = context_.receipt_due_ns[message % Context::due_count];
        context_.receipt_latency.record(at_ns > due ? at_ns - due : 0);
    }
}

void CustomerSide::on_mo(Session& session, const SmView& sm, Nanos now) {
    Ledger& ledger = context_.ledger;
    ++ledger.mo_home;
    uint32_t number = 0;
    const Octets text = sm.short_message;
    if (text.size() < 11 || text[0] != 'O' || !read_number(text.data() + 1, number) ||
        (context_.suppliers_here && (number >= ledger.mo.size() || ledger.mo[number] == 0))) {
        ledger.trouble(Trouble::mo_altered, fmt::format("from {} to {}: '{}'", sm.source,
                                                        sm.destination, as_chars(text)));
        return;
    }
    const auto expected = static_cast<uint16_t>(number % context_.options.customers);
    if (session.customer != expected) {
        ledger.trouble(Trouble::mo_misrouted,
                       fmt::format("MO {:010} for {} came to {}", number, customer_name(expected),
                                   customer_name(session.customer)));
    }
    if (!context_.suppliers_here) {
        return;
    }
    if (ledger.mo[number] == 2) {
        ledger.trouble(Trouble::mo_twice, fmt::format("MO {:010}", number));
    }
    ledger.mo[number] = 2;
    context_.mo_latency.record(now - context_.mo_due_ns[number % Context::due_count]);
}

}  // namespace sy::load
