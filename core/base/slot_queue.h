// A ring of slot numbers in which each slot stands at most once (its owner keeps a flag), so that
// room for every slot is room enough: it never grows and never overflows. One thread.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "core/base/assert.h"

namespace sy {

class SlotQueue {
  public:
    explicit SlotQueue(uint32_t slots)
        : slots_(std::bit_ceil(std::max(slots, uint32_t{1}))),
          mask_(static_cast<uint32_t>(slots_.size() - 1)) {}

    /// REQUIRES: `slot` does not stand in the queue.
    void push(uint32_t slot) {
        SY_DCHECK(count_ < slots_.size());
        slots_[(head_ + count_) & mask_] = slot;
        ++count_;
    }
    /// REQUIRES: not empty.
    uint32_t pop() {
        SY_DCHECK(count_ > 0);
        const uint32_t slot = slots_[head_ & mask_];
        ++head_;
        --count_;
        return slot;
    }
    [[nodiscard]] uint32_t size() const { return count_; }
    /// What pop() gives after `ahead` others. REQUIRES: ahead < size().
    [[nodiscard]] uint32_t peek(uint32_t ahead) const {
        SY_DCHECK(ahead < count_);
        return slots_[(head_ + ahead) & mask_];
    }

  private:
    std::vector<uint32_t> slots_;  // a power of two
    uint32_t mask_;
    uint32_t head_ = 0;  // counts on, modulo 2^32
    uint32_t count_ = 0;
};

}  // namespace sy
