#include "io/record/writer.h"

#include <chrono>
#include <pthread.h>
#include <utility>

#include <fmt/format.h>

#include "core/base/assert.h"
#include "io/record/csv.h"
#include "io/record/json.h"
#include "io/record/words.h"

namespace sy::record {
namespace {

// Of one ring in turn, so that none waits for another that is full.
constexpr uint32_t records_a_turn = 512;
// A buffer this large is written even while more comes; a smaller one when the rings are empty.
constexpr size_t write_at_octets = 256 * 1024;
// A ring of 16 MiB takes some 60,000 records: 12 million a second until it is looked at again.
constexpr auto idle_sleep = std::chrono::milliseconds(5);
constexpr Nanos kafka_patience_ns = 10 * second_ns;

bool is_csv(const config::Records& records) {
    return records.format == config::RecordFormat::csv;
}

FileOptions file_options(const config::Records& records) {
    FileOptions options;
    options.directory = records.path;
    options.extension = is_csv(records) ? "csv" : "jsonl";
    options.header = is_csv(records) ? csv_header() : "";
    options.rotate_bytes = records.rotate_bytes;
    options.rotate_ns = records.rotate_ns;
    options.sync = records.sync;
    options.sync_ns = records.sync_ns;
    options.hold_bytes = records.hold_bytes;
    return options;
}

}  // namespace

Writer::Writer(engine::Hub& hub, const config::Records& records, Names names, Clock clock)
    : hub_(hub),
      records_(records),
      clock_(clock),
      names_(std::make_shared<const Names>(std::move(names))) {}

Result<std::unique_ptr<Writer>> Writer::create(engine::Hub& hub,
                                               const config::Records& records,
                                               Names names,
                                               Clock clock) {
    SY_ASSERT(records.on() && hub.records(WorkerId{0}) != nullptr);
    std::unique_ptr<Writer> writer(new Writer(hub, records, std::move(names), clock));
    if (!records.path.empty()) {
        auto file = RecordFile::open(file_options(records), clock().wall_ns, writer->file_counters_,
                                     writer->notes_);
        if (!file) {
            return fail("[records] path: " + file.error().text);
        }
        writer->file_.emplace(*std::move(file));
    }
    if (!records.kafka.empty()) {
        auto kafka = Kafka::open(records, writer->kafka_counters_, writer->notes_);
        if (!kafka) {
            return std::unexpected(std::move(kafka).error());
        }
        writer->kafka_ = *std::move(kafka);
    }
    return writer;
}

Writer::~Writer() {
    stop();
}

void Writer::start() {
    thread_ = std::thread([this] { run(); });
}

void Writer::stop() {
    if (!thread_.joinable()) {
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void Writer::put_names(Names names) {
    const std::lock_guard lock(mutex_);
    new_names_ = std::make_shared<const Names>(std::move(names));
}

void Writer::reopen() {
    // Relaxed: the flag is all that is told.
    reopen_wanted_.store(true, std::memory_order_relaxed);
}

// ---------------------------------------------------------------- the record thread

void Writer::run() {
    pthread_setname_np(pthread_self(), "sy-records");
    for (bool stopping = false; !stopping;) {
        bool idle = false;
        turn(idle);
        if (idle) {
            std::unique_lock lock(mutex_);
            stopping = wake_.wait_for(lock, idle_sleep, [this] { return stopping_; });
        }
    }
    finish();
}

void Writer::write_waiting() {
    for (bool idle = false; !idle;) {
        turn(idle);
    }
}

void Writer::turn(bool& idle) {
    uint32_t taken = 0;
    for (uint8_t w = 0; w < hub_.workers(); ++w) {
        taken += take_from(*hub_.records(WorkerId{w}));
    }
    add_lines();
    const Now now = clock_();
    add_lost(now.wall_ns);
    if (file_) {
        if (reopen_wanted_.exchange(false, std::memory_order_relaxed)) {
            file_->reopen(now);
        }
        if (taken == 0 || file_->held() >= write_at_octets) {
            file_->write_out(now);
        }
    }
    if (kafka_ != nullptr) {
        kafka_->poll();
    }
    idle = taken == 0;
}

uint32_t Writer::take_from(queue::ByteRing& ring) {
    uint32_t taken = 0;
    for (; taken < records_a_turn; ++taken) {
        const Octets entry = ring.front();
        if (entry.empty()) {
            break;
        }
        if (taken == 0) {
            // After the entry was seen: its names were put before the snapshot that brought them.
            renew_names();
        }
        add(entry);
        ring.pop();
    }
    return taken;
}

void Writer::renew_names() {
    const std::lock_guard lock(mutex_);
    if (new_names_ != nullptr) {
        names_ = std::exchange(new_names_, nullptr);
    }
}

void Writer::add(Octets entry) {
    engine::Record record;
    engine::RecordStorage storage;
    if (!engine::decode_record(entry, storage, record)) {
        SY_COUNT_BUG("a record that cannot be read");
        return;
    }
    const size_t begin = lines_.size();
    if (file_) {
        is_csv(records_) ? put_csv(lines_, record, *names_) : put_json(lines_, record, *names_);
        ++lines_of_[static_cast<size_t>(record.kind)];
    }
    if (kafka_ != nullptr) {
        key_.clear();
        if (record.id != 0) {
            put_id(key_, record);
        }
        std::string_view line = std::string_view(lines_).substr(begin);
        if (!file_ || is_csv(records_)) {
            message_.clear();
            put_json(message_, record, *names_);
            line = message_;
        }
        line.remove_suffix(1);  // its line feed
        kafka_->send(key_, line);
    }
    if (lines_.size() >= write_at_octets / 4) {
        add_lines();
    }
}

// What was formatted goes to the file's buffer, or is counted as lost.
void Writer::add_lines() {
    if (lines_.empty()) {
        return;
    }
    const bool taken = file_->append(lines_);
    for (size_t kind = 0; kind < lines_of_.size(); ++kind) {
        if (taken) {
            written_[kind].fetch_add(lines_of_[kind], std::memory_order_relaxed);
        } else {
            dropped_ += lines_of_[kind];
        }
        lines_of_[kind] = 0;
    }
    dropped_shown_.store(dropped_, std::memory_order_relaxed);
    lines_.clear();
}

uint64_t Writer::lost_in_rings() const {
    uint64_t lost = 0;
    for (uint8_t w = 0; w < hub_.workers(); ++w) {
        lost += hub_.counters(WorkerId{w}).records_lost.get();
    }
    return lost;
}

// The file itself says how many records are missing in it, and so does the topic.
void Writer::add_lost(Nanos wall_ns) {
    const uint64_t in_rings = lost_in_rings();
    if (file_ && in_rings + dropped_ > told_file_) {
        std::string line;
        const uint64_t count = in_rings + dropped_ - told_file_;
        is_csv(records_) ? put_csv_lost(line, count, wall_ns) : put_json_lost(line, count, wall_ns);
        if (file_->append(line)) {
            told_file_ += count;
        }
    }
    if (kafka_ != nullptr && in_rings > told_kafka_) {
        message_.clear();
        put_json_lost(message_, in_rings - told_kafka_, wall_ns);
        message_.pop_back();
        kafka_->send({}, message_);
        told_kafka_ = in_rings;
    }
}

// No worker runs any more: the rings only get emptier.
void Writer::finish() {
    for (bool idle = false; !idle;) {
        turn(idle);
    }
    if (file_) {
        if (const uint64_t lines = file_->close(clock_()); lines > 0) {
            notes_.add(fmt::format("records: {} lines could not be written and are lost", lines));
        }
    }
    if (kafka_ != nullptr) {
        if (const uint64_t messages = kafka_->close(kafka_patience_ns); messages > 0) {
            notes_.add(fmt::format("records: {} messages did not reach Kafka in time and are lost",
                                   messages));
        }
    }
}

std::vector<Sample> Writer::samples() const {
    std::vector<Sample> out;
    const auto add_one = [&](std::string_view name, std::string_view help,
                             const std::atomic<uint64_t>& value, std::string_view kind = {}) {
        out.push_back({name, help, kind, value.load(std::memory_order_relaxed)});
    };
    if (file_) {
        for (uint8_t kind = 0; kind < engine::record_kinds; ++kind) {
            add_one("records_written", "records handed to the file", written_[kind],
                    kind_word(static_cast<engine::RecordKind>(kind)));
        }
        add_one("records_octets", "octets of records written to files", file_counters_.octets);
        add_one("records_files", "record files completed", file_counters_.files);
        add_one("records_write_errors", "system calls for record files that failed",
                file_counters_.errors);
        add_one("records_failing", "1 while records cannot be written now", file_counters_.failing);
        add_one("records_dropped", "records lost because the disk failed and no room was left",
                dropped_shown_);
        add_one("records_held_octets", "octets of records that are not in a file yet now",
                file_counters_.held_octets);
    }
    if (kafka_ != nullptr) {
        add_one("records_kafka_sent", "records that a Kafka broker has", kafka_counters_.sent);
        add_one("records_kafka_failed", "records that were given up on their way to Kafka",
                kafka_counters_.failed);
        add_one("records_kafka_queued", "records on their way to Kafka now",
                kafka_counters_.queued);
    }
    return out;
}

}  // namespace sy::record
