// Seeded pseudo-random numbers (xoshiro256++ seeded by splitmix64). Not for secrets.
// One instance a worker or a simulation; not thread-safe.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace sy {

/// One step of splitmix64; also a good finaliser for hashing integers.
[[nodiscard]] constexpr uint64_t mix64(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

class Prng {
  public:
    using result_type = uint64_t;

    explicit constexpr Prng(uint64_t seed) {
        for (auto& word : state_) {
            seed += 0x9e3779b97f4a7c15u;
            word = mix64(seed);
        }
    }

    constexpr uint64_t operator()() {
        const uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
        const uint64_t t = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= t;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }

    /// Uniform in [0, bound). REQUIRES: bound > 0. Bias below 2^-32 for bounds under 2^32.
    constexpr uint64_t below(uint64_t bound) {
        return static_cast<uint64_t>((static_cast<Wide>((*this)()) * bound) >> 64);
    }

    /// True with probability `parts` in `whole`.
    constexpr bool chance(uint64_t parts, uint64_t whole) { return below(whole) < parts; }

    static constexpr uint64_t min() { return 0; }
    static constexpr uint64_t max() { return ~uint64_t{0}; }

  private:
    __extension__ using Wide = unsigned __int128;

    std::array<uint64_t, 4> state_{};
};

}  // namespace sy
