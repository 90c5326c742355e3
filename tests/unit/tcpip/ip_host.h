// An IpLayer on a fake port, with a clock that the test moves.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "io/tcpip/ip_layer.h"
#include "tests/support/fake_port.h"
#include "tests/support/frames.h"

namespace sy::tcpip {

inline const Mac our_mac{0x02, 0, 0, 0, 0, 0x01};
inline const Mac peer_mac{0x02, 0, 0, 0, 0, 0x99};
inline const Mac other_mac{0x02, 0, 0, 0, 0, 0x77};
inline const IpAddress our_v4 = frames::ip_address("10.0.0.1");
inline const IpAddress peer_v4 = frames::ip_address("10.0.0.9");
inline const IpAddress far_v4 = frames::ip_address("192.0.2.7");
inline const IpAddress gateway_v4 = frames::ip_address("10.0.0.254");
inline const IpAddress our_v6 = frames::ip_address("2001:db8::1");
inline const IpAddress our_link_local = frames::ip_address("fe80::ff:fe00:1");
inline const IpAddress peer_v6 = frames::ip_address("2001:db8::9");
inline const IpAddress far_v6 = frames::ip_address("2001:db8:ffff::7");
inline const IpAddress unspecified_v6{};

inline InterfaceOptions plain_options() {
    return {.addresses = {{our_v4, 24}, {our_v6, 64}}, .duplicate_address_detection = false};
}

struct IpHost {
    using Bytes = frames::Bytes;

    explicit IpHost(const InterfaceOptions& options = plain_options(),
                    PortInfo info = default_info())
        : port(info), out(port), ip(port, out, options, 4711) {}
    ~IpHost() { EXPECT_EQ(port.received_out(), 0U); }

    static PortInfo default_info() {
        PortInfo info;
        info.mac = our_mac;
        return info;
    }

    /// The host gets a frame; what its ICMP said about TCP.
    std::optional<IcmpError> hear(const Bytes& frame) {
        port.inject(frame);
        RxFrame rx;
        SY_ASSERT(port.receive({&rx, 1}) == 1);
        std::optional<IcmpError> error;
        ip.parse(rx, packet);
        if (packet.kind != PacketKind::dropped && packet.kind != PacketKind::tcp) {
            error = ip.input(packet, now);
        }
        port.release({&rx, 1});
        out.flush();
        return error;
    }
    /// Time passes; the host ticks whenever it asked for it.
    void advance(Nanos duration) {
        const Nanos end = now + duration;
        for (int ticks = 0; ip.next_ns() <= end; ++ticks) {
            SY_ASSERT(ticks < 1'000'000);
            now = std::max(now, ip.next_ns());
            ip.tick(now);
            out.flush();
        }
        now = end;
    }
    /// A TCP segment as the TCP layer sends it; its frame waits if there is no MAC yet.
    void send_tcp(const Path& path, const IpAddress& to, const Bytes& payload = {}) {
        const FlowKey flow{.remote = to, .local = path.source, .remote_port = 7, .local_port = 9};
        const auto bytes = static_cast<uint32_t>(tcp::header_bytes + payload.size());
        TxFrame* frame = out.begin();
        ASSERT_NE(frame, nullptr);
        const Mac* mac = ip.next_hop(path.next_hop, now);
        uint8_t* at = ip.write_headers(*frame, flow, bytes, mac);
        store_tcp_header(at, {.source_port = 9, .destination_port = 7, .flags = tcp::ack});
        std::copy(payload.begin(), payload.end(), at + tcp::header_bytes);
        ip.finish_tcp(*frame, flow, bytes);
        if (mac != nullptr) {
            out.commit();
        } else {
            ip.hold(path.next_hop, out.take(), now);
        }
        ip.tick(now);
        out.flush();
    }
    std::vector<Bytes> sent() { return port.take_sent(); }
    /// The only frame sent since the last look.
    Bytes sent_one() {
        const auto all = sent();
        EXPECT_EQ(all.size(), 1U);
        return all.empty() ? Bytes(200, 0) : all[0];
    }

    // Frames that arrive.
    static Bytes arp(const frames::Arp& arp, const Mac& to = our_mac) {
        return frames::ethernet(to, arp.sender_mac, 0x0806, frames::arp(arp));
    }
    static Bytes arp_request(const IpAddress& sender, const Mac& mac, const IpAddress& target) {
        return arp({.operation = 1, .sender_mac = mac, .sender = sender, .target = target},
                   broadcast_mac);
    }
    static Bytes arp_reply(const IpAddress& sender, const Mac& mac) {
        return arp({.operation = 2,
                    .sender_mac = mac,
                    .sender = sender,
                    .target_mac = our_mac,
                    .target = our_v4});
    }
    static Bytes icmp(const frames::Icmp& message,
                      const IpAddress& source,
                      const IpAddress& destination,
                      uint8_t ttl = 64) {
        const bool v4 = source.is_ipv4();
        return frames::ethernet(
            destination.octets[0] == 0xff ? multicast_mac(destination) : our_mac, peer_mac,
            v4 ? uint16_t{0x0800} : uint16_t{0x86dd},
            frames::ip({.source = source,
                        .destination = destination,
                        .protocol = v4 ? uint8_t{1} : uint8_t{58},
                        .ttl = ttl},
                       frames::icmp(message, source, destination)));
    }
    static Bytes discovery(const frames::Discovery& in,
                           const IpAddress& source,
                           const IpAddress& destination) {
        return icmp(frames::discovery(in), source, destination, 255);
    }
    static Bytes solicitation(const IpAddress& source, const IpAddress& target) {
        return discovery({.type = 135, .target = target, .mac = peer_mac}, source,
                         solicited_node(target));
    }
    static Bytes advertisement(const IpAddress& target, const Mac& mac, uint8_t flags = 0x60) {
        return discovery({.type = 136, .flags = flags, .target = target, .mac = mac}, target,
                         our_v6);
    }

    FakePort port;
    FrameOut out;
    IpLayer ip;
    Nanos now = 1000 * second_ns;
    Packet packet;
};

}  // namespace sy::tcpip
