// What suppliers' answers say of the suppliers: breakers and slow starts. See worker.h and
// supplier_gate.h.
#include "core/engine/worker.h"

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

void Worker::judge_answer(const Session& session, Message& message) {
    SupplierGate& gate = hub_.supplier(session.supplier_id).gate;
    const CommandStatus status = message.status;
    const route::Supplier* account = account_of(session);
    if ((status == CommandStatus::esme_rok && gate.is_calm()) || account == nullptr) [[likely]] {
        gate.leave(message.pass);
        return;
    }
    const SupplierGate::Rules rules = rules_of(*account);
    SupplierGate::Change change{};
    if (status == CommandStatus::esme_rthrottled || status == CommandStatus::esme_rmsgqful) {
        change = gate.congested(message.pass, rules);
    } else if (is_breakdown(status) && snapshot_->errors.classify(session.supplier_id, status) !=
                                           route::ErrorClass::final) {
        change = gate.fails(message.pass, now_.mono_ns, rules);
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
