// Rows of mo.csv that can never win. Control plane only.
#pragma once

#include <vector>

#include "core/config/complaints.h"
#include "core/route/rules.h"

namespace sy::config {

/// Warns of rows behind another of the same number and keyword that asks for the same or for less.
void warn_of_hopeless_rows(const std::vector<route::MoRule>& rules, Complaints& complaints);

}  // namespace sy::config
