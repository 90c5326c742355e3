// parse_frame(): what each kind of bad frame is refused for, and the same verdict and fields as the
// slow parser over random and mutated frames.
#include "io/tcpip/parse.h"

#include <memory>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "tests/support/frames.h"
#include "tests/unit/tcpip/slow_parse.h"

namespace sy::tcpip {
namespace {

using frames::Bytes;
using frames::ip_address;

constexpr Mac our_mac{0x02, 0, 0, 0, 0, 0x01};
constexpr Mac peer_mac{0x02, 0, 0, 0, 0, 0x99};
const IpAddress our_v4 = ip_address("10.0.0.1");
const IpAddress peer_v4 = ip_address("10.0.0.9");
const IpAddress our_v6 = ip_address("2001:db8::1");
const IpAddress peer_v6 = ip_address("2001:db8::9");

InterfaceOptions options(std::optional<uint16_t> vlan = std::nullopt) {
    return {.addresses = {{our_v4, 24}, {ip_address("172.16.5.5"), 31}, {our_v6, 64}},
            .gateway_v4 = ip_address("10.0.0.254"),
            .gateway_v6 = std::nullopt,
            .vlan = vlan,
            .duplicate_address_detection = false};
}

// A packet and the octets it points into, of their exact size.
struct Parsed {
    std::unique_ptr<uint8_t[]> octets;
    Packet packet;
};

struct Verdicts {
    ChecksumState ip = ChecksumState::unknown;
    ChecksumState l4 = ChecksumState::unknown;
};

Parsed parse(const Bytes& frame, const Interface& interface, Verdicts verdicts = {}) {
    Parsed out;
    out.octets = std::make_unique<uint8_t[]>(frame.size());
    std::copy(frame.begin(), frame.end(), out.octets.get());
    const RxFrame rx{.data = out.octets.get(),
                     .bytes = static_cast<uint32_t>(frame.size()),
                     .ip_checksum = verdicts.ip,
                     .l4_checksum = verdicts.l4};
    parse_frame(rx, interface, out.packet);
    return out;
}

Drop drop_of(const Bytes& frame, Verdicts verdicts = {}) {
    const Interface interface(our_mac, options());
    const Parsed parsed = parse(frame, interface, verdicts);
    EXPECT_EQ(parsed.packet.kind == PacketKind::dropped, parsed.packet.drop != Drop::none);
    return parsed.packet.drop;
}

Bytes tcp4(const frames::Ip& ip = {.source = peer_v4, .destination = our_v4},
           const frames::Tcp& tcp = {}) {
    return frames::ethernet(our_mac, peer_mac, 0x0800,
                            frames::ip(ip, frames::tcp(tcp, ip.source, ip.destination)));
}
Bytes tcp6(const frames::Ip& ip = {.source = peer_v6, .destination = our_v6}) {
    return frames::ethernet(our_mac, peer_mac, 0x86dd,
                            frames::ip(ip, frames::tcp({}, ip.source, ip.destination)));
}
// A TCP segment behind extension headers; `first`: type of the first.
Bytes extended(uint8_t first, const Bytes& headers) {
    return tcp6({.source = peer_v6, .destination = our_v6, .protocol = first, .options = headers});
}

TEST(ParseFrame, TcpOverIpv4GivesEveryField) {
    const Interface interface(our_mac, options());
    const frames::Tcp tcp{.source_port = 1234,
                          .destination_port = 2775,
                          .seq = 0x80000001,
                          .ack = 0xfffffffe,
                          .flags = 0x18,
                          .window = 4711,
                          .options = {1, 1, 1, 1},
                          .payload = {9, 8, 7}};
    Bytes frame =
        tcp4({.source = peer_v4, .destination = our_v4, .ttl = 7, .traffic_class = 3}, tcp);
    frame.resize(frame.size() + 11, 0xee);  // Ethernet padding
    const Parsed parsed = parse(frame, interface);
    const Packet& packet = parsed.packet;
    ASSERT_EQ(packet.kind, PacketKind::tcp);
    EXPECT_EQ(packet.flow, (FlowKey{peer_v4, our_v4, 1234, 2775}));
    EXPECT_EQ(packet.seq, Seq{0x80000001});
    EXPECT_EQ(packet.ack, Seq{0xfffffffe});
    EXPECT_EQ(packet.flags, 0x18);
    EXPECT_EQ(packet.window, 4711);
    EXPECT_EQ(packet.ttl, 7);
    EXPECT_EQ(packet.traffic_class, 3);
    EXPECT_EQ(packet.source_mac, peer_mac);
    ASSERT_EQ(packet.options_bytes, 4);
    EXPECT_EQ(packet.options[0], 1);
    ASSERT_EQ(packet.payload_bytes, 3U);
    EXPECT_EQ(packet.payload[2], 7);
    EXPECT_EQ(packet.l3_bytes, 47U);
}

TEST(ParseFrame, TcpOverIpv6GivesEveryField) {
    const Interface interface(our_mac, options());
    const Parsed parsed =
        parse(tcp6({.source = peer_v6, .destination = our_v6, .ttl = 9, .traffic_class = 0xa5}),
              interface);
    const Packet& packet = parsed.packet;
    ASSERT_EQ(packet.kind, PacketKind::tcp);
    EXPECT_EQ(packet.flow, (FlowKey{peer_v6, our_v6, 40000, 2775}));
    EXPECT_EQ(packet.ttl, 9);
    EXPECT_EQ(packet.traffic_class, 0xa5);
    EXPECT_EQ(packet.payload_bytes, 0U);
    EXPECT_EQ(packet.l3_bytes, 60U);
}

TEST(ParseFrame, EveryTruncationIsRefusedAndNoneReadsBeyondTheFrame) {
    for (const Bytes& whole : {tcp4(), tcp6(), extended(0, {60, 0, 1, 4, 0, 0, 0, 0, 44, 0, 1, 4, 0,
                                                            0,  0, 0, 6, 0, 0, 0, 0, 0,  0, 0})}) {
        ASSERT_EQ(drop_of(whole), Drop::none);
        for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
            EXPECT_NE(drop_of(frames::part(whole, 0, bytes)), Drop::none) << bytes;
        }
    }
}

TEST(ParseFrame, MacAddresses) {
    const Bytes arp = frames::arp({.sender_mac = peer_mac, .sender = peer_v4, .target = our_v4});
    EXPECT_EQ(drop_of(frames::ethernet(broadcast_mac, peer_mac, 0x0806, arp)), Drop::none);
    EXPECT_EQ(drop_of(frames::ethernet(our_mac, peer_mac, 0x0806, arp)), Drop::none);
    EXPECT_EQ(drop_of(frames::ethernet(peer_mac, peer_mac, 0x0806, arp)), Drop::mac_not_ours);
    EXPECT_EQ(drop_of(frames::ethernet({0x33, 0x33, 0, 0, 0, 1}, peer_mac, 0x0806, arp)),
              Drop::mac_not_ours);
    EXPECT_EQ(drop_of(frames::ethernet(our_mac, broadcast_mac, 0x0806, arp)), Drop::mac_source);
    Bytes broadcast = tcp4();
    std::fill_n(broadcast.begin(), 6, uint8_t{0xff});
    EXPECT_EQ(drop_of(broadcast), Drop::mac_not_ours);
    Bytes group = tcp6();
    group[0] = group[1] = 0x33;
    group[2] = 0xff;
    group[5] = 1;  // a solicited-node group of ours, but the packet is not for it
    EXPECT_EQ(drop_of(group), Drop::mac_not_ours);
}

TEST(ParseFrame, VlanTags) {
    const Bytes plain = tcp4();
    const auto tagged = [&](uint16_t tci) {
        return frames::ethernet(our_mac, peer_mac, 0x0800,
                                frames::part(plain, 14, plain.size() - 14), tci);
    };
    EXPECT_EQ(drop_of(tagged(0xe000)), Drop::none);  // priority only
    EXPECT_EQ(drop_of(tagged(7)), Drop::vlan);
    EXPECT_EQ(drop_of(frames::part(tagged(0), 0, 16)), Drop::frame_short);
    EXPECT_EQ(drop_of(frames::ethernet(our_mac, peer_mac, 0x8100, Bytes(60, 0), 0)),
              Drop::ethertype);  // two tags
    const Interface interface(our_mac, options(7));
    EXPECT_EQ(parse(tagged(7), interface).packet.kind, PacketKind::tcp);
    EXPECT_EQ(parse(tagged(0x7007), interface).packet.kind, PacketKind::tcp);
    EXPECT_EQ(parse(tagged(8), interface).packet.drop, Drop::vlan);
    EXPECT_EQ(parse(tagged(0), interface).packet.drop, Drop::vlan);
    EXPECT_EQ(parse(plain, interface).packet.drop, Drop::vlan);
}

TEST(ParseFrame, EtherTypesThatWeDoNotSpeak) {
    EXPECT_EQ(drop_of(frames::ethernet(our_mac, peer_mac, 0x88cc, Bytes(60, 0))), Drop::ethertype);
    EXPECT_EQ(drop_of(frames::ethernet(our_mac, peer_mac, 46, Bytes(60, 0))), Drop::ethertype);
    EXPECT_EQ(drop_of(frames::ethernet(our_mac, peer_mac, 0x0806, Bytes(27, 0))), Drop::arp_short);
}

TEST(ParseFrame, Ipv4HeadersThatAreWrong) {
    const Bytes good = tcp4();
    const auto with = [&](size_t at, uint8_t value) {
        Bytes frame = good;
        frame.at(14 + at) = value;
        frames::put16(frame, 24, 0);
        frames::put16(frame, 24, frames::checksum(frames::part(frame, 14, 20)));
        return drop_of(frame);
    };
    EXPECT_EQ(with(0, 0x65), Drop::ip_header);
    EXPECT_EQ(with(0, 0x44), Drop::ip_header);
    EXPECT_EQ(with(0, 0x4f), Drop::ip_header);
    EXPECT_EQ(with(3, 19), Drop::ip_length);
    EXPECT_EQ(with(3, 41), Drop::ip_length);
    EXPECT_EQ(with(3, 39), Drop::l4_short);
    EXPECT_EQ(with(6, 0x20), Drop::fragment);
    EXPECT_EQ(with(7, 1), Drop::fragment);
    EXPECT_EQ(with(9, 17), Drop::protocol);
    EXPECT_EQ(with(19, 2), Drop::not_our_address);
    Bytes broken = good;
    broken[24] ^= 1;
    EXPECT_EQ(drop_of(broken), Drop::ip_checksum);
    EXPECT_EQ(drop_of(broken, {.ip = ChecksumState::good}), Drop::none);
    EXPECT_EQ(drop_of(good, {.ip = ChecksumState::bad}), Drop::ip_checksum);
}

TEST(ParseFrame, Ipv4Options) {
    const auto with = [](const Bytes& ip_options) {
        return drop_of(tcp4({.source = peer_v4, .destination = our_v4, .options = ip_options}));
    };
    EXPECT_EQ(with({148, 4, 0, 0}), Drop::none);  // router alert
    EXPECT_EQ(with({1, 1, 1, 0}), Drop::none);    // no operation, end
    EXPECT_EQ(with({0, 131, 0, 0}), Drop::none);  // behind the end is nothing
    EXPECT_EQ(with({131, 4, 4, 0}), Drop::source_route);
    EXPECT_EQ(with({1, 137, 3, 4}), Drop::source_route);
    EXPECT_EQ(with({7, 0, 0, 0}), Drop::ip_options);
    EXPECT_EQ(with({7, 1, 0, 0}), Drop::ip_options);
    EXPECT_EQ(with({7, 5, 0, 0}), Drop::ip_options);
    EXPECT_EQ(with({1, 1, 1, 7}), Drop::ip_options);
    EXPECT_EQ(with(Bytes(40, 1)), Drop::none);
}

TEST(ParseFrame, SourcesThatNoPeerHas) {
    for (const char* source : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "240.0.0.1",
                               "255.255.255.255", "10.0.0.255", "10.0.0.1"}) {
        EXPECT_EQ(drop_of(tcp4({.source = ip_address(source), .destination = our_v4})),
                  Drop::martian_source)
            << source;
    }
    // Of a /31 both addresses are hosts (RFC 3021).
    EXPECT_EQ(drop_of(tcp4({.source = ip_address("172.16.5.4"), .destination = our_v4})),
              Drop::none);
    for (const char* source : {"::", "::1", "::10.0.0.9", "ff02::1", "2001:db8::1"}) {
        EXPECT_EQ(drop_of(tcp6({.source = ip_address(source), .destination = our_v6})),
                  Drop::martian_source)
            << source;
    }
}

