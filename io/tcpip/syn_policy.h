// Which SYNs are answered by a cookie while the SYN cache is full: so many a millisecond, in a
// flood the rest is dropped at first sight, so that established connections keep their share of the
// core and who means it sends his SYN again. Networks from which a handshake was completed before
// come first: a reserve of a millisecond is theirs. Spoofed sources hardly ever hit one of these,
// and whoever spoofs one on purpose is bounded by the same rate. RFC 4987 section 3 leaves the
// policy to the implementation. Part of Stack; one thread; 8 KiB.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/prng.h"
#include "core/base/time.h"
#include "io/tcpip/address.h"

namespace sy::tcpip {

class SynPolicy {
  public:
    /// REQUIRES: 0 < cookies_per_ms <= 1,000,000. `seed`: secret, so that nobody aims at a bit.
    SynPolicy(uint32_t cookies_per_ms, uint64_t seed)
        : cookie_ns_(millisecond_ns / cookies_per_ms), seed_(mix64(seed) | 1) {
        SY_ASSERT(cookie_ns_ > 0);
    }

    void pass(Nanos elapsed_ns) { credit_ns_ = std::min(credit_ns_max, credit_ns_ + elapsed_ns); }

    /// Of a host: /24 of IPv4, /64 of IPv6.
    [[nodiscard]] static uint64_t network_of(const IpAddress& host) {
        if (host.is_ipv4()) {
            return network_of_ipv4(host.ipv4());
        }
        uint64_t network = 0;
        std::memcpy(&network, host.octets.data(), sizeof network);
        return network;
    }
    [[nodiscard]] static uint64_t network_of_ipv4(const uint8_t* four) {
        return load_be<uint32_t>(four) >> 8;
    }

    /// A handshake with a host there was completed.
    void know(uint64_t network) {
        const uint64_t bit = bit_of(network);
        known_[bit / 64] |= uint64_t{1} << (bit % 64);
    }
    /// Takes a cookie for a SYN from there; false: there is none.
    [[nodiscard]] bool take(uint64_t network) {
        const uint64_t bit = bit_of(network);
        const bool known = (known_[bit / 64] >> (bit % 64) & 1) != 0;
        if (credit_ns_ < cookie_ns_ + (known ? 0 : reserve_ns)) {
            return false;
        }
        credit_ns_ -= cookie_ns_;
        return true;
    }

  private:
    static constexpr Nanos reserve_ns = millisecond_ns;
    static constexpr Nanos credit_ns_max = reserve_ns + millisecond_ns;
    static constexpr uint32_t bits = 65'536;

    /// One multiplication: asked for every SYN that is dropped.
    [[nodiscard]] uint64_t bit_of(uint64_t network) const { return network * seed_ >> 48; }

    Nanos cookie_ns_;
    uint64_t seed_;
    Nanos credit_ns_ = 0;
    std::array<uint64_t, bits / 64> known_{};
};

}  // namespace sy::tcpip
