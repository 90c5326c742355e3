// Reads, checks and compiles the whole configuration in one step, as start, reload, check and
// explain all need it. One at a time: the control thread, or what works for it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/config/config.h"
#include "io/daemon/cache_folder.h"

namespace sy::daemon {

struct Loaded {
    config::Config config;
    std::unique_ptr<route::Snapshot> snapshot;
};

/// Nothing if there is any error; `diagnostics` then holds all that could be found at once.
/// `running`: the settings that only a restart can change, kept as they are; null at start.
[[nodiscard]] std::optional<Loaded> load(const std::string& path,
                                         config::Registry& registry,
                                         const route::Snapshot* previous,
                                         const config::Config* running,
                                         CacheFolder::Access cache_access,
                                         std::vector<config::Diagnostic>& diagnostics);

[[nodiscard]] uint32_t count_errors(const std::vector<config::Diagnostic>& diagnostics);

/// One line each, on standard error.
void print(const std::vector<config::Diagnostic>& diagnostics);

/// The settings in which `wanted` differs from `running` although only a restart can change them,
/// by their names in the file: "runtime.workers", "smpp.listen" ...
[[nodiscard]] std::vector<std::string> restart_only_changes(const config::Config& running,
                                                            const config::Config& wanted);

/// What a reload changed, by name.
struct Changes {
    std::vector<std::string> customers_added, customers_removed, customers_changed;
    std::vector<std::string> suppliers_added, suppliers_removed, suppliers_changed;
};
[[nodiscard]] Changes compare(const route::Snapshot& before, const route::Snapshot& after);

/// "a, b, c and 17 more"; "none" for an empty list.
[[nodiscard]] std::string join_names(const std::vector<std::string>& names);

}  // namespace sy::daemon
