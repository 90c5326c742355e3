#include <cstdio>
#include <unistd.h>

#include <fmt/format.h>

#include "io/daemon/commands.h"
#include "io/daemon/host.h"
#include "io/daemon/load.h"
#include "io/dpdk/diagnose.h"

namespace sy::daemon {
namespace {

// What this machine lacks for DPDK, each with the commands that put it right. Warnings: the file
// may be meant for another machine.
void look_at_host(const config::Config& config) {
    if (config.runtime.transport != config::TransportKind::dpdk) {
        return;
    }
    for (const dpdk::Finding& finding :
         dpdk::diagnose({"/", geteuid() == 0}, config.dpdk, config.runtime.workers)) {
        fmt::print(stderr, "this machine: {}: {}; type:\n",
                   finding.severity == dpdk::Finding::Severity::error ? "warning" : "hint",
                   finding.text);
        std::string_view rest = finding.command;
        while (!rest.empty()) {
            const size_t end = rest.find('\n');
            fmt::print(stderr, "    {}\n", rest.substr(0, end));
            rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        }
    }
}

}  // namespace

int check(const std::string& config_path) {
    config::Registry registry;
    std::vector<config::Diagnostic> diagnostics;
    const std::optional<Loaded> loaded =
        load(config_path, registry, nullptr, nullptr, CacheFolder::Access::read, diagnostics);
    if (loaded) {
        // The file may be meant for another machine: a warning here, an error for `run`.
        if (const auto cpus = check_cpus(loaded->config.runtime.workers); !cpus) {
            diagnostics.push_back(
                {config::Diagnostic::Severity::warning, config_path, 0, 0, cpus.error().text});
        }
    }
    print(diagnostics);
    const uint32_t error_count = count_errors(diagnostics);
    if (!loaded || error_count > 0) {
        fmt::print(stderr, "{}: {} error{}\n", config_path, error_count,
                   error_count == 1 ? "" : "s");
        return 1;
    }
    const config::Config& config = loaded->config;
    look_at_host(config);
    fmt::print("{}: ok: {} customers, {} suppliers, {} MT rules, {} MO rules, {} error rules\n",
               config_path, config.customers.size(), config.suppliers.size(),
               config.mt->rules.size(), config.mo_rules.size(), config.error_rules.size());
    return 0;
}

}  // namespace sy::daemon
