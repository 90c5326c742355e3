// The targets of a rule in the order to try: tier by tier, inside a tier as written or by weight.
// Weighted rendezvous hashing: each target draws a number from (spread, its id) alone, and the
// smallest drawn number over weight comes first. So the same message always sees the same order,
// weights hold over many messages, and a target that goes moves only its own share.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <vector>

#include "core/base/limits.h"
#include "core/base/prng.h"
#include "core/route/rules.h"

namespace sy::route {

/// Smaller comes first: exponentially distributed with a mean of 1 / weight.
[[nodiscard]] inline double rendezvous_score(uint64_t spread, uint16_t id, double inverse_weight) {
    const uint64_t hash = mix64(spread ^ mix64(id));
    // 52 bits and a half: in (0, 1) without its ends, so the logarithm is finite and not 0.
    const double uniform = (static_cast<double>(hash >> 12) + 0.5) * 0x1p-52;
    return -std::log(uniform) * inverse_weight;
}

template <class TargetId>
class TargetPool {
  public:
    struct Range {
        uint32_t begin = 0;
        uint8_t count = 0;
        bool weighted = false;  // some tier has a choice to make
        Select select = Select::weight;
    };
    struct Entry {
        double inverse_weight;
        TargetId id;
        uint8_t tier;
    };

    /// Control thread. Rules with the same targets share them, so that the few that a table has
    /// stay in the cache. REQUIRES: at most limits::targets_max targets in all tiers.
    Range add(const Tiers<TargetId>& tiers, Select select) {
        std::vector<uint64_t> content = {static_cast<uint64_t>(select)};
        for (size_t tier = 0; tier < tiers.size(); ++tier) {
            for (const auto& target : tiers[tier]) {
                content.push_back(tier << 48 | uint64_t{target.id.value} << 32 | target.weight);
            }
        }
        const auto [it, added] = known_.try_emplace(std::move(content));
        if (added) {
            it->second = append(tiers, select);
        }
        return it->second;
    }

    /// Any worker. By weight or as written, without a look at anything else. Returns how many.
    uint8_t order(Range range,
                  uint64_t spread,
                  std::array<TargetId, limits::targets_max>& out) const {
        const Entry* entries = entries_.data() + range.begin;
        if (!range.weighted) {
            for (uint8_t i = 0; i < range.count; ++i) {
                out[i] = entries[i].id;
            }
            return range.count;
        }
        // Insertion sort by (tier, score): at most eight, and tiers come in order.
        std::array<double, limits::targets_max> scores;
        for (uint8_t i = 0; i < range.count; ++i) {
            const double score =
                rendezvous_score(spread, entries[i].id.value, entries[i].inverse_weight);
            uint8_t at = i;
            for (; at > tier_begin(entries, i) && scores[at - 1] > score; --at) {
                scores[at] = scores[at - 1];
                out[at] = out[at - 1];
            }
            scores[at] = score;
            out[at] = entries[i].id;
        }
        return range.count;
    }

    /// In the order of the rule: tier by tier, inside a tier as written.
    [[nodiscard]] std::span<const Entry> entries(Range range) const {
        return {entries_.data() + range.begin, range.count};
    }

  private:
    Range append(const Tiers<TargetId>& tiers, Select select) {
        Range range{static_cast<uint32_t>(entries_.size()), 0, false, select};
        uint8_t tier_index = 0;
        for (const auto& tier : tiers) {
            range.weighted |= select == Select::weight && tier.size() > 1;
            for (const auto& target : tier) {
                // Weight 0: only after all others of its tier.
                const double inverse = target.weight == 0 ? std::numeric_limits<double>::infinity()
                                                          : 1.0 / target.weight;
                entries_.push_back({inverse, target.id, tier_index});
                ++range.count;
            }
            ++tier_index;
        }
        return range;
    }

    static uint8_t tier_begin(const Entry* entries, uint8_t index) {
        uint8_t begin = index;
        while (begin > 0 && entries[begin - 1].tier == entries[index].tier) {
            --begin;
        }
        return begin;
    }

    std::vector<Entry> entries_;
    std::map<std::vector<uint64_t>, Range> known_;  // by content, while building
};

}  // namespace sy::route
