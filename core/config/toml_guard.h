// What must be refused before toml++ sees it. Control plane only.
#pragma once

#include <optional>
#include <string_view>

#include "core/config/complaints.h"

namespace sy::config {

/// No key of ours has more than two parts ("log.path"), and toml++ 3.3 makes a table of each part,
/// which it frees by recursion: some ten thousand parts run over the stack. It bounds nested values
/// itself.
inline constexpr uint32_t key_parts_max = 16;

/// Where the first dotted key with more parts than that goes too far.
[[nodiscard]] std::optional<Position> find_deep_key(std::string_view text);

}  // namespace sy::config
