// The program's commands behind its command line. Each returns the exit status: 0 done, 1 the
// configuration or the machine does not allow it (said on standard error). Main thread only.
#pragma once

#include <string>

#include "io/daemon/explain_page.h"

namespace sy::daemon {

/// Runs the router until a signal stops it.
[[nodiscard]] int run(const std::string& config_path);

/// Validates everything, prints every complaint.
[[nodiscard]] int check(const std::string& config_path);

struct ExplainOptions {
    Report::Kind kind = Report::Kind::mt;
    Question question;
    std::string router;  // admin address of a router that runs; empty: from the files
    bool json = false;
};
/// Prints which rules were considered for one message, why each lost, and what would be tried.
[[nodiscard]] int explain(const std::string& config_path, const ExplainOptions& options);

}  // namespace sy::daemon
