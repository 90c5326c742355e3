// Goal: the board's figures are what a plain list of everything that happened says, faded by its
// age. Also: what counts when there is little, and what a bad supplier needs to come back.
#include "core/route/quality.h"

#include <cmath>
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::route {
namespace {

using Workers = std::vector<std::unique_ptr<QualityCounts>>;

constexpr SupplierId alpha{0};
constexpr SupplierId beta{1};
constexpr NetworkId any = NetworkId::none();
constexpr NetworkId o2{3};
constexpr NetworkId vodafone{4};

class Quality : public testing::Test {
  protected:
    explicit Quality(uint32_t worker_count = 1, uint32_t pairs_max = 64)
        : board(worker_count, pairs_max) {
        for (uint32_t i = 0; i < worker_count; ++i) {
            workers.push_back(std::make_unique<QualityCounts>(pairs_max));
        }
        board.configure({.window_ns = 60 * second_ns, .samples_min = 20, .explore_every = 64});
        merge();
    }
    void merge(Nanos later_ns = second_ns) {
        now_ns += later_ns;
        board.merge(now_ns, workers);
    }
    void answers(SupplierId supplier, NetworkId network, int accepted, int refused) {
        for (int i = 0; i < accepted + refused; ++i) {
            workers[0]->answered(supplier, network, i < accepted);
        }
    }
    void receipts(SupplierId supplier, int delivered, int failed, Nanos delay_ns) {
        for (int i = 0; i < delivered + failed; ++i) {
            workers[0]->receipt(supplier, o2, i < delivered, delay_ns);
        }
    }

    QualityBoard board;
    Workers workers;
    Nanos now_ns = 0;
};

TEST_F(Quality, NothingCountsBeforeEnoughAnswers) {
    EXPECT_EQ(board.score(alpha, o2), unmeasured_score);
    answers(alpha, o2, 0, 19);
    merge();
    EXPECT_EQ(board.score(alpha, o2), unmeasured_score);
    EXPECT_FALSE(board.reading(alpha, o2).measured);
    answers(alpha, o2, 0, 2);
    merge();
    EXPECT_EQ(board.score(alpha, o2).percent(), 0U);
    EXPECT_TRUE(board.reading(alpha, o2).measured);
}

TEST_F(Quality, ScoreIsAcceptedTimesDeliveredThenTheShorterDelay) {
    answers(alpha, o2, 80, 20);
    receipts(alpha, 50, 50, 3 * second_ns);
    answers(beta, o2, 80, 20);
    receipts(beta, 50, 50, 30 * second_ns);
    merge();
    const QualityReading reading = board.reading(alpha, o2);
    EXPECT_EQ(reading.answers, 100U);
    EXPECT_EQ(reading.accepted_ppm, 800'000U);
    EXPECT_EQ(reading.delivered_ppm, 500'000U);
    EXPECT_EQ(reading.delay_ms, 3'000U);
    EXPECT_EQ(board.score(alpha, o2).percent(), 40U);
    EXPECT_EQ(board.score(alpha, o2).delay_class(), 0U);
    EXPECT_EQ(board.score(beta, o2).percent(), 40U);
    EXPECT_EQ(board.score(beta, o2).delay_class(), 3U);
    EXPECT_GT(board.score(alpha, o2), board.score(beta, o2));
    EXPECT_GT(QualityScore(41, 9), QualityScore(40, 0));
}

TEST_F(Quality, TooFewReceiptsLeaveAcceptanceAlone) {
    answers(alpha, o2, 70, 30);
    receipts(alpha, 0, 10, 0);
    merge();
    EXPECT_EQ(board.score(alpha, o2), QualityScore(70, unmeasured_score.delay_class()));
}

TEST_F(Quality, NetworkWithoutEnoughTakesTheSuppliersFigure) {
    answers(alpha, o2, 30, 70);
    answers(alpha, vodafone, 5, 0);
    merge();
    EXPECT_EQ(board.score(alpha, o2).percent(), 30U);
    EXPECT_EQ(board.score(alpha, vodafone).percent(), 33U);      // 35 of 105, over all networks
    EXPECT_EQ(board.score(alpha, NetworkId{9}).percent(), 33U);  // never seen
    EXPECT_EQ(board.score(beta, o2), unmeasured_score);
}

TEST_F(Quality, OldSamplesFadeUntilTheSupplierIsUnknownAgain) {
    answers(alpha, o2, 0, 100);
    merge();
    EXPECT_EQ(board.score(alpha, o2).percent(), 0U);
    merge(60 * second_ns);  // a window later a third is left
    EXPECT_EQ(board.reading(alpha, o2).answers, 36U);
    EXPECT_EQ(board.score(alpha, o2).percent(), 0U);
    merge(60 * second_ns);  // 13: fewer than samples_min
    EXPECT_EQ(board.score(alpha, o2), unmeasured_score);
    merge(3600 * second_ns);
    EXPECT_EQ(board.reading(alpha, o2).answers, 0U);
}

TEST_F(Quality, NewSamplesOutweighOldOnes) {
    answers(alpha, o2, 0, 100);
    merge();
    for (int i = 0; i < 60; ++i) {
        answers(alpha, o2, 10, 0);
        merge();
    }
    EXPECT_GT(board.score(alpha, o2).percent(), 85U);
}

TEST_F(Quality, MergesNoOftenerThanOnceASecondAndNeverTwice) {
    answers(alpha, o2, 100, 0);
    board.merge(now_ns + second_ns / 2, workers);
    EXPECT_EQ(board.reading(alpha, o2).answers, 0U);
    merge();
    EXPECT_EQ(board.reading(alpha, o2).answers, 100U);
    board.merge(now_ns, workers);
    EXPECT_EQ(board.reading(alpha, o2).answers, 100U);
}

TEST_F(Quality, OneInSoManyMessagesExplores) {
    int exploring = 0;
    for (uint64_t spread = 0; spread < 64'000; ++spread) {
        exploring += board.explores(spread) ? 1 : 0;
    }
    EXPECT_NEAR(exploring, 1000, 100);
    board.configure({.window_ns = 60 * second_ns, .samples_min = 20, .explore_every = 0});
    for (uint64_t spread = 0; spread < 1'000; ++spread) {
        EXPECT_FALSE(board.explores(spread));
    }
}

class FullQuality : public Quality {
  protected:
    FullQuality() : Quality(1, 3) {}
};

TEST_F(FullQuality, PairsBeyondTheRoomCountForTheirSupplier) {
    for (uint16_t network = 0; network < 5; ++network) {
        answers(alpha, NetworkId{network}, 30, 10);
    }
    merge();
    EXPECT_EQ(board.readings().size(), 4U);  // three pairs, and the supplier
    EXPECT_EQ(board.reading(alpha, any).answers, 200U);
    EXPECT_EQ(board.score(alpha, NetworkId{4}).percent(), 75U);
}

// ---------------------------------------------------------------- the model

struct Happened {
    uint64_t second;
    SupplierId supplier;
    NetworkId network;
    QualityKind kind;
    uint64_t count;
};

// Everything that ever happened, each time walked from the beginning.
double faded(const std::vector<Happened>& all,
             uint64_t now,
             SupplierId supplier,
             NetworkId network,
             QualityKind kind) {
    double sum = 0;
    for (const Happened& one : all) {
        if (one.supplier == supplier && one.kind == kind &&
            (!network.valid() || one.network == network)) {
            sum += static_cast<double>(one.count) *
                   std::pow(1.0 - 1.0 / 60, static_cast<double>(now - one.second));
        }
    }
    return sum;
}

class QualityOfThree : public Quality {
  protected:
    QualityOfThree() : Quality(3, 64) {}
};

TEST_F(QualityOfThree, AgreesWithAPlainList) {
    Prng prng(5);
    std::vector<Happened> all;
    for (uint64_t second = now_ns / second_ns + 1, step = 0; step < 60; ++step) {
        for (uint64_t i = prng.below(80); i > 0; --i) {
            QualityCounts& worker = *workers[prng.below(3)];
            const SupplierId supplier{static_cast<uint16_t>(prng.below(3))};
            const NetworkId network{static_cast<uint16_t>(prng.below(4))};
            if (prng.chance(1, 2)) {
                const bool good = prng.chance(supplier.value + 1, 4);
                worker.answered(supplier, network, good);
                all.push_back({second, supplier, network,
                               good ? QualityKind::accepted : QualityKind::refused, 1});
            } else {
                const uint64_t delay_ms = prng.below(90'000);
                worker.receipt(supplier, network, true, delay_ms * millisecond_ns);
                all.push_back({second, supplier, network, QualityKind::delivered, 1});
                all.push_back({second, supplier, network, QualityKind::delay_ms, delay_ms});
            }
        }
        merge(second * second_ns - now_ns);
        for (uint16_t s = 0; s < 3; ++s) {
            for (uint16_t n = 0; n < 5; ++n) {
                const NetworkId network = n == 4 ? any : NetworkId{n};
                const auto sum = [&](QualityKind kind) {
                    return faded(all, second, SupplierId{s}, network, kind);
                };
                const QualityReading reading = board.reading(SupplierId{s}, network);
                const double answers = sum(QualityKind::accepted) + sum(QualityKind::refused);
                ASSERT_NEAR(static_cast<double>(reading.answers), answers, 1.02);
                if (answers > 1) {
                    ASSERT_NEAR(static_cast<double>(reading.accepted_ppm),
                                sum(QualityKind::accepted) / answers * 1e6, 2000);
                }
                const double delivered = sum(QualityKind::delivered);
                if (delivered > 1) {
                    ASSERT_NEAR(static_cast<double>(reading.delay_ms),
                                sum(QualityKind::delay_ms) / delivered, 50);
                }
            }
        }
        second += 1 + prng.below(9);  // the board is not always called in time
    }
}

}  // namespace
}  // namespace sy::route
