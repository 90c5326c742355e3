// When a message that was taken to store and forward is tried again, by why nobody took it. Plain
// data; any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/base/time.h"

namespace sy::route {

struct RetrySchedule {
    // Waits after the first, second ... round over all targets; the last one repeats. Never empty.
    std::vector<Nanos> next{10 * second_ns, 60 * second_ns, 300 * second_ns, 900 * second_ns,
                            3600 * second_ns};  // refused
    std::vector<Nanos> pause{2 * second_ns, 5 * second_ns, 15 * second_ns, 30 * second_ns,
                             60 * second_ns};  // asked to send less
    std::vector<Nanos> down{5 * second_ns, 10 * second_ns, 30 * second_ns,
                            60 * second_ns};                // no link, no room
    Nanos validity_ns = Nanos{24} * 3600 * second_ns;       // of a message that names none
    Nanos validity_max_ns = Nanos{168} * 3600 * second_ns;  // of any

    /// `round`: from 1.
    [[nodiscard]] static Nanos wait(const std::vector<Nanos>& waits, uint32_t round) {
        return waits[std::min<size_t>(round, waits.size()) - 1];
    }

    friend bool operator==(const RetrySchedule&, const RetrySchedule&) = default;
};

}  // namespace sy::route
