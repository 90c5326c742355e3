// core/queue an object: rings between two cores and on one, at bulks of 1, 8 and 32, beside
// rte_ring and moodycamel::ConcurrentQueue; the published snapshot beside an atomic shared_ptr. The
// taker checks every object and its order (SY_ASSERT), so that a smoke run is a test. A customer's
// turn (fair_queue) beside one list for all.
//
// A bulk is what one call moves, where a ring has such a call; ours are filled one by one, as
// workers do it, and emptied in bulk. Of two cores the benchmark shows line_ns, what a cache line
// takes one way between them (core_pair.h), before and after: count only runs with less than 80 ns.
#include <array>
#include <atomic>
#include <concurrentqueue/concurrentqueue.h>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <benchmark/benchmark.h>

#include <rte_ring.h>

#include "bench/core_pair.h"
#include "core/base/assert.h"
#include "core/base/prng.h"
#include "core/queue/byte_ring.h"
#include "core/queue/fair_queue.h"
#include "core/queue/published.h"
#include "core/queue/shared_ring.h"
#include "core/queue/spsc_ring.h"

namespace sy::queue {
namespace {

constexpr uint32_t capacity = 1024;
constexpr uint32_t bulk_max = 32;
constexpr uint32_t objects_a_round = 4096;  // one iteration: what its end costs is far below 1 %
constexpr uint32_t line_batches = 20;
constexpr uint32_t record_octets = 400;  // of a message with one attempt

// Objects are the numbers from 1 on, in order.
void* object_of(uint64_t number) {
    return reinterpret_cast<void*>(number);
}

// ---------------------------------------------------------------- rings behind one face
// push(): how many of them were taken, from the first on. pop(): how many came.

uint32_t push_each(auto& ring, std::span<void* const> objects) {
    uint32_t taken = 0;
    while (taken < objects.size() && ring.push(objects[taken])) {
        ++taken;
    }
    return taken;
}

struct Mailbox {
    SpscRing<void*> ring{capacity};

    uint32_t push(std::span<void* const> objects) { return push_each(ring, objects); }
    uint32_t pop(std::span<void*> out) { return ring.pop(out); }
};

template <bool single_worker>
struct Supplier {
    std::unique_ptr<SharedRing> ring = *SharedRing::create(capacity, single_worker);

    uint32_t push(std::span<void* const> objects) { return push_each(*ring, objects); }
    uint32_t pop(std::span<void*> out) { return ring->pop(out); }
};

// Entries of the size of a record that begin with the number.
struct Records {
    ByteRing ring{capacity * 512};

    uint32_t push(std::span<void* const> objects) {
        uint32_t taken = 0;
        for (; taken < objects.size(); ++taken) {
            const std::span<uint8_t> room = ring.reserve(record_octets);
            if (room.empty()) {
                break;
            }
            std::memset(room.data(), 0, room.size());
            std::memcpy(room.data(), &objects[taken], sizeof objects[taken]);
            ring.commit(record_octets);
        }
        return taken;
    }
    uint32_t pop(std::span<void*> out) {
        uint32_t count = 0;
        for (; count < out.size(); ++count) {
            const Octets entry = ring.front();
            if (entry.empty()) {
                break;
            }
            SY_ASSERT(entry.size() == record_octets);
            std::memcpy(&out[count], entry.data(), sizeof out[count]);
            ring.pop();
        }
        return count;
    }
};

template <unsigned flags>
struct RteRing {
    struct Free {
        void operator()(rte_ring* memory) const { std::free(memory); }
    };
    std::unique_ptr<rte_ring, Free> ring;

