// Data plane: whether a `when` holds at an instant, by arithmetic on the offsets of its zones.
#include <algorithm>
#include <limits>

#include "core/base/assert.h"
#include "core/route/when.h"

namespace sy::route {
namespace {

// 1970-01-01 was a Thursday.
constexpr int64_t epoch_week_second = 3 * day_seconds;

struct Answer {
    bool holds = false;
    int64_t until_s = std::numeric_limits<int64_t>::max();
};

int64_t week_second_of(int64_t local_s) {
    const int64_t second = (local_s + epoch_week_second) % week_seconds;
    return second < 0 ? second + week_seconds : second;
}

// Seconds from `at` until the week's spans change, at most a week.
int64_t seconds_to_change(const std::vector<WeekSpan>& spans,
                          std::vector<WeekSpan>::const_iterator next,
                          bool holds,
                          int64_t at) {
    if (holds) {
        return next->end_s - at;
    }
    return next != spans.end() ? next->begin_s - at : spans.front().begin_s + week_seconds - at;
}

Answer answer_of(const When::Part& part, int64_t now_s) {
    const auto& offsets = part.zone->offsets;
    SY_DCHECK(!offsets.empty() && !part.spans.empty());
    const auto next_offset = std::upper_bound(
        offsets.begin(), offsets.end(), now_s,
        [](int64_t second, const ZoneOffset& offset) { return second < offset.from_s; });
    const int32_t offset_s =
        next_offset == offsets.begin() ? offsets.front().offset_s : (next_offset - 1)->offset_s;
    const int64_t at = week_second_of(now_s + offset_s);
    const auto span =
        std::upper_bound(part.spans.begin(), part.spans.end(), at,
                         [](int64_t second, const WeekSpan& each) { return second < each.end_s; });
    Answer answer;
    answer.holds = span != part.spans.end() && span->begin_s <= at;
    answer.until_s = now_s + seconds_to_change(part.spans, span, answer.holds, at);
    if (next_offset != offsets.end()) {
        answer.until_s = std::min(answer.until_s, next_offset->from_s);
    }
    return answer;
}

}  // namespace

WhenState evaluate(const When& when, Nanos wall_ns) {
    const auto now_s = static_cast<int64_t>(wall_ns / second_ns);
    Answer answer;
    for (const When::Part& part : when.parts) {
        const Answer one = answer_of(part, now_s);
        answer.holds |= one.holds;
        answer.until_s = std::min(answer.until_s, one.until_s);
    }
    constexpr auto last_s = static_cast<int64_t>(std::numeric_limits<Nanos>::max() / second_ns);
    return {wall_ns, static_cast<Nanos>(std::min(answer.until_s, last_s)) * second_ns,
            answer.holds};
}

}  // namespace sy::route
