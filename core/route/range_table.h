// Ranges of rows by a key of 64 bits, hashed. Filled by the control thread, then immutable; any
// worker asks. A line of four keys is compared as a whole, so where in its line a key stands, and
// whether it does, is no branch for the CPU to guess.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "core/base/assert.h"
#include "core/base/huge_array.h"
#include "core/base/limits.h"
#include "core/base/prefetch.h"
#include "core/base/prng.h"

namespace sy::route {

struct RowRange {
    uint32_t begin = 0;
    uint32_t end = 0;

    [[nodiscard]] bool empty() const { return begin == end; }
    [[nodiscard]] uint32_t size() const { return end - begin; }
};

class RangeTable {
  public:
    struct Entry {
        uint64_t key = 0;
        RowRange range;
    };

    RangeTable() : RangeTable(std::span<const Entry>{}) {}
    /// REQUIRES: no key twice, no range that is empty.
    explicit RangeTable(std::span<const Entry> entries) {
        // At most half of all places are taken.
        std::vector<Line> lines(std::bit_ceil(2 * entries.size() / line_keys + 1));
        for (const Entry& entry : entries) {
            SY_ASSERT(!entry.range.empty());
            size_t line = line_of(entry.key, lines.size());
            while (lines[line].is_full()) {
                line = (line + 1) & (lines.size() - 1);
            }
            lines[line].add(entry);
        }
        lines_ = HugeArray<Line>(lines);
    }

    /// Where a key is looked for. No initial values: a burst has an array of them on the stack.
    struct Place {
        uint64_t key;
        size_t line;
    };
    /// Fetches its line too.
    [[nodiscard]] Place place_of(uint64_t key) const {
        const Place place{key, line_of(key, lines_.size())};
        sy::prefetch(&lines_[place.line]);
        return place;
    }
    /// Empty: no such key.
    [[nodiscard]] RowRange find(Place place) const {
        for (size_t i = place.line;; i = (i + 1) & (lines_.size() - 1)) {
            Lane keys, ranges;
            std::memcpy(&keys, lines_[i].keys.data(), sizeof keys);
            std::memcpy(&ranges, lines_[i].ranges.data(), sizeof ranges);
            const auto equal = keys == place.key;
            Lane hit;
            std::memcpy(&hit, &equal, sizeof hit);
            hit &= ranges;  // one of them, or 0
            const uint64_t found = hit[0] | hit[1] | hit[2] | hit[3];
            if (found != 0 || !lines_[i].is_full()) [[likely]] {
                return std::bit_cast<RowRange>(found);
            }
        }
    }
    [[nodiscard]] RowRange find(uint64_t key) const { return find(place_of(key)); }

    [[nodiscard]] size_t bytes() const { return lines_.bytes(); }

  private:
    static constexpr size_t line_keys = 4;
    using Lane [[gnu::vector_size(8 * line_keys)]] = uint64_t;
    struct alignas(limits::cache_line_bytes) Line {
        std::array<uint64_t, line_keys> keys{};
        std::array<uint64_t, line_keys> ranges{};  // 0: free, as are all behind it

        [[nodiscard]] bool is_full() const { return ranges.back() != 0; }
        void add(const Entry& entry) {
            size_t at = 0;
            for (; ranges[at] != 0; ++at) {
                SY_ASSERT(keys[at] != entry.key);
            }
            keys[at] = entry.key;
            ranges[at] = std::bit_cast<uint64_t>(entry.range);
        }
    };

    static size_t line_of(uint64_t key, size_t lines) { return mix64(key) & (lines - 1); }

    HugeArray<Line> lines_;  // a power of two
};

}  // namespace sy::route
