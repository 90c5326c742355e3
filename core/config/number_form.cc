#include "core/config/number_form.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "core/base/limits.h"
#include "core/config/parse.h"

namespace sy::config {
namespace {

constexpr std::string_view prefix_digits = "+0123456789";

bool is_digits_or_empty(std::string_view text) {
    return text.empty() || is_digits(text);
}

// "national:44" and "national:44:0": the country, and what its numbers begin with.
bool read_national(std::string_view text, number::NumberForm& form) {
    constexpr std::string_view national = "national:";
    constexpr size_t country_digits_max = 4;
    constexpr size_t trunk_digits_max = 3;
    if (!text.starts_with(national)) {
        return false;
    }
    text.remove_prefix(national.size());
    const size_t colon = text.find(':');
    const std::string_view country = text.substr(0, colon);
    const bool any_trunk = colon != std::string_view::npos;
    const std::string_view trunk = any_trunk ? text.substr(colon + 1) : std::string_view{};
    if (!is_digits(country) || country.size() > country_digits_max || country.starts_with('0') ||
        (any_trunk && !is_digits(trunk)) || trunk.size() > trunk_digits_max) {
        return false;
    }
    form.national_country = country;
    form.trunk_prefix = trunk;
    return true;
}

void read_format(Section& section, number::NumberForm& form) {
    std::string format = "international";
    section.text("number_format", format, {1, 32});
    if (format == "plus") {
        form.prefix = "+";
    } else if (format == "00") {
        form.prefix = "00";
    } else if (format != "international" && !read_national(format, form)) {
        section.complain("number_format",
                         "\"international\", \"plus\", \"00\" or \"national:CC\" with a country "
                         "code, as in \"national:44\" or, with a trunk prefix, \"national:44:0\"");
    }
    std::string prefix = form.prefix;
    section.text("number_prefix", prefix, {0, 5});
    if (prefix.find_first_not_of(prefix_digits) != std::string::npos) {
        section.complain("number_prefix", "\"\", \"+\", \"00\" or up to 5 digits");
    } else if (section.has("number_prefix") && !form.prefix.empty()) {
        section.complaints().error(
            section.at("number_prefix"),
            fmt::format("number_prefix is {} beside number_format {}, expected one of the two",
                        in_quotes(prefix), in_quotes(format)));
    } else {
        form.prefix = prefix;
    }
}

// "44>9944": what begins the number, and what stands there then.
void read_rewrites(Section& section, number::NumberForm& form) {
    constexpr size_t rewrites_max = 64;
    constexpr size_t to_digits_max = 10;
    std::vector<Section::Item> items;
    section.list("rewrite", items);
    for (const Section::Item& item : items) {
        const std::string_view text = item.text;
        const size_t arrow = text.find('>');
        const std::string_view from = trimmed(text.substr(0, arrow));
        const std::string_view to =
            arrow == std::string_view::npos ? "?" : trimmed(text.substr(arrow + 1));
        if (!is_digits_or_empty(from) || from.size() > limits::number_digits_max ||
            !is_digits_or_empty(to) || to.size() > to_digits_max || (from.empty() && to.empty())) {
            section.complaints().error(
                item.at, fmt::format("rewrite holds {}, expected digits on both sides of a >, up "
                                     "to {} and {} of them, as in \"44>9944\", \"44>\" or \">99\"",
                                     in_quotes(text), limits::number_digits_max, to_digits_max));
            continue;
        }
        if (std::ranges::find(form.rewrites, from, &number::Rewrite::from) != form.rewrites.end()) {
            section.complaints().error(
                item.at, fmt::format("rewrite of {} is there twice, expected each beginning once",
                                     in_quotes(from)));
            continue;
        }
        form.rewrites.push_back({std::string(from), std::string(to)});
    }
    if (items.size() > rewrites_max) {
        section.complaints().error(section.at("rewrite"),
                                   fmt::format("rewrite holds {} entries, expected at most {}",
                                               items.size(), rewrites_max));
    }
    std::ranges::sort(form.rewrites, [](const number::Rewrite& a, const number::Rewrite& b) {
        return a.from.size() > b.from.size();
    });
}

}  // namespace

void read_number_form(Section& section, number::NumberForm& form) {
    section.integer<uint8_t>("ton", form.ton, 0, 6);   // SMPP 3.4 section 5.2.5
    section.integer<uint8_t>("npi", form.npi, 0, 18);  // section 5.2.6
    section.integer<uint8_t>("short_code_ton", form.short_code_ton, 0, 6);
    section.integer<uint8_t>("short_code_npi", form.short_code_npi, 0, 18);
    read_format(section, form);
    read_rewrites(section, form);
}

}  // namespace sy::config
