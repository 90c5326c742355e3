// Data plane: where the prices of a burst stand.
#include <array>

#include "core/base/assert.h"
#include "core/route/price_table.h"

namespace sy::route {

void PriceTable::locate(std::span<const uint64_t> keys,
                        std::span<const NetworkId> networks,
                        std::span<Place> places) const {
    SY_ASSERT(keys.size() <= keys_max);
    SY_ASSERT(networks.size() == keys.size() && places.size() == keys.size());
    if (empty()) {
        for (Place& place : places) {
            place = {};
        }
        return;
    }
    std::array<uint32_t, keys_max> rows;
    index_.find(keys, {rows.data(), keys.size()});
    for (size_t i = 0; i < keys.size(); ++i) {
        const size_t network = networks[i].value;
        places[i].by_prefix = rows[i];
        places[i].by_network = network < row_of_network_.size() ? row_of_network_[network] : 0;
        __builtin_prefetch(&blocks_of_rows_[size_t{rows[i]} * row_blocks_]);
    }
}

}  // namespace sy::route
