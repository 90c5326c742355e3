#include "core/store/names.h"

#include <utility>

#include "core/base/assert.h"

namespace sy::store {
namespace {

std::unordered_map<std::string_view, uint16_t> index_of(const std::vector<std::string>& names) {
    std::unordered_map<std::string_view, uint16_t> out;
    for (size_t i = 0; i < names.size(); ++i) {
        out.emplace(names[i], static_cast<uint16_t>(i));
    }
    return out;
}

template <class Id>
Id find(const std::unordered_map<std::string_view, uint16_t>& index, std::string_view name) {
    const auto at = index.find(name);
    return at != index.end() ? Id{at->second} : Id::none();
}

template <class Id>
std::string_view name_at(const std::vector<std::string>& names, Id id) {
    return id.value < names.size() ? std::string_view(names[id.value]) : std::string_view();
}

}  // namespace

Names::Names(std::vector<std::string> customers,
             std::vector<std::string> networks,
             std::vector<std::string> suppliers)
    : customers_(std::move(customers)),
      networks_(std::move(networks)),
      suppliers_(std::move(suppliers)),
      customer_index_(index_of(customers_)),
      network_index_(index_of(networks_)),
      supplier_index_(index_of(suppliers_)) {}

std::string_view Names::name_of(CustomerId customer) const {
    SY_ASSERT(customer.value < customers_.size());
    return customers_[customer.value];
}

std::string_view Names::name_of(NetworkId network) const {
    return name_at(networks_, network);
}

std::string_view Names::name_of(SupplierId supplier) const {
    return name_at(suppliers_, supplier);
}

CustomerId Names::find_customer(std::string_view name) const {
    return find<CustomerId>(customer_index_, name);
}

NetworkId Names::find_network(std::string_view mccmnc) const {
    return find<NetworkId>(network_index_, mccmnc);
}

SupplierId Names::find_supplier(std::string_view name) const {
    return find<SupplierId>(supplier_index_, name);
}

}  // namespace sy::store
