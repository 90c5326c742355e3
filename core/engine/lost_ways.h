// What a worker remembers of submits whose response did not come, for as long as it may still come:
// a ring, the oldest go first. Used by one worker; allocates in its constructor only.
#pragma once

#include <cstdint>
#include <memory>

#include "core/base/ids.h"
#include "core/engine/message.h"

namespace sy::engine {

class LostWays {
  public:
    struct Lost {
        ReceiptWay way;
        ReceiptKey key;              // under which the owner keeps the way; of the destination
        bool wants_receipt = false;  // of the supplier: there is such a way
        bool was_resent = false;     // it went to another target since
        SupplierId supplier;
        uint32_t rule_line = 0;
        Nanos accepted_ns = 0;  // monotonic
        Nanos sent_ns = 0;      // likewise
    };

    explicit LostWays(uint32_t capacity)
        : capacity_(capacity), lost_(std::make_unique<Lost[]>(capacity)) {}

    /// Never 0.
    [[nodiscard]] uint64_t add(const Lost& lost) {
        lost_[count_ % capacity_] = lost;
        return ++count_;
    }
    /// Null when newer ones took its place.
    [[nodiscard]] const Lost* find(uint64_t ticket) const {
        const bool is_here = ticket != 0 && ticket <= count_ && count_ - ticket < capacity_;
        return is_here ? &lost_[(ticket - 1) % capacity_] : nullptr;
    }

  private:
    uint32_t capacity_;
    uint64_t count_ = 0;
    std::unique_ptr<Lost[]> lost_;
};

}  // namespace sy::engine
