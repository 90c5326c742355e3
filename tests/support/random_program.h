// Random programs for StackProgram: more often than random octets would they do what a connection
// lives from (octets in order, acknowledgements, what the user sends), so that the rare lands in
// the middle of it. The same generator state gives the same program.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/prng.h"

namespace sy::tcpip {

[[nodiscard]] inline std::vector<uint8_t> random_program(Prng& prng, uint32_t operations) {
    std::vector<uint8_t> out;
    const auto put = [&](uint64_t octet) { out.push_back(static_cast<uint8_t>(octet)); };
    const auto any = [&] { put(prng()); };
    const auto mostly_zero = [&] { put(prng.chance(2, 3) ? 0 : prng()); };
    // Options by the bit, each seldom; comparing always.
    put(1 | (prng() & prng() & prng() & 0xFE));
    const uint64_t handshakes = 1 + prng.below(8);
    put(handshakes);
    for (uint64_t i = 0; i < handshakes; ++i) {
        const uint64_t how = prng();
        put(prng.chance(2, 3) ? (how & 0xF8) | 1 : how);  // established
    }
    for (uint32_t i = 0; i < operations; ++i) {
        const uint64_t kind = prng.below(16);
        if (kind < 5) {  // octets in order, perhaps with a turn
            put(7);
            any();
            any();
        } else if (kind < 8) {  // a segment beside the point
            put(0);
            any();
            put(prng.chance(1, 2) ? (prng() & 4) : prng());
            put(prng.chance(1, 2) ? 0 : prng());
            mostly_zero();
            mostly_zero();
            put(prng.chance(1, 2) ? 255 : prng());
            any();
            for (uint64_t left = prng.below(3); left > 0; --left) {
                any();
            }
        } else if (kind < 11) {  // the user
            put(14);
            any();
            put(prng.chance(3, 4) ? (prng() & 0xF8) | prng.below(4) : prng());
        } else if (kind < 13) {
            put(9);
        } else if (kind < 14) {
            put(prng.chance(1, 2) ? 13 : 11 + prng.below(2));
            any();
        } else {
            put(prng.below(24));
            for (uint64_t left = prng.below(4); left > 0; --left) {
                any();
            }
        }
    }
    return out;
}

}  // namespace sy::tcpip