    RteRing() {
        const ssize_t bytes = rte_ring_get_memsize(capacity);
        SY_ASSERT(bytes > 0);
        constexpr size_t line = limits::cache_line_bytes;
        const size_t whole_lines = (static_cast<size_t>(bytes) + line - 1) / line * line;
        ring.reset(static_cast<rte_ring*>(std::aligned_alloc(line, whole_lines)));
        SY_ASSERT(ring != nullptr && rte_ring_init(ring.get(), "peer", capacity, flags) == 0);
    }
    uint32_t push(std::span<void* const> objects) {
        return rte_ring_enqueue_burst(ring.get(), objects.data(),
                                      static_cast<unsigned>(objects.size()), nullptr);
    }
    uint32_t pop(std::span<void*> out) {
        return rte_ring_dequeue_burst(ring.get(), out.data(), static_cast<unsigned>(out.size()),
                                      nullptr);
    }
};

// As its documentation tunes it: tokens, bulk calls, and all of its memory at the start.
struct Moodycamel {
    moodycamel::ConcurrentQueue<void*> ring{capacity, 1, 0};
    moodycamel::ProducerToken producer{ring};
    moodycamel::ConsumerToken consumer{ring};

    uint32_t push(std::span<void* const> objects) {
        const bool taken = ring.try_enqueue_bulk(producer, objects.data(), objects.size());
        return taken ? static_cast<uint32_t>(objects.size()) : 0;
    }
    uint32_t pop(std::span<void*> out) {
        return static_cast<uint32_t>(ring.try_dequeue_bulk(consumer, out.data(), out.size()));
    }
};

// ---------------------------------------------------------------- transfers

/// Fills a ring with the numbers in order, as far as it takes them.
template <class Ring>
class Giver {
  public:
    Giver(Ring& ring, uint32_t bulk) : ring_(ring), bulk_(bulk) {}

    void offer() {
        for (uint32_t i = 0; i < bulk_; ++i) {
            objects_[i] = object_of(given_ + 1 + i);
        }
        const uint32_t taken = ring_.push({objects_.data(), bulk_});
        if (taken == 0) {
            __builtin_ia32_pause();
        }
        given_ += taken;
    }
    [[nodiscard]] uint64_t given() const { return given_; }

  private:
    Ring& ring_;
    uint32_t bulk_;
    uint64_t given_ = 0;
    std::array<void*, bulk_max> objects_{};
};

/// Empties it, and looks at each.
template <class Ring>
class Taker {
  public:
    Taker(Ring& ring, uint32_t bulk) : ring_(ring), bulk_(bulk) {}

    void take() {
        std::array<void*, bulk_max> objects;
        const uint32_t count = ring_.pop({objects.data(), bulk_});
        if (count == 0) {
            __builtin_ia32_pause();
        }
        for (uint32_t i = 0; i < count; ++i) {
            SY_ASSERT(objects[i] == object_of(taken_ + 1 + i));
        }
        taken_ += count;
    }
    [[nodiscard]] uint64_t taken() const { return taken_; }

