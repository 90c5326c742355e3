// Weighted rendezvous hashing: each target draws a number from (spread, its id) alone,
// exponentially distributed with a mean of 1 / weight, and the smallest drawn number comes first.
// So the same message always sees the same order, weights hold over many messages, and a target
// that goes moves only its own share. Pure; any thread.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/base/prng.h"

namespace sy::route {

/// What a target's id contributes; the same for every message, so it is kept.
[[nodiscard]] inline uint64_t rendezvous_hash(uint16_t id) {
    return mix64(id);
}

namespace detail {

// log(m) for m in [1, 2) as log(c) + log(m / c), c the middle of one of 128 slices.
struct LogSlices {
    struct Slice {
        double inverse;  // 1 / c
        double log;      // log(c)
    };
    std::array<Slice, 128> slices;

    LogSlices() {
        for (size_t i = 0; i < slices.size(); ++i) {
            const double middle = 1.0 + (static_cast<double>(i) + 0.5) / 128;
            slices[i] = {1.0 / middle, std::log(middle)};
        }
    }
};
inline const LogSlices log_slices;

/// -log(x) for 0 < x < 1, normal; off by less than 1e-12, and positive. Inline and without cases,
/// so that those of several targets overlap, which calls of std::log do not.
[[nodiscard]] inline double negative_log(double x) {
    const auto bits = std::bit_cast<uint64_t>(x);
    const auto exponent = static_cast<double>(static_cast<int64_t>(bits >> 52) - 1023);
    const double m = std::bit_cast<double>((bits & 0xF'FFFF'FFFF'FFFF) | uint64_t{1023} << 52);
    const LogSlices::Slice& slice = log_slices.slices[bits >> 45 & 127];
    const double r = m * slice.inverse - 1.0;  // within 1 / 256 of 0
    const double log_r = r * (1.0 - r * (0.5 - r * (1.0 / 3 - r * 0.25)));
    constexpr double log_2 = 0.693147180559945309417;
    const double result = -(exponent * log_2 + (slice.log + log_r));
    return result > 0x1p-60 ? result : 0x1p-60;  // x next to 1
}

}  // namespace detail

/// Smaller comes first. Positive, infinite for weight 0 (an infinite inverse).
[[nodiscard]] inline double rendezvous_score(uint64_t spread,
                                             uint64_t id_hash,
                                             double inverse_weight) {
    const uint64_t hash = mix64(spread ^ id_hash);
    // 52 bits and a half: in (0, 1) without its ends, so the logarithm is finite and not 0.
    const double uniform = (static_cast<double>(hash >> 12) + 0.5) * 0x1p-52;
    return detail::negative_log(uniform) * inverse_weight;
}

}  // namespace sy::route
