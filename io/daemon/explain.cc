// The command `explain`: from the files, or by a router that runs.
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/config/parse.h"
#include "io/admin/client.h"
#include "io/daemon/commands.h"
#include "io/daemon/load.h"

namespace sy::daemon {
namespace {

int complain(const std::string& text) {
    fmt::print(stderr, "switchyard explain: error: {}\n", text);
    return 1;
}

// What the files say; nothing when they are wrong, which is said then.
std::optional<ExplainTables> tables_of(const std::string& config_path) {
    std::vector<config::Diagnostic> diagnostics;
    config::Registry registry;
    std::optional<Loaded> loaded =
        load(config_path, registry, nullptr, nullptr, CacheFolder::Access::read, diagnostics);
    print(diagnostics);
    if (!loaded || count_errors(diagnostics) > 0) {
        return std::nullopt;
    }
    return ExplainTables(registry, loaded->config, *loaded->snapshot, nullptr);
}

int explain_by_files(const std::string& config_path, const ExplainOptions& options) {
    const std::optional<ExplainTables> tables = tables_of(config_path);
    if (!tables) {
        return 1;
    }
    const bool is_mt = options.kind == Report::Kind::mt;
    const auto report =
        is_mt ? explain_mt(*tables, options.question) : explain_mo(*tables, options.question);
    if (!report) {
        return complain(report.error().text);
    }
    fmt::print("{}", options.json ? to_json(*report) : to_text(*report));
    return 0;
}

int explain_by_router(const ExplainOptions& options) {
    const auto address = config::parse_host(options.router);
    if (!address) {
        return complain("--router: " + address.error().text);
    }
    const auto page = admin::get(*address, explain_page(options.kind),
                                 parameters_of(options.kind, options.question, options.json));
    if (!page) {
        return complain(page.error().text);
    }
    if (page->status != 200) {
        return complain(page->body.substr(0, page->body.find('\n')));
    }
    fmt::print("{}", page->body);
    return 0;
}

}  // namespace

int explain(const std::string& config_path, const ExplainOptions& options) {
    if (config_path.empty() == options.router.empty()) {
        return complain(
            "expected one of --config FILE (what the files say) and --router HOST:PORT (what the "
            "router that has this admin address does)");
    }
    return options.router.empty() ? explain_by_files(config_path, options)
                                  : explain_by_router(options);
}

}  // namespace sy::daemon