// An IPv6 packet must not pass for one of the IPv4 addresses in their mapped form.
TEST(ParseFrame, MappedAddressesInIpv6AreRefused) {
    const auto mapped = [](const IpAddress& source, const IpAddress& destination) {
        Bytes packet = frames::ip({.source = peer_v6, .destination = our_v6}, Bytes(20, 0));
        std::copy(source.octets.begin(), source.octets.end(), packet.begin() + 8);
        std::copy(destination.octets.begin(), destination.octets.end(), packet.begin() + 24);
        return drop_of(frames::ethernet(our_mac, peer_mac, 0x86dd, packet));
    };
    EXPECT_EQ(mapped(peer_v4, our_v6), Drop::martian_source);
    EXPECT_EQ(mapped(peer_v6, our_v4), Drop::not_our_address);
}

TEST(ParseFrame, Ipv6HeadersThatAreWrong) {
    const Bytes good = tcp6();
    const auto with = [&](size_t at, uint8_t value) {
        Bytes frame = good;
        frame.at(14 + at) = value;
        return drop_of(frame);
    };
    EXPECT_EQ(with(0, 0x40), Drop::ip_header);
    EXPECT_EQ(with(5, 21), Drop::ip_length);
    EXPECT_EQ(with(5, 19), Drop::l4_short);
    EXPECT_EQ(with(6, 17), Drop::protocol);
    EXPECT_EQ(with(6, 59), Drop::protocol);
    EXPECT_EQ(with(39, 2), Drop::not_our_address);
    EXPECT_EQ(drop_of(tcp6({.source = peer_v6, .destination = ip_address("ff02::1")})),
              Drop::not_our_address);
    EXPECT_EQ(drop_of(tcp6({.source = peer_v6, .destination = ip_address("ff02::2")})),
              Drop::not_our_address);
}

