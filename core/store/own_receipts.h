// Receipts that the router itself owes for messages it took to store and forward: expired, refused,
// deleted. They take the way of those whose customer is away: into the store, and from there. One
// thread, the writer's.
#pragma once

#include <cstdint>
#include <vector>

#include "core/store/codec.h"
#include "core/store/database.h"
#include "core/store/spills.h"

namespace sy::store {

/// The order in which receipts and messages were taken; one for both, of the writer.
struct Sequence {
    uint64_t next = 1;
};

class OwnReceipts {
  public:
    OwnReceipts(Database& database, Spills& spills, Sequence& sequence)
        : database_(database), spills_(spills), sequence_(sequence) {}

    /// Into the open batch; `message` has `way` and receipt_* set.
    void put(const engine::Message& message, const Names& names) {
        const CustomerId customer = message.way.customer;
        const uint64_t sequence = sequence_.next++;
        (void)spills_.stays(customer, true, sequence);
        database_.put_new(Family::receipts, receipt_key(names.name_of(customer), sequence),
                          encode_receipt(message, SupplierId::none(), names));
        open_.push_back(customer);
    }
    /// The batch was written, or was not.
    void settle(bool written) {
        for (const CustomerId customer : open_) {
            spills_.written(customer, written);
        }
        open_.clear();
    }

  private:
    Database& database_;
    Spills& spills_;
    Sequence& sequence_;
    std::vector<CustomerId> open_;
};

}  // namespace sy::store
