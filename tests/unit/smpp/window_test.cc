#include "core/smpp/window.h"

#include <algorithm>
#include <deque>
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::smpp {
namespace {

using Numbers = std::vector<uint32_t>;

Numbers expire(Window<int>& window, Nanos now_ns, Nanos timeout_ns) {
    Numbers given_up;
    window.expire_oldest(now_ns, timeout_ns,
                         [&](uint32_t sequence, int&) { given_up.push_back(sequence); });
    return given_up;
}

TEST(Window, NumbersFrom1AndFindsPayloads) {
    Window<int> window(4);
    EXPECT_EQ(window.push(0, 10), 1u);
    EXPECT_EQ(window.push(0, 20), 2u);
    EXPECT_EQ(window.outstanding(), 2u);
    EXPECT_EQ(window.take(2), 20);
    EXPECT_EQ(window.take(2), std::nullopt);
    EXPECT_EQ(window.take(1), 10);
    EXPECT_EQ(window.outstanding(), 0u);
}

TEST(Window, NumbersWrapTo1) {
    Window<int> window(4, sequence_number_max);
    EXPECT_EQ(window.push(0, 1), sequence_number_max);
    EXPECT_EQ(window.push(0, 2), 1u);
    EXPECT_EQ(window.take(sequence_number_max), 1);
    EXPECT_EQ(window.take(1), 2);
}

TEST(Window, RefusesNumbersItNeverIssued) {
    Window<int> window(4);
    window.push(0, 1);
    for (const uint32_t sequence : {0u, 2u, 9u, 17u, 0x80000001u, 0xFFFFFFFFu}) {
        EXPECT_EQ(window.take(sequence), std::nullopt) << sequence;
        EXPECT_EQ(window.take_late(sequence), std::nullopt) << sequence;
    }
    EXPECT_EQ(window.outstanding(), 1u);
}

TEST(Window, IsFullAtItsLimit) {
    Window<int> window(3);
    for (int i = 0; i < 3; ++i) {
        EXPECT_FALSE(window.full());
        window.push(0, i);
    }
    EXPECT_TRUE(window.full());
    EXPECT_EQ(window.take(2), 1);
    EXPECT_FALSE(window.full());
}

TEST(Window, OneUnansweredRequestDoesNotHoldUpTheOthers) {
    Window<int> window(4);
    const uint32_t stuck = window.push(0, -1);
    for (int i = 0; i < 10'000; ++i) {
        const uint32_t sequence = window.push(0, i);
        ASSERT_NE(sequence, stuck);
        ASSERT_EQ(window.take(sequence), i);
    }
    EXPECT_EQ(window.take(stuck), -1);
}

TEST(Window, GivesUpOldestFirstAtTheTimeout) {
    Window<int> window(8);
    window.push(100, 1);
    window.push(200, 2);
    window.push(300, 3);
    EXPECT_EQ(window.oldest_issued_ns(), Nanos{100});
    EXPECT_EQ(expire(window, 1099, 1000), Numbers{});
    EXPECT_EQ(expire(window, 1200, 1000), (Numbers{1, 2}));
    EXPECT_EQ(window.oldest_issued_ns(), Nanos{300});
    EXPECT_EQ(window.outstanding(), 1u);
}

TEST(Window, RecognisesALateResponseOnce) {
    Window<int> window(8);
    const uint32_t sequence = window.push(0, 7);
    window.expire_oldest(10, 10, [](uint32_t, int& payload) { payload = 8; });
    EXPECT_EQ(window.take(sequence), std::nullopt);
    EXPECT_EQ(window.take_late(sequence), 8);  // as the callback left it
    EXPECT_EQ(window.take_late(sequence), std::nullopt);
}

TEST(Window, RemembersLateOnesThroughLaterTraffic) {
    Window<int> window(8);
    const uint32_t late = window.push(0, 7);
    EXPECT_EQ(expire(window, 10, 10), Numbers{late});
    for (int i = 0; i < 10'000; ++i) {
        ASSERT_EQ(window.take(window.push(20, i)), i);
    }
    EXPECT_EQ(window.take_late(late), 7);
}

TEST(Window, ForgetsTheOldestLateOnesUnderPressure) {
    Window<int> window(8);
    for (int round = 0; round < 100; ++round) {
        for (int i = 0; i < 8; ++i) {
            window.push(0, i);
        }
        EXPECT_EQ(expire(window, 1, 1).size(), 8u);
    }
    EXPECT_EQ(window.take_late(1), std::nullopt);
    EXPECT_EQ(window.push(2, 5), 801u);
}

TEST(Window, DrainReportsInOrderAndStartsOver) {
    Window<int> window(8);
    window.push(0, 1);
    window.push(5, 2);
    window.push(5, 3);
    EXPECT_EQ(expire(window, 4, 4), Numbers{1});
    Numbers lost;
    window.drain([&](uint32_t sequence, int) { lost.push_back(sequence); });
    EXPECT_EQ(lost, (Numbers{2, 3}));
    EXPECT_EQ(window.outstanding(), 0u);
    EXPECT_EQ(window.take_late(1), std::nullopt);
    EXPECT_EQ(window.push(0, 9), 1u);
}

TEST(Window, NextSequenceTakesNoPlace) {
    Window<int> window(1);
    window.push(0, 1);
    EXPECT_EQ(window.next_sequence(), 2u);
    EXPECT_EQ(window.take(2), std::nullopt);
    EXPECT_TRUE(window.full());
}

// The model keeps every request in an ordered map by issue and never forgets a late one; the window
// may forget, but must never be wrong about one that it knows.
struct Model {
    struct Request {
        uint32_t sequence;
        Nanos issued_ns;
        uint64_t payload;
    };
    std::map<uint64_t, Request> by_issue;
    std::map<uint32_t, uint64_t> issue_of;
    std::map<uint32_t, uint64_t> late;
    uint64_t issued = 0;
};

class Differential {
  public:
    Differential(uint64_t seed, uint32_t limit, uint32_t first)
        : prng_(seed), window_(limit, first) {}

    void step() {
        now_ns_ += prng_.below(4);
        switch (prng_.below(8)) {
            case 0:
            case 1:
            case 2:
            case 3:
                return push();
            case 4:
            case 5:
                return take();
            case 6:
                return take_late();
            default:
                return expire();
        }
    }
    [[nodiscard]] size_t late_hits() const { return late_hits_; }

  private:
    void push() {
        ASSERT_EQ(window_.outstanding(), model_.by_issue.size());
        if (window_.full()) {
            return;
        }
        const uint64_t payload = prng_();
        const uint32_t sequence = window_.push(now_ns_, payload);
        ASSERT_GE(sequence, sequence_number_min);
        ASSERT_LE(sequence, sequence_number_max);
        ASSERT_FALSE(model_.issue_of.contains(sequence)) << "reused while outstanding";
        model_.late.erase(sequence);  // only after the window forgot it
        model_.issue_of[sequence] = model_.issued;
        model_.by_issue[model_.issued++] = {sequence, now_ns_, payload};
        recent_.push_back(sequence);
        if (recent_.size() > 64) {
            recent_.pop_front();
        }
    }
    uint32_t some_sequence() {
        if (recent_.empty() || prng_.chance(1, 16)) {
            return static_cast<uint32_t>(prng_());
        }
        return recent_[prng_.below(recent_.size())];
    }
    void take() {
        const uint32_t sequence = some_sequence();
        const auto found = model_.issue_of.find(sequence);
        const auto payload = window_.take(sequence);
        ASSERT_EQ(payload.has_value(), found != model_.issue_of.end());
        if (payload) {
            ASSERT_EQ(*payload, model_.by_issue[found->second].payload);
            model_.by_issue.erase(found->second);
            model_.issue_of.erase(found);
        }
    }
    void take_late() {
        const uint32_t sequence = some_sequence();
        const auto payload = window_.take_late(sequence);
        if (payload) {
            ASSERT_TRUE(model_.late.contains(sequence));
            ASSERT_EQ(*payload, model_.late[sequence]);
            model_.late.erase(sequence);
            ++late_hits_;
        }
    }
    void expire() {
        constexpr Nanos timeout_ns = 40;
        std::vector<uint32_t> expected;
        while (!model_.by_issue.empty()) {
            const Model::Request oldest = model_.by_issue.begin()->second;
            if (now_ns_ - oldest.issued_ns < timeout_ns) {
                break;
            }
            expected.push_back(oldest.sequence);
            model_.late[oldest.sequence] = oldest.payload;
            model_.issue_of.erase(oldest.sequence);
            model_.by_issue.erase(model_.by_issue.begin());
        }
        std::vector<uint32_t> given_up;
        window_.expire_oldest(now_ns_, timeout_ns,
                              [&](uint32_t sequence, uint64_t&) { given_up.push_back(sequence); });
        ASSERT_EQ(given_up, expected);
    }

    Prng prng_;
    Window<uint64_t> window_;
    Model model_;
    std::deque<uint32_t> recent_;
    Nanos now_ns_ = 1000;
    size_t late_hits_ = 0;
};

TEST(Window, AgreesWithOrderedMapModel) {
    size_t late_hits = 0;
    for (uint64_t seed = 1; seed <= 24; ++seed) {
        const uint32_t limit = 1u << (seed % 8);
        const uint32_t first = seed % 3 == 0 ? 1 : sequence_number_max - 500;
        Differential differential(seed, limit - (seed % 5 == 0 && limit > 1 ? 1 : 0), first);
        for (int i = 0; i < 5000; ++i) {
            ASSERT_NO_FATAL_FAILURE(differential.step()) << "seed " << seed << " step " << i;
        }
        late_hits += differential.late_hits();
    }
    EXPECT_GT(late_hits, 100u);  // the late path was compared too
}

}  // namespace
}  // namespace sy::smpp
