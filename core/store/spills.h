// Which receipts stand in the store alone, by customer: those that came while their customer was
// not bound (or had more waiting than it may), and those that an earlier run left. While a customer
// has any, every further receipt of its goes there too, so that they reach it in the order in which
// they came; when the reader has handed out the last one, they take the short way again.
//
// Both ends of the store use it, under its lock; workers see the counts in the Hub. One a run.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/engine/hub.h"
#include "core/store/codec.h"

namespace sy::store {

class Spills {
  public:
    /// `hub` has a store.
    explicit Spills(engine::Hub& hub);

    /// Before the ends run: a receipt that an earlier run left.
    void found(std::string_view customer);
    /// Gives what was found to the customers that there are by now.
    void resolve(const Names& names);

    /// Of a new receipt: true when it is to stay in the store, as `wanted` (its customer cannot
    /// take it now), or because others of its stand there.
    [[nodiscard]] bool stays(CustomerId customer, bool wanted, uint64_t sequence);
    /// Such a one is in the database now, or could not be written after all.
    void written(CustomerId customer, bool is_there);

    /// The sequence from which to look for the customer's next one; false when it has none.
    [[nodiscard]] bool next(CustomerId customer, uint64_t& from) const;
    /// The reader found one there, and hands it out.
    void taken(CustomerId customer, uint64_t sequence);
    /// The reader found no more: what was left had become too old.
    void ended(CustomerId customer);

  private:
    struct One {
        uint64_t from = 0;  // none below it stands in the store alone
        int64_t count = 0;
        int64_t writing = 0;  // on their way into the database: not to be looked for yet
    };

    void add(CustomerId customer, int64_t count);

    engine::Hub& hub_;
    mutable std::mutex mutex_;
    std::vector<One> customers_;  // by CustomerId
    std::map<std::string, int64_t, std::less<>> strangers_;
};

}  // namespace sy::store
