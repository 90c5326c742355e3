// The two clocks. The only place of the router that reads the time.
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

/// The clocks for a worker's turns. The monotonic one is read every time; the wall clock is carried
/// along with it and read again each millisecond: a clock that is slewed at the usual 500 ppm is
/// half a microsecond off until then, one that is set is wrong for a millisecond. One thread.
class TurnClock {
  public:
    [[nodiscard]] Now read() {
        const Nanos mono = read_clock(CLOCK_MONOTONIC);
        if (mono - read_ns_ >= millisecond_ns) [[unlikely]] {
            read_ns_ = mono;
            offset_ns_ = read_clock(CLOCK_REALTIME) - mono;
        }
        return {mono, mono + offset_ns_};
    }

  private:
    Nanos read_ns_ = 0;
    Nanos offset_ns_ = 0;  // wall less monotonic, modulo 2^64
};

}  // namespace sy::daemon