  private:
    Ring& ring_;
    uint32_t bulk_;
    uint64_t taken_ = 0;
};

template <class Ring>
void on_one_core(benchmark::State& state, uint32_t bulk) {
    Ring ring;
    Giver<Ring> giver(ring, bulk);
    Taker<Ring> taker(ring, bulk);
    uint64_t wanted = 0;
    for (auto _ : state) {
        wanted += objects_a_round;
        while (taker.taken() < wanted) {
            giver.offer();
            taker.take();
        }
    }
    SY_ASSERT(giver.given() == taker.taken());
    state.SetItemsProcessed(static_cast<int64_t>(taker.taken()));
}

double median_line_ns(uint32_t there) {
    const std::vector<double> ns = bench::line_latency(there, line_batches);
    SY_ASSERT(!ns.empty());
    return ns[ns.size() / 2];
}

template <class Ring>
void between_cores(benchmark::State& state, uint32_t bulk, std::array<uint32_t, 2> cpus) {
    SY_ASSERT(bench::pin(cpus[0]));
    const double before_ns = median_line_ns(cpus[1]);
    Ring ring;
    Giver<Ring> giver(ring, bulk);
    std::atomic<uint64_t> wanted{UINT64_MAX};  // relaxed: a number that says when to end
    std::atomic<uint64_t> received{0};
    {
        const bench::PinnedThread consumer(cpus[1], [&ring, &wanted, &received, bulk] {
            Taker<Ring> taker(ring, bulk);
            while (taker.taken() < wanted.load(std::memory_order_relaxed)) {
                taker.take();
            }
            received.store(taker.taken(), std::memory_order_relaxed);
        });
        SY_ASSERT(consumer.runs());
        uint64_t goal = 0;
        for (auto _ : state) {
            goal += objects_a_round;
            while (giver.given() < goal) {
                giver.offer();
            }
        }
        wanted.store(giver.given(), std::memory_order_relaxed);
    }
    SY_ASSERT(received.load(std::memory_order_relaxed) == giver.given());
    state.SetItemsProcessed(static_cast<int64_t>(giver.given()));
    state.counters["line_ns_before"] = before_ns;
    state.counters["line_ns_after"] = median_line_ns(cpus[1]);
}

template <class Ring>
void register_ring(const std::string& name, const std::vector<uint32_t>& cpus) {
    for (const uint32_t bulk : {1u, 8u, 32u}) {
        const std::string tail = "/bulk=" + std::to_string(bulk);
        benchmark::RegisterBenchmark(
            ("queue/" + name + "/cores=1" + tail).c_str(),
            [=](benchmark::State& state) { on_one_core<Ring>(state, bulk); });
        if (cpus.size() > 1) {
            const std::array pair{cpus[0], cpus[1]};
            benchmark::RegisterBenchmark(
                ("queue/" + name + "/cores=2" + tail).c_str(),
                [=](benchmark::State& state) { between_cores<Ring>(state, bulk, pair); })
                ->UseRealTime();
        }
    }
}

// ---------------------------------------------------------------- in turn over customers

struct Waiting {
    uint32_t flow = 0;
    uint32_t level = 0;
    Waiting* next = nullptr;
};

struct WaitingTraits {
    static uint32_t flow_of(const Waiting& object) { return object.flow; }
    static uint32_t level_of(const Waiting& object) { return object.level; }
    static bool continues(const Waiting&, const Waiting&) { return false; }
};

struct InTurn {
    FairQueue<Waiting, WaitingTraits> queue;

    void push(Waiting* object) { queue.push(object); }
    Waiting* pop() { return queue.pop(); }
};

// What fairness costs beside: one list for all.
struct InOrder {
    IntrusiveFifo<Waiting> queue;

