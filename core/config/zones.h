// Time zones by name, as lists of offsets that the message path can use. Control plane only: the
// library beneath reads the system's tzdata.
//
// Known from 1970 as far ahead as tzdata lists changes (Debian's: to the end of 2037); after that
// the last offset stays.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/route/when.h"

namespace sy::config {

class Zones {
  public:
    /// Null for an unknown one. "UTC" is always there, the others where tzdata is installed.
    [[nodiscard]] std::shared_ptr<const route::Zone> find(std::string_view name);

    /// All names, for hints. Views that stay.
    [[nodiscard]] static std::vector<std::string_view> names();

  private:
    std::unordered_map<std::string, std::shared_ptr<const route::Zone>> known_;
};

}  // namespace sy::config
