// A function of 64-bit keys that is constant on intervals, for many tables ("segments") in one:
// longest prefix match once the prefixes are flattened. Built once by the control thread, then
// immutable; any worker looks up bursts.
//
// A search tree of single cache lines: a tree of whole keys, 9 children a line, over one level of
// directory lines with up to 30 children, over lines that hold the answers, of which a lookup
// touches one (LIMITS: what won). Small segments, and those whose numbers are so far apart that a
// directory line would lead to few, have no directory. A burst goes down level by level, so that
// its cache misses overlap. Answers are small numbers (16 or 32 bits) that the caller gives a
// meaning.
//
// Limits: 2^26 lines (4 GiB), 128 keys a call.
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
struct IntervalTree;
template <class Answer>
class IntervalStream;

/// How lines are searched: the best that this CPU has, chosen at start. AVX2 is part of the lowest
/// CPU that the binaries run on (meson.build); a build for less searches as the scalar one does.
enum class IndexVariant : uint8_t { scalar, avx2, avx512 };
extern const IndexVariant best_index_variant;
/// All that this CPU has.
[[nodiscard]] std::span<const IndexVariant> index_variants();

template <class Answer>
class IntervalIndex {
    static_assert(sizeof(Answer) == 2 || sizeof(Answer) == 4);

  public:
    static constexpr size_t keys_max = 4 * limits::burst;
    // The starts of so many make a tree of 4 layers, 50 KiB. A directory line in place of the last
    // layer costs more than it.
    static constexpr size_t usual_direct_lines_max = 5'832;
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
    /// A segment with at most `direct_lines_max` lines with answers has no directory (tests ask for
    /// one sooner). REQUIRES: every segment has a boundary; its first starts at 0, the others
    /// ascend strictly up to start_max.
    IntervalIndex(std::span<const Boundary> boundaries,
                  std::span<const uint32_t> segment_begins,
                  size_t direct_lines_max = usual_direct_lines_max);
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
    [[nodiscard]] size_t bytes() const { return line_count_ * limits::cache_line_bytes; }
    [[nodiscard]] size_t directory_bytes() const { return leaf_begin_ * limits::cache_line_bytes; }
    /// Lines on the way to an answer, the one that has it not counted.
    [[nodiscard]] uint32_t levels_max() const { return levels_max_; }

    // Of a segment: where its search begins (interval_line.h).
    struct Root {
        uint32_t tree = 0;    // the first node of its tree of starts
        uint32_t bottom = 0;  // how many of its nodes stand before the last layer
        uint32_t line = 0;    // the first of its top lines
        uint8_t layers = 0;   // of the tree
        uint8_t levels = 0;   // directory lines on the way to an answer: 0 or 1
    };

  private:
    friend class IntervalStream<Answer>;
    void take(std::vector<IntervalTree>& trees);
    [[nodiscard]] const IndexLine* lines() const {
        return static_cast<const IndexLine*>(block_.data());
    }

    HugeBlock block_;
    std::vector<Root> roots_;  // of segments
    size_t line_count_ = 0;    // nodes of trees of starts too
    size_t leaf_begin_ = 0;    // trees of starts and directory lines stand before the others
    uint32_t levels_max_ = 0;
};

extern template class IntervalIndex<uint16_t>;
extern template class IntervalIndex<uint32_t>;

}  // namespace sy::route
