// Strong index types. An id is a dense 0-based slot that stays the same for a name until the
// process ends, across reloads (route/registry.h hands them out), so per-worker arrays are indexed
// by it.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace sy {

template <class Tag, class Rep>
struct Id {
    Rep value = none_value;

    static constexpr Rep none_value = static_cast<Rep>(-1);
    static constexpr Id none() { return Id{}; }
    [[nodiscard]] constexpr bool valid() const { return value != none_value; }
    friend constexpr auto operator<=>(Id, Id) = default;
};

using CustomerId = Id<struct CustomerTag, uint16_t>;
using SupplierId = Id<struct SupplierTag, uint16_t>;
using PlanId = Id<struct PlanTag, uint16_t>;
using NetworkId = Id<struct NetworkTag, uint16_t>;
using WorkerId = Id<struct WorkerTag, uint8_t>;

}  // namespace sy

template <class Tag, class Rep>
struct std::hash<sy::Id<Tag, Rep>> {
    size_t operator()(sy::Id<Tag, Rep> id) const noexcept { return std::hash<Rep>{}(id.value); }
};