TEST(ParseFrame, Ipv6ExtensionHeaders) {
    EXPECT_EQ(extended(0, {6, 0, 1, 4, 0, 0, 0, 0}).size(), 82U);
    EXPECT_EQ(drop_of(extended(0, {6, 0, 5, 2, 0, 0, 0, 0})), Drop::none);     // router alert
    EXPECT_EQ(drop_of(extended(0, {6, 0, 0x1e, 4, 0, 0, 0, 0})), Drop::none);  // unknown, skip
    for (const uint8_t type :
         std::initializer_list<uint8_t>{0x5e, 0x9e, 0xde, 0xc2}) {  // unknown, discard
        EXPECT_EQ(drop_of(extended(60, {6, 0, type, 4, 0, 0, 0, 0})), Drop::extension_header);
    }
    EXPECT_EQ(drop_of(extended(60, {6, 0, 1, 5, 0, 0, 0, 0})), Drop::extension_header);
    EXPECT_EQ(drop_of(extended(60, {6, 0, 0, 0, 0, 0, 0, 1})), Drop::extension_header);
    EXPECT_EQ(drop_of(extended(60, {6, 9, 1, 4, 0, 0, 0, 0})), Drop::extension_header);
    EXPECT_EQ(drop_of(extended(60, {0, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0})),
              Drop::extension_header);  // hop-by-hop is the first or none
    EXPECT_EQ(drop_of(extended(43, {6, 0, 0, 0, 0, 0, 0, 0})), Drop::source_route);
    EXPECT_EQ(drop_of(extended(43, {6, 0, 4, 1, 0, 0, 0, 0})), Drop::source_route);
    EXPECT_EQ(drop_of(extended(43, {6, 0, 4, 0, 0, 0, 0, 0})), Drop::none);
    EXPECT_EQ(drop_of(extended(44, {6, 0, 0, 0, 0, 0, 0, 5})), Drop::none);  // atomic
    EXPECT_EQ(drop_of(extended(44, {6, 0, 0, 1, 0, 0, 0, 5})), Drop::fragment);
    EXPECT_EQ(drop_of(extended(44, {6, 0, 0, 8, 0, 0, 0, 5})), Drop::fragment);
    Bytes many;
    for (int count = 1; count <= 9; ++count) {
        frames::append(many, Bytes{60, 0, 1, 4, 0, 0, 0, 0});
        Bytes headers = many;
        headers[headers.size() - 8] = 6;
        EXPECT_EQ(drop_of(extended(60, headers)), count <= 8 ? Drop::none : Drop::extension_header);
    }
}

