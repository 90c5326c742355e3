// The writing end of the store: takes what workers hand over, writes it as one batch, and gives it
// back when it is on disk. While a batch is being written the next one gathers in the rings, so the
// slower the disk, the larger the batches (group commit). One thread.
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

struct WriterCounts {
    engine::Counter batches;
    engine::Counter ways;
    engine::Counter receipts;
    engine::Counter receipts_spilled;
    engine::Counter failures;  // batches that could not be written
};

class Writer {
  public:
    /// `next_sequence`: above every one in the database. All outlive this.
    Writer(engine::Hub& hub, Database& database, Spills& spills, uint64_t next_sequence);

    /// One batch; false when there was nothing to do. With `durable` nothing is given back before
    /// it is on disk.
    bool run(const Names& names, bool durable);

    /// What a batch failed with since the last call; empty: nothing.
    [[nodiscard]] std::string take_error() { return std::exchange(error_, {}); }
    [[nodiscard]] const WriterCounts& counts() const { return counts_; }

  private:
    /// True when something must be on disk before the message goes back.
    bool apply(engine::Message& message, const Names& names);
    void keep_receipt(engine::Message& message, const Names& names);
    void settle(engine::Message& message, bool written);

    engine::Hub& hub_;
    engine::StoreLink& link_;
    Database& database_;
    Spills& spills_;
    uint64_t next_sequence_;
    std::vector<engine::Message*> batch_;
    Returns returns_;
    std::string error_;
    WriterCounts counts_;
};

}  // namespace sy::store
