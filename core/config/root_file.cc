#include "core/config/root_file.h"

#include <map>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "core/base/limits.h"
#include "core/config/accounts.h"
#include "core/config/dpdk_section.h"
#include "core/config/parse.h"
#include "core/config/records_section.h"
#include "core/config/retry_section.h"
#include "core/config/section.h"
#include "core/config/tables.h"
#include "core/config/toml_guard.h"

namespace sy::config {
namespace {

constexpr std::array<std::string_view, 12> tables_known{"runtime", "dpdk",  "smpp",     "routes",
                                                        "quality", "store", "retry",    "records",
                                                        "admin",   "log",   "customer", "supplier"};

constexpr std::array<Choice<TransportKind>, 2> transport_choices{{
    {"kernel", TransportKind::kernel},
    {"dpdk", TransportKind::dpdk},
}};
constexpr std::array<Choice<Idle>, 2> idle_choices{{
    {"adaptive", Idle::adaptive},
    {"spin", Idle::spin},
}};
constexpr std::array<Choice<bool>, 2> sync_choices{{
    {"commit", true},
    {"interval", false},
}};
constexpr std::array<Choice<std::string_view>, 5> log_levels{{
    {"trace", "trace"},
    {"debug", "debug"},
    {"info", "info"},
    {"warning", "warning"},
    {"error", "error"},
}};

class RootReader {
  public:
    RootReader(const toml::table& document,
               Registry& registry,
               Complaints& complaints,
               Config& config,
               RootPlaces& places)
        : document_(document),
          registry_(registry),
          complaints_(complaints),
          config_(config),
          places_(places) {}

    void read() {
        Section top("the file", &document_, {1, 1}, complaints_);
        for (const std::string_view key : tables_known) {
            top.expect(key);
        }
        top.finish();
        read_dpdk(document_, complaints_, config_.dpdk);
        read_runtime();
        read_smpp();
        read_log();
        read_admin();
        read_store();
        read_retry_section();
        read_routes();
        read_quality();
        read_records_section();
        read_customers();
        read_suppliers();
    }

  private:
    Section section(std::string_view key);
    template <class Each>
    void for_each_account(std::string_view key, const Each& each);
    void read_runtime();
    void read_workers(Section& in, std::vector<uint32_t>& out);
    void listen_by_default(bool over_dpdk);
    void read_smpp();
    void read_log();
    void read_admin();
    void read_store();
    void read_retry_section();
    void read_routes();
    void read_quality();
    void read_records_section();
    [[nodiscard]] std::string absolute(std::string path) const;
    TableFile table_file(Section& routes, std::string_view key, std::string name) const;
    void read_customers();
    void read_suppliers();

