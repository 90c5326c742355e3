// PDUs from customers: bind, submit, query and the rest. See worker.h.
#include <algorithm>
#include <cstring>

#include "core/base/assert.h"
#include "core/engine/multi_group.h"
#include "core/engine/worker.h"
#include "core/smpp/encode.h"
#include "core/smpp/time_format.h"
#include "core/smpp/tlv.h"
#include "core/smpp/validate.h"

namespace sy::engine {
namespace {

using smpp::CommandId;
using smpp::CommandStatus;

// The parts of the longest message behind its first: their number is one octet (3GPP TS 23.040).
constexpr uint32_t parts_credit = 254;

// Equal in time whatever the strings hold, so that a password cannot be guessed octet by octet.
bool same_secret(std::string_view a, std::string_view b) {
    uint8_t difference = a.size() == b.size() ? 0 : 1;
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        difference |= static_cast<uint8_t>(a[i] ^ b[i]);
    }
    return difference == 0;
}

bool kind_allowed(const route::Customer& customer, CommandId bind) {
    return bind == CommandId::bind_transmitter ? customer.allow_transmitter
           : bind == CommandId::bind_receiver  ? customer.allow_receiver
                                               : customer.allow_transceiver;
}

smpp::SessionState bound_state(CommandId bind) {
    return bind == CommandId::bind_transmitter ? smpp::SessionState::bound_tx
           : bind == CommandId::bind_receiver  ? smpp::SessionState::bound_rx
                                               : smpp::SessionState::bound_trx;
}

// Written: ton, npi, digits, NUL.
constexpr size_t address_bytes_max = limits::address_octets_max + 3;

}  // namespace

void Worker::on_customer_pdu(Session& session, const smpp::Frame& frame) {
    switch (frame.header.command_id) {
        case CommandId::submit_sm:
        case CommandId::data_sm:
            on_submit(session, frame);
            return;
        case CommandId::deliver_sm_resp:
        case CommandId::data_sm_resp:
        case CommandId::generic_nack:
            on_deliver_resp(session, frame);
            return;
        case CommandId::bind_receiver:
        case CommandId::bind_transmitter:
        case CommandId::bind_transceiver:
            on_bind(session, frame);
            return;
        case CommandId::submit_multi:
            on_submit_multi(session, frame);
            return;
        case CommandId::query_sm:
        case CommandId::cancel_sm:
        case CommandId::replace_sm:
            on_question(session, frame);
            return;
        default:
            on_control(session, frame.header);
            return;
    }
}

// ---------------------------------------------------------------- bind

void Worker::on_bind(Session& session, const smpp::Frame& frame) {
    smpp::Bind bind;
    CustomerId customer;
    CommandStatus status = smpp::decode_bind(frame.body, session.decode_rules, bind);
    const bool malformed = status != CommandStatus::esme_rok;
    if (!malformed) {
        status = check_bind(session, frame.header.command_id, bind, customer);
    }
    if (status == CommandStatus::esme_rok) {
        bind_customer(session, frame, bind, customer);
        return;
    }
    session.version = smpp::version_of(bind.interface_version);
    Session about;
    about.customer_id = customer;
    about.peer = session.peer;
    event(EventKind::customer_bind_refused, about, status, 0);
    answer_error(session, frame.header, status);
    if (malformed) {
        note_malformed(session);
    } else if (status != CommandStatus::esme_rinvcmdid) {
        // RINVCMDID lets the client fall back to another bind (SMPP 3.4 section 4.1).
        close_session(session);
    }
}

smpp::CommandStatus Worker::check_bind(Session& session,
                                       CommandId id,
                                       const smpp::Bind& bind,
                                       CustomerId& customer) {
    if (draining_) {
        return CommandStatus::esme_rbindfail;
    }
    const auto known = snapshot_->customer_by_system_id.find(std::string(bind.system_id));
    if (known == snapshot_->customer_by_system_id.end()) {
        return CommandStatus::esme_rbindfail;
    }
    customer = known->second;
    const route::Customer& account = *snapshot_->customer(customer);
    if (!same_secret(account.password, bind.password)) {
        return account.bind_refused_status;
    }
    const bool from_allowed =
        account.allow.empty() ||
        std::ranges::any_of(account.allow, [&](const Cidr& c) { return c.contains(session.peer); });
    if (!from_allowed) {
        return CommandStatus::esme_rbindfail;
    }
    if (!kind_allowed(account, id)) {
        return CommandStatus::esme_rinvcmdid;
    }
    // Counted before the check so that two workers cannot both take the last place.
    auto& binds = hub_.customer(customer).binds;
    if (binds.fetch_add(1, std::memory_order_relaxed) >= account.binds_max) {
        binds.fetch_sub(1, std::memory_order_relaxed);
        return CommandStatus::esme_rbindfail;
    }
    return CommandStatus::esme_rok;
}

