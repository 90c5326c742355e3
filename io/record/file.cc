#include "io/record/file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "io/record/words.h"

namespace sy::record {
namespace {

constexpr size_t write_bytes_max = 1 << 20;
constexpr Nanos retry_after_ns = second_ns;
// A rename that fails is a matter of the folder: the file just grows meanwhile.
constexpr Nanos rename_again_ns = 60 * second_ns;
constexpr uint32_t sequence_tries = 100'000;

std::string reason(int error_number) {
    return std::generic_category().message(error_number);
}

// False where something has the name already (EEXIST), or it cannot be done.
bool rename_to_new(const std::string& from, const std::string& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
        return true;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return false;
    }
    // A file system that cannot promise it: a link, too, is made only where nothing has the name.
    return ::link(from.c_str(), to.c_str()) == 0 && ::unlink(from.c_str()) == 0;
}

uint64_t count_lines(std::string_view text) {
    return static_cast<uint64_t>(std::ranges::count(text, '\n'));
}

}  // namespace

FileCalls FileCalls::of_system() {
    return {::write, ::ftruncate, ::fdatasync};
}

RecordFile::RecordFile(FileOptions options, FileCounters& counters, Notes& notes, FileCalls calls)
    : options_(std::move(options)), counters_(counters), notes_(notes), calls_(calls) {}

RecordFile::RecordFile(RecordFile&& other) noexcept
    : options_(std::move(other.options_)),
      counters_(other.counters_),
      notes_(other.notes_),
      calls_(other.calls_),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      period_(other.period_) {}

RecordFile::~RecordFile() {
    close_file();
}

std::string RecordFile::path() const {
    return fmt::format("{}/records.{}", options_.directory, options_.extension);
}

Result<RecordFile> RecordFile::open(
    FileOptions options, Nanos wall_ns, FileCounters& counters, Notes& notes, FileCalls calls) {
    RecordFile file(std::move(options), counters, notes, calls);
    SY_TRY(file.open_file(wall_ns));
    return file;
}

Result<void> RecordFile::open_file(Nanos wall_ns) {
    std::error_code error;
    std::filesystem::create_directories(options_.directory, error);
    if (error) {
        return fail(
            fmt::format("cannot make the folder {}: {}", options_.directory, error.message()));
    }
    fd_ = ::open(path().c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd_ < 0) {
        return fail(fmt::format("cannot open {}: {}", path(), reason(errno)));
    }
    struct stat status{};
    if (::fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) {
        close_file();
        return fail(fmt::format("{} is no regular file", path()));
    }
    size_ = static_cast<uint64_t>(status.st_size);
    const Nanos begun_ns =
        size_ > 0 ? static_cast<Nanos>(status.st_mtim.tv_sec) * second_ns : wall_ns;
    period_ = options_.rotate_ns == 0 ? 0 : begun_ns / options_.rotate_ns;
    if (auto cut = cut_unfinished_line(); !cut) {
        close_file();
        return cut;
    }
    return {};
}

// A process that was killed may have left half a line: nobody can read it, and the next line would
// be lost with it.
Result<void> RecordFile::cut_unfinished_line() {
    const uint64_t before = size_;
    std::array<char, 4096> block;
    while (size_ > 0) {
        const size_t bytes = std::min<uint64_t>(block.size(), size_);
        const ssize_t got = ::pread(fd_, block.data(), bytes, static_cast<off_t>(size_ - bytes));
        if (got != static_cast<ssize_t>(bytes)) {
            return fail(fmt::format("cannot read {}: {}", path(), reason(errno)));
        }
        const size_t line_end = std::string_view(block.data(), bytes).rfind('\n');
        if (line_end != std::string_view::npos) {
            size_ -= bytes - line_end - 1;
            break;
        }
        size_ -= bytes;
    }
    if (size_ == before) {
        return {};
    }
    if (calls_.truncate(fd_, static_cast<off_t>(size_)) != 0) {
        return fail(fmt::format("cannot cut the unfinished line at the end of {}: {}", path(),
                                reason(errno)));
    }
    notes_.add(
        fmt::format("records: cut {} octets of an unfinished line off {}", before - size_, path()));
    return {};
}

bool RecordFile::append(std::string_view lines) {
    if (held() + lines.size() > options_.hold_bytes) {
        return false;
    }
    if (at_ > held_.size() / 2) {
        held_.erase(0, at_);
        at_ = 0;
    }
    held_ += lines;
    return true;
}

