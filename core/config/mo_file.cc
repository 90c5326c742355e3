// mo.csv: rows of MO routing.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/config/cells.h"
#include "core/config/mo_shadow.h"
#include "core/config/tables.h"
#include "core/config/when.h"
#include "core/route/keyword.h"

namespace sy::config {
namespace {

enum Column : size_t {
    number,
    supplier,
    source,
    keyword,
    text,
    priority,
    targets,
    select,
    note,
    when,
    copy_to,
    reply,
    cost,
    column_count,
};
constexpr std::array<CsvColumn, column_count> columns{{
    {"number"},
    {"supplier"},
    {"source"},
    {"keyword"},
    {"text"},
    {"priority"},
    {"targets"},
    {"select"},
    {"note"},
    {"when"},
    {"copy_to"},
    {"reply"},
    {"cost"},
}};

class MoReader {
  public:
    MoReader(std::string_view file_text, const Names& names, Complaints& complaints, Config& config)
        : table_(file_text, columns, complaints),
          names_(names),
          complaints_(complaints),
          config_(config),
          targets_(table_, targets, names.customers, names.customer_names, "customer"),
          when_(table_, when) {}

    void read() {
        while (table_.next()) {
            route::MoRule rule;
            rule.line = table_.line();
            read_number(rule);
            if (const std::string_view name = table_.cell(supplier); !name.empty()) {
                rule.supplier = read_account(table_, supplier, name, names_.suppliers,
                                             names_.supplier_names, "supplier");
            }
            rule.source = read_prefix(table_, source);
            rule.keyword = read_keyword();
            rule.text = table_.cell(text);
            if (!rule.text.empty()) {
                const Position at = table_.at(text);
                config_.mo_expressions.push_back(
                    {rule.line, ExpressionCell::Column::text, at.line, at.column});
            }
            rule.when = when_.read();
            rule.priority = read_priority(table_, priority);
            rule.select = read_select(table_, select, false);
            rule.note = table_.cell(note);
            if (table_.cell(targets).empty()) {
                complaints_.error(table_.at(targets),
                                  "targets are missing, expected customer names as in "
                                  "acme:70 | globex:30 > initech");
            } else {
                rule.targets = targets_.read();
            }
            rule.copies = read_copies();
            rule.reply = read_reply();
            rule.cost = read_cost();
            config_.mo_rules.push_back(std::move(rule));
        }
    }

  private:
    // "447700900123" exactly, "4477*" and all that follows, "*" or nothing for every number.
    void read_number(route::MoRule& rule) {
        const std::string_view cell = table_.cell(number);
        std::string_view digits = cell.starts_with('+') ? cell.substr(1) : cell;
        rule.number_is_prefix = cell.empty() || digits.ends_with('*');
        if (digits.ends_with('*')) {
            digits.remove_suffix(1);
        }
        const bool any = digits.empty() && rule.number_is_prefix;
        if (!any && (!is_digits(digits) || digits.size() > limits::number_digits_max)) {
            complaints_.error(
                table_.at(number),
                fmt::format("{} is not a number, expected 1 to {} digits, with * behind the "
                            "beginning of a number",
                            in_quotes(cell), limits::number_digits_max));
            return;
        }
        rule.number = digits;
    }

    std::string read_keyword() {
        constexpr size_t keyword_octets_max = route::keyword_bytes_max - 4;  // as MoTable has it
        const std::string_view cell = table_.cell(keyword);
        if (cell.find_first_of(" \t\r\n") != std::string_view::npos ||
            cell.size() > keyword_octets_max) {
            complaints_.error(table_.at(keyword),
                              fmt::format("keyword is {}, expected one word of at most {} octets",
                                          in_quotes(cell), keyword_octets_max));
        }
        return std::string(cell);
    }

    // "acme | globex".
    std::vector<CustomerId> read_copies() {
        std::vector<CustomerId> copies;
        std::string_view rest = table_.cell(copy_to);
        while (!rest.empty()) {
            const size_t end = std::min(rest.find('|'), rest.size());
            const std::string_view name = trimmed(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
            const CustomerId id = read_account(table_, copy_to, name, names_.customers,
                                               names_.customer_names, "customer");
            if (id.valid() && std::ranges::find(copies, id) != copies.end()) {
                complaints_.error(table_.at(copy_to, name),
                                  fmt::format("customer {} is listed twice, expected each once",
                                              in_quotes(name)));
            } else if (id.valid()) {
                copies.push_back(id);
            }
        }
        if (copies.size() > limits::copies_max) {
            complaints_.error(table_.at(copy_to),
                              fmt::format("the row has {} copies, expected at most {}",
                                          copies.size(), limits::copies_max));
        }
        return copies;
    }

    std::shared_ptr<const route::ReplyTemplate> read_reply() {
        const std::string_view cell = table_.cell(reply);
        if (cell.empty()) {
            return nullptr;
        }
        auto parsed = route::parse_reply(cell);
        if (!parsed) {
            complaints_.error(table_.at(reply, cell.substr(parsed.error().at)),
                              "reply: " + parsed.error().text);
            return nullptr;
        }
        return std::make_shared<const route::ReplyTemplate>(*std::move(parsed));
    }

    std::optional<route::Money> read_cost() {
        const std::string_view cell = table_.cell(cost);
        const auto money = cell.empty() ? std::nullopt : route::parse_money(cell);
        if (!cell.empty() && !money) {
            complaints_.error(table_.at(cost), fmt::format("cost is {}, expected {}",
                                                           in_quotes(cell), money_expected));
        }
        return money;
    }

    CsvTable table_;
    const Names& names_;
    Complaints& complaints_;
    Config& config_;
    TargetReader<CustomerId> targets_;
    WhenReader when_;
};

}  // namespace

void read_mo(std::string_view file_text,
             const Names& names,
             Complaints& complaints,
             Config& config) {
    MoReader(file_text, names, complaints, config).read();
    if (!complaints.any_error()) {
        warn_of_hopeless_rows(config.mo_rules, complaints);
    }
}

}  // namespace sy::config
