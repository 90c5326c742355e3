// Longest prefix of a number to a small class number, at carrier scale: tens of millions of
// prefixes that are answered by few classes. Built by the control thread (in parallel), then
// immutable; any worker looks up bursts. Shared between snapshots while its rows do not change.
//
// Rows that say what the shorter prefix around them says already cost nothing; an isolated full
// number among others costs about 8 bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/route/interval_index.h"
#include "core/route/number_key.h"

namespace sy::route {

/// A prefix with its class; `line` is the caller's.
struct PrefixRow {
    uint64_t first = 0;  // prefix_range(digits).first
    uint32_t line = 0;
    uint16_t answer = 0;
    uint8_t digits = 0;  // 0 to 15

    [[nodiscard]] KeyRange range() const {
        const unsigned bits = 4 * (key_digits - digits);
        return {first, bits == 64 ? ~uint64_t{0} : first | ((uint64_t{1} << bits) - 1)};
    }
    [[nodiscard]] bool same_prefix(const PrefixRow& other) const {
        return first == other.first && digits == other.digits;
    }
};
static_assert(sizeof(PrefixRow) == 16);

/// REQUIRES: is_key_digits(digits).
[[nodiscard]] inline PrefixRow prefix_row(std::string_view digits, uint16_t answer, uint32_t line) {
    return {prefix_range(digits).first, line, answer, static_cast<uint8_t>(digits.size())};
}

/// Into the order that ClassIndex takes, equal prefixes by line.
void sort_rows(std::vector<PrefixRow>& rows);

class ClassIndex {
  public:
    static constexpr uint16_t none = 0xFFFF;  // no prefix: no row may answer it
    static constexpr size_t keys_max = IntervalIndex<uint16_t>::keys_max;

    ClassIndex() : ClassIndex(std::vector<PrefixRow>{}) {}
    /// REQUIRES: sort_rows() order, no prefix twice.
    explicit ClassIndex(std::vector<PrefixRow> rows);

    /// The class of the longest prefix for each key, or none. REQUIRES: as many answers as keys, at
    /// most keys_max.
    void find(std::span<const uint64_t> keys,
              std::span<uint16_t> answers,
              IndexVariant variant = best_index_variant) const {
        index_.find(keys, answers, variant);
    }

    [[nodiscard]] size_t bytes() const { return index_.bytes(); }
    [[nodiscard]] size_t directory_bytes() const { return index_.directory_bytes(); }
    [[nodiscard]] uint32_t levels() const { return index_.levels_max(); }

  private:
    IntervalIndex<uint16_t> index_;
};

}  // namespace sy::route