void Worker::bind_customer(Session& session,
                           const smpp::Frame& frame,
                           const smpp::Bind& bind,
                           CustomerId customer) {
    const route::Customer& account = *snapshot_->customer(customer);
    session.customer_id = customer;
    session.customer = &account;
    session.counted = true;
    session.version = smpp::version_of(bind.interface_version);
    session.tlvs = session.version != smpp::Version::v33;
    session.decode_rules.version = session.version;
    session.state = bound_state(frame.header.command_id);
    session.window = std::make_unique<smpp::Window<Outstanding>>(account.window);
    session.id_form = session.version == smpp::Version::v33              ? IdForm::hex8
                      : account.id_format == route::MessageIdFormat::hex ? IdForm::hex
                                                                         : IdForm::decimal;
    Counter& binds = hub_.counters(id_, customer).binds;
    binds.set(binds.get() + 1);

    std::array<uint8_t, 8> tlv{};
    ByteWriter writer(tlv);
    if (session.tlvs) {
        const uint8_t ours = static_cast<uint8_t>(smpp::Version::v50);
        writer.tlv(static_cast<uint16_t>(smpp::TlvTag::sc_interface_version), {&ours, 1});
    }
    const smpp::BindResp resp{snapshot_->system_id, {tlv.data(), writer.written()}};
    const auto out = reserve(session, 64 + resp.system_id.size());
    if (out.empty()) {
        return;
    }
    commit(session, smpp::encode_bind_resp(out, smpp::response_to(frame.header.command_id),
                                           frame.header.sequence_number, resp));
    event(EventKind::customer_bound, session, CommandStatus::esme_rok, 0);
    if (session.state != smpp::SessionState::bound_tx) {
        rx_sessions_[customer.value].push_back(session.conn.slot);
        rx_session_up(customer);
    }
}

// ---------------------------------------------------------------- submit

// Whether the account may send so many messages now.
smpp::CommandStatus Worker::admit(Session& session,
                                  uint32_t messages,
                                  const smpp::Sm& sm,
                                  bool needs_store) {
    if (draining_ || session.ending != Ending::no || session.customer == nullptr) {
        return CommandStatus::esme_rsyserr;
    }
    if (store_ != nullptr && needs_store && store_->refusal() != CommandStatus::esme_rok) {
        counters_.mt_store_refused.add(messages);
        return store_->refusal();
    }
    const route::Customer& account = *session.customer;
    const bool has_place = session.requests_open < account.window;
    const bool room = has_place && (hub_.customer(session.customer_id)
                                        .bucket.take(now_.mono_ns, account.rate_per_second,
                                                     account.burst, 0, messages) ||
                                    (messages == 1 && admit_part(session, sm)));
    if (!room) {
        hub_.counters(id_, session.customer_id).throttled.add();
        return CommandStatus::esme_rthrottled;
    }
    return CommandStatus::esme_rok;
}

// The rate does not cut a long message in two: where a part of it was admitted, the others are too,
// on credit that later messages pay for.
bool Worker::admit_part(const Session& session, const smpp::Sm& sm) {
    if ((sm.esm_class & smpp::esm_class_udhi) == 0 && sm.tlvs.empty()) {
        return false;
    }
    const route::Customer& account = *session.customer;
    number::Number destination;
    (void)number::normalise(sm.destination, account.number_plan, destination);
    const Spread part = part_of(session.customer_id, sm, destination.view());
    route_mt();  // an earlier part of this turn is remembered when it is routed
    return part.is_part && hub_.parts().find(part.hash | 1, now_.mono_ns) != PartsMemory::none &&
           hub_.customer(session.customer_id)
               .bucket.take(now_.mono_ns, account.rate_per_second, account.burst, parts_credit);
}

