// What time does to sessions: probes, inactivity, responses that do not come, the end of a drain.
// See worker.h.
#include <algorithm>

#include "core/base/assert.h"
#include "core/engine/worker.h"

namespace sy::engine {
namespace {

constexpr Nanos unbind_patience_ns = 5 * second_ns;

}  // namespace

void Worker::run_timers() {
    const Nanos elapsed = now_.mono_ns - tick_ns_;
    tick_ns_ = now_.mono_ns;
    // A share of the sessions each millisecond, all of them each tick_ns.
    const size_t share =
        elapsed >= tick_ns ? active_.size() : active_.size() * elapsed / tick_ns + 1;
    for (size_t i = 0; i < share && !active_.empty(); ++i) {
        tick_cursor_ = tick_cursor_ + 1 < active_.size() ? tick_cursor_ + 1 : 0;
        session_timers(sessions_[active_[tick_cursor_]]);
    }
    expire_parked(elapsed);
    const uint32_t forgotten = receipt_map_.expire(now_.mono_ns, 256);
    counters_.receipts_evicted.add(store_ == nullptr ? forgotten : 0);
    run_store_again();
    run_held();
    load_from_store(elapsed);
    run_waiting();
    for (LocalSupplier& local : suppliers_) {
        expire_staged(local);
    }
    // A message may have been pushed to a ring just after its last link went down. Worker 0 looks
    // after every supplier, whoever serves it.
    if (id_.value == 0) {
        for (uint16_t s = 0; s < snapshot_->suppliers.size(); ++s) {
            SupplierShared& shared = hub_.supplier(SupplierId{s});
            if (shared.tx_workers.load(std::memory_order_acquire) == 0) {
                bounce(SupplierId{s});
            }
        }
    }
}

void Worker::session_timers(Session& session) {
    const Nanos now = now_.mono_ns;
    if (session.ending == Ending::closing) {
        return;
    }
    const route::Timers& timers = session.customer != nullptr   ? session.customer->timers
                                  : session.supplier != nullptr ? session.supplier->timers
                                                                : snapshot_->timers;
    if (!smpp::is_bound(session.state)) {
        const Nanos patience = session.side == Side::supplier && session.control_sequence != 0
                                   ? timers.response_ns
                                   : timers.session_init_ns;
        if (now - session.since_ns >= patience) {
            drop_session(session);
        }
        return;
    }
    expire_responses(session);
    if (session.ending == Ending::unbinding) {
        if (now - session.ending_ns >= std::min(timers.response_ns, unbind_patience_ns)) {
            close_session(session);
        }
        return;
    }
    if (session.ending == Ending::draining &&
        ((session.requests_open == 0 && session.window->outstanding() == 0) ||
         now - session.ending_ns >= timers.response_ns)) {
        unbind_session(session);
        return;
    }
    probe_timers(session);
}

void Worker::probe_timers(Session& session) {
    const route::Timers& timers = session.customer != nullptr   ? session.customer->timers
                                  : session.supplier != nullptr ? session.supplier->timers
                                                                : snapshot_->timers;
    const Nanos quiet = now_.mono_ns - session.last_in_ns;
    if (session.probe_ns != 0 && now_.mono_ns - session.probe_ns >= timers.response_ns) {
        event(EventKind::session_dead, session, {}, 0);
        drop_session(session);
    } else if (timers.inactivity_ns != 0 && quiet >= timers.inactivity_ns &&
               session.side == Side::customer) {
        unbind_session(session);
    } else if (session.probe_ns == 0 && timers.enquire_link_ns != 0 &&
               quiet >= timers.enquire_link_ns) {
        // Any PDU answers it, so it needs no place in the window and cannot be starved by a full
        // one.
        session.probe_ns = now_.mono_ns;
        send_empty(session, smpp::CommandId::enquire_link, smpp::CommandStatus::esme_rok,
                   session.window->next_sequence());
    }
}

void Worker::expire_responses(Session& session) {
    const Nanos patience = session.customer != nullptr   ? session.customer->timers.response_ns
                           : session.supplier != nullptr ? session.supplier->timers.response_ns
                                                         : snapshot_->timers.response_ns;
    const bool to_supplier = session.side == Side::supplier;
    session.window->expire_oldest(now_.mono_ns, patience, [&](uint32_t, Outstanding& outstanding) {
        Message* message = outstanding.message;
        outstanding.ticket = 0;
        if (to_supplier) {
            judge_silence(session, *message);
            outstanding.ticket = lose(message, smpp::CommandStatus::esme_rsyserr);
        } else {
            undelivered(message, smpp::CommandStatus::esme_rsyserr, true);
        }
    });
}

void Worker::run_drain() {
    int64_t waiting = 0;
    for (const CustomerId customer : waiting_list_) {
        if (hub_.customer(customer).rx_workers.load(std::memory_order_relaxed) == 0) {
            give_up_waiting_mo(customer);
            waiting += waiting_[customer.value].messages.count();
        }
    }
    hub_.report_in_flight(id_, int64_t{pool_.count()} - int64_t{pool_.free_count()} - waiting);
    // Links to suppliers first: what is lost with them settles, and its customers still hear of it.
    const bool settled = hub_.in_flight() <= 0;
    const bool late = now_.mono_ns >= hub_.drain_latest_ns();
    const bool too_late = now_.mono_ns >= hub_.drain_latest_ns() + 2 * unbind_patience_ns;
    if (settled || late) {
        for (const uint32_t slot : active_) {
            Session& session = sessions_[slot];
            if (settled || too_late || session.side == Side::supplier) {
                unbind_session(session);
            }
        }
        if (active_.empty() && !reported_drained_) {
            reported_drained_ = true;
            hub_.report_drained(id_);
            supplier_event(EventKind::drained, SupplierId::none(), {}, 0);
        }
    }
}

}  // namespace sy::engine
