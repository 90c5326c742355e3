// Rows that can never win because another row with the same conditions always does. Control plane
// only.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "core/config/complaints.h"

namespace sy::config {

/// Warns of each such row. `hash` and `same` look at a row's conditions alone, not at its priority.
/// One open-addressed table of row indexes: a million rows must not cost a million nodes.
template <class Rule, class Hash, class Same>
void warn_of_shadowed_rows(const std::vector<Rule>& rules,
                           const Hash& hash,
                           const Same& same,
                           Complaints& complaints) {
    constexpr uint32_t empty = UINT32_MAX;
    std::vector<uint32_t> slots(std::bit_ceil(rules.size() * 2 + 1), empty);
    const size_t mask = slots.size() - 1;
    for (uint32_t i = 0; i < rules.size(); ++i) {
        size_t slot = hash(rules[i]) & mask;
        while (slots[slot] != empty && !same(rules[slots[slot]], rules[i])) {
            slot = (slot + 1) & mask;
        }
        if (slots[slot] == empty) {
            slots[slot] = i;
            continue;
        }
        const Rule* winner = &rules[slots[slot]];
        const Rule* loser = &rules[i];
        if (loser->priority == winner->priority) {
            complaints.warning({loser->line, 1},
                               fmt::format("the row never wins: line {} has the same conditions "
                                           "and priority and stands before it",
                                           winner->line));
            continue;
        }
        if (loser->priority < winner->priority) {
            std::swap(winner, loser);
            slots[slot] = i;
        }
        complaints.warning({loser->line, 1},
                           fmt::format("the row never wins: line {} has the same conditions and "
                                       "the lower priority {}",
                                       winner->line, winner->priority));
    }
}

/// Folds a field into the hash of a row.
inline size_t fold(size_t hash, size_t field) {
    constexpr uint64_t odd = 0x9E3779B97F4A7C15u;  // 2^64 / golden ratio: spreads low bits up
    return std::rotl((hash ^ field) * odd, 29);
}

}  // namespace sy::config
