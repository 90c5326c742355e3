// Frames as anybody on the link may send them, against parse_frame() and IpLayer, while time
// passes, segments of ours wait for neighbours and the port refuses now and then. Input: one octet
// of options (tag, offloads), then steps: an octet that says what, then
//   low 2 bits 0, 1: length (2 octets), so many octets of a frame; bit 2: the port checked it;
//              bit 3: the checksum of ICMP is put right first, so that mutations get behind it
//              2: time passes: the high 6 bits, squared, in units of 10 ms
//              3: the high 6 bits choose: a segment to a near, far or unknown host, or what the
//                 port refuses from now on
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/assert.h"
#include "io/tcpip/ip_layer.h"
#include "tests/support/fake_port.h"

namespace {

using namespace sy;
using namespace sy::tcpip;

constexpr Mac our_mac{0x02, 0, 0, 0, 0, 0x01};
const uint8_t our_ipv4[4] = {10, 0, 0, 1};
const uint8_t gateway_ipv4[4] = {10, 0, 0, 254};
const uint8_t our_ipv6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

InterfaceOptions make_options(uint8_t choice) {
    InterfaceOptions out;
    out.addresses = {{IpAddress::from_ipv4(our_ipv4), 24}, {IpAddress::from_ipv6(our_ipv6), 64}};
    out.gateway_v4 = IpAddress::from_ipv4(gateway_ipv4);
    if ((choice & 1) != 0) {
        out.vlan = 7;
    }
    out.duplicate_address_detection = (choice & 2) != 0;
    return out;
}
PortInfo make_info(uint8_t choice) {
    PortInfo out;
    out.mac = our_mac;
    out.tx_ip_checksum = (choice & 4) != 0;
    out.tx_tcp_checksum = (choice & 8) != 0;
    return out;
}

// Puts the checksum of an ICMP message right that stands directly behind its IP header, or behind
// one hop-by-hop header.
void repair(std::vector<uint8_t>& frame, uint32_t l2_bytes) {
    if (frame.size() < l2_bytes + 40U) {
        return;
    }
    uint8_t* l3 = frame.data() + l2_bytes;
    const bool v4 = l3[0] >> 4 == 4;
    uint32_t header = v4 ? (l3[0] & 0xfU) * 4 : 40;
    const uint32_t end = load_be<uint16_t>(l3 + (v4 ? 2 : 4)) + (v4 ? 0 : 40U);
    uint8_t protocol = l3[v4 ? 9 : 6];
    if (!v4 && protocol == 0 && frame.size() >= l2_bytes + 42U) {
        protocol = l3[40];
        header += 8 * (l3[41] + 1U);
    }
    if (end < header + 8 || end > frame.size() - l2_bytes || protocol != (v4 ? 1 : 58)) {
        return;
    }
    store_be(l3 + header + 2, uint16_t{0});
    const uint64_t pseudo = v4 ? 0 : pseudo_sum_ipv6(l3 + 8, l3 + 24, 58, end - header);
    store_checksum(l3 + header + 2, sum_octets(l3 + header, end - header) + pseudo);
}

class Host {
  public:
    explicit Host(uint8_t choice)
        : port_(make_info(choice)), out_(port_), ip_(port_, out_, make_options(choice), choice) {
        ip_.start(now_);
    }
    ~Host() { SY_ASSERT(port_.received_out() == 0); }

    void hear(Octets octets, bool checked, bool repaired) {
        std::vector<uint8_t> frame(octets.begin(), octets.end());
        if (repaired) {
            repair(frame, ip_.interface().l2_bytes());
        }
        const ChecksumState state = checked ? ChecksumState::good : ChecksumState::unknown;
        port_.inject(frame, state, state);
        RxFrame rx;
        SY_ASSERT(port_.receive({&rx, 1}) == 1);
        Packet packet;
        ip_.parse(rx, packet);
        check(rx, packet);
        if (packet.kind == PacketKind::tcp) {
            answer(packet);
        } else if (packet.kind != PacketKind::dropped) {
            if (const auto error = ip_.input(packet, now_)) {
                SY_ASSERT(ip_.interface().has(error->flow.local));
                SY_ASSERT(error->kind != IcmpError::Kind::too_big || error->mtu != 0);
                if (error->kind == IcmpError::Kind::too_big) {
                    (void)ip_.learn_mtu(error->flow.remote, error->mtu, now_);
                }
            }
        }
        port_.release({&rx, 1});
    }
    void pass(Nanos duration) {
        now_ += duration;
        ip_.tick(now_);
        out_.flush();
        SY_ASSERT(ip_.next_ns() > now_);
        check_sent();
    }
    void choose(uint8_t choice) {
        switch (choice & 7) {
            case 6:
                port_.set_buffers_max((choice & 8) != 0 ? 0 : FakePort::unlimited);
                return;
            case 7:
                port_.set_transmit_room((choice & 8) != 0 ? choice : FakePort::unlimited);
                return;
            default:
                send(remote(choice));
        }
    }

