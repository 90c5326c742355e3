// [[customer]] and [[supplier]] of switchyard.toml. Control plane only.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/config/section.h"
#include "core/route/account.h"

namespace sy::config {

/// Timers as [smpp] sets them for all accounts, and each account for itself.
void read_timers(Section& section, route::Timers& timers);

/// Who used a value first. Whoever uses it next is complained about.
using Claims = std::map<std::string, Position, std::less<>>;
void claim(Claims& claims,
           const std::string& value,
           Position at,
           std::string_view what,
           Complaints& complaints);

/// What no two customers may share.
struct CustomerClaims {
    Claims names, system_ids, numbers;
};

/// Every key of one account; `account` holds the defaults.
void read_customer(Section& section, route::Customer& account, CustomerClaims& claims);
void read_supplier(Section& section, route::Supplier& account);

}  // namespace sy::config
