#include <array>
#include <atomic>
#include <deque>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "core/queue/intrusive_list.h"
#include "core/queue/shared_ring.h"
#include "core/queue/spsc_ring.h"

namespace sy::queue {
namespace {

// Against std::deque: any interleaving of pushes and pops on one thread.
TEST(SpscRing, BehavesAsABoundedDeque) {
    Prng prng(1);
    for (int round = 0; round < 200; ++round) {
        SpscRing<uint64_t> ring(static_cast<uint32_t>(1 + prng.below(40)));
        std::deque<uint64_t> model;
        for (int step = 0; step < 500; ++step) {
            if (prng.chance(1, 2)) {
                const uint64_t value = prng();
                const bool room = model.size() < ring.capacity();
                ASSERT_EQ(ring.push(value), room);
                if (room) {
                    model.push_back(value);
                }
            } else {
                std::vector<uint64_t> out(prng.below(9));
                const uint32_t count = ring.pop(out);
                ASSERT_EQ(count, std::min(out.size(), model.size()));
                for (uint32_t i = 0; i < count; ++i) {
                    ASSERT_EQ(out[i], model.front());
                    model.pop_front();
                }
            }
            ASSERT_EQ(ring.empty(), model.empty());
        }
    }
}

TEST(SpscRing, EveryValueCrossesThreadsOnceAndInOrder) {
    constexpr uint64_t total = 300'000;
    SpscRing<uint64_t> ring(256);
    std::thread producer([&] {
        for (uint64_t value = 0; value < total;) {
            if (ring.push(value)) {
                ++value;
            } else {
                std::this_thread::yield();
            }
        }
    });
    uint64_t expected = 0;
    std::array<uint64_t, 32> out;
    while (expected < total) {
        const uint32_t count = ring.pop(out);
        for (uint32_t i = 0; i < count; ++i) {
            EXPECT_EQ(out[i], expected++);
        }
        if (count == 0) {
            std::this_thread::yield();
        }
    }
    producer.join();
    EXPECT_TRUE(ring.empty());
}

TEST(SharedRing, HoldsExactlyItsCapacity) {
    for (const bool single : {true, false}) {
        auto ring = SharedRing::create(64, single).value();
        std::array<int, 64> objects{};
        for (auto& object : objects) {
            EXPECT_TRUE(ring->push(&object));
        }
        EXPECT_EQ(ring->count(), 64u);
        EXPECT_FALSE(ring->push(&objects[0]));
        std::array<void*, 100> out;
        EXPECT_EQ(ring->pop(out), 64u);
        for (size_t i = 0; i < objects.size(); ++i) {
            EXPECT_EQ(out[i], &objects[i]);
        }
        EXPECT_EQ(ring->pop(out), 0u);
    }
}

TEST(SharedRing, ManyProducersAndConsumersLoseAndRepeatNothing) {
    constexpr size_t per_producer = 50'000;
    auto ring = SharedRing::create(128, false).value();
    std::vector<std::atomic<uint32_t>> seen(2 * per_producer);
    std::atomic<size_t> taken{0};
    const auto produce = [&](size_t first) {
        for (size_t i = first; i < first + per_producer;) {
            // Index + 1 as the pointer value: never null.
            if (ring->push(reinterpret_cast<void*>(i + 1))) {
                ++i;
            } else {
                std::this_thread::yield();
            }
        }
    };
    const auto consume = [&] {
        std::array<void*, 32> out;
        while (taken.load() < seen.size()) {
            const uint32_t count = ring->pop(out);
            for (uint32_t i = 0; i < count; ++i) {
                seen[reinterpret_cast<size_t>(out[i]) - 1].fetch_add(1);
            }
            taken.fetch_add(count);
            if (count == 0) {
                std::this_thread::yield();
            }
        }
    };
    std::vector<std::thread> threads;
    threads.emplace_back(produce, 0);
    threads.emplace_back(produce, per_producer);
    threads.emplace_back(consume);
    threads.emplace_back(consume);
    for (auto& thread : threads) {
        thread.join();
    }
    for (const auto& count : seen) {
        ASSERT_EQ(count.load(), 1u);
    }
}

struct Node {
    Node* next = nullptr;
    int value = 0;
};

TEST(IntrusiveFifo, BehavesAsADeque) {
    Prng prng(2);
    std::vector<Node> nodes(64);
    std::vector<Node*> unused;
    for (auto& node : nodes) {
        unused.push_back(&node);
    }
    IntrusiveFifo<Node> list;
    std::deque<Node*> model;
    for (int step = 0; step < 20'000; ++step) {
        const uint64_t what = prng.below(3);
        if (what < 2 && !unused.empty()) {
            Node* node = unused.back();
            unused.pop_back();
            what == 0 ? list.push_back(node) : list.push_front(node);
            what == 0 ? model.push_back(node) : model.push_front(node);
        } else if (what == 2) {
            Node* node = list.pop_front();
            ASSERT_EQ(node, model.empty() ? nullptr : model.front());
            if (node != nullptr) {
                model.pop_front();
                unused.push_back(node);
            }
        }
        ASSERT_EQ(list.count(), model.size());
        ASSERT_EQ(list.front(), model.empty() ? nullptr : model.front());
    }
}

}  // namespace
}  // namespace sy::queue