TEST(ParseFrame, TcpHeadersThatAreWrong) {
    Bytes damaged = tcp4({.source = peer_v4, .destination = our_v4}, {.payload = {1, 2, 3}});
    damaged.back() ^= 0x10;
    EXPECT_EQ(drop_of(damaged), Drop::l4_checksum);
    EXPECT_EQ(drop_of(damaged, {.l4 = ChecksumState::good}), Drop::none);
    EXPECT_EQ(drop_of(tcp4(), {.l4 = ChecksumState::bad}), Drop::l4_checksum);
    EXPECT_EQ(drop_of(tcp6(), {.l4 = ChecksumState::bad}), Drop::l4_checksum);
    for (const uint8_t offset : std::initializer_list<uint8_t>{0x00, 0x40, 0x60, 0xf0}) {
        Bytes frame = tcp4();
        frame[14 + 20 + 12] = offset;
        EXPECT_EQ(drop_of(frame, {.l4 = ChecksumState::good}), Drop::l4_short);
    }
}

TEST(ParseFrame, IcmpIsCheckedWhateverThePortSays) {
    const auto icmp = [](const IpAddress& source, const IpAddress& destination, uint8_t damage) {
        const bool v4 = source.is_ipv4();
        Bytes message = frames::icmp({.type = v4 ? uint8_t{8} : uint8_t{128}}, source, destination);
        message[4] = static_cast<uint8_t>(message[4] ^ damage);
        return frames::ethernet(our_mac, peer_mac, v4 ? 0x0800 : 0x86dd,
                                frames::ip({.source = source,
                                            .destination = destination,
                                            .protocol = v4 ? uint8_t{1} : uint8_t{58}},
                                           message));
    };
    const Verdicts good{.ip = ChecksumState::good, .l4 = ChecksumState::good};
    EXPECT_EQ(drop_of(icmp(peer_v4, our_v4, 0)), Drop::none);
    EXPECT_EQ(drop_of(icmp(peer_v4, our_v4, 1), good), Drop::l4_checksum);
    EXPECT_EQ(drop_of(icmp(peer_v6, our_v6, 0)), Drop::none);
    EXPECT_EQ(drop_of(icmp(peer_v6, our_v6, 1), good), Drop::l4_checksum);
    EXPECT_EQ(drop_of(icmp(ip_address("::"), our_v6, 0)), Drop::martian_source);
    EXPECT_EQ(drop_of(icmp(peer_v4, ip_address("10.0.0.255"), 0)), Drop::not_our_address);
}

