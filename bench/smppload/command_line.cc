#include "bench/smppload/command_line.h"

#include <array>
#include <charconv>
#include <cmath>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/smppload/dpdk_device.h"

namespace sy::load {
namespace {

constexpr std::array<const char*, 14> fault_names = {
    "none",         "lose",      "duplicate",    "alter",
    "misroute",     "no-answer", "answer-twice", "wrong-sequence",
    "false-status", "wrong-id",  "lose-receipt", "duplicate-receipt",
    "wrong-stat",   "deaf"};

template <class T, size_t n>
Result<T> choose(const std::string& text, const std::array<const char*, n>& names, T) {
    for (size_t i = 0; i < n; ++i) {
        if (text == names[i]) {
            return static_cast<T>(i);
        }
    }
    std::string expected;
    for (const char* name : names) {
        expected += fmt::format("{}{}", expected.empty() ? "" : ", ", name);
    }
    return fail(fmt::format("'{}' is not known, expected one of {}", text, expected));
}

void add_customer_options(CLI::App& app, RawOptions& raw) {
    Options& o = raw.options;
    app.add_option("--router", raw.router, "where the router listens")->group("Customers");
    app.add_option("--customers", o.customers, "accounts")->group("Customers");
    app.add_option("--system-id", o.system_ids, "one a customer (load0, load1, ...)")
        ->delimiter(',')
        ->group("Customers");
    app.add_option("--password", o.passwords, "one a customer, or one for all (secret)")
        ->delimiter(',')
        ->group("Customers");
    app.add_option("--binds", o.binds, "binds of each customer")->group("Customers");
    app.add_option("--bind-mode", raw.bind_mode, "trx, or tx+rx: a pair of sessions a bind")
        ->group("Customers");
    app.add_option("--window", o.window, "unanswered submit_sm a bind")->group("Customers");
    app.add_option("--rate", o.rate, "messages/s by schedule (open loop); 0: as windows allow")
        ->group("Customers");
    app.add_option("--messages", o.messages, "how many; 0: by --duration")->group("Customers");
    app.add_option("--duration", raw.duration, "how long, behind the warm-up")->group("Customers");
    app.add_option("--warmup", raw.warmup, "left out of rates and latencies (not with --messages)")
        ->group("Customers");
}

void add_supplier_options(CLI::App& app, RawOptions& raw) {
    Options& o = raw.options;
    app.add_option("--suppliers", o.suppliers, "suppliers, each on its own port")
        ->group("Suppliers");
    app.add_option("--listen", raw.listen, "of the first; the others on the ports behind it")
        ->group("Suppliers");
    app.add_option("--supplier-binds", o.supplier_binds, "binds of the router to wait for, each")
        ->group("Suppliers");
    app.add_option("--supplier-window", o.supplier_window, "for --write-config")
        ->group("Suppliers");
    app.add_option("--supplier-latency", raw.latency, "milliseconds: 5, or 5:20")
        ->group("Suppliers");
    app.add_option("--error-mix", raw.errors, "RTHROTTLED:0.01,RSYSERR:0.001")->group("Suppliers");
    app.add_option("--receipts", o.receipts, "share of messages that ask for one")
        ->check(CLI::Range(0.0, 1.0))
        ->group("Suppliers");
    app.add_option("--receipt-delay", raw.delay, "milliseconds behind the response: 5, or 5:20")
        ->group("Suppliers");
    app.add_option("--receipt-stats", raw.stats, "DELIVRD:0.9,UNDELIV:0.1")->group("Suppliers");
    app.add_option("--receipt-before-response", o.receipt_before_response, "share of receipts")
        ->check(CLI::Range(0.0, 1.0))
        ->group("Suppliers");
    app.add_option("--receipt-id", raw.receipt_id, "as-is, hex-decimal or decimal-hex")
        ->group("Suppliers");
    app.add_flag("--receipt-other-bind", o.receipt_other_bind, "receipts come by another bind")
        ->group("Suppliers");
    app.add_option("--deliver-window", o.deliver_window, "unanswered deliver_sm a bind")
        ->group("Suppliers");
    app.add_option("--mo", o.mo_rate, "MO messages/s over all suppliers")->group("Suppliers");
}

void add_content_options(CLI::App& app, RawOptions& raw) {
    Options& o = raw.options;
    app.add_option("--prefixes", raw.prefixes, "how many to generate, or an mt.csv")
        ->group("Routes and content");
    app.add_option("--expressions", o.expressions, "regular expressions to generate")
        ->group("Routes and content");
    app.add_option("--expression-rows", o.expression_rows, "share of prefixes that have one")
        ->check(CLI::Range(0.0, 1.0))
        ->group("Routes and content");
    app.add_option("--expression-share", o.expression_share, "share of messages that match it")
        ->check(CLI::Range(0.0, 1.0))
        ->group("Routes and content");
    app.add_flag("--fallback", o.fallback, "every rule has a second supplier behind the first")
        ->group("Routes and content");
    app.add_option("--destinations", o.destinations, "different destination numbers")
        ->group("Routes and content");
    app.add_option("--zipf", o.zipf, "skew over the prefixes; 0: uniform")
        ->group("Routes and content");
    app.add_option("--text-bytes", o.text_bytes, "mean; 0: 165 octets a submit_sm")
        ->group("Routes and content");
    app.add_option("--seed", o.seed, "of everything generated")->group("Routes and content");
}

void add_dpdk_options(CLI::App& app, RawOptions& raw) {
    DpdkOptions& dpdk = raw.options.dpdk;
    app.add_option("--dpdk", raw.dpdk,
                   "none: kernel sockets; memif or vhost: a pair with the router's process; device")
        ->group("Kernel bypass");
    app.add_option("--dpdk-address", raw.dpdk_address, "ours, with its network")
        ->group("Kernel bypass");
    app.add_option("--dpdk-socket", dpdk.socket, "of a pair")->group("Kernel bypass");
    app.add_option("--dpdk-device", dpdk.device, "for --dpdk device, as EAL names it")
        ->group("Kernel bypass");
    app.add_option("--dpdk-eal", dpdk.eal, "arguments of EAL, by spaces; of a pair: for both ends")
        ->group("Kernel bypass");
    app.add_option("--dpdk-mtu", dpdk.mtu, "octets of an IP packet")
        ->check(CLI::Range(576, 9000))
        ->group("Kernel bypass");
}

void add_run_options(CLI::App& app, RawOptions& raw) {
    Options& o = raw.options;
    app.add_option("--mode", raw.mode, "both, esme, smsc, or direct: no router")->group("Run");
    app.add_option("--cpu", o.cpu, "pin to this CPU")->group("Run");
    app.add_option("--router-pid", o.router_pid, "tell the router's CPU time a message too")
        ->configurable(false)
        ->group("Run");
    app.add_option("--pace", raw.pace, "open loop: what is due in this time leaves together")
        ->group("Run");
    app.add_flag("--spin", o.spin, "never sleep")->group("Run");
    app.add_flag("--allow-refusals", o.allow_refusals,
                 "a status that no supplier gave is no discrepancy (overload)")
        ->group("Run");
    app.add_option("--start-timeout", raw.start_timeout, "for all binds")->group("Run");
    app.add_option("--drain-timeout", raw.drain_timeout, "without progress at the end")
        ->group("Run");
    app.add_option("--csv", o.csv, "append one line of figures to this file")->group("Run");
    app.add_option("--json", o.json, "write the figures to this file")->group("Run");
    app.add_option("--write-config", o.write_config,
                   "write switchyard.toml, mt.csv and smppload.ini there and end")
        ->configurable(false)
        ->group("Run");
    app.add_option("--workers", o.workers, "CPUs, for --write-config")
        ->delimiter(',')
        ->group("Run");
    app.add_option("--admin", o.admin, "admin address, for --write-config")->group("Run");
    app.add_option("--inject-fault", raw.fault, "a mistake of the supplier side")->group("");
    app.add_option("--fault-at", o.fault_at, "the message it happens to")->group("");
}

}  // namespace

void add_options(CLI::App& app, RawOptions& raw) {
    app.set_config("--options", "", "read options from this file (see --write-config)");
    add_customer_options(app, raw);
    add_supplier_options(app, raw);
    add_content_options(app, raw);
    add_dpdk_options(app, raw);
    add_run_options(app, raw);
}

/// Nanoseconds in a unit; 0 when there is no such unit.
static double scale_of(const std::string& unit) {
    static constexpr std::array<std::pair<const char*, double>, 6> units = {
        {{"", 1e9}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}}};
    for (const auto& [name, scale] : units) {
        if (unit == name) {
            return scale;
        }
    }
    return 0;
}

