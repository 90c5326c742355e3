// Any octets as switchyard.toml and its tables, which a line "%%" parts. Checked: nothing escapes,
// a configuration comes back exactly when there is no error, and no complaint is empty.
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/assert.h"
#include "core/config/config.h"

namespace {

using Files = std::map<std::string, std::string>;

Files files_of(std::string_view text) {
    constexpr std::string_view separator = "\n%%\n";
    Files files;
    for (const char* name : {"switchyard.toml", "mt.csv", "mo.csv", "errors.csv", "networks.csv",
                             "ported.csv", "prices.csv", "sell.csv"}) {
        const size_t end = text.find(separator);
        files[name] = text.substr(0, end);
        if (end == std::string_view::npos) {
            break;
        }
        text.remove_prefix(end + separator.size());
    }
    return files;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const Files files = files_of({reinterpret_cast<const char*>(data), size});
    const sy::config::ReadFile read_file = [&](const std::string& path) -> sy::Result<std::string> {
        const auto found = files.find(path);
        if (found == files.end()) {
            return sy::fail("No such file or directory");
        }
        return found->second;
    };
    sy::config::Registry registry;
    std::vector<sy::config::Diagnostic> diagnostics;
    const auto config = sy::config::load("switchyard.toml", read_file, registry, diagnostics);
    const bool any_error =
        std::any_of(diagnostics.begin(), diagnostics.end(), [](const auto& each) {
            SY_ASSERT(!each.text.empty());
            return each.severity == sy::config::Diagnostic::Severity::error;
        });
    SY_ASSERT(config.has_value() == !any_error);
    SY_ASSERT(config.has_value() || registry.customers().empty());
    if (config) {
        const auto snapshot = sy::config::compile(*config, registry, nullptr, diagnostics);
        SY_ASSERT(snapshot != nullptr || !diagnostics.empty());
    }
    return 0;
}
