// Data plane: the slots of suppliers and networks, and who explores.
#include "core/base/assert.h"
#include "core/base/prng.h"
#include "core/route/quality.h"

namespace sy::route {

QualityPairs::Found QualityPairs::find(SupplierId supplier, NetworkId network) const {
    SY_DCHECK(supplier.value < limits::suppliers_max);
    if (!network.valid()) {
        return {supplier.value, value(supplier.value)};
    }
    const uint64_t key = key_of(supplier, network);
    for (uint64_t i = mix64(key) & mask_;; i = (i + 1) & mask_) {
        const auto slot = static_cast<uint32_t>(limits::suppliers_max + i);
        // Relaxed: key and value are one word, and nothing else is reached through them.
        const uint64_t word = slots_[slot].load(std::memory_order_relaxed);
        if (word >> 32 == key) {
            return {slot, static_cast<uint32_t>(word)};
        }
        if (word == 0) {
            return {};
        }
    }
}

uint32_t QualityPairs::claim(SupplierId supplier, NetworkId network) {
    SY_DCHECK(supplier.value < limits::suppliers_max);
    if (!network.valid()) {
        return supplier.value;
    }
    const uint64_t key = key_of(supplier, network);
    for (uint64_t i = mix64(key) & mask_;; i = (i + 1) & mask_) {
        const auto slot = static_cast<uint32_t>(limits::suppliers_max + i);
        const uint64_t word = slots_[slot].load(std::memory_order_relaxed);
        if (word >> 32 == key) {
            return slot;
        }
        if (word == 0) {
            if (room_ == 0) {
                return supplier.value;
            }
            --room_;
            slots_[slot].store(key << 32, std::memory_order_relaxed);
            return slot;
        }
    }
}

bool QualityBoard::explores(uint64_t spread) const {
    // Not the hash that spreads by weight: that one is asked of these messages next.
    constexpr uint64_t salt = 0x51'7C'C1'B7'27'22'0A'95;
    const uint64_t every = explore_every_.load(std::memory_order_relaxed);
    return every != 0 && mix64(spread ^ salt) % every == 0;
}

}  // namespace sy::route
