#include "io/store/journal_files.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "core/store/journal.h"

namespace sy::store {
namespace {

constexpr std::string_view name_begin = "journal-";
constexpr std::string_view spare_name = "journal-spare";

Error error_of(const std::string& path, const rocksdb::Status& status) {
    return {"store " + path + ": " + status.ToString()};
}

}  // namespace

std::string JournalFiles::path_of(uint64_t number) const {
    return fmt::format("{}/{}{:012}", folder_, name_begin, number);
}

std::string JournalFiles::spare_path() const {
    return fmt::format("{}/{}", folder_, spare_name);
}

// 0 where it cannot be had: only what is told of sizes.
uint64_t JournalFiles::octets_of(const std::string& path) const {
    uint64_t octets = 0;
    return env_.GetFileSize(path, &octets).ok() ? octets : 0;
}

Result<std::vector<uint64_t>> JournalFiles::open() {
    std::vector<std::string> names;
    if (const auto status = env_.GetChildren(folder_, &names); !status.ok()) {
        return std::unexpected(error_of(folder_, status));
    }
    std::vector<uint64_t> out;
    uint64_t size = 0;
    for (const std::string& name : names) {
        if (!name.starts_with(name_begin)) {
            continue;
        }
        uint64_t number = 0;
        const char* end = name.data() + name.size();
        const bool is_numbered =
            std::from_chars(name.data() + name_begin.size(), end, number).ptr == end;
        has_spare_ = has_spare_ || name == spare_name;
        if (is_numbered) {
            out.push_back(number);
        }
        size += is_numbered || name == spare_name ? octets_of(folder_ + "/" + name) : 0;
    }
    std::ranges::sort(out);
    size_.store(size, std::memory_order_relaxed);
    if (out.empty() && has_spare_) {
        // Who took the others away begins at number 1 again, which it may hold frames of.
        has_spare_ = false;
        SY_TRY(remove(spare_path()));
    }
    return out;
}

Result<std::string> JournalFiles::read(uint64_t number) const {
    std::string octets;
    if (const auto status = rocksdb::ReadFileToString(&env_, path_of(number), &octets);
        !status.ok()) {
        return std::unexpected(error_of(path_of(number), status));
    }
    return octets;
}

Result<void> JournalFiles::remove(const std::string& path) {
    const uint64_t octets = octets_of(path);
    if (const auto status = env_.DeleteFile(path); !status.ok()) {
        return std::unexpected(error_of(path, status));
    }
    size_.fetch_sub(std::min(octets, size_bytes()), std::memory_order_relaxed);
    return {};
}

// A power loss may bring it back under its number as long as no other was begun: to read it again
// then, before those that came after it, changes nothing.
Result<void> JournalFiles::retire(uint64_t number) {
    const std::string path = path_of(number);
    if (has_spare_) {
        return remove(path);
    }
    if (const auto status = env_.RenameFile(path, spare_path()); !status.ok()) {
        return std::unexpected(error_of(path, status));
    }
    has_spare_ = true;
    return {};
}

Result<void> JournalFiles::begin(uint64_t number) {
    SY_TRY(sync());
    const std::string path = path_of(number);
    file_.reset();
    file_octets_ = has_spare_ ? octets_of(spare_path()) : 0;
    const auto made =
        has_spare_ ? env_.ReuseWritableFile(path, spare_path(), &file_, rocksdb::EnvOptions())
                   : env_.NewWritableFile(path, &file_, rocksdb::EnvOptions());
    has_spare_ = false;  // of one that cannot be had the next try makes another
    if (!made.ok()) {
        return std::unexpected(error_of(path, made));
    }
    octets_ = 0;
    SY_TRY(append(journal_magic));
    SY_TRY(sync());
    // That the file is there, by that name, is the folder's to say.
    std::unique_ptr<rocksdb::Directory> folder;
    auto status = env_.NewDirectory(folder_, &folder);
    if (status.ok()) {
        status = folder->Fsync();
    }
    if (!status.ok()) {
        return std::unexpected(error_of(folder_, status));
    }
    return {};
}

Result<void> JournalFiles::append(std::string_view frame) {
    is_synced_ = false;
    if (const auto status = file_->Append({frame.data(), frame.size()}); !status.ok()) {
        return std::unexpected(error_of(folder_, status));
    }
    octets_ += frame.size();
    if (octets_ > file_octets_) {
        size_.fetch_add(octets_ - file_octets_, std::memory_order_relaxed);
        file_octets_ = octets_;
    }
    return {};
}

Result<void> JournalFiles::sync() {
    if (is_synced_) {
        return {};
    }
    if (const auto status = file_->Sync(); !status.ok()) {
        return std::unexpected(error_of(folder_, status));
    }
    is_synced_ = true;
    return {};
}

}  // namespace sy::store
