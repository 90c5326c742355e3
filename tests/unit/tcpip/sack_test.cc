#include "io/tcpip/sack.h"

#include <algorithm>
#include <initializer_list>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::tcpip {
namespace {

constexpr uint32_t mss = 100;
constexpr Seq una{1000};
constexpr Seq nxt{3000};

// [a, b) in units of segments from SND.UNA.
SackBlock segments(uint32_t a, uint32_t b, Seq from = una) {
    return {from + a * mss, from + b * mss};
}

SackUpdate update(Scoreboard& board, std::initializer_list<SackBlock> blocks) {
    return board.update(una, nxt, std::vector<SackBlock>(blocks));
}

std::vector<SackBlock> ranges(const Scoreboard& board) {
    return {board.ranges().begin(), board.ranges().end()};
}

TEST(Scoreboard, MergesWhatOverlapsAndTouches) {
    Scoreboard board;
    EXPECT_EQ(update(board, {segments(2, 3)}).newly_sacked, 100U);
    EXPECT_EQ(update(board, {segments(5, 6), segments(2, 3)}).newly_sacked, 100U);
    EXPECT_EQ(update(board, {segments(5, 8)}).newly_sacked, 200U);
    EXPECT_EQ(ranges(board), (std::vector{segments(2, 3), segments(5, 8)}));
    EXPECT_EQ(update(board, {segments(3, 5)}).newly_sacked, 200U);
    EXPECT_EQ(ranges(board), (std::vector{segments(2, 8)}));
    EXPECT_EQ(update(board, {segments(1, 9)}).newly_sacked, 200U);
    EXPECT_EQ(board.sacked_bytes(), 800U);
    EXPECT_EQ(update(board, {segments(4, 6)}).newly_sacked, 0U);
    EXPECT_TRUE(board.is_sacked(una + 100));
    EXPECT_FALSE(board.is_sacked(una + 99));
    EXPECT_TRUE(board.is_sacked(una + 899));
    EXPECT_FALSE(board.is_sacked(una + 900));
}

// Segments arrive one by one in these orders; blocks as a receiver makes them.
TEST(Scoreboard, MergesSegmentsInWhateverOrderTheyArrive) {
    for (const auto& order : {std::vector<uint32_t>{2, 6, 8, 3, 9}, {7, 3, 4, 8, 9}}) {
        Scoreboard board;
        for (const uint32_t segment : order) {
            EXPECT_EQ(update(board, {segments(segment, segment + 1)}).newly_sacked, 100U);
        }
        EXPECT_EQ(board.sacked_bytes(), 500U);
        EXPECT_EQ(ranges(board),
                  order[0] == 2 ? (std::vector{segments(2, 4), segments(6, 7), segments(8, 10)})
                                : (std::vector{segments(3, 5), segments(7, 10)}));
    }
}

TEST(Scoreboard, RefusesImpossibleBlocks) {
    Scoreboard board;
    // Behind the second block, since the first could be a D-SACK.
    const SackBlock good = segments(5, 6);
    for (const SackBlock bad :
         {SackBlock{nxt, nxt + 100}, SackBlock{nxt + 1000, nxt + 1100},      // never sent
          SackBlock{nxt - 100, nxt + 1},                                     // partly sent
          SackBlock{una + 200, una + 200}, SackBlock{una + 300, una + 200},  // empty, reversed
          SackBlock{una - 200, una - 100}, SackBlock{una - 100, una + 100},  // acknowledged
          SackBlock{una, una + 100},                // then the ACK would be higher
          SackBlock{una + 100, una + 0x80000100U},  // half the sequence space
          SackBlock{una + 0x80000000U, una + 0x80000064U}}) {
        const SackUpdate result = update(board, {good, bad});
        EXPECT_EQ(result.invalid, 1U) << bad.begin.value;
        EXPECT_FALSE(result.duplicate);
        EXPECT_EQ(ranges(board), (std::vector{good}));
    }
    EXPECT_EQ(update(board, {SackBlock{nxt, nxt + 100}}).invalid, 1U);
    EXPECT_EQ(update(board, {SackBlock{nxt - 100, nxt}}).invalid, 0U);
}

TEST(Scoreboard, ReportsDuplicatesAndStoresNone) {
    Scoreboard board;
    // RFC 2883 4.1: below the acknowledgement.
    SackUpdate result = update(board, {{una - 500, una - 400}});
    EXPECT_TRUE(result.duplicate);
    EXPECT_EQ(result.duplicate_block, (SackBlock{una - 500, una - 400}));
    EXPECT_TRUE(board.empty());
    // 4.2: inside of the second block.
    result = update(board, {segments(4, 5), segments(3, 8)});
    EXPECT_TRUE(result.duplicate);
    EXPECT_EQ(result.duplicate_block, segments(4, 5));
    EXPECT_EQ(result.newly_sacked, 500U);
    EXPECT_EQ(ranges(board), (std::vector{segments(3, 8)}));
    // Up to the acknowledgement exactly, with a block behind it.
    result = update(board, {{una - 100, una}, segments(9, 10)});
    EXPECT_TRUE(result.duplicate);
    EXPECT_EQ(result.newly_sacked, 100U);
    // Not duplicates: the second block, and the first outside of the second.
    EXPECT_FALSE(update(board, {segments(3, 8), segments(4, 5)}).duplicate);
    EXPECT_FALSE(update(board, {segments(11, 12), segments(3, 8)}).duplicate);
    EXPECT_FALSE(update(board, {segments(3, 8), segments(3, 8)}).duplicate);
    EXPECT_EQ(update(board, {segments(3, 8), {una - 200, una - 100}}).invalid, 1U);
}

TEST(Scoreboard, ForgetsWhatIsAcknowledgedAndEverythingAtATimeout) {
    Scoreboard board;
    update(board, {segments(2, 4), segments(6, 8), segments(10, 12)});
    board.advance(una + 300);
    EXPECT_EQ(ranges(board), (std::vector{segments(3, 4), segments(6, 8), segments(10, 12)}));
    board.advance(una + 900);
    EXPECT_EQ(ranges(board), (std::vector{segments(10, 12)}));
    EXPECT_EQ(board.sacked_bytes(), 200U);
    board.advance(una + 1200);
    EXPECT_TRUE(board.empty());
    update(board, {segments(14, 15)});
    board.clear();
    EXPECT_TRUE(board.empty());
    EXPECT_EQ(board.sacked_bytes(), 0U);
    EXPECT_EQ(board.next_segment(una, nxt, una, mss).rule, 0U);
    EXPECT_EQ(board.pipe(una, nxt, una, mss), 2000U);
}

// RFC 6675 by hand: segments 1, 3, 4 and 6 of ten arrived.
TEST(Scoreboard, FindsWhatIsLostAndWhatToSend) {
    Scoreboard board;
    const Seq end = una + 10 * mss;
    board.update(una, end, std::vector{segments(1, 2), segments(3, 5), segments(6, 7)});
    EXPECT_TRUE(board.is_lost(una, mss));              // three ranges above
    EXPECT_TRUE(board.is_lost(una + 200, mss));        // 300 octets above, more than two segments
    EXPECT_FALSE(board.is_lost(una + 500, mss));       // one segment above
    EXPECT_FALSE(board.is_lost(una + 200, mss + 50));  // 300 octets are two segments
    EXPECT_FALSE(board.is_lost(una + 900, mss));
    // 5, 7, 8, 9 are on their way; 0 and 2 are lost.
    EXPECT_EQ(board.pipe(una, end, una, mss), 400U);
    EXPECT_EQ(board.pipe(una, end, una + 100, mss), 500U);
    NextSegment next = board.next_segment(una, end, una, mss);
    EXPECT_EQ(next.rule, 1U);
    EXPECT_EQ(next.octets, segments(0, 1));
    next = board.next_segment(una, end, una + 40, mss);
    EXPECT_EQ(next.octets, (SackBlock{una + 40, una + 100}));  // to the end of the hole
    next = board.next_segment(una, end, una + 100, mss);
    EXPECT_EQ(next.rule, 1U);
    EXPECT_EQ(next.octets, segments(2, 3));
    next = board.next_segment(una, end, una + 300, mss);
    EXPECT_EQ(next.rule, 3U);
    EXPECT_EQ(next.octets, segments(5, 6));
    EXPECT_EQ(board.next_segment(una, end, una + 600, mss).rule, 0U);
}

TEST(Scoreboard, CutsAHoleIntoSegments) {
    Scoreboard board;
    update(board, {segments(4, 9)});
    EXPECT_EQ(board.next_segment(una, nxt, una, mss).octets, segments(0, 1));
    EXPECT_EQ(board.next_segment(una, nxt, una + 350, mss).octets,
              (SackBlock{una + 350, una + 400}));
}

// Beyond 32 ranges the smallest go; never an octet more than the peer reported.
TEST(Scoreboard, ForgetsTheSmallestRangesWhenFull) {
    Scoreboard board;
    for (uint32_t i = 0; i < 32; ++i) {
        const Seq begin = una + 20 + 40 * i;
        const SackBlock block{begin, begin + (i == 17 ? 5U : 10U)};
        EXPECT_EQ(update(board, {block}).newly_sacked, block.size());
    }
    const uint32_t before = board.sacked_bytes();
    EXPECT_EQ(update(board, {{una + 1500, una + 1505}}).newly_sacked, 0U);  // no better than 17
    EXPECT_EQ(board.sacked_bytes(), before);
    EXPECT_EQ(update(board, {{una + 1500, una + 1520}}).newly_sacked, 20U);
    EXPECT_EQ(board.sacked_bytes(), before + 20 - 5);
    EXPECT_FALSE(board.is_sacked(una + 20 + 40 * 17));
    EXPECT_EQ(board.ranges().size(), 32U);
    // What joins ranges needs no room.
    EXPECT_EQ(update(board, {{una + 30, una + 60}}).newly_sacked, 30U);
    EXPECT_EQ(board.ranges().size(), 31U);
}

// Model: one flag an octet, and RFC 6675's definitions taken literally.
class Differential {
  public:
    Differential(uint64_t seed, Seq first) : prng_(seed), una_(first), nxt_(first) {}

