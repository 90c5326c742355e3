// The record thread: takes what the workers hand over (engine/record.h) off their rings, writes it
// as lines to a file, sends it to Kafka. One for all workers; they never wait for it: a ring that
// it did not empty in time loses records, which are counted and said in a line "lost".
//
// Threads: create(), start(), stop(), put_names() and reopen() by the control thread; take_notes(),
// samples() and failing() by any.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/result.h"
#include "core/base/time.h"
#include "core/config/config.h"
#include "core/engine/hub.h"
#include "core/engine/record.h"
#include "io/record/file.h"
#include "io/record/kafka.h"
#include "io/record/names.h"
#include "io/record/notes.h"

namespace sy::record {

/// One number for the metrics page; `kind` is empty where there is one alone.
struct Sample {
    std::string_view name;
    std::string_view help;
    std::string_view kind;
    uint64_t value = 0;
};

class Writer {
  public:
    using Clock = Now (*)();

    /// Opens the file and the producer; nothing runs yet. REQUIRES: `records.on()`, a hub with
    /// rings for records, which outlives this.
    [[nodiscard]] static Result<std::unique_ptr<Writer>> create(engine::Hub& hub,
                                                                const config::Records& records,
                                                                Names names,
                                                                Clock clock);
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// Before start(): what stands in the rings is in the file when it returns, where that can be
    /// written.
    void write_waiting();
    void start();
    /// REQUIRES: no worker runs any more. Everything is taken off the rings, written and synced.
    void stop();
    /// Before a snapshot is published that has new names.
    void put_names(Names names);
    /// SIGUSR1: a new file.
    void reopen();

    [[nodiscard]] std::vector<std::string> take_notes() { return notes_.take(); }
    [[nodiscard]] std::vector<Sample> samples() const;
    /// The disk fails now: records are held, or lost where no room is left. Any thread.
    [[nodiscard]] bool failing() const {
        // Relaxed: a statistic.
        return file_counters_.failing.load(std::memory_order_relaxed) != 0;
    }

  private:
    Writer(engine::Hub& hub, const config::Records& records, Names names, Clock clock);

    void run();
    void turn(bool& idle);
    [[nodiscard]] uint32_t take_from(queue::ByteRing& ring);
    void add(Octets entry);
    void add_lines();
    void add_lost(Nanos wall_ns);
    void finish();
    void renew_names();
    [[nodiscard]] uint64_t lost_in_rings() const;

    engine::Hub& hub_;
    config::Records records_;
    Clock clock_;
    Notes notes_;
    FileCounters file_counters_;
    KafkaCounters kafka_counters_;
    std::optional<RecordFile> file_;
    std::unique_ptr<Kafka> kafka_;
    std::thread thread_;

    // The record thread's own.
    std::shared_ptr<const Names> names_;
    std::string lines_;  // of the records under way, for the file
    std::array<uint32_t, engine::record_kinds> lines_of_{};
    std::string message_;  // for Kafka
    std::string key_;
    uint64_t dropped_ = 0;     // lines for which there was no room
    uint64_t told_file_ = 0;   // of lost and dropped, in lines "lost"
    uint64_t told_kafka_ = 0;  // of lost

    // Shared.
    std::array<std::atomic<uint64_t>, engine::record_kinds> written_{};  // relaxed: statistics
    std::atomic<uint64_t> dropped_shown_{0};                             // likewise
    std::atomic<bool> reopen_wanted_{false};
    std::mutex mutex_;
    std::condition_variable wake_;
    std::shared_ptr<const Names> new_names_;
    bool stopping_ = false;
};

}  // namespace sy::record
