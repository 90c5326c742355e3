// The targets of a rule in the order to try: tier by tier, inside a tier as written or by weight
// (rendezvous.h).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <span>
#include <vector>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/base/prefetch.h"
#include "core/route/rendezvous.h"
#include "core/route/rules.h"

namespace sy::route {

/// Tier, then score, then place in the rule, in one word each: ascending is the order to try.
using OrderKeys = std::array<int32_t, limits::targets_max>;

template <class TargetId>
class TargetPool {
  public:
    struct Range {
        uint32_t begin;
        uint8_t count;
        bool weighted;  // some tier has a choice to make by weight
        Select select;

        friend bool operator==(const Range&, const Range&) = default;
    };

  private:
    // One message of a burst: which targets, and where their order goes.
    struct Wanted {
        Range targets;
        uint64_t spread;
        std::array<TargetId, limits::targets_max>* order;
    };

  public:
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

    void prefetch(Range range) const { sy::prefetch(lines_.data() + range.begin); }

    /// The messages of a burst, ordered by weight or as written, without a look at anything else.
    /// Any worker, on its stack. Step by step over the burst: a message's own steps wait for each
    /// other, those of several overlap.
    class Burst {
      public:
        // Sets nothing else: of a burst few may be used.
        explicit Burst(const TargetPool& pool) : pool_(pool) {}

        /// REQUIRES: at most limits::burst of them.
        void add(Range range, uint64_t spread, std::array<TargetId, limits::targets_max>& out) {
            // As written is all that most need; which of them draw is no branch.
            pool_.put_as_written(range, out);
            wanted_[count_] = {range, spread, &out};
            count_ += range.weighted ? 1 : 0;
        }
        /// Only now all are in order.
        void finish() const { pool_.draw({wanted_.data(), count_}); }

      private:
        const TargetPool& pool_;
        size_t count_ = 0;
        std::array<Wanted, limits::burst> wanted_;  // those that draw
    };
    /// Of one message; returns how many.
    uint8_t order(Range range,
                  uint64_t spread,
                  std::array<TargetId, limits::targets_max>& out) const {
        Burst one(*this);
        one.add(range, spread, out);
        one.finish();
        return range.count;
    }

    /// The first range.count are meant, by place in the rule. Among targets of one tier: by weight,
    /// or as written (Select::order).
    [[nodiscard]] OrderKeys keys(Range range, uint64_t spread) const {
        OrderKeys all{};
        const RendezvousInts some = keys_of(lines_[range.begin], first_places, spread);
        std::memcpy(all.data(), &some, sizeof some);
        if (range.count > lanes) [[unlikely]] {
            const RendezvousInts more = keys_of(lines_[range.begin + 1], second_places, spread);
            std::memcpy(all.data() + lanes, &more, sizeof more);
        }
        return all;
    }

    /// In the order of the rule: tier by tier, inside a tier as written. REQUIRES: i < count.
    [[nodiscard]] TargetId id(Range range, size_t i) const {
        return lines_[range.begin + i / lanes].ids[i % lanes];
    }
    [[nodiscard]] uint8_t tier(Range range, size_t i) const {
        return static_cast<uint8_t>(lines_[range.begin + i / lanes].tiers[i % lanes]);
    }

  private:
    static constexpr size_t lanes = rendezvous_lanes;
    static_assert(limits::targets_max == 2 * lanes, "four bits each for tier and place");

    // Lanes that are no targets have the last tier and no weight, and so has no target of a rule
    // with such lanes.
    static constexpr uint16_t tier_last = 15;
    static constexpr float never = std::numeric_limits<float>::infinity();
    // Eight targets in a cache line.
    struct alignas(limits::cache_line_bytes) Line {
        std::array<float, lanes> inverse_weights;
        std::array<TargetId, lanes> ids{};
        std::array<uint16_t, lanes> tiers;

        Line() {
            inverse_weights.fill(never);
            tiers.fill(tier_last);
        }
    };
    static_assert(sizeof(Line) == limits::cache_line_bytes && sizeof(TargetId) == 2);

    static constexpr RendezvousWords first_places{0, 1, 2, 3, 4, 5, 6, 7};
    static constexpr RendezvousWords second_places{8, 9, 10, 11, 12, 13, 14, 15};

    static RendezvousWords widened(const void* from) {
        using Narrow [[gnu::vector_size(2 * lanes)]] = uint16_t;
        Narrow values;
        std::memcpy(&values, from, sizeof values);
        return __builtin_convertvector(values, RendezvousWords);
    }

    // The highest four bits are the tier, the lowest the place, 24 between them the score. All less
    // 2^31, as vectors compare signed.
    static RendezvousInts keys_of(const Line& line, RendezvousWords places, RendezvousWords drawn) {
        RendezvousFloats inverse_weights;
        std::memcpy(&inverse_weights, line.inverse_weights.data(), sizeof inverse_weights);
        const RendezvousWords scores = rendezvous_scores(drawn, inverse_weights);
        const RendezvousWords tiers = widened(line.tiers.data()) << 28 ^ 0x8000'0000U;
        return std::bit_cast<RendezvousInts>(tiers | scores << 4 | places);
    }
    static RendezvousInts keys_of(const Line& line, RendezvousWords places, uint64_t spread) {
        return keys_of(line, places,
                       rendezvous_draw(widened(line.ids.data()), RendezvousSeed(spread)));
    }

