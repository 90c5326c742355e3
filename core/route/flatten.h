// Nested ranges of keys into the boundaries of disjoint intervals, each answered by the innermost
// range around it. Control plane only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/assert.h"
#include "core/route/number_key.h"

namespace sy::route {

inline constexpr size_t no_parent = ~size_t{0};

/// A start of an interval: the later word on the same key counts, equal neighbours are one.
template <class Boundary>
void add_boundary(std::vector<Boundary>& boundaries, size_t begin, const Boundary& next) {
    if (boundaries.size() > begin && boundaries.back().start == next.start) {
        boundaries.pop_back();
    }
    if (boundaries.size() == begin || boundaries.back().answer != next.answer) {
        boundaries.push_back(next);
    }
}

/// Calls add(start, answer) for every boundary of ranges [begin, end), the first one at key 0, as
/// add_boundary() takes them. `range_of(i)` is range i; `answer_of(i, parent)` is asked once a
/// range, in order, with the index of the innermost range around it (or no_parent); range i is not
/// asked for behind that. REQUIRES: ranges nest or are disjoint, none twice, sorted by first key,
/// then by last key descending.
template <class Answer, class RangeOf, class AnswerOf, class Add>
void flatten(size_t begin,
             size_t end,
             Answer outside,
             const RangeOf& range_of,
             const AnswerOf& answer_of,
             const Add& add) {
    struct Open {
        size_t index;
        uint64_t last;
        Answer answer;
    };
    std::vector<Open> open;  // around the current key, outermost first
    const auto close = [&] {
        const uint64_t last = open.back().last;
        open.pop_back();
        if (last != ~uint64_t{0}) {
            add(last + 1, open.empty() ? outside : open.back().answer);
        }
    };
    add(uint64_t{0}, outside);
    for (size_t i = begin; i < end; ++i) {
        const KeyRange range = range_of(i);
        while (!open.empty() && open.back().last < range.first) {
            close();
        }
        SY_ASSERT(open.empty() || range.last <= open.back().last);
        const Answer answer = answer_of(i, open.empty() ? no_parent : open.back().index);
        add(range.first, answer);
        open.push_back({i, range.last, answer});
    }
    while (!open.empty()) {
        close();
    }
}

/// For flatten() to add to: boundaries one behind the other, behind what is there.
template <class Boundary>
auto appended_to(std::vector<Boundary>& boundaries) {
    return [&boundaries, first = boundaries.size()](uint64_t start, auto answer) {
        add_boundary(boundaries, first, Boundary{start, answer});
    };
}

}  // namespace sy::route
