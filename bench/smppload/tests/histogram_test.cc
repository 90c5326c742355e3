#include "bench/smppload/histogram.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::load {
namespace {

// The model: all samples, sorted.
uint64_t exact_percentile(std::vector<uint64_t> samples, double percent) {
    std::sort(samples.begin(), samples.end());
    const auto rank =
        static_cast<size_t>(std::ceil(percent / 100.0 * static_cast<double>(samples.size())));
    return samples[std::max<size_t>(rank, 1) - 1];
}

void expect_like_model(const std::vector<uint64_t>& samples) {
    Histogram histogram;
    for (const uint64_t sample : samples) {
        histogram.record(sample);
    }
    for (const double percent : {0.1, 1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
        const uint64_t exact = exact_percentile(samples, percent);
        const uint64_t got = histogram.percentile(percent);
        EXPECT_GE(got, exact) << percent;
        EXPECT_LE(got, exact + exact / 1024) << percent;
    }
    EXPECT_EQ(histogram.count(), samples.size());
    EXPECT_EQ(histogram.max(), *std::max_element(samples.begin(), samples.end()));
    EXPECT_EQ(histogram.min(), *std::min_element(samples.begin(), samples.end()));
}

TEST(Histogram, PercentilesLikeSortedSamplesUniform) {
    Prng prng(1);
    std::vector<uint64_t> samples;
    for (int i = 0; i < 20'000; ++i) {
        samples.push_back(prng.below(5'000'000));
    }
    expect_like_model(samples);
}

TEST(Histogram, PercentilesLikeSortedSamplesOverManyMagnitudes) {
    Prng prng(2);
    std::vector<uint64_t> samples;
    for (int i = 0; i < 20'000; ++i) {
        samples.push_back(prng() >> (24 + prng.below(40)));
    }
    expect_like_model(samples);
}

TEST(Histogram, SingleSampleIsEveryPercentile) {
    expect_like_model({123'456'789});
}

TEST(Histogram, BucketsCoverEveryValueOnceAndInOrder) {
    uint64_t first = 0;
    for (uint32_t index = 0; index <= Histogram::index_of(Histogram::value_max); ++index) {
        const uint64_t last = Histogram::last_value_of(index);
        ASSERT_EQ(Histogram::index_of(first), index);
        ASSERT_EQ(Histogram::index_of(last), index);
        ASSERT_LE(last - first, first / 1024);
        first = last + 1;
    }
    EXPECT_EQ(first, Histogram::value_max + 1);
}

TEST(Histogram, ValuesBeyondTheRangeCountAsTheLargest) {
    Histogram histogram;
    histogram.record(~uint64_t{0});
    EXPECT_EQ(histogram.percentile(50), Histogram::value_max);
}

TEST(Histogram, MergedIsLikeRecordedTogether) {
    Prng prng(3);
    Histogram one, two, both;
    for (int i = 0; i < 5'000; ++i) {
        const uint64_t value = prng.below(1'000'000);
        (i % 2 == 0 ? one : two).record(value);
        both.record(value);
    }
    one.merge(two);
    EXPECT_EQ(one.count(), both.count());
    EXPECT_EQ(one.max(), both.max());
    EXPECT_EQ(one.min(), both.min());
    EXPECT_DOUBLE_EQ(one.mean(), both.mean());
    for (const double percent : {1.0, 50.0, 99.0}) {
        EXPECT_EQ(one.percentile(percent), both.percentile(percent));
    }
}

TEST(Histogram, EmptyAnswersZero) {
    const Histogram histogram;
    EXPECT_EQ(histogram.percentile(99), 0u);
    EXPECT_EQ(histogram.min(), 0u);
    EXPECT_EQ(histogram.max(), 0u);
}

}  // namespace
}  // namespace sy::load
