#include "core/config/expressions.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>

#include <fmt/format.h>

#include "core/match/database.h"

namespace sy::config {
namespace {

using Column = ExpressionCell::Column;

const std::string& expression_of(const route::MtRule& rule, Column column) {
    return column == Column::sender ? rule.sender : rule.text;
}
const std::string& expression_of(const route::MoRule& rule, Column /*column*/) {
    return rule.text;
}

template <class Rule>
void check_table(const std::vector<Rule>& rules,
                 const std::vector<ExpressionCell>& cells,
                 Complaints& complaints) {
    std::vector<std::string> expressions;  // each distinct one once
    std::unordered_map<std::string, std::vector<ExpressionCell>> cells_of;
    auto rule = rules.begin();
    for (const ExpressionCell& cell : cells) {
        rule = std::find_if(rule, rules.end(),
                            [&](const Rule& each) { return each.line == cell.row_line; });
        if (rule == rules.end()) {
            return;  // a row that was not kept: it has its complaint
        }
        const std::string& expression = expression_of(*rule, cell.column);
        auto& its_cells = cells_of[expression];
        if (its_cells.empty()) {
            expressions.push_back(expression);
        }
        its_cells.push_back(cell);
    }
    for (const std::string& expression : expressions) {
        const std::optional<std::string> why = match::why_refused(expression);
        if (!why) {
            continue;
        }
        for (const ExpressionCell& cell : cells_of[expression]) {
            complaints.error(
                {cell.cell_line, cell.cell_column},
                fmt::format("{}: expression \"{}\" cannot be used: {}",
                            cell.column == Column::sender ? "sender" : "text", expression, *why));
        }
    }
}

}  // namespace

Position place_of(const std::vector<ExpressionCell>& cells,
                  uint32_t row_line,
                  std::string_view column) {
    if (column == "sender" || column == "text") {
        const Column wanted = column == "sender" ? Column::sender : Column::text;
        auto cell = std::lower_bound(
            cells.begin(), cells.end(), row_line,
            [](const ExpressionCell& each, uint32_t line) { return each.row_line < line; });
        for (; cell != cells.end() && cell->row_line == row_line; ++cell) {
            if (cell->column == wanted) {
                return {cell->cell_line, cell->cell_column};
            }
        }
    }
    return {row_line, row_line == 0 ? 0u : 1u};
}

void check_expressions(const Config& config, Complaints& mt, Complaints& mo) {
    check_table(config.mt->rules, config.mt->expressions, mt);
    check_table(config.mo_rules, config.mo_expressions, mo);
}

}  // namespace sy::config
