// A percentile of each tenth of a second, and the median of them: what a run was like while nobody
// took the CPUs away. Where the host or another process does so for 2 ms three times a second, the
// percentile of the whole run tells of those; most intervals have none. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "bench/smppload/histogram.h"
#include "core/base/time.h"

namespace sy::load {

class IntervalPercentile {
  public:
    static constexpr Nanos interval_ns = 100 * millisecond_ns;
    // Fewer make no percentile. Far below what an interval has by its rate: one in which much is
    // late has fewer, and must count.
    static constexpr uint64_t samples_min = 100;

    /// `percent`: as of Histogram::percentile. Room for `duration_ns` is taken now.
    IntervalPercentile(double percent, Nanos duration_ns) : percent_(percent) {
        found_.reserve(static_cast<size_t>(duration_ns / interval_ns) + 16);
    }

    /// REQUIRES: now does not go back.
    void record(Nanos now, uint64_t value) {
        if (now >= end_ns_) {
            close();
            end_ns_ = now + interval_ns;
        }
        current_.record(value);
    }

    /// Of all intervals that are over, each with at least samples_min; 0 where there is none.
    [[nodiscard]] uint64_t median() const {
        if (found_.empty()) {
            return 0;
        }
        std::vector<uint64_t> sorted = found_;
        const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
        std::ranges::nth_element(sorted, middle);
        return *middle;
    }

  private:
    void close() {
        if (current_.count() >= samples_min) {
            found_.push_back(current_.percentile(percent_));
        }
        current_.clear();
    }

    double percent_;
    Nanos end_ns_ = 0;
    HistogramOf<5> current_;  // 10 KiB, read and emptied in a microsecond; buckets of 3 %
    std::vector<uint64_t> found_;
};

}  // namespace sy::load
