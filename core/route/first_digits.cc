// Control plane: the constructor.
#include "core/route/first_digits.h"

#include <array>
#include <cstddef>

namespace sy::route {

FirstDigits::FirstDigits(const PrefixIndex& index,
                         std::span<const PrefixIndex::Entry> entries,
                         uint32_t segment)
    : FirstDigits() {
    constexpr uint64_t rest = (uint64_t{1} << shift) - 1;
    for (const PrefixIndex::Entry& entry : entries) {
        if (entry.segment != segment) {
            continue;
        }
        // Where a range begins or ends within the numbers of three digits, it parts them.
        if ((entry.range.first & rest) != 0) {
            nodes_[entry.range.first >> shift] = ask;
        }
        if ((entry.range.last & rest) != rest) {
            nodes_[entry.range.last >> shift] = ask;
        }
    }
    constexpr size_t burst = PrefixIndex::probes_max;
    static_assert(size % burst == 0);
    std::array<PrefixIndex::Probe, burst> probes;
    std::array<uint32_t, burst> found;
    for (size_t begin = 0; begin < size; begin += burst) {
        for (size_t i = 0; i < burst; ++i) {
            probes[i] = {uint64_t{begin + i} << shift, segment};
        }
        index.find(probes, found);
        for (size_t i = 0; i < burst; ++i) {
            if (nodes_[begin + i] != ask) {
                nodes_[begin + i] = found[i];
            }
        }
    }
}

}  // namespace sy::route
