// The device of smppload --dpdk, and the router's end of it: what EAL is told on either side.
#pragma once

#include <string>
#include <vector>

#include "bench/smppload/options.h"
#include "core/base/endpoint.h"

namespace sy::load {

struct DpdkEnd {
    std::vector<std::string> eal;
    std::string device;
    Cidr address;
};

/// Where DpdkOptions::kind is not device, `our` EAL is told to make the device.
[[nodiscard]] DpdkEnd our_end(const Options& options);
/// The other end of a memif or vhost pair: the router's, which is there first and stays longer.
/// REQUIRES: a pair.
[[nodiscard]] DpdkEnd router_end(const Options& options);

/// Our own address as text, and the loopback addresses of the command line's defaults replaced by
/// addresses of the device's network.
void settle_addresses(Options& options);
[[nodiscard]] Result<void> check_dpdk(const Options& options);

}  // namespace sy::load