void Worker::on_submit(Session& session, const smpp::Frame& frame) {
    const bool is_data_sm = frame.header.command_id == CommandId::data_sm;
    smpp::Sm sm;
    CommandStatus status = is_data_sm ? smpp::decode_data_sm(frame.body, session.decode_rules, sm)
                                      : smpp::decode_sm(frame.body, session.decode_rules, sm);
    if (status != CommandStatus::esme_rok) {
        counters_.mt_refused.add();
        answer_error(session, frame.header, status);
        note_malformed(session);
        return;
    }
    session.malformed_in_row = 0;
    const smpp::ValidateRules rules{.version = session.version, .wall_now_ns = now_.wall_ns};
    status = is_data_sm ? smpp::validate_data_sm(sm, rules) : smpp::validate_submit(sm, rules);
    const bool to_store = takes_to_store(session, sm.esm_class);
    if (status == CommandStatus::esme_rok) {
        status = admit(session, 1, sm, to_store || smpp::wants_receipt(sm.registered_delivery));
    }
    Message* message = nullptr;
    if (status == CommandStatus::esme_rok) {
        message = take_mt(session, frame, sm);
        status = message != nullptr ? set_numbers(*session.customer, *message)
                                    : CommandStatus::esme_rmsgqful;
    }
    if (status != CommandStatus::esme_rok) {
        if (message != nullptr) {
            pool_.give_back(message);
        }
        counters_.mt_refused.add();
        answer_error(session, frame.header, status);
        return;
    }
    message->is_data_sm = is_data_sm;
    message->to_store = to_store;
    if (to_store) {
        set_times_of_stored(*message);
    }
    ++session.requests_open;
    accept_mt(session, message);
}

void Worker::accept_mt(Session& session, Message* message) {
    counters_.mt_in.add();
    hub_.counters(id_, session.customer_id).submitted.add();
    message->id = next_id(*message);
    route_soon(message);
}

// A 3.3 customer can ask for a stored message by the lower half of its id alone: it has no more of
// one. The store refuses one that is taken.
uint64_t Worker::next_id(const Message& message) {
    uint64_t id = message_id_next_++ << 6 | id_.value;
    if (message.to_store && message.id_form == IdForm::hex8) {
        id &= UINT32_MAX;
        id += id == 0 ? uint64_t{1} << 6 : 0;  // 0 is no id
    }
    return id;
}

// Copies the PDU's body, once, into a message of this worker's pool.
Message* Worker::take_mt(Session& session, const smpp::Frame& frame, const smpp::Sm& sm) {
    Message* message = pool_.take(static_cast<uint32_t>(frame.body.size()));
    if (message == nullptr) {
        counters_.pool_empty.add();
        return nullptr;
    }
    std::memcpy(message->body, frame.body.data(), frame.body.size());
    message->sm = sm;
    message->sm.rebase(frame.body.data(), message->body);
    message->kind = MessageKind::mt;
    message->customer = session.customer_id;
    message->origin = session.conn;
    message->origin_sequence = frame.header.sequence_number;
    message->id_form = session.id_form;
    message->wants_receipt = smpp::wants_receipt(sm.registered_delivery);
    message->priority = std::min<uint8_t>(sm.priority_flag, SupplierQueue::levels - 1);
    message->accepted_ns = now_.mono_ns;
    message->version = session.version;
    set_deadline(session, *message);
    return message;
}

void Worker::set_deadline(const Session& session, Message& message) {
    message.deadline_ns = now_.mono_ns + session.customer->timers.response_ns;
    if (message.sm.validity_period.empty()) {
        return;
    }
    Nanos until_wall_ns = 0;
    if (smpp::parse_time(message.sm.validity_period, now_.wall_ns, until_wall_ns)) {
        const Nanos left = until_wall_ns > now_.wall_ns ? until_wall_ns - now_.wall_ns : 0;
        message.deadline_ns = std::min(message.deadline_ns, now_.mono_ns + left);
    }
}

smpp::CommandStatus Worker::set_numbers(const route::Customer& customer, Message& message) {
    const number::NumberPlan& plan = customer.number_plan;
    message.destination_kind = number::normalise(message.sm.destination, plan, message.destination);
    if (!number::usable(message.destination_kind)) {
        return CommandStatus::esme_rinvdstadr;
    }
    const smpp::Address& source = message.sm.source;
    message.sender_replaced = false;
    message.source_kind = source.ton == 5 ? number::Outcome::not_digits
                                          : number::normalise(source, plan, message.source);
    return CommandStatus::esme_rok;
}

