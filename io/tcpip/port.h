// A packet port: one receive and one transmit queue of a network device, as the stack sees it. The
// DPDK queue (io/dpdk), the simulated link (io/sim), the packet scripts and the fuzzers are its
// implementations; the stack itself knows no device and no rte_* type.
//
// One virtual call a burst, none a frame. A port belongs to one worker; every call comes from that
// worker's thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/base/time.h"
#include "io/tcpip/address.h"

namespace sy::tcpip {

/// What a port knows of a received frame's checksums. `unknown`: the stack checks itself.
enum class ChecksumState : uint8_t { unknown, good, bad };

/// A received frame, contiguous. Borrowed from the port until release().
struct RxFrame {
    const uint8_t* data = nullptr;
    uint32_t bytes = 0;
    ChecksumState ip_checksum = ChecksumState::unknown;
    ChecksumState l4_checksum = ChecksumState::unknown;
    void* buffer = nullptr;  // the port's own
};

/// A frame to be transmitted, contiguous. From allocate() until transmit() or discard() it belongs
/// to the stack, which writes [data, data + capacity) and sets the rest.
struct TxFrame {
    uint8_t* data = nullptr;
    uint32_t bytes = 0;
    uint32_t capacity = 0;
    // What the port is asked to complete. Set only where PortInfo says that it can. The stack then
    // leaves the pseudo-header sum (RFC 9293 3.1; with TSO: without the length) in the TCP checksum
    // field and 0 in the IPv4 one.
    bool ip_checksum = false;
    bool tcp_checksum = false;
    bool ipv6 = false;
    uint8_t l2_bytes = 0;
    uint8_t l3_bytes = 0;
    uint8_t l4_bytes = 0;
    uint16_t segment_bytes = 0;  // not 0: TSO, cut the payload into segments of this size
    void* buffer = nullptr;      // the port's own
};

struct PortInfo {
    Mac mac{};
    uint32_t mtu = 1500;  // octets of an IP packet
    bool link_up = true;
    bool tx_ip_checksum = false;
    bool tx_tcp_checksum = false;
    uint32_t tso_bytes_max = 0;  // largest frame that the port cuts itself; 0: no TSO
};

class PacketPort {
  public:
    virtual ~PacketPort() = default;

    /// Fills `out` from the front; how many frames came.
    virtual uint32_t receive(std::span<RxFrame> out) = 0;
    /// Gives received frames back.
    virtual void release(std::span<const RxFrame> frames) = 0;
    /// Empty frames with room for the port's MTU (tso_bytes_max where it is more) and 18 octets of
    /// Ethernet and VLAN header; fewer than asked for when the port's memory is used up.
    virtual uint32_t allocate(std::span<TxFrame> out) = 0;
    /// Takes frames from the front, in order; those not taken stay with the stack, which tries
    /// again or discards them.
    virtual uint32_t transmit(std::span<const TxFrame> frames) = 0;
    /// Gives allocated frames back without sending them.
    virtual void discard(std::span<const TxFrame> frames) = 0;
    /// May change between turns (link_up, mtu); the reference stays valid as long as the port.
    [[nodiscard]] virtual const PortInfo& info() const = 0;
    /// Sleeps until a frame may have come, wake() was called or `deadline_ns` (monotonic) is
    /// reached. A device that can only be polled sleeps a moment instead, whatever the deadline.
    /// One in virtual time does not sleep at all.
    virtual void wait(Nanos /*deadline_ns*/) {}
    /// Ends a wait() of another thread, or makes the next one return at once. Any thread.
    virtual void wake() {}
    /// Whether the frames of this flow reach this worker (RSS, or the port's own distribution).
    /// Asked when the source port of an outgoing connection is chosen, never a frame.
    [[nodiscard]] virtual bool owns(const FlowKey& /*flow*/) const { return true; }
};

}  // namespace sy::tcpip