    // Batcher's bitonic network: as a sort, without a branch to guess wrong.
    static RendezvousInts sorted(RendezvousInts keys) {
        keys = exchanged<1, 0, 3, 2, 5, 4, 7, 6>(keys, RendezvousInts{0, -1, -1, 0, 0, -1, -1, 0});
        keys = exchanged<2, 3, 0, 1, 6, 7, 4, 5>(keys, RendezvousInts{0, 0, -1, -1, -1, -1, 0, 0});
        keys = exchanged<1, 0, 3, 2, 5, 4, 7, 6>(keys, RendezvousInts{0, -1, 0, -1, -1, 0, -1, 0});
        keys = exchanged<4, 5, 6, 7, 0, 1, 2, 3>(keys, RendezvousInts{0, 0, 0, 0, -1, -1, -1, -1});
        keys = exchanged<2, 3, 0, 1, 6, 7, 4, 5>(keys, RendezvousInts{0, 0, -1, -1, 0, 0, -1, -1});
        return exchanged<1, 0, 3, 2, 5, 4, 7, 6>(keys, RendezvousInts{0, -1, 0, -1, 0, -1, 0, -1});
    }
    // Each lane keeps the smaller of itself and its partner's, where `larger` is set the larger.
    template <int... partners>
    static RendezvousInts exchanged(RendezvousInts keys, RendezvousInts larger) {
        const RendezvousInts others = __builtin_shufflevector(keys, keys, partners...);
        const RendezvousInts least = keys < others ? keys : others;
        const RendezvousInts most = keys < others ? others : keys;
        return larger != 0 ? most : least;
    }
    // Lane i: values[places[i]].
    static RendezvousWords picked(RendezvousWords values, RendezvousInts places) {
#if defined(__AVX2__)
        return std::bit_cast<RendezvousWords>(_mm256_permutevar8x32_epi32(
            std::bit_cast<__m256i>(values), std::bit_cast<__m256i>(places)));
#else
        RendezvousWords out;
        for (size_t i = 0; i < lanes; ++i) {
            out[i] = values[static_cast<size_t>(places[i])];
        }
        return out;
#endif
    }
    static void put_sorted(const Line& line,
                           RendezvousInts keys,
                           std::array<TargetId, limits::targets_max>& out) {
        constexpr int32_t place_mask = lanes - 1;
        const RendezvousWords ids = picked(widened(line.ids.data()), keys & place_mask);
        using Narrow [[gnu::vector_size(2 * lanes)]] = uint16_t;
        const auto order =
            std::bit_cast<std::array<TargetId, lanes>>(__builtin_convertvector(ids, Narrow));
        std::memcpy(out.data(), order.data(), sizeof order);
    }

    // Counting who comes before has no branch either; for two lines together.
    static RendezvousInts how_many_before(RendezvousInts keys, RendezvousInts others) {
        RendezvousInts before{};
        for (size_t i = 0; i < lanes; ++i) {
            before -= others[i] + RendezvousInts{} < keys;
        }
        return before;
    }
    static void put(const Line& line,
                    RendezvousInts places,
                    std::array<TargetId, limits::targets_max>& out) {
        for (size_t i = 0; i < lanes; ++i) {
            out[static_cast<uint32_t>(places[i])] = line.ids[i];
        }
    }

    void put_as_written(Range range, std::array<TargetId, limits::targets_max>& out) const {
        const Line* line = &lines_[range.begin];
        std::memcpy(out.data(), line[0].ids.data(), sizeof line[0].ids);
        if (range.count > lanes) [[unlikely]] {
            std::memcpy(out.data() + lanes, line[1].ids.data(), sizeof line[1].ids);
        }
    }

    void draw(std::span<const Wanted> burst) const {
        std::array<RendezvousWords, limits::burst> drawn;
        std::array<RendezvousInts, limits::burst> keys;
        for (size_t i = 0; i < burst.size(); ++i) {
            drawn[i] = rendezvous_draw(widened(lines_[burst[i].targets.begin].ids.data()),
                                       RendezvousSeed(burst[i].spread));
        }
        for (size_t i = 0; i < burst.size(); ++i) {
            keys[i] = keys_of(lines_[burst[i].targets.begin], first_places, drawn[i]);
        }
        // All eight, however many there are: nothing to guess wrong. What is no target comes last.
        for (size_t i = 0; i < burst.size(); ++i) {
            const Wanted& wanted = burst[i];
            if (wanted.targets.count > lanes) [[unlikely]] {
                order_two_lines(wanted, keys[i]);
                continue;
            }
            put_sorted(lines_[wanted.targets.begin], sorted(keys[i]), *wanted.order);
        }
    }

    void order_two_lines(const Wanted& wanted, RendezvousInts a) const {
        const Line* line = &lines_[wanted.targets.begin];
        const RendezvousInts b = keys_of(line[1], second_places, wanted.spread);
        put(line[0], how_many_before(a, a) + how_many_before(a, b), *wanted.order);
        put(line[1], how_many_before(b, a) + how_many_before(b, b), *wanted.order);
    }

    Range append(const Tiers<TargetId>& tiers, Select select) {
        Range range{static_cast<uint32_t>(lines_.size()), 0, false, select};
        lines_.emplace_back();
        for (size_t tier = 0; tier < tiers.size(); ++tier) {
            range.weighted |= select == Select::weight && tiers[tier].size() > 1;
            for (const auto& target : tiers[tier]) {
                const size_t i = range.count % lanes;
                if (i == 0 && range.count > 0) {
                    lines_.emplace_back();
                }
                Line& line = lines_.back();
                // Weight 0: only after all others of its tier.
                line.inverse_weights[i] = select == Select::order ? 0.0F
                                          : target.weight == 0
                                              ? never
                                              : 1.0F / static_cast<float>(target.weight);
                line.ids[i] = target.id;
                line.tiers[i] = static_cast<uint16_t>(tier);
                ++range.count;
            }
        }
        return range;
    }

    std::vector<Line> lines_;
    std::map<std::vector<uint64_t>, Range> known_;  // by content, while building
};

}  // namespace sy::route
