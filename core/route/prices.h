// The two price tables of a configuration by account: what suppliers take (prices.csv) and what
// customers pay (sell.csv), in one currency. Immutable, shared by snapshots; any worker asks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/route/money.h"
#include "core/route/price_table.h"

namespace sy::route {

/// Accounts to columns of a PriceTable: those that have prices, numbered densely.
template <class IdType>
class PriceColumns {
  public:
    static constexpr uint16_t none = 0xFFFF;

    /// Control plane: the column of an account, a new one where it has none; `next` counts.
    uint16_t claim(IdType id, uint16_t& next) {
        if (id.value >= columns_.size()) {
            columns_.resize(size_t{id.value} + 1, none);
        }
        uint16_t& column = columns_[id.value];
        column = column == none ? next++ : column;
        return column;
    }
    [[nodiscard]] uint16_t of(IdType id) const {
        return id.value < columns_.size() ? columns_[id.value] : none;
    }

  private:
    std::vector<uint16_t> columns_;  // by id
};

struct BuyPrices {
    PriceTable table;
    PriceColumns<SupplierId> suppliers;

    [[nodiscard]] bool has_prices(SupplierId supplier) const {
        return suppliers.of(supplier) != PriceColumns<SupplierId>::none;
    }
    /// Null: the supplier has no price for it now.
    [[nodiscard]] const PriceTable::Step* find(PriceTable::Place place,
                                               SupplierId supplier,
                                               Minute now) const {
        const uint16_t column = suppliers.of(supplier);
        return column == PriceColumns<SupplierId>::none ? nullptr : table.find(place, column, now);
    }
};

struct SellPrices {
    PriceTable table;
    PriceColumns<CustomerId> customers;
    PriceColumns<PlanId> plans;

    /// Whether the file speaks of the customer, by its own name or by its plan.
    [[nodiscard]] bool covers(CustomerId customer, PlanId plan) const {
        return customers.of(customer) != PriceColumns<CustomerId>::none ||
               plans.of(plan) != PriceColumns<PlanId>::none;
    }
    /// The customer's own price, else its plan's. Null: neither has one for it now.
    [[nodiscard]] const PriceTable::Step* find(PriceTable::Place place,
                                               CustomerId customer,
                                               PlanId plan,
                                               Minute now) const {
        const uint16_t own = customers.of(customer);
        const uint16_t of_plan = plans.of(plan);
        const PriceTable::Step* step =
            own == PriceColumns<CustomerId>::none ? nullptr : table.find(place, own, now);
        const bool ask_plan = step == nullptr && of_plan != PriceColumns<PlanId>::none;
        return ask_plan ? table.find(place, of_plan, now) : step;
    }
};

/// None of the tables: null.
struct Prices {
    std::shared_ptr<const BuyPrices> buy;
    std::shared_ptr<const SellPrices> sell;
    std::vector<Margin> margins;  // by CustomerId; beyond the end: none
    std::string currency;         // for people

    [[nodiscard]] Margin margin(CustomerId customer) const {
        return customer.value < margins.size() ? margins[customer.value] : Margin{};
    }
    [[nodiscard]] bool by_network() const {
        return (buy != nullptr && buy->table.by_network()) ||
               (sell != nullptr && sell->table.by_network());
    }
};

}  // namespace sy::route
