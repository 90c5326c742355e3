#include "core/config/cells.h"

namespace sy::config {

int32_t read_priority(CsvTable& table, size_t column) {
    constexpr int32_t priority_max = 1'000'000;
    const std::string_view text = table.cell(column);
    if (text.empty()) {
        return 0;
    }
    const auto value = parse_integer<int32_t>(text);
    if (!value || *value < -priority_max || *value > priority_max) {
        table.complaints().error(
            table.at(column), fmt::format("priority is {}, expected a whole number from {} to {}",
                                          in_quotes(text), -priority_max, priority_max));
        return 0;
    }
    return *value;
}

route::Select read_select(CsvTable& table, size_t column, bool by_price_too) {
    const std::string_view text = table.cell(column);
    if (text.empty() || text == "weight") {
        return route::Select::weight;
    }
    if (text == "order") {
        return route::Select::order;
    }
    if (by_price_too && text == "cost") {
        return route::Select::cost;
    }
    if (by_price_too && text == "quality") {
        return route::Select::quality;
    }
    table.complaints().error(
        table.at(column),
        fmt::format("select is {}, expected {}", in_quotes(text),
                    by_price_too ? "weight, order, cost or quality" : "weight or order"));
    return route::Select::weight;
}

route::Money read_max_cost(CsvTable& table, size_t column) {
    const std::string_view text = table.cell(column);
    if (text.empty()) {
        return route::Money::highest();
    }
    const auto money = route::parse_money(text);
    if (!money) {
        table.complaints().error(table.at(column), fmt::format("max_cost is {}, expected {}",
                                                               in_quotes(text), money_expected));
    }
    return money.value_or(route::Money::highest());
}

std::string read_prefix(CsvTable& table, size_t column) {
    const std::string_view text = table.cell(column);
    const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
    if (text.empty()) {
        return {};
    }
    if (!is_digits(digits) || digits.size() > limits::number_digits_max) {
        table.complaints().error(
            table.at(column),
            fmt::format("{} is not the beginning of a number, expected 1 to {} digits",
                        in_quotes(text), limits::number_digits_max));
        return {};
    }
    return std::string(digits);
}

std::optional<smpp::CommandStatus> read_status(CsvTable& table,
                                               size_t column,
                                               std::string_view text) {
    const auto status = smpp::parse_status(text);
    if (!status) {
        table.complaints().error(
            table.at(column, text),
            fmt::format("{} is not a status, expected a name like RINVDSTADR or a number like 0x45",
                        in_quotes(text)));
    } else if (*status == smpp::CommandStatus::esme_rok) {
        table.complaints().error(
            table.at(column, text),
            fmt::format("status {} means success, expected an error", in_quotes(text)));
        return std::nullopt;
    }
    return status;
}

}  // namespace sy::config
