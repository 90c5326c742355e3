// HDR histogram: log-linear buckets over 1 ns to 73 minutes. record() is a shift and an increment.
// One thread.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

namespace sy::load {

/// Every doubling is cut into 2^`bits` equal buckets, so a bucket is never wider than that part of
/// its values; those below twice as many have a bucket each.
template <uint32_t bits>
class HistogramOf {
  public:
    static constexpr uint32_t buckets_per_doubling = 1u << bits;
    static constexpr uint32_t exact_values = 2 * buckets_per_doubling;
    static constexpr uint64_t value_max = (uint64_t{1} << 42) - 1;

    HistogramOf() : counts_(index_of(value_max) + 1) {}

    void clear() {
        std::ranges::fill(counts_, 0);
        count_ = 0;
        sum_ = 0;
        max_ = 0;
        min_ = ~uint64_t{0};
    }

    void record(uint64_t value) {
        value = std::min(value, value_max);
        ++counts_[index_of(value)];
        ++count_;
        sum_ += value;
        max_ = std::max(max_, value);
        min_ = std::min(min_, value);
    }

    void merge(const HistogramOf& other) {
        for (size_t i = 0; i < counts_.size(); ++i) {
            counts_[i] += other.counts_[i];
        }
        count_ += other.count_;
        sum_ += other.sum_;
        max_ = std::max(max_, other.max_);
        min_ = std::min(min_, other.min_);
    }

    [[nodiscard]] uint64_t count() const { return count_; }
    [[nodiscard]] uint64_t max() const { return max_; }
    [[nodiscard]] uint64_t min() const { return count_ == 0 ? 0 : min_; }
    [[nodiscard]] double mean() const {
        return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_);
    }

    /// The smallest recorded value that at least `percent` of the samples do not exceed, rounded up
    /// to the end of its bucket. 0 when nothing was recorded. REQUIRES: 0 < percent <= 100.
    [[nodiscard]] uint64_t percentile(double percent) const {
        if (count_ == 0) {
            return 0;
        }
        const auto wanted =
            static_cast<uint64_t>(std::ceil(percent / 100.0 * static_cast<double>(count_)));
        const uint64_t rank = std::clamp<uint64_t>(wanted, 1, count_);
        uint64_t seen = 0;
        for (uint32_t index = 0; index < counts_.size(); ++index) {
            seen += counts_[index];
            if (seen >= rank) {
                return std::min(last_value_of(index), max_);
            }
        }
        return max_;
    }

    [[nodiscard]] static constexpr uint32_t index_of(uint64_t value) {
        if (value < exact_values) {
            return static_cast<uint32_t>(value);
        }
        // `shift` leaves `bits` leading bits behind the first one.
        const auto shift = static_cast<uint32_t>(std::bit_width(value)) - (bits + 1);
        const auto leading = static_cast<uint32_t>(value >> shift);
        return exact_values + (shift - 1) * buckets_per_doubling + (leading - buckets_per_doubling);
    }

    [[nodiscard]] static constexpr uint64_t last_value_of(uint32_t index) {
        if (index < exact_values) {
            return index;
        }
        const uint32_t shift = (index - exact_values) / buckets_per_doubling + 1;
        const uint64_t leading =
            buckets_per_doubling + (index - exact_values) % buckets_per_doubling;
        return ((leading + 1) << shift) - 1;
    }

  private:
    std::vector<uint64_t> counts_;
    uint64_t count_ = 0;
    uint64_t sum_ = 0;
    uint64_t max_ = 0;
    uint64_t min_ = ~uint64_t{0};
};

using Histogram = HistogramOf<10>;  // three significant digits

}  // namespace sy::load
