// A new snapshot: which sessions and links go on as they are, and which end. See worker.h.
#include <algorithm>

#include "core/base/assert.h"
#include "core/engine/worker.h"

namespace sy::engine {

void Worker::adopt(const route::Snapshot& snapshot) {
    if (snapshot_ == nullptr) {
        hub_.published().online(id_.value);
    }
    snapshot_ = &snapshot;
    scratch_ = &snapshot.scratches[id_.value];
    scratch_->use(&hub_.quality());
    adopt_customers(snapshot);
    adopt_suppliers(snapshot);
    ++work_;
}

void Worker::adopt_customers(const route::Snapshot& snapshot) {
    for (const uint32_t slot : active_) {
        Session& session = sessions_[slot];
        if (session.side != Side::customer || session.customer == nullptr) {
            continue;
        }
        const route::Customer* before = session.customer;
        const route::Customer* after = snapshot.customer(session.customer_id);
        // The old object may be freed after this turn: from here on only `after` is kept.
        session.customer = after;
        if (before == after) {
            continue;
        }
        const bool keep = after != nullptr && after->system_id == before->system_id &&
                          after->password == before->password && after->allow == before->allow &&
                          after->allow_transmitter == before->allow_transmitter &&
                          after->allow_receiver == before->allow_receiver &&
                          after->allow_transceiver == before->allow_transceiver &&
                          after->window == before->window;
        if (!keep && session.ending == Ending::no) {
            session.ending = Ending::draining;
            session.ending_ns = now_.mono_ns;
        }
    }
}

void Worker::adopt_suppliers(const route::Snapshot& snapshot) {
    std::vector<bool> kept(limits::suppliers_max, false);
    for (uint16_t i = 0; i < trunks_.size(); ++i) {
        Trunk& trunk = trunks_[i];
        if (!trunk.in_use || trunk.state == TrunkState::retiring) {
            continue;
        }
        if (trunk.account == snapshot.supplier(trunk.supplier)) {
            kept[trunk.supplier.value] = true;
            continue;
        }
        trunk.account = nullptr;
        if (Session* session = session_of(trunk.conn)) {
            session->supplier = nullptr;
            trunk.state = TrunkState::retiring;
            unbind_session(*session);
        } else {
            trunk.in_use = false;
        }
    }
    for (uint16_t s = 0; s < snapshot.suppliers.size(); ++s) {
        const route::Supplier* account = snapshot.suppliers[s].get();
        if (account == nullptr || kept[s]) {
            continue;
        }
        for (uint16_t bind = 0; bind < account->binds; ++bind) {
            if ((uint32_t{s} + bind) % hub_.workers() != id_.value) {
                continue;
            }
            const bool pair = account->bind == route::BindMode::pair;
            for (int half = 0; half < (pair ? 2 : 1); ++half) {
                Trunk trunk;
                trunk.supplier = SupplierId{s};
                trunk.account = account;
                trunk.bind_index = bind;
                trunk.in_use = true;
                trunk.next_attempt_ns = now_.mono_ns;
                trunk.backoff_ns = account->reconnect_min_ns;
                using smpp::CommandId;
                const bool tx =
                    account->bind == route::BindMode::transmitter || (pair && half == 0);
                const bool rx = account->bind == route::BindMode::receiver || (pair && half == 1);
                trunk.bind = tx   ? CommandId::bind_transmitter
                             : rx ? CommandId::bind_receiver
                                  : CommandId::bind_transceiver;
                const auto slot =
                    std::ranges::find_if(trunks_, [](const Trunk& t) { return !t.in_use; });
                if (slot != trunks_.end()) {
                    *slot = trunk;
                } else {
                    trunks_.push_back(trunk);
                }
            }
        }
    }
    // Whom this worker serves now.
    for (LocalSupplier& local : suppliers_) {
        if (snapshot.supplier(local.id) == nullptr) {
            leave_staged(local);
        }
    }
    for (uint16_t s = 0; s < snapshot.suppliers.size(); ++s) {
        const bool serves = std::ranges::any_of(trunks_, [&](const Trunk& trunk) {
            return trunk.in_use && trunk.account != nullptr && trunk.supplier.value == s;
        });
        if (serves && local_supplier_[s] == 0xFFFF) {
            (void)local_of(SupplierId{s});
        }
    }
    for (LocalSupplier& local : suppliers_) {
        local.account = snapshot.supplier(local.id);
        local.trunks.clear();
        local.next_trunk = 0;
        for (uint16_t i = 0; i < trunks_.size(); ++i) {
            if (trunks_[i].in_use && trunks_[i].account != nullptr &&
                trunks_[i].supplier == local.id) {
                local.trunks.push_back(i);
            }
        }
    }
}

}  // namespace sy::engine
