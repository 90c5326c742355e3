// Finds a connection's index by the hash of its four-tuple: open addressing with linear probing
// over slots of eight octets {hash, index}, at most half full, no tombstones (deletion shifts
// back). The keys themselves stay with the connections: the caller compares them in find(). Several
// entries may have the same hash. All memory is taken by the constructor. One thread.
#pragma once

#include <bit>
#include <cstdint>

#include "core/base/assert.h"
#include "io/tcpip/page_array.h"

namespace sy::tcpip {

class FlowTable {
  public:
    static constexpr uint32_t none = 0xFFFFFFFF;
    static constexpr uint32_t flows_limit = 1U << 30;

    explicit FlowTable(uint32_t flows_max) : flows_max_(flows_max), slots_(slots_for(flows_max)) {
        mask_ = static_cast<uint32_t>(slots_.size() - 1);
        for (uint32_t i = 0; i <= mask_; ++i) {
            slots_[i].index = none;
        }
    }

    /// Brings the slot into the cache; worth it some lookups ahead.
    void prefetch(uint32_t hash) const { __builtin_prefetch(slots_.data() + (hash & mask_)); }

    /// The index among those inserted under `hash` for which same(index) is true, or none.
    template <class Same>
    [[nodiscard]] uint32_t find(uint32_t hash, Same&& same) const {
        const Slot* slots = slots_.data();
        for (uint32_t at = hash & mask_;; at = (at + 1) & mask_) {
            const Slot slot = slots[at];
            if (slot.hash == hash && slot.index != none && same(slot.index)) [[likely]] {
                return slot.index;
            }
            if (slot.index == none) {
                return none;
            }
        }
    }

    /// REQUIRES: size() < flows_max, index is not none, and the pair is not there yet.
    void insert(uint32_t hash, uint32_t index) {
        SY_ASSERT(size_ < flows_max_);  // half of the slots stay empty: every probe ends
        SY_DCHECK(index != none);
        uint32_t at = hash & mask_;
        while (slots_[at].index != none) {
            at = (at + 1) & mask_;
        }
        slots_[at] = {hash, index};
        ++size_;
    }

    /// False: the pair is not there.
    bool erase(uint32_t hash, uint32_t index) {
        uint32_t hole = hash & mask_;
        while (slots_[hole].index != index || slots_[hole].hash != hash) {
            if (slots_[hole].index == none) {
                return false;
            }
            hole = (hole + 1) & mask_;
        }
        close(hole);
        --size_;
        return true;
    }

    [[nodiscard]] uint32_t size() const { return size_; }
    [[nodiscard]] uint32_t flows_max() const { return flows_max_; }
    [[nodiscard]] size_t memory_bytes() const { return slots_.memory_bytes(); }

  private:
    struct Slot {
        uint32_t hash;
        uint32_t index;
    };
    static_assert(sizeof(Slot) == 8);

    static size_t slots_for(uint32_t flows_max) {
        SY_ASSERT(flows_max <= flows_limit);
        return std::bit_ceil(size_t{2} * flows_max + 2);
    }

    // Pulls back every later entry of the run that may stand in the hole, i.e. whose own place is
    // not behind it.
    void close(uint32_t hole) {
        for (uint32_t at = (hole + 1) & mask_; slots_[at].index != none; at = (at + 1) & mask_) {
            const uint32_t from_home = (at - slots_[at].hash) & mask_;
            if (from_home >= ((at - hole) & mask_)) {
                slots_[hole] = slots_[at];
                hole = at;
            }
        }
        slots_[hole].index = none;
    }

    uint32_t flows_max_;
    uint32_t mask_ = 0;
    uint32_t size_ = 0;
    PageArray<Slot> slots_;
};

}  // namespace sy::tcpip
