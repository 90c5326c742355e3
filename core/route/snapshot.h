// The immutable compiled form of the whole configuration. Built by the control thread, published
// with one pointer store (queue/published.h), read by every worker without a lock, freed after
// every worker has passed a quiescent state.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/ids.h"
#include "core/route/account.h"
#include "core/route/error_table.h"
#include "core/route/mo_table.h"
#include "core/route/mt_table.h"
#include "core/route/scratch.h"

namespace sy::route {

struct Snapshot {
    uint64_t generation = 0;               // 1, 2, ... in order of publication
    std::string system_id = "switchyard";  // ours, in bind responses
    Timers timers;                         // [smpp]: for peers that are not bound yet

    // Indexed by id; null where the id's name is not in this configuration. An account that did not
    // change keeps its object across reloads, so pointer equality means "unchanged".
    std::vector<std::shared_ptr<const Customer>> customers;
    std::vector<std::shared_ptr<const Supplier>> suppliers;
    std::unordered_map<std::string, CustomerId> customer_by_system_id;

    MtTable mt;
    MoTable mo;
    ErrorTable errors;

    // One a worker, made with the snapshot so that no worker allocates when it adopts it. The only
    // part that is written after publication: entry w by worker w alone.
    mutable std::vector<RouteScratch> scratches;

    [[nodiscard]] const Customer* customer(CustomerId id) const {
        return id.value < customers.size() ? customers[id.value].get() : nullptr;
    }
    [[nodiscard]] const Supplier* supplier(SupplierId id) const {
        return id.value < suppliers.size() ? suppliers[id.value].get() : nullptr;
    }
};

}  // namespace sy::route
