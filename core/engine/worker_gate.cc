// What suppliers' answers say of the suppliers: breakers and slow starts. See worker.h and
// supplier_gate.h.
#include <algorithm>

#include "core/engine/worker.h"
#include "core/smpp/tlv.h"

namespace sy::engine {
namespace {

using smpp::CommandStatus;

SupplierGate::Rules rules_of(const route::Supplier& account) {
    return {.failures_max = account.breaker,
            .pause_ns = account.breaker_pause_ns,
            .pause_max_ns = account.breaker_pause_max_ns,
            .window = uint32_t{account.binds} * account.window};
}

// The supplier itself does not work; other errors are of a message, a number or the account.
bool is_breakdown(CommandStatus status) {
    switch (status) {
        case CommandStatus::esme_rsyserr:
        case CommandStatus::esme_rsubmitfail:
        case CommandStatus::esme_rx_t_appn:
        case CommandStatus::esme_runknownerr:
        case CommandStatus::esme_rinvcmdid:
        case CommandStatus::esme_rinvbndsts:
            return true;
        default:
            return false;
    }
}

// congestion_state (SMPP 5.0 section 4.8.4.18): 80 to 90 is where a peer wants to be held.
constexpr uint32_t congestion_busy = 80;
constexpr uint32_t congestion_near = 90;
constexpr uint32_t congestion_full = 100;

// Of a response; 0 where it says nothing, or what the specification does not know.
uint32_t congestion_of(const smpp::Frame& frame, const smpp::DecodeRules& rules) {
    smpp::SmResp resp;
    uint32_t state = 0;
    const bool known = smpp::decode_sm_resp(frame.body, rules, resp) == CommandStatus::esme_rok &&
                       smpp::find_integer(resp.tlvs, smpp::TlvTag::congestion_state, state) &&
                       state <= congestion_full;
    return known ? state : 0;
}

uint32_t percent(uint64_t part, uint64_t whole) {
    return whole == 0 ? 0 : static_cast<uint32_t>(std::min<uint64_t>(part * 100 / whole, 100));
}

}  // namespace

// A message for a supplier whose breaker is open or that is being probed: the next probe?
bool Worker::admit_probe(SupplierId supplier) {
    const route::Supplier* account = snapshot_->supplier(supplier);
    auto change = SupplierGate::Change::none;
    const bool admitted = account != nullptr && hub_.supplier(supplier).gate.admit(
                                                    now_.mono_ns, rules_of(*account), change);
    tell_change(supplier, change, CommandStatus::esme_rok);
    return admitted;
}

void Worker::judge_answer(const Session& session, Message& message, const smpp::Frame& frame) {
    SupplierGate& gate = hub_.supplier(session.supplier_id).gate;
    const CommandStatus status = message.status;
    const uint32_t congestion =
        session.version == smpp::Version::v50 ? congestion_of(frame, session.decode_rules) : 0;
    const route::Supplier* account = account_of(session);
    if ((status == CommandStatus::esme_rok && congestion < congestion_busy && gate.is_calm()) ||
        account == nullptr) [[likely]] {
        gate.leave(message.pass);
        return;
    }
    const SupplierGate::Rules rules = rules_of(*account);
    SupplierGate::Change change{};
    if (status == CommandStatus::esme_rthrottled || status == CommandStatus::esme_rmsgqful ||
        congestion >= congestion_near) {
        change = gate.congested(message.pass, rules);
        if (congestion == congestion_full) {
            pause_supplier(session.supplier_id, status);
        }
    } else if (is_breakdown(status) && snapshot_->errors.classify(session.supplier_id, status) !=
                                           route::ErrorClass::final) {
        change = gate.fails(message.pass, now_.mono_ns, rules);
    } else if (congestion >= congestion_busy) {
        change = gate.busy(message.pass, rules);
    } else {
        change = gate.works(message.pass, rules);
    }
    tell_change(session.supplier_id, change, status);
}

// No answer came in time.
void Worker::judge_silence(const Session& session, Message& message) {
    SupplierGate& gate = hub_.supplier(session.supplier_id).gate;
    if (const route::Supplier* account = account_of(session)) {
        tell_change(session.supplier_id, gate.fails(message.pass, now_.mono_ns, rules_of(*account)),
                    CommandStatus::esme_rok);
        message.pass = {};
    }
}

// It wants a moment: error class `pause`, or it is full.
void Worker::pause_supplier(SupplierId supplier, smpp::CommandStatus status) {
    const route::Supplier* account = snapshot_->supplier(supplier);
    const Nanos until = now_.mono_ns + (account != nullptr ? account->pause_ns : second_ns);
    auto& paused = hub_.supplier(supplier).paused_until_ns;
    if (paused.load(std::memory_order_relaxed) < now_.mono_ns) {
        supplier_event(EventKind::supplier_paused, supplier, status, 0);
    }
    paused.store(until, std::memory_order_relaxed);
}

// What a 5.0 customer is told beside an OK: the fullest of its window, this worker's messages and
// the queue of the supplier that took its message.
uint8_t Worker::congestion_for(const Session& session, SupplierId supplier) {
    uint32_t fullest = percent(session.requests_open, session.customer->window);
    fullest = std::max(fullest, percent(pool_.count() - pool_.free_count(), pool_.count()));
    if (supplier.valid()) {
        const SupplierShared& shared = hub_.supplier(supplier);
        if (const auto* ring = shared.ring.load(std::memory_order_acquire)) {
            const uint64_t waiting =
                uint64_t{ring->count()} + shared.staged.load(std::memory_order_relaxed);
            fullest = std::max(fullest, percent(waiting, ring->capacity()));
        }
    }
    return static_cast<uint8_t>(fullest);
}

void Worker::tell_change(SupplierId supplier,
                         SupplierGate::Change change,
                         smpp::CommandStatus status) {
    switch (change) {
        case SupplierGate::Change::none:
            return;
        case SupplierGate::Change::opened:
            hub_.counters(id_, supplier).breaker_opened.add();
            supplier_event(EventKind::supplier_opened, supplier, status, 0);
            return;
        case SupplierGate::Change::probing:
            supplier_event(EventKind::supplier_probed, supplier, status, 0);
            return;
        case SupplierGate::Change::closed:
            supplier_event(EventKind::supplier_recovered, supplier, status, 0);
            return;
    }
}

}  // namespace sy::engine
