#include "core/config/section.h"

#include <algorithm>

#include "core/config/parse.h"

namespace sy::config {
namespace {

// The value as people wrote it, for a message. Messages go to logs: no passwords.
std::string describe(std::string_view key, const toml::node& node) {
    if (const auto* string = node.as_string()) {
        return key == "password" ? fmt::format("a string of {} octets", string->get().size())
                                 : in_quotes(string->get());
    }
    if (const auto* integer = node.as_integer()) {
        return fmt::format("{}", integer->get());
    }
    if (const auto* real = node.as_floating_point()) {
        return fmt::format("{}", real->get());
    }
    if (const auto* boolean = node.as_boolean()) {
        return boolean->get() ? "true" : "false";
    }
    if (const auto* array = node.as_array()) {
        return array->empty() ? "an empty array" : "an array";
    }
    return node.is_table() ? "a table" : "a date or time";
}

}  // namespace

Position position_of(const toml::node& node) {
    return {static_cast<uint32_t>(node.source().begin.line),
            static_cast<uint32_t>(node.source().begin.column)};
}

const toml::node* Section::find(std::string_view key) {
    known_.push_back(key);
    return table_ == nullptr ? nullptr : table_->get(key);
}

bool Section::has(std::string_view key) const {
    return table_ != nullptr && table_->contains(key);
}

bool Section::is_empty_array(std::string_view key) const {
    const toml::node* node = table_ == nullptr ? nullptr : table_->get(key);
    return node != nullptr && node->is_array() && node->as_array()->empty();
}

Position Section::at(std::string_view key) const {
    const toml::node* node = table_ == nullptr ? nullptr : table_->get(key);
    return node == nullptr ? at_ : position_of(*node);
}

void Section::complain(std::string_view key, std::string_view expected) {
    const toml::node* node = table_ == nullptr ? nullptr : table_->get(key);
    complaints_.error(at(key),
                      fmt::format("{} is {}, expected {}", key,
                                  node == nullptr ? "missing" : describe(key, *node), expected));
}

void Section::require(std::string_view key) {
    if (!has(key)) {
        complaints_.error(at_, fmt::format("{} needs the key {}", title_, key));
    }
}

bool Section::read_string(std::string_view key, std::string_view expected, std::string& out) {
    const toml::node* node = find(key);
    if (node == nullptr) {
        return false;
    }
    const auto* string = node->as_string();
    if (string == nullptr) {
        complain(key, expected);
        return false;
    }
    out = string->get();
    return true;
}

void Section::text(std::string_view key, std::string& out, OctetLimits octets) {
    std::string value;
    const std::string expected = fmt::format(
        "a string of {} to {} octets without control characters", octets.min, octets.max);
    if (!read_string(key, expected, value)) {
        return;
    }
    const bool clean = std::none_of(value.begin(), value.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
    if (!clean || value.size() < octets.min || value.size() > octets.max) {
        complain(key, expected);
        return;
    }
    out = std::move(value);
}

void Section::name(std::string_view key, std::string& out) {
    std::string value;
    constexpr std::string_view expected = name_expected.substr(name_expected.find(' ') + 1);
    if (!read_string(key, expected, value)) {
        return;
    }
    if (!is_name(value)) {
        complain(key, expected);
        return;
    }
    out = std::move(value);
}

void Section::digits(std::string_view key, std::string& out, size_t digits_max) {
    std::string value;
    const std::string expected = fmt::format("a string of at most {} digits", digits_max);
    if (!read_string(key, expected, value)) {
        return;
    }
    const std::string_view bare =
        value.starts_with('+') ? std::string_view(value).substr(1) : value;
    if (bare.size() > digits_max || (!value.empty() && !is_digits(bare))) {
        complain(key, expected);
        return;
    }
    out = bare;
}

void Section::boolean(std::string_view key, bool& out) {
    const toml::node* node = find(key);
    if (node == nullptr) {
        return;
    }
    if (const auto* value = node->as_boolean()) {
        out = value->get();
    } else {
        complain(key, "true or false");
    }
}

void Section::duration(std::string_view key, Nanos& out, DurationLimits limits) {
    std::string value;
    const std::string expected =
        fmt::format("a duration with its unit from \"{}\" to \"{}\"", duration_text(limits.min_ns),
                    duration_text(limits.max_ns));
    if (!read_string(key, expected, value)) {
        return;
    }
    const auto duration_ns = parse_duration(value);
    if (!duration_ns || *duration_ns < limits.min_ns || *duration_ns > limits.max_ns) {
        complain(key, expected);
        return;
    }
    out = *duration_ns;
}

void Section::size(std::string_view key, uint64_t& out, SizeLimits limits, Off off) {
    std::string value;
    const std::string expected =
        fmt::format("a size from \"{}\" to \"{}\"{}", bytes_text(limits.min),
                    bytes_text(limits.max), off == Off::is_0 ? " or \"off\"" : "");
    if (!read_string(key, expected, value)) {
        return;
    }
    if (off == Off::is_0 && value == "off") {
        out = 0;
        return;
    }
    const auto octets = parse_bytes(value);
    if (!octets || *octets < limits.min || *octets > limits.max) {
        complain(key, expected);
        return;
    }
    out = *octets;
}

void Section::status(std::string_view key, smpp::CommandStatus& out) {
    std::string value;
    constexpr std::string_view expected =
        "the name of an error status like \"RSYSERR\" or its number like \"0x08\"";
    if (!read_string(key, expected, value)) {
        return;
    }
    const auto parsed = smpp::parse_status(value);
    if (!parsed || *parsed == smpp::CommandStatus::esme_rok) {
        complain(key, expected);
        return;
    }
    out = *parsed;
}

bool Section::list(std::string_view key, std::vector<Item>& out) {
    const toml::node* node = find(key);
    out.clear();
    if (node == nullptr) {
        return false;
    }
    if (const auto* one = node->as_string()) {
        out.push_back({one->get(), position_of(*node)});
        return true;
    }
    const auto* array = node->as_array();
    if (array == nullptr) {
        complain(key, "a list of strings");
        return false;
    }
    for (const toml::node& element : *array) {
        if (const auto* string = element.as_string()) {
            out.push_back({string->get(), position_of(element)});
        } else {
            complaints_.error(position_of(element), fmt::format("{} holds {}, expected strings",
                                                                key, describe(key, element)));
        }
    }
    return true;
}

bool Section::numbers(std::string_view key, std::vector<Number>& out, int64_t min, int64_t max) {
    const toml::node* node = find(key);
    out.clear();
    if (node == nullptr) {
        return false;
    }
    const auto* array = node->as_array();
    if (array == nullptr) {
        complain(key, fmt::format("a list of whole numbers from {} to {}", min, max));
        return false;
    }
    bool good = true;
    for (const toml::node& element : *array) {
        const auto* number = element.as_integer();
        if (number != nullptr && number->get() >= min && number->get() <= max) {
            out.push_back({number->get(), position_of(element)});
            continue;
        }
        good = false;
        complaints_.error(position_of(element),
                          fmt::format("{} holds {}, expected whole numbers from {} to {}", key,
                                      describe(key, element), min, max));
    }
    return good;
}

bool Section::read_integer(std::string_view key, int64_t& out, int64_t min, int64_t max) {
    const toml::node* node = find(key);
    if (node == nullptr) {
        return false;
    }
    const auto* value = node->as_integer();
    if (value == nullptr || value->get() < min || value->get() > max) {
        complain(key, fmt::format("a whole number from {} to {}", min, max));
        return false;
    }
    out = value->get();
    return true;
}

std::optional<size_t> Section::read_choice(std::string_view key,
                                           std::span<const std::string_view> names) {
    std::string value;
    const std::string expected = fmt::format("one of \"{}\"", joined(names, "\", \""));
    if (!read_string(key, expected, value)) {
        return std::nullopt;
    }
    const auto found = std::find(names.begin(), names.end(), value);
    if (found == names.end()) {
        complain(key, expected);
        return std::nullopt;
    }
    return static_cast<size_t>(found - names.begin());
}

void Section::finish() {
    if (table_ == nullptr) {
        return;
    }
    for (const auto& [key, node] : *table_) {
        const Position at{static_cast<uint32_t>(key.source().begin.line),
                          static_cast<uint32_t>(key.source().begin.column)};
        if (std::find(known_.begin(), known_.end(), key.str()) == known_.end()) {
            complaints_.error_with_hint(
                at, fmt::format("unknown key {} in {}", in_quotes(key.str()), title_), key.str(),
                known_);
        }
    }
}

}  // namespace sy::config
