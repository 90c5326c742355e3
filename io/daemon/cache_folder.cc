#include "io/daemon/cache_folder.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace sy::daemon {
namespace {

constexpr std::string_view suffix = ".patterns";
constexpr std::string_view unfinished = ".unfinished";
constexpr time_t unfinished_age_s = 3600;  // of a writer that died

struct File {
    explicit File(int descriptor) : fd(descriptor) {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (fd >= 0) {
            ::close(fd);
        }
    }
    int fd = -1;
};

std::string error_text() {
    return std::generic_category().message(errno);
}

// What another user can write, another user can make up.
bool only_we_write(const struct stat& status) {
    return (status.st_uid == geteuid() || status.st_uid == 0) && (status.st_mode & 0022) == 0;
}

bool read_all(int fd, std::string& content) {
    size_t at = 0;
    while (at < content.size()) {
        const ssize_t got = ::read(fd, content.data() + at, content.size() - at);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return false;
        }
        at += got > 0 ? static_cast<size_t>(got) : 0;
    }
    return true;
}

bool write_all(int fd, std::string_view content) {
    while (!content.empty()) {
        const ssize_t put = ::write(fd, content.data(), content.size());
        if (put < 0 && errno != EINTR) {
            return false;
        }
        content.remove_prefix(put > 0 ? static_cast<size_t>(put) : 0);
    }
    return true;
}

struct Entry {
    std::string file;
    timespec used{};
    uint64_t bytes = 0;

    [[nodiscard]] bool older_than(const Entry& other) const {
        return std::pair(used.tv_sec, used.tv_nsec) <
               std::pair(other.used.tv_sec, other.used.tv_nsec);
    }
};

// Files of the folder that end so.
std::vector<Entry> list(const std::string& path, std::string_view ending) {
    std::vector<Entry> entries;
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()),
                                                     [](DIR* open) { return ::closedir(open); });
    if (folder == nullptr) {
        return entries;
    }
    while (const dirent* one = ::readdir(folder.get())) {
        const std::string_view name = one->d_name;
        struct stat status{};
        if (name.ends_with(ending) &&
            ::fstatat(::dirfd(folder.get()), one->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(status.st_mode)) {
            entries.push_back(
                {std::string(name), status.st_mtim, static_cast<uint64_t>(status.st_size)});
        }
    }
    return entries;
}

}  // namespace

CacheFolder::CacheFolder(std::string path, Access access, uint64_t bytes_max)
    : path_(std::move(path)), access_(access), bytes_max_(bytes_max) {}

std::string CacheFolder::file_of(const std::string& name) const {
    return fmt::format("{}/{}{}", path_, name, suffix);
}

void CacheFolder::complain(std::string text) {
    const std::lock_guard lock(mutex_);
    std::string whole = fmt::format("cache {}: {}", path_, text);
    if (std::ranges::find(complaints_, whole) == complaints_.end()) {
        complaints_.push_back(std::move(whole));
    }
}

std::vector<std::string> CacheFolder::take_complaints() {
    const std::lock_guard lock(mutex_);
    return std::exchange(complaints_, {});
}

bool CacheFolder::folder_is_safe() {
    struct stat status{};
    if (::stat(path_.c_str(), &status) != 0) {
        if (errno != ENOENT) {
            complain(fmt::format("not used: {}", error_text()));
        }
        return false;
    }
    if (!S_ISDIR(status.st_mode) || !only_we_write(status)) {
        complain(
            fmt::format("not used: expected a directory that only user id {} can write "
                        "(chmod 700)",
                        geteuid()));
        return false;
    }
    return true;
}

std::optional<std::string> CacheFolder::load(const std::string& name) {
    if (!folder_is_safe()) {
        return std::nullopt;
    }
    const File file(::open(file_of(name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat status{};
    if (file.fd < 0 || ::fstat(file.fd, &status) != 0) {
        if (errno != ENOENT) {
            complain(fmt::format("{}{} is not used: {}", name, suffix, error_text()));
        }
        return std::nullopt;
    }
    if (!S_ISREG(status.st_mode) || !only_we_write(status) ||
        static_cast<uint64_t>(status.st_size) > bytes_max_) {
        complain(fmt::format("{}{} is not used: expected a file that only user id {} can write",
                             name, suffix, geteuid()));
        return std::nullopt;
    }
    std::string content(static_cast<size_t>(status.st_size), '\0');
    if (!read_all(file.fd, content)) {
        complain(fmt::format("{}{} cannot be read: {}", name, suffix, error_text()));
        return std::nullopt;
    }
    if (access_ == Access::read_write) {
        (void)::futimens(file.fd, nullptr);  // used now; if not, it only looks older than it is
    }
    return content;
}

std::string CacheFolder::newest(const std::string& prefix) {
    if (!folder_is_safe()) {
        return {};
    }
    Entry best;
    for (Entry& entry : list(path_, suffix)) {
        if (entry.file.starts_with(prefix) && (best.file.empty() || best.older_than(entry))) {
            best = std::move(entry);
        }
    }
    return best.file.empty() ? "" : best.file.substr(0, best.file.size() - suffix.size());
}

void CacheFolder::store(const std::string& name, std::string_view octets) {
    if (access_ == Access::read || octets.size() > bytes_max_) {
        return;
    }
    if (::mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST) {
        complain(fmt::format("not written: {}", error_text()));
        return;
    }
    if (!folder_is_safe()) {
        return;
    }
    static std::atomic<uint32_t> counter{0};
    const std::string target = file_of(name);
    // Relaxed: only its being different counts.
    const std::string draft =
        fmt::format("{}.{}.{}{}", target, ::getpid(),
                    counter.fetch_add(1, std::memory_order_relaxed), unfinished);
    bool good = false;
    {
        const File file(
            ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
        good = file.fd >= 0 && write_all(file.fd, octets);
    }
    // No fsync: what a power cut leaves half written, its checksum gives away.
    if (!good || ::rename(draft.c_str(), target.c_str()) != 0) {
        complain(fmt::format("not written: {}", error_text()));
        (void)::unlink(draft.c_str());
        return;
    }
    trim(name + std::string(suffix));
}

// The least recently used go first, never the one that was just written.
void CacheFolder::trim(const std::string& keep) {
    std::vector<Entry> entries = list(path_, suffix);
    std::ranges::sort(entries, [](const Entry& a, const Entry& b) { return a.older_than(b); });
    uint64_t sum = 0;
    for (const Entry& entry : entries) {
        sum += entry.bytes;
    }
    for (const Entry& entry : entries) {
        if (sum <= bytes_max_) {
            break;
        }
        if (entry.file != keep && ::unlink((path_ + "/" + entry.file).c_str()) == 0) {
            sum -= entry.bytes;
        }
    }
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    for (const Entry& entry : list(path_, unfinished)) {
        if (entry.used.tv_sec < now.tv_sec - unfinished_age_s) {
            (void)::unlink((path_ + "/" + entry.file).c_str());
        }
    }
}

void CacheFolder::reject(const std::string& name, const std::string& reason) {
    complain(fmt::format("{}{} is not used and built anew: {}", name, suffix, reason));
    if (access_ == Access::read_write) {
        (void)::unlink(file_of(name).c_str());
    }
}

}  // namespace sy::daemon
