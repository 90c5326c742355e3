// The first step of a search that every message makes, in one segment of a PrefixIndex: by a
// number's first three digits, the node of its longest prefix where that is the same for all
// numbers that begin so. Rules for whole countries or for all, as most screening rules are, need
// no second step. 16 KiB, of which a router's countries touch few lines. Built by the control
// thread, then immutable; any worker asks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/route/prefix_index.h"

namespace sy::route {

class FirstDigits {
  public:
    /// Longer prefixes tell: the index has to be asked.
    static constexpr uint32_t ask = PrefixIndex::none - 1;

    /// No prefix: PrefixIndex::none for every number.
    FirstDigits() : nodes_(size, PrefixIndex::none) {}
    /// `entries`: of the index, all of them.
    FirstDigits(const PrefixIndex& index,
                std::span<const PrefixIndex::Entry> entries,
                uint32_t segment);

    /// The node, none or ask. `key`: number_key().
    [[nodiscard]] uint32_t operator[](uint64_t key) const { return nodes_[key >> shift]; }
    [[nodiscard]] size_t bytes() const { return nodes_.size() * sizeof nodes_[0]; }

  private:
    static constexpr uint32_t digits = 3;
    static constexpr uint32_t shift = 4 * (key_digits - digits);
    static constexpr size_t size = size_t{1} << (4 * digits);

    std::vector<uint32_t> nodes_;
};

}  // namespace sy::route
