// errors.csv: what to do with a status that a supplier answered.
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/config/cells.h"
#include "core/config/tables.h"

namespace sy::config {
namespace {

enum Column : size_t { supplier, status, error_class, column_count };
constexpr std::array<CsvColumn, column_count> columns{{{"supplier"}, {"status"}, {"class"}}};

class ErrorsReader {
  public:
    ErrorsReader(std::string_view file_text,
                 const Names& names,
                 Complaints& complaints,
                 Config& config)
        : table_(file_text, columns, complaints),
          names_(names),
          complaints_(complaints),
          config_(config) {}

    void read() {
        while (table_.next()) {
            route::ErrorRule rule;
            rule.line = table_.line();
            const std::string_view name = table_.cell(supplier);
            if (!name.empty()) {
                rule.supplier = read_account(table_, supplier, name, names_.suppliers,
                                             names_.supplier_names, "supplier");
            }
            const bool known_supplier = name.empty() || rule.supplier.valid();
            const auto value = read_status(table_, status, table_.cell(status));
            read_class(rule);
            if (value && known_supplier) {
                rule.status = *value;
                keep(rule);
            }
        }
    }

  private:
    void read_class(route::ErrorRule& rule) {
        const std::string_view cell = table_.cell(error_class);
        if (cell == "next") {
            rule.error_class = route::ErrorClass::next;
        } else if (cell == "pause") {
            rule.error_class = route::ErrorClass::pause;
        } else if (cell != "final") {
            complaints_.error(
                table_.at(error_class),
                fmt::format("class is {}, expected next, pause or final", in_quotes(cell)));
        }
    }

    // Of two rows for the same status the earlier counts, as in the other tables.
    void keep(const route::ErrorRule& rule) {
        const auto [first, is_new] =
            lines_.try_emplace({rule.supplier.value, rule.status}, rule.line);
        if (is_new) {
            config_.error_rules.push_back(rule);
            return;
        }
        complaints_.warning(
            {rule.line, 1},
            fmt::format("the row does nothing: line {} has the same supplier and status",
                        first->second));
    }

    CsvTable table_;
    const Names& names_;
    Complaints& complaints_;
    Config& config_;
    std::map<std::pair<uint16_t, smpp::CommandStatus>, uint32_t> lines_;
};

}  // namespace

void read_errors(std::string_view file_text,
                 const Names& names,
                 Complaints& complaints,
                 Config& config) {
    ErrorsReader(file_text, names, complaints, config).read();
}

}  // namespace sy::config
