// A configuration in memory and what load() says of it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config/config.h"

namespace sy::config::test {

using Files = std::map<std::string, std::string>;

inline ReadFile reader_of(const Files& files) {
    return [&files](const std::string& path) -> Result<std::string> {
        const auto found = files.find(path);
        if (found == files.end()) {
            return fail("No such file or directory");
        }
        return found->second;
    };
}

struct Loaded {
    std::optional<Config> config;
    std::vector<std::string> complaints;
};

inline Loaded load_files(const Files& files, Registry& registry) {
    std::vector<Diagnostic> diagnostics;
    Loaded out;
    out.config = load("etc/sy.toml", reader_of(files), registry, diagnostics);
    for (const Diagnostic& diagnostic : diagnostics) {
        out.complaints.push_back(to_string(diagnostic));
    }
    return out;
}

inline Loaded load_files(const Files& files) {
    Registry registry;
    return load_files(files, registry);
}

/// One customer and two suppliers on lines 1 to 12; a case adds its own lines behind.
inline constexpr const char* accounts =
    "[[customer]]\n"
    "name = \"acme\"\n"
    "system_id = \"acme\"\n"
    "password = \"secret\"\n"
    "[[supplier]]\n"
    "name = \"alpha\"\n"
    "host = \"127.0.0.1:2776\"\n"
    "system_id = \"sy\"\n"
    "[[supplier]]\n"
    "name = \"beta\"\n"
    "host = \"127.0.0.1:2777\"\n"
    "system_id = \"sy\"\n";

inline Files good_files() {
    return {{"etc/sy.toml", accounts},
            {"etc/mt.csv", "prefix,targets\n,alpha\n"},
            {"etc/mo.csv", "number,targets\n447700900123,acme\n"},
            {"etc/errors.csv", "status,class\nRSYSERR,next\n"}};
}

}  // namespace sy::config::test
