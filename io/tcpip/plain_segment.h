// What nearly every frame is, found in a straight line: TCP over IPv4 without IP options. The
// fields stay where they are in the frame. No state; any thread.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "io/tcpip/checksum.h"
#include "io/tcpip/interface.h"
#include "io/tcpip/port.h"
#include "io/tcpip/tcp_options.h"
#include "io/tcpip/wire.h"

namespace sy::tcpip {

/// A TCP segment over IPv4 in a frame to our MAC.
struct PlainSegment {
    const uint8_t* l3 = nullptr;  // IPv4 header of 20 octets, TCP header right behind
    uint32_t l4_bytes = 0;        // TCP header and payload
    uint32_t header_bytes = 0;    // of TCP, with options; at least 20, at most l4_bytes

    [[nodiscard]] const uint8_t* l4() const { return l3 + ipv4::header_bytes; }
    [[nodiscard]] const uint8_t* payload() const { return l4() + header_bytes; }
    [[nodiscard]] uint32_t payload_bytes() const { return l4_bytes - header_bytes; }
    /// Source and destination as they stand in the frame.
    [[nodiscard]] uint64_t addresses() const {
        uint64_t out = 0;
        std::memcpy(&out, l3 + ipv4::source_at, sizeof out);
        return out;
    }
    /// Source port in the high half.
    [[nodiscard]] uint32_t ports() const { return load_be<uint32_t>(l4() + tcp::source_port_at); }
    /// Timestamps as RFC 7323 appendix A lays them out, and no other option.
    [[nodiscard]] bool only_timestamps() const {
        return header_bytes == tcp::header_bytes + timestamps_bytes &&
               load_be<uint32_t>(l4() + tcp::header_bytes) == timestamps_prefix;
    }
};

namespace detail {

// Eight octets in memory order; the masks below are in the order of bytes.h: little-endian.
static_assert(std::endian::native == std::endian::little);
[[nodiscard]] inline uint64_t load_word(const uint8_t* at) {
    uint64_t out = 0;
    std::memcpy(&out, at, sizeof out);
    return out;
}
inline constexpr uint64_t mac_mask = 0x0001'ffff'ffff'ffff;   // six octets, group bit of the next
inline constexpr uint64_t ipv4_word = 0x45;                   // version 4, header of 5 words
inline constexpr uint64_t ipv4_mask = 0xff3f'0000'0000'00ff;  // these, and MF and offset

}  // namespace detail

/// False: the frame is something else, or does not hold what it says. Checksums are not looked at.
[[gnu::always_inline]] inline bool find_plain(const RxFrame& frame,
                                              const Interface& interface,
                                              PlainSegment& out) {
    const uint32_t l2_bytes = interface.l2_bytes();
    if (frame.bytes < l2_bytes + ipv4::header_bytes + tcp::header_bytes) {
        return false;
    }
    const uint8_t* l2 = frame.data;
    const uint8_t* l3 = l2 + l2_bytes;
    const bool tag_fits =
        !interface.tagged() || (load_be<uint16_t>(l2 + ethernet::type_at) == ethernet::type_vlan &&
                                (load_be<uint16_t>(l2 + ethernet::vlan_tci_at) &
                                 ethernet::vlan_id_mask) == interface.vlan());
    // Differences to what a plain frame has, all in one word: destination MAC ours, source MAC not
    // a group; IPv4 with 5 words of header, no fragment; TCP.
    const uint64_t odd = ((detail::load_word(l2) ^ interface.mac_word()) & detail::mac_mask) |
                         ((detail::load_word(l3) ^ detail::ipv4_word) & detail::ipv4_mask) |
                         (load_be<uint16_t>(l3 - 2) ^ ethernet::type_ipv4) |
                         (l3[ipv4::protocol_at] ^ ip::protocol_tcp);
    if (odd != 0 || !tag_fits) {
        return false;
    }
    const uint32_t l3_bytes = load_be<uint16_t>(l3 + ipv4::length_at);
    out.l3 = l3;
    out.l4_bytes = l3_bytes - ipv4::header_bytes;
    out.header_bytes = tcp_header_bytes(l3 + ipv4::header_bytes);
    return (l2_bytes + l3_bytes <= frame.bytes) & (out.header_bytes >= tcp::header_bytes) &
           (ipv4::header_bytes + out.header_bytes <= l3_bytes);
}

/// Both checksums, as far as the port has not looked at them.
[[gnu::always_inline]] inline bool is_intact(const RxFrame& frame, const PlainSegment& segment) {
    if (frame.ip_checksum != ChecksumState::good &&
        (frame.ip_checksum == ChecksumState::bad || !sum_is_good(sum_ipv4_header(segment.l3)))) {
        return false;
    }
    return frame.l4_checksum == ChecksumState::good ||
           (frame.l4_checksum == ChecksumState::unknown &&
            sum_is_good(sum_octets(segment.l4(), segment.l4_bytes) +
                        pseudo_sum_ipv4(segment.l3 + ipv4::source_at,
                                        segment.l3 + ipv4::destination_at, ip::protocol_tcp,
                                        segment.l4_bytes)));
}

}  // namespace sy::tcpip
