// Data plane: the last stage of MtTable::decide(), from the rules that won to targets. Most
// messages need weights alone; for the others the prices of the whole burst are located at once.
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "core/base/assert.h"
#include "core/route/choice.h"
#include "core/route/mt_impl.h"
#include "core/route/scratch_impl.h"

namespace sy::route {

template <class Listener>
class TargetStage {
  public:
    TargetStage(const MtTable::Impl& table,
                const Prices& prices,
                const QualityBoard* quality,
                Listener& listener)
        : table_(table), prices_(prices), quality_(quality), listener_(listener) {}

    /// Message i: its rule may have routed it (decision.kind) by outcomes[i].
    void choose(std::span<const MtQuery> queries,
                std::span<const uint64_t> keys,
                std::span<const MtOutcome* const> outcomes,
                std::span<MtDecision> decisions) {
        TargetPool<SupplierId>::Burst plain(table_.targets);
        uint32_t count = 0;  // messages that need a closer look
        for (uint32_t i = 0; i < queries.size(); ++i) {
            if (decisions[i].kind != MtDecision::Kind::route) {
                continue;
            }
            if (!Listener::wants_facts && outcomes[i]->plain && !is_sold(queries[i])) [[likely]] {
                plain.add(outcomes[i]->targets, queries[i].spread, decisions[i].targets);
                decisions[i].target_count = outcomes[i]->targets.count;
                continue;
            }
            index_[count] = i;
            limited_[count] = is_sold(queries[i]);
            keys_[count] = keys[i];
            networks_[count++] = decisions[i].network;
        }
        plain.finish();
        if (count == 0) {
            return;
        }
        locate(count);
        prefetch(outcomes, count);
        for (uint32_t k = 0; k < count; ++k) {
            const uint32_t i = index_[k];
            choose_one(queries[i], *outcomes[i], k, decisions[i]);
        }
    }

  private:
    [[nodiscard]] bool is_sold(const MtQuery& query) const {
        return prices_.sell != nullptr && prices_.sell->covers(query.customer, query.plan);
    }

    void locate(uint32_t count) {
        const std::span keys(keys_.data(), count);
        const std::span networks(networks_.data(), count);
        if (prices_.buy != nullptr) {
            prices_.buy->table.locate(keys, networks, {buy_.data(), count});
        }
        if (prices_.sell != nullptr) {
            prices_.sell->table.locate(keys, networks, {sell_.data(), count});
        }
    }

    // Level by level, so that the misses of all targets of the burst overlap.
    void prefetch(std::span<const MtOutcome* const> outcomes, uint32_t count) const {
        const auto each_price = [&](const auto& reach) {
            for (uint32_t k = 0; k < count; ++k) {
                const MtOutcome& outcome = *outcomes[index_[k]];
                const bool priced = limited_[k] || outcome.targets.select == Select::cost ||
                                    outcome.max_cost != Money::highest();
                for (size_t i = 0; priced && i < outcome.targets.count; ++i) {
                    const SupplierId supplier = table_.targets.id(outcome.targets, i);
                    if (prices_.buy->has_prices(supplier)) {
                        reach(buy_[k], prices_.buy->suppliers.of(supplier));
                    }
                }
            }
        };
        if (prices_.buy == nullptr || prices_.buy->table.empty()) {
            return;
        }
        const PriceTable& table = prices_.buy->table;
        each_price(
            [&](PriceTable::Place place, uint16_t column) { table.prefetch_cells(place, column); });
        each_price(
            [&](PriceTable::Place place, uint16_t column) { table.prefetch_steps(place, column); });
    }

    void choose_one(const MtQuery& query,
                    const MtOutcome& outcome,
                    uint32_t k,
                    MtDecision& decision) {
        ChoiceCase the_case;
        the_case.spread = query.spread;
        the_case.now = query.minute();
        the_case.network = decision.network;
        the_case.limit = outcome.max_cost;
        the_case.quality = quality_;
        if (prices_.buy != nullptr) {
            the_case.buy = prices_.buy.get();
            the_case.place = buy_[k];
        }
        if (limited_[k]) {
            const PriceTable::Step* price =
                prices_.sell->find(sell_[k], query.customer, query.plan, query.minute());
            the_case.limit = std::min(
                the_case.limit, price == nullptr
                                    ? Money::lowest()
                                    : prices_.margin(query.customer).cost_limit(price->price));
            listener_.sold(price);
        }
        listener_.limit(the_case.limit);
        Chooser<Listener> chooser(the_case, outcome.targets.select, listener_);
        decision.target_count = chooser.choose(table_.targets, outcome.targets, decision.targets);
        if (decision.target_count == 0) {
            decision.kind = MtDecision::Kind::too_dear;
        }
    }

    const MtTable::Impl& table_;
    const Prices& prices_;
    const QualityBoard* quality_;
    Listener& listener_;
    // Of those that need a closer look:
    std::array<uint32_t, limits::burst> index_;
    std::array<bool, limits::burst> limited_;  // by what the customer pays
    std::array<uint64_t, limits::burst> keys_;
    std::array<NetworkId, limits::burst> networks_;
    std::array<PriceTable::Place, limits::burst> buy_;
    std::array<PriceTable::Place, limits::burst> sell_;
};

}  // namespace sy::route
