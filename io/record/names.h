// Ids to names, for lines that people and other programs read. Immutable; the control thread hands
// the record thread a new one whenever a configuration brings new names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"

namespace sy::record {

struct Names {
    std::vector<std::string> customers;  // by id, removed ones too: late records still name them
    std::vector<std::string> suppliers;
    std::vector<std::string> networks;  // mccmnc

    [[nodiscard]] std::string_view customer(CustomerId id) const { return of(customers, id.value); }
    [[nodiscard]] std::string_view supplier(SupplierId id) const { return of(suppliers, id.value); }
    [[nodiscard]] std::string_view network(NetworkId id) const { return of(networks, id.value); }

  private:
    static std::string_view of(const std::vector<std::string>& names, uint16_t index) {
        return index < names.size() ? std::string_view(names[index]) : std::string_view();
    }
};

}  // namespace sy::record
