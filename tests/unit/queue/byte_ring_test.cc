#include "core/queue/byte_ring.h"

#include <algorithm>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::queue {
namespace {

// The slow model: entries in a deque, and the rule of the header (eight octets for the length, the
// entry rounded up to eight, an entry never over the end) counted out one entry at a time.
class Model {
  public:
    explicit Model(uint32_t capacity) : capacity_(capacity) {}

    bool push(const std::string& entry) {
        const auto size = static_cast<uint32_t>(8 + (entry.size() + 7) / 8 * 8);
        if (entry.size() > capacity_ / 2 - 8) {
            return false;
        }
        const uint32_t to_end = capacity_ - static_cast<uint32_t>(tail_ % capacity_);
        const uint32_t skipped = size > to_end ? to_end : 0;
        if (used_ + skipped + size > capacity_) {
            return false;
        }
        entries_.push_back({entry, skipped + size});
        used_ += skipped + size;
        tail_ += skipped + size;
        return true;
    }
    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] const std::string& front() const { return entries_.front().text; }
    void pop() {
        used_ -= entries_.front().taken;
        entries_.pop_front();
    }

  private:
    struct Entry {
        std::string text;
        uint32_t taken;
    };
    uint32_t capacity_;
    uint64_t tail_ = 0;
    uint32_t used_ = 0;
    std::deque<Entry> entries_;
};

bool push(ByteRing& ring, const std::string& entry, uint32_t reserved) {
    const auto room = ring.reserve(reserved);
    if (room.empty()) {
        return false;
    }
    EXPECT_EQ(room.size(), reserved);
    std::ranges::copy(entry, room.begin());
    ring.commit(static_cast<uint32_t>(entry.size()));
    return true;
}

std::string random_entry(Prng& prng, size_t size_max) {
    std::string entry(1 + prng.below(size_max), '\0');
    for (char& c : entry) {
        c = static_cast<char>(prng.below(256));
    }
    return entry;
}

TEST(ByteRing, BehavesAsItsModel) {
    Prng prng(1);
    for (int round = 0; round < 300; ++round) {
        const uint32_t capacity = 64u << prng.below(6);
        ByteRing ring(capacity);
        Model model(capacity);
        for (int step = 0; step < 1000; ++step) {
            if (prng.chance(1, 2)) {
                const std::string entry = random_entry(prng, capacity / 2);
                ASSERT_EQ(push(ring, entry, static_cast<uint32_t>(entry.size())),
                          model.push(entry));
            } else {
                const Octets front = ring.front();
                ASSERT_EQ(front.empty(), model.empty());
                if (!front.empty()) {
                    ASSERT_EQ(as_chars(front), model.front());
                    ring.pop();
                    model.pop();
                }
            }
            ASSERT_EQ(ring.empty(), model.empty());
        }
    }
}

TEST(ByteRing, AnEntryMayBeShorterThanItsReservation) {
    ByteRing ring(256);
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(push(ring, "short", 100));
        ASSERT_TRUE(push(ring, "x", 1));
        EXPECT_EQ(as_chars(ring.front()), "short");
        EXPECT_EQ(as_chars(ring.front()), "short");  // looking takes nothing
        ring.pop();
        EXPECT_EQ(as_chars(ring.front()), "x");
        ring.pop();
        EXPECT_TRUE(ring.front().empty());
    }
}

TEST(ByteRing, WhatIsNotCommittedIsNotThere) {
    ByteRing ring(64);
    ASSERT_FALSE(ring.reserve(8).empty());
    EXPECT_TRUE(ring.front().empty());
    EXPECT_TRUE(ring.empty());
}

TEST(ByteRing, ItsLongestEntryFitsWhereverTheOffsetsStand) {
    ByteRing ring(128);
    const std::string longest(ring.entry_bytes_max(), 'l');
    for (uint32_t i = 0; i < 200; ++i) {
        ASSERT_TRUE(push(ring, longest, ring.entry_bytes_max()));
        ASSERT_EQ(as_chars(ring.front()), longest);
        ring.pop();
        const std::string other(1 + i % 20, 'o');
        ASSERT_TRUE(push(ring, other, static_cast<uint32_t>(other.size())));
        ASSERT_EQ(as_chars(ring.front()), other);
        ring.pop();
    }
    EXPECT_TRUE(ring.reserve(ring.entry_bytes_max() + 1).empty());
}

TEST(ByteRing, EveryEntryCrossesThreadsOnceAndInOrder) {
    constexpr uint32_t total = 200'000;
    ByteRing ring(1024);
    const auto entry_of = [](uint32_t number) {
        std::string entry(4 + number % 90, static_cast<char>(number));
        std::memcpy(entry.data(), &number, sizeof number);
        return entry;
    };
    std::thread producer([&] {
        for (uint32_t number = 0; number < total;) {
            const std::string entry = entry_of(number);
            if (push(ring, entry, static_cast<uint32_t>(entry.size()))) {
                ++number;
            } else {
                std::this_thread::yield();
            }
        }
    });
    for (uint32_t number = 0; number < total;) {
        const Octets front = ring.front();
        if (front.empty()) {
            std::this_thread::yield();
            continue;
        }
        EXPECT_EQ(as_chars(front), entry_of(number));
        ring.pop();
        ++number;
    }
    producer.join();
    EXPECT_TRUE(ring.empty());
}

}  // namespace
}  // namespace sy::queue
