// The reading end of the store: ways back that are not in a worker's memory (any more, or since an
// earlier run), and receipts that waited for their customer. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/engine/hub.h"
#include "core/store/codec.h"
#include "core/store/database.h"
#include "core/store/returns.h"
#include "core/store/spills.h"

namespace sy::store {

struct ReaderCounts {
    engine::Counter ways_found;
    engine::Counter ways_missed;
    engine::Counter receipts;
    engine::Counter unreadable;  // entries of a version or form that this program does not know
    engine::Counter failures;    // reads that the database refused
};

class Reader {
  public:
    Reader(engine::Hub& hub, Database& database, Spills& spills);

    /// What the workers have asked by now; false when it was nothing.
    bool run(const Names& names);

    /// What a read failed with since the last call; empty: nothing.
    [[nodiscard]] std::string take_error() { return std::exchange(error_, {}); }
    [[nodiscard]] const ReaderCounts& counts() const { return counts_; }

  private:
    void find_way(engine::Message& message, const Names& names);
    void next_receipt(engine::Message& message, const Names& names);
    void fail_with(engine::Message& message, std::string text);

    engine::StoreLink& link_;
    Database& database_;
    Spills& spills_;
    std::vector<engine::Message*> batch_;
    Returns returns_;
    std::string error_;
    ReaderCounts counts_;
};

}  // namespace sy::store
