// core/store and io/store a message: the store's writer over a real database, orders taken from a
// worker's ring, written and given back. The time is CPU time of the writer's thread, system calls
// included; what the disk takes is not in it.
//
//   forward: keep_way, keep_receipt (which ends the way), forget_receipt
//   stored:  keep_message before them; the way ends the message
//
// open: messages that wait for their receipts meanwhile, all of which live for that many others.
// Every order must come back done, and nothing may be left (SY_ASSERT), so that a smoke run is a
// test. `settled` a message: entries that lived long enough to reach RocksDB. TMPDIR: where the
// files stand.
#include <array>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <unistd.h>

#include <benchmark/benchmark.h>

#include "core/base/assert.h"
#include "core/base/prng.h"
#include "core/smpp/encode.h"
#include "core/store/open.h"
#include "core/store/writer.h"
#include "io/store/rocks_database.h"

namespace sy::store {
namespace {

using engine::Message;
using engine::StoreAnswer;
using engine::StoreOrder;

// Of each kind in a batch; with three or four kinds, some 400: what gathers while a disk syncs.
constexpr uint32_t messages_a_batch = 128;
constexpr Nanos wall_ns = 1'800'000'000 * second_ns;

engine::HubOptions hub_options(uint32_t open) {
    engine::HubOptions out;
    out.store = true;
    out.messages_max = 2 * open + 8 * messages_a_batch;
    out.large_messages_max = 1;
    out.connections_max = 64;
    out.receipts_max = 1024;
    out.long_messages_max = 1024;
    return out;
}

class Traffic {
  public:
    Traffic(bool stored, bool durable, uint32_t open);
    ~Traffic() {
        writer_.reset();
        database_.reset();
        std::filesystem::remove_all(folder_);
    }
    Traffic(const Traffic&) = delete;
    Traffic& operator=(const Traffic&) = delete;

    /// messages_a_batch new ones, and as many that are done.
    void step() {
        for (uint32_t i = 0; i < messages_a_batch; ++i) {
            begin();
        }
        advance(open_max_);
    }
    void end() {
        while (!taken_.empty() || !open_.empty() || !received_.empty()) {
            advance(0);
        }
        for (const Family family : {Family::ways, Family::receipts, Family::messages}) {
            const auto none = database_->each(family, [](auto, auto) { SY_ASSERT(false); });
            SY_ASSERT(none.has_value());
        }
    }
    [[nodiscard]] uint64_t settled() const { return database_->settled(); }

  private:
    void begin();
    void advance(size_t open_max);
    void order(Message* message, StoreOrder order);
    void turn();
    void came_back(Message* message);

