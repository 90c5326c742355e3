// The store of a running router: RocksDB, and a thread for each end of the engine's store link.
// Made by the control thread before the workers, stopped after them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/base/time.h"
#include "core/engine/hub.h"
#include "core/store/interrupted.h"
#include "core/store/names.h"
#include "core/store/reader.h"
#include "core/store/spills.h"
#include "core/store/writer.h"
#include "io/store/rocks_database.h"

namespace sy::store {

struct StoreOptions {
    RocksOptions database;
    bool every_commit = true;                  // on disk before an acknowledgement leaves
    Nanos interval_ns = 100 * millisecond_ns;  // else: on disk no later than this
    uint64_t size_max_bytes = 0;               // 0: what the disk has
};

struct NamedCount {
    std::string_view name;  // live as long as the program
    std::string_view help;
    uint64_t value = 0;
};

class Store {
  public:
    /// `hub` has a store link and outlives this.
    [[nodiscard]] static Result<std::unique_ptr<Store>> open(engine::Hub& hub,
                                                             StoreOptions options,
                                                             std::shared_ptr<const Names> names);
    ~Store();  // stops
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    void start();
    /// Writes what workers had handed over, and ends the threads. The workers have ended.
    void stop();

    /// Before a snapshot with new accounts is published.
    void set_names(std::shared_ptr<const Names> names);
    /// A few times a second: whether the disk is full, or works again. Lines for the log.
    [[nodiscard]] std::vector<std::string> poll();
    /// Any thread.
    [[nodiscard]] std::vector<NamedCount> counts() const;
    /// Receipts that an earlier run left.
    [[nodiscard]] uint64_t receipts_found() const { return receipts_found_; }
    [[nodiscard]] const MessageQueue::Found& messages_found() const { return messages_found_; }
    /// Those that were under way, for their records; once.
    [[nodiscard]] std::vector<Interrupted> take_interrupted() {
        return std::exchange(messages_found_.under_way, {});
    }

  private:
    // Sleeps until there are orders.
    class Sleeper {
      public:
        Sleeper(engine::StoreLink& link, engine::StoreEnd end);
        void sleep(Nanos bound_ns);
        void wake() { bell_.release(); }

      private:
        engine::StoreLink& link_;
        engine::StoreEnd end_;
        std::counting_semaphore<> bell_{0};
    };

    Store(engine::Hub& hub, StoreOptions options, std::shared_ptr<const Names> names);
    void write();
    void read();
    void sync(Nanos mono_ns);
    void refuse(const std::string& why);
    void look_after(Nanos mono_ns);
    void note(std::string line);
    [[nodiscard]] std::shared_ptr<const Names> names() const;

    engine::Hub& hub_;
    StoreOptions options_;
    std::unique_ptr<RocksDatabase> database_;
    Spills spills_;
    std::unique_ptr<Writer> writer_;
    std::unique_ptr<Reader> reader_;
    Sleeper writer_sleeper_;
    Sleeper reader_sleeper_;
    std::thread writer_thread_;
    std::thread reader_thread_;
    std::atomic<bool> stopping_{false};
    uint64_t receipts_found_ = 0;
    MessageQueue::Found messages_found_;

    // The writer's.
    Nanos synced_ns_ = 0;
    Nanos looked_ns_ = 0;
    bool dirty_ = false;

    mutable std::mutex mutex_;  // of what follows
    std::shared_ptr<const Names> names_;
    std::vector<std::string> lines_;
};

}  // namespace sy::store
