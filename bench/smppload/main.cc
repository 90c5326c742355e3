// smppload: load generator, supplier simulator, and two small friendly helpers (send, supplier).
// Exit status: 0 all well, 1 a discrepancy (or the message was not accepted), 2 it could not run.
#include <csignal>
#include <cstdio>
#include <sched.h>
#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/smppload/command_line.h"
#include "bench/smppload/dpdk_net.h"
#include "bench/smppload/friendly.h"
#include "bench/smppload/report.h"
#include "bench/smppload/run.h"
#include "bench/smppload/write_config.h"

namespace sy::load {
namespace {

int complain(const Error& error) {
    fmt::print(stderr, "smppload: error: {}\n", error.text);
    return 2;
}

Result<void> pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<size_t>(cpu), &set);
    if (cpu >= CPU_SETSIZE || sched_setaffinity(0, sizeof set, &set) != 0) {
        return fail(fmt::format("--cpu {}: there is no such CPU for us", cpu));
    }
    return {};
}

int run_load(const RawOptions& raw, const std::string& options_text) {
    auto options = finish_options(raw);
    if (!options) {
        return complain(options.error());
    }
    options->options_text = options_text;
    if (!options->write_config.empty()) {
        if (auto written = write_config(*options); !written) {
            return complain(written.error());
        }
        fmt::print(
            "wrote switchyard.toml, mt.csv and smppload.ini in {dir}; now run\n"
            "  switchyard run --config {dir}/switchyard.toml\n"
            "  smppload --options {dir}/smppload.ini\n",
            fmt::arg("dir", options->write_config));
        return 0;
    }
    if (options->cpu >= 0) {
        if (auto pinned = pin(options->cpu); !pinned) {
            return complain(pinned.error());
        }
    }
    auto traffic = Traffic::make(*options);
    if (!traffic) {
        return complain(traffic.error());
    }
    const uint64_t messages_max =
        options->messages > 0 && options->mode != Mode::smsc ? options->messages : 0xFFFFFFFE;
    Result<std::unique_ptr<Net>> net = options->dpdk.kind == DpdkKind::none
                                           ? std::make_unique<KernelNet>()
                                           : make_dpdk_net(*options);
    if (!net) {
        return complain(net.error());
    }
    Context context(std::move(*options), std::move(*traffic), messages_max, *std::move(net));
    context.customers_here = context.options.mode != Mode::smsc;
    context.suppliers_here = context.options.mode != Mode::esme;
    auto outcome = run(context);
    if (!outcome) {
        return complain(outcome.error());
    }
    fmt::print("{}", text_report(context, *outcome));
    Result<void> written;
    if (!context.options.json.empty()) {
        written = write_file(context.options.json, json_report(context, *outcome));
    }
    if (written && !context.options.csv.empty()) {
        written = append_csv(context, *outcome);
    }
    if (!written) {
        return complain(written.error());
    }
    return context.ledger.troubles() == 0 ? 0u : 1u;
}

}  // namespace
}  // namespace sy::load

int main(int argc, char** argv) {
    using namespace sy::load;
    CLI::App app(
        "Load generator and supplier simulator for SMPP routers: plays the customers and "
        "the suppliers,\nchecks every message, answer and receipt, and measures.");
    RawOptions raw;
    add_options(app, raw);
    SendOptions send;
    SupplierOptions supplier;
    CLI::App* send_command = add_send_command(app, send);
    CLI::App* supplier_command = add_supplier_command(app, supplier);
    app.require_subcommand(0, 1);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    // Short sleeps end when they should, not up to 50 microseconds later.
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    struct sigaction action{};
    action.sa_handler = [](int) { ask_to_stop(); };
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    if (send_command->parsed()) {
        return send_message(send);
    }
    if (supplier_command->parsed()) {
        return run_supplier(supplier);
    }
    return run_load(raw, app.config_to_str(false, false));
}
