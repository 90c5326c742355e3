// MT rows that can never win because a row that asks for less, at the same place, always comes
// first: of the same plan, prefix and network, with the lower priority or before it. Control plane
// only.
#pragma once

#include <vector>

#include "core/config/complaints.h"
#include "core/route/rules.h"

namespace sy::config {

/// Warns of each such row, and of each with the conditions of another.
void warn_of_hopeless_rows(const std::vector<route::MtRule>& rules, Complaints& complaints);

}  // namespace sy::config
