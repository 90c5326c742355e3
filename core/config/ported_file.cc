// ported.csv: numbers that left the network of their prefix.
#include <algorithm>
#include <array>

#include "core/config/cells.h"
#include "core/config/content_hash.h"
#include "core/config/network_codes.h"
#include "core/config/tables.h"

namespace sy::config {
namespace {

enum Column : size_t { number, mccmnc, column_count };
constexpr std::array<CsvColumn, column_count> columns{{{"number"}, {"mccmnc"}}};

struct Part {
    std::vector<route::PortedRow> rows;
};

// The ids of networks.csv by network_code().
class KnownNetworks {
  public:
    KnownNetworks(const route::Networks& networks, const Registry& registry) : ids_(network_codes) {
        for (uint16_t i = 0; i < registry.networks().size(); ++i) {
            if (const route::Network* network = networks.network(NetworkId{i})) {
                ids_[*network_code(network->mccmnc)] = NetworkId{i};
                names_.push_back(network->mccmnc);
            }
        }
    }
    [[nodiscard]] NetworkId id(uint32_t code) const { return ids_[code]; }
    [[nodiscard]] std::span<const std::string_view> names() const { return names_; }

  private:
    std::vector<NetworkId> ids_;
    std::vector<std::string_view> names_;
};

void read_part(CsvTable& table, const KnownNetworks& known, Part& part) {
    while (table.next()) {
        const std::string_view cell = table.cell(number);
        const uint64_t key = route::ported_key(cell.starts_with('+') ? cell.substr(1) : cell);
        if (key == 0) {
            table.complaints().error(table.at(number),
                                     fmt::format("{} is not a number, expected 1 to {} digits",
                                                 in_quotes(cell), limits::number_digits_max));
        }
        const auto code = read_network_code(table, mccmnc);
        if (!code) {
            continue;
        }
        const NetworkId network = known.id(*code);
        if (!network.valid()) {
            table.complaints().error_with_hint(
                table.at(mccmnc), fmt::format("unknown network {}", in_quotes(table.cell(mccmnc))),
                table.cell(mccmnc), known.names());
        } else if (key != 0) {
            part.rows.push_back({key, table.line(), network.value});
        }
    }
}

std::vector<NetworkId> networks_of(const std::vector<route::PortedRow>& rows) {
    std::vector<bool> seen(limits::networks_max);
    std::vector<NetworkId> out;
    for (const route::PortedRow& row : rows) {
        if (!seen[row.network]) {
            seen[row.network] = true;
            out.push_back(NetworkId{row.network});
        }
    }
    return out;
}

}  // namespace

std::shared_ptr<const route::PortedNumbers> read_ported(std::string_view text,
                                                        const route::Networks& networks,
                                                        Complaints& complaints,
                                                        Registry& registry) {
    CompiledFile<route::PortedNumbers>& last = registry.ported_file;
    const FileIdentity identity{content_hash(text), 0, complaints.file()};
    if (last.is_of(identity) && std::ranges::all_of(last.networks, [&](NetworkId id) {
            return networks.network(id) != nullptr;
        })) {
        complaints.repeat(last.warnings);
        return last.table;
    }
    const KnownNetworks known(networks, registry);
    const CsvTable header(text, columns, complaints);
    auto parts = read_parts<Part>(
        header, complaints, [&](CsvTable& table, Part& part) { read_part(table, known, part); });
    auto rows = joined_rows<route::PortedRow>(parts);
    route::sort_rows(rows);
    drop_repeated(
        rows, [](const auto& a, const auto& b) { return a.key == b.key; },
        [](const route::PortedRow& row) { return row.network; }, complaints);
    last = {};
    if (complaints.any_error()) {
        return nullptr;
    }
    last = {
        identity, std::make_shared<const route::PortedNumbers>(rows), {}, networks_of(rows), {}};
    complaints.append_to(last.warnings);
    return last.table;
}

}  // namespace sy::config
