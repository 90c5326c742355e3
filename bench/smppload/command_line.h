// The command line of smppload.
#pragma once

#include <string>

#include "bench/smppload/options.h"

namespace CLI {
class App;
}

namespace sy::load {

/// Texts that become Options once the command line is read.
struct RawOptions {
    std::string mode = "both", router = "127.0.0.1:2775", listen = "127.0.0.1:27760";
    std::string bind_mode = "trx", latency = "0", delay = "0", errors, stats = "DELIVRD";
    std::string receipt_id = "as-is", prefixes = "1000", duration = "10s", warmup = "0s";
    std::string drain_timeout = "10s", start_timeout = "30s", pace = "20us", fault = "none";
    std::string dpdk = "none", dpdk_address = "10.30.0.1/24";
    Options options;
};

void add_options(CLI::App& app, RawOptions& raw);
/// Reads the texts, fills in accounts, checks that it all fits together.
[[nodiscard]] Result<Options> finish_options(const RawOptions& raw);
/// "10s", "500ms", "20us", "2m", "3" (seconds).
[[nodiscard]] Result<Nanos> parse_duration(const std::string& text);

}  // namespace sy::load
