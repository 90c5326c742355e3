// Which expressions matched one text. One writer; made large enough by the control thread, then
// nothing here allocates.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/assert.h"

namespace sy::match {

class MatchSet {
  public:
    /// Room for expressions 0 to count - 1; never less than before.
    void reserve(uint32_t count) {
        if (count > capacity_) {
            bits_.assign((size_t{count} + 63) / 64, 0);
            hits_ = std::make_unique<uint32_t[]>(count);
            capacity_ = count;
            count_ = 0;
        }
    }
    [[nodiscard]] uint32_t capacity() const { return capacity_; }

    /// Costs as much as there is to clear, not as much as there could be.
    void clear() {
        for (const uint32_t expression : hits()) {
            bits_[expression / 64] = 0;
        }
        count_ = 0;
    }
    /// REQUIRES: expression < capacity().
    void add(uint32_t expression) {
        SY_DCHECK(expression < capacity_);
        uint64_t& word = bits_[expression / 64];
        const uint64_t bit = uint64_t{1} << (expression % 64);
        if ((word & bit) == 0) {
            word |= bit;
            hits_[count_++] = expression;
        }
    }
    [[nodiscard]] bool contains(uint32_t expression) const {
        SY_DCHECK(expression < capacity_);
        return ((bits_[expression / 64] >> (expression % 64)) & 1) != 0;
    }
    /// In the order of their first matches.
    [[nodiscard]] std::span<const uint32_t> hits() const { return {hits_.get(), count_}; }

  private:
    std::vector<uint64_t> bits_;
    std::unique_ptr<uint32_t[]> hits_;
    uint32_t capacity_ = 0;
    uint32_t count_ = 0;
};

}  // namespace sy::match
