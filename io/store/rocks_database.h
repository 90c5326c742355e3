// store::Database over RocksDB: one column family each, one write-ahead log for all, so that a
// batch is written as a whole. Entries older than `age` are dropped when their files are next
// rewritten.
//
// After an error of the disk RocksDB takes no more writes: the next commit() opens it anew first.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "core/base/time.h"
#include "core/store/database.h"

namespace rocksdb {
class Env;
}

namespace sy::store {

struct RocksOptions {
    std::string path;
    Nanos age_ns = Nanos{72} * 3600 * second_ns;
    uint64_t memory_bytes = 512ull << 20;  // cache and write buffers together
    rocksdb::Env* env = nullptr;           // outlives it; null: the machine's
    std::function<Nanos()> wall_ns;        // UTC; any thread
};

class RocksDatabase final : public Database {
  public:
    /// Makes the folder where it is missing. An error names the path and says what to do.
    [[nodiscard]] static Result<std::unique_ptr<RocksDatabase>> open(RocksOptions options);
    ~RocksDatabase() override;

    void put(Family family, std::string_view key, std::string_view value) override;
    void erase(Family family, std::string_view key) override;
    [[nodiscard]] Result<void> commit(bool durable) override;
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

  private:
    struct Handle;

    explicit RocksDatabase(RocksOptions options);
    Result<void> open_handle();

    RocksOptions options_;
    // seek() and size_bytes() share it, opening anew has it alone.
    mutable std::shared_mutex mutex_;
    std::unique_ptr<Handle> handle_;
    bool broken_ = false;  // writer's
};

}  // namespace sy::store
