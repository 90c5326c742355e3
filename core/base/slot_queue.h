// A ring of slot numbers in which each slot stands at most once (its owner keeps a flag), so that
// room for every slot is room enough: it never grows and never overflows. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/assert.h"

namespace sy {

class SlotQueue {
  public:
    explicit SlotQueue(uint32_t slots) : slots_(slots) {}

    /// REQUIRES: `slot` does not stand in the queue.
    void push(uint32_t slot) {
        SY_DCHECK(count_ < slots_.size());
        const size_t at = size_t{head_} + count_;
        slots_[at < slots_.size() ? at : at - slots_.size()] = slot;
        ++count_;
    }
    /// REQUIRES: not empty.
    uint32_t pop() {
        SY_DCHECK(count_ > 0);
        const uint32_t slot = slots_[head_];
        head_ = head_ + 1 < slots_.size() ? head_ + 1 : 0;
        --count_;
        return slot;
    }
    [[nodiscard]] uint32_t size() const { return count_; }
    /// What pop() gives after `ahead` others. REQUIRES: ahead < size().
    [[nodiscard]] uint32_t peek(uint32_t ahead) const {
        SY_DCHECK(ahead < count_);
        const size_t at = size_t{head_} + ahead;
        return slots_[at < slots_.size() ? at : at - slots_.size()];
    }

  private:
    std::vector<uint32_t> slots_;
    uint32_t head_ = 0;
    uint32_t count_ = 0;
};

}  // namespace sy
