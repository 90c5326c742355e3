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

}  // namespace

Names::Names(std::vector<std::string> customers, std::vector<std::string> networks)
    : customers_(std::move(customers)),
      networks_(std::move(networks)),
      customer_index_(index_of(customers_)),
      network_index_(index_of(networks_)) {}

std::string_view Names::name_of(CustomerId customer) const {
    SY_ASSERT(customer.value < customers_.size());
    return customers_[customer.value];
}

std::string_view Names::name_of(NetworkId network) const {
    return network.value < networks_.size() ? std::string_view(networks_[network.value])
                                            : std::string_view();
}

CustomerId Names::find_customer(std::string_view name) const {
    const auto at = customer_index_.find(name);
    return at != customer_index_.end() ? CustomerId{at->second} : CustomerId::none();
}

NetworkId Names::find_network(std::string_view mccmnc) const {
    const auto at = network_index_.find(mccmnc);
    return at != network_index_.end() ? NetworkId{at->second} : NetworkId::none();
}

}  // namespace sy::store