Result<Nanos> parse_duration(const std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string unit(end, text.data() + text.size());
    const double scale = scale_of(unit);
    if (error != std::errc{} || scale == 0 || value < 0 || value * scale > 8.64e13) {
        return fail(
            fmt::format("'{}' is not a duration, expected for example 500ms, 10s or 2m", text));
    }
    return static_cast<Nanos>(std::llround(value * scale));
}

template <class T>
Result<void> take(Result<T> from, T& to, const char* option) {
    if (!from) {
        return fail(fmt::format("{}: {}", option, from.error().text));
    }
    to = std::move(*from);
    return {};
}

static Result<void> finish_accounts(Options& o) {
    for (uint32_t c = static_cast<uint32_t>(o.system_ids.size()); c < o.customers; ++c) {
        o.system_ids.push_back(customer_name(c));
    }
    if (o.passwords.empty()) {
        o.passwords.emplace_back("secret");
    }
    if (o.passwords.size() == 1) {
        o.passwords.resize(o.customers, o.passwords.front());
    }
    if (o.passwords.size() != o.customers || o.system_ids.size() != o.customers) {
        return fail(fmt::format("{} --system-id and {} --password for {} --customers",
                                o.system_ids.size(), o.passwords.size(), o.customers));
    }
    return {};
}

