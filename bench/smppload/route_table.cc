// Makes the route table: generated, or read from an mt.csv.
#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <unordered_set>

#include <fmt/format.h>

#include "bench/smppload/traffic.h"

namespace sy::load {
namespace {

// Country codes of E.164 that a table of an international carrier begins with.
constexpr std::array<std::string_view, 60> country_codes = {
    "1",   "7",   "20",  "27",  "30",  "31",  "32",  "33",  "34",  "36",  "39",  "40",
    "41",  "43",  "44",  "45",  "46",  "47",  "48",  "49",  "51",  "52",  "54",  "55",
    "56",  "57",  "58",  "60",  "61",  "62",  "63",  "64",  "65",  "66",  "81",  "82",
    "84",  "86",  "90",  "91",  "92",  "93",  "94",  "95",  "98",  "212", "213", "216",
    "218", "234", "254", "351", "353", "358", "370", "380", "420", "966", "971", "998"};

std::vector<std::string> make_prefixes(uint32_t count, uint64_t seed) {
    std::unordered_set<std::string> seen;
    seen.reserve(count);
    std::vector<std::string> out;
    const auto add = [&](std::string prefix) {
        if (out.size() < count && seen.insert(prefix).second) {
            out.push_back(std::move(prefix));
        }
    };
    for (const std::string_view code : country_codes) {
        add(std::string(code));
    }
    Prng prng(seed);
    while (out.size() < count) {
        std::string prefix(country_codes[prng.below(country_codes.size())]);
        const size_t size = 4 + prng.below(count > 100'000 ? 6 : 4);
        while (prefix.size() < size) {
            prefix += static_cast<char>('0' + prng.below(10));
        }
        add(std::move(prefix));
    }
    return out;
}

std::vector<Expression> make_expressions(uint32_t count) {
    std::vector<Expression> out;
    for (uint32_t e = 0; e < count; ++e) {
        if (e % 2 == 0) {
            out.push_back({fmt::format("code K{:05}-[0-9]{{4}}", e),
                           fmt::format("code K{:05}-{:04}", e, (e * 7919) % 10'000), false});
        } else {
            out.push_back({fmt::format("^Sh?op{:05}$", e), fmt::format("Shop{:05}", e), true});
        }
    }
    return out;
}

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> out;
    std::string field;
    bool quoted = false;
    for (const char c : line) {
        if (c == '"') {
            quoted = !quoted;
        } else if (c == ',' && !quoted) {
            out.push_back(std::move(field));
            field.clear();
        } else if (c != '\r') {
            field += c;
        }
    }
    out.push_back(std::move(field));
    return out;
}

/// The supplier's number by the name that write_config gives it ("sim2" -> 2).
std::optional<uint8_t> supplier_of(std::string_view targets, uint32_t suppliers) {
    const std::string first(targets.substr(0, targets.find_first_of(" :|>")));
    for (uint32_t i = 0; i < suppliers; ++i) {
        if (supplier_name(i) == first) {
            return static_cast<uint8_t>(i);
        }
    }
    return std::nullopt;
}

Result<RouteTable> read_table(const Options& options) {
    std::ifstream file(options.prefix_file);
    if (!file) {
        return fail("cannot read " + options.prefix_file);
    }
    RouteTable out;
    std::string line;
    size_t prefix_column = 0, targets_column = 0, columns = 0;
    std::vector<size_t> condition_columns;
    for (uint32_t number = 1; std::getline(file, line); ++number) {
        if (line.empty() || line[0] == '#') {
            continue;
        }
        const std::vector<std::string> fields = split(line);
        if (columns == 0) {
            columns = fields.size();
            prefix_column = targets_column = columns;
            for (size_t i = 0; i < columns; ++i) {
                if (fields[i] == "prefix") {
                    prefix_column = i;
                } else if (fields[i] == "targets") {
                    targets_column = i;
                } else if (fields[i] == "sender" || fields[i] == "text") {
                    condition_columns.push_back(i);
                }
            }
            if (prefix_column == columns || targets_column == columns) {
                return fail(options.prefix_file + ":1: error: no columns prefix and targets");
            }
            continue;
        }
        const bool conditional =
            std::any_of(condition_columns.begin(), condition_columns.end(),
                        [&](size_t i) { return i < fields.size() && !fields[i].empty(); });
        if (conditional || fields.size() != columns || fields[prefix_column].empty()) {
            continue;  // expressions are followed only in tables that we generate
        }
        const auto supplier = supplier_of(fields[targets_column], options.suppliers);
        if (!supplier) {
            return fail(fmt::format("{}:{}: error: target '{}', expected one of {} to {}",
                                    options.prefix_file, number, fields[targets_column],
                                    supplier_name(0), supplier_name(options.suppliers - 1)));
        }
        out.rows.push_back({fields[prefix_column], *supplier, *supplier, -1});
    }
    if (out.rows.empty()) {
        return fail(options.prefix_file + ": error: no row with a prefix and without expressions");
    }
    return out;
}

}  // namespace

Result<RouteTable> make_route_table(const Options& options) {
    if (!options.prefix_file.empty()) {
        return read_table(options);
    }
    RouteTable out;
    out.expressions = make_expressions(options.expressions);
    Prng prng(options.seed + 11);
    for (std::string& prefix : make_prefixes(options.prefixes, options.seed)) {
        PrefixRow row;
        row.prefix = std::move(prefix);
        row.supplier = static_cast<uint8_t>(prng.below(options.suppliers));
        row.expression_supplier = static_cast<uint8_t>((row.supplier + 1u) % options.suppliers);
        const double draw = static_cast<double>(prng() >> 11) * 0x1p-53;
        if (options.expressions > 0 && draw < options.expression_rows) {
            row.expression = static_cast<int32_t>(prng.below(options.expressions));
        }
        out.rows.push_back(std::move(row));
    }
    return out;
}

}  // namespace sy::load
