// Control plane: pairs into lines.
#include "core/route/network_segments.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "core/base/assert.h"

namespace sy::route {

NetworkSegments::NetworkSegments(const Pairs& pairs) {
    if (pairs.empty()) {
        return;
    }
    std::vector<Line> lines(std::bit_ceil(pairs.size() * 4 / line_pairs + 1));
    for (const auto& [pair, segment] : pairs) {
        SY_ASSERT(segment != none && pair >> 32 == 0);
        size_t i = mix64(pair) & (lines.size() - 1);
        while (lines[i].segments[line_pairs - 1] != none) {
            i = (i + 1) & (lines.size() - 1);
        }
        const auto free = std::ranges::find(lines[i].segments, none) - lines[i].segments.begin();
        lines[i].pairs[static_cast<size_t>(free)] = static_cast<uint32_t>(pair);
        lines[i].segments[static_cast<size_t>(free)] = segment;
    }
    lines_ = HugeArray<Line>(lines);
}

}  // namespace sy::route
