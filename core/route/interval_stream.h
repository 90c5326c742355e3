// An IntervalIndex of one segment whose boundaries come one by one and are never all in memory: a
// table of 10 million prefixes has up to 320 MB of them, their lines 60. Control plane only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/route/interval_index.h"

namespace sy::route {

template <class Answer>
class IntervalStream {
  public:
    using Index = IntervalIndex<Answer>;
    using Boundary = typename Index::Boundary;
    // 16 MB of them at a time, written to lines by up to 16 cores.
    static constexpr size_t usual_batch = size_t{1} << 20;

    /// Boundaries are written `batch` at a time, `direct_lines_max` is the index's (tests ask for
    /// less of both).
    explicit IntervalStream(size_t batch = usual_batch,
                            size_t direct_lines_max = Index::usual_direct_lines_max);
    ~IntervalStream();

    /// As add_boundary() does (flatten.h). REQUIRES: the first one starts at 0, starts do not
    /// descend, none above Index::start_max.
    void add(const Boundary& next);
    /// REQUIRES: a boundary was added. Nothing may be added behind it.
    [[nodiscard]] Index finish() &&;

  private:
    struct Written;

    void write(size_t count);

    size_t batch_;
    size_t direct_lines_max_;
    // The last written one first, if any, for what the next line has to know of it.
    std::vector<Boundary> boundaries_;
    size_t written_ = 0;  // 0 or 1: how many of these
    std::unique_ptr<Written> lines_;
};

extern template class IntervalStream<uint16_t>;

}  // namespace sy::route
