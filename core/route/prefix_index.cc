// Control plane: the constructor. Data plane: find().
#include "core/route/prefix_index.h"

#include <vector>

#include "core/route/flatten.h"

namespace sy::route {

PrefixIndex::PrefixIndex(std::span<const Entry> entries, uint32_t segment_count) {
    std::vector<IntervalIndex<uint32_t>::Boundary> boundaries;
    std::vector<uint32_t> segment_begins;
    boundaries.reserve(2 * entries.size() + segment_count);
    segment_begins.reserve(segment_count);
    std::vector<Node> nodes(entries.size());
    size_t at = 0;
    for (uint32_t segment = 0; segment < segment_count; ++segment) {
        const size_t begin = at;
        while (at < entries.size() && entries[at].segment == segment) {
            ++at;
        }
        segment_begins.push_back(static_cast<uint32_t>(boundaries.size()));
        flatten(
            begin, at, none, [&](size_t i) { return entries[i].range; },
            [&](size_t i, size_t parent) {
                const uint32_t parent_node =
                    parent == no_parent ? none : static_cast<uint32_t>(parent);
                nodes[i] = {parent_node, entries[i].rows_begin, entries[i].rows_end,
                            entries[i].tag};
                return static_cast<uint32_t>(i);
            },
            appended_to(boundaries));
    }
    SY_ASSERT(at == entries.size());  // sorted by segment, and none beyond the count
    nodes_ = HugeArray<Node>(nodes);
    index_ = IntervalIndex<uint32_t>(boundaries, segment_begins);
}

void PrefixIndex::find(std::span<const Probe> probes, std::span<uint32_t> nodes) const {
    index_.find(probes, nodes);
}

}  // namespace sy::route
