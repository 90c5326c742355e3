// prices.csv and sell.csv: what suppliers take and what customers pay, by destination and time.
#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "core/base/limits.h"
#include "core/base/prng.h"
#include "core/config/cells.h"
#include "core/config/content_hash.h"
#include "core/config/network_codes.h"
#include "core/config/tables.h"

namespace sy::config {
namespace {

// What both files have; their own columns stand behind.
enum Column : size_t { network, prefix, price, currency, from, until, common_count };
enum BuyColumn : size_t { supplier = common_count, per, buy_count };
enum SellColumn : size_t { customer = common_count, plan, sell_count };

constexpr std::array<CsvColumn, buy_count> buy_columns{
    {{"network"}, {"prefix"}, {"price"}, {"currency"}, {"from"}, {"until"}, {"supplier"}, {"per"}}};
constexpr std::array<CsvColumn, sell_count> sell_columns{{{"network"},
                                                          {"prefix"},
                                                          {"price"},
                                                          {"currency"},
                                                          {"from"},
                                                          {"until"},
                                                          {"customer"},
                                                          {"plan"}}};

// Until rows are joined, their column is the account: plans stand behind the customers.
constexpr uint16_t no_account = 0xFFFF;
static_assert(limits::customers_max + limits::plans_max < no_account);

struct Currency {
    std::string code;
    Position at;
};

struct Part {
    std::vector<route::PriceRow> rows;
    std::vector<Currency> currencies;  // each where it is met first
};

std::optional<route::Minute> read_minute(CsvTable& table, size_t column, DayEnd day_end) {
    const auto minute = parse_minute(table.cell(column), day_end);
    if (!minute) {
        table.complaints().error(
            table.at(column),
            fmt::format("{} is {}, expected a time like 2026-01-31, 2026-01-31 18:30 or "
                        "2026-01-31T18:30+01:00 (UTC without an offset)",
                        column == from ? "from" : "until", in_quotes(table.cell(column))));
    }
    return minute;
}

bool read_times(CsvTable& table, route::PriceRow& row) {
    std::optional<route::Minute> begin = route::Minute{0};
    std::optional<route::Minute> end = route::minute_forever;
    if (!table.cell(from).empty()) {
        begin = read_minute(table, from, DayEnd::no);
    }
    if (!table.cell(until).empty()) {
        end = read_minute(table, until, DayEnd::yes);
    }
    if (!begin || !end) {
        return false;
    }
    row.from = *begin;
    row.until = *end;
    if (row.from >= row.until) {
        table.complaints().error(
            table.at(until),
            fmt::format("until is {}, expected a time behind from, which is {}",
                        in_quotes(table.cell(until)), in_quotes(table.cell(from))));
        return false;
    }
    return true;
}

bool read_destination(CsvTable& table, const Names& names, route::PriceRow& row) {
    const std::string_view mccmnc = table.cell(network);
    const std::string digits = read_prefix(table, prefix);
    if (mccmnc.empty()) {
        row.first = route::prefix_range(digits).first;
        row.digits = static_cast<uint8_t>(digits.size());
        return digits.empty() == table.cell(prefix).empty();
    }
    if (!digits.empty()) {
        table.complaints().error(table.at(prefix),
                                 fmt::format("prefix {} beside network {}, expected one of them",
                                             in_quotes(digits), in_quotes(mccmnc)));
        return false;
    }
    row.network =
        read_account(table, network, mccmnc, names.networks, names.network_names, "network");
    return row.network.valid();
}

bool read_currency(CsvTable& table, Part& part) {
    const std::string_view code = table.cell(currency);
    if (code.empty()) {
        return true;
    }
    const bool is_code =
        code.size() == 3 && std::ranges::all_of(code, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (!is_code) {
        table.complaints().error(
            table.at(currency),
            fmt::format("currency is {}, expected three capital letters like EUR",
                        in_quotes(code)));
        return false;
    }
    if (std::ranges::none_of(part.currencies,
                             [&](const Currency& known) { return known.code == code; })) {
        part.currencies.push_back({std::string(code), table.at(currency)});
    }
    return true;
}

// All of a row but the account; false when something was complained about.
bool read_common(CsvTable& table, const Names& names, Part& part, route::PriceRow& row) {
    row.line = table.line();
    const auto money = route::parse_money(table.cell(price));
    if (money) {
        row.price = *money;
    } else {
        table.complaints().error(
            table.at(price),
            fmt::format("price is {}, expected {}", in_quotes(table.cell(price)), money_expected));
    }
    // Each is asked, so that every mistake of the row is named.
    const bool destination = read_destination(table, names, row);
    const bool times = read_times(table, row);
    const bool money_kind = read_currency(table, part);
    return money.has_value() && destination && times && money_kind;
}

void read_buy_part(CsvTable& table, const Names& names, Part& part) {
    while (table.next()) {
        route::PriceRow row;
        bool good = read_common(table, names, part, row);
        const SupplierId id = read_account(table, supplier, table.cell(supplier), names.suppliers,
                                           names.supplier_names, "supplier");
        const std::string_view when = table.cell(per);
        row.per_delivery = when == "delivery";
        if (!when.empty() && when != "delivery" && when != "submit") {
            table.complaints().error(
                table.at(per),
                fmt::format("per is {}, expected submit or delivery", in_quotes(when)));
            good = false;
        }
        if (good && id.valid()) {
            row.column = id.value;
            part.rows.push_back(row);
        }
    }
}

uint16_t read_buyer(CsvTable& table, const Names& names) {
    const std::string_view name = table.cell(customer);
    const std::string_view plan_name = table.cell(plan);
    if (name.empty() == plan_name.empty()) {
        table.complaints().error(table.at(name.empty() ? plan : customer),
                                 fmt::format("customer is {} and plan is {}, expected one of them",
                                             in_quotes(name), in_quotes(plan_name)));
        return no_account;
    }
    if (!name.empty()) {
        return read_account(table, customer, name, names.customers, names.customer_names,
                            "customer")
            .value;
    }
    const PlanId id =
        read_account(table, plan, plan_name, names.plans, names.plan_names, "plan of a customer");
    return id.valid() ? static_cast<uint16_t>(limits::customers_max + id.value) : no_account;
}

void read_sell_part(CsvTable& table, const Names& names, Part& part) {
    while (table.next()) {
        route::PriceRow row;
        const bool good = read_common(table, names, part, row);
        row.column = read_buyer(table, names);
        if (good && row.column != no_account) {
            part.rows.push_back(row);
        }
    }
}

// One currency for all prices: sums of two would mean nothing.
void check_currencies(const std::vector<Part>& parts, std::string& known, Complaints& complaints) {
    for (const Part& part : parts) {
        for (const Currency& each : part.currencies) {
            if (known.empty()) {
                known = each.code;
            } else if (each.code != known) {
                complaints.error(each.at,
                                 fmt::format("currency is {}, expected {}, as in the rows before: "
                                             "all prices are in one currency",
                                             in_quotes(each.code), in_quotes(known)));
            }
        }
    }
}

// REQUIRES: sorted, so that rows of one key stand together by line.
void complain_of_repeated(std::vector<route::PriceRow>& rows, Complaints& complaints) {
    size_t kept = 0;
    for (const route::PriceRow& row : rows) {
        if (kept == 0 || !rows[kept - 1].same_key(row)) {
            rows[kept++] = row;
            continue;
        }
        const route::PriceRow& first = rows[kept - 1];
        if (first.price == row.price && first.until == row.until &&
            first.per_delivery == row.per_delivery) {
            complaints.warning(
                {row.line, 1},
                fmt::format("the row does nothing: line {} says the same", first.line));
        } else {
            complaints.error({row.line, 1},
                             fmt::format("the row contradicts line {}, which begins at the same "
                                         "minute, expected one price for it",
                                         first.line));
        }
    }
    rows.resize(kept);
}

// What both files are read with.
struct Reading {
    std::string_view text;
    const Names& names;
    Complaints& complaints;
    std::string& known_currency;
};

// Takes over `last` where the file is the same; the currency that it begins with counts as a name.
// `claim(table, row, next)` gives a row its column.
template <class Table, class ReadPart, class Claim>
std::shared_ptr<const Table> read_file(const Reading& in,
                                       std::span<const CsvColumn> columns,
                                       CompiledFile<Table>& last,
                                       const ReadPart& read_part,
                                       const Claim& claim) {
    const FileIdentity identity{content_hash(in.text),
                                mix64(hash_of(in.names) ^ content_hash(in.known_currency)),
                                in.complaints.file()};
    if (last.is_of(identity)) {
        in.known_currency = last.currency;
        in.complaints.repeat(last.warnings);
        return last.table;
    }
    last = {};
    const CsvTable header(in.text, columns, in.complaints);
    std::vector<Part> parts =
        read_parts<Part>(header, in.complaints,
                         [&](CsvTable& table, Part& part) { read_part(table, in.names, part); });
    check_currencies(parts, in.known_currency, in.complaints);
    auto rows = joined_rows<route::PriceRow>(parts);
    auto out = std::make_shared<Table>();
    uint16_t next = 0;
    for (route::PriceRow& row : rows) {
        row.column = claim(*out, row, next);
    }
    route::sort_rows(rows);
    complain_of_repeated(rows, in.complaints);
    if (in.complaints.any_error()) {
        return nullptr;
    }
    out->table = route::PriceTable(rows, next);
    last = {identity, out, {}, {}, in.known_currency};
    in.complaints.append_to(last.warnings);
    return out;
}

}  // namespace

std::shared_ptr<const route::BuyPrices> read_prices(std::string_view text,
                                                    const Names& names,
                                                    Complaints& complaints,
                                                    std::string& known_currency,
                                                    Registry& registry) {
    return read_file(Reading{text, names, complaints, known_currency}, buy_columns,
                     registry.prices_file, read_buy_part,
                     [](route::BuyPrices& out, const route::PriceRow& row, uint16_t& next) {
                         return out.suppliers.claim(SupplierId{row.column}, next);
                     });
}

std::shared_ptr<const route::SellPrices> read_sell(std::string_view text,
                                                   const Names& names,
                                                   Complaints& complaints,
                                                   std::string& known_currency,
                                                   Registry& registry) {
    return read_file(
        Reading{text, names, complaints, known_currency}, sell_columns, registry.sell_file,
        read_sell_part, [](route::SellPrices& out, const route::PriceRow& row, uint16_t& next) {
            if (row.column < limits::customers_max) {
                return out.customers.claim(CustomerId{row.column}, next);
            }
            const auto plan_id = static_cast<uint16_t>(row.column - limits::customers_max);
            return out.plans.claim(PlanId{plan_id}, next);
        });
}

}  // namespace sy::config
