// What suppliers send by themselves: receipts and MO messages.
#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "bench/smppload/supplier_side.h"

namespace sy::load {
namespace {

using smpp::CommandId;

constexpr size_t deliver_bytes_max = 512;
// Space that stays free for answers to what one read can bring (net.h).
constexpr size_t deliver_space = 256 * 1024 + deliver_bytes_max;
constexpr uint16_t repeats_max = 50;

// A decimal number in at least `digits` digits, or hex: what suppliers use for ids.
size_t write_decimal(uint8_t* to, uint64_t value) {
    auto* chars = reinterpret_cast<char*>(to);
    return static_cast<size_t>(std::to_chars(chars, chars + 24, value).ptr - chars);
}
size_t write_hex(uint8_t* to, uint64_t value) {
    auto* chars = reinterpret_cast<char*>(to);
    return static_cast<size_t>(std::to_chars(chars, chars + 24, value, 16).ptr - chars);
}

}  // namespace

// Ids count from the same number at every supplier: a router that forgets that an id means nothing
// without its supplier mixes messages up. Straight to the customer they must differ.
static uint64_t full_id(bool direct, uint8_t supplier, uint32_t id) {
    return direct ? (uint64_t{supplier} + 1) * 10'000'000'000 + id : 3'000'000'000 + uint64_t{id};
}

size_t SupplierSide::write_response_id(uint8_t* to, const Session& session, uint32_t id) const {
    const uint64_t full = full_id(context_.options.mode == Mode::direct, session.supplier, id);
    const size_t size = context_.options.receipt_id == IdForm::hex_decimal
                            ? write_hex(to, full)
                            : write_decimal(to, full);
    to[size] = 0;
    return size + 1;
}

size_t SupplierSide::write_receipt_id(uint8_t* to, const Session& session, uint32_t id) const {
    const uint64_t full = full_id(context_.options.mode == Mode::direct, session.supplier, id);
    if (context_.options.receipt_id == IdForm::decimal_hex) {
        // Upper case and a leading zero: neither may matter.
        to[0] = '0';
        const size_t size = 1 + write_hex(to + 1, full);
        for (size_t i = 1; i < size; ++i) {
            to[i] = static_cast<uint8_t>(to[i] >= 'a' ? to[i] - 'a' + 'A' : to[i]);
        }
        return size;
    }
    return write_decimal(to, full);
}

void SupplierSide::queue_deliver(Item item, Nanos now) {
    Session* session = deliver_session(item);
    if (session == nullptr) {
        if (item.repeats++ < repeats_max) {
            wheel_.schedule(now + 100 * millisecond_ns, item);  // until a receiver is bound
        }
        return;
    }
    if (item.kind == Kind::receipt && item.repeats == 0) {
        context_.receipt_due_ns[item.number % Context::due_count] = now;
    }
    session->waiting.push_back(item);
    ++waiting_;
    if (!session->queued) {
        session->queued = true;
        ready_.push_back(session->link->user);
    }
}

/// The bind that the message came by if it can deliver, else (or if asked for) another one.
SupplierSide::Session* SupplierSide::deliver_session(const Item& item) {
    Session& own = *sessions_[item.session];
    const auto good = [&](const Session& session) {
        return session.supplier == own.supplier && session.state == State::bound &&
               session.delivers;
    };
    const bool other = context_.options.receipt_other_bind || item.kind == Kind::mo;
    if (!other && good(own)) {
        return &own;
    }
    uint32_t& next = next_deliver_bind_[own.supplier];
    for (size_t tried = 0; tried < sessions_.size(); ++tried) {
        next = next + 1 >= sessions_.size() ? 0 : next + 1;
        if (next != item.session && good(*sessions_[next])) {
            return sessions_[next].get();
        }
    }
    return good(own) ? &own : nullptr;
}

bool SupplierSide::can_deliver(const Session& session) const {
    return session.in_flight < context_.options.deliver_window &&
           session.slots[session.next_sequence & session.slot_mask].sequence == 0 &&
           session.link->out.space() >= deliver_space;
}

void SupplierSide::drain_waiting(Nanos now) {
    if (ready_.empty()) {
        return;
    }
    ready_before_.swap(ready_);
    for (const uint32_t index : ready_before_) {
        Session& session = *sessions_[index];
        session.queued = false;
        while (session.waiting_head < session.waiting.size() && can_deliver(session)) {
            --waiting_;
            deliver(session, session.waiting[session.waiting_head++], now);
        }
        if (session.waiting_head == session.waiting.size()) {
            session.waiting.clear();
            session.waiting_head = 0;
        } else {
            session.queued = true;
            ready_.push_back(index);
            if (session.waiting_head > 4096 && session.waiting_head * 2 > session.waiting.size()) {
                session.waiting.erase(
                    session.waiting.begin(),
                    session.waiting.begin() + static_cast<std::ptrdiff_t>(session.waiting_head));
                session.waiting_head = 0;
            }
        }
    }
    ready_before_.clear();
}

void SupplierSide::deliver(Session& session, Item item, Nanos now) {
    SendBuffer& out = session.link->out;
    item.sequence = session.next_sequence++;
    uint8_t* to = out.claim(deliver_bytes_max);
    const size_t size = item.kind == Kind::receipt ? encode_receipt(session, item, to)
                                                   : encode_mo(session, item, to);
    out.commit(size);
    context_.net.written(*session.link);
    session.slots[item.sequence & session.slot_mask] = item;
    ++session.in_flight;
    ++unanswered_;
    if (item.kind == Kind::receipt) {
        context_.ledger.message(item.number) |= Ledger::receipt_sent;
        context_.ledger.receipts_sent += item.repeats == 0 ? 1u : 0u;
    }
    (void)now;
}

size_t SupplierSide::encode_receipt(const Session& session, const Item& item, uint8_t* to) {
    const Traffic& traffic = context_.traffic;
    const Choice choice = traffic.choose(item.number);
    const Stat& stat =
        faulty(Fault::wrong_stat, item.number) ? Stat{"REJECTD", 8, 1} : traffic.stat(item.number);
    std::array<uint8_t, 24> id;
    const uint32_t number = faulty(Fault::wrong_id, item.number) ? item.id + 0x40000000 : item.id;
    const size_t id_size = write_receipt_id(id.data(), session, number);
    const bool delivered = stat.message_state == 2;
    ByteWriter out({to, deliver_bytes_max});
    out.integer(uint32_t{0});
    out.integer(static_cast<uint32_t>(CommandId::deliver_sm));
    out.integer(uint32_t{0});
    out.integer(item.sequence);
    out.c_string("");
    out.integer(uint16_t{0x0101});
    out.c_string(traffic.destination(choice));
    const std::string_view sender = traffic.sender(choice);
    const bool alpha = sender[0] < '0' || sender[0] > '9';
    out.integer(alpha ? uint16_t{0x0500} : uint16_t{0x0101});
    out.c_string(sender);
    out.integer(smpp::esm_class_delivery_receipt);
    out.integer(uint16_t{0});  // protocol_id, priority_flag
    out.integer(uint16_t{0});  // two empty times
    out.integer(uint32_t{0});  // registered_delivery, replace, data_coding, default message
    const size_t length_at = out.written();
    out.integer(uint8_t{0});
    const size_t text_at = out.written();
    out.octets(as_octets("id:"));
    out.octets({id.data(), id_size});
    out.octets(as_octets(delivered ? " sub:001 dlvrd:001 submit date:"
                                   : " sub:001 dlvrd:000 submit date:"));
    out.octets(as_octets({date_.data(), 10}));
    out.octets(as_octets(" done date:"));
    out.octets(as_octets({date_.data(), 10}));
    out.octets(as_octets(" stat:"));
    out.octets(as_octets(stat.word));
    out.octets(as_octets(delivered ? " err:000 text:M" : " err:001 text:M"));
    std::array<uint8_t, Traffic::number_digits> digits;
    write_number(digits.data(), item.number);
    out.octets(digits);
    out.octets(as_octets(traffic.text_behind_number(choice).substr(0, 9)));
    to[length_at] = static_cast<uint8_t>(out.written() - text_at);
    id[id_size] = 0;
    out.tlv(tlv_receipted_message_id, {id.data(), id_size + 1});
    const uint8_t state = stat.message_state;
    out.tlv(tlv_message_state, {&state, 1});
    SY_ASSERT(!out.overflow());
    store_be(to, static_cast<uint32_t>(out.written()));
    return out.written();
}

size_t SupplierSide::encode_mo(const Session& session, const Item& item, uint8_t* to) {
    (void)session;
    ByteWriter out({to, deliver_bytes_max});
    out.integer(uint32_t{0});
    out.integer(static_cast<uint32_t>(CommandId::deliver_sm));
    out.integer(uint32_t{0});
    out.integer(item.sequence);
    out.c_string("");
    std::array<uint8_t, Traffic::number_digits> digits;
    write_number(digits.data(), item.number);
    out.integer(uint16_t{0x0101});
    std::array<char, 13> source = {'4', '4', '7'};
    std::memcpy(source.data() + 3, digits.data() + 1, 9);
    out.c_string({source.data(), 12});
    out.integer(uint16_t{0x0101});
    const std::string to_number = customer_number(item.number % context_.options.customers);
    out.c_string(to_number);
    out.integer(uint8_t{0});
    out.integer(uint32_t{0});
    out.integer(uint32_t{0});
    const size_t length_at = out.written();
    out.integer(uint8_t{0});
    out.octets(as_octets("O"));
    out.octets(digits);
    out.octets(as_octets(" a message from a phone"));
    to[length_at] = static_cast<uint8_t>(out.written() - length_at - 1);
    SY_ASSERT(!out.overflow());
    store_be(to, static_cast<uint32_t>(out.written()));
    return out.written();
}

void SupplierSide::on_deliver_resp(Session& session, const smpp::Header& header, Nanos now) {
    Item& slot = session.slots[header.sequence_number & session.slot_mask];
    if (slot.sequence != header.sequence_number || slot.sequence == 0) {
        malformed(session, header);
        return;
    }
    Item item = slot;
    slot.sequence = 0;
    --session.in_flight;
    --unanswered_;
    if (header.command_status == 0) {
        return;
    }
    // Refused for now: repeat it after a while, as suppliers do.
    ++context_.ledger.receipts_refused;
    if (item.repeats++ < repeats_max) {
        wheel_.schedule(now + 100 * millisecond_ns, item);
    }
}

void SupplierSide::make_mo(Nanos now) {
    if (!mo_schedule_) {
        return;
    }
    for (const uint64_t due = mo_schedule_->due(now); next_mo_ < due && !sessions_.empty();) {
        Item item;
        item.kind = Kind::mo;
        item.session = next_mo_ % static_cast<uint32_t>(sessions_.size());
        item.number = next_mo_++;
        context_.mo_due_ns[item.number % Context::due_count] =
            mo_schedule_->intended_ns(item.number);
        context_.ledger.mo.push_back(1);
        ++context_.ledger.mo_sent;
        queue_deliver(item, now);
    }
}

}  // namespace sy::load
