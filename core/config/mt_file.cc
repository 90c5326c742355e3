// mt.csv: rows of MT routing and screening.
#include <array>
#include <memory>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "core/config/cells.h"
#include "core/config/content_hash.h"
#include "core/config/mt_shadow.h"
#include "core/config/parse.h"
#include "core/config/tables.h"
#include "core/config/when.h"
#include "core/number/outgoing.h"

namespace sy::config {
namespace {

enum Column : size_t {
    plan,
    customer,
    prefix,
    sender,
    sender_type,
    text,
    data_coding,
    priority,
    action,
    targets,
    select,
    note,
    network,
    when,
    max_cost,
    sender_to,
    reroute,
    column_count,
};
constexpr std::array<CsvColumn, column_count> columns{{
    {"plan"},
    {"customer"},
    {"prefix"},
    {"sender"},
    {"sender_type"},
    {"text"},
    {"data_coding"},
    {"priority"},
    {"action"},
    {"targets"},
    {"select"},
    {"note"},
    {"network"},
    {"when"},
    {"max_cost"},
    {"sender_to"},
    {"reroute"},
}};

// Below, receipts that are on their way would be taken for missing ones; above, no customer waits.
constexpr Nanos reroute_min_ns = second_ns;
constexpr Nanos reroute_max_ns = 24 * 3600 * second_ns;

class MtReader {
  public:
    MtReader(std::string_view file_text, const Names& names, Complaints& complaints, MtFile& out)
        : table_(file_text, columns, complaints),
          names_(names),
          complaints_(complaints),
          out_(out),
          targets_(table_, targets, names.suppliers, names.supplier_names, "supplier"),
          when_(table_, when) {}

    void read() {
        while (table_.next()) {
            route::MtRule rule;
            rule.line = table_.line();
            read_conditions(rule);
            read_outcome(rule);
            if (rule.plan != screening_plan && plans_.insert(rule.plan).second) {
                out_.plans.push_back({rule.plan, rule.line});
            }
            out_.rules.push_back(std::move(rule));
        }
    }

  private:
    void read_conditions(route::MtRule& rule) {
        rule.plan = read_plan();
        if (const std::string_view name = table_.cell(customer); !name.empty()) {
            rule.customer = read_account(table_, customer, name, names_.customers,
                                         names_.customer_names, "customer");
            check_customer_plan(rule);
        }
        rule.prefix = read_prefix(table_, prefix);
        if (const std::string_view mccmnc = table_.cell(network); !mccmnc.empty()) {
            rule.network = read_account(table_, network, mccmnc, names_.networks,
                                        names_.network_names, "network");
        }
        rule.sender = expression(sender, ExpressionCell::Column::sender);
        rule.text = expression(text, ExpressionCell::Column::text);
        rule.sender_type = read_sender_type();
        rule.data_coding = read_data_coding();
        rule.when = when_.read();
        rule.priority = read_priority(table_, priority);
        rule.note = table_.cell(note);
    }

    std::string read_plan() {
        const std::string_view name = table_.cell(plan);
        if (name.empty()) {
            return std::string(default_plan);
        }
        if (name != screening_plan && !is_name(name)) {
            complaints_.error(table_.at(plan),
                              fmt::format("{} is not a plan, {}, or * for screening",
                                          in_quotes(name), name_expected));
        }
        return std::string(name);
    }

    void check_customer_plan(const route::MtRule& rule) {
        const auto found = names_.plan_of_customer.find(rule.customer);
        if (found != names_.plan_of_customer.end() && rule.plan != screening_plan &&
            found->second != rule.plan) {
            complaints_.warning(
                table_.at(customer),
                fmt::format("the row never holds: customer {} routes by plan {}, not {}",
                            in_quotes(table_.cell(customer)), in_quotes(found->second),
                            in_quotes(rule.plan)));
        }
    }

    std::string expression(Column column, ExpressionCell::Column kind) {
        const std::string_view cell = table_.cell(column);
        if (!cell.empty()) {
            const Position at = table_.at(column);
            out_.expressions.push_back({table_.line(), kind, at.line, at.column});
        }
        return std::string(cell);
    }

    route::SenderType read_sender_type() {
        const std::string_view cell = table_.cell(sender_type);
        if (cell.empty()) {
            return route::SenderType::any;
        }
        if (cell == "alpha") {
            return route::SenderType::alpha;
        }
        if (cell == "short") {
            return route::SenderType::short_code;
        }
        if (cell != "long") {
            complaints_.error(
                table_.at(sender_type),
                fmt::format("sender_type is {}, expected alpha, short or long", in_quotes(cell)));
        }
        return route::SenderType::long_number;
    }

    int16_t read_data_coding() {
        const std::string_view cell = table_.cell(data_coding);
        if (cell.empty()) {
            return -1;
        }
        const bool hex = cell.starts_with("0x") || cell.starts_with("0X");
        const auto value = parse_integer<uint8_t>(hex ? cell.substr(2) : cell, hex ? 16 : 10);
        if (!value) {
            complaints_.error(table_.at(data_coding),
                              fmt::format("data_coding is {}, expected 0 to 255 or 0x00 to 0xFF",
                                          in_quotes(cell)));
        }
        return static_cast<int16_t>(value.value_or(0));
    }

