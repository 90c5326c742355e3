// Control plane: rows into a ClassIndex.
#include "core/route/class_index.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <tbb/parallel_sort.h>

#include "core/base/assert.h"
#include "core/base/release.h"
#include "core/route/flatten.h"
#include "core/route/interval_stream.h"

namespace sy::route {

namespace {

bool before(const PrefixRow& a, const PrefixRow& b) {
    return std::tie(a.first, a.digits, a.line) < std::tie(b.first, b.digits, b.line);
}

// Rows go as their lines are written: of 10 million, 160 MB and never all their boundaries beside
// them.
IntervalIndex<uint16_t> index_of(std::vector<PrefixRow> rows) {
    constexpr size_t step = 1 << 16;
    IntervalStream<uint16_t> stream;
    flatten(
        0, rows.size(), ClassIndex::none, [&](size_t i) { return rows[i].range(); },
        [&](size_t i, size_t) {
            const uint16_t answer = rows[i].answer;
            if (i % step == step - 1) {
                return_pages(&rows[i + 1 - step], step * sizeof(PrefixRow));
            }
            return answer;
        },
        [&](uint64_t start, uint16_t answer) { stream.add({start, answer}); });
    release(rows);
    return std::move(stream).finish();
}

}  // namespace

void sort_rows(std::vector<PrefixRow>& rows) {
    if (!std::is_sorted(rows.begin(), rows.end(), before)) {
        tbb::parallel_sort(rows.begin(), rows.end(), before);
    }
}

ClassIndex::ClassIndex(std::vector<PrefixRow> rows) : index_(index_of(std::move(rows))) {}

}  // namespace sy::route