// Differential: random frames of every kind, then mutated, against SlowParser.

class Generator {
  public:
    Generator(uint64_t seed, std::optional<uint16_t> vlan) : prng_(seed), vlan_(vlan) {}

    Bytes frame() {
        Bytes out = whole();
        const uint64_t mutations = prng_.below(3);
        for (uint64_t i = 0; i < mutations && !out.empty(); ++i) {
            mutate(out);
        }
        return out;
    }

  private:
    template <class T>
    T one_of(std::initializer_list<T> choices) {
        return choices.begin()[prng_.below(choices.size())];
    }
    Bytes random(size_t bytes) {
        Bytes out(bytes);
        for (uint8_t& each : out) {
            each = static_cast<uint8_t>(prng_());
        }
        return out;
    }
    IpAddress address(bool v4, bool source) {
        if (prng_.chance(7, 8)) {
            return source ? (v4 ? peer_v4 : peer_v6) : (v4 ? our_v4 : our_v6);
        }
        return v4 ? ip_address(one_of({"10.0.0.255", "172.16.5.5", "172.16.5.4", "127.0.0.1",
                                       "8.8.8.8", "224.0.0.1", "10.0.0.1", "0.0.0.0"}))
                  : ip_address(one_of({"::", "ff02::1", "ff02::1:ff00:1", "fe80::ff:fe00:1", "::1",
                                       "::9.9.9.9", "2001:db8::1", "ff02::2"}));
    }
    Bytes whole() {
        const Mac to = one_of<Mac>({our_mac,
                                    our_mac,
                                    our_mac,
                                    our_mac,
                                    broadcast_mac,
                                    {0x33, 0x33, 0, 0, 0, 1},
                                    {0x33, 0x33, 0xff, 0, 0, 1}});
        std::optional<uint16_t> tci = vlan_;
        if (prng_.chance(1, 3)) {
            tci = one_of<uint16_t>({0, 7, 0xe007, 8});
        }
        if (prng_.chance(1, 10)) {
            return frames::ethernet(
                to, peer_mac, 0x0806,
                frames::arp({.sender_mac = peer_mac, .sender = peer_v4, .target = our_v4}), tci);
        }
        const bool v4 = prng_.chance(1, 2);
        frames::Ip ip{.source = address(v4, true), .destination = address(v4, false)};
        ip.ttl = static_cast<uint8_t>(prng_());
        ip.traffic_class = static_cast<uint8_t>(prng_());
        const bool icmp = prng_.chance(1, 4);
        const uint8_t protocol = !icmp ? uint8_t{6} : v4 ? uint8_t{1} : uint8_t{58};
        const Bytes l4 = icmp ? frames::icmp({.type = one_of<uint8_t>({8, 128, 135, 136, 3}),
                                              .body = random(prng_.below(40))},
                                             ip.source, ip.destination)
                              : frames::tcp({.seq = static_cast<uint32_t>(prng_()),
                                             .flags = static_cast<uint8_t>(prng_()),
                                             .options = random(4 * prng_.below(11)),
                                             .payload = random(prng_.below(64))},
                                            ip.source, ip.destination);
        ip.protocol = protocol;
        if (prng_.chance(1, 3)) {
            v4 ? add_options(ip) : add_extensions(ip);
        }
        Bytes packet = frames::ip(ip, l4);
        frames::append(packet, random(prng_.chance(1, 3) ? prng_.below(20) : 0));
        return frames::ethernet(to, peer_mac, v4 ? 0x0800 : 0x86dd, packet, tci);
    }
    void add_options(frames::Ip& ip) {
        const size_t words = 1 + prng_.below(10);
        while (ip.options.size() < 4 * words) {
            const size_t room = 4 * words - ip.options.size();
            const size_t bytes = std::min(room, 2 + prng_.below(6));
            if (bytes < 2 || prng_.chance(1, 3)) {
                ip.options.push_back(prng_.chance(1, 6) ? uint8_t{0} : uint8_t{1});
                continue;
            }
            ip.options.push_back(one_of<uint8_t>({7, 68, 148, 131, 137}));
            ip.options.push_back(static_cast<uint8_t>(prng_.chance(1, 12) ? prng_() : bytes));
            ip.options.resize(ip.options.size() + bytes - 2, 1);
        }
    }
    void add_extensions(frames::Ip& ip) {
        uint8_t next = ip.protocol;
        const uint64_t count = 1 + prng_.below(prng_.chance(1, 8) ? 10 : 3);
        for (uint64_t i = 0; i < count; ++i) {
            const bool first = i + 1 == count;  // they are put in front of each other
            const uint8_t type =
                first && prng_.chance(1, 2) ? uint8_t{0} : one_of<uint8_t>({60, 60, 44, 43, 0});
            Bytes header{next, 0, 1, 4, 0, 0, 0, 0};
            if (type == 44) {
                header = {next, 0, 0, one_of<uint8_t>({0, 0, 6, 1, 8}), 0, 0, 0, 1};
            } else if (type == 43) {
                header = {next, 0, one_of<uint8_t>({4, 4, 0}), one_of<uint8_t>({0, 0, 1}), 0, 0,
                          0,    0};
            } else if (prng_.chance(1, 4)) {
                header = {next, 1, one_of<uint8_t>({0x1e, 0x05, 0x5e}), 12};
                header.resize(16, 0);
            }
            header.insert(header.end(), ip.options.begin(), ip.options.end());
            ip.options = std::move(header);
            next = type;
        }
        ip.protocol = next;
    }
    void mutate(Bytes& frame) {
        const size_t at = prng_.below(frame.size());
        switch (prng_.below(4)) {
            case 0:
                frame[at] ^= static_cast<uint8_t>(1U << prng_.below(8));
                break;
            case 1:
                frame.resize(at);
                break;
            case 2:
                frame[at] = static_cast<uint8_t>(prng_());
                break;
            default:  // in the headers, with a right IPv4 checksum: it gets further
                frame[std::min<size_t>(at, 12 + prng_.below(28))] = static_cast<uint8_t>(prng_());
                if (frame.size() >= 34 && frame[12] == 0x08 && frame[13] == 0) {
                    const size_t header = frame[14] % 16 * size_t{4};
                    if (header >= 20 && frame.size() >= 14 + header) {
                        frames::put16(frame, 24, 0);
                        frames::put16(frame, 24, frames::checksum(frames::part(frame, 14, header)));
                    }
                }
        }
    }

