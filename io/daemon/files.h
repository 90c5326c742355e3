// Files as config/ wants them: whole, or a reason that says what to do. Control thread only.
#pragma once

#include <string>

#include "core/base/result.h"

namespace sy::daemon {

// The largest file that is read (ported.csv of a large country has hundreds of megabytes).
inline constexpr uint64_t file_bytes_max = uint64_t{4} << 30;

/// The whole file's octets, or why it cannot be read.
[[nodiscard]] Result<std::string> read_file(const std::string& path);

}  // namespace sy::daemon
