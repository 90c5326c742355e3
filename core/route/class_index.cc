// Control plane: rows into a ClassIndex.
#include "core/route/class_index.h"

#include <algorithm>
#include <tuple>

#include <tbb/parallel_for.h>
#include <tbb/parallel_sort.h>

#include "core/base/assert.h"
#include "core/base/release.h"
#include "core/route/flatten.h"

namespace sy::route {

namespace {

bool before(const PrefixRow& a, const PrefixRow& b) {
    return std::tie(a.first, a.digits, a.line) < std::tie(b.first, b.digits, b.line);
}

std::vector<IntervalIndex<uint16_t>::Boundary> boundaries_of(std::vector<PrefixRow> rows) {
    std::vector<IntervalIndex<uint16_t>::Boundary> boundaries;
    // As many as there can be: what stays unused is never touched, growing would need both copies.
    boundaries.reserve(rows.size() * 2 + 1);
    flatten(
        0, rows.size(), ClassIndex::none, [&](size_t i) { return rows[i].range(); },
        [&](size_t i, size_t) { return rows[i].answer; }, boundaries);
    release(rows);  // before the lines are written
    return boundaries;
}

}  // namespace

void sort_rows(std::vector<PrefixRow>& rows) {
    if (!std::is_sorted(rows.begin(), rows.end(), before)) {
        tbb::parallel_sort(rows.begin(), rows.end(), before);
    }
}

ClassIndex::ClassIndex(std::vector<PrefixRow> rows) : index_(boundaries_of(std::move(rows))) {}

}  // namespace sy::route
