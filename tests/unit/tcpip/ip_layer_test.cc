// What TCP gets from IpLayer: headers, checksums in software and by the port, path MTUs, counters.
#include "io/tcpip/ip_layer.h"

#include <map>
#include <string_view>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "tests/unit/tcpip/ip_host.h"

namespace sy::tcpip {
namespace {

using frames::Bytes;

struct Sent {
    FlowKey flow;
    Bytes payload;
    Bytes frame;
};

// Sends one segment of `payload` by next hop `mac` and gives the frame as it left.
Sent send(IpHost& host, const FlowKey& flow, const Bytes& payload, uint16_t segment_bytes = 0) {
    const auto bytes = static_cast<uint32_t>(tcp::header_bytes + payload.size());
    TxFrame* frame = host.out.begin();
    EXPECT_NE(frame, nullptr);
    uint8_t* at = host.ip.write_headers(*frame, flow, bytes, &peer_mac);
    EXPECT_EQ(at, frame->data + host.ip.headers_bytes(!flow.remote.is_ipv4()));
    store_tcp_header(at, {.source_port = flow.local_port,
                          .destination_port = flow.remote_port,
                          .seq = {77},
                          .ack = {88},
                          .flags = tcp::ack | tcp::psh,
                          .window = 99});
    std::copy(payload.begin(), payload.end(), at + tcp::header_bytes);
    host.ip.finish_tcp(*frame, flow, bytes, segment_bytes);
    host.out.commit();
    host.out.flush();
    return {flow, payload, segment_bytes != 0 ? Bytes{} : host.sent_one()};
}

// What another builder makes of the same, but for the flow label.
Bytes expected(const Sent& sent, std::optional<uint16_t> vlan) {
    const bool v4 = sent.flow.remote.is_ipv4();
    Bytes packet = frames::ip({.source = sent.flow.local, .destination = sent.flow.remote},
                              frames::tcp({.source_port = sent.flow.local_port,
                                           .destination_port = sent.flow.remote_port,
                                           .seq = 77,
                                           .ack = 88,
                                           .flags = 0x18,
                                           .window = 99,
                                           .payload = sent.payload},
                                          sent.flow.local, sent.flow.remote));
    if (!v4) {
        std::copy_n(sent.frame.begin() + (vlan ? 18 : 14), 4, packet.begin());
        EXPECT_EQ(packet[0], 0x60);
        EXPECT_LT(packet[1], 0x10);
    }
    return frames::ethernet(peer_mac, our_mac, v4 ? 0x0800 : 0x86dd, packet, vlan);
}

TEST(IpLayer, HeadersAreRightForAllAddressesSizesTagsAndOffloads) {
    Prng prng(5);
    for (const int kind : {0, 1, 2, 3}) {
        PortInfo info = IpHost::default_info();
        info.tx_ip_checksum = (kind & 1) != 0;
        info.tx_tcp_checksum = (kind & 1) != 0;
        InterfaceOptions options = plain_options();
        if ((kind & 2) != 0) {
            options.vlan = 0x123;
        }
        IpHost host(options, info);
        for (int round = 0; round < 2000; ++round) {
            const bool v4 = prng.chance(1, 2);
            FlowKey flow{.remote = v4 ? far_v4 : far_v6, .local = v4 ? our_v4 : our_v6};
            for (size_t i = 12; i < 16; ++i) {
                flow.remote.octets[i] = static_cast<uint8_t>(prng());
            }
            flow.remote_port = static_cast<uint16_t>(prng());
            flow.local_port = static_cast<uint16_t>(prng());
            Bytes payload(prng.below(1441));
            for (uint8_t& each : payload) {
                each = static_cast<uint8_t>(prng());
            }
            const Sent sent = send(host, flow, payload);
            ASSERT_EQ(sent.frame, expected(sent, options.vlan)) << kind << " " << round;
        }
    }
}

TEST(IpLayer, FlowLabelIsTheSameWithinAFlowAndDiffersBetween) {
    IpHost host;
    std::vector<uint64_t> labels;
    for (uint16_t port = 1000; port < 1050; ++port) {
        const FlowKey flow{.remote = far_v6, .local = our_v6, .remote_port = port, .local_port = 1};
        labels.push_back(frames::get(send(host, flow, {}).frame, 14, 4));
        EXPECT_EQ(frames::get(send(host, flow, {1, 2}).frame, 14, 4), labels.back());
    }
    std::sort(labels.begin(), labels.end());
    EXPECT_GT(std::unique(labels.begin(), labels.end()) - labels.begin(), 45);
}

TEST(IpLayer, TsoIsLeftToThePort) {
    PortInfo info = IpHost::default_info();
    info.tx_ip_checksum = true;
    info.tx_tcp_checksum = true;
    info.tso_bytes_max = 20'000;
    IpHost host(plain_options(), info);
    for (const bool v4 : {true, false}) {
        const FlowKey flow{.remote = v4 ? far_v4 : far_v6,
                           .local = v4 ? our_v4 : our_v6,
                           .remote_port = 1,
                           .local_port = 2};
        Bytes payload(10'001);
        for (size_t i = 0; i < payload.size(); ++i) {
            payload[i] = static_cast<uint8_t>(i * 7);
        }
        send(host, flow, payload, 1400);
        Bytes joined;
        for (const Bytes& frame : host.sent()) {
            // The receiver's parser checks lengths and both checksums.
            const Interface receiver(
                peer_mac, {.addresses = {{flow.remote, static_cast<uint8_t>(v4 ? 24 : 64)}},
                           .duplicate_address_detection = false});
            Packet packet;
            parse_frame({.data = frame.data(), .bytes = static_cast<uint32_t>(frame.size())},
                        receiver, packet);
            ASSERT_EQ(packet.kind, PacketKind::tcp) << static_cast<int>(packet.drop);
            EXPECT_EQ(packet.seq, Seq{77} + static_cast<uint32_t>(joined.size()));
            frames::append(joined, {packet.payload, packet.payload_bytes});
        }
        EXPECT_EQ(joined, payload);
    }
}

TEST(IpLayer, HeaderBytes) {
    IpHost host;
    EXPECT_EQ(host.ip.headers_bytes(false), 34U);
    EXPECT_EQ(host.ip.headers_bytes(true), 54U);
    InterfaceOptions options = plain_options();
    options.vlan = 5;
    IpHost tagged(options);
    EXPECT_EQ(tagged.ip.headers_bytes(false), 38U);
}

TEST(IpLayer, PathMtuFallsIsFlooredAndForgotten) {
    IpHost host;
    EXPECT_EQ(host.ip.path_mtu(far_v4), 1500U);
    EXPECT_FALSE(host.ip.learn_mtu(far_v4, 1500, host.now));
    EXPECT_TRUE(host.ip.learn_mtu(far_v4, 1400, host.now));
    EXPECT_EQ(host.ip.path_mtu(far_v4), 1400U);
    EXPECT_EQ(host.ip.path_mtu(peer_v4), 1500U);
    EXPECT_FALSE(host.ip.learn_mtu(far_v4, 1450, host.now));  // it never rises by a message
    EXPECT_TRUE(host.ip.learn_mtu(far_v4, 100, host.now));
    EXPECT_EQ(host.ip.path_mtu(far_v4), PathMtu::ipv4_min);
    EXPECT_FALSE(host.ip.learn_mtu(far_v4, 99, host.now));
    EXPECT_TRUE(host.ip.learn_mtu(far_v6, 600, host.now));
    EXPECT_EQ(host.ip.path_mtu(far_v6), 1280U);
    host.advance(PathMtu::lifetime_ns - 1);
    EXPECT_EQ(host.ip.path_mtu(far_v4), PathMtu::ipv4_min);
    host.advance(1);
    EXPECT_EQ(host.ip.path_mtu(far_v4), 1500U);
    EXPECT_EQ(host.ip.path_mtu(far_v6), 1500U);
}

TEST(IpLayer, PathMtuNeverExceedsThePort) {
    IpHost host;
    EXPECT_TRUE(host.ip.learn_mtu(far_v4, 1400, host.now));
    host.port.settings().mtu = 1300;
    EXPECT_EQ(host.ip.path_mtu(far_v4), 1300U);
    EXPECT_EQ(host.ip.path_mtu(peer_v4), 1300U);
}

TEST(IpLayer, PathMtuTableIsBoundedAndKeepsTheNewest) {
    IpHost host;
    uint32_t known = 0;
    for (uint32_t i = 0; i < 100'000; ++i) {
        host.now += microsecond_ns;
        IpAddress remote = far_v6;
        store_be(remote.octets.data() + 8, i);
        ASSERT_TRUE(host.ip.learn_mtu(remote, 1400, host.now));
        ASSERT_EQ(host.ip.path_mtu(remote), 1400U);
    }
    for (uint32_t i = 0; i < 100'000; ++i) {
        IpAddress remote = far_v6;
        store_be(remote.octets.data() + 8, i);
        known += host.ip.path_mtu(remote) == 1400 ? 1U : 0U;
    }
    EXPECT_EQ(known, PathMtu::sets * PathMtu::ways);
    host.advance(PathMtu::lifetime_ns);
    EXPECT_EQ(host.ip.next_ns(), ~Nanos{0});
}

TEST(IpLayer, EveryFrameIsCountedOnce) {
    IpHost host;
    const Bytes tcp = frames::ethernet(
        our_mac, peer_mac, 0x0800,
        frames::ip({.source = peer_v4, .destination = our_v4}, frames::tcp({}, peer_v4, our_v4)));
    host.hear(tcp);
    Bytes bad = tcp;
    bad[50] = static_cast<uint8_t>(bad[50] ^ 1);
    host.hear(bad);
    host.hear(Bytes(5, 0));
    host.hear(IpHost::arp_request(peer_v4, peer_mac, our_v4));
    host.hear(IpHost::icmp({.type = 8}, peer_v4, our_v4));
    host.hear(IpHost::icmp({.type = 128}, peer_v6, our_v6));
    const IpLayer::Counters& counters = host.ip.counters();
    EXPECT_EQ(counters.tcp_in.value(), 1U);
    EXPECT_EQ(counters.arp_in.value(), 1U);
    EXPECT_EQ(counters.icmp4_in.value(), 1U);
    EXPECT_EQ(counters.icmp6_in.value(), 1U);
    EXPECT_EQ(host.ip.dropped(Drop::l4_checksum), 1U);
    EXPECT_EQ(host.ip.dropped(Drop::frame_short), 1U);
    // By the names of the metrics; the first and the last reason to drop.
    std::map<std::string_view, uint64_t> named_counters;
    for (const NamedCount& one : named(counters)) {
        EXPECT_TRUE(named_counters.emplace(one.name, one.count->value()).second) << one.name;
        EXPECT_FALSE(one.help.empty()) << one.name;
    }
    EXPECT_EQ(named_counters.at("ip_dropped_frame_short"), 1U);
    EXPECT_EQ(named_counters.at("ip_dropped_l4_checksum"), 1U);
    EXPECT_EQ(named_counters.at("ip_echo_out"), counters.echo_out.value());
    uint64_t all = 0;
    for (const auto& [name, value] : named_counters) {
        const bool frame = name.starts_with("ip_dropped_") || name == "ip_tcp_in" ||
                           name == "ip_arp_in" || name == "ip_icmp4_in" || name == "ip_icmp6_in";
        all += frame ? value : 0;
    }
    EXPECT_EQ(all, 6U);  // every frame is one of these
}

// A frame without connection goes back to where its cause came from; no neighbour is needed.
TEST(IpLayer, StatelessAnswerNeedsNoNeighbour) {
    IpHost host;
    host.hear(frames::ethernet(
        our_mac, peer_mac, 0x0800,
        frames::ip({.source = far_v4, .destination = our_v4}, frames::tcp({}, far_v4, our_v4))));
    ASSERT_EQ(host.packet.kind, PacketKind::tcp);
    const Sent answer = send(host, host.packet.flow, {});
    EXPECT_EQ(answer.frame, expected(answer, std::nullopt));
    EXPECT_EQ(host.ip.neighbours().size(), 0U);
}

TEST(FrameOut, TakenFramesComeBackBySendOrDiscard) {
    FakePort port;
    {
        FrameOut out(port);
        TxFrame* frame = out.begin();
        ASSERT_NE(frame, nullptr);
        frame->bytes = 60;
        const TxFrame first = out.take();
        frame = out.begin();
        ASSERT_NE(frame, nullptr);
        ASSERT_NE(frame->data, first.data);
        frame->bytes = 61;
        const TxFrame second = out.take();
        out.send(first);
        out.discard(second);
        out.flush();
        EXPECT_EQ(port.take_sent().size(), 1U);
        EXPECT_EQ(port.discarded(), 1U);
    }
    EXPECT_EQ(port.allocated_out(), 0U);
}

TEST(FrameOut, SendWithoutRoomGivesTheFrameUp) {
    FakePort port;
    {
        FrameOut out(port);
        port.set_transmit_room(0);
        std::vector<TxFrame> taken;
        for (int i = 0; i < 300; ++i) {
            TxFrame* frame = out.begin();
            ASSERT_NE(frame, nullptr);
            frame->bytes = 60;
            taken.push_back(out.take());
        }
        for (const TxFrame& each : taken) {
            out.send(each);
        }
        EXPECT_EQ(out.waiting(), 256U);
        EXPECT_EQ(out.counters().given_up, 44U);
        EXPECT_EQ(out.begin(), nullptr);
    }
    EXPECT_EQ(port.allocated_out(), 0U);
}

}  // namespace
}  // namespace sy::tcpip
