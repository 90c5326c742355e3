// Any octets as a table of boundaries and keys: the index answers as a search of the boundaries
// does, in every variant, with a directory and without. Nine octets an entry: a distance (its
// number of bits, then the bits) that makes a boundary of the first half and a key of the second.
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/route/interval_index.h"

namespace {

using Index = sy::route::IntervalIndex<uint16_t>;
using Boundaries = std::vector<Index::Boundary>;

uint16_t model_answer(const Boundaries& boundaries, uint64_t key) {
    const auto after = std::upper_bound(boundaries.begin(), boundaries.end(), key,
                                        [](uint64_t k, const auto& b) { return k < b.start; });
    return std::prev(after)->answer;
}

void check(const Index& index, const Boundaries& boundaries, std::vector<uint64_t>& keys) {
    std::vector<uint16_t> answers(keys.size());
    for (const auto variant : sy::route::index_variants()) {
        index.find(keys, answers, variant);
        for (size_t i = 0; i < keys.size(); ++i) {
            SY_ASSERT(answers[i] == model_answer(boundaries, keys[i]));
        }
    }
    keys.clear();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    constexpr size_t entry_octets = 9;
    const size_t entries = size / entry_octets;
    const auto distance = [&](size_t i) {
        const uint8_t* entry = data + i * entry_octets;
        return sy::load_be<uint64_t>(entry + 1) >> (entry[0] & 63);
    };
    Boundaries boundaries = {{0, 1}};
    for (size_t i = 0; i < entries / 2; ++i) {
        const uint64_t step = std::max<uint64_t>(1, distance(i));
        if (step > Index::start_max - boundaries.back().start) {
            break;
        }
        boundaries.push_back({boundaries.back().start + step, static_cast<uint16_t>(i)});
    }
    constexpr std::array<uint32_t, 1> begins{0};
    for (const size_t direct_lines_max : {size_t{1}, Index::usual_direct_lines_max}) {
        const Index index(boundaries, begins, direct_lines_max);
        std::vector<uint64_t> keys;
        for (size_t i = entries / 2; i < entries; ++i) {
            keys.push_back(boundaries[i % boundaries.size()].start + distance(i));
            keys.push_back(boundaries[i % boundaries.size()].start - 1);
            if (keys.size() + 2 > Index::keys_max) {
                check(index, boundaries, keys);
            }
        }
        check(index, boundaries, keys);
    }
    return 0;
}
