// Writes the router's configuration that belongs to a run: switchyard.toml, mt.csv, and the options
// of smppload itself, so that a benchmark is two commands.
#pragma once

#include "bench/smppload/options.h"

namespace sy::load {

[[nodiscard]] Result<void> write_config(const Options& options);

}  // namespace sy::load
