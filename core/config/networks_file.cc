// networks.csv: which prefixes are whose, and what networks are called.
#include <array>
#include <unordered_map>

#include "core/config/cells.h"
#include "core/config/content_hash.h"
#include "core/config/network_codes.h"
#include "core/config/tables.h"

namespace sy::config {
namespace {

enum Column : size_t { prefix, mccmnc, name, country, column_count };
constexpr std::array<CsvColumn, column_count> columns{
    {{"prefix"}, {"mccmnc"}, {"name"}, {"country"}}};

struct Named {
    uint32_t line = 0;
    route::Network network;
};

struct Part {
    std::vector<route::PrefixRow> rows;             // answered by indexes of `named`
    std::vector<std::pair<uint32_t, Named>> named;  // the first of each code, in order
};

// The texts for people, of all rows of a network: those of the first row that has them.
void join(Named& first, const Named& other, Complaints& complaints) {
    const auto join_text = [&](std::string& text, const std::string& with, const char* what) {
        if (text.empty()) {
            text = with;
        } else if (!with.empty() && text != with) {
            complaints.warning({other.line, 1},
                               fmt::format("{} of network {} is {} here and {} in line {}, the "
                                           "first is used",
                                           what, first.network.mccmnc, in_quotes(with),
                                           in_quotes(text), first.line));
        }
    };
    join_text(first.network.name, other.network.name, "name");
    join_text(first.network.country, other.network.country, "country");
}

void read_part(CsvTable& table, Part& part) {
    std::unordered_map<uint32_t, size_t> seen;
    while (table.next()) {
        const auto code = read_network_code(table, mccmnc);
        const std::string digits = read_prefix(table, prefix);
        if (!code) {
            continue;
        }
        const Named named{table.line(),
                          {std::string(table.cell(mccmnc)), std::string(table.cell(name)),
                           std::string(table.cell(country))}};
        const auto [found, is_new] = seen.try_emplace(*code, part.named.size());
        if (is_new) {
            part.named.emplace_back(*code, named);
        } else {
            join(part.named[found->second].second, named, table.complaints());
        }
        // Without a prefix: a network that is reached by ported numbers alone. More networks than
        // there is room for are an error anyway.
        if (!digits.empty() && found->second < limits::networks_max) {
            part.rows.push_back(
                route::prefix_row(digits, static_cast<uint16_t>(found->second), table.line()));
        }
    }
    part.rows.shrink_to_fit();  // all parts are there at once
}

// Every network of the file its id, in the order of the file.
std::vector<NetworkId> give_ids(const std::vector<Part>& parts,
                                std::vector<route::Network>& by_id,
                                Complaints& complaints,
                                Registry& registry) {
    std::vector<NetworkId> ids(network_codes);
    std::unordered_map<uint32_t, Named> all;
    for (const Part& part : parts) {
        for (const auto& [code, named] : part.named) {
            const auto [found, is_new] = all.try_emplace(code, named);
            if (!is_new) {
                join(found->second, named, complaints);
                continue;
            }
            ids[code] = registry.network(named.network.mccmnc);
            if (!ids[code].valid()) {
                complaints.error({named.line, 1},
                                 fmt::format("no room for network {}, expected at most {} since "
                                             "the start",
                                             named.network.mccmnc, limits::networks_max));
            }
        }
    }
    by_id.resize(registry.networks().size());
    for (const auto& [code, named] : all) {
        if (ids[code].valid()) {
            by_id[ids[code].value] = named.network;
        }
    }
    return ids;
}

std::shared_ptr<const route::Networks> compile_networks(std::string text,
                                                        Complaints& complaints,
                                                        Registry& registry) {
    const CsvTable header(text, columns, complaints);
    // The largest of all files: its text goes as its rows come.
    std::vector<Part> parts =
        read_parts<Part>(header, complaints, read_part, [&](std::string_view part) {
            return_pages(text.data() + (part.data() - text.data()), part.size());
        });
    release(text);
    std::vector<route::Network> by_id;
    const std::vector<NetworkId> ids = give_ids(parts, by_id, complaints, registry);
    for (Part& part : parts) {
        for (route::PrefixRow& row : part.rows) {
            row.answer = ids[part.named[row.answer].first].value;
        }
    }
    auto rows = joined_rows<route::PrefixRow>(parts);
    route::sort_rows(rows);
    drop_repeated(
        rows, [](const auto& a, const auto& b) { return a.same_prefix(b); },
        [](const route::PrefixRow& row) { return row.answer; }, complaints);
    if (complaints.any_error()) {
        return nullptr;
    }
    return std::make_shared<const route::Networks>(std::move(rows), std::move(by_id));
}

}  // namespace

std::shared_ptr<const route::Networks> read_networks(std::string text,
                                                     Complaints& complaints,
                                                     Registry& registry) {
    CompiledFile<route::Networks>& last = registry.networks_file;
    const FileIdentity identity{content_hash(text), 0, complaints.file()};
    if (last.is_of(identity)) {
        complaints.repeat(last.warnings);
        return last.table;
    }
    auto table = compile_networks(std::move(text), complaints, registry);
    last = {};
    if (table != nullptr) {
        last = {identity, table, {}, {}, {}};
        complaints.append_to(last.warnings);
    }
    return table;
}

}  // namespace sy::config
