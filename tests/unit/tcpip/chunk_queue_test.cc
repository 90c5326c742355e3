#include "io/tcpip/chunk_queue.h"

#include <algorithm>
#include <deque>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::tcpip {
namespace {

static_assert(std::is_trivially_destructible_v<ChunkQueue>);
static_assert(sizeof(ChunkQueue::Cursor) == 12);

std::vector<uint8_t> octets_from(uint32_t position, size_t n) {
    std::vector<uint8_t> out(n);
    for (size_t i = 0; i < n; ++i) {
        // Not periodic in 256 or in the size of a chunk.
        const uint32_t at = position + static_cast<uint32_t>(i);
        out[i] = static_cast<uint8_t>(at ^ at >> 8 ^ at >> 13);
    }
    return out;
}

TEST(ChunkPool, GivesEveryChunkOnceAndTakesThemBack) {
    ChunkPool pool(3);
    std::vector<uint32_t> chunks;
    for (uint32_t left = 3; left > 0; --left) {
        EXPECT_EQ(pool.available(), left);
        chunks.push_back(pool.acquire());
        EXPECT_EQ(pool.next(chunks.back()), ChunkPool::none);
        std::memset(pool.data(chunks.back()), static_cast<int>(left), ChunkPool::chunk_bytes);
    }
    EXPECT_EQ(pool.acquire(), ChunkPool::none);
    for (uint32_t i = 0; i < 3; ++i) {
        EXPECT_EQ(pool.data(chunks[i])[0], 3 - i);
        EXPECT_EQ(pool.data(chunks[i])[ChunkPool::chunk_bytes - 1], 3 - i);
        pool.set_next(chunks[i], i + 1 < 3 ? chunks[i + 1] : ChunkPool::none);
    }
    pool.release_chain(chunks[0]);
    pool.release_chain(ChunkPool::none);
    EXPECT_EQ(pool.available(), 3U);
}

TEST(ChunkQueue, HoldsNoChunkWhenEmpty) {
    ChunkPool pool(4);
    ChunkQueue queue;
    EXPECT_TRUE(queue.front(pool).empty());
    EXPECT_EQ(queue.append(pool, {}), 0U);
    EXPECT_EQ(pool.available(), 4U);
    EXPECT_EQ(queue.append(pool, octets_from(0, 5000)), 5000U);
    EXPECT_EQ(pool.available(), 1U);
    queue.drop_front(pool, 2047);
    EXPECT_EQ(pool.available(), 1U);
    queue.drop_front(pool, 1);
    EXPECT_EQ(pool.available(), 2U);  // as soon as its last octet is gone
    queue.drop_front(pool, 2951);
    EXPECT_EQ(queue.size(), 1U);
    queue.drop_front(pool, 1);
    EXPECT_EQ(pool.available(), 4U);
}

TEST(ChunkQueue, TakesWhatThePoolHasRoomFor) {
    ChunkPool pool(2);
    ChunkQueue queue;
    EXPECT_EQ(queue.append(pool, octets_from(0, 5000)), 4096U);
    EXPECT_EQ(queue.append(pool, octets_from(0, 1)), 0U);
    EXPECT_TRUE(queue.reserve(pool).empty());
    queue.drop_front(pool, 2048);
    EXPECT_EQ(queue.append(pool, octets_from(4096, 5000)), 2048U);
    std::vector<uint8_t> out(4096);
    auto cursor = queue.at(pool, 0);
    queue.copy_out(pool, cursor, out);
    EXPECT_EQ(out, octets_from(2048, 4096));
    queue.clear(pool);
    EXPECT_EQ(pool.available(), 2U);
}

TEST(ChunkQueue, IsWrittenInPlace) {
    ChunkPool pool(2);
    ChunkQueue queue;
    const auto octets = octets_from(0, 3000);
    auto room = queue.reserve(pool);
    ASSERT_EQ(room.size(), 2048U);
    std::memcpy(room.data(), octets.data(), 1000);
    queue.commit(1000);
    room = queue.reserve(pool);
    ASSERT_EQ(room.size(), 1048U);
    std::memcpy(room.data(), octets.data() + 1000, 1048);
    queue.commit(1048);
    ASSERT_EQ(queue.reserve(pool).size(), 2048U);
    queue.commit(0);
    EXPECT_EQ(queue.size(), 2048U);
    EXPECT_EQ(queue.append(pool, Octets(octets).subspan(2048)), 952U);
    EXPECT_EQ(pool.available(), 0U);
    std::vector<uint8_t> out(3000);
    auto cursor = queue.at(pool, 0);
    queue.copy_out(pool, cursor, out);
    EXPECT_EQ(out, octets);
    queue.clear(pool);
}

TEST(ChunkQueue, GivesBackAReservationThatWasNotUsed) {
    ChunkPool pool(2);
    ChunkQueue queue;
    ASSERT_FALSE(queue.reserve(pool).empty());
    EXPECT_EQ(pool.available(), 1U);
    queue.cancel(pool);
    EXPECT_EQ(pool.available(), 2U);
    // One that follows data goes back when the data does.
    ASSERT_EQ(queue.append(pool, octets_from(0, 2048)), 2048U);
    ASSERT_EQ(queue.reserve(pool).size(), 2048U);
    EXPECT_EQ(pool.available(), 0U);
    queue.cancel(pool);
    queue.drop_front(pool, 2048);
    EXPECT_EQ(pool.available(), 2U);
}

TEST(ChunkQueue, KeepsACursorThatStandsAtTheEndWhileAllIsDropped) {
    ChunkPool pool(4);
    for (const uint32_t n : {1U, 100U, 2047U, 2048U, 2049U, 4096U}) {
        ChunkQueue queue;
        queue.append(pool, octets_from(0, n));
        auto cursor = queue.at(pool, n);
        queue.drop_front(pool, n);
        ChunkQueue other;  // takes over the chunks that went back
        other.append(pool, octets_from(1000, 2048));
        queue.append(pool, octets_from(n, 500));
        std::vector<uint8_t> out(500);
        queue.copy_out(pool, cursor, out);
        EXPECT_EQ(out, octets_from(n, 500)) << n;
        EXPECT_EQ(cursor.position, n + 500);
        queue.clear(pool);
        other.clear(pool);
        EXPECT_EQ(pool.available(), 4U);
    }
}

TEST(ChunkQueue, KeepsACursorOfAnEmptyQueue) {
    ChunkPool pool(4);
    ChunkQueue queue;
    auto cursor = queue.at(pool, 0);
    queue.append(pool, octets_from(0, 3000));
    std::vector<uint8_t> out(3000);
    queue.copy_out(pool, cursor, out);
    EXPECT_EQ(out, octets_from(0, 3000));
    queue.clear(pool);
}

TEST(ChunkQueue, CountsPositionsFromWhereItWasToldTo) {
    ChunkPool pool(4);
    ChunkQueue queue;
    queue.restart(0xFFFFFFF0);
    queue.append(pool, octets_from(0, 100));
    EXPECT_EQ(queue.front_position(), 0xFFFFFFF0U);
    EXPECT_EQ(queue.end_position(), 84U);
    queue.drop_front(pool, 20);
    EXPECT_EQ(queue.front_position(), 4U);
    EXPECT_EQ(queue.at(pool, 10).position, 14U);
    queue.clear(pool);
    EXPECT_EQ(queue.front_position(), 84U);
}

// Model: a deque of octets. Several cursors run ahead at their own pace, as first transmission and
// retransmission do; a second queue makes the pool run out and reuse chunks.
class Differential {
  public:
    Differential(uint64_t seed, uint32_t front) : prng_(seed) {
        queue_.restart(front);
        cursors_.assign(3, queue_.at(pool_, 0));
    }

