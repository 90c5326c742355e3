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
#include "core/route/quality.h"
#include "core/route/retry.h"
#include "core/route/scratch.h"

namespace sy::route {

/// One a worker. A copy of a snapshot begins with none: they are prepared for its own tables.
class Scratches {
  public:
    Scratches() = default;
    Scratches(const Scratches& /*other*/) {}
    Scratches& operator=(const Scratches& /*other*/) { return *this; }
    Scratches(Scratches&&) noexcept = default;
    Scratches& operator=(Scratches&&) noexcept = default;
    ~Scratches() = default;

    void resize(size_t workers) { all_.resize(workers); }
    [[nodiscard]] size_t size() const { return all_.size(); }
    [[nodiscard]] RouteScratch& operator[](size_t worker) { return all_[worker]; }
    [[nodiscard]] RouteScratch& at(size_t worker) { return all_.at(worker); }
    [[nodiscard]] auto begin() { return all_.begin(); }
    [[nodiscard]] auto end() { return all_.end(); }

  private:
    std::vector<RouteScratch> all_;
};

// What records carry beside what every record has.
struct RecordFields {
    std::vector<uint16_t> tlvs;  // tags
    bool text = false;

    friend bool operator==(const RecordFields&, const RecordFields&) = default;
};

// A copy shares the tables; it is how a snapshot with one part replaced is made.
struct Snapshot {
    uint64_t generation = 0;               // 1, 2, ... in order of publication
    std::string system_id = "switchyard";  // ours, in bind responses
    Timers timers;                         // [smpp]: for peers that are not bound yet

    // Indexed by id; null where the id's name is not in this configuration. An account that did not
    // change keeps its object across reloads, so pointer equality means "unchanged".
    std::vector<std::shared_ptr<const Customer>> customers;
    std::vector<std::shared_ptr<const Supplier>> suppliers;
    std::unordered_map<std::string, CustomerId> customer_by_system_id;

    QualityOptions quality;
    MtTable mt;
    MoTable mo;
    ErrorTable errors;
    RecordFields record_fields;
    RetrySchedule retry;

    // One a worker, made with the snapshot so that no worker allocates when it adopts it. The only
    // part that is written after publication: entry w by worker w alone.
    mutable Scratches scratches;

    [[nodiscard]] const Customer* customer(CustomerId id) const {
        return id.value < customers.size() ? customers[id.value].get() : nullptr;
    }
    [[nodiscard]] const Supplier* supplier(SupplierId id) const {
        return id.value < suppliers.size() ? suppliers[id.value].get() : nullptr;
    }
};

/// Makes one scratch a worker, for the snapshot's tables. Control thread.
[[nodiscard]] Result<void> prepare_scratches(size_t workers, Snapshot& snapshot);

}  // namespace sy::route
