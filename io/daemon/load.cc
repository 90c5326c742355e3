#include "io/daemon/load.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "core/base/release.h"
#include "io/daemon/files.h"

namespace sy::daemon {
namespace {

// An account that did not change keeps its object (config::compile), so pointers tell.
template <class Account>
void compare_accounts(const std::vector<std::shared_ptr<const Account>>& before,
                      const std::vector<std::shared_ptr<const Account>>& after,
                      std::vector<std::string>& added,
                      std::vector<std::string>& removed,
                      std::vector<std::string>& changed) {
    const size_t count = std::max(before.size(), after.size());
    for (size_t i = 0; i < count; ++i) {
        const Account* const old_one = i < before.size() ? before[i].get() : nullptr;
        const Account* const new_one = i < after.size() ? after[i].get() : nullptr;
        if (old_one == new_one) {
            continue;
        }
        if (old_one == nullptr) {
            added.push_back(new_one->name);
        } else if (new_one == nullptr) {
            removed.push_back(old_one->name);
        } else {
            changed.push_back(new_one->name);
        }
    }
}

}  // namespace

std::optional<Loaded> load(const std::string& path,
                           config::Registry& registry,
                           const route::Snapshot* previous,
                           const config::Config* running,
                           CacheFolder::Access cache_access,
                           std::vector<config::Diagnostic>& diagnostics) {
    std::optional<config::Config> config = config::load(path, read_file, registry, diagnostics);
    if (!config) {
        return std::nullopt;
    }
    if (running != nullptr) {
        for (const std::string& key : restart_only_changes(*running, *config)) {
            diagnostics.push_back(
                {config::Diagnostic::Severity::warning, path, 0, 0,
                 fmt::format("{} changed: needs a restart, ignored until then", key)});
        }
        // The compiler makes one scratch a worker: it must know the workers that run.
        const Nanos drain_ns = config->runtime.drain_ns;
        config->runtime = running->runtime;
        config->runtime.drain_ns = drain_ns;
        config->dpdk = running->dpdk;
        config->listen = running->listen;
        config->admin_listen = running->admin_listen;
        config->store = running->store;
        route::RecordFields fields = std::move(config->records.fields);
        config->records = running->records;
        config->records.fields = std::move(fields);
    }
    CacheFolder cache(config->cache_path, cache_access);
    std::unique_ptr<route::Snapshot> snapshot = config::compile(
        *config, registry, previous, diagnostics, config->cache_path.empty() ? nullptr : &cache);
    for (std::string& complaint : cache.take_complaints()) {
        diagnostics.push_back(
            {config::Diagnostic::Severity::warning, path, 0, 0, std::move(complaint)});
    }
    return_free_memory();  // texts, rows and databases in the making
    if (snapshot == nullptr) {
        return std::nullopt;
    }
    return Loaded{*std::move(config), std::move(snapshot)};
}

uint32_t count_errors(const std::vector<config::Diagnostic>& diagnostics) {
    return static_cast<uint32_t>(std::ranges::count(
        diagnostics, config::Diagnostic::Severity::error, &config::Diagnostic::severity));
}

void print(const std::vector<config::Diagnostic>& diagnostics) {
    for (const config::Diagnostic& diagnostic : diagnostics) {
        fmt::print(stderr, "{}\n", config::to_string(diagnostic));
    }
}

std::vector<std::string> restart_only_changes(const config::Config& running,
                                              const config::Config& wanted) {
    std::vector<std::string> keys;
    const config::Runtime& a = running.runtime;
    const config::Runtime& b = wanted.runtime;
    const auto note = [&](bool differs, const char* key) {
        if (differs) {
            keys.emplace_back(key);
        }
    };
    note(a.workers != b.workers, "runtime.workers");
    note(a.transport != b.transport, "runtime.transport");
    note(a.idle != b.idle, "runtime.idle");
    note(a.connections_max != b.connections_max, "runtime.connections_max");
    note(a.messages_max != b.messages_max, "runtime.messages_max");
    note(running.dpdk != wanted.dpdk, "dpdk");
    note(running.listen != wanted.listen, "smpp.listen");
    note(running.admin_listen != wanted.admin_listen, "admin.listen");
    note(running.store != wanted.store, "store");
    config::Records records = wanted.records;
    records.fields = running.records.fields;  // these are applied
    note(running.records != records, "records");
    return keys;
}

Changes compare(const route::Snapshot& before, const route::Snapshot& after) {
    Changes changes;
    compare_accounts(before.customers, after.customers, changes.customers_added,
                     changes.customers_removed, changes.customers_changed);
    compare_accounts(before.suppliers, after.suppliers, changes.suppliers_added,
                     changes.suppliers_removed, changes.suppliers_changed);
    return changes;
}

std::string join_names(const std::vector<std::string>& names) {
    constexpr size_t shown_max = 20;
    if (names.empty()) {
        return "none";
    }
    std::string text;
    for (size_t i = 0; i < std::min(names.size(), shown_max); ++i) {
        text += text.empty() ? "" : ", ";
        text += names[i];
    }
    if (names.size() > shown_max) {
        text += fmt::format(" and {} more", names.size() - shown_max);
    }
    return text;
}

}  // namespace sy::daemon