  private:
    static IpAddress remote(uint8_t choice) {
        const uint8_t number = choice >> 3;
        if ((choice & 1) != 0) {
            uint8_t octets[16] = {0x20, 0x01, 0x0d, 0xb8};
            octets[6] = (choice & 4) != 0 ? 1 : 0;  // beyond the link
            octets[15] = number;
            return IpAddress::from_ipv6(octets);
        }
        const uint8_t octets[4] = {10, 0, (choice & 4) != 0 ? uint8_t{1} : uint8_t{0}, number};
        return IpAddress::from_ipv4(octets);
    }

    // Everything a packet points to lies in its frame.
    static void check(const RxFrame& rx, const Packet& packet) {
        const uint8_t* end = rx.data + rx.bytes;
        SY_ASSERT((packet.kind == PacketKind::dropped) == (packet.drop != Drop::none));
        if (packet.kind == PacketKind::dropped) {
            return;
        }
        SY_ASSERT(packet.l3 >= rx.data + 14 && packet.l3 + packet.l3_bytes <= end);
        if (packet.kind == PacketKind::arp) {
            return;
        }
        SY_ASSERT(packet.payload >= packet.l3);
        SY_ASSERT(packet.payload + packet.payload_bytes == packet.l3 + packet.l3_bytes);
        SY_ASSERT(packet.kind != PacketKind::tcp ||
                  packet.options + packet.options_bytes == packet.payload);
    }
    // A reset, as for a segment of no connection.
    void answer(const Packet& packet) {
        TxFrame* frame = out_.begin();
        if (frame == nullptr) {
            return;
        }
        uint8_t* at = ip_.write_headers(*frame, packet.flow, tcp::header_bytes, &packet.source_mac);
        store_tcp_header(at, {.seq = packet.ack, .flags = tcp::rst});
        ip_.finish_tcp(*frame, packet.flow, tcp::header_bytes);
        out_.commit();
    }
    void send(const IpAddress& to) {
        const auto path = ip_.path_to(to, now_);
        TxFrame* frame = path ? out_.begin() : nullptr;
        if (frame == nullptr) {
            return;
        }
        const FlowKey flow{.remote = to, .local = path->source};
        const uint32_t bytes = ip_.path_mtu(to) - (to.is_ipv4() ? 20 : 40);
        const Mac* mac = ip_.next_hop(path->next_hop, now_);
        uint8_t* at = ip_.write_headers(*frame, flow, bytes, mac);
        std::fill_n(at, bytes, uint8_t{0x42});
        store_tcp_header(at, {.flags = tcp::ack});
        ip_.finish_tcp(*frame, flow, bytes);
        mac != nullptr ? out_.commit() : ip_.hold(path->next_hop, out_.take(), now_);
    }
    // What leaves is addressed to one, not to a group by accident, and never in need of more than
    // the link takes. Another parser would take it for what it is: its own checks see to lengths.
    void check_sent() {
        for (const FakePort::Bytes& frame : port_.take_sent()) {
            const uint32_t l2 = ip_.interface().l2_bytes();
            SY_ASSERT(frame.size() >= l2 + 28 && frame.size() <= l2 + 1500);
            SY_ASSERT(std::equal(our_mac.begin(), our_mac.end(), frame.begin() + 6));
            const auto type = load_be<uint16_t>(frame.data() + l2 - 2);
            const uint8_t* l3 = frame.data() + l2;
            if (type == ethernet::type_ipv4) {
                SY_ASSERT(sum_is_good(sum_octets(l3, 20)));
                SY_ASSERT(load_be<uint16_t>(l3 + 2) == frame.size() - l2);
                SY_ASSERT(std::equal(our_ipv4, our_ipv4 + 4, l3 + 12));
                SY_ASSERT((frame[0] & 1) == 0);
            } else if (type == ethernet::type_ipv6) {
                SY_ASSERT(load_be<uint16_t>(l3 + 4) + 40U == frame.size() - l2);
                SY_ASSERT((frame[0] & 1) == 0 || l3[24] == 0xff);
            } else {
                SY_ASSERT(type == ethernet::type_arp);
            }
        }
        SY_ASSERT(ip_.neighbours().held() <= Neighbours::held_max);
    }

    Nanos now_ = second_ns;
    FakePort port_;
    FrameOut out_;
    IpLayer ip_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) {
        return 0;
    }
    Host host(data[0]);
    for (size_t at = 1; at < size;) {
        const uint8_t step = data[at++];
        if ((step & 3) == 2) {
            const Nanos units = step >> 2;
            host.pass(units * units * 10 * millisecond_ns);
        } else if ((step & 3) == 3) {
            host.choose(step >> 2);
        } else if (size - at >= 2) {
            const size_t bytes = std::min<size_t>(load_be<uint16_t>(data + at), size - at - 2);
            host.hear({data + at + 2, bytes}, (step & 4) != 0, (step & 8) != 0);
            at += 2 + bytes;
        } else {
            break;
        }
    }
    host.pass(1);
    return 0;
}
