// core/engine: the way back of receipts (receipt_map.h), at as many ways as wait. One operation is
// what one message costs the map in its life: its way is kept, its receipt finds it, the way is
// finished and its place taken by a later one; receipts come in an order that no cache foretells.
// Each way found is checked against its key (SY_ASSERT), so that a smoke run is a test. Beside it
// std::unordered_map with the same keys, values and hash, which knows no ages and no repeats.
//
// engine_bench --large adds 100 million ways: 14 GB, and a minute or two to fill them.
#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>

#include <benchmark/benchmark.h>

#include "core/base/assert.h"
#include "core/base/prng.h"
#include "core/engine/receipt_map.h"

namespace sy::engine {
namespace {

constexpr Nanos age_max_ns = 72 * 3600 * second_ns;

// Message numbers to what a map has of them.
ReceiptKey key_of(uint64_t number) {
    return {mix64(number), mix64(number ^ 0x5BD1E9955BD1E995u)};
}

ReceiptWay way_of(uint64_t number) {
    ReceiptWay way;
    way.customer = CustomerId{1};
    way.id = number;
    way.registered_delivery = 1;
    // The last digits tell reused ids apart.
    const auto end =
        std::to_chars(way.destination.data(), way.destination.data() + way.destination.size(),
                      491'500'000'000 + number % 1'000'000'000);
    way.destination_length = static_cast<uint8_t>(end.ptr - way.destination.data());
    way.source = way.destination;
    way.source_length = way.destination_length;
    return way;
}

/// Receipt t is of this message: each of a block once, in an order without pattern. Blocks are at
/// most half of what waits, so that every message named is there.
class Order {
  public:
    explicit Order(uint32_t waiting) : block_(std::bit_floor(waiting / 2)) {}
    [[nodiscard]] uint64_t at(uint64_t t) const {
        // Odd: a permutation of the block's numbers.
        return (t & ~(block_ - 1)) + ((t * 0x9E3779B1u + 0x85EBCA6Bu) & (block_ - 1));
    }

  private:
    uint64_t block_;
};

// ---------------------------------------------------------------- the two maps behind one face

class Ours {
  public:
    // Room for what is finished and guards against repeats, as in the router.
    explicit Ours(uint32_t waiting) : map_(waiting + waiting / 8 + 1, age_max_ns) {}

    void keep(uint64_t number) {
        SY_ASSERT(!map_.insert(key_of(number), way_of(number), now_ns_++));
    }
    void come_back(uint64_t number, const ReceiptWay& sent) {
        const ReceiptMap::Found found =
            map_.find(key_of(number), {sent.destination.data(), sent.destination_length});
        SY_ASSERT(found.way != nullptr && found.way->id == number && !found.finished);
        map_.finish(found.entry);
    }
    [[nodiscard]] uint64_t waiting() const { return map_.waiting(); }

  private:
    ReceiptMap map_;
    Nanos now_ns_ = 1;
};

class Unordered {
  public:
    explicit Unordered(uint32_t waiting) { map_.reserve(waiting); }

    void keep(uint64_t number) {
        SY_ASSERT(map_.emplace(key_of(number), Value{way_of(number), now_ns_++}).second);
    }
    void come_back(uint64_t number, const ReceiptWay&) {
        const auto found = map_.find(key_of(number));
        SY_ASSERT(found != map_.end() && found->second.way.id == number);
        map_.erase(found);
    }
    [[nodiscard]] uint64_t waiting() const { return map_.size(); }

  private:
    struct Value {
        ReceiptWay way;
        Nanos since_ns;
    };
    struct Hash {
        size_t operator()(const ReceiptKey& key) const { return key.low; }
    };
    std::unordered_map<ReceiptKey, Value, Hash> map_;
    Nanos now_ns_ = 1;
};

/// A map in which `count` ways wait; receipts come and messages go at the same rate.
template <class Map>
class Traffic {
  public:
    explicit Traffic(uint32_t count) : map_(count), order_(count), count_(count) {
        for (; next_ < count; ++next_) {
            map_.keep(next_);
        }
        // Once through a block, so that places are as mixed as they will be.
        for (uint32_t i = 0; i < std::min(count, settle_max); ++i) {
            step();
        }
    }
    void step() {
        const uint64_t back = order_.at(next_ - count_);
        map_.come_back(back, way_of(back));
        map_.keep(next_++);
    }
    [[nodiscard]] bool balanced() const { return map_.waiting() == count_; }

  private:
    static constexpr uint32_t settle_max = 4'000'000;

    Map map_;
    Order order_;
    uint32_t count_;
    uint64_t next_ = 0;
};

// Filled once for all repetitions; the one before is freed first, since two may not fit.
template <class Map>
Traffic<Map>& traffic_of(uint32_t count, std::shared_ptr<void>& held, std::string& held_name) {
    const std::string name = std::string(typeid(Map).name()) + std::to_string(count);
    if (held_name != name) {
        held.reset();
        held = std::make_shared<Traffic<Map>>(count);
        held_name = name;
    }
    return *static_cast<Traffic<Map>*>(held.get());
}

std::shared_ptr<void> held_traffic;
std::string held_traffic_name;

template <class Map>
void life_of_a_way(benchmark::State& state, uint32_t count) {
    Traffic<Map>& traffic = traffic_of<Map>(count, held_traffic, held_traffic_name);
    for (auto _ : state) {
        traffic.step();
    }
    SY_ASSERT(traffic.balanced());
    state.SetItemsProcessed(state.iterations());
}

void register_all(bool large) {
    const auto add = [](const std::string& entries, uint32_t count) {
        const std::string tail = "/keep+find+finish/entries=" + entries;
        benchmark::RegisterBenchmark(
            ("engine/receipt_map" + tail).c_str(),
            [count](benchmark::State& state) { life_of_a_way<Ours>(state, count); });
        benchmark::RegisterBenchmark(
            ("engine/peer=unordered_map" + tail).c_str(),
            [count](benchmark::State& state) { life_of_a_way<Unordered>(state, count); });
    };
    add("10k", 10'000);
    add("1m", 1'000'000);
    add("10m", 10'000'000);
    if (large) {
        add("100m", 100'000'000);
    }
}

}  // namespace
}  // namespace sy::engine

int main(int argc, char** argv) {
    const bool large = argc > 1 && std::strcmp(argv[1], "--large") == 0;
    if (large) {
        std::swap(argv[0], argv[1]);
        --argc;
        ++argv;
    }
    sy::engine::register_all(large);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 1;
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
