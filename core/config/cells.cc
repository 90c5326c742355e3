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

route::Select read_select(CsvTable& table, size_t column) {
    const std::string_view text = table.cell(column);
    if (text == "order") {
        return route::Select::order;
    }
    if (text == "cost" || text == "quality") {
        table.complaints().error(
            table.at(column),
            fmt::format("select '{}' is not available in this version, expected weight or order",
                        text));
    } else if (!text.empty() && text != "weight") {
        table.complaints().error(
            table.at(column),
            fmt::format("select is {}, expected weight or order", in_quotes(text)));
    }
    return route::Select::weight;
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
