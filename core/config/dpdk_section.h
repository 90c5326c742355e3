// [dpdk] and [[dpdk.port]] of switchyard.toml. What only the machine can tell (does the device
// exist, are there huge pages) is io/dpdk's to say. Control plane only.
#pragma once

#include <toml++/toml.h>

#include "core/base/endpoint.h"
#include "core/config/complaints.h"
#include "core/config/config.h"

namespace sy::config {

void read_dpdk(const toml::table& document, Complaints& complaints, Dpdk& out);

/// A listener's address must be one of a port's, or any of a family that a port has.
void check_listen(const Endpoint& endpoint, Position at, const Dpdk& dpdk, Complaints& complaints);

}  // namespace sy::config