void RecordFile::write_out(const Now& now, bool force) {
    counters_.held_octets.store(held(), std::memory_order_relaxed);
    if (failing_ && !force && now.mono_ns < retry_ns_) {
        return;
    }
    bool good = true;
    if (reopen_wanted_ && carry_.empty()) {
        reopen_wanted_ = false;
        good = rotate(now.wall_ns);
    } else if (rotation_due(now.wall_ns)) {
        good = rotate(now.wall_ns);
    }
    good = good && write_held(now.wall_ns);
    const bool sync_due = options_.sync == config::RecordSync::interval && unsynced_ &&
                          now.mono_ns - synced_mono_ns_ >= options_.sync_ns;
    if (good && sync_due) {
        synced_mono_ns_ = now.mono_ns;
        good = sync_file();
    }
    counters_.held_octets.store(held(), std::memory_order_relaxed);
    if (good) {
        recovered(now.mono_ns);
        return;
    }
    retry_ns_ = now.mono_ns + retry_after_ns;
    if (!failing_) {
        failing_ = true;
        counters_.failing.store(1, std::memory_order_relaxed);
        failing_since_ns_ = now.mono_ns;
        notes_.add(fmt::format("records cannot be written, they are held in memory: {}", failure_));
    }
}

void RecordFile::recovered(Nanos mono_ns) {
    if (failing_) {
        failing_ = false;
        counters_.failing.store(0, std::memory_order_relaxed);
        notes_.add(fmt::format("records are written again, after {} s",
                               (mono_ns - failing_since_ns_) / second_ns));
    }
}

bool RecordFile::ensure_open(Nanos wall_ns) {
    if (fd_ >= 0) {
        return true;
    }
    if (auto opened = open_file(wall_ns); !opened) {
        counters_.errors.fetch_add(1, std::memory_order_relaxed);
        failure_ = opened.error().text;
        return false;
    }
    return true;
}

bool RecordFile::may_rename(Nanos wall_ns) const {
    return rename_failed_wall_ns_ == 0 || wall_ns - rename_failed_wall_ns_ >= rename_again_ns;
}

bool RecordFile::write_held(Nanos wall_ns) {
    if (!ensure_open(wall_ns)) {
        return false;
    }
    while (at_ < held_.size() || !carry_.empty()) {
        if (!ensure_open(wall_ns) || !write_carry() || (size_ == 0 && !write_header())) {
            return false;
        }
        if (size_ == options_.header.size() && options_.rotate_ns != 0) {
            period_ = wall_ns / options_.rotate_ns;
        }
        const bool bounded = options_.rotate_bytes != 0 && may_rename(wall_ns);
        const uint64_t room = !bounded                        ? UINT64_MAX
                              : options_.rotate_bytes > size_ ? options_.rotate_bytes - size_
                                                              : 0;
        const size_t bytes = chunk_bytes(room);
        if (bytes == 0 && at_ < held_.size()) {
            if (!rotate(wall_ns)) {
                return false;
            }
            continue;
        }
        const size_t written = write_lines(std::string_view(held_).substr(at_, bytes));
        at_ += written;
        if (written < bytes) {
            return false;
        }
    }
    held_.clear();
    at_ = 0;
    return true;
}

// Whole lines for one write; 0: they belong into a new file. One line alone always fits.
size_t RecordFile::chunk_bytes(uint64_t room) const {
    const std::string_view rest = std::string_view(held_).substr(at_);
    const size_t limit = std::min<uint64_t>({room, write_bytes_max, rest.size()});
    const size_t line_end = limit == 0 ? std::string_view::npos : rest.rfind('\n', limit - 1);
    if (line_end != std::string_view::npos) {
        return line_end + 1;
    }
    const bool empty = size_ == options_.header.size();
    return (empty || room >= write_bytes_max) && !rest.empty() ? rest.find('\n') + 1 : 0;
}

