// load(): switchyard.toml, then the tables that it names, then what only both together can tell.
#include <unordered_set>

#include <fmt/format.h>

#include "core/base/limits.h"
#include "core/base/prng.h"
#include "core/config/complaints.h"
#include "core/config/config.h"
#include "core/config/content_hash.h"
#include "core/config/expressions.h"
#include "core/config/root_file.h"
#include "core/config/tables.h"

namespace sy::config {
namespace {

using ReadTable = void (*)(std::string_view, const Names&, Complaints&, Config&);

std::string directory_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

Names names_of(const Config& config) {
    Names out;
    for (const auto& [id, account] : config.customers) {
        if (!account.name.empty()) {
            out.customers.try_emplace(account.name, id);
            out.plan_of_customer.try_emplace(id, account.plan);
            if (out.plans.try_emplace(account.plan, account.plan_id).second) {
                out.plan_names.push_back(account.plan);
            }
            out.customer_names.push_back(account.name);
        }
    }
    for (const auto& [id, account] : config.suppliers) {
        if (!account.name.empty()) {
            out.suppliers.try_emplace(account.name, id);
            out.supplier_names.push_back(account.name);
        }
    }
    return out;
}

}  // namespace

uint64_t hash_of(const Names& names) {
    // Sums, because the maps have no order; a kind of name each has its own salt.
    uint64_t sum = (names.has_prices ? 1u : 0u) + (names.has_store ? 2u : 0u);
    const auto add = [&sum](uint64_t kind, std::string_view name, uint64_t id) {
        sum += mix64(content_hash(name) ^ mix64(kind << 32 | id));
    };
    for (const auto& [name, id] : names.customers) {
        add(1, name, id.value);
    }
    for (const auto& [id, plan] : names.plan_of_customer) {
        add(2, plan, id.value);
    }
    for (const auto& [name, id] : names.suppliers) {
        add(3, name, id.value);
    }
    for (const auto& [name, id] : names.networks) {
        add(4, name, id.value);
    }
    for (const auto& [name, id] : names.plans) {
        add(5, name, id.value);
    }
    return mix64(sum) | 1;
}

namespace {

struct Loading {
    Loading(const ReadFile& files, const Registry& names, const std::string& root_path)
        : read_file(files), registry(names), root(root_path) {}

    const ReadFile& read_file;
    Registry registry;  // a copy: a configuration with errors leaves no names behind
    Complaints root;
    Config config;
    RootPlaces places;
    Complaints mt{""};
    Complaints mo{""};
    Complaints errors{""};
    Complaints networks{""};
    Complaints ported{""};
    Complaints prices{""};
    Complaints sell{""};

