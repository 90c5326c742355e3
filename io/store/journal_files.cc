#include "io/store/journal_files.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "core/store/journal.h"

namespace sy::store {
namespace {

constexpr std::string_view name_begin = "journal-";

Error error_of(const std::string& path, const rocksdb::Status& status) {
    return {"store " + path + ": " + status.ToString()};
}

}  // namespace

std::string JournalFiles::path_of(uint64_t number) const {
    return fmt::format("{}/{}{:012}", folder_, name_begin, number);
}

Result<std::vector<uint64_t>> JournalFiles::list() const {
    std::vector<std::string> names;
    if (const auto status = env_.GetChildren(folder_, &names); !status.ok()) {
        return std::unexpected(error_of(folder_, status));
    }
    std::vector<uint64_t> out;
    for (const std::string& name : names) {
        uint64_t number = 0;
        const char* end = name.data() + name.size();
        if (name.starts_with(name_begin) &&
            std::from_chars(name.data() + name_begin.size(), end, number).ptr == end) {
            out.push_back(number);
        }
    }
    std::ranges::sort(out);
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

Result<void> JournalFiles::remove(uint64_t number) {
    uint64_t octets = 0;
    (void)env_.GetFileSize(path_of(number), &octets).ok();  // 0 then: only what is told of sizes
    if (const auto status = env_.DeleteFile(path_of(number)); !status.ok()) {
        return std::unexpected(error_of(path_of(number), status));
    }
    size_.fetch_sub(std::min(octets, size_bytes()), std::memory_order_relaxed);
    return {};
}

Result<void> JournalFiles::begin(uint64_t number) {
    SY_TRY(sync());
    const std::string path = path_of(number);
    if (const auto status = env_.NewWritableFile(path, &file_, rocksdb::EnvOptions());
        !status.ok()) {
        return std::unexpected(error_of(path, status));
    }
    octets_ = 0;
    SY_TRY(append(journal_magic));
    SY_TRY(sync());
    // That the file is there is the folder's to say.
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
    size_.fetch_add(frame.size(), std::memory_order_relaxed);
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
