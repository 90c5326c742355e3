// The two clocks, read together. The only place of the router that reads the time.
#pragma once

#include <ctime>

#include "core/base/time.h"

namespace sy::daemon {

[[nodiscard]] inline Nanos read_clock(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return static_cast<Nanos>(t.tv_sec) * second_ns + static_cast<Nanos>(t.tv_nsec);
}

[[nodiscard]] inline Now read_clocks() {
    return {read_clock(CLOCK_MONOTONIC), read_clock(CLOCK_REALTIME)};
}

}  // namespace sy::daemon
