// The same JSON lines as messages to a Kafka topic, keyed by our id so that all records of a
// message come to one partition in order. librdkafka does the work on threads of its own; nothing
// here waits for a broker but close().
//
// Used by the record thread alone (open() by the control thread, before it starts); librdkafka's
// threads write notes.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/time.h"
#include "core/config/config.h"
#include "io/record/notes.h"

namespace sy::record {

/// Written by the record thread, read by any. Relaxed: statistics.
struct KafkaCounters {
    std::atomic<uint64_t> sent{0};    // a broker has it
    std::atomic<uint64_t> failed{0};  // given up, or no room in the queue
    std::atomic<uint64_t> queued{0};  // on their way now
};

class Kafka {
  public:
    /// Fails where librdkafka refuses an option; brokers that cannot be reached are no error.
    [[nodiscard]] static Result<std::unique_ptr<Kafka>> open(const config::Records& records,
                                                             KafkaCounters& counters,
                                                             Notes& notes);
    ~Kafka();
    Kafka(const Kafka&) = delete;
    Kafka& operator=(const Kafka&) = delete;

    /// Copies both; with a full queue the message is lost and counted.
    void send(std::string_view key, std::string_view line);
    /// Takes librdkafka's reports; call often.
    void poll();
    /// Waits for what is on its way, no longer than that; the rest is given up. Returns how many
    /// messages that are.
    uint64_t close(Nanos patience_ns);

  private:
    struct Impl;
    explicit Kafka(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace sy::record
