// RocksDB's files with a disk that fails on demand, and that forgets on a power loss what was not
// synced: every file is cut to a length between what was synced and what was written, and has
// behind it what it had before where it was written over.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <string>

#include "core/base/prng.h"

namespace sy::store {

class FaultyFiles final : public rocksdb::FileSystemWrapper {
  public:
    using rocksdb::FileSystemWrapper::FileSystemWrapper;

    const char* Name() const override { return "sy.faulty"; }

    enum class Fault : uint8_t { none, full, append, torn, sync };
    void set_fault(Fault fault) {
        const std::lock_guard lock(mutex_);
        fault_ = fault;
    }

    void lose_power(Prng& prng) {
        const std::lock_guard lock(mutex_);
        for (const auto& [name, length] : lengths_) {
            std::error_code gone;
            if (std::filesystem::exists(name, gone) && length.written > length.synced) {
                lose(name, length, length.synced + prng.below(length.written - length.synced + 1));
            }
        }
        lengths_.clear();
    }

    rocksdb::IOStatus NewWritableFile(const std::string& name,
                                      const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* out,
                                      rocksdb::IODebugContext* context) override {
        auto status = target()->NewWritableFile(name, options, out, context);
        if (status.ok()) {
            *out = std::make_unique<File>(std::move(*out), *this, name);
            const std::lock_guard lock(mutex_);
            lengths_[name] = {};
        }
        return status;
    }

    rocksdb::IOStatus ReuseWritableFile(const std::string& name,
                                        const std::string& old_name,
                                        const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSWritableFile>* out,
                                        rocksdb::IODebugContext* context) override {
        std::string before = octets_of(old_name);
        auto status = target()->ReuseWritableFile(name, old_name, options, out, context);
        if (status.ok()) {
            *out = std::make_unique<File>(std::move(*out), *this, name);
            const std::lock_guard lock(mutex_);
            lengths_.erase(old_name);
            lengths_[name] = {.before = std::move(before)};
            ++reused_;
        }
        return status;
    }

    /// Files that were written over from their beginning.
    uint64_t reused() {
        const std::lock_guard lock(mutex_);
        return reused_;
    }

    rocksdb::IOStatus RenameFile(const std::string& from,
                                 const std::string& to,
                                 const rocksdb::IOOptions& options,
                                 rocksdb::IODebugContext* context) override {
        const std::lock_guard lock(mutex_);
        if (const auto at = lengths_.find(from); at != lengths_.end()) {
            lengths_[to] = at->second;
            lengths_.erase(from);
        }
        return target()->RenameFile(from, to, options, context);
    }

  private:
    struct Length {
        uint64_t written = 0;
        uint64_t synced = 0;
        std::string before;  // what stood in the file that is written over
    };

    static std::string octets_of(const std::string& name) {
        std::ifstream file(name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    // What was written after `kept` is not there: the file ends, or has what it had before.
    static void lose(const std::string& name, const Length& length, uint64_t kept) {
        if (length.before.size() <= kept) {
            std::filesystem::resize_file(name, kept);
            return;
        }
        std::fstream file(name, std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(static_cast<std::streamoff>(kept));
        file << std::string_view(length.before).substr(kept);
        file.close();
        std::filesystem::resize_file(name, length.before.size());
    }

    class File final : public rocksdb::FSWritableFileOwnerWrapper {
      public:
        File(std::unique_ptr<rocksdb::FSWritableFile>&& file, FaultyFiles& files, std::string name)
            : FSWritableFileOwnerWrapper(std::move(file)), files_(files), name_(std::move(name)) {}

        rocksdb::IOStatus Append(const rocksdb::Slice& data,
                                 const rocksdb::IOOptions& options,
                                 rocksdb::IODebugContext* context) override {
            const Fault fault = files_.fault();
            if (fault == Fault::full) {
                return rocksdb::IOStatus::NoSpace("no space left on the device");
            }
            if (fault == Fault::append) {
                return rocksdb::IOStatus::IOError("the disk does not answer");
            }
            const size_t octets = fault == Fault::torn ? data.size() / 2 : data.size();
            const auto status = target()->Append({data.data(), octets}, options, context);
            files_.wrote(name_, octets);
            return fault == Fault::torn ? rocksdb::IOStatus::IOError("written in part") : status;
        }
        rocksdb::IOStatus Append(const rocksdb::Slice& data,
                                 const rocksdb::IOOptions& options,
                                 const rocksdb::DataVerificationInfo& /*checked*/,
                                 rocksdb::IODebugContext* context) override {
            return Append(data, options, context);
        }
        rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* context) override {
            return synced(target()->Sync(options, context));
        }
        rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                                rocksdb::IODebugContext* context) override {
            return synced(target()->Fsync(options, context));
        }

      private:
        rocksdb::IOStatus synced(rocksdb::IOStatus status) {
            if (files_.fault() == Fault::sync) {
                return rocksdb::IOStatus::IOError("not synced");
            }
            if (status.ok()) {
                files_.synced(name_);
            }
            return status;
        }

        FaultyFiles& files_;
        std::string name_;
    };

    Fault fault() {
        const std::lock_guard lock(mutex_);
        return fault_;
    }
    void wrote(const std::string& name, uint64_t octets) {
        const std::lock_guard lock(mutex_);
        lengths_[name].written += octets;
    }
    void synced(const std::string& name) {
        const std::lock_guard lock(mutex_);
        lengths_[name].synced = lengths_[name].written;
    }

    std::mutex mutex_;
    uint64_t reused_ = 0;
    Fault fault_ = Fault::none;
    std::map<std::string, Length> lengths_;
};

}  // namespace sy::store