    void step() {
        if (prng_.chance(1, 4)) {
            send();
        } else if (prng_.chance(1, 5)) {
            acknowledge();
        } else if (prng_.chance(1, 60)) {
            board_.clear();
            std::fill(sacked_.begin(), sacked_.end(), false);
        } else {
            report();
        }
        check();
    }

  private:
    // Segments of some sizes, on a grid, so that ranges meet often.
    static constexpr uint32_t grid = 10;
    static constexpr uint32_t small_mss = 20;
    static constexpr uint32_t window = 60 * grid;  // 30 ranges at most

    void send() {
        const auto room = window - static_cast<uint32_t>(sacked_.size());
        const uint32_t n = std::min(room, grid * static_cast<uint32_t>(prng_.below(10)));
        nxt_ += n;
        sacked_.resize(sacked_.size() + n, false);
    }
    void acknowledge() {
        // To anywhere in the window, then over what was sacked there, as a receiver would.
        size_t n = prng_.below(sacked_.size() / 3 + 1) / grid * grid;
        while (n < sacked_.size() && sacked_[n]) {
            ++n;
        }
        sacked_.erase(sacked_.begin(), sacked_.begin() + static_cast<long>(n));
        una_ += static_cast<uint32_t>(n);
        board_.advance(una_);
    }
    SackBlock random_block() {
        const auto a = static_cast<uint32_t>(prng_.below(window / grid + 8)) * grid;
        const auto n = (prng_.chance(1, 20) ? 0 : 1 + static_cast<uint32_t>(prng_.below(6))) * grid;
        return {una_ + a - 4 * grid, una_ + a + n - 4 * grid};
    }
    void report() {
        std::vector<SackBlock> blocks(1 + prng_.below(4));
        for (auto& block : blocks) {
            block = random_block();
        }
        const SackUpdate result = board_.update(una_, nxt_, blocks);
        uint32_t newly = 0;
        uint32_t invalid = 0;
        bool duplicate = false;
        for (size_t i = 0; i < blocks.size(); ++i) {
            // Distances from SND.UNA as plain integers.
            const auto begin = static_cast<int32_t>(blocks[i].begin.value - una_.value);
            const auto end = static_cast<int32_t>(blocks[i].end.value - una_.value);
            const auto size = static_cast<int32_t>(sacked_.size());
            if (i == 0 && begin < end && (end <= 0 || in_second(blocks, size))) {
                duplicate = true;
            } else if (begin <= 0 || begin >= end || end > size) {
                ++invalid;
            } else {
                for (int32_t at = begin; at < end; ++at) {
                    newly += sacked_[static_cast<size_t>(at)] ? 0U : 1U;
                    sacked_[static_cast<size_t>(at)] = true;
                }
            }
        }
        ASSERT_EQ(result.newly_sacked, newly);
        ASSERT_EQ(result.invalid, invalid);
        ASSERT_EQ(result.duplicate, duplicate);
    }
    bool in_second(const std::vector<SackBlock>& blocks, int32_t size) const {
        if (blocks.size() < 2 || blocks[0] == blocks[1]) {
            return false;
        }
        const auto from_una = [this](Seq seq) {
            return static_cast<int32_t>(seq.value - una_.value);
        };
        return from_una(blocks[1].begin) <= from_una(blocks[0].begin) &&
               from_una(blocks[0].end) <= from_una(blocks[1].end) &&
               from_una(blocks[0].end) <= size;
    }
    // RFC 6675 section 4, IsLost.
    bool lost(size_t at) const {
        uint32_t bytes = 0;
        uint32_t runs = 0;
        for (size_t i = at + 1; i < sacked_.size(); ++i) {
            bytes += sacked_[i] ? 1U : 0U;
            runs += sacked_[i] && !sacked_[i - 1] ? 1U : 0U;
        }
        return runs >= 3 || bytes > 2 * small_mss;
    }
    void check() {
        ASSERT_EQ(board_.sacked_bytes(), std::count(sacked_.begin(), sacked_.end(), true));
        const auto high = static_cast<uint32_t>(prng_.below(sacked_.size() + 1));
        const size_t highest = static_cast<size_t>(
            std::find(sacked_.rbegin(), sacked_.rend(), true).base() - sacked_.begin());
        uint32_t pipe = 0;
        size_t first_lost = sacked_.size();
        size_t first_hole = sacked_.size();
        // What is lost is below what is not: from the end until the first that is.
        bool any_lost = false;
        std::vector<bool> is_lost(sacked_.size(), false);
        for (size_t at = sacked_.size(); at-- > 0;) {
            ASSERT_EQ(board_.is_sacked(una_ + static_cast<uint32_t>(at)), sacked_[at]);
            if (sacked_[at]) {
                continue;
            }
            any_lost = any_lost || (at < highest && lost(at));
            is_lost[at] = any_lost;
            if (at % grid == 0) {
                ASSERT_EQ(board_.is_lost(una_ + static_cast<uint32_t>(at), small_mss), any_lost);
            }
            pipe += (any_lost ? 0U : 1U) + (at < high ? 1U : 0U);
            if (at >= high && at < highest) {
                first_hole = at;
                first_lost = any_lost ? at : first_lost;
            }
        }
        ASSERT_EQ(board_.pipe(una_, nxt_, una_ + high, small_mss), pipe);
        const NextSegment next = board_.next_segment(una_, nxt_, una_ + high, small_mss);
        const uint32_t rule = first_lost < sacked_.size() ? 1 : first_hole < sacked_.size() ? 3 : 0;
        ASSERT_EQ(next.rule, rule);
        if (rule != 0) {
            size_t end = first_hole;
            while (end < highest && !sacked_[end] && end < first_hole + small_mss) {
                ++end;
            }
            ASSERT_EQ(next.octets.begin, una_ + static_cast<uint32_t>(first_hole));
            ASSERT_EQ(next.octets.end, una_ + static_cast<uint32_t>(end));
        }
    }

