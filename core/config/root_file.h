// switchyard.toml itself: text to the accounts and settings of a Config. Control plane only.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/complaints.h"
#include "core/config/config.h"

namespace sy::config {

/// A table that [routes] names, or would by default.
struct TableFile {
    std::string path;       // as diagnostics name it; empty: none wanted
    bool is_named = false;  // false: the default name, the file may be missing
    Position at;            // of the name
};

/// What the checks across files need to know of switchyard.toml beside the Config.
struct RootPlaces {
    TableFile mt, mo, errors, networks, ported, prices, sell;
    std::vector<Position> plans;  // of each customer's plan, in the order of Config::customers
};

void read_root(std::string_view text,
               Registry& registry,
               Complaints& complaints,
               Config& config,
               RootPlaces& places);

}  // namespace sy::config