    const toml::table& document_;
    Registry& registry_;
    Complaints& complaints_;
    Config& config_;
    RootPlaces& places_;
};

Section RootReader::section(std::string_view key) {
    const toml::node* node = document_.get(key);
    std::string title = fmt::format("[{}]", key);
    if (node == nullptr) {
        return {std::move(title), nullptr, {}, complaints_};
    }
    if (!node->is_table()) {
        complaints_.error(position_of(*node),
                          fmt::format("{} is not a table, expected {}", key, title));
    }
    return {std::move(title), node->as_table(), position_of(*node), complaints_};
}

template <class Each>
void RootReader::for_each_account(std::string_view key, const Each& each) {
    const toml::node* node = document_.get(key);
    if (node == nullptr) {
        return;
    }
    const auto wrong = [&](const toml::node& at) {
        complaints_.error(position_of(at),
                          fmt::format("{} is not a list of tables, expected [[{}]]", key, key));
    };
    const toml::array* array = node->as_array();
    if (array == nullptr) {
        wrong(*node);
        return;
    }
    for (const toml::node& element : *array) {
        if (const toml::table* table = element.as_table()) {
            Section one(fmt::format("[[{}]]", key), table, position_of(element), complaints_);
            each(one);
        } else {
            wrong(element);
        }
    }
}

void RootReader::read_runtime() {
    Section in = section("runtime");
    Runtime& out = config_.runtime;
    read_workers(in, out.workers);
    in.choice("transport", out.transport, transport_choices);
    if (out.transport == TransportKind::dpdk) {
        out.idle = Idle::spin;
        if (config_.dpdk.ports.empty()) {
            complaints_.error(in.at("transport"),
                              "transport is 'dpdk' and there is no [[dpdk.port]], expected one");
        }
    }
    in.choice("idle", out.idle, idle_choices);
    in.integer<uint32_t>("connections_max", out.connections_max, 16, 1'000'000);
    in.integer<uint32_t>("messages_max", out.messages_max, 64, 16'777'216);
    in.duration("drain", out.drain_ns, {0, 3600 * second_ns});
    in.text("cache", config_.cache_path, {0, 4096});
    config_.cache_path = absolute(std::move(config_.cache_path));
    in.finish();
}

void RootReader::read_workers(Section& in, std::vector<uint32_t>& out) {
    constexpr int64_t cpu_max = 4095;  // far above any machine; whether it exists is seen at start
    std::vector<Section::Number> numbers;
    if (!in.numbers("workers", numbers, 0, cpu_max)) {
        return;
    }
    if (numbers.empty() || numbers.size() > limits::workers_max) {
        in.complain("workers", fmt::format("1 to {} CPUs", limits::workers_max));
    }
    std::map<int64_t, Position> seen;
    out.clear();
    for (const Section::Number& cpu : numbers) {
        if (!seen.try_emplace(cpu.value, cpu.at).second) {
            complaints_.error(cpu.at, fmt::format("workers holds CPU {} twice, expected one worker "
                                                  "a CPU",
                                                  cpu.value));
        }
        out.push_back(static_cast<uint32_t>(cpu.value));
    }
}

void RootReader::listen_by_default(bool over_dpdk) {
    constexpr uint16_t smpp_port = 2775;  // that IANA lists
    if (!over_dpdk) {
        config_.listen.push_back(*parse_host(fmt::format("127.0.0.1:{}", smpp_port)));
        return;
    }
    for (const DpdkPort& port : config_.dpdk.ports) {
        for (const Cidr& address : port.addresses) {
            config_.listen.push_back({address.address, smpp_port});
        }
    }
}

void RootReader::read_smpp() {
    Section in = section("smpp");
    const bool over_dpdk = config_.runtime.transport == TransportKind::dpdk;
    std::vector<Section::Item> items;
    if (!in.list("listen", items) && !in.has("listen")) {
        listen_by_default(over_dpdk);
    } else if (in.is_empty_array("listen")) {
        in.complain("listen", "at least one address and port like \"127.0.0.1:2775\"");
    }
    Claims seen;
    for (const Section::Item& item : items) {
        const auto endpoint = parse_host(item.text);
        if (!endpoint) {
            complaints_.error(item.at, "listen: " + endpoint.error().text);
            continue;
        }
        if (endpoint->port != 0) {
            claim(seen, to_string(*endpoint), item.at, "address", complaints_);
        }
        if (over_dpdk) {
            check_listen(*endpoint, item.at, config_.dpdk, complaints_);
        }
        config_.listen.push_back(*endpoint);
    }
    in.text("system_id", config_.system_id, {1, 15});  // SMPP 3.4 section 4.1.2: 16 with the NUL
    read_timers(in, config_.timers);
    in.finish();
}

void RootReader::read_log() {
    Section in = section("log");
    in.text("path", config_.logging.path, {0, 4096});
    std::string_view level = "info";
    in.choice("level", level, log_levels);
    config_.logging.level = level;
    in.boolean("json", config_.logging.json);
    in.finish();
}

void RootReader::read_admin() {
    Section in = section("admin");
    std::string listen;
    in.text("listen", listen, {0, 64});
    if (!listen.empty()) {
        if (const auto endpoint = parse_host(listen)) {
            config_.admin_listen = *endpoint;
        } else {
            complaints_.error(in.at("listen"), "listen: " + endpoint.error().text);
        }
    }
    in.finish();
}

void RootReader::read_store() {
    Section in = section("store");
    Store& out = config_.store;
    in.text("path", out.path, {0, 4096});
    out.path = absolute(std::move(out.path));
    in.choice("sync", out.every_commit, sync_choices);
    in.duration("interval", out.interval_ns, {millisecond_ns, 60 * second_ns});
    in.duration("age", out.age_ns, {60 * second_ns, Nanos{60} * 24 * 3600 * second_ns});
    in.size("size_max", out.size_max_bytes, {64 * mebibyte, 1024 * 1024 * gibibyte});
    in.size("memory", out.memory_bytes, {16 * mebibyte, 1024 * gibibyte});
    in.finish();
}

void RootReader::read_retry_section() {
    Section in = section("retry");
    read_retry(in, config_.retry);
    if (document_["retry"].is_table() && config_.store.path.empty()) {
        complaints_.warning(in.at(), "[retry] has no effect without [store] path");
    }
}

// Paths are relative to the root file.
std::string RootReader::absolute(std::string path) const {
    return path.empty() || path.starts_with('/') ? path : config_.directory + path;
}

TableFile RootReader::table_file(Section& routes, std::string_view key, std::string name) const {
    routes.text(key, name, {0, 4096});
    TableFile out;
    out.path = absolute(std::move(name));
    out.is_named = routes.has(key);
    out.at = routes.at(key);
    return out;
}

void RootReader::read_routes() {
    Section in = section("routes");
    places_.mt = table_file(in, "mt", "mt.csv");
    places_.mo = table_file(in, "mo", "mo.csv");
    places_.errors = table_file(in, "errors", "errors.csv");
    places_.networks = table_file(in, "networks", "");
    places_.ported = table_file(in, "ported", "");
    places_.prices = table_file(in, "prices", "");
    places_.sell = table_file(in, "sell", "");
    in.finish();
    config_.mt_file = places_.mt.path;
    config_.mo_file = places_.mo.path;
    config_.errors_file = places_.errors.path;
}

void RootReader::read_quality() {
    Section in = section("quality");
    route::QualityOptions& out = config_.quality;
    in.duration("window", out.window_ns, {10 * second_ns, 24 * 3600 * second_ns});
    in.integer<uint32_t>("samples_min", out.samples_min, 1, 1'000'000);
    in.integer<uint32_t>("explore_every", out.explore_every, 0, 1'000'000);
    in.finish();
}

void RootReader::read_records_section() {
    Section in = section("records");
    read_records(in, document_["records"]["kafka_options"].node(), config_.records);
    config_.records.path = absolute(std::move(config_.records.path));
}

void RootReader::read_customers() {
    CustomerClaims claims;
    for_each_account("customer", [&](Section& in) {
        route::Customer account;
        account.plan = default_plan;
        account.timers = config_.timers;
        read_customer(in, account, claims);
        if (account.store_and_forward && config_.store.path.empty()) {
            complaints_.error(in.at("mode"),
                              "mode is 'store-and-forward', expected [store] path to be set");
        }
        const CustomerId id = registry_.customer(account.name);
        account.plan_id = registry_.plan(account.plan);
        if (!id.valid() || !account.plan_id.valid()) {
            complaints_.error(in.at(), fmt::format("no room for customer {}, expected at most {} "
                                                   "customers and {} plans since the start",
                                                   in_quotes(account.name), limits::customers_max,
                                                   limits::plans_max));
        }
        places_.plans.push_back(in.at("plan"));
        config_.customers.emplace_back(id, std::move(account));
    });
    if (!document_.contains("customer")) {
        complaints_.warning({}, "there is no [[customer]]: nobody can bind");
    }
}

void RootReader::read_suppliers() {
    Claims names;
    for_each_account("supplier", [&](Section& in) {
        route::Supplier account;
        account.timers = config_.timers;
        read_supplier(in, account);
        claim(names, account.name, in.at("name"), "supplier name", complaints_);
        const SupplierId id = registry_.supplier(account.name);
        if (!id.valid()) {
            complaints_.error(in.at(), fmt::format("no room for supplier {}, expected at most {} "
                                                   "since the start",
                                                   in_quotes(account.name), limits::suppliers_max));
        }
        config_.suppliers.emplace_back(id, std::move(account));
    });
    if (!document_.contains("supplier")) {
        complaints_.warning({}, "there is no [[supplier]]: no message can leave");
    }
}

}  // namespace

void read_root(std::string_view text,
               Registry& registry,
               Complaints& complaints,
               Config& config,
               RootPlaces& places) {
    if (const auto deep = find_deep_key(text)) {
        complaints.error(*deep, fmt::format("not valid here: a key of more than {} parts, expected "
                                            "at most two",
                                            key_parts_max));
        return;
    }
    try {
        const toml::table document = toml::parse(text);
        RootReader(document, registry, complaints, config, places).read();
    } catch (const toml::parse_error& error) {
        const auto& at = error.source().begin;
        complaints.error({static_cast<uint32_t>(at.line), static_cast<uint32_t>(at.column)},
                         fmt::format("not valid TOML: {}", error.description()));
    }
}

}  // namespace sy::config
