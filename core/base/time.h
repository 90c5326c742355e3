// Time is an argument: the driver reads both clocks once a turn and hands this to everything below.
#pragma once

#include <cstdint>

namespace sy {

using Nanos = uint64_t;  // duration or monotonic instant, nanoseconds

inline constexpr Nanos microsecond_ns = 1'000;
inline constexpr Nanos millisecond_ns = 1'000'000;
inline constexpr Nanos second_ns = 1'000'000'000;

/// One reading of the clocks. `mono_ns` never steps and drives every timer; `wall_ns` is UTC since
/// 1970 and is used for what is shown to people and peers (validity_period, receipt dates, ids).
struct Now {
    Nanos mono_ns = 0;
    Nanos wall_ns = 0;
};

}  // namespace sy