    engine::Hub hub_;
    Spills spills_;
    Names names_{{"acme"}, {"26201"}, {"alpha"}};
    engine::MessagePool pool_;
    std::filesystem::path folder_;
    std::unique_ptr<RocksDatabase> database_;
    std::unique_ptr<Writer> writer_;
    bool is_stored_;
    bool is_durable_;
    size_t open_max_;
    uint64_t next_id_ = 1;
    std::deque<Message*> taken_;     // a supplier is to have them
    std::deque<Message*> open_;      // their receipts are to come
    std::deque<Message*> received_;  // the customer is to get its receipt
};

Traffic::Traffic(bool stored, bool durable, uint32_t open)
    : hub_(hub_options(open)),
      spills_(hub_),
      pool_(0, hub_options(open).messages_max, 1, false),
      is_stored_(stored),
      is_durable_(durable),
      open_max_(open) {
    folder_ =
        std::filesystem::temp_directory_path() / ("sy-store-bench-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    RocksOptions options;
    options.path = folder_.string();
    options.wall_ns = [] { return wall_ns; };
    auto opened = RocksDatabase::open(std::move(options));
    SY_ASSERT(opened.has_value());
    database_ = *std::move(opened);
    const auto found = store::open(*database_, spills_);
    SY_ASSERT(found.has_value());
    writer_ = std::make_unique<Writer>(hub_, *database_, spills_, found->next_sequence);
    SY_ASSERT(writer_->open().has_value());
    // The customer has a session: its receipts do not stay in the store alone.
    hub_.customer(CustomerId{0}).rx_workers.store(1, std::memory_order_relaxed);
}

void Traffic::begin() {
    Message* message = pool_.take(0);
    SY_ASSERT(message != nullptr);
    const uint64_t id = next_id_++;
    message->id = id;
    message->customer = CustomerId{0};
    message->key = {mix64(id), mix64(~id)};
    message->way.id = id;
    message->way.customer = message->customer;
    message->way.submitted_wall_ns = wall_ns;
    message->received_wall_ns = wall_ns;
    message->way.source_length = 8;
    message->way.destination_length = 12;
    message->stored = is_stored_;
    message->way_ends = true;
    message->queue_wanted = false;
    // One destination each: none waits for another.
    const std::string digits = std::to_string(447'000'000'000 + id % 1'000'000'000);
    digits.copy(message->way.destination.data(), message->way.destination.size());
    if (is_stored_) {
        smpp::Sm sm;
        sm.source.digits = "Shop";
        sm.destination.digits = digits;
        static const std::string text(100, 'x');
        sm.short_message = as_octets(text);
        message->destination.length = static_cast<uint8_t>(
            digits.copy(message->destination.digits.data(), message->destination.digits.size()));
        message->body_bytes = static_cast<uint32_t>(smpp::encode_sm(
            {message->body, message->body_capacity}, smpp::CommandId::submit_sm, 1, sm));
        order(message, StoreOrder::keep_message);
    } else {
        order(message, StoreOrder::keep_way);
    }
}

// One order for each that is due, then a batch.
void Traffic::advance(size_t open_max) {
    for (size_t left = taken_.size(); left > 0; --left) {
        order(taken_.front(), StoreOrder::keep_way);
        taken_.pop_front();
    }
    for (size_t left = received_.size(); left > 0; --left) {
        order(received_.front(), StoreOrder::forget_receipt);
        received_.pop_front();
    }
    for (uint32_t i = 0; i < messages_a_batch && open_.size() > open_max; ++i) {
        open_.front()->stored = false;
        order(open_.front(), StoreOrder::keep_receipt);
        open_.pop_front();
    }
    turn();
}

void Traffic::order(Message* message, StoreOrder order) {
    message->store_order = order;
    message->store_back = 0;
    SY_ASSERT(hub_.store()->push(WorkerId{0}, message));
}

void Traffic::turn() {
    SY_ASSERT(writer_->run(names_, is_durable_));
    SY_ASSERT(writer_->take_error().empty());
    database_->settle();
    std::array<Message*, 64> burst;
    while (const uint32_t count = hub_.store()->pop(WorkerId{0}, engine::StoreEnd::writer, burst)) {
        for (uint32_t i = 0; i < count; ++i) {
            came_back(burst[i]);
        }
    }
}

void Traffic::came_back(Message* message) {
    SY_ASSERT(message->store_answer == StoreAnswer::done);
    switch (message->store_order) {
        case StoreOrder::keep_message:
            taken_.push_back(message);
            return;
        case StoreOrder::keep_way:
            open_.push_back(message);
            return;
        case StoreOrder::keep_receipt:
            received_.push_back(message);
            return;
        default:
            pool_.give_back(message);
            return;
    }
}

void life_of_a_message(benchmark::State& state, bool stored, bool durable, uint32_t open) {
    Traffic traffic(stored, durable, open);
    for (auto _ : state) {
        traffic.step();
    }
    const auto messages = static_cast<double>(state.iterations()) * messages_a_batch;
    state.SetItemsProcessed(static_cast<int64_t>(messages));
    state.counters["settled"] = static_cast<double>(traffic.settled()) / messages;
    traffic.end();
}

void register_all() {
    for (const bool stored : {false, true}) {
        for (const bool durable : {true, false}) {
            for (const uint32_t open : {1'000u, 100'000u}) {
                const std::string name = std::string("store/writer/") +
                                         (stored ? "stored" : "forward") +
                                         "/sync=" + (durable ? "commit" : "interval") +
                                         "/open=" + std::to_string(open / 1000) + "k";
                benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
                    life_of_a_message(state, stored, durable, open);
                });
            }
        }
    }
}

}  // namespace
}  // namespace sy::store

int main(int argc, char** argv) {
    sy::store::register_all();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 1;
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
