// Asks a running router's admin port. Command line only.
#pragma once

#include <string>

#include "core/base/result.h"
#include "io/admin/server.h"

namespace sy::admin {

/// Waits at most 10 s. Error: nobody answers there.
[[nodiscard]] Result<Page> get(const Endpoint& address,
                               const std::string& path,
                               const Parameters& parameters);

}  // namespace sy::admin
