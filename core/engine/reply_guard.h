// How often one inbound number has answered one phone of late: what ends a loop of two machines
// that answer each other. Fixed size, one a worker (a loop that runs over several workers is
// allowed as much on each). Bounded: a new pair takes the place of the one whose hour began first
// among the four of its set; a loop's own pair is asked again and again and does not stay
// forgotten.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "core/base/limits.h"
#include "core/base/time.h"

namespace sy::engine {

class ReplyGuard {
  public:
    static constexpr uint32_t pairs_max = 16'384;  // 256 KiB
    static constexpr Nanos window_ns = Nanos{3600} * second_ns;

    ReplyGuard() : sets_(std::make_unique<Set[]>(set_count)) {}

    /// Counts one answer of the pair; false when it has had as many as it may in its hour. `pair`:
    /// a hash of both numbers.
    [[nodiscard]] bool allow(uint64_t pair, Nanos now_ns) {
        Set& set = sets_[pair & (set_count - 1)];
        const uint32_t tag = static_cast<uint32_t>(pair >> 32) | 1;
        Entry* oldest = &set[0];
        for (Entry& entry : set) {
            if (entry.tag == tag && now_ns - entry.began_ns < window_ns) {
                entry.count += entry.count < limits::replies_an_hour_max + 1 ? 1 : 0;
                return entry.count <= limits::replies_an_hour_max;
            }
            if (entry.tag == tag || entry.began_ns < oldest->began_ns) {
                oldest = &entry;
            }
        }
        *oldest = {now_ns, tag, 1};
        return true;
    }

  private:
    struct Entry {
        Nanos began_ns = 0;
        uint32_t tag = 0;  // 0: free
        uint32_t count = 0;
    };
    static constexpr uint32_t ways = 4;
    static constexpr uint32_t set_count = pairs_max / ways;
    using Set = std::array<Entry, ways>;

    std::unique_ptr<Set[]> sets_;
};

}  // namespace sy::engine