    void step() {
        switch (prng_.below(6)) {
            case 0:
                append();
                break;
            case 1:
                write_in_place();
                break;
            case 2:
                drop();
                break;
            case 3:
                read(cursors_[prng_.below(cursors_.size())]);
                break;
            case 4: {
                const auto offset = static_cast<uint32_t>(prng_.below(queue_.size() + 1U));
                cursors_[prng_.below(cursors_.size())] = queue_.at(pool_, offset);
                break;
            }
            default:
                disturb();
        }
        check();
    }
    void finish() {
        queue_.clear(pool_);
        other_.clear(pool_);
        ASSERT_EQ(pool_.available(), pool_.chunks());
    }

  private:
    uint32_t some(uint32_t most) {
        const uint32_t n = prng_.chance(1, 4) ? most : std::min(most, 300U);
        return static_cast<uint32_t>(prng_.below(n + 1U));
    }
    void append() {
        const auto octets = octets_from(static_cast<uint32_t>(prng_()), some(5000));
        const size_t taken = queue_.append(pool_, octets);
        ASSERT_TRUE(taken == octets.size() || pool_.available() == 0);
        model_.insert(model_.end(), octets.begin(), octets.begin() + static_cast<long>(taken));
    }
    void write_in_place() {
        const auto room = queue_.reserve(pool_);
        if (room.empty()) {
            ASSERT_EQ(pool_.available(), 0U);
            return;
        }
        const auto n = 1 + static_cast<uint32_t>(prng_.below(room.size()));
        const auto octets = octets_from(static_cast<uint32_t>(prng_()), n);
        std::memcpy(room.data(), octets.data(), n);
        queue_.commit(n);
        model_.insert(model_.end(), octets.begin(), octets.end());
    }
    void drop() {
        // Up to where the slowest cursor stands, or beyond; then those left behind are made anew.
        uint32_t n = some(queue_.size());
        if (prng_.chance(3, 4)) {
            for (const auto& cursor : cursors_) {
                n = std::min(n, cursor.position - queue_.front_position());
            }
        }
        queue_.drop_front(pool_, n);
        model_.erase(model_.begin(), model_.begin() + n);
        for (auto& cursor : cursors_) {
            if (cursor.position - queue_.front_position() > queue_.size()) {
                cursor = queue_.at(pool_, 0);
            }
        }
    }
    void read(ChunkQueue::Cursor& cursor) {
        const uint32_t offset = cursor.position - queue_.front_position();
        const uint32_t n = some(queue_.size() - offset);
        std::vector<uint8_t> out(n);
        if (prng_.chance(1, 2)) {
            queue_.copy_out(pool_, cursor, out);
        } else {
            const uint64_t sum = queue_.copy_out_and_sum(pool_, cursor, out);
            ASSERT_EQ(fold_sum(sum), fold_sum(sum_octets(out.data(), n)));
        }
        ASSERT_TRUE(std::equal(out.begin(), out.end(), model_.begin() + offset));
        ASSERT_EQ(cursor.position - queue_.front_position(), offset + n);
    }
    void disturb() {
        if (other_.size() > 8000) {
            other_.clear(pool_);
        } else {
            other_.append(pool_, octets_from(77, 3000));
        }
    }
    void check() {
        ASSERT_EQ(queue_.size(), model_.size());
        const Octets front = queue_.front(pool_);
        ASSERT_EQ(front.empty(), model_.empty());
        ASSERT_TRUE(std::equal(front.begin(), front.end(), model_.begin()));
        const auto needed = [](const ChunkQueue& queue, const ChunkPool& pool) -> uint32_t {
            if (queue.empty()) {
                return 0;
            }
            const auto first = static_cast<uint32_t>(queue.front(pool).size());
            return 1 + (queue.size() - first + 2047) / 2048;
        };
        ASSERT_EQ(pool_.chunks() - pool_.available(),
                  needed(queue_, pool_) + needed(other_, pool_));
    }

    Prng prng_;
    ChunkPool pool_{12};
    ChunkQueue queue_;
    ChunkQueue other_;
    std::deque<uint8_t> model_;
    std::vector<ChunkQueue::Cursor> cursors_;
};

TEST(ChunkQueue, EqualsADequeThroughRandomOperations) {
    for (const uint32_t front : {0U, 0xFFFFE000U, 0x7FFFFF00U}) {
        for (uint64_t seed = 1; seed <= 4; ++seed) {
            Differential run(seed, front);
            for (int step = 0; step < 20'000 && !::testing::Test::HasFatalFailure(); ++step) {
                run.step();
            }
            run.finish();
        }
    }
}

}  // namespace
}  // namespace sy::tcpip