    void push(Waiting* object) { queue.push_back(object); }
    Waiting* pop() { return queue.pop_front(); }
};

// All that a worker may have staged wait; each that leaves comes again, as of any flow.
template <class Queue>
void waits_and_leaves(benchmark::State& state, uint32_t flows) {
    constexpr uint32_t waiting = 4096;
    Prng prng(1);
    std::vector<Waiting> objects(waiting);
    Queue queue;
    const auto push = [&](Waiting* object) {
        const uint64_t random = prng();
        object->flow = static_cast<uint32_t>(random % flows);
        object->level = static_cast<uint32_t>(random >> 62);
        queue.push(object);
    };
    for (Waiting& object : objects) {
        push(&object);
    }
    if constexpr (std::is_same_v<Queue, InTurn>) {
        std::vector<bool> seen(flows);
        for (uint32_t turn = 0; turn < flows; ++turn) {  // all have something waiting
            Waiting* object = queue.pop();
            SY_ASSERT(object != nullptr && !seen[object->flow]);
            seen[object->flow] = true;
            queue.push(object);
        }
    }
    for (auto _ : state) {
        for (uint32_t i = 0; i < bulk_max; ++i) {
            push(queue.pop());
        }
    }
    for (uint32_t left = waiting; left > 0; --left) {
        SY_ASSERT(queue.pop() != nullptr);
    }
    SY_ASSERT(queue.pop() == nullptr);
    state.SetItemsProcessed(state.iterations() * bulk_max);
}

// ---------------------------------------------------------------- the published snapshot

struct Snapshot {
    explicit Snapshot(uint64_t number) : generation(number), check(~number) {}
    uint64_t generation;
    uint64_t check;  // of a snapshot that was freed or is not complete, this does not hold
};

void expect_whole(const Snapshot& snapshot) {
    SY_ASSERT(snapshot.check == ~snapshot.generation);
}

void load_and_quiesce(benchmark::State& state) {
    Published<Snapshot> published(1);
    published.publish(std::make_unique<Snapshot>(1));
    published.online(0);
    for (auto _ : state) {
        expect_whole(*published.load());
        published.quiescent(0);
    }
    published.offline(0);
    state.SetItemsProcessed(state.iterations());
}

void load_shared_pointer(benchmark::State& state) {
    std::atomic<std::shared_ptr<const Snapshot>> published(std::make_shared<const Snapshot>(1));
    for (auto _ : state) {
        const std::shared_ptr<const Snapshot> held = published.load(std::memory_order_acquire);
        expect_whole(*held);
    }
    state.SetItemsProcessed(state.iterations());
}

/// From publish() until the snapshot before is freed, while a worker on another core loads and says
/// that it is quiescent as fast as it can.
void publish_until_reclaimed(benchmark::State& state, std::array<uint32_t, 2> cpus) {
    SY_ASSERT(bench::pin(cpus[0]));
    Published<Snapshot> published(1);
    uint64_t generation = 1;
    published.publish(std::make_unique<Snapshot>(generation));
    std::atomic<bool> stopping{false};  // relaxed: nothing else is told
    uint64_t seen = 0;
    {
        const bench::PinnedThread worker(cpus[1], [&published, &stopping, &seen] {
            published.online(0);
            while (!stopping.load(std::memory_order_relaxed)) {
                const Snapshot& snapshot = *published.load();
                expect_whole(snapshot);
                SY_ASSERT(snapshot.generation >= seen);
                seen = snapshot.generation;
                published.quiescent(0);
            }
            published.offline(0);
        });
        SY_ASSERT(worker.runs());
        for (auto _ : state) {
            published.publish(std::make_unique<Snapshot>(++generation));
            while (published.reclaim() != 0) {
                __builtin_ia32_pause();
            }
        }
        stopping.store(true, std::memory_order_relaxed);
    }
    SY_ASSERT(seen <= generation && published.owned()->generation == generation);
    state.SetItemsProcessed(state.iterations());
    state.counters["line_ns_after"] = median_line_ns(cpus[1]);
}

void register_all(const std::vector<uint32_t>& cpus) {
    for (const uint32_t flows : {1u, 16u, 256u}) {
        const std::string tail = "/flows=" + std::to_string(flows);
        benchmark::RegisterBenchmark(
            ("queue/fair_queue" + tail).c_str(),
            [=](benchmark::State& state) { waits_and_leaves<InTurn>(state, flows); });
        benchmark::RegisterBenchmark(
            ("queue/limit=fifo" + tail).c_str(),
            [=](benchmark::State& state) { waits_and_leaves<InOrder>(state, flows); });
    }
    register_ring<Mailbox>("spsc_ring", cpus);
    register_ring<Supplier<true>>("shared_ring/workers=1", cpus);
    register_ring<Supplier<false>>("shared_ring/workers=many", cpus);
    register_ring<Records>("byte_ring/octets=400", cpus);
    register_ring<RteRing<RING_F_SP_ENQ | RING_F_SC_DEQ>>("peer=rte_ring/sp_sc", cpus);
    register_ring<RteRing<0>>("peer=rte_ring/mp_mc", cpus);
    register_ring<Moodycamel>("peer=moodycamel", cpus);
    benchmark::RegisterBenchmark("queue/published/load+quiescent", load_and_quiesce);
    benchmark::RegisterBenchmark("queue/peer=atomic_shared_ptr/load", load_shared_pointer);
    if (cpus.size() > 1) {
        const std::array pair{cpus[0], cpus[1]};
        benchmark::RegisterBenchmark(
            "queue/published/publish_until_reclaimed/cores=2",
            [=](benchmark::State& state) { publish_until_reclaimed(state, pair); })
            ->UseRealTime();
    }
}

}  // namespace
}  // namespace sy::queue

int main(int argc, char** argv) {
    sy::queue::register_all(sy::bench::own_cpus());
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 1;
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
