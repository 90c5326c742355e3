// The files of the store's journal: one is appended to, made to last on demand, and retired when
// what it says stands elsewhere. A retired one is kept to be written over: to make octets last that
// take the place of others costs a third less than where a file grows (bench/results.md). Named by
// number, in the store's folder beside RocksDB's own, and over the same Env. One thread;
// size_bytes() any.
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

    /// The numbers of those that an earlier run left, oldest first.
    [[nodiscard]] Result<std::vector<uint64_t>> open();
    [[nodiscard]] Result<std::string> read(uint64_t number) const;
    /// It is not read any more.
    [[nodiscard]] Result<void> retire(uint64_t number);

    /// What is appended goes into that one from now on. The one before is closed, on disk.
    /// REQUIRES: number is above all before it. Behind what is appended there may stand frames of
    /// a retired one.
    [[nodiscard]] Result<void> begin(uint64_t number);
    [[nodiscard]] Result<void> append(std::string_view frame);
    /// On disk when it returns, what was appended before too.
    [[nodiscard]] Result<void> sync();
    /// Closes without that.
    void close() {
        file_.reset();
        is_synced_ = true;
    }

    /// Appended to the one that was begun last.
    [[nodiscard]] uint64_t octets() const { return octets_; }
    /// Of all of them, on disk.
    [[nodiscard]] uint64_t size_bytes() const { return size_.load(std::memory_order_relaxed); }

  private:
    [[nodiscard]] std::string path_of(uint64_t number) const;
    [[nodiscard]] std::string spare_path() const;
    [[nodiscard]] uint64_t octets_of(const std::string& path) const;
    [[nodiscard]] Result<void> remove(const std::string& path);

    rocksdb::Env& env_;
    std::string folder_;
    std::unique_ptr<rocksdb::WritableFile> file_;
    uint64_t octets_ = 0;
    uint64_t file_octets_ = 0;  // of the file, which may have been longer
    bool has_spare_ = false;    // a retired one waits to be written over
    bool is_synced_ = true;
    std::atomic<uint64_t> size_{0};
};

}  // namespace sy::store