    Prng prng_;
    Scoreboard board_;
    Seq una_;
    Seq nxt_;
    std::vector<bool> sacked_;  // from una_ to nxt_
};

TEST(Scoreboard, EqualsOneFlagAnOctetThroughRandomReports) {
    for (const uint32_t first : {0U, 0xFFFFFE00U, 0x7FFFFE00U}) {
        for (uint64_t seed = 1; seed <= 3; ++seed) {
            Differential run(seed, Seq{first});
            for (int step = 0; step < 2500 && !::testing::Test::HasFatalFailure(); ++step) {
                run.step();
            }
            ASSERT_FALSE(::testing::Test::HasFatalFailure()) << "seed " << seed;
        }
    }
}

// More ranges than fit: nothing is claimed that was not reported, and the sums hold.
TEST(Scoreboard, ClaimsNothingUnreportedWhenFull) {
    Prng prng(9);
    for (int round = 0; round < 200; ++round) {
        Scoreboard board;
        const Seq base{static_cast<uint32_t>(prng())};
        std::vector<bool> reported(2000, false);
        for (int i = 0; i < 150; ++i) {
            const auto begin = 1 + static_cast<uint32_t>(prng.below(1980));
            const auto n = 1 + static_cast<uint32_t>(prng.below(12));
            const std::vector<SackBlock> blocks{{base + begin, base + begin + n}};
            const uint32_t before = board.sacked_bytes();
            const uint32_t newly = board.update(base, base + 2000, blocks).newly_sacked;
            ASSERT_LE(newly, n);
            ASSERT_LE(board.sacked_bytes(), before + newly);
            std::fill_n(reported.begin() + begin, n, true);
            uint32_t sum = 0;
            Seq last_end = base;
            for (const SackBlock& range : board.ranges()) {
                ASSERT_GT(range.begin, last_end);
                ASSERT_GT(range.end, range.begin);
                last_end = range.end;
                sum += range.size();
                for (Seq at = range.begin; at < range.end; at += 1) {
                    ASSERT_TRUE(reported[at - base]);
                }
            }
            ASSERT_EQ(sum, board.sacked_bytes());
            ASSERT_LE(board.ranges().size(), 32U);
        }
    }
}

}  // namespace
}  // namespace sy::tcpip
