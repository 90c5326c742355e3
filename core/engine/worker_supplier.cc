// Links to suppliers: connect, bind, responses. See worker.h.
#include <algorithm>

#include "core/base/assert.h"
#include "core/engine/receipt_key.h"
#include "core/engine/worker.h"
#include "core/smpp/encode.h"
#include "core/smpp/receipt.h"

namespace sy::engine {
namespace {

using smpp::CommandId;
using smpp::CommandStatus;

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
        SupplierShared& shared = hub_.supplier(trunk.supplier);
        // Release pairs with the acquire in offer().
        if (shared.tx_workers.fetch_or(uint64_t{1} << id_.value, std::memory_order_release) == 0) {
            shared.gate.reconnected();
        }
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
            leave_staged(local);
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
        if (const auto late = session.window->take_late(frame.header.sequence_number)) {
            on_late_resp(session, frame, late->ticket);
        } else {
            counters_.responses_unmatched.add();
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
    judge_answer(session, *message, frame);
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

}  // namespace sy::engine
