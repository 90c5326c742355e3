#include "core/route/prefix_index.h"

#include <algorithm>
#include <array>

namespace sy::route {

PrefixIndex::PrefixIndex(std::span<const Entry> entries, uint32_t segment_count) {
    segments_.reserve(segment_count);
    nodes_.reserve(entries.size());
    size_t at = 0;
    for (uint32_t segment = 0; segment < segment_count; ++segment) {
        const size_t begin = at;
        while (at < entries.size() && entries[at].segment == segment) {
            ++at;
        }
        const auto starts_before = static_cast<uint32_t>(starts_.size());
        starts_.push_back(0);
        nodes_of_.push_back(none);
        flatten(entries.subspan(begin, at - begin), static_cast<uint32_t>(begin));
        segments_.push_back({starts_before, static_cast<uint32_t>(starts_.size()) - starts_before});
    }
    SY_ASSERT(at == entries.size());  // sorted by segment, and none beyond the count
}

void PrefixIndex::boundary(uint64_t start, uint32_t node) {
    // A prefix that ends where its parent ends, or begins where it begins: the later word counts.
    if (starts_.back() == start) {
        nodes_of_.back() = node;
    } else {
        starts_.push_back(start);
        nodes_of_.push_back(node);
    }
}

void PrefixIndex::flatten(std::span<const Entry> entries, uint32_t first_node) {
    std::vector<uint32_t> open;  // indices of entries around the current key, outermost first
    const auto parent = [&] { return open.empty() ? none : first_node + open.back(); };
    const auto close = [&] {
        const uint64_t last = entries[open.back()].range.last;
        open.pop_back();
        if (last != ~uint64_t{0}) {
            boundary(last + 1, parent());
        }
    };
    for (uint32_t i = 0; i < entries.size(); ++i) {
        const Entry& entry = entries[i];
        while (!open.empty() && entries[open.back()].range.last < entry.range.first) {
            close();
        }
        SY_ASSERT(open.empty() || entry.range.last <= entries[open.back()].range.last);
        nodes_.push_back({parent(), entry.rows_begin, entry.rows_end});
        boundary(entry.range.first, first_node + i);
        open.push_back(i);
    }
    while (!open.empty()) {
        close();
    }
}

void PrefixIndex::find(std::span<const Probe> probes, std::span<uint32_t> nodes) const {
    SY_ASSERT(probes.size() == nodes.size() && probes.size() <= probes_max);
    std::array<uint32_t, probes_max> base;
    std::array<uint32_t, probes_max> count;
    uint32_t longest = 1;
    for (size_t i = 0; i < probes.size(); ++i) {
        SY_DCHECK(probes[i].segment < segments_.size());
        const Segment segment = segments_[probes[i].segment];
        base[i] = segment.begin;
        count[i] = segment.count;
        longest = std::max(longest, segment.count);
    }
    // One step of all searches at a time: their cache misses overlap, and no step branches on a
    // key. A search that is done (count 1) stands still.
    for (; longest > 1; longest -= longest / 2) {
        for (size_t i = 0; i < probes.size(); ++i) {
            const uint32_t half = count[i] / 2;
            base[i] += starts_[base[i] + half] <= probes[i].key ? half : 0;
            count[i] -= half;
        }
    }
    for (size_t i = 0; i < probes.size(); ++i) {
        nodes[i] = nodes_of_[base[i]];
    }
}

}  // namespace sy::route
