// Places of the tables' expressions, and a check of them alone for a configuration that will not
// get as far as compile(). Control plane only.
#pragma once

#include <string_view>
#include <vector>

#include "core/config/complaints.h"
#include "core/config/config.h"

namespace sy::config {

/// Where the cell of an expression stands; its row's start if `column` is none of an expression.
/// REQUIRES: `cells` in the order of rows, as load() leaves them.
[[nodiscard]] Position place_of(const std::vector<ExpressionCell>& cells,
                                uint32_t row_line,
                                std::string_view column);

/// Complains about every expression that match::why_refused() has something against, in the words
/// of compile(). Compiles none: the very few that only then turn out too large are found later.
void check_expressions(const Config& config, Complaints& mt, Complaints& mo);

}  // namespace sy::config
