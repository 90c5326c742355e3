// The files of the store's journal: one is appended to, made to last on demand, and removed when
// what it says stands elsewhere. Named by number, in the store's folder beside RocksDB's own, and
// over the same Env. One thread; size_bytes() any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <rocksdb/env.h>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace sy::store {

class JournalFiles {
  public:
    JournalFiles(rocksdb::Env& env, std::string folder) : env_(env), folder_(std::move(folder)) {}

    /// The numbers of those that there are, oldest first.
    [[nodiscard]] Result<std::vector<uint64_t>> list() const;
    [[nodiscard]] Result<std::string> read(uint64_t number) const;
    [[nodiscard]] Result<void> remove(uint64_t number);

    /// What is appended goes into that one from now on. The one before is closed, on disk.
    [[nodiscard]] Result<void> begin(uint64_t number);
    [[nodiscard]] Result<void> append(std::string_view frame);
    /// On disk when it returns, what was appended before too.
    [[nodiscard]] Result<void> sync();
    /// Closes without that.
    void close() {
        file_.reset();
        is_synced_ = true;
    }

    /// In the one that is appended to.
    [[nodiscard]] uint64_t octets() const { return octets_; }
    /// Of all of them.
    [[nodiscard]] uint64_t size_bytes() const { return size_.load(std::memory_order_relaxed); }

  private:
    [[nodiscard]] std::string path_of(uint64_t number) const;

    rocksdb::Env& env_;
    std::string folder_;
    std::unique_ptr<rocksdb::WritableFile> file_;
    uint64_t octets_ = 0;
    bool is_synced_ = true;
    std::atomic<uint64_t> size_{0};
};

}  // namespace sy::store
