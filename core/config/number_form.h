// How a supplier wants numbers: the keys of [[supplier]] behind NumberForm. Control plane only.
#pragma once

#include "core/config/section.h"
#include "core/number/plan.h"

namespace sy::config {

/// ton, npi, number_format, number_prefix, rewrite, short_code_ton, short_code_npi.
void read_number_form(Section& section, number::NumberForm& form);

}  // namespace sy::config
