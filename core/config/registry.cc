#include "core/base/limits.h"
#include "core/config/config.h"

namespace sy::config {
namespace {

template <class IdType>
IdType id_of(std::string_view name,
             size_t count_max,
             std::vector<std::string>& names,
             std::unordered_map<std::string, uint16_t>& index) {
    std::string key(name);
    if (const auto found = index.find(key); found != index.end()) {
        return IdType{found->second};
    }
    if (names.size() >= count_max) {
        return IdType::none();
    }
    const auto value = static_cast<uint16_t>(names.size());
    names.push_back(key);
    index.emplace(std::move(key), value);
    return IdType{value};
}

static_assert(limits::customers_max < CustomerId::none_value);
static_assert(limits::suppliers_max < SupplierId::none_value);
static_assert(limits::networks_max < NetworkId::none_value);
static_assert(limits::plans_max < PlanId::none_value);

}  // namespace

CustomerId Registry::customer(std::string_view name) {
    return id_of<CustomerId>(name, limits::customers_max, customers_, customer_index_);
}

SupplierId Registry::supplier(std::string_view name) {
    return id_of<SupplierId>(name, limits::suppliers_max, suppliers_, supplier_index_);
}

PlanId Registry::plan(std::string_view name) {
    return id_of<PlanId>(name, limits::plans_max, plans_, plan_index_);
}

NetworkId Registry::network(std::string_view mccmnc) {
    return id_of<NetworkId>(mccmnc, limits::networks_max, networks_, network_index_);
}

}  // namespace sy::config
