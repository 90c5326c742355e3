// The file that records go to: whole lines, one buffer a write(2), a new file by size, by time and
// on demand, and nothing lost while the disk fails for as long as the buffer lasts. Used by the
// record thread alone (open() by the control thread, before it starts).
//
// The file under way is `records.EXTENSION`. A complete one is renamed to
// `records-20261126T051201Z-000001.EXTENSION` (UTC of its end, a number); no file that exists is
// ever written over.
//
// Invariants: I1 `held_` is whole lines. I2 The file ends with a line feed, but for the time in
// which `carry_` has the rest of its last line; that is written before anything else.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "core/base/result.h"
#include "core/base/time.h"
#include "core/config/config.h"
#include "io/record/notes.h"

namespace sy::record {

/// The system calls that a disk can fail: for tests that make it fail.
struct FileCalls {
    ssize_t (*write)(int, const void*, size_t);
    int (*truncate)(int, off_t);
    int (*sync)(int);

    [[nodiscard]] static FileCalls of_system();
};

/// Written by the record thread, read by any. Relaxed: statistics.
struct FileCounters {
    std::atomic<uint64_t> octets{0};
    std::atomic<uint64_t> errors{0};       // system calls that failed
    std::atomic<uint64_t> held_octets{0};  // lines that are not in a file yet, now
    std::atomic<uint64_t> files{0};        // that were completed
    std::atomic<uint64_t> failing{0};      // 1 from a call that failed until all is written again
};

struct FileOptions {
    std::string directory;
    std::string extension;  // "jsonl", "csv"
    std::string header;     // first line of each file; may be empty
    uint64_t rotate_bytes = 0;
    Nanos rotate_ns = 0;
    config::RecordSync sync = config::RecordSync::rotate;
    Nanos sync_ns = 0;
    uint64_t hold_bytes = 64 << 20;
};

class RecordFile {
  public:
    /// Makes the folder if it is missing, goes on with a file that an earlier process left there.
    /// What it left of an unfinished line is cut off.
    [[nodiscard]] static Result<RecordFile> open(FileOptions options,
                                                 Nanos wall_ns,
                                                 FileCounters& counters,
                                                 Notes& notes,
                                                 FileCalls calls = FileCalls::of_system());
    RecordFile(RecordFile&& other) noexcept;
    RecordFile& operator=(RecordFile&&) = delete;
    ~RecordFile();

    /// Whole lines to be written; false when there is no room to hold them.
    [[nodiscard]] bool append(std::string_view lines);
    /// Held and not written, octets.
    [[nodiscard]] size_t held() const { return held_.size() - at_ + carry_.size(); }
    /// Writes what is held, opens a new file where one is due, syncs by its policy. While the disk
    /// fails it is tried once a second; `force`: now.
    void write_out(const Now& now, bool force = false);
    /// A new file: the old one is renamed, unless somebody else has done that already (logrotate).
    void reopen(const Now& now);
    /// Writes, syncs, closes; what cannot be written is gone. Returns how many lines that are.
    [[nodiscard]] uint64_t close(const Now& now);

  private:
    RecordFile(FileOptions options, FileCounters& counters, Notes& notes, FileCalls calls);

    [[nodiscard]] std::string path() const;
    [[nodiscard]] Result<void> open_file(Nanos wall_ns);
    [[nodiscard]] Result<void> cut_unfinished_line();
    [[nodiscard]] bool ensure_open(Nanos wall_ns);
    [[nodiscard]] bool may_rename(Nanos wall_ns) const;
    [[nodiscard]] bool write_held(Nanos wall_ns);
    [[nodiscard]] bool write_carry();
    [[nodiscard]] bool write_header();
    [[nodiscard]] size_t write_lines(std::string_view lines);
    [[nodiscard]] size_t chunk_bytes(uint64_t room) const;
    [[nodiscard]] bool rotation_due(Nanos wall_ns) const;
    [[nodiscard]] bool rotate(Nanos wall_ns);
    [[nodiscard]] bool rename_complete(Nanos wall_ns);
    [[nodiscard]] bool sync_file();
    [[nodiscard]] bool fail_with(std::string_view what, int error_number);
    void close_file();
    void recovered(Nanos mono_ns);

    FileOptions options_;
    FileCounters& counters_;
    Notes& notes_;
    FileCalls calls_;
    int fd_ = -1;
    uint64_t size_ = 0;    // of whole lines in the file
    uint64_t period_ = 0;  // in which its first line was written; by rotate_ns
    uint32_t sequence_ = 0;
    std::string held_;
    size_t at_ = 0;      // what stands before it is written
    std::string carry_;  // I2
    bool unsynced_ = false;
    bool reopen_wanted_ = false;
    Nanos synced_mono_ns_ = 0;
    Nanos rename_failed_wall_ns_ = 0;
    bool failing_ = false;
    Nanos failing_since_ns_ = 0;
    Nanos retry_ns_ = 0;
    std::string failure_;
};

}  // namespace sy::record
