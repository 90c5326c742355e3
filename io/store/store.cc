#include "io/store/store.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <pthread.h>
#include <utility>

#include <fmt/format.h>

#include "core/store/open.h"

namespace sy::store {
namespace {

using smpp::CommandStatus;

constexpr Nanos sleep_ns = 100 * millisecond_ns;
constexpr Nanos look_every_ns = second_ns;
// After the workers' end: what they had handed over is written, even where they take nothing back.
constexpr uint32_t last_rounds_max = 1000;
// A store that was full takes messages again when it is this much below its bound.
constexpr uint64_t room_divisor = 20;

Nanos mono_now() {
    return static_cast<Nanos>(std::chrono::steady_clock::now().time_since_epoch() /
                              std::chrono::nanoseconds(1));
}

}  // namespace

Store::Sleeper::Sleeper(engine::StoreLink& link, engine::StoreEnd end) : link_(link), end_(end) {
    link_.set_waker(end, [](void* self) { static_cast<Sleeper*>(self)->wake(); }, this);
}

void Store::Sleeper::sleep(Nanos bound_ns) {
    link_.lie_down(end_);
    if (!link_.has_work(end_)) {
        (void)bell_.try_acquire_for(std::chrono::nanoseconds(bound_ns));
    }
    link_.get_up(end_);
}

Store::Store(engine::Hub& hub, StoreOptions options, std::shared_ptr<const Names> names)
    : hub_(hub),
      options_(std::move(options)),
      spills_(hub),
      writer_sleeper_(*hub.store(), engine::StoreEnd::writer),
      reader_sleeper_(*hub.store(), engine::StoreEnd::reader),
      names_(std::move(names)) {}

Store::~Store() {
    stop();
}

Result<std::unique_ptr<Store>> Store::open(engine::Hub& hub,
                                           StoreOptions options,
                                           std::shared_ptr<const Names> names) {
    std::unique_ptr<Store> store(new Store(hub, std::move(options), std::move(names)));
    std::error_code problem;
    std::filesystem::create_directories(store->options_.database.path, problem);
    if (problem) {
        return fail(fmt::format("store {}: cannot be made: {}", store->options_.database.path,
                                problem.message()));
    }
    auto database = RocksDatabase::open(store->options_.database);
    if (!database) {
        return std::unexpected(std::move(database).error());
    }
    store->database_ = *std::move(database);
    const auto found = store::open(*store->database_, store->spills_);
    if (!found) {
        return fail(fmt::format("store {}: {}", store->options_.database.path, found.error().text));
    }
    store->receipts_found_ = found->receipts;
    store->spills_.resolve(*store->names_);
    store->writer_ =
        std::make_unique<Writer>(hub, *store->database_, store->spills_, found->next_sequence);
    const auto messages = store->writer_->open();
    if (!messages) {
        return fail(
            fmt::format("store {}: {}", store->options_.database.path, messages.error().text));
    }
    store->messages_found_ = *messages;
    store->reader_ = std::make_unique<Reader>(hub, *store->database_, store->spills_);
    return store;
}

void Store::start() {
    writer_thread_ = std::thread([this] { write(); });
    reader_thread_ = std::thread([this] { read(); });
}

void Store::stop() {
    stopping_.store(true, std::memory_order_relaxed);
    writer_sleeper_.wake();
    reader_sleeper_.wake();
    for (std::thread* thread : {&writer_thread_, &reader_thread_}) {
        if (thread->joinable()) {
            thread->join();
        }
    }
}

std::shared_ptr<const Names> Store::names() const {
    const std::lock_guard lock(mutex_);
    return names_;
}

void Store::set_names(std::shared_ptr<const Names> names) {
    spills_.resolve(*names);
    const std::lock_guard lock(mutex_);
    names_ = std::move(names);
}

void Store::note(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
}

std::vector<std::string> Store::poll() {
    const std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
}

// ---------------------------------------------------------------- the threads

void Store::write() {
    pthread_setname_np(pthread_self(), "sy-store-writer");
    std::shared_ptr<const Names> names;
    for (uint32_t rounds_left = last_rounds_max; rounds_left > 0;) {
        const bool last = stopping_.load(std::memory_order_relaxed);
        rounds_left -= last ? 1 : 0;
        if (auto newest = this->names(); newest != names) {
            names = std::move(newest);
            writer_->resolve(*names);
        }
        const bool busy = writer_->run(*names, options_.every_commit);
        dirty_ = dirty_ || busy;
        if (const std::string error = writer_->take_error(); !error.empty()) {
            refuse(error);
        }
        database_->settle();
        const Nanos now = mono_now();
        if (dirty_ && (now - synced_ns_ >= options_.interval_ns || (last && !busy))) {
            sync(now);
        }
        look_after(now);
        if (last && !busy) {
            return;
        }
        if (!busy) {
            writer_sleeper_.sleep(dirty_ ? std::min(sleep_ns, options_.interval_ns) : sleep_ns);
        }
    }
}

// What was given back without being on disk gets there.
void Store::sync(Nanos mono_ns) {
    synced_ns_ = mono_ns;
    dirty_ = false;
    if (const auto synced = database_->commit(true); !synced) {
        refuse(synced.error().text);
    }
}

void Store::refuse(const std::string& why) {
    if (hub_.store()->refusal() != CommandStatus::esme_rsyserr) {
        hub_.store()->set_refusal(CommandStatus::esme_rsyserr);
        note(why + "; messages that need it are refused until it works again");
    }
}

void Store::read() {
    pthread_setname_np(pthread_self(), "sy-store-reader");
    std::string told;
    while (!stopping_.load(std::memory_order_relaxed)) {
        if (!reader_->run(*names())) {
            reader_sleeper_.sleep(sleep_ns);
        }
        std::string error = reader_->take_error();
        if (!error.empty() && error != told) {
            note(error);
            told = std::move(error);
        }
    }
}

// Once a second: a store that failed is tried, one that grew too large refuses.
void Store::look_after(Nanos mono_ns) {
    if (mono_ns - looked_ns_ < look_every_ns) {
        return;
    }
    looked_ns_ = mono_ns;
    const CommandStatus refusal = hub_.store()->refusal();
    if (refusal == CommandStatus::esme_rsyserr) {
        if (database_->commit(true)) {
            hub_.store()->set_refusal(CommandStatus::esme_rok);
            note(fmt::format("store {}: works again", options_.database.path));
        }
        return;
    }
    if (options_.size_max_bytes == 0) {
        return;
    }
    const uint64_t size = database_->size_bytes();
    if (refusal == CommandStatus::esme_rok && size >= options_.size_max_bytes) {
        hub_.store()->set_refusal(CommandStatus::esme_rmsgqful);
        note(
            fmt::format("store {}: {} MiB, full at [store] size_max; messages that need it are "
                        "refused until there is room",
                        options_.database.path, size >> 20));
    } else if (refusal == CommandStatus::esme_rmsgqful &&
               size < options_.size_max_bytes - options_.size_max_bytes / room_divisor) {
        hub_.store()->set_refusal(CommandStatus::esme_rok);
        note(fmt::format("store {}: there is room again", options_.database.path));
    }
}

std::vector<NamedCount> Store::counts() const {
    const WriterCounts& written = writer_->counts();
    const ReaderCounts& read = reader_->counts();
    const QueueCounts& queue = writer_->queue_counts();
    const WatchCounts& watch = writer_->watch_counts();
    return {
        {"store_batches", "batches written", written.batches.get()},
        {"store_failures", "batches that could not be written", written.failures.get()},
        {"store_ways", "ways back of receipts written", written.ways.get()},
        {"store_receipts", "receipts written until their customer has them",
         written.receipts.get()},
        {"store_receipts_spilled", "receipts among them that wait in the store alone",
         written.receipts_spilled.get()},
        {"store_ways_found", "ways back found that were not in memory", read.ways_found.get()},
        {"store_ways_missed", "ways back looked for in vain", read.ways_missed.get()},
        {"store_receipts_read", "receipts taken from the store for their customer",
         read.receipts.get()},
        {"store_unreadable", "entries of an unknown form, passed over", read.unreadable.get()},
        {"store_read_failures", "reads that failed",
         read.failures.get() + queue.failures.get() + watch.failures.get()},
        {"store_messages", "messages written before their customer was answered", queue.kept.get()},
        {"store_messages_queued", "times that a message was left to wait in the store alone",
         queue.queued.get()},
        {"store_messages_taken", "times that a message was taken from there, its time come",
         queue.taken.get()},
        {"store_messages_unreadable", "messages of an unknown form, passed over",
         queue.unreadable.get() + watch.unreadable.get()},
        {"store_watched", "messages accepted by a supplier whose receipt decides",
         watch.watched.get()},
        {"store_watched_settled", "of those, settled by a receipt", watch.settled.get()},
        {"store_watched_unsettled", "of those, ended without a receipt", watch.unsettled.get()},
        {"store_expired", "entries dropped because they were too old", database_->expired()},
        {"store_settled", "entries brought from the journal to RocksDB, having lived long enough",
         database_->settled()},
        {"store_journal_cut", "octets at the end of journals that were cut when their router died",
         database_->cut_octets()},
        {"store_receipts_waiting", "receipts that wait in the store alone now",
         static_cast<uint64_t>(std::max<int64_t>(0, hub_.store()->receipts_stored()))},
        {"store_messages_waiting", "messages that wait in the store alone now",
         static_cast<uint64_t>(std::max<int64_t>(0, hub_.store()->messages_stored()))},
        {"store_refusing", "1 where messages that need the store are refused now",
         hub_.store()->refusal() == CommandStatus::esme_rok ? 0u : 1u},
    };
}

}  // namespace sy::store
