// Longest prefix of a number, for many tables ("segments") in one: built once by the control
// thread, then immutable; any worker looks up bursts. Nested prefixes are flattened into disjoint
// intervals of keys, so a lookup is one predecessor search; what a shorter prefix says is reached
// through the node's parent.
//
// Ranges of one segment must nest or be disjoint, as prefixes and exact numbers always do.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/huge_array.h"
#include "core/route/interval_index.h"
#include "core/route/number_key.h"

namespace sy::route {

class PrefixIndex {
  public:
    static constexpr uint32_t none = ~uint32_t{0};
    static constexpr uint32_t probes_max = IntervalIndex<uint32_t>::keys_max;

    /// A prefix that occurs in the table, with the caller's rows [rows_begin, rows_end), and what
    /// the caller wants to know of them before it looks at them.
    struct alignas(16) Node {
        uint32_t parent = none;  // the next shorter prefix of the segment
        uint32_t rows_begin = 0;
        uint32_t rows_end = 0;
        uint32_t tag = 0;
    };
    struct Entry {
        uint32_t segment = 0;
        KeyRange range;
        uint32_t rows_begin = 0;
        uint32_t rows_end = 0;
        uint32_t tag = 0;
    };
    using Probe = IntervalIndex<uint32_t>::Probe;

    PrefixIndex() = default;
    /// Entry i becomes node i. REQUIRES: entries sorted by (segment, range.first, range.last
    /// descending), no two equal; every segment below `segment_count`.
    PrefixIndex(std::span<const Entry> entries, uint32_t segment_count);

    /// The node of the longest prefix for each probe, or none. REQUIRES: as many nodes as probes,
    /// at most probes_max.
    void find(std::span<const Probe> probes, std::span<uint32_t> nodes) const;

    [[nodiscard]] const Node& node(uint32_t index) const { return nodes_[index]; }
    [[nodiscard]] size_t bytes() const { return index_.bytes() + nodes_.bytes(); }
    [[nodiscard]] uint32_t segment_count() const {
        return static_cast<uint32_t>(index_.segment_count());
    }

  private:
    IntervalIndex<uint32_t> index_;  // to nodes
    HugeArray<Node> nodes_;
};

}  // namespace sy::route
