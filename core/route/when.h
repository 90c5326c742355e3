// `when` of a rule: windows of the local week in which it holds. Built by the control thread with
// the offsets of its time zones, then immutable; asked by workers, which remember the answer until
// the instant at which it can change, so that a message costs one comparison: no time zone is
// looked up and nothing is allocated.
//
// A window holds at an instant if the local wall clock shows a time inside it: an hour that the
// clock skips in spring is not there, one that it shows twice in autumn counts twice.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"

namespace sy::route {

using WhenId = Id<struct WhenTag, uint16_t>;

inline constexpr int64_t day_seconds = 24 * 3600;
inline constexpr int64_t week_seconds = 7 * day_seconds;

// What to add to UTC, from an instant on until the next entry's.
struct ZoneOffset {
    int64_t from_s = 0;  // UTC seconds since 1970
    int32_t offset_s = 0;
};

struct Zone {
    std::string name;                 // "Europe/London"
    std::vector<ZoneOffset> offsets;  // ascending, at least one; the first counts before it too
};

// From `begin_s` up to, not including, `end_s`; seconds since Monday 00:00 of the local week.
struct WeekSpan {
    int32_t begin_s = 0;
    int32_t end_s = 0;

    friend bool operator==(const WeekSpan&, const WeekSpan&) = default;
};

// One distinct `when`. Rules with the same share it.
struct When {
    struct Part {
        std::shared_ptr<const Zone> zone;
        std::vector<WeekSpan> spans;  // ascending, apart from each other
    };
    std::string text;         // as the table has it, for people
    std::vector<Part> parts;  // holds if any of them does
};

/// What a worker remembers of one `when`.
struct WhenState {
    Nanos from_ns = 1;  // the answer counts from here
    Nanos until_ns = 0;
    bool holds = false;
};

/// Data plane: the answer at `wall_ns`, and until when it stays.
[[nodiscard]] WhenState evaluate(const When& when, Nanos wall_ns);

[[nodiscard]] inline bool holds_at(const When& when, Nanos wall_ns, WhenState& state) {
    if (wall_ns < state.from_ns || wall_ns >= state.until_ns) [[unlikely]] {
        state = evaluate(when, wall_ns);
    }
    return state.holds;
}

}  // namespace sy::route