Result<Options> finish_options(const RawOptions& raw) {
    Options o = raw.options;
    static constexpr std::array<const char*, 4> modes = {"both", "esme", "smsc", "direct"};
    static constexpr std::array<const char*, 2> bind_modes = {"trx", "tx+rx"};
    static constexpr std::array<const char*, 4> dpdk_kinds = {"none", "memif", "vhost", "device"};
    static constexpr std::array<const char*, 3> id_forms = {"as-is", "hex-decimal", "decimal-hex"};
    SY_TRY(take(choose(raw.mode, modes, Mode{}), o.mode, "--mode"));
    SY_TRY(take(choose(raw.bind_mode, bind_modes, CustomerBind{}), o.bind_mode, "--bind-mode"));
    SY_TRY(take(choose(raw.receipt_id, id_forms, IdForm{}), o.receipt_id, "--receipt-id"));
    SY_TRY(take(choose(raw.fault, fault_names, Fault{}), o.fault, "--inject-fault"));
    SY_TRY(take(choose(raw.dpdk, dpdk_kinds, DpdkKind{}), o.dpdk.kind, "--dpdk"));
    SY_TRY(take(parse_cidr(raw.dpdk_address), o.dpdk.address, "--dpdk-address"));
    SY_TRY(take(parse_endpoint(raw.router), o.router, "--router"));
    SY_TRY(take(parse_endpoint(raw.listen), o.listen, "--listen"));
    SY_TRY(take(parse_range_ms(raw.latency), o.supplier_latency, "--supplier-latency"));
    SY_TRY(take(parse_range_ms(raw.delay), o.receipt_delay, "--receipt-delay"));
    SY_TRY(take(parse_stat_mix(raw.stats), o.stats, "--receipt-stats"));
    SY_TRY(take(parse_duration(raw.duration), o.duration_ns, "--duration"));
    SY_TRY(take(parse_duration(raw.warmup), o.warmup_ns, "--warmup"));
    SY_TRY(take(parse_duration(raw.drain_timeout), o.drain_timeout_ns, "--drain-timeout"));
    SY_TRY(take(parse_duration(raw.pace), o.pace_ns, "--pace"));
    SY_TRY(take(parse_duration(raw.start_timeout), o.start_timeout_ns, "--start-timeout"));
    if (!raw.errors.empty()) {
        SY_TRY(take(parse_error_mix(raw.errors), o.error_mix, "--error-mix"));
    }
    uint32_t count = 0;
    const char* end = raw.prefixes.data() + raw.prefixes.size();
    if (std::from_chars(raw.prefixes.data(), end, count).ptr == end) {
        o.prefixes = count;
    } else {
        o.prefix_file = raw.prefixes;
    }
    settle_addresses(o);
    SY_TRY(finish_accounts(o));
    SY_TRY(check_dpdk(o));
    SY_TRY(check_options(o));
    return o;
}

}  // namespace sy::load
