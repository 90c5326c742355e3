// Data plane: the targets of a winning MT rule in the order to try, where that takes more than
// weights: prices, limits of price, quality. One body for decide() and explain(), which listens.
//
// Inside a tier: `cost` the cheaper first and those without a price last, `quality` the better
// first, `order` as written; what stands equal is spread by weight, as all is with `weight`. A
// limit takes targets off that cost more or have no price.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
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
    using Entry = TargetPool<SupplierId>::Entry;

    Chooser(const ChoiceCase& the_case, Select select, Listener& listener)
        : case_(the_case), select_(select), listener_(listener) {
        explores_ = select == Select::quality && case_.quality != nullptr &&
                    case_.quality->explores(case_.spread);
    }

    /// Returns how many are left.
    uint8_t choose(std::span<const Entry> entries,
                   std::array<SupplierId, limits::targets_max>& out) {
        for (const Entry& entry : entries) {
            const TargetFacts facts = facts_of(entry);
            listener_.target(facts);
            if (!facts.taken_off) {
                insert(entry, rank_of(facts));
            }
        }
        if (select_ != Select::order) {
            spread_equals();
        }
        for (uint8_t i = 0; i < count_; ++i) {
            out[i] = kept_[i].entry->id;
        }
        return count_;
    }

  private:
    struct Kept {
        const Entry* entry;
        int64_t rank;  // the smaller comes first in its tier
    };

    TargetFacts facts_of(const Entry& entry) const {
        TargetFacts facts;
        facts.supplier = entry.id;
        if (case_.buy != nullptr) {
            facts.price = case_.buy->find(case_.place, entry.id, case_.now);
        }
        facts.taken_off = case_.limit != Money::highest() &&
                          (facts.price == nullptr || facts.price->price > case_.limit);
        if (select_ == Select::quality && case_.quality != nullptr) {
            facts.quality = case_.quality->score(entry.id, case_.network);
        }
        return facts;
    }

    int64_t rank_of(const TargetFacts& facts) const {
        switch (select_) {
            case Select::weight:
            case Select::order:
                return 0;
            case Select::cost:
                return facts.price == nullptr ? std::numeric_limits<int64_t>::max()
                                              : facts.price->price.nanos;
            case Select::quality:
                return explores_ ? 0 : -int64_t{facts.quality.value()};
        }
        return 0;
    }

    // Behind those of its tier that are no worse. Tiers come in order.
    void insert(const Entry& entry, int64_t rank) {
        uint8_t at = count_++;
        for (; at > 0 && kept_[at - 1].entry->tier == entry.tier && kept_[at - 1].rank > rank;
             --at) {
            kept_[at] = kept_[at - 1];
        }
        kept_[at] = {&entry, rank};
    }

    void spread_equals() {
        for (uint8_t begin = 0; begin < count_;) {
            uint8_t end = begin + 1;
            while (end < count_ && kept_[end].entry->tier == kept_[begin].entry->tier &&
                   kept_[end].rank == kept_[begin].rank) {
                ++end;
            }
            if (end - begin > 1) {
                by_weight(begin, end);
            }
            begin = end;
        }
    }

    void by_weight(uint8_t begin, uint8_t end) {
        std::array<double, limits::targets_max> scores;
        for (uint8_t i = begin; i < end; ++i) {
            const Kept kept = kept_[i];
            const double score =
                rendezvous_score(case_.spread, kept.entry->id.value, kept.entry->inverse_weight);
            uint8_t at = i;
            for (; at > begin && scores[at - 1] > score; --at) {
                scores[at] = scores[at - 1];
                kept_[at] = kept_[at - 1];
            }
            scores[at] = score;
            kept_[at] = kept;
        }
    }

    const ChoiceCase& case_;
    const Select select_;
    Listener& listener_;
    bool explores_ = false;
    uint8_t count_ = 0;
    std::array<Kept, limits::targets_max> kept_;
};

}  // namespace sy::route