// ---------------------------------------------------------------- submit_multi

void Worker::on_submit_multi(Session& session, const smpp::Frame& frame) {
    smpp::SubmitMulti multi;
    CommandStatus status = smpp::decode_submit_multi(frame.body, session.decode_rules, multi);
    if (status != CommandStatus::esme_rok) {
        counters_.mt_refused.add();
        answer_error(session, frame.header, status);
        note_malformed(session);
        return;
    }
    session.malformed_in_row = 0;
    status = smpp::validate_submit_multi(multi,
                                         {.version = session.version, .wall_now_ns = now_.wall_ns});
    const bool to_store = takes_to_store(session, multi.sm.esm_class);
    if (status == CommandStatus::esme_rok) {
        status = admit(session, multi.number_of_dests, multi.sm,
                       to_store || smpp::wants_receipt(multi.sm.registered_delivery));
    }
    const size_t body_bytes = frame.body.size() - multi.dest_addresses.size() + address_bytes_max;
    if (status == CommandStatus::esme_rok &&
        (free_groups_.empty() || pool_.free_count_for(body_bytes) < multi.number_of_dests)) {
        status = CommandStatus::esme_rmsgqful;
    }
    if (status != CommandStatus::esme_rok) {
        counters_.mt_refused.add();
        answer_error(session, frame.header, status);
        return;
    }
    split_multi(session, frame, multi);
}

// One message a destination; a destination that cannot be used fails alone. All share one id, as
// the response has room for one; those that are stored have one each, and it tells the first.
void Worker::split_multi(Session& session,
                         const smpp::Frame& frame,
                         const smpp::SubmitMulti& multi) {
    MultiGroup* group = free_groups_.back();
    free_groups_.pop_back();
    ++session.requests_open;
    group->open = multi.number_of_dests;
    group->id = 0;
    const bool to_store = takes_to_store(session, multi.sm.esm_class);
    Octets rest = multi.dest_addresses;
    smpp::MultiDestination to;
    while (smpp::next_destination(rest, to)) {
        CommandStatus status{};
        Message* message = take_destination(session, frame, multi, to.address, status);
        message->group = group;
        message->to_store = to_store;
        message->id = group->id == 0 || to_store ? next_id(*message) : group->id;
        group->id = group->id == 0 ? message->id : group->id;
        if (to_store) {
            set_times_of_stored(*message);
        }
        counters_.mt_in.add();
        hub_.counters(id_, session.customer_id).submitted.add();
        if (status == CommandStatus::esme_rok) {
            status = set_numbers(*session.customer, *message);
        }
        if (status != CommandStatus::esme_rok) {
            finish_mt(message, status, counters_.mt_rejected);
            continue;
        }
        route_soon(message);
    }
}

// As the submit_sm that its customer might have sent, which is no longer than the whole list, and
// which the store can keep. `status`: what is wrong with it.
Message* Worker::take_destination(Session& session,
                                  const smpp::Frame& frame,
                                  const smpp::SubmitMulti& multi,
                                  const smpp::Address& to,
                                  CommandStatus& status) {
    smpp::Sm sm = multi.sm;
    sm.destination = to;
    const std::span<uint8_t> scratch(tlv_buffer_.get(), limits::pdu_bytes_max);
    const size_t octets = smpp::encode_sm(scratch, CommandId::submit_sm, 0, sm);
    SY_ASSERT(octets >= limits::pdu_header_bytes);
    const Octets body(scratch.subspan(limits::pdu_header_bytes, octets - limits::pdu_header_bytes));
    smpp::Sm written;
    status = smpp::decode_sm(body, session.decode_rules, written);
    const bool is_whole = status == CommandStatus::esme_rok;
    Message* message = take_mt(session, {frame.header, is_whole ? body : Octets()},
                               is_whole ? written : smpp::Sm());
    SY_ASSERT(message != nullptr);  // there was room for all
    if (!is_whole) {
        message->sm.destination = to;
    }
    return message;
}

}  // namespace sy::engine