    [[nodiscard]] bool any_error() const {
        return root.any_error() || mt.any_error() || mo.any_error() || errors.any_error() ||
               networks.any_error() || ported.any_error() || prices.any_error() || sell.any_error();
    }
};

// A file that is named must be there, and so must the mt table, without which nothing is routed.
// The others may be missing where nobody names them; a warning, because a table that vanished by
// mistake looks the same.
void complain_of_missing(Loading& in,
                         const TableFile& file,
                         std::string_view key,
                         const std::string& reason) {
    std::string text =
        fmt::format("{} table {} cannot be read: {}", key, in_quotes(file.path), reason);
    text += fmt::format(", expected the file, or {} = \"\" under [routes] for none", key);
    if (file.is_named || key == "mt") {
        in.root.error(file.at, std::move(text));
    } else {
        in.root.warning(file.at, std::move(text));
    }
}

void read_table(Loading& in,
                const TableFile& file,
                std::string_view key,
                const Names& names,
                Complaints& complaints,
                ReadTable read) {
    if (file.path.empty()) {
        return;
    }
    const auto text = in.read_file(file.path);
    if (!text) {
        complain_of_missing(in, file, key, text.error().text);
        return;
    }
    complaints = Complaints(file.path);
    read(*text, names, complaints, in.config);
}

// The text of a table that has its own reader; none where none is wanted or it is missing.
std::optional<std::string> open_table(Loading& in,
                                      const TableFile& file,
                                      std::string_view key,
                                      Complaints& complaints) {
    std::optional<std::string> text;
    if (!file.path.empty()) {
        complaints = Complaints(file.path);
        auto read = in.read_file(file.path);
        if (read) {
            text = *std::move(read);
        } else {
            complain_of_missing(in, file, key, read.error().text);
        }
    }
    return text;
}

// networks.csv, then ported.csv, whose networks must be among those of the first.
void read_number_tables(Loading& in) {
    route::NetworkTables& tables = in.config.networks;
    if (auto text = open_table(in, in.places.networks, "networks", in.networks)) {
        tables.networks = read_networks(*std::move(text), in.networks, in.registry);
    }
    if (in.networks.any_error()) {
        return;  // what is known there is not known: no complaint about each ported number
    }
    if (const auto text = open_table(in, in.places.ported, "ported", in.ported)) {
        static const route::Networks none;
        tables.ported = read_ported(*text, tables.networks == nullptr ? none : *tables.networks,
                                    in.ported, in.registry);
    }
}

void add_networks(const Loading& in, Names& names) {
    const route::Networks* networks = in.config.networks.networks.get();
    const auto& known = in.registry.networks();
    for (uint16_t i = 0; networks != nullptr && i < known.size(); ++i) {
        if (const route::Network* network = networks->network(NetworkId{i})) {
            names.networks.emplace(network->mccmnc, NetworkId{i});
            names.network_names.push_back(network->mccmnc);
        }
    }
}

void read_price_tables(Loading& in, const Names& names) {
    Config& config = in.config;
    if (const auto text = open_table(in, in.places.prices, "prices", in.prices)) {
        config.buy_prices = read_prices(*text, names, in.prices, config.currency, in.registry);
    }
    if (const auto text = open_table(in, in.places.sell, "sell", in.sell)) {
        config.sell_prices = read_sell(*text, names, in.sell, config.currency, in.registry);
        if (in.places.prices.path.empty()) {
            in.root.error(in.places.sell.at,
                          "sell without prices would let no message through, expected prices "
                          "beside it under [routes]");
        }
    }
}

// Plans that rows name get ids too. A customer whose plan has no row is told so, and a plan that no
// customer has: a name that is not written the same everywhere looks like both.
void check_plans(Loading& in) {
    std::unordered_set<std::string_view> with_customers;
    std::vector<std::string_view> of_customers;
    for (const auto& [id, account] : in.config.customers) {
        if (with_customers.insert(account.plan).second) {
            of_customers.push_back(account.plan);
        }
    }
    std::unordered_set<std::string_view> with_rows;
    for (const MtFile::Plan& plan : in.config.mt->plans) {
        with_rows.insert(plan.name);
        if (!in.registry.plan(plan.name).valid()) {
            in.root.error({},
                          fmt::format("no room for plan {}, expected at most {} since the start",
                                      in_quotes(plan.name), limits::plans_max));
        }
        if (!with_customers.contains(plan.name)) {
            in.mt.warning({plan.line, 1},
                          fmt::format("plan {} is no customer's: none of its rows is ever looked "
                                      "at{}",
                                      in_quotes(plan.name), hint(plan.name, of_customers)));
        }
    }
    for (size_t i = 0; i < in.config.customers.size(); ++i) {
        const route::Customer& account = in.config.customers[i].second;
        if (!with_rows.contains(account.plan)) {
            in.root.warning(in.places.plans[i],
                            fmt::format("plan {} of customer {} has no row in the mt table: every "
                                        "message will have no route",
                                        in_quotes(account.plan), in_quotes(account.name)));
        }
    }
}

void read_all(Loading& in) {
    const auto text = in.read_file(in.root.file());
    if (!text) {
        in.root.error({}, fmt::format("cannot be read: {}", text.error().text));
        return;
    }
    read_root(*text, in.registry, in.root, in.config, in.places);
    Names names = names_of(in.config);
    read_number_tables(in);
    add_networks(in, names);
    names.has_prices = !in.places.prices.path.empty();
    names.has_store = !in.config.store.path.empty();
    read_price_tables(in, names);
    if (const auto table = open_table(in, in.places.mt, "mt", in.mt)) {
        in.config.mt = read_mt(*table, names, in.mt, in.registry);
    }
    read_table(in, in.places.mo, "mo", names, in.mo, read_mo);
    read_table(in, in.places.errors, "errors", names, in.errors, read_errors);
    if (!in.any_error()) {
        check_plans(in);
    } else {
        check_expressions(in.config, in.mt, in.mo);  // all errors at once: compile() will not run
    }
}

}  // namespace

std::optional<Config> load(const std::string& root_path,
                           const ReadFile& read_file,
                           Registry& registry,
                           std::vector<Diagnostic>& diagnostics) {
    Loading in(read_file, registry, root_path);
    in.config.directory = directory_of(root_path);
    read_all(in);
    for (const Complaints* each :
         {&in.root, &in.networks, &in.ported, &in.prices, &in.sell, &in.mt, &in.mo, &in.errors}) {
        each->append_to(diagnostics);
    }
    if (in.any_error()) {
        return std::nullopt;
    }
    registry = std::move(in.registry);
    return std::move(in.config);
}

}  // namespace sy::config
