// Start to end of `switchyard run`. Everything that can fail is tried before the first thread runs
// and before anything listens, in this order: configuration, CPUs, log, ports, memory.
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "io/admin/metrics.h"
#include "io/admin/server.h"
#include "io/daemon/clock.h"
#include "io/daemon/commands.h"
#include "io/daemon/control.h"
#include "io/daemon/durable.h"
#include "io/daemon/host.h"
#include "io/daemon/load.h"
#include "io/daemon/log.h"
#include "io/daemon/records.h"
#include "io/daemon/workers.h"
#include "io/kernel/socket.h"

namespace sy::daemon {
namespace {

int complain(const std::string& text) {
    fmt::print(stderr, "switchyard: error: {}\n", text);
    return 1;
}

Result<void> check_ports(const config::Config& config) {
    const bool over_kernel = config.runtime.transport == config::TransportKind::kernel;
    for (const Endpoint& endpoint : over_kernel ? config.listen : std::vector<Endpoint>{}) {
        if (auto usable = kernel::check_can_listen(endpoint); !usable) {
            return fail("[smpp] listen: " + usable.error().text);
        }
    }
    if (config.admin_listen) {
        if (auto usable = kernel::check_can_listen(*config.admin_listen); !usable) {
            return fail("[admin] listen: " + usable.error().text);
        }
    }
    return {};
}

engine::HubOptions hub_options(const config::Config& config) {
    engine::HubOptions options;
    options.workers = static_cast<uint32_t>(config.runtime.workers.size());
    options.connections_max = config.runtime.connections_max;
    options.messages_max = config.runtime.messages_max;
    options.store = !config.store.path.empty();
    options.receipt_age_ns = config.store.age_ns;
    options.record_ring_bytes =
        config.records.on() ? static_cast<uint32_t>(config.records.ring_bytes) : 0;
    return options;
}

void log_settings(Log& log, const config::Config& config, const Workers& workers) {
    for (const Endpoint& endpoint : workers.listening()) {
        log.info("listening for customers", {{"address", to_string(endpoint)}});
    }
    if (config.admin_listen) {
        log.info("metrics and health", {{"address", to_string(*config.admin_listen)}});
    }
    for (const std::string& text : workers.devices()) {
        log.info(text);
    }
    for (const std::string& text : workers.warnings()) {
        log.warning(text);
    }
}

std::map<std::string, std::function<admin::Page(const admin::Parameters&)>> explain_pages(
    const ExplainDesk& desk) {
    std::map<std::string, std::function<admin::Page(const admin::Parameters&)>> pages;
    for (const Report::Kind kind : {Report::Kind::mt, Report::Kind::mo}) {
        pages[explain_page(kind)] = [kind, &desk](const admin::Parameters& parameters) {
            return explain_answer(kind, desk, parameters);
        };
    }
    return pages;
}

// The second half, with everything checked.
Result<void> serve(const std::string& config_path,
                   config::Registry registry,
                   Loaded loaded,
                   Log& log,
                   Signals signals,
                   Nanos load_took_ns) {
    engine::Hub hub(hub_options(loaded.config));
    loaded.snapshot->generation = 1;
    SY_TRY(hub.publish(std::move(loaded.snapshot)));
    auto store = open_store(hub, loaded.config, registry);
    if (!store) {
        return std::unexpected(std::move(store).error());
    }
    // From here on: a store with millions of messages is read with all CPUs.
    log.debug("control thread", {{"cpus", keep_off(loaded.config.runtime.workers)}});
    auto records = open_records(hub, loaded.config, registry);
    if (!records) {
        return std::unexpected(std::move(records).error());
    }
    auto workers = Workers::create(hub, loaded.config);
    if (!workers) {
        return std::unexpected(std::move(workers).error());
    }
    admin::Board board;
    ExplainDesk desk;
    const admin::Metrics metrics(
        hub, board, [&workers] { return (*workers)->samples(); },
        [writer = records->get(), kept = store->get()] {
            auto samples = record_samples(writer);
            add_store_samples(kept, samples);
            return samples;
        });
    std::optional<admin::Server> server;
    if (loaded.config.admin_listen) {
        auto opened = admin::Server::open(*loaded.config.admin_listen,
                                          {.metrics = [&metrics] { return metrics.Collect(); },
                                           .health =
                                               [&hub, &board, writer = records->get()] {
                                                   return admin::health(hub, *board.view(),
                                                                        record_state(writer));
                                               },
                                           .more = explain_pages(desk)});
        if (!opened) {
            return std::unexpected(std::move(opened).error());
        }
        server = *std::move(opened);
    }
    log_settings(log, loaded.config, **workers);
    if (*store != nullptr) {
        log.info("store open",
                 {{"path", loaded.config.store.path},
                  {"receipts_waiting", (*store)->receipts_found()},
                  {"messages_waiting", (*store)->messages_found().waiting},
                  {"messages_under_way", (*store)->messages_found().under_way.size()}});
        mark_interrupted(hub, **store, records->get(), registry);
    }
    Control control({.config_path = config_path,
                     .registry = std::move(registry),
                     .config = std::move(loaded.config),
                     .hub = hub,
                     .signals = signals,
                     .log = log,
                     .board = board,
                     .desk = desk,
                     .records = records->get(),
                     .poll_devices = [&workers] { return (*workers)->poll_devices(); },
                     .store = store->get()},
                    load_took_ns);
    if (*store != nullptr) {
        (*store)->start();
    }
    if (*records != nullptr) {
        (*records)->start();
    }
    SY_TRY((*workers)->start());
    if (server) {
        server->start();
    }
    control.run();
    (*workers)->stop();
    if (*store != nullptr) {
        (*store)->stop();
    }
    if (*records != nullptr) {
        (*records)->stop();
        log_notes(records->get(), log);
    }
    log.info("switchyard stopped");
    return {};
}

}  // namespace

int run(const std::string& config_path) {
    const Nanos started_ns = read_clock(CLOCK_MONOTONIC);
    // Before anything starts a thread (the compile does): a signal that some thread does not block
    // would end the process there.
    auto signals = Signals::block();
    if (!signals) {
        return complain(signals.error().text);
    }
    config::Registry registry;
    std::vector<config::Diagnostic> diagnostics;
    std::optional<Loaded> loaded =
        load(config_path, registry, nullptr, nullptr, CacheFolder::Access::read_write, diagnostics);
    print(diagnostics);
    if (!loaded) {
        return complain(fmt::format("{}: not started, {} errors in the configuration", config_path,
                                    count_errors(diagnostics)));
    }
    if (auto usable = check_cpus(loaded->config.runtime.workers); !usable) {
        return complain(usable.error().text);
    }
    auto log = Log::open(loaded->config.logging, loaded->config.directory);
    if (!log) {
        return complain(log.error().text);
    }
    if (auto usable = check_ports(loaded->config); !usable) {
        return complain(usable.error().text);
    }
    make_other_threads_quiet();
    const Nanos load_took_ns = read_clock(CLOCK_MONOTONIC) - started_ns;
    if (auto served = serve(config_path, std::move(registry), *std::move(loaded), *log,
                            *std::move(signals), load_took_ns);
        !served) {
        return complain(served.error().text);
    }
    return 0;
}

}  // namespace sy::daemon