    Prng prng_;
    std::optional<uint16_t> vlan_;  // ours
};

void expect_equal(const Packet& packet, const uint8_t* frame, const SlowPacket& slow) {
    ASSERT_EQ(packet.kind, slow.kind);
    ASSERT_EQ(packet.l3, frame + slow.l3_at);
    ASSERT_EQ(packet.l3_bytes, slow.l3_bytes);
    if (slow.kind == PacketKind::arp) {
        return;
    }
    ASSERT_EQ(packet.flow,
              (FlowKey{slow.source, slow.destination, slow.source_port, slow.destination_port}));
    ASSERT_EQ(packet.ttl, slow.ttl);
    ASSERT_EQ(packet.traffic_class, slow.traffic_class);
    ASSERT_EQ(packet.router_alert, slow.router_alert);
    ASSERT_EQ(Bytes(packet.payload, packet.payload + packet.payload_bytes), slow.payload);
    if (slow.kind == PacketKind::tcp) {
        ASSERT_EQ(packet.seq.value, slow.seq);
        ASSERT_EQ(packet.ack.value, slow.ack);
        ASSERT_EQ(packet.flags, slow.flags);
        ASSERT_EQ(packet.window, slow.window);
        ASSERT_EQ(Bytes(packet.options, packet.options + packet.options_bytes), slow.options);
    }
}

