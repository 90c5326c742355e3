// Links to suppliers: connect, bind, submit from the ring, responses. See worker.h.
#include <algorithm>
#include <array>

#include "core/base/assert.h"
#include "core/engine/receipt_key.h"
#include "core/engine/worker.h"
#include "core/smpp/encode.h"
#include "core/smpp/receipt.h"

namespace sy::engine {
namespace {

using smpp::CommandId;
using smpp::CommandStatus;

// Above this a link's output is stuck: nothing more is put into it until the peer reads.
constexpr uint64_t submit_pending_bytes_max = 1 << 20;

}  // namespace

// ---------------------------------------------------------------- connecting

void Worker::run_trunks() {
    for (uint16_t i = 0; i < trunks_.size(); ++i) {
        Trunk& trunk = trunks_[i];
        if (trunk.in_use && trunk.state == TrunkState::idle && !draining_ &&
            now_.mono_ns >= trunk.next_attempt_ns) {
            connect_trunk(trunk, i);
        }
    }
}

void Worker::connect_trunk(Trunk& trunk, uint16_t index) {
    const auto& hosts = trunk.account->hosts;
    SY_DCHECK(!hosts.empty());
    // Binds are spread over the hosts; after a failure the next host is tried.
    const Endpoint& endpoint = hosts[(trunk.bind_index + trunk.failures) % hosts.size()];
    trunk.state = TrunkState::connecting;
    actions_.push_back(
        {.kind = Action::Kind::connect, .conn = {}, .trunk = index, .endpoint = endpoint});
    ++work_;
}

void Worker::connect_started(uint16_t index, ConnId conn) {
    Trunk& trunk = trunks_[index];
    if (!conn.valid()) {
        retry_trunk(trunk);
        return;
    }
    const auto& hosts = trunk.account->hosts;
    Session& session = open_session(conn, Side::supplier);
    session.peer = hosts[(trunk.bind_index + trunk.failures) % hosts.size()];
    attach_trunk(session, trunk, index);
}

void Worker::attach_trunk(Session& session, Trunk& trunk, uint16_t index) {
    const route::Supplier& account = *trunk.account;
    trunk.conn = session.conn;
    session.trunk = index;
    session.supplier_id = trunk.supplier;
    session.supplier = &account;
    session.version = smpp::version_of(account.interface_version);
    session.tlvs = account.tlvs.value_or(session.version != smpp::Version::v33);
    session.decode_rules.version = session.version;
    session.window = std::make_unique<smpp::Window<Outstanding>>(account.window);
}

void Worker::retry_trunk(Trunk& trunk) {
    trunk.conn = {};
    trunk.can_submit = false;
    trunk.can_receive = false;
    trunk.in_use = trunk.in_use && trunk.account != nullptr && !trunk.one_shot;
    trunk.state = TrunkState::idle;
    if (!trunk.in_use) {
        return;
    }
    ++trunk.failures;
    // Half to one and a half of the back-off, so that many links do not come back in step.
    trunk.next_attempt_ns =
        now_.mono_ns + trunk.backoff_ns / 2 + prng_.below(std::max<Nanos>(trunk.backoff_ns, 1));
    trunk.backoff_ns = std::min(trunk.backoff_ns * 2, trunk.account->reconnect_max_ns);
}

void Worker::on_connected(ConnId conn) {
    Session* session = session_of(conn);
    if (session == nullptr || session->side != Side::supplier) {
        return;
    }
    Trunk& trunk = trunks_[session->trunk];
    if (trunk.account == nullptr || draining_) {
        close_session(*session);
        return;
    }
    session->since_ns = now_.mono_ns;
    send_bind(*session, trunk);
}

void Worker::send_bind(Session& session, Trunk& trunk) {
    const route::Supplier& account = *trunk.account;
    smpp::Bind bind;
    bind.system_id = account.system_id;
    bind.password = account.password;
    bind.system_type = account.system_type;
    bind.interface_version = account.interface_version;
    const auto out = reserve(session, 128 + bind.system_id.size() + bind.password.size());
    if (out.empty()) {
        return;
    }
    session.control_sequence = session.window->next_sequence();
    commit(session, smpp::encode_bind(out, trunk.bind, session.control_sequence, bind));
    trunk.state = TrunkState::binding;
    event(EventKind::supplier_connecting, session, CommandStatus::esme_rok, 0);
}

void Worker::on_bind_resp(Session& session, const smpp::Frame& frame) {
    Trunk& trunk = trunks_[session.trunk];
    if (trunk.state != TrunkState::binding) {
        counters_.responses_unmatched.add();
        return;
    }
    const auto status = static_cast<CommandStatus>(frame.header.command_status);
    if (status != CommandStatus::esme_rok) {
        event(EventKind::supplier_bind_refused, session, status, 0);
        // Wrong credentials do not get better by trying fast.
        if (status == CommandStatus::esme_rinvpaswd || status == CommandStatus::esme_rinvsysid ||
            status == CommandStatus::esme_rbindfail) {
            trunk.backoff_ns = trunk.account->reconnect_max_ns;
        }
        close_session(session);
        return;
    }
    trunk_up(session, trunk);
}

// A supplier connected to us and asks to be bound to: its link becomes one of ours.
void Worker::on_outbind(Session& session, const smpp::Frame& frame) {
    smpp::Outbind outbind;
    const auto status = smpp::decode_outbind(frame.body, session.decode_rules, outbind);
    SupplierId from;
    for (uint16_t s = 0; s < snapshot_->suppliers.size() && !from.valid(); ++s) {
        const route::Supplier* account = snapshot_->suppliers[s].get();
        if (account != nullptr &&
            std::ranges::any_of(account->outbind_from, [&](const Endpoint& e) {
                return e.address == session.peer.address;
            })) {
            from = SupplierId{s};
        }
    }
    if (status != CommandStatus::esme_rok || !from.valid() || draining_) {
        counters_.nacks_out.add();
        send_empty(session, CommandId::generic_nack, CommandStatus::esme_rinvcmdid,
                   frame.header.sequence_number);
        note_malformed(session);
        return;
    }
    Trunk trunk;
    trunk.supplier = from;
    trunk.account = snapshot_->supplier(from);
    trunk.bind = trunk.account->bind == route::BindMode::transceiver ? CommandId::bind_transceiver
                                                                     : CommandId::bind_receiver;
    trunk.in_use = true;
    trunk.one_shot = true;
    const uint16_t index = add_trunk(trunk);
    session.side = Side::supplier;
    attach_trunk(session, trunks_[index], index);
    send_bind(session, trunks_[index]);
}

uint16_t Worker::add_trunk(const Trunk& trunk) {
    auto slot = std::ranges::find_if(trunks_, [](const Trunk& t) { return !t.in_use; });
    if (slot == trunks_.end()) {
        slot = trunks_.insert(trunks_.end(), trunk);
    } else {
        *slot = trunk;
    }
    const auto index = static_cast<uint16_t>(slot - trunks_.begin());
    local_of(trunk.supplier).trunks.push_back(index);
    return index;
}

Worker::LocalSupplier& Worker::local_of(SupplierId supplier) {
    uint16_t& index = local_supplier_[supplier.value];
    if (index == 0xFFFF) {
        index = static_cast<uint16_t>(suppliers_.size());
        LocalSupplier& local = suppliers_.emplace_back();
        local.id = supplier;
    }
    LocalSupplier& local = suppliers_[index];
    local.account = snapshot_->supplier(supplier);
    return local;
}

void Worker::trunk_up(Session& session, Trunk& trunk) {
    trunk.state = TrunkState::bound;
    trunk.failures = 0;
    trunk.backoff_ns = trunk.account->reconnect_min_ns;
    trunk.can_submit = trunk.bind != CommandId::bind_receiver;
    trunk.can_receive = trunk.bind != CommandId::bind_transmitter;
    session.state = !trunk.can_receive  ? smpp::SessionState::bound_tx
                    : !trunk.can_submit ? smpp::SessionState::bound_rx
                                        : smpp::SessionState::bound_trx;
    Counter& binds = hub_.counters(id_, trunk.supplier).binds;
    binds.set(binds.get() + 1);
    if (trunk.can_submit) {
        ++local_of(trunk.supplier).bound_tx;
        // Release pairs with the acquire in offer().
        hub_.supplier(trunk.supplier)
            .tx_workers.fetch_or(uint64_t{1} << id_.value, std::memory_order_release);
    }
    event(EventKind::supplier_bound, session, CommandStatus::esme_rok, 0);
}

// The link's connection is gone. What was in its window is lost to us; what was queued goes
// elsewhere when it was the last link.
void Worker::trunk_down(Session& session) {
    Trunk& trunk = trunks_[session.trunk];
    if (trunk.state == TrunkState::bound ||
        (trunk.state == TrunkState::retiring && session.state != smpp::SessionState::open)) {
        Counter& binds = hub_.counters(id_, trunk.supplier).binds;
        binds.set(binds.get() - 1);
    }
    if (trunk.can_submit) {
        LocalSupplier& local = local_of(trunk.supplier);
        if (--local.bound_tx == 0) {
            auto& workers = hub_.supplier(trunk.supplier).tx_workers;
            workers.fetch_and(~(uint64_t{1} << id_.value), std::memory_order_acq_rel);
            bounce_staged(local);
        }
    }
    if (trunk.one_shot || trunk.account == nullptr) {
        std::erase(local_of(trunk.supplier).trunks, session.trunk);
    }
    const SupplierId supplier = trunk.supplier;
    retry_trunk(trunk);
    if (hub_.supplier(supplier).tx_workers.load(std::memory_order_acquire) == 0) {
        bounce(supplier);
    }
}

// ---------------------------------------------------------------- PDUs

void Worker::on_supplier_pdu(Session& session, const smpp::Frame& frame) {
    switch (frame.header.command_id) {
        case CommandId::submit_sm_resp:
        case CommandId::data_sm_resp:
            on_submit_resp(session, frame);
            return;
        case CommandId::generic_nack:
            if (trunks_[session.trunk].state == TrunkState::binding) {
                on_bind_resp(session, frame);
            } else {
                on_submit_resp(session, frame);
            }
            return;
        case CommandId::deliver_sm:
        case CommandId::data_sm:
            on_deliver(session, frame);
            return;
        case CommandId::bind_receiver_resp:
        case CommandId::bind_transmitter_resp:
        case CommandId::bind_transceiver_resp:
            on_bind_resp(session, frame);
            return;
        case CommandId::alert_notification:
            return;  // no response exists, and nobody subscribed to it
        default:
            on_control(session, frame.header);
            return;
    }
}

void Worker::on_submit_resp(Session& session, const smpp::Frame& frame) {
    const Outstanding* request = session.window->find(frame.header.sequence_number);
    if (request == nullptr) {
        const bool late = session.window->take_late(frame.header.sequence_number).has_value();
        (late ? counters_.responses_late : counters_.responses_unmatched).add();
        if (late && frame.header.command_status == 0) {
            counters_.mt_late_accepted.add();
        }
        return;
    }
    Message* message = request->message;
    (void)session.window->take(frame.header.sequence_number);
    message->outcome = Outcome::answered;
    message->status = static_cast<CommandStatus>(frame.header.command_status);
    if (frame.header.command_id == CommandId::generic_nack &&
        message->status == CommandStatus::esme_rok) {
        message->status = CommandStatus::esme_runknownerr;
    }
    if (records_ != nullptr) {
        note_answer(*message, session, frame);
    }
    SupplierCounters& counters = hub_.counters(id_, session.supplier_id);
    if (message->status == CommandStatus::esme_rok) {
        counters.accepted.add();
        quality_.answered(session.supplier_id, message->network, true);
        if (message->wants_receipt) {
            smpp::SmResp resp;
            const auto decoded = smpp::decode_sm_resp(frame.body, session.decode_rules, resp);
            const bool known = decoded == CommandStatus::esme_rok &&
                               receipt_key(key_seed_of(session.supplier_id), resp.message_id,
                                           response_id_form(account_of(session)), message->key);
            if (!known) {
                counters_.receipt_ids_missing.add();
                message->wants_receipt = false;
            }
        }
    } else {
        counters.rejected.add();
        if (message->status == CommandStatus::esme_rthrottled ||
            message->status == CommandStatus::esme_rmsgqful) {
            counters.throttled.add();
        } else {
            quality_.answered(session.supplier_id, message->network, false);
        }
    }
    on_attempt_end(message);
}

void Worker::on_deliver(Session& session, const smpp::Frame& frame) {
    const bool is_data_sm = frame.header.command_id == CommandId::data_sm;
    smpp::Sm sm;
    const CommandStatus status = is_data_sm
                                     ? smpp::decode_data_sm(frame.body, session.decode_rules, sm)
                                     : smpp::decode_sm(frame.body, session.decode_rules, sm);
    if (status != CommandStatus::esme_rok) {
        counters_.mo_refused.add();
        answer_error(session, frame.header, status);
        note_malformed(session);
        return;
    }
    session.malformed_in_row = 0;
    const route::Supplier* account = account_of(session);
    const bool by_text = account != nullptr && account->receipt_by_text;
    if (smpp::is_receipt(sm, by_text)) {
        hub_.counters(id_, session.supplier_id).receipts.add();
        on_receipt(session, frame, sm);
    } else {
        hub_.counters(id_, session.supplier_id).mo.add();
        on_mo(session, frame, sm);
    }
}

// ---------------------------------------------------------------- submitting

void Worker::run_rings() {
    for (LocalSupplier& local : suppliers_) {
        if (local.bound_tx > 0 && local.account != nullptr) {
            drain_ring(local);
        }
    }
}

void Worker::drain_ring(LocalSupplier& local) {
    SupplierShared& shared = hub_.supplier(local.id);
    if (shared.paused_until_ns.load(std::memory_order_relaxed) > now_.mono_ns) {
        return;
    }
    const size_t count = local.trunks.size();
    if (count == 0) {
        return;
    }
    for (size_t i = 0; i < count; ++i) {
        Trunk& trunk = trunks_[local.trunks[(local.next_trunk + i) % count]];
        if (trunk.state == TrunkState::bound && trunk.can_submit) {
            const uint32_t sent = submit_on(local, trunk);
            local.moved = local.moved || sent > 0;
            work_ += sent;
        }
    }
    local.next_trunk = static_cast<uint16_t>((local.next_trunk + 1u) % count);
}

// Sends what the link's window, its socket and the supplier's rate allow.
uint32_t Worker::submit_on(LocalSupplier& local, Trunk& trunk) {
    Session* session = session_of(trunk.conn);
    if (session == nullptr || session->ending != Ending::no ||
        session->output.pending_bytes() > submit_pending_bytes_max) {
        return 0;
    }
    uint32_t room = session->window->outstanding_max() - session->window->outstanding();
    uint32_t sent = 0;
    while (room > 0 && (!local.staged.empty() || stage(local, std::min(room, limits::burst)))) {
        Message* message = local.staged.front();
        if (now_.mono_ns >= message->deadline_ns) {
            end_unsent(local.staged.pop_front(), Outcome::expired);
            continue;
        }
        if (!hub_.supplier(local.id).bucket.take(now_.mono_ns, local.account->rate_per_second,
                                                 local.account->burst)) {
            break;
        }
        local.staged.pop_front();
        if (!submit(*session, message)) {
            break;
        }
        --room;
        ++sent;
    }
    return sent;
}

// Takes messages out of the shared ring; false when it is empty.
bool Worker::stage(LocalSupplier& local, uint32_t wanted) {
    std::array<void*, limits::burst> burst;
    queue::SharedRing* ring = hub_.supplier(local.id).ring.load(std::memory_order_acquire);
    const uint32_t count = ring->pop({burst.data(), std::min(wanted, limits::burst)});
    for (uint32_t i = 0; i < count; ++i) {
        __builtin_prefetch(burst[i]);
        local.staged.push_back(static_cast<Message*>(burst[i]));
    }
    return count > 0;
}

bool Worker::submit(Session& session, Message* message) {
    smpp::Sm sm;
    number::AddressBuffers buffers;
    const CommandStatus fits = outgoing(session, *message, sm, buffers);
    if (fits != CommandStatus::esme_rok) {
        message->outcome = Outcome::answered;
        message->status = fits;
        if (records_ != nullptr) {
            note_unfit(*message);
        }
        on_attempt_end(message);
        return true;
    }
    const auto out = reserve(session, smpp::encoded_sm_bytes_max(sm));
    if (out.empty()) {
        end_unsent(message, Outcome::bounced);
        return false;
    }
    const uint32_t sequence = session.window->push(now_.mono_ns, Outstanding{message});
    commit(session, smpp::encode_sm(out, CommandId::submit_sm, sequence, sm));
    ++message->attempts;
    hub_.counters(id_, session.supplier_id).submitted.add();
    if (records_ != nullptr) {
        note_sent(*message, sm);
    }
    return true;
}

// The message as this supplier wants it: its number form, no TLVs where it knows none.
smpp::CommandStatus Worker::outgoing(const Session& session,
                                     const Message& message,
                                     smpp::Sm& sm,
                                     number::AddressBuffers& buffers) {
    sm = message.sm;
    const number::Parties parties{message.destination, message.destination_kind, message.source,
                                  message.source_kind, message.sender_replaced};
    switch (number::write_addresses(parties, session.supplier->number_form, buffers, sm.destination,
                                    sm.source)) {
        case number::WriteFault::destination:
            return CommandStatus::esme_rinvdstadr;
        case number::WriteFault::source:
            return CommandStatus::esme_rinvsrcadr;
        case number::WriteFault::none:
            break;
    }
    if (message.is_data_sm || (!session.tlvs && !sm.tlvs.empty())) {
        return without_payload_tlv(session, sm);
    }
    return CommandStatus::esme_rok;
}

// data_sm carries its text in message_payload, and a 3.3 link has no TLVs at all: what fits into
// short_message is moved there.
smpp::CommandStatus Worker::without_payload_tlv(const Session& session, smpp::Sm& sm) {
    Octets payload;
    if (sm.short_message.empty() &&
        smpp::find_tlv(sm.tlvs, smpp::TlvTag::message_payload, payload) && payload.size() <= 254) {
        sm.short_message = payload;
        if (session.tlvs) {
            ByteWriter rest({tlv_buffer_.get(), limits::pdu_bytes_max});
            for (const smpp::Tlv& tlv : smpp::TlvRange(sm.tlvs)) {
                if (tlv.tag != smpp::TlvTag::message_payload) {
                    rest.tlv(static_cast<uint16_t>(tlv.tag), tlv.value);
                }
            }
            sm.tlvs = {tlv_buffer_.get(), rest.written()};
        }
    } else if (!session.tlvs && !payload.empty()) {
        return CommandStatus::esme_rinvmsglen;
    }
    if (!session.tlvs) {
        sm.tlvs = {};
    }
    return CommandStatus::esme_rok;
}

// ---------------------------------------------------------------- ends of attempts

void Worker::end_unsent(Message* message, Outcome outcome) {
    message->outcome = outcome;
    message->stage = Stage::settle;
    send_to(WorkerId{message->home}, message);
}

void Worker::bounce_staged(LocalSupplier& local) {
    while (Message* message = local.staged.pop_front()) {
        end_unsent(message, Outcome::bounced);
    }
}

// Nobody is bound for this supplier: what waits in its ring goes back to look for its next target.
void Worker::bounce(SupplierId supplier) {
    queue::SharedRing* ring = hub_.supplier(supplier).ring.load(std::memory_order_acquire);
    if (ring == nullptr) {
        return;
    }
    std::array<void*, limits::burst> burst;
    for (uint32_t done = 0; done < ring->capacity();) {
        const uint32_t count = ring->pop(burst);
        for (uint32_t i = 0; i < count; ++i) {
            end_unsent(static_cast<Message*>(burst[i]), Outcome::bounced);
        }
        if (count == 0) {
            return;
        }
        done += count;
    }
}

// Stuck behind a full window, a pause or a rate: messages whose time is over must not wait on.
void Worker::expire_staged(LocalSupplier& local) {
    // Without a link here the ring is for the workers that have one.
    if (local.bound_tx > 0 && !local.moved && local.staged.empty() &&
        hub_.supplier(local.id).ring.load(std::memory_order_acquire) != nullptr) {
        (void)stage(local, limits::burst);
    }
    local.moved = false;
    while (!local.staged.empty() && now_.mono_ns >= local.staged.front()->deadline_ns) {
        end_unsent(local.staged.pop_front(), Outcome::expired);
    }
}

// Sent, and no answer will be understood any more: the outcome is unknown.
void Worker::lose(Message* message, CommandStatus status) {
    hub_.counters(id_, message->supplier).unknown.add();
    quality_.answered(message->supplier, message->network, false);
    supplier_event(EventKind::message_unknown, message->supplier, status, message->id);
    message->outcome = Outcome::unknown;
    message->status = status;
    if (records_ != nullptr) {
        note_end(*message);
    }
    message->stage = Stage::settle;
    send_to(WorkerId{message->home}, message);
}

}  // namespace sy::engine
