// [records] of switchyard.toml. Whether the folder can be written and the brokers be reached is
// io/record's to say. Control plane only.
#pragma once

#include "core/config/config.h"
#include "core/config/section.h"

namespace sy::config {

/// Paths stay as they are written. REQUIRES: `in` is the section, and `options` (may be null) its
/// table kafka_options.
void read_records(Section& in, const toml::node* options, Records& out);

}  // namespace sy::config
