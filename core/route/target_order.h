// The targets of a rule in the order to try: tier by tier, inside a tier as written or by weight
// (rendezvous.h).
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <vector>

#include "core/base/limits.h"
#include "core/route/rendezvous.h"
#include "core/route/rules.h"

namespace sy::route {

/// Tier, then score, then place in the rule, in one word: ascending is the order to try. Scores
/// keep 41 binary digits, more than their logarithm has.
[[nodiscard]] inline uint64_t order_key(uint8_t tier, double score, uint32_t index) {
    static_assert(limits::targets_max <= 16, "four bits each for tier and index");
    return uint64_t{tier} << 60 | (std::bit_cast<uint64_t>(score) >> 7 & ~uint64_t{15}) | index;
}

template <class TargetId>
class TargetPool {
  public:
    struct Range {
        uint32_t begin = 0;
        uint8_t count = 0;
        bool weighted = false;  // some tier has a choice to make
        Select select = Select::weight;

        friend bool operator==(const Range&, const Range&) = default;
    };
    struct Entry {
        double inverse_weight;
        uint64_t hash;  // rendezvous_hash() of the id
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
        std::array<uint64_t, limits::targets_max> keys;
        for (uint8_t i = 0; i < range.count; ++i) {
            keys[i] =
                order_key(entries[i].tier,
                          rendezvous_score(spread, entries[i].hash, entries[i].inverse_weight), i);
        }
        // Counting who comes before has no branch to guess wrong; a sort has many.
        for (uint8_t i = 0; i < range.count; ++i) {
            uint32_t place = 0;
            for (uint8_t other = 0; other < range.count; ++other) {
                place += keys[other] < keys[i] ? 1U : 0U;
            }
            out[place] = entries[i].id;
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
                entries_.push_back(
                    {inverse, rendezvous_hash(target.id.value), target.id, tier_index});
                ++range.count;
            }
            ++tier_index;
        }
        return range;
    }

    std::vector<Entry> entries_;
    std::map<std::vector<uint64_t>, Range> known_;  // by content, while building
};

}  // namespace sy::route
