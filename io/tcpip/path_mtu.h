// Path MTUs that routers told us (RFC 1191, RFC 8201), by remote address. Bounded: a full set gives
// up the entry that expires first. The worker's thread; nothing allocates.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/time.h"
#include "io/tcpip/address.h"
#include "io/tcpip/wire.h"

namespace sy::tcpip {

class PathMtu {
  public:
    static constexpr uint32_t sets = 64;  // a power of two
    static constexpr uint32_t ways = 4;
    static constexpr Nanos lifetime_ns = 600 * second_ns;  // RFC 1191 section 6.3
    static constexpr uint32_t ipv4_min = 552;              // below: refused, it is an attack
    static constexpr uint32_t ipv6_min = ipv6::mtu_min;    // RFC 8201 section 4

    explicit PathMtu(uint64_t seed) : seed_(seed) {}

    /// Octets of an IP packet that get through, 0: nothing known.
    [[nodiscard]] uint32_t of(const IpAddress& remote) const;
    /// REQUIRES: the caller checked that the message answers a packet of ours. Values below the
    /// floor of the family are raised to it. Only lowers what is known. Whether it did.
    bool learn(const IpAddress& remote, uint32_t mtu, Nanos now);
    /// Forgets what is too old.
    void tick(Nanos now);
    [[nodiscard]] Nanos next_ns() const { return next_ns_; }

  private:
    struct Entry {
        IpAddress remote;
        uint32_t mtu = 0;  // 0: unused
        Nanos expires_ns = 0;
    };
    [[nodiscard]] uint32_t set_of(const IpAddress& remote) const;

    uint64_t seed_;
    Nanos next_ns_ = ~Nanos{0};
    std::array<Entry, sets * ways> entries_{};
};

}  // namespace sy::tcpip
