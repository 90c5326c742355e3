// store::Database: a batch goes into a journal of our own, on disk before commit() returns, and
// into memory (core/store/recent.h). From there settle() brings to RocksDB what has lived for a
// while: most of what is put is erased before, and never costs more than its place in the journal.
// RocksDB has one column family each, one write-ahead log for all; entries older than `age` are
// dropped when their files are next rewritten. At open what is left of journals goes into RocksDB.
//
// After an error of the disk the next commit() opens RocksDB anew, brings all there, and begins
// another journal.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "core/base/time.h"
#include "core/store/database.h"
#include "core/store/journal.h"
#include "core/store/recent.h"
#include "io/store/journal_files.h"
#include "io/store/rocks_options.h"

namespace sy::store {

class RocksTables;

class RocksDatabase final : public Database {
  public:
    /// Makes the folder where it is missing. An error names the path and says what to do.
    [[nodiscard]] static Result<std::unique_ptr<RocksDatabase>> open(RocksOptions options);
    ~RocksDatabase() override;

    void put(Family family, std::string_view key, std::string_view value) override;
    void put_new(Family family, std::string_view key, std::string_view value) override;
    void erase(Family family, std::string_view key) override;
    [[nodiscard]] Result<void> commit(bool durable) override;
    /// The writer, now and then: brings on what is due, in pieces of a millisecond or so. What goes
    /// wrong the next commit() says.
    void settle();
    [[nodiscard]] Result<bool> seek(Family family,
                                    std::string_view from,
                                    std::string_view prefix,
                                    Entry& out) override;
    [[nodiscard]] Result<void> each(
        Family family,
        const std::function<void(std::string_view key, std::string_view value)>& see) override;

    /// On disk, log included; any thread.
    [[nodiscard]] uint64_t size_bytes() const;
    /// Entries dropped because they were too old.
    [[nodiscard]] uint64_t expired() const;
    /// Entries that lived long enough to be brought to RocksDB; any thread.
    [[nodiscard]] uint64_t settled() const { return settled_.load(std::memory_order_relaxed); }
    /// Of journals found at open, what was written in part when their router died.
    [[nodiscard]] uint64_t cut_octets() const { return cut_octets_; }

  private:
    explicit RocksDatabase(RocksOptions options);
    Result<void> open_tables();
    Result<void> replay();
    Result<void> replay(uint64_t number);
    Result<void> recover();
    [[nodiscard]] Result<bool> find(std::string_view key, Entry& out);
    Result<void> write(bool durable);
    Result<void> settle_some();
    Result<void> turn_over();
    Result<void> settle_old(size_t octets_max);
    Result<void> settle_all();
    Result<void> retire_old();
    Result<void> write_below(bool durable);

    RocksOptions options_;
    size_t journal_octets_max_;
    // The writer alone changes what it guards; seek() and size_bytes() share it.
    mutable std::shared_mutex mutex_;
    std::unique_ptr<RocksTables> tables_;
    std::vector<Change> changes_;  // of the batch; only while it is written
    Recent recent_;
    std::array<bool, families> is_below_{};  // RocksDB may have something of the family

    // The writer's.
    JournalFiles journal_;
    JournalBatch batch_;
    uint64_t young_number_ = 0;  // of the journal that has what is young
    uint64_t old_number_ = 0;    // likewise; 0: none
    size_t old_octets_ = 0;      // that there were when it became old
    Nanos begun_wall_ns_ = 0;    // the young one
    bool is_unsynced_ = false;   // RocksDB was given something that may not be on disk yet
    bool goes_through_ = false;  // the open batch
    bool broken_ = false;
    std::string why_;
    uint64_t cut_octets_ = 0;
    std::atomic<uint64_t> settled_{0};
};

}  // namespace sy::store
