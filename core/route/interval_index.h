// A function of 64-bit keys that is constant on intervals, for many tables ("segments") in one:
// longest prefix match once the prefixes are flattened. Built once by the control thread, then
// immutable; any worker looks up bursts.
//
// A search tree of single cache lines: a directory of up to 30 children a line, that stays in the
// caches, over lines that hold the answers, of which a lookup touches one. Above it a short sorted
// array. A burst goes down level
// by level, so that its cache misses overlap. Answers are small numbers (16 or 32 bits) that the
// caller gives a meaning.
//
// Limits: 2^24 lines (1 GiB), 128 keys a call.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/huge_block.h"
#include "core/base/limits.h"

namespace sy::route {

struct IndexLine;

/// How lines are searched. AVX2 is part of the lowest CPU that the binaries run on (meson.build),
/// so there is nothing to choose at start; a build for less has the scalar one alone.
enum class IndexVariant : uint8_t { scalar, avx2 };
#if defined(__AVX2__)
inline constexpr IndexVariant best_index_variant = IndexVariant::avx2;
#else
inline constexpr IndexVariant best_index_variant = IndexVariant::scalar;
#endif

template <class Answer>
class IntervalIndex {
    static_assert(sizeof(Answer) == 2 || sizeof(Answer) == 4);

  public:
    static constexpr size_t keys_max = 4 * limits::burst;
    // Of a boundary; any key can be asked for.
    static constexpr uint64_t start_max = ~uint64_t{0} - 2;

    /// From `start` on, up to the next boundary, the answer is this one.
    struct Boundary {
        uint64_t start = 0;
        Answer answer = 0;
    };
    // No initial values: a burst has an array of them on the stack.
    struct Probe {
        uint64_t key;
        uint32_t segment;
    };

    IntervalIndex() = default;  // no segment: nothing can be asked
    /// Segment i is boundaries[segment_begins[i]] up to the next segment's begin or the end.
    /// REQUIRES: every segment has a boundary; its first starts at 0, the others
    /// ascend strictly up to start_max.
    IntervalIndex(std::span<const Boundary> boundaries, std::span<const uint32_t> segment_begins);
    /// One segment.
    explicit IntervalIndex(std::span<const Boundary> boundaries)
        : IntervalIndex(boundaries, std::array<uint32_t, 1>{0}) {}

    /// REQUIRES: as many answers as keys, at most keys_max.
    void find(std::span<const uint64_t> keys,
              std::span<Answer> answers,
              IndexVariant variant = best_index_variant) const;
    void find(std::span<const Probe> probes,
              std::span<Answer> answers,
              IndexVariant variant = best_index_variant) const;

    [[nodiscard]] size_t segment_count() const { return roots_.size(); }
    /// Lines, directory and answers; `directory_bytes` alone, the part to keep in the caches.
    [[nodiscard]] size_t bytes() const {
        return line_count_ * limits::cache_line_bytes + starts_.size() * sizeof(uint64_t);
    }
    [[nodiscard]] size_t directory_bytes() const {
        return leaf_begin_ * limits::cache_line_bytes + starts_.size() * sizeof(uint64_t);
    }
    [[nodiscard]] uint32_t levels_max() const { return levels_max_; }

    // Of a segment: where its search begins. The starts of its top lines are a power of two, the
    // surplus ones never reached.
    struct Root {
        uint32_t starts_begin = 0;
        uint32_t starts_half = 0;
        uint32_t line = 0;    // the first of its top lines
        uint32_t levels = 0;  // directory lines on the way to an answer
    };
    struct Walk;  // interval_find.cc: a burst on its way down

  private:
    [[nodiscard]] const IndexLine* lines() const {
        return static_cast<const IndexLine*>(block_.data());
    }

    HugeBlock block_;
    std::vector<Root> roots_;       // of segments
    std::vector<uint64_t> starts_;  // of the top lines of all segments
    size_t line_count_ = 0;
    size_t leaf_begin_ = 0;  // directory lines stand before the others
    uint32_t levels_max_ = 0;
};

extern template class IntervalIndex<uint16_t>;
extern template class IntervalIndex<uint32_t>;

}  // namespace sy::route
