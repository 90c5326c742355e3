// RocksDB as the store has it: a column family for each of ours, one write-ahead log for all. What
// is too old is dropped when its file is next rewritten.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/time.h"
#include "core/store/database.h"
#include "io/store/rocks_options.h"

namespace sy::store {

inline rocksdb::Slice slice(std::string_view text) {
    return {text.data(), text.size()};
}

inline std::string_view view(const rocksdb::Slice& text) {
    return {text.data(), text.size()};
}

// Used by RocksDB's own threads.
class AgeFilter final : public rocksdb::CompactionFilter {
  public:
    AgeFilter(Nanos age_ns, std::function<Nanos()> wall_ns)
        : age_ns_(age_ns), wall_ns_(std::move(wall_ns)) {}

    [[nodiscard]] const char* Name() const override { return "sy.age"; }
    bool Filter(int level,
                const rocksdb::Slice& key,
                const rocksdb::Slice& value,
                std::string* new_value,
                bool* value_changed) const override;
    [[nodiscard]] uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  private:
    Nanos age_ns_;
    std::function<Nanos()> wall_ns_;
    mutable std::atomic<uint64_t> dropped_{0};
};

class RocksTables {
  public:
    explicit RocksTables(const RocksOptions& options) : filter_(options.age_ns, options.wall_ns) {}
    ~RocksTables();
    RocksTables(const RocksTables&) = delete;
    RocksTables& operator=(const RocksTables&) = delete;

    /// Once; holds the folder's lock from then on.
    [[nodiscard]] rocksdb::Status open(const RocksOptions& options);

    /// Null where it could not be opened.
    [[nodiscard]] rocksdb::DB* db() const { return db_.get(); }
    [[nodiscard]] rocksdb::ColumnFamilyHandle* of(Family family) const {
        return family_[static_cast<size_t>(family)];
    }
    /// False where the family has no entry.
    [[nodiscard]] bool may_have(Family family) const;
    /// Entries dropped because they were too old; any thread.
    [[nodiscard]] uint64_t dropped() const { return filter_.dropped(); }

    rocksdb::WriteBatch batch;  // on its way down

  private:
    AgeFilter filter_;
    std::shared_ptr<rocksdb::Cache> cache_;
    std::unique_ptr<rocksdb::DB> db_;
    std::array<rocksdb::ColumnFamilyHandle*, families> family_{};
};

}  // namespace sy::store