    void read_outcome(route::MtRule& rule) {
        read_action(rule);
        rule.select = read_select(table_, select, true);
        rule.max_cost = read_max_cost(table_, max_cost);
        if (rule.select == route::Select::cost) {
            check_prices(select, "select");
        }
        if (rule.max_cost != route::Money::highest()) {
            check_prices(max_cost, "max_cost");
        }
        const bool any_target = !table_.cell(targets).empty();
        if (rule.action == route::Action::route) {
            if (rule.plan == screening_plan) {
                complaints_.error(table_.at(action),
                                  "plan * screens and does not route, expected action "
                                  "reject:STATUS or drop");
            } else if (!any_target) {
                complaints_.error(table_.at(targets),
                                  "targets are missing, expected supplier names as in "
                                  "alpha:70 | beta:30 > gamma");
            }
        } else if (any_target) {
            complaints_.error(
                table_.at(targets),
                fmt::format("targets {} in a row with action {}, expected none",
                            in_quotes(table_.cell(targets)), in_quotes(table_.cell(action))));
        }
        if (any_target) {
            rule.targets = targets_.read();
        }
        rule.sender_to = read_sender_to(rule);
        rule.reroute_ns = read_reroute(rule);
    }

    Nanos read_reroute(const route::MtRule& rule) {
        const std::string_view cell = table_.cell(reroute);
        if (cell.empty()) {
            return 0;
        }
        if (rule.action != route::Action::route) {
            complaints_.error(table_.at(reroute),
                              fmt::format("reroute {} in a row with action {}, expected none",
                                          in_quotes(cell), in_quotes(table_.cell(action))));
            return 0;
        }
        if (!names_.has_store) {
            complaints_.error(table_.at(reroute),
                              fmt::format("reroute {} needs the messages on disk, expected path = "
                                          "\"store\" under [store]",
                                          in_quotes(cell)));
        }
        const auto time = parse_duration(cell);
        if (!time || *time < reroute_min_ns || *time > reroute_max_ns) {
            complaints_.error(table_.at(reroute),
                              fmt::format("reroute is {}, expected a time from {} to {} as in 90s",
                                          in_quotes(cell), duration_text(reroute_min_ns),
                                          duration_text(reroute_max_ns)));
            return 0;
        }
        const size_t count =
            std::accumulate(rule.targets.begin(), rule.targets.end(), size_t{0},
                            [](size_t sum, const auto& tier) { return sum + tier.size(); });
        if (count < 2) {
            complaints_.warning(table_.at(reroute),
                                "reroute has no effect in a row with one target alone");
            return 0;
        }
        return *time;
    }

    std::shared_ptr<const number::Sender> read_sender_to(const route::MtRule& rule) {
        const std::string_view cell = table_.cell(sender_to);
        if (cell.empty()) {
            return nullptr;
        }
        if (rule.action != route::Action::route) {
            complaints_.error(table_.at(sender_to),
                              fmt::format("sender_to {} in a row with action {}, expected none",
                                          in_quotes(cell), in_quotes(table_.cell(action))));
            return nullptr;
        }
        auto& known = senders_[std::string(cell)];
        if (known == nullptr) {
            const auto sender = number::parse_sender(cell);
            if (!sender) {
                complaints_.error(
                    table_.at(sender_to),
                    fmt::format("sender_to is {}, expected a name of up to {} ASCII characters, a "
                                "short code of 3 to 8 digits or a number of up to {}",
                                in_quotes(cell), number::alpha_sender_characters_max,
                                limits::number_digits_max));
                return nullptr;
            }
            known = std::make_shared<const number::Sender>(*sender);
        }
        return known;
    }

    // Without any, a limit would take every target off.
    void check_prices(Column column, std::string_view what) {
        if (!names_.has_prices) {
            complaints_.error(table_.at(column),
                              fmt::format("{} {} needs prices of suppliers, expected prices = "
                                          "\"prices.csv\" under [routes]",
                                          what, in_quotes(table_.cell(column))));
        }
    }

    void read_action(route::MtRule& rule) {
        constexpr std::string_view reject = "reject:";
        const std::string_view cell = table_.cell(action);
        if (cell == "drop") {
            rule.action = route::Action::drop;
        } else if (cell.starts_with(reject)) {
            rule.action = route::Action::reject;
            const auto status = read_status(table_, action, trimmed(cell.substr(reject.size())));
            rule.reject_status = status.value_or(rule.reject_status);
        } else if (!cell.empty() && cell != "route") {
            rule.action = route::Action::drop;  // the row is lost anyway: no further complaints
            complaints_.error(table_.at(action),
                              fmt::format("action is {}, expected route, reject:STATUS or drop",
                                          in_quotes(cell)));
        }
    }

    CsvTable table_;
    const Names& names_;
    Complaints& complaints_;
    MtFile& out_;
    TargetReader<SupplierId> targets_;
    WhenReader when_;
    std::unordered_set<std::string> plans_;
    // Equal ones share their object.
    std::unordered_map<std::string, std::shared_ptr<const number::Sender>> senders_;
};

}  // namespace

std::shared_ptr<const MtFile> read_mt(std::string_view file_text,
                                      const Names& names,
                                      Complaints& complaints,
                                      Registry& registry) {
    CompiledFile<MtFile>& last = registry.mt_file;
    const FileIdentity identity{content_hash(file_text), hash_of(names), complaints.file()};
    if (last.is_of(identity)) {
        complaints.repeat(last.warnings);
        return last.table;
    }
    last = {};
    auto file = std::make_shared<MtFile>();
    MtReader(file_text, names, complaints, *file).read();
    if (!complaints.any_error()) {
        warn_of_hopeless_rows(file->rules, complaints);
        last = {identity, file, {}, {}, {}};
        complaints.append_to(last.warnings);
    }
    return file;
}

}  // namespace sy::config