void compare(std::optional<uint16_t> vlan, uint64_t seed) {
    const Interface interface(our_mac, options(vlan));
    std::vector<IpAddress> ours{our_v4, ip_address("172.16.5.5")};
    for (const Interface::Ipv6& each : interface.ipv6()) {
        ours.push_back(each.address);
    }
    const SlowParser slow_parser(our_mac, ours, vlan, {ip_address("10.0.0.255")});
    Generator generator(seed, vlan);
    std::array<uint64_t, 5> kinds{};
    std::array<uint64_t, static_cast<size_t>(Drop::count)> drops{};
    for (int i = 0; i < 150'000; ++i) {
        const Bytes frame = generator.frame();
        const Parsed parsed = parse(frame, interface);
        const auto slow = slow_parser.parse(frame);
        ++kinds[static_cast<size_t>(parsed.packet.kind)];
        ++drops[static_cast<size_t>(parsed.packet.drop)];
        ASSERT_EQ(parsed.packet.kind != PacketKind::dropped, slow.has_value())
            << "frame " << i << " drop " << static_cast<int>(parsed.packet.drop);
        if (slow) {
            expect_equal(parsed.packet, parsed.octets.get(), *slow);
            ASSERT_FALSE(testing::Test::HasFatalFailure()) << "frame " << i;
        }
    }
    // The comparison is worth something only if it saw all of it.
    for (const uint64_t count : kinds) {
        EXPECT_GT(count, 500U);
    }
    for (size_t reason = 0; reason < drops.size(); ++reason) {
        EXPECT_GT(drops[reason], 0U) << reason;
    }
}

TEST(ParseFrame, EqualsTheSlowParserUntagged) {
    compare(std::nullopt, 11);
}
TEST(ParseFrame, EqualsTheSlowParserTagged) {
    compare(7, 12);
}

}  // namespace
}  // namespace sy::tcpip
