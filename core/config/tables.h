// The route tables: mt.csv, mo.csv, errors.csv as text to checked rows. Control plane only.
#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/config/complaints.h"
#include "core/config/config.h"

namespace sy::config {

/// The names that rows may use. Views into the accounts of the Config being built.
struct Names {
    std::unordered_map<std::string_view, CustomerId> customers;
    std::unordered_map<std::string_view, SupplierId> suppliers;
    std::unordered_map<CustomerId, std::string_view> plan_of_customer;
    std::vector<std::string_view> customer_names;  // for hints
    std::vector<std::string_view> supplier_names;
    // By MCCMNC: those of networks.csv.
    std::unordered_map<std::string_view, NetworkId> networks;
    std::vector<std::string_view> network_names;
    std::unordered_map<std::string_view, PlanId> plans;  // of customers
    std::vector<std::string_view> plan_names;
    bool has_prices = false;  // prices.csv is named
    bool has_store = false;   // [store] path is set
};

/// Equal for names that mean the same ids (of one Registry): rows that were read with the one are
/// what they would be with the other. Never 0.
[[nodiscard]] uint64_t hash_of(const Names& names);

/// Takes over what `registry` holds of it where content and names are the same. Rows that are kept
/// in spite of a complaint are for further complaints only. Never null.
[[nodiscard]] std::shared_ptr<const MtFile> read_mt(std::string_view text,
                                                    const Names& names,
                                                    Complaints& complaints,
                                                    Registry& registry);

/// Each appends to its rows in `config` and complains about the rest.
void read_mo(std::string_view text, const Names& names, Complaints& complaints, Config& config);
void read_errors(std::string_view text, const Names& names, Complaints& complaints, Config& config);

/// Compile their file, or take over what `registry` holds of it where the content is the same. In
/// parallel. Null where there is an error. The text is freed as soon as it has been read: the
/// largest tables are millions of rows.
[[nodiscard]] std::shared_ptr<const route::Networks> read_networks(std::string text,
                                                                   Complaints& complaints,
                                                                   Registry& registry);
/// Every network must be one of `networks`.
[[nodiscard]] std::shared_ptr<const route::PortedNumbers> read_ported(
    std::string_view text,
    const route::Networks& networks,
    Complaints& complaints,
    Registry& registry);

/// Compile prices.csv and sell.csv, or take over what `registry` holds of them where content and
/// names are the same. `currency` is what earlier files and rows are in, empty until one says so.
/// Null where there is an error.
[[nodiscard]] std::shared_ptr<const route::BuyPrices> read_prices(std::string_view text,
                                                                  const Names& names,
                                                                  Complaints& complaints,
                                                                  std::string& currency,
                                                                  Registry& registry);
[[nodiscard]] std::shared_ptr<const route::SellPrices> read_sell(std::string_view text,
                                                                 const Names& names,
                                                                 Complaints& complaints,
                                                                 std::string& currency,
                                                                 Registry& registry);

/// Plan of a row of mt.csv whose cell is empty, and of a customer that names none.
inline constexpr std::string_view default_plan = "default";
/// Plan of the screening rules.
inline constexpr std::string_view screening_plan = "*";

}  // namespace sy::config
