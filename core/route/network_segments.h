// The segment of the prefix index that holds the rules of a plan (or of screening) for one network:
// (segment, network) to segment. Filled by the control thread, then immutable; any worker asks.
//
// Most messages ask for a pair that no rule names. A line of eight pairs is compared as a whole, so
// neither that nor where in its line a pair stands is a branch for the CPU to guess.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <unordered_map>

#include "core/base/huge_array.h"
#include "core/base/ids.h"
#include "core/base/limits.h"
#include "core/base/prefetch.h"
#include "core/base/prng.h"

namespace sy::route {

class NetworkSegments {
  public:
    static constexpr uint32_t none = 0;  // screening, which no network has beside it

    using Pairs = std::unordered_map<uint64_t, uint32_t>;  // by pair(): the segment, never `none`
    static uint64_t pair(uint32_t segment, NetworkId network) {
        return uint64_t{segment} << 16 | network.value;
    }

    NetworkSegments() = default;
    explicit NetworkSegments(const Pairs& pairs);

    /// No rule names a network.
    [[nodiscard]] bool empty() const { return lines_.size() == 0; }
    [[nodiscard]] size_t bytes() const { return lines_.bytes(); }

    /// Where a pair is looked for. No initial values: a burst has an array of them on the stack.
    struct Place {
        uint32_t pair;
        uint32_t line;
    };
    /// Fetches its line too. REQUIRES: not empty(), as for find().
    [[nodiscard]] Place place_of(uint32_t segment, NetworkId network) const {
        const auto wanted = static_cast<uint32_t>(pair(segment, network));
        const size_t line = line_of(wanted);
        sy::prefetch(&lines_[line]);
        return {wanted, static_cast<uint32_t>(line)};
    }
    [[nodiscard]] uint32_t find(uint32_t segment, NetworkId network) const {
        return find(place_of(segment, network));
    }
    [[nodiscard]] uint32_t find(Place place) const {
        const uint32_t wanted = place.pair;
        for (size_t i = place.line;; i = (i + 1) & (lines_.size() - 1)) {
            Lane pairs, segments;
            std::memcpy(&pairs, lines_[i].pairs.data(), sizeof pairs);
            std::memcpy(&segments, lines_[i].segments.data(), sizeof segments);
            const auto equal = pairs == wanted;
            Lane hit;
            std::memcpy(&hit, &equal, sizeof hit);
            hit &= segments;  // one of them, or 0
            std::array<uint64_t, line_pairs / 2> halves;
            std::memcpy(halves.data(), &hit, sizeof hit);
            const uint64_t any = halves[0] | halves[1] | halves[2] | halves[3];
            const auto found = static_cast<uint32_t>(any | any >> 32);
            // A line that is full is rare (at most a quarter of all places are taken).
            if (found != none || lines_[i].segments[line_pairs - 1] == none) [[likely]] {
                return found;
            }
        }
    }

  private:
    static constexpr size_t line_pairs = 8;
    using Lane [[gnu::vector_size(4 * line_pairs)]] = uint32_t;
    struct alignas(limits::cache_line_bytes) Line {
        std::array<uint32_t, line_pairs> pairs{};
        std::array<uint32_t, line_pairs> segments{};  // none: free, as are all behind it
    };
    static_assert(limits::plans_max + 2 < 1U << 16, "a pair has 32 bits");

    [[nodiscard]] size_t line_of(uint64_t pair) const { return mix64(pair) & (lines_.size() - 1); }

    HugeArray<Line> lines_;  // a power of two
};

}  // namespace sy::route
