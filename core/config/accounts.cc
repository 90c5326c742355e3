#include "core/config/accounts.h"

#include <array>
#include <bit>

#include "core/base/limits.h"
#include "core/config/number_form.h"
#include "core/config/parse.h"

namespace sy::config {
namespace {

constexpr Nanos hour_ns = 3600 * second_ns;
constexpr Nanos day_ns = 24 * hour_ns;
constexpr DurationLimits timer_limits{10 * millisecond_ns, day_ns};

// The specification says 15, 8 and 12 octets; real peers use longer ids and passwords (PROTOCOL
// 16.2), and the decoder takes them up to here.
constexpr OctetLimits system_id_octets{1, 64};
constexpr OctetLimits password_octets{0, 64};
constexpr OctetLimits system_type_octets{0, 12};

constexpr uint16_t binds_max = 1000;
constexpr uint32_t rate_max = 10'000'000;  // messages a second: beyond any wire
constexpr uint32_t queue_max = 1u << 20;

constexpr std::array<Choice<route::Alphabet>, 3> alphabets{{
    {"gsm7", route::Alphabet::gsm7},
    {"latin1", route::Alphabet::latin1},
    {"ascii", route::Alphabet::ascii},
}};
constexpr std::array<Choice<route::BindMode>, 4> bind_modes{{
    {"transmitter", route::BindMode::transmitter},
    {"receiver", route::BindMode::receiver},
    {"transceiver", route::BindMode::transceiver},
    {"pair", route::BindMode::pair},
}};
constexpr std::array<Choice<route::MessageIdMode>, 3> message_id_modes{{
    {"as-is", route::MessageIdMode::as_is},
    {"hex-decimal", route::MessageIdMode::hex_decimal},
    {"decimal-hex", route::MessageIdMode::decimal_hex},
}};
constexpr std::array<Choice<route::MessageIdFormat>, 2> message_id_formats{{
    {"decimal", route::MessageIdFormat::decimal},
    {"hex", route::MessageIdFormat::hex},
}};
constexpr std::array<Choice<route::OnUnknown>, 2> unknown_choices{{
    {"fail", route::OnUnknown::fail},
    {"resend", route::OnUnknown::resend},
}};
constexpr std::array<Choice<bool>, 2> taking_modes{{
    {"forward", false},
    {"store-and-forward", true},
}};
constexpr std::array<Choice<uint8_t>, 3> interface_versions{{
    {"3.3", 0x33},
    {"3.4", 0x34},
    {"5.0", 0x50},
}};

// "12.5%" of the customer's price, or an amount like "0.002".
void read_margin(Section& section, route::Margin& margin) {
    constexpr std::string_view expected = "a share like \"12.5%\" or an amount like \"0.002\"";
    std::string text;
    section.text("margin", text, {0, 32});
    if (text.empty()) {
        return;
    }
    const bool is_share = text.ends_with('%');
    const auto number =
        route::parse_money(trimmed(text.substr(0, text.size() - (is_share ? 1 : 0))));
    constexpr int64_t basis_point = route::Money::nanos_per_unit / 100;
    if (!number || (is_share && (number->nanos % basis_point != 0 ||
                                 number->nanos > 100 * route::Money::nanos_per_unit))) {
        section.complain("margin", expected);
    } else if (is_share) {
        margin.basis_points = static_cast<uint32_t>(number->nanos / basis_point);
    } else {
        margin.amount = *number;
    }
}

void read_number_plan(Section& section, route::NumberPlan& plan) {
    section.digits("country_code", plan.country_code, 3);
    section.digits("national_prefix", plan.national_prefix, 4);
    section.boolean("strip_00", plan.strip_00);
    section.integer<uint8_t>("short_code_digits", plan.short_code_digits_max, 0,
                             limits::number_digits_max);
}

void read_rate(Section& section, uint16_t& window, uint32_t& rate, uint32_t& burst) {
    section.integer<uint16_t>("window", window, 1, limits::window_max);
    section.integer<uint32_t>("rate", rate, 0, rate_max);
    section.integer<uint32_t>("burst", burst, 0, rate_max);
    if (burst != 0 && rate == 0) {
        section.complaints().warning(section.at("burst"), "burst has no effect without a rate");
    }
}

void read_allowed_binds(Section& section, route::Customer& account) {
    std::vector<Section::Item> items;
    if (!section.list("bind", items)) {
        return;
    }
    account.allow_transmitter = account.allow_receiver = account.allow_transceiver = false;
    for (const Section::Item& item : items) {
        if (item.text == "transmitter") {
            account.allow_transmitter = true;
        } else if (item.text == "receiver") {
            account.allow_receiver = true;
        } else if (item.text == "transceiver") {
            account.allow_transceiver = true;
        } else {
            section.complaints().error(
                item.at, fmt::format("bind holds {}, expected \"transmitter\", \"receiver\" or "
                                     "\"transceiver\"",
                                     in_quotes(item.text)));
        }
    }
    if (section.is_empty_array("bind")) {
        section.complain("bind",
                         "\"transmitter\", \"receiver\", \"transceiver\" or several of them");
    }
}

void read_allowed_peers(Section& section, std::vector<Cidr>& out) {
    std::vector<Section::Item> items;
    section.list("allow", items);
    for (const Section::Item& item : items) {
        if (auto block = parse_cidr(item.text)) {
            out.push_back(*block);
        } else {
            section.complaints().error(item.at, "allow: " + block.error().text);
        }
    }
}

void read_numbers(Section& section, std::vector<std::string>& out, Claims& claims) {
    std::vector<Section::Item> items;
    section.list("numbers", items);
    for (const Section::Item& item : items) {
        const std::string digits = item.text.starts_with('+') ? item.text.substr(1) : item.text;
        if (!is_digits(digits) || digits.size() > limits::number_digits_max) {
            section.complaints().error(
                item.at, fmt::format("numbers holds {}, expected 1 to {} digits",
                                     in_quotes(item.text), limits::number_digits_max));
            continue;
        }
        claim(claims, digits, item.at, "number", section.complaints());
        out.push_back(digits);
    }
}

void read_hosts(Section& section, std::vector<Endpoint>& out) {
    std::vector<Section::Item> items;
    section.require("host");
    section.list("host", items);
    if (section.is_empty_array("host")) {
        section.complain("host", "at least one address and port");
    }
    for (const Section::Item& item : items) {
        const auto endpoint = parse_host(item.text);
        if (endpoint && endpoint->port != 0) {
            out.push_back(*endpoint);
            continue;
        }
        section.complaints().error(
            item.at, fmt::format("host is {}, expected a numeric address and port like "
                                 "127.0.0.1:2775 or [::1]:2775 (names are not resolved)",
                                 in_quotes(item.text)));
    }
}

// An outbind comes from any port of the supplier, so the port is usually left out (0: any).
void read_outbind_peers(Section& section, std::vector<Endpoint>& out) {
    std::vector<Section::Item> items;
    section.list("outbind_from", items);
    for (const Section::Item& item : items) {
        auto endpoint = parse_host(item.text);
        if (!endpoint) {
            const bool bare_v6 =
                item.text.find(':') != std::string::npos && !item.text.starts_with('[');
            endpoint = parse_host(bare_v6 ? "[" + item.text + "]:0" : item.text + ":0");
        }
        if (endpoint) {
            out.push_back(*endpoint);
        } else {
            section.complaints().error(
                item.at, fmt::format("outbind_from is {}, expected a numeric address, with or "
                                     "without a port",
                                     in_quotes(item.text)));
        }
    }
}

void read_reconnect(Section& section, route::Supplier& account) {
    constexpr DurationLimits limits{10 * millisecond_ns, day_ns};
    section.duration("reconnect_min", account.reconnect_min_ns, limits);
    section.duration("reconnect_max", account.reconnect_max_ns, limits);
    if (account.reconnect_min_ns > account.reconnect_max_ns) {
        section.complaints().error(
            section.at("reconnect_min"),
            fmt::format("reconnect_min is '{}', expected no more than reconnect_max, which is '{}'",
                        duration_text(account.reconnect_min_ns),
                        duration_text(account.reconnect_max_ns)));
    }
}

void read_supplier_receipts(Section& section, route::Supplier& account) {
    section.choice("message_id", account.id_mode, message_id_modes);
    section.boolean("acceptd_is_final", account.acceptd_is_final);
    section.boolean("receipt_by_text", account.receipt_by_text);
    section.boolean("orphan_refuse", account.orphan_refuse);
    section.duration("receipt_park", account.receipt_park_ns, {0, hour_ns});
    section.status("refuse_status", account.refuse_status);
    section.choice("on_unknown", account.on_unknown, unknown_choices);
    section.duration("pause", account.pause_ns, {millisecond_ns, hour_ns});
}

void read_breaker(Section& section, route::Supplier& account) {
    constexpr DurationLimits limits{millisecond_ns, hour_ns};
    section.integer<uint32_t>("breaker", account.breaker, 0, 10'000);
    section.duration("breaker_pause", account.breaker_pause_ns, limits);
    section.duration("breaker_pause_max", account.breaker_pause_max_ns, limits);
    if (account.breaker_pause_ns > account.breaker_pause_max_ns) {
        section.complaints().error(
            section.at("breaker_pause"),
            fmt::format("breaker_pause is '{}', expected no more than breaker_pause_max, which is "
                        "'{}'",
                        duration_text(account.breaker_pause_ns),
                        duration_text(account.breaker_pause_max_ns)));
    }
}

}  // namespace

void read_timers(Section& section, route::Timers& timers) {
    section.duration("enquire_link", timers.enquire_link_ns, timer_limits);
    section.duration("session_init", timers.session_init_ns, timer_limits);
    section.duration("inactivity", timers.inactivity_ns, timer_limits);
    section.duration("response", timers.response_ns, timer_limits);
}

void claim(Claims& claims,
           const std::string& value,
           Position at,
           std::string_view what,
           Complaints& complaints) {
    if (value.empty()) {
        return;  // missing, and complained about already
    }
    const auto [first, is_new] = claims.try_emplace(value, at);
    if (!is_new) {
        complaints.error(at, fmt::format("{} {} is taken by line {}, expected another", what,
                                         in_quotes(value), first->second.line));
    }
}

void read_customer(Section& section, route::Customer& account, CustomerClaims& claims) {
    section.require("name");
    section.name("name", account.name);
    claim(claims.names, account.name, section.at("name"), "customer name", section.complaints());
    section.require("system_id");
    section.text("system_id", account.system_id, system_id_octets);
    claim(claims.system_ids, account.system_id, section.at("system_id"), "system_id",
          section.complaints());
    section.require("password");
    section.text("password", account.password, password_octets);
    section.name("plan", account.plan);
    read_allowed_binds(section, account);
    section.integer<uint16_t>("binds", account.binds_max, 1, binds_max);
    read_rate(section, account.window, account.rate_per_second, account.burst);
    read_allowed_peers(section, account.allow);
    read_numbers(section, account.numbers, claims.numbers);
    section.choice("alphabet", account.alphabet, alphabets);
    section.choice("message_id", account.id_format, message_id_formats);
    read_number_plan(section, account.number_plan);
    section.choice("mode", account.store_and_forward, taking_modes);
    section.boolean("receipt_tlvs", account.receipt_tlvs);
    read_margin(section, account.margin);
    section.status("no_route_status", account.no_route_status);
    section.status("bind_refused_status", account.bind_refused_status);
    section.integer<uint32_t>("receipt_queue", account.receipt_queue_max, 1, 10'000'000);
    section.duration("receipt_age", account.receipt_age_max_ns, {second_ns, 30 * day_ns});
    read_timers(section, account.timers);
    section.finish();
}

void read_supplier(Section& section, route::Supplier& account) {
    section.require("name");
    section.name("name", account.name);
    read_hosts(section, account.hosts);
    read_outbind_peers(section, account.outbind_from);
    section.require("system_id");
    section.text("system_id", account.system_id, system_id_octets);
    section.text("password", account.password, password_octets);
    section.text("system_type", account.system_type, system_type_octets);
    section.choice("interface_version", account.interface_version, interface_versions);
    bool tlvs = false;
    section.boolean("tlvs", tlvs);
    if (section.has("tlvs")) {
        account.tlvs = tlvs;
    }
    section.choice("bind", account.bind, bind_modes);
    section.integer<uint16_t>("binds", account.binds, 1, binds_max);
    read_rate(section, account.window, account.rate_per_second, account.burst);
    section.integer<uint32_t>("queue", account.queue, 2, queue_max);
    if (!std::has_single_bit(account.queue)) {
        section.complain("queue", fmt::format("a power of two from 2 to {}", queue_max));
    }
    section.choice("alphabet", account.alphabet, alphabets);
    read_number_plan(section, account.number_plan);
    read_number_form(section, account.number_form);
    read_supplier_receipts(section, account);
    read_reconnect(section, account);
    read_breaker(section, account);
    read_timers(section, account.timers);
    section.finish();
}

}  // namespace sy::config
