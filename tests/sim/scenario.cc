#include "tests/sim/scenario.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/base/assert.h"

namespace sy::sim {
namespace {

using smpp::CommandId;

constexpr size_t prefixes_count = 6;
constexpr Nanos response_ns = 4 * second_ns;

// Small values often, none half of the time.
uint32_t chance_up_to(Prng& prng, uint32_t most) {
    return prng.chance(1, 2) ? 0 : static_cast<uint32_t>(prng.below(most + 1));
}

route::Timers fast_timers() {
    return {.enquire_link_ns = second_ns,
            .session_init_ns = 2 * second_ns,
            .inactivity_ns = 300 * second_ns,
            .response_ns = response_ns};
}

PrefixRule draw_rule(Prng& prng, size_t suppliers) {
    PrefixRule rule;
    const uint64_t kind = prng.below(16);
    rule.kind = kind == 0   ? PrefixRule::Kind::reject
                : kind == 1 ? PrefixRule::Kind::drop
                : kind == 2 ? PrefixRule::Kind::none
                            : PrefixRule::Kind::route;
    if (rule.kind != PrefixRule::Kind::route) {
        return rule;
    }
    for (uint64_t left = 1 + prng.below(3); left > 0; --left) {
        const auto supplier = static_cast<uint16_t>(prng.below(suppliers));
        if (std::ranges::find(rule.suppliers, supplier) == rule.suppliers.end()) {
            rule.suppliers.push_back(supplier);
        }
    }
    return rule;
}

LinkMix draw_mix(Prng& prng) {
    LinkMix mix;
    mix.latency_max_ns = (1 + prng.below(30)) * millisecond_ns;
    mix.segment_bytes_max = prng.chance(1, 3) ? 1 + static_cast<uint32_t>(prng.below(60)) : 1460;
    if (prng.chance(1, 3)) {
        mix.window_bytes_min = 600;
        mix.window_bytes_max = 3000;
    }
    mix.short_send = chance_up_to(prng, 100);
    mix.refuse = chance_up_to(prng, 200);
    mix.connect_silence = chance_up_to(prng, 50);
    mix.cut_fin = chance_up_to(prng, 200);
    mix.cut_rst = chance_up_to(prng, 200);
    mix.cut_silence = chance_up_to(prng, 100);
    mix.cut_bytes_max = 500 + prng.below(20'000);
    return mix;
}

void draw_customer(Prng& prng, Scenario& scenario, uint16_t index) {
    CustomerNature nature;
    nature.index = index;
    nature.system_id = fmt::format("esme{}", index);
    nature.password = fmt::format("pw{}", index);
    nature.interface_version = prng.chance(1, 5) ? 0x33 : prng.chance(1, 4) ? 0x50 : 0x34;
    const CommandId kinds[] = {CommandId::bind_transceiver, CommandId::bind_transmitter,
                               CommandId::bind_receiver};
    for (uint64_t left = prng.below(3); left > 0; --left) {
        nature.binds.push_back(kinds[prng.below(std::size(kinds))]);
    }
    // One that submits and one that takes receipts, at least.
    if (prng.chance(1, 2)) {
        nature.binds.push_back(CommandId::bind_transceiver);
    } else {
        nature.binds.push_back(CommandId::bind_transmitter);
        nature.binds.push_back(CommandId::bind_receiver);
    }
    nature.window = 1 + static_cast<uint32_t>(prng.below(20));
    nature.pace_ns = (20 + prng.below(150)) * millisecond_ns;
    nature.receipts = static_cast<uint32_t>(prng.below(1001));
    nature.deliver_late = chance_up_to(prng, 100);
    nature.deliver_silent = chance_up_to(prng, 30);
    nature.deliver_temporary = chance_up_to(prng, 150);
    nature.deliver_refused = chance_up_to(prng, 50);
    nature.hang_up = chance_up_to(prng, 40);
    nature.slow_reader = chance_up_to(prng, 200);
    nature.data_sm = chance_up_to(prng, 300);

    route::Customer account;
    account.name = nature.system_id;
    account.system_id = nature.system_id;
    account.password = nature.password;
    account.plan_id = PlanId{0};
    account.binds_max = 64;
    account.window = static_cast<uint16_t>(nature.window);
    account.numbers = {fmt::format("4479000000{:02}", index)};
    account.id_format =
        prng.chance(1, 2) ? route::MessageIdFormat::decimal : route::MessageIdFormat::hex;
    account.timers = fast_timers();
    scenario.numbers.push_back(account.numbers.front());
    scenario.customers.push_back(std::move(nature));
    scenario.customer_accounts.push_back(std::make_shared<route::Customer>(std::move(account)));
}

void draw_supplier(Prng& prng, Scenario& scenario, uint16_t index) {
    SupplierNature nature;
    nature.index = index;
    nature.system_id = fmt::format("sy{}", index);
    nature.password = "secret";
    nature.listen = *parse_endpoint(fmt::format("10.0.3.{}:2776", index + 1));
    nature.window = 1 + static_cast<uint32_t>(prng.below(30));
    nature.number_prefix = prng.chance(1, 3) ? "+" : prng.chance(1, 3) ? "00" : "";
    nature.id_mode = static_cast<route::MessageIdMode>(prng.below(3));
    nature.delay_max_ns = (1 + prng.below(300)) * millisecond_ns;
    nature.mo_pace_ns = (50 + prng.below(500)) * millisecond_ns;
    nature.refused = chance_up_to(prng, 150);
    nature.busy = chance_up_to(prng, 200);
    nature.late = chance_up_to(prng, 40);
    nature.silent = chance_up_to(prng, 40);
    nature.early_receipt = chance_up_to(prng, 600);
    nature.bind_refused = chance_up_to(prng, 200);
    nature.hang_up = chance_up_to(prng, 20);
    nature.slow_reader = chance_up_to(prng, 200);

    route::Supplier account;
    account.name = fmt::format("smsc{}", index);
    account.hosts = {nature.listen};
    account.system_id = nature.system_id;
    account.password = nature.password;
    const route::BindMode modes[] = {route::BindMode::transceiver, route::BindMode::pair};
    account.bind = modes[prng.below(std::size(modes))];
    account.binds = static_cast<uint16_t>(1 + prng.below(3));
    account.window = static_cast<uint16_t>(nature.window);
    account.queue = prng.chance(1, 4) ? 8 : 4096;
    account.id_mode = nature.id_mode;
    account.number_form.prefix = nature.number_prefix;
    account.on_unknown = prng.chance(1, 2) ? route::OnUnknown::fail : route::OnUnknown::resend;
    account.pause_ns = 200 * millisecond_ns;
    account.reconnect_min_ns = 50 * millisecond_ns;
    account.reconnect_max_ns = second_ns;
    account.timers = fast_timers();
    scenario.suppliers.push_back(std::move(nature));
    scenario.supplier_accounts.push_back(std::make_shared<route::Supplier>(std::move(account)));
}

route::MtRule to_mt_rule(const PrefixRule& rule, const std::string& prefix, uint32_t line) {
    route::MtRule out;
    out.line = line;
    out.plan = "default";
    out.prefix = prefix;
    out.action = rule.kind == PrefixRule::Kind::reject ? route::Action::reject
                 : rule.kind == PrefixRule::Kind::drop ? route::Action::drop
                                                       : route::Action::route;
    // Rows differ in how they choose; the books hold whatever the order is.
    constexpr std::array selects = {route::Select::order, route::Select::weight,
                                    route::Select::quality};
    out.select = selects[line % selects.size()];
    for (const uint16_t supplier : rule.suppliers) {
        if (out.targets.empty() || out.select == route::Select::order) {
            out.targets.emplace_back();
        }
        out.targets.back().push_back({.id = SupplierId{supplier}, .weight = 1});
    }
    return out;
}

}  // namespace

Endpoint router_endpoint() {
    return *parse_endpoint("10.0.1.1:2775");
}

Scenario draw_scenario(uint64_t seed) {
    Prng prng(seed);
    Scenario scenario;
    scenario.seed = seed;
    scenario.workers = static_cast<uint32_t>(1 + prng.below(4));
    scenario.traffic_ns = (2 + prng.below(8)) * second_ns;
    scenario.reloads = static_cast<uint32_t>(prng.below(4));
    scenario.supplier_restarts = static_cast<uint32_t>(prng.below(3));
    scenario.stall = chance_up_to(prng, 50);
    scenario.mix = draw_mix(prng);
    for (size_t i = 0; i < prefixes_count; ++i) {
        scenario.prefixes.push_back(fmt::format("447{}", i));
    }
    for (uint64_t left = 1 + prng.below(4); left > 0; --left) {
        draw_customer(prng, scenario, static_cast<uint16_t>(scenario.customers.size()));
    }
    for (uint64_t left = 2 + prng.below(3); left > 0; --left) {
        draw_supplier(prng, scenario, static_cast<uint16_t>(scenario.suppliers.size()));
    }
    for (uint32_t i = 0; i <= scenario.reloads; ++i) {
        RuleSet rules;
        for (size_t p = 0; p < prefixes_count; ++p) {
            rules.push_back(draw_rule(prng, scenario.suppliers.size()));
        }
        scenario.rule_sets.push_back(std::move(rules));
    }
    scenario.drain_in_traffic = prng.chance(1, 5);
    return scenario;
}

std::unique_ptr<route::Snapshot> make_snapshot(const Scenario& scenario, size_t index) {
    auto snapshot = std::make_unique<route::Snapshot>();
    snapshot->generation = index + 1;
    snapshot->customers = scenario.customer_accounts;
    snapshot->suppliers = scenario.supplier_accounts;
    std::vector<std::pair<std::string, CustomerId>> numbers;
    for (uint16_t i = 0; i < snapshot->customers.size(); ++i) {
        const route::Customer& customer = *snapshot->customers[i];
        snapshot->customer_by_system_id.emplace(customer.system_id, CustomerId{i});
        numbers.emplace_back(customer.numbers.front(), CustomerId{i});
    }
    std::vector<route::MtRule> rules;
    for (size_t p = 0; p < scenario.prefixes.size(); ++p) {
        const PrefixRule& rule = scenario.rule_sets.at(index).at(p);
        if (rule.kind != PrefixRule::Kind::none) {
            rules.push_back(to_mt_rule(rule, scenario.prefixes[p], static_cast<uint32_t>(p + 2)));
        }
    }
    std::vector<route::MtTable::BuildError> errors;
    snapshot->mt = route::MtTable::build(std::move(rules), {"default"}, errors);
    snapshot->mo = route::MoTable::build({}, std::move(numbers), errors);
    SY_ASSERT(errors.empty());
    snapshot->timers = fast_timers();
    snapshot->scratches.resize(scenario.workers);
    for (route::RouteScratch& scratch : snapshot->scratches) {
        const auto prepared = scratch.prepare(snapshot->mt, snapshot->mo);
        SY_ASSERT(prepared.has_value());
    }
    return snapshot;
}

void change_accounts(Scenario& scenario, Prng& prng) {
    for (auto& account : scenario.supplier_accounts) {
        if (prng.chance(1, 4)) {
            auto changed = std::make_shared<route::Supplier>(*account);
            changed->system_type += "x";
            account = std::move(changed);
        }
    }
    for (auto& account : scenario.customer_accounts) {
        if (prng.chance(1, 4)) {
            auto changed = std::make_shared<route::Customer>(*account);
            changed->receipt_queue_max += 1;
            account = std::move(changed);
        }
    }
}

std::unique_ptr<Wire> Scenario::wire() const {
    return draw_wire(seed, second_ns, traffic_ns);
}

std::string Scenario::describe() const {
    std::string text = fmt::format(
        "workers {} customers {} suppliers {} reloads {} restarts {} drain at once {} traffic {} "
        "s; links: cut "
        "{}+{}+{} "
        "refuse {} silence {} short {}",
        workers, customers.size(), suppliers.size(), reloads, supplier_restarts, drain_in_traffic,
        traffic_ns / second_ns, mix.cut_fin, mix.cut_rst, mix.cut_silence, mix.refuse,
        mix.connect_silence, mix.short_send);
    for (const auto& account : supplier_accounts) {
        text += fmt::format("; {} binds {} window {} queue {} unknown {}", account->name,
                            account->binds, account->window, account->queue,
                            account->on_unknown == route::OnUnknown::fail ? "fail" : "resend");
    }
    return text;
}

}  // namespace sy::sim
