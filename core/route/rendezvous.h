// Weighted rendezvous hashing: each target draws a number from (spread, its id) alone,
// exponentially distributed with a mean of 1 / weight, and the smallest drawn number comes first.
// So the same message always sees the same order, weights hold over many messages, and a target
// that goes moves only its own share. Pure; any thread.
//
// Eight targets draw at once, in vectors that the compiler maps to what the CPU has.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/base/prng.h"

// Builds for a CPU without AVX pass these vectors in memory. All of the program is built for the
// same one, so that nobody disagrees about it.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace sy::route {

inline constexpr size_t rendezvous_lanes = 8;
using RendezvousWords [[gnu::vector_size(4 * rendezvous_lanes)]] = uint32_t;
using RendezvousInts [[gnu::vector_size(4 * rendezvous_lanes)]] = int32_t;
using RendezvousFloats [[gnu::vector_size(4 * rendezvous_lanes)]] = float;

/// What a message contributes, the same for all targets.
struct RendezvousSeed {
    uint32_t first = 0;
    uint32_t second = 0;

    explicit RendezvousSeed(uint64_t spread) {
        const uint64_t mixed = mix64(spread);
        first = static_cast<uint32_t>(mixed);
        second = static_cast<uint32_t>(mixed >> 32);
    }
};

/// 23 bits that look drawn by chance, of one id (uint32_t) or a vector of them.
template <class Word>
[[nodiscard]] Word rendezvous_draw(Word id, RendezvousSeed seed) {
    Word word = id * 0x9E37'79B1U ^ seed.first;
    word = (word ^ word >> 16) * 0x85EB'CA6BU + seed.second;
    word = (word ^ word >> 15) * 0xC2B2'AE35U;
    return (word ^ word >> 16) >> 9;
}

namespace detail {

// Half a step from both ends of (0, 1), so that the logarithm is finite and not 0.
inline constexpr float draw_step = 0x1p-23F;

/// -log2(x) for 0 < x < 1, normal; off by less than 1e-5 of it, and positive.
[[nodiscard]] inline RendezvousFloats negative_log2(RendezvousFloats x) {
    constexpr uint32_t root_of_half = 0x3F35'04F3;  // as float: m is within sqrt(2) of 1
    const auto bits = std::bit_cast<RendezvousInts>(x);
    const RendezvousInts exponent = (bits - static_cast<int32_t>(root_of_half)) >> 23;
    const auto m = std::bit_cast<RendezvousFloats>(bits - (exponent << 23));
    const RendezvousFloats r = m - 1.0F;
    // log2(1 + r) / r through its values at six Chebyshev nodes.
    RendezvousFloats of_r = r * -0.20228927F + 0.31689819F;
    of_r = of_r * r - 0.36692576F;
    of_r = of_r * r + 0.47992557F;
    of_r = of_r * r - 0.72119575F;
    of_r = of_r * r + 1.44270044F;
    return -(__builtin_convertvector(exponent, RendezvousFloats) + of_r * r);
}

}  // namespace detail

/// Smaller comes first; equal ones are so near each other that either may. Of what
/// rendezvous_draw() gave: the highest 24 bits of a positive float (whose bits stand in the order
/// of their numbers, so these do too), the largest for weight 0 (an infinite inverse), 0 for an
/// inverse of 0.
[[nodiscard]] inline RendezvousWords rendezvous_scores(RendezvousWords drawn,
                                                       RendezvousFloats inverse_weights) {
    const auto steps =
        __builtin_convertvector(std::bit_cast<RendezvousInts>(drawn), RendezvousFloats);
    const RendezvousFloats log = detail::negative_log2((steps + 0.5F) * detail::draw_step);
    return std::bit_cast<RendezvousWords>(log * inverse_weights) >> 7;
}
[[nodiscard]] inline uint32_t rendezvous_score(uint64_t spread, uint16_t id, uint32_t weight) {
    const RendezvousWords drawn =
        rendezvous_draw(uint32_t{id} + RendezvousWords{}, RendezvousSeed(spread));
    return rendezvous_scores(drawn, 1.0F / static_cast<float>(weight) + RendezvousFloats{})[0];
}

/// What is drawn for one target with the library's logarithm, for tests and benchmarks: targets
/// come in the order of these, but where two are within 1e-4 of each other.
[[nodiscard]] inline double rendezvous_model(uint64_t spread, uint16_t id, double weight) {
    const uint32_t drawn = rendezvous_draw(uint32_t{id}, RendezvousSeed(spread));
    const double uniform = (drawn + 0.5) * double{detail::draw_step};
    return -std::log2(uniform) / weight;
}

}  // namespace sy::route
