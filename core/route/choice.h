// Data plane: the targets of a winning MT rule in the order to try, where that takes more than
// weights: prices, limits of price, quality. One body for decide() and explain(), which listens.
//
// Inside a tier: `cost` the cheaper first and those without a price last, `quality` the better
// first, `order` as written; what stands equal is spread by weight, as all is with `weight`. A
// limit takes targets off that cost more or have no price.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/base/limits.h"
#include "core/route/prices.h"
#include "core/route/quality.h"
#include "core/route/target_order.h"

namespace sy::route {

/// What the choice knows of one message.
struct ChoiceCase {
    uint64_t spread = 0;
    Minute now = 0;
    NetworkId network;
    PriceTable::Place place;                // in the suppliers' prices
    const BuyPrices* buy = nullptr;         // null: no prices are asked for
    Money limit = Money::highest();         // no target may cost more
    const QualityBoard* quality = nullptr;  // null: nothing was measured
};

/// What decided over one target; for listeners.
struct TargetFacts {
    SupplierId supplier;
    const PriceTable::Step* price = nullptr;
    bool taken_off = false;
    QualityScore quality = unmeasured_score;
};

template <class Listener>
class Chooser {
  public:
    using Pool = TargetPool<SupplierId>;

    Chooser(const ChoiceCase& the_case, Select select, Listener& listener)
        : case_(the_case), select_(select), listener_(listener) {
        explores_ = select == Select::quality && case_.quality != nullptr &&
                    case_.quality->explores(case_.spread);
    }

    /// Returns how many are left.
    uint8_t choose(const Pool& pool,
                   Pool::Range targets,
                   std::array<SupplierId, limits::targets_max>& out) {
        const bool prices =
            Listener::wants_facts || select_ == Select::cost || case_.limit != Money::highest();
        const OrderKeys keys = pool.keys(targets, case_.spread);  // among equals
        for (size_t i = 0; i < targets.count; ++i) {
            const TargetFacts facts = facts_of(pool.id(targets, i), prices);
            listener_.target(facts);
            // Written always, counted only where it stays: no branch to guess wrong.
            kept_[count_] = facts.supplier;
            ranks_[count_] = uint64_t{pool.tier(targets, i)} << tier_shift | rank_of(facts);
            keys_[count_] = keys[i];
            count_ = static_cast<uint8_t>(count_ + (facts.taken_off ? 0 : 1));
        }
        for (uint8_t i = 0; i < count_; ++i) {
            uint32_t place = 0;
            for (uint8_t other = 0; other < count_; ++other) {
                const bool before = ranks_[other] < ranks_[i] ||
                                    (ranks_[other] == ranks_[i] && keys_[other] < keys_[i]);
                place += before ? 1U : 0U;
            }
            out[place] = kept_[i];
        }
        return count_;
    }

  private:
    // Tier above what orders the targets inside it; the smaller comes first.
    static constexpr unsigned tier_shift = 58;
    static constexpr uint64_t rank_last = (uint64_t{1} << tier_shift) - 1;
    static_assert(Money::units_max * Money::nanos_per_unit < int64_t{rank_last});

    TargetFacts facts_of(SupplierId supplier, bool prices) const {
        TargetFacts facts;
        facts.supplier = supplier;
        if (prices && case_.buy != nullptr) {
            facts.price = case_.buy->find(case_.place, supplier, case_.now);
        }
        facts.taken_off = case_.limit != Money::highest() &&
                          (facts.price == nullptr || facts.price->price > case_.limit);
        if (select_ == Select::quality && case_.quality != nullptr) {
            facts.quality = case_.quality->score(supplier, case_.network);
        }
        return facts;
    }

    uint64_t rank_of(const TargetFacts& facts) const {
        if (select_ == Select::cost) {
            return facts.price == nullptr ? rank_last
                                          : static_cast<uint64_t>(facts.price->price.nanos);
        }
        return select_ == Select::quality && !explores_ ? rank_last - facts.quality.value() : 0;
    }

    const ChoiceCase& case_;
    const Select select_;
    Listener& listener_;
    bool explores_ = false;
    uint8_t count_ = 0;
    std::array<SupplierId, limits::targets_max> kept_;
    std::array<uint64_t, limits::targets_max> ranks_;
    OrderKeys keys_;
};

}  // namespace sy::route
