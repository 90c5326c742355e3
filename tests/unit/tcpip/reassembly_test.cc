#include "io/tcpip/reassembly.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::tcpip {
namespace {

using Outcome = Reassembly::Outcome;

constexpr Seq start{1000};

std::vector<SackBlock> blocks_of(const Reassembly& held, size_t most = 32) {
    std::vector<SackBlock> out(most);
    out.resize(held.sack_blocks(out));
    return out;
}

// All octets that are in order from rcv_nxt on, which moves over them.
std::vector<uint8_t> deliver(Reassembly& held, ChunkPool& pool, Seq& rcv_nxt) {
    std::vector<uint8_t> out;
    while (held.ready(rcv_nxt)) {
        const Octets piece = held.front(pool, rcv_nxt);
        EXPECT_FALSE(piece.empty());
        out.insert(out.end(), piece.begin(), piece.end());
        held.consume(pool, static_cast<uint32_t>(piece.size()));
        rcv_nxt += static_cast<uint32_t>(piece.size());
    }
    EXPECT_TRUE(held.front(pool, rcv_nxt).empty());
    return out;
}

class ReassemblyTest : public ::testing::Test {
  protected:
    ReassemblyTest() { held_.open(60'000); }
    ~ReassemblyTest() override {
        held_.clear(pool_);
        EXPECT_EQ(pool_.available(), pool_.chunks());
        EXPECT_TRUE(held_.empty());
        EXPECT_EQ(held_.held_bytes(), 0U);
    }
    Outcome insert(uint32_t offset, std::string_view text, bool fin = false) {
        return held_.insert(pool_, start, start + offset, as_octets(text), fin);
    }
    static SackBlock block(uint32_t begin, uint32_t end) { return {start + begin, start + end}; }

    ChunkPool pool_{64};
    Reassembly held_;
};

TEST_F(ReassemblyTest, DeliversWhenTheGapIsFilled) {
    EXPECT_EQ(insert(3, "def"), Outcome::stored);
    EXPECT_FALSE(held_.ready(start));
    EXPECT_TRUE(held_.front(pool_, start).empty());
    EXPECT_TRUE(held_.ready(start + 3));
    Seq rcv_nxt = start + 3;  // "abc" arrived and was delivered
    EXPECT_EQ(deliver(held_, pool_, rcv_nxt), (std::vector<uint8_t>{'d', 'e', 'f'}));
    EXPECT_EQ(rcv_nxt, start + 6);
}

TEST_F(ReassemblyTest, DropsWhatTheCallerDeliveredItself) {
    insert(3, "def");
    insert(10, "klm");
    Seq rcv_nxt = start + 11;  // a segment over all of it
    EXPECT_TRUE(held_.ready(rcv_nxt));
    EXPECT_EQ(deliver(held_, pool_, rcv_nxt), (std::vector<uint8_t>{'l', 'm'}));
    EXPECT_TRUE(held_.empty());
}

TEST_F(ReassemblyTest, KeepsTheFirstCopyOfAnOctet) {
    insert(4, "efgh");
    EXPECT_EQ(insert(2, "XXXXXXXX"), Outcome::stored);
    EXPECT_EQ(insert(2, "ZZZZZZZZ"), Outcome::duplicate);
    EXPECT_EQ(insert(4, "ZZ"), Outcome::duplicate);
    Seq rcv_nxt = start + 2;
    EXPECT_EQ(deliver(held_, pool_, rcv_nxt),
              (std::vector<uint8_t>{'X', 'X', 'e', 'f', 'g', 'h', 'X', 'X'}));
}

TEST_F(ReassemblyTest, TakesNothingBeforeRcvNxt) {
    const Seq rcv_nxt = start + 5;
    EXPECT_EQ(held_.insert(pool_, rcv_nxt, start, as_octets("abcde"), false), Outcome::duplicate);
    EXPECT_EQ(held_.insert(pool_, rcv_nxt, start, as_octets("abcdefg"), false), Outcome::stored);
    EXPECT_EQ(held_.held_bytes(), 2U);
}

TEST_F(ReassemblyTest, ReportsTheLatestBlockFirst) {
    insert(10, "a");
    insert(20, "b");
    insert(30, "c");
    EXPECT_EQ(blocks_of(held_), (std::vector{block(30, 31), block(20, 21), block(10, 11)}));
    insert(11, "a");
    EXPECT_EQ(blocks_of(held_), (std::vector{block(10, 12), block(30, 31), block(20, 21)}));
    insert(20, "b");  // a duplicate, but the segment that is acknowledged now
    EXPECT_EQ(blocks_of(held_, 2), (std::vector{block(20, 21), block(10, 12)}));
    insert(21, "bbbbbbbbb");  // joins two
    EXPECT_EQ(blocks_of(held_), (std::vector{block(20, 31), block(10, 12)}));
    EXPECT_TRUE(blocks_of(held_, 0).empty());
}

TEST_F(ReassemblyTest, RemembersTheFinAndRefusesWhatContradictsIt) {
    EXPECT_EQ(insert(10, "abc", true), Outcome::stored);
    EXPECT_EQ(blocks_of(held_), (std::vector{block(10, 14)}));  // the FIN has been received too
    EXPECT_EQ(insert(13, "d"), Outcome::beyond_fin);
    EXPECT_EQ(insert(12, "cd"), Outcome::beyond_fin);
    EXPECT_EQ(insert(10, "ab", true), Outcome::beyond_fin);
    EXPECT_EQ(insert(10, "abc", true), Outcome::duplicate);
    EXPECT_EQ(insert(13, "", true), Outcome::duplicate);
    EXPECT_EQ(insert(0, "0123456789"), Outcome::stored);
    Seq rcv_nxt = start;
    EXPECT_FALSE(held_.fin_ready(rcv_nxt));
    EXPECT_EQ(deliver(held_, pool_, rcv_nxt).size(), 13U);
    EXPECT_TRUE(held_.fin_ready(rcv_nxt));
    EXPECT_FALSE(held_.empty());
}

TEST_F(ReassemblyTest, RefusesAFinBeforeWhatIsThere) {
    insert(10, "abc");
    EXPECT_EQ(insert(5, "x", true), Outcome::beyond_fin);
    EXPECT_EQ(insert(9, "zab", true), Outcome::beyond_fin);
    EXPECT_EQ(held_.insert(pool_, start + 5, start, as_octets("x"), true), Outcome::beyond_fin);
    EXPECT_EQ(held_.held_bytes(), 3U);
    EXPECT_EQ(insert(20, "", true), Outcome::duplicate);  // a bare FIN out of order
    EXPECT_EQ(insert(13, "1234567"), Outcome::stored);
    Seq rcv_nxt = start + 10;
    deliver(held_, pool_, rcv_nxt);
    EXPECT_TRUE(held_.fin_ready(rcv_nxt));
}

TEST_F(ReassemblyTest, HoldsAtMost32Ranges) {
    for (uint32_t i = 0; i < 32; ++i) {
        EXPECT_EQ(insert(10 + 4 * i, "ab"), Outcome::stored);
    }
    EXPECT_EQ(insert(500, "x"), Outcome::full);
    EXPECT_EQ(insert(6, "x"), Outcome::full);
    EXPECT_EQ(held_.held_bytes(), 64U);
    EXPECT_EQ(insert(10 + 2, "c"), Outcome::stored);      // grows one at its end
    EXPECT_EQ(insert(10 + 4 - 1, "d"), Outcome::stored);  // and joins
    EXPECT_EQ(held_.range_count(), 31U);
    EXPECT_EQ(insert(500, "x"), Outcome::stored);
    EXPECT_EQ(insert(9, "x"), Outcome::stored);  // at the front of one, without a range of its own
    EXPECT_EQ(held_.range_count(), 32U);
    // Covers one, then the gap up to the next, then a place without room for a range.
    EXPECT_EQ(insert(499, "yyy"), Outcome::stored);
    EXPECT_EQ(insert(600, "x"), Outcome::full);
}

TEST_F(ReassemblyTest, KeepsItsLimitOfOctets) {
    held_.open(10);
    EXPECT_EQ(insert(5, "abcdef"), Outcome::stored);
    EXPECT_EQ(insert(20, "ghijklm"), Outcome::partly);
    EXPECT_EQ(held_.held_bytes(), 10U);
    EXPECT_EQ(blocks_of(held_)[0], block(20, 24));
    EXPECT_EQ(insert(30, "x"), Outcome::full);
    EXPECT_EQ(insert(20, "ghij"), Outcome::duplicate);
    Seq rcv_nxt = start + 5;
    EXPECT_EQ(deliver(held_, pool_, rcv_nxt).size(), 6U);
    EXPECT_EQ(insert(24, "klm"), Outcome::stored);
}

TEST_F(ReassemblyTest, StoresWhatThePoolHasRoomFor) {
    ChunkQueue other;
    const std::vector<uint8_t> octets(64 * 2048, 1);
    ASSERT_EQ(other.append(pool_, Octets(octets).first(62 * 2048)), 62U * 2048);
    const Octets segment = Octets(octets).first(5000);
    // Sequence number 2048 * 2: two whole chunks.
    EXPECT_EQ(held_.insert(pool_, start, Seq{4096}, segment, false), Outcome::partly);
    EXPECT_EQ(held_.held_bytes(), 4096U);
    EXPECT_EQ(held_.insert(pool_, start, Seq{20'000}, segment, false), Outcome::no_memory);
    EXPECT_EQ(held_.range_count(), 1U);
    other.clear(pool_);
}

// With 32 ranges there is no room for one more; a segment that would fill the gap before a range
// meets the end of the pool halfway and leaves nothing behind.
TEST_F(ReassemblyTest, LeavesNothingOfAJoinThatDidNotSucceed) {
    for (uint32_t i = 0; i < 32; ++i) {
        ASSERT_EQ(insert(10'000 + 4 * i, "ab"), Outcome::stored);
    }
    ChunkQueue other;
    const std::vector<uint8_t> octets(64 * 2048, 1);
    ASSERT_EQ(other.append(pool_, Octets(octets).first(31 * 2048)), 31U * 2048);
    ASSERT_EQ(pool_.available(), 1U);
    EXPECT_EQ(held_.insert(pool_, start, start + 5000, Octets(octets).first(5000), false),
              Outcome::full);
    EXPECT_EQ(pool_.available(), 1U);
    EXPECT_EQ(held_.held_bytes(), 64U);
    EXPECT_EQ(held_.range_count(), 32U);
    other.clear(pool_);
}

// Two intervals are held, a third comes in every relative position; around chunk borders and where
// sequence numbers wrap.
TEST(Reassembly, JoinsOverlapsInEveryRelativePosition) {
    ChunkPool pool(16);
    constexpr uint32_t positions = 17;
    for (const uint32_t base : {5000U, 4096U - 8, 4096U - 4, 0U - 8, 0U - 11, 0x80000000U - 7}) {
        for (uint32_t begin = 0; begin < positions; ++begin) {
            for (uint32_t end = begin + 1; end <= positions; ++end) {
                for (const bool swapped : {false, true}) {
                    Reassembly held;
                    held.open(1000);
                    std::array<char, positions> model{};
                    const auto put = [&](uint32_t from, uint32_t to, char letter) {
                        const std::string text(to - from, letter);
                        held.insert(pool, Seq{base}, Seq{base + from}, as_octets(text), false);
                        for (uint32_t i = from; i < to; ++i) {
                            model[i] = model[i] == 0 ? letter : model[i];
                        }
                    };
                    swapped ? put(10, 13, 'b') : put(4, 7, 'a');
                    swapped ? put(4, 7, 'a') : put(10, 13, 'b');
                    put(begin, end, 'c');
                    Seq rcv_nxt{base};
                    for (uint32_t i = 0; i < positions;) {
                        if (model[i] == 0) {
                            ASSERT_FALSE(held.ready(rcv_nxt));
                            ++i;
                            rcv_nxt += 1;
                            continue;
                        }
                        const auto got = deliver(held, pool, rcv_nxt);
                        ASSERT_FALSE(got.empty()) << base << " " << begin << " " << end;
                        for (const uint8_t octet : got) {
                            ASSERT_EQ(octet, model[i++]) << base << " " << begin << " " << end;
                        }
                    }
                    ASSERT_EQ(held.held_bytes(), 0U);
                    ASSERT_EQ(pool.available(), pool.chunks());
                }
            }
        }
    }
}

// Model: one optional octet for each place of the window. Segments repeat octets with different
// contents. Where a limit is met, the model takes over what the blocks say is held, after it has
// checked that all of it was offered.
class Differential {
  public:
    Differential(uint64_t seed, Seq first, uint32_t bytes_max, uint32_t chunks)
        : prng_(seed), pool_(chunks), bytes_max_(bytes_max), rcv_nxt_(first), model_(window) {
        held_.open(bytes_max);
    }

    void step() {
        if (prng_.chance(1, 12)) {
            receive_in_order();
        } else {
            receive_out_of_order();
        }
        check_ranges();
    }
    void finish() {
        held_.clear(pool_);
        ASSERT_EQ(pool_.available(), pool_.chunks());
    }

  private:
    static constexpr uint32_t window = 9000;  // several chunks

    void receive_out_of_order() {
        const auto from = 1 + static_cast<uint32_t>(prng_.below(window - 1));
        const auto most = prng_.chance(1, 3) ? 3000U : 250U;
        const auto n = std::min(window - from, 1 + static_cast<uint32_t>(prng_.below(most)));
        std::vector<uint8_t> payload(n);
        for (auto& octet : payload) {
            octet = static_cast<uint8_t>(prng_());
        }
        const uint32_t before = held_.held_bytes();
        const Outcome outcome = held_.insert(pool_, rcv_nxt_, rcv_nxt_ + from, payload, false);
        const uint32_t stored = held_.held_bytes() - before;
        const auto ranges = blocks_of(held_);
        uint32_t missing = 0;
        uint32_t taken = 0;
        for (uint32_t i = 0; i < n; ++i) {
            auto& place = model_[from + i];
            if (place.has_value()) {
                continue;
            }
            ++missing;
            if (outcome == Outcome::stored || holds(ranges, rcv_nxt_ + from + i)) {
                place = payload[i];
                ++taken;
            }
        }
        ASSERT_EQ(stored, taken);
        ASSERT_LE(held_.held_bytes(), bytes_max_);
        switch (outcome) {
            case Outcome::stored:
                ASSERT_GT(missing, 0U);
                break;
            case Outcome::duplicate:
                ASSERT_EQ(missing, 0U);
                break;
            case Outcome::partly:
                ASSERT_GT(taken, 0U);
                ASSERT_LT(taken, missing);
                ASSERT_TRUE(at_a_limit());
                break;
            case Outcome::full:
            case Outcome::no_memory:
                ASSERT_EQ(taken, 0U);
                ASSERT_GT(missing, 0U);
                ASSERT_TRUE(at_a_limit());
                break;
            case Outcome::beyond_fin:
                FAIL();
        }
        if (missing != 0 || outcome == Outcome::duplicate) {
            // RFC 2018: the first block is the one that the segment belongs to.
            ASSERT_TRUE((stored == 0 && missing != 0) ||
                        (ranges[0].begin < rcv_nxt_ + from + n && rcv_nxt_ + from < ranges[0].end));
        }
    }
    bool at_a_limit() const {
        return held_.held_bytes() == bytes_max_ || pool_.available() == 0 ||
               held_.range_count() >= 31;
    }
    // The missing octets at rcv_nxt come and are delivered at once, as the caller does it;
    // sometimes they reach into what is held, or beyond it.
    void receive_in_order() {
        const auto n = static_cast<uint32_t>(prng_.below(prng_.chance(1, 4) ? 4000 : 600));
        rcv_nxt_ += n;
        shift(n);
        uint32_t expected = 0;
        while (expected < window && model_[expected].has_value()) {
            ++expected;
        }
        ASSERT_EQ(held_.ready(rcv_nxt_), expected != 0);
        const auto got = deliver(held_, pool_, rcv_nxt_);
        ASSERT_EQ(got.size(), expected);
        for (uint32_t i = 0; i < expected; ++i) {
            ASSERT_EQ(got[i], *model_[i]);
        }
        shift(expected);
    }
    void shift(uint32_t n) {
        std::move(model_.begin() + n, model_.end(), model_.begin());
        std::fill(model_.end() - n, model_.end(), std::nullopt);
    }
    static bool holds(const std::vector<SackBlock>& ranges, Seq seq) {
        return std::any_of(ranges.begin(), ranges.end(), [seq](const SackBlock& range) {
            return range.begin <= seq && seq < range.end;
        });
    }
    void check_ranges() {
        auto ranges = blocks_of(held_);
        ASSERT_EQ(ranges.size(), held_.range_count());
        std::sort(ranges.begin(), ranges.end(),
                  [](const SackBlock& a, const SackBlock& b) { return a.begin < b.begin; });
        std::vector<SackBlock> expected;
        uint32_t bytes = 0;
        for (uint32_t i = 0; i < window; ++i) {
            if (!model_[i].has_value()) {
                continue;
            }
            ++bytes;
            if (i == 0 || !model_[i - 1].has_value()) {
                expected.push_back({rcv_nxt_ + i, rcv_nxt_ + i});
            }
            expected.back().end += 1;
        }
        ASSERT_EQ(ranges, expected);
        ASSERT_EQ(held_.held_bytes(), bytes);
        ASSERT_LE(pool_.chunks() - pool_.available(), bytes / 2048 + 2 * expected.size());
    }

    Prng prng_;
    ChunkPool pool_;
    uint32_t bytes_max_;
    Reassembly held_;
    Seq rcv_nxt_;
    std::vector<std::optional<uint8_t>> model_;  // from rcv_nxt_ on
};

void run_differential(uint32_t bytes_max, uint32_t chunks) {
    for (const uint32_t first : {1U, 0U - 20'000, 0x80000000U - 20'000}) {
        for (uint64_t seed = 1; seed <= 2; ++seed) {
            Differential run(seed, Seq{first}, bytes_max, chunks);
            for (int step = 0; step < 4000 && !::testing::Test::HasFatalFailure(); ++step) {
                run.step();
            }
            ASSERT_FALSE(::testing::Test::HasFatalFailure()) << "seed " << seed;
            run.finish();
        }
    }
}

TEST(Reassembly, EqualsAMapOfOctetsWithoutLimits) {
    run_differential(1U << 20, 64);
}
TEST(Reassembly, EqualsAMapOfOctetsWithinALimitOfOctets) {
    run_differential(2500, 64);
}
TEST(Reassembly, EqualsAMapOfOctetsWithFewChunks) {
    run_differential(1U << 20, 5);
}

TEST(ReassemblyPool, GivesEmptyObjects) {
    ChunkPool chunks(4);
    ReassemblyPool pool(1);
    const uint32_t index = pool.acquire();
    ASSERT_NE(index, ReassemblyPool::none);
    EXPECT_EQ(pool.acquire(), ReassemblyPool::none);
    pool[index].open(100);
    pool[index].insert(chunks, start, start + 5, as_octets("abc"), true);
    pool[index].clear(chunks);
    pool.release(index);
    EXPECT_EQ(chunks.available(), 4U);
    const uint32_t again = pool.acquire();
    EXPECT_TRUE(pool[again].empty());
    EXPECT_FALSE(pool[again].fin_ready(start + 8));
}

}  // namespace
}  // namespace sy::tcpip
