// The open-loop schedule: message k is meant to leave at start + k / rate, whatever became of the
// ones before it. Latencies are taken from that instant, so a stalled peer cannot hide its stall
// by holding back the messages behind it (coordinated omission). No drift: integers throughout.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/base/assert.h"
#include "core/base/time.h"

namespace sy::load {

class Schedule {
  public:
    /// REQUIRES: rate_per_second >= 0.001.
    Schedule(double rate_per_second, Nanos start_ns)
        : rate_per_kilosecond_(static_cast<uint64_t>(std::llround(rate_per_second * 1000.0))),
          start_ns_(start_ns) {
        SY_ASSERT(rate_per_kilosecond_ > 0);
    }

    [[nodiscard]] Nanos intended_ns(uint64_t message) const {
        return start_ns_ + static_cast<Nanos>(Wide{message} * kilosecond_ns / rate_per_kilosecond_);
    }

    /// How many messages are meant to have left by `now_ns`.
    [[nodiscard]] uint64_t due(Nanos now_ns) const {
        if (now_ns < start_ns_) {
            return 0;
        }
        // The largest k with floor(k * period) <= elapsed is floor(((elapsed + 1) * rate - 1) / 1).
        const Wide elapsed_end = Wide{now_ns - start_ns_} + 1;
        return static_cast<uint64_t>((elapsed_end * rate_per_kilosecond_ - 1) / kilosecond_ns) + 1;
    }

  private:
    __extension__ using Wide = unsigned __int128;
    static constexpr uint64_t kilosecond_ns = 1000 * second_ns;

    uint64_t rate_per_kilosecond_;
    Nanos start_ns_;
};

}  // namespace sy::load