// Returns how many octets of whole lines are in the file, or sure to come there (carry_).
size_t RecordFile::write_lines(std::string_view lines) {
    size_t written = 0;
    while (written < lines.size()) {
        const ssize_t got = calls_.write(fd_, lines.data() + written, lines.size() - written);
        if (got > 0) {
            written += static_cast<size_t>(got);
            unsynced_ = true;
        } else if (got == 0 || errno != EINTR) {
            (void)fail_with("write", got == 0 ? EIO : errno);
            break;
        }
    }
    const size_t line_end = written == 0 ? std::string_view::npos : lines.rfind('\n', written - 1);
    size_t whole = line_end == std::string_view::npos ? 0 : line_end + 1;
    if (whole < written && calls_.truncate(fd_, static_cast<off_t>(size_ + whole)) != 0) {
        (void)fail_with("ftruncate", errno);
        const size_t next_end = lines.find('\n', written) + 1;
        carry_ = lines.substr(written, next_end - written);
        whole = next_end;
    }
    size_ += whole;
    counters_.octets.fetch_add(whole, std::memory_order_relaxed);
    return whole;
}

bool RecordFile::write_carry() {
    while (!carry_.empty()) {
        const ssize_t got = calls_.write(fd_, carry_.data(), carry_.size());
        if (got > 0) {
            carry_.erase(0, static_cast<size_t>(got));
        } else if (got == 0 || errno != EINTR) {
            return fail_with("write", got == 0 ? EIO : errno);
        }
    }
    return true;
}

bool RecordFile::write_header() {
    if (options_.header.empty()) {
        return true;
    }
    const size_t written = write_lines(options_.header);
    return written == options_.header.size() && carry_.empty();
}

bool RecordFile::rotation_due(Nanos wall_ns) const {
    return options_.rotate_ns != 0 && fd_ >= 0 && carry_.empty() &&
           size_ > options_.header.size() && wall_ns / options_.rotate_ns != period_ &&
           may_rename(wall_ns);
}

void RecordFile::reopen(const Now& now) {
    write_out(now, true);  // what is held belongs into the old one
    reopen_wanted_ = true;
    write_out(now, true);
}

// The file under way is complete: it gets its lasting name, the next one is opened by need.
bool RecordFile::rotate(Nanos wall_ns) {
    if (fd_ < 0) {
        return true;
    }
    if (options_.sync != config::RecordSync::none && unsynced_ && !sync_file()) {
        return false;
    }
    struct stat ours{};
    struct stat named{};
    const bool still_named = ::fstat(fd_, &ours) == 0 && ::stat(path().c_str(), &named) == 0 &&
                             ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
    if (still_named && size_ <= options_.header.size()) {
        return true;  // it has no record yet
    }
    if (still_named && !rename_complete(wall_ns)) {
        // Lines go on into the file that is there: better one that is too large than none.
        rename_failed_wall_ns_ = wall_ns;
        return true;
    }
    rename_failed_wall_ns_ = 0;
    close_file();
    counters_.files.fetch_add(1, std::memory_order_relaxed);
    return true;
}

bool RecordFile::rename_complete(Nanos wall_ns) {
    std::string stamp;
    put_file_time(stamp, wall_ns);
    for (uint32_t i = 0; i < sequence_tries; ++i) {
        const std::string to = fmt::format("{}/records-{}-{:06}.{}", options_.directory, stamp,
                                           ++sequence_, options_.extension);
        if (rename_to_new(path(), to)) {
            return true;
        }
        if (errno == ENOENT) {
            return true;  // somebody else has renamed it since we looked
        }
        if (errno != EEXIST) {
            break;
        }
    }
    const int error_number = errno;
    counters_.errors.fetch_add(1, std::memory_order_relaxed);
    notes_.add(fmt::format("records: {} cannot be renamed, it grows on: {}", path(),
                           reason(error_number)));
    return false;
}

bool RecordFile::sync_file() {
    if (calls_.sync(fd_) != 0) {
        return fail_with("fdatasync", errno);
    }
    unsynced_ = false;
    return true;
}

bool RecordFile::fail_with(std::string_view what, int error_number) {
    counters_.errors.fetch_add(1, std::memory_order_relaxed);
    failure_ = fmt::format("{} of {}: {}", what, path(), reason(error_number));
    return false;
}

void RecordFile::close_file() {
    if (fd_ >= 0) {
        ::close(fd_);
        fd_ = -1;
    }
    size_ = 0;
    unsynced_ = false;
}

uint64_t RecordFile::close(const Now& now) {
    write_out(now, true);
    if (fd_ >= 0 && unsynced_ && !sync_file()) {
        notes_.add(fmt::format("records may not be on the disk: {}", failure_));
    }
    close_file();
    const uint64_t lost = count_lines(std::string_view(held_).substr(at_)) + count_lines(carry_);
    held_.clear();
    at_ = 0;
    carry_.clear();
    return lost;
}

}  // namespace sy::record
