// The program's commands behind its command line. Each returns the exit status: 0 done, 1 the
// configuration or the machine does not allow it (said on standard error). Main thread only.
#pragma once

#include <optional>
#include <string>

namespace sy::daemon {

/// Runs the router until a signal stops it.
[[nodiscard]] int run(const std::string& config_path);

/// Validates everything, prints every complaint.
[[nodiscard]] int check(const std::string& config_path);

struct ExplainOptions {
    std::string customer;  // MT
    std::string supplier;  // MO
    std::string to;
    std::string from;
    std::string text;
    std::string at;                  // when, "2026-01-31 18:30"; empty: now
    std::optional<int> data_coding;  // unset: 0 where GSM 03.38 can say the text, else 8
};
/// Prints which rules were considered for one message, why each lost, and what would be tried.
[[nodiscard]] int explain_mt(const std::string& config_path, const ExplainOptions& options);
[[nodiscard]] int explain_mo(const std::string& config_path, const ExplainOptions& options);

}  // namespace sy::daemon
