#include "io/sim/packet_link.h"

#include <string>

#include <gtest/gtest.h>

namespace sy::sim {
namespace {

using tcpip::RxFrame;
using tcpip::TxFrame;

constexpr uint8_t address_a[4] = {10, 0, 0, 1};
constexpr uint8_t address_b[4] = {10, 0, 0, 2};

struct Segment {
    uint32_t seq = 0;
    uint8_t flags = tcp_flag::ack;
    std::string options{};  // padded by the caller to whole words
    std::string payload{};
    bool ipv6 = false;
};

IpAddress address(uint32_t end, bool ipv6) {
    if (!ipv6) {
        return IpAddress::from_ipv4(end == 0 ? address_a : address_b);
    }
    IpAddress out;
    out.octets[0] = 0xfd;
    out.octets[15] = static_cast<uint8_t>(end + 1);
    return out;
}

/// Writes a segment from `end` to the other one; complete with checksums.
uint32_t write_segment(std::span<uint8_t> out, uint32_t end, const Segment& segment) {
    const IpHeader header{.source_mac = {2, 0, 0, 0, 0, static_cast<uint8_t>(end + 1)},
                          .destination_mac = {2, 0, 0, 0, 0, static_cast<uint8_t>(2 - end)},
                          .source = address(end, segment.ipv6),
                          .destination = address(1 - end, segment.ipv6)};
    const auto tcp_header = static_cast<uint32_t>(tcp_bytes + segment.options.size());
    const auto l4 = static_cast<uint32_t>(tcp_header + segment.payload.size());
    write_ip_header(out, header, l4);
    const uint32_t at = ip_header_bytes(header);
    ByteWriter writer(out.subspan(at));
    writer.integer(uint16_t{1000});
    writer.integer(uint16_t{2000});
    writer.integer(segment.seq);
    writer.integer(uint32_t{77});
    writer.integer(static_cast<uint8_t>(tcp_header / 4 << 4));
    writer.integer(segment.flags);
    writer.integer(uint16_t{500});
    writer.integer(uint32_t{0});
    writer.octets(as_octets(segment.options));
    writer.octets(as_octets(segment.payload));
    const auto frame = out.first(at + l4);
    write_l4_checksum(frame, parse_packet(frame));
    return at + l4;
}

PacketLinkOptions roomy() {
    PacketLinkOptions options;
    options.inbox_max = 4096;
    return options;
}

struct Wire {
    explicit Wire(const LinkFaults& faults,
                  const PacketLinkOptions& options = roomy(),
                  uint64_t seed = 1)
        : link(seed, options) {
        link.set_faults(0, faults);
    }

    void send(const Segment& segment, uint32_t end = 0) {
        TxFrame frame;
        ASSERT_EQ(link.port(end).allocate({&frame, 1}), 1U);
        frame.bytes = write_segment({frame.data, frame.capacity}, end, segment);
        ASSERT_EQ(link.port(end).transmit({&frame, 1}), 1U);
    }
    void send_numbered(uint32_t count, uint32_t payload_bytes = 100) {
        for (uint32_t i = 0; i < count; ++i) {
            send(
                {.seq = i, .payload = std::string(payload_bytes, static_cast<char>('a' + i % 26))});
        }
    }
    /// All frames that arrived until `for_ns` from now, as octets.
    std::vector<std::string> drain(uint32_t end = 1, Nanos for_ns = second_ns) {
        std::vector<std::string> out;
        link.advance_to(link.now_ns() + for_ns);
        RxFrame frames[7];
        for (;;) {
            const uint32_t count = link.port(end).receive(frames);
            if (count == 0) {
                return out;
            }
            for (uint32_t i = 0; i < count; ++i) {
                out.emplace_back(as_chars({frames[i].data, frames[i].bytes}));
            }
            link.port(end).release({frames, count});
        }
    }
    static std::vector<uint32_t> seqs(const std::vector<std::string>& frames) {
        std::vector<uint32_t> out;
        for (const std::string& frame : frames) {
            const Packet packet = parse_packet(as_octets(frame));
            EXPECT_EQ(packet.kind, PacketKind::tcp);
            out.push_back(packet.seq);
        }
        return out;
    }

    PacketLink link;
};

std::vector<uint32_t> first_numbers(uint32_t count) {
    std::vector<uint32_t> out;
    for (uint32_t i = 0; i < count; ++i) {
        out.push_back(i);
    }
    return out;
}

TEST(PacketLink, CleanWireCarriesFramesUnchangedInOrderAfterItsDelay) {
    Wire wire({.delay_ns = 5 * millisecond_ns});
    const Nanos start = wire.link.now_ns();
    wire.send_numbered(3);
    EXPECT_EQ(wire.link.next_event_ns(), start + 5 * millisecond_ns);
    wire.link.advance_to(start + 5 * millisecond_ns - 1);
    EXPECT_EQ(wire.link.waiting(1), 0U);
    const auto frames = wire.drain(1, 1);
    EXPECT_EQ(Wire::seqs(frames), first_numbers(3));
    for (const std::string& frame : frames) {
        const Packet packet = parse_packet(as_octets(frame));
        EXPECT_TRUE(ip_checksum_good(as_octets(frame), packet));
        EXPECT_TRUE(l4_checksum_good(as_octets(frame), packet));
    }
    EXPECT_EQ(frames[1].substr(frames[1].size() - 100), std::string(100, 'b'));
    EXPECT_EQ(wire.link.buffers_used(), 0U);
    EXPECT_EQ(wire.link.next_event_ns(), no_event_ns);
}

TEST(PacketLink, BothDirectionsAreApart) {
    Wire wire({.loss = 1000});
    wire.send({.seq = 1}, 0);
    wire.send({.seq = 2}, 1);
    EXPECT_EQ(Wire::seqs(wire.drain(1)), std::vector<uint32_t>{});
    EXPECT_EQ(Wire::seqs(wire.drain(0)), std::vector<uint32_t>{2});
    EXPECT_EQ(wire.link.counters(0).lost, 1U);
    EXPECT_EQ(wire.link.counters(1).delivered, 1U);
}

TEST(PacketLink, LosesAboutAsManyAsAsked) {
    Wire wire({.loss = 300});
    wire.send_numbered(2000, 1);
    const size_t got = wire.drain().size();
    EXPECT_GT(got, 1300U);
    EXPECT_LT(got, 1500U);
    EXPECT_EQ(got + wire.link.counters(0).lost, 2000U);
}

// Losses of a Gilbert-Elliott channel come in runs: of mean 1000 / burst_leave = 10 here.
TEST(PacketLink, BurstsLoseRunsOfFrames) {
    Wire wire({.burst_enter = 10, .burst_leave = 100});
    wire.send_numbered(3000, 1);
    const auto seqs = Wire::seqs(wire.drain());
    size_t runs = 0;
    for (size_t i = 1; i < seqs.size(); ++i) {
        runs += seqs[i] != seqs[i - 1] + 1 ? 1U : 0U;
    }
    ASSERT_GT(runs, 5U);
    EXPECT_GT((3000 - seqs.size()) / runs, 4U);
}

TEST(PacketLink, DuplicatesAreEqualToTheFirst) {
    Wire wire({.duplicate = 1000});
    wire.send_numbered(2);
    const auto frames = wire.drain();
    ASSERT_EQ(frames.size(), 4U);
    EXPECT_EQ(frames[0], frames[1]);
    EXPECT_EQ(frames[2], frames[3]);
    EXPECT_EQ(wire.link.buffers_used(), 0U);
}

TEST(PacketLink, ReorderLetsFewFramesOvertakeAndLosesNone) {
    Wire wire({.reorder = 100, .reorder_frames_max = 2});
    wire.send_numbered(500, 1);
    auto seqs = Wire::seqs(wire.drain());
    EXPECT_EQ(seqs.size(), 500U);
    EXPECT_GT(wire.link.counters(0).reordered, 20U);
    EXPECT_FALSE(std::is_sorted(seqs.begin(), seqs.end()));
    for (size_t i = 0; i < seqs.size(); ++i) {
        // Held frames do not count as passing ones, so a run of them adds up.
        EXPECT_LE(seqs[i] > i ? seqs[i] - i : i - seqs[i], 8U);
    }
    std::sort(seqs.begin(), seqs.end());
    EXPECT_EQ(seqs, first_numbers(500));
}

TEST(PacketLink, HeldFrameComesByItselfWhenNothingFollows) {
    Wire wire({.reorder = 1000, .reorder_ns_max = 30 * millisecond_ns});
    wire.send_numbered(1);
    EXPECT_EQ(wire.drain(1, 30 * millisecond_ns).size(), 1U);
}

TEST(PacketLink, JitterKeepsOrderUnlessToldOtherwise) {
    Wire ordered({.delay_ns = millisecond_ns, .jitter_ns = 10 * millisecond_ns});
    ordered.send_numbered(100, 1);
    EXPECT_EQ(Wire::seqs(ordered.drain()), first_numbers(100));
    Wire unordered({.delay_ns = millisecond_ns,
                    .jitter_ns = 10 * millisecond_ns,
                    .jitter_keeps_order = false});
    unordered.send_numbered(100, 1);
    const auto seqs = Wire::seqs(unordered.drain());
    EXPECT_EQ(seqs.size(), 100U);
    EXPECT_FALSE(std::is_sorted(seqs.begin(), seqs.end()));
}

TEST(PacketLink, BandwidthSpacesFramesAndAFullQueueDropsTheTail) {
    // 1000 octets a frame with headers (54 + 946), 8 Mbit/s: one a millisecond; room for 5.
    Wire wire({.bits_per_second = 8'000'000, .queue_bytes_max = 5000});
    wire.send_numbered(8, 946);
    EXPECT_EQ(wire.link.counters(0).queue_full, 3U);
    for (uint32_t i = 0; i < 5; ++i) {
        EXPECT_EQ(wire.drain(1, millisecond_ns - 1).size(), 0U);
        EXPECT_EQ(Wire::seqs(wire.drain(1, 1)), std::vector<uint32_t>{i});
    }
    wire.send_numbered(1);
    EXPECT_EQ(wire.drain().size(), 1U);
}

TEST(PacketLink, CorruptFlipsOneBitThatAChecksumCatches) {
    for (const bool ipv6 : {false, true}) {
        Wire wire({.corrupt = 1000});
        for (uint32_t i = 0; i < 500; ++i) {
            wire.send({.seq = i, .payload = "some octets", .ipv6 = ipv6});
        }
        size_t undetected = 0;
        for (const std::string& frame : wire.drain()) {
            uint8_t good[200];
            Packet packet = parse_packet(as_octets(frame));
            const bool detected = packet.kind != PacketKind::tcp ||
                                  !ip_checksum_good(as_octets(frame), packet) ||
                                  !l4_checksum_good(as_octets(frame), packet);
            undetected += detected ? 0U : 1U;
            const uint32_t bytes =
                write_segment(good, 0, {.seq = packet.seq, .payload = "some octets", .ipv6 = ipv6});
            EXPECT_EQ(bytes, frame.size());
        }
        // IPv6 sums neither traffic class, flow label nor hop limit: 36 bits of 71 octets.
        EXPECT_LE(undetected, ipv6 ? 60U : 0U);
        EXPECT_EQ(wire.link.counters(0).corrupted, 500U);
    }
}

TEST(PacketLink, TruncateAndPadChangeTheFramesEndOnly) {
    Wire shorter({.truncate = 1000});
    shorter.send_numbered(20);
    for (const std::string& frame : shorter.drain()) {
        EXPECT_LT(frame.size(), 154U);
        EXPECT_GE(frame.size(), 15U);
    }
    Wire longer({.pad = 1000});
    longer.send_numbered(20);
    const auto frames = longer.drain();
    EXPECT_EQ(Wire::seqs(frames), first_numbers(20));
    for (const std::string& frame : frames) {
        EXPECT_GT(frame.size(), 154U);
        EXPECT_LE(frame.size(), 200U);
        EXPECT_EQ(parse_packet(as_octets(frame)).payload_bytes(), 100U);
    }
}

TEST(PacketLink, BlackoutSwallowsWhatIsSentWithinIt) {
    PacketLinkOptions options;
    Wire wire({.blackouts = {{2 * second_ns, 3 * second_ns}}}, options);
    wire.send({.seq = 0});
    wire.link.advance_to(2 * second_ns);
    wire.send({.seq = 1});
    wire.link.advance_to(3 * second_ns);
    wire.send({.seq = 2});
    EXPECT_EQ(Wire::seqs(wire.drain()), (std::vector<uint32_t>{0, 2}));
}

TEST(PacketLink, LinkDownLosesBothWays) {
    Wire wire({});
    wire.link.set_link_up(0, false);
    EXPECT_FALSE(wire.link.port(0).info().link_up);
    wire.send({.seq = 1}, 0);
    wire.send({.seq = 2}, 1);
    EXPECT_TRUE(wire.drain(1).empty());
    EXPECT_TRUE(wire.drain(0).empty());
    wire.link.set_link_up(0, true);
    wire.send({.seq = 3}, 0);
    EXPECT_EQ(Wire::seqs(wire.drain(1)), std::vector<uint32_t>{3});
    EXPECT_EQ(wire.link.buffers_used(), 0U);
}

TEST(PacketLink, TooBigIsAnsweredWithTheNextHopMtuAndTheQuotedHeader) {
    for (const bool ipv6 : {false, true}) {
        Wire wire({.delay_ns = millisecond_ns, .mtu = 1280});
        const uint32_t fits = 1280 - tcp_bytes - (ipv6 ? ipv6_bytes : ipv4_bytes);
        wire.send({.seq = 5, .payload = std::string(fits, 'x'), .ipv6 = ipv6});
        wire.send({.seq = 6, .payload = std::string(fits + 1, 'x'), .ipv6 = ipv6});
        EXPECT_EQ(Wire::seqs(wire.drain(1)), std::vector<uint32_t>{5});
        const auto answers = wire.drain(0);
        ASSERT_EQ(answers.size(), 1U);
        const Octets answer = as_octets(answers[0]);
        const Packet packet = parse_packet(answer);
        ASSERT_EQ(packet.kind, PacketKind::icmp);
        EXPECT_TRUE(ip_checksum_good(answer, packet));
        EXPECT_TRUE(l4_checksum_good(answer, packet));
        EXPECT_EQ(packet.destination, address(0, ipv6));
        EXPECT_EQ(answer[packet.l4], ipv6 ? 2 : 3);
        EXPECT_EQ(answer[packet.l4 + 1], ipv6 ? 0 : 4);
        EXPECT_EQ(load_be<uint32_t>(answer.data() + packet.l4 + 4), 1280U);
        const size_t quoted_tcp = packet.l4 + 8 + (ipv6 ? ipv6_bytes : ipv4_bytes);
        EXPECT_EQ(load_be<uint32_t>(answer.data() + quoted_tcp + 4), 6U);
        EXPECT_LE(packet.ip_total_bytes(), 1280U);
    }
}

TEST(PacketLink, BlackHoleAnswersNothing) {
    Wire wire({.mtu = 1000, .mtu_silent = true});
    wire.send({.payload = std::string(1400, 'x')});
    EXPECT_TRUE(wire.drain(1).empty());
    EXPECT_TRUE(wire.drain(0).empty());
    EXPECT_EQ(wire.link.counters(0).too_big, 1U);
}

TEST(PacketLink, RulesMeetTheSegmentsThatTheyName) {
    const LinkFaults faults{
        .rules = {{.flags_mask = tcp_flag::syn, .flags_match = tcp_flag::syn, .count = 2},
                  {.data_only = true, .skip = 1, .action = MatchRule::Action::duplicate},
                  {.flags_mask = tcp_flag::fin,
                   .flags_match = tcp_flag::fin,
                   .action = MatchRule::Action::delay,
                   .delay_ns = millisecond_ns}}};
    Wire wire(faults);
    wire.send({.seq = 0, .flags = tcp_flag::syn});
    wire.send({.seq = 1, .flags = tcp_flag::syn});
    wire.send({.seq = 2, .flags = tcp_flag::syn});
    wire.send({.seq = 3, .payload = "a"});
    wire.send({.seq = 4, .flags = tcp_flag::fin | tcp_flag::ack});
    wire.send({.seq = 5, .payload = "b"});
    wire.send({.seq = 6, .payload = "c"});
    EXPECT_EQ(Wire::seqs(wire.drain()), (std::vector<uint32_t>{2, 3, 5, 5, 6, 4}));
    EXPECT_EQ(wire.link.counters(0).rule_hits, 4U);
}

// MSS 1460, SACK permitted, timestamps, NOP, window scale 7.
const std::string syn_options("\x02\x04\x05\xb4\x04\x02\x08\x0a\0\0\0\x01\0\0\0\0\x01\x03\x03\x07",
                              20);

TEST(PacketLink, StripsOptionsInTheChosenKindOfSegmentOnly) {
    const LinkFaults faults{.strip_in_syn = {.window_scale = true, .timestamps = true},
                            .mss_max = 1000};
    Wire wire(faults);
    wire.send({.flags = tcp_flag::syn, .options = syn_options});
    wire.send({.flags = tcp_flag::syn | tcp_flag::ack, .options = syn_options});
    wire.send({.flags = tcp_flag::ack, .options = syn_options});
    const auto frames = wire.drain();
    ASSERT_EQ(frames.size(), 3U);
    const auto options = [&](size_t i) {
        std::string frame = frames[i];
        const Packet packet = parse_packet(as_octets(frame));
        EXPECT_TRUE(l4_checksum_good(as_octets(frame), packet));
        return frame.substr(packet.l4 + tcp_bytes, packet.payload - packet.l4 - tcp_bytes);
    };
    EXPECT_EQ(options(0), std::string("\x02\x04\x03\xe8\x04\x02") + std::string(14, 1));
    std::string lower = syn_options;
    lower.replace(2, 2, "\x03\xe8");
    EXPECT_EQ(options(1), lower);
    EXPECT_EQ(options(2), syn_options);
}

TEST(PacketLink, BadChecksumStaysBadWhenOptionsAreStripped) {
    Wire wire({.strip_in_syn = {.timestamps = true}});
    TxFrame frame;
    ASSERT_EQ(wire.link.port(0).allocate({&frame, 1}), 1U);
    frame.bytes = write_segment({frame.data, frame.capacity}, 0,
                                {.flags = tcp_flag::syn, .options = syn_options});
    frame.data[frame.bytes - 1] ^= 1;
    ASSERT_EQ(wire.link.port(0).transmit({&frame, 1}), 1U);
    const auto frames = wire.drain();
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_FALSE(l4_checksum_good(as_octets(frames[0]), parse_packet(as_octets(frames[0]))));
}

TEST(PacketLink, RefusingPortTakesAPartFromTheFront) {
    Wire wire({.refuse_allocate = 500, .refuse_transmit = 500});
    uint32_t sent = 0;
    for (int round = 0; round < 200; ++round) {
        TxFrame frames[4];
        const uint32_t got = wire.link.port(0).allocate(frames);
        for (uint32_t i = 0; i < got; ++i) {
            frames[i].bytes =
                write_segment({frames[i].data, frames[i].capacity}, 0, {.seq = sent + i});
        }
        const uint32_t took = wire.link.port(0).transmit({frames, got});
        wire.link.port(0).discard(std::span(frames).subspan(took, got - took));
        sent += took;
    }
    EXPECT_GT(wire.link.counters(0).refused, 100U);
    EXPECT_LT(sent, 700U);
    EXPECT_EQ(Wire::seqs(wire.drain()), first_numbers(sent));
    EXPECT_EQ(wire.link.buffers_held(0), 0U);
}

TEST(PacketLink, CountsBuffersThatAreHeld) {
    PacketLinkOptions options;
    options.buffers = 8;
    Wire wire({}, options);
    TxFrame frames[16];
    EXPECT_EQ(wire.link.port(0).allocate(frames), 8U);
    EXPECT_EQ(wire.link.buffers_held(0), 8U);
    EXPECT_EQ(wire.link.counters(0).no_buffer, 1U);
    wire.link.port(0).discard({frames, 8});
    wire.send({});
    wire.link.advance_to(2 * second_ns);
    RxFrame frame;
    EXPECT_EQ(wire.link.port(1).receive({&frame, 1}), 1U);
    EXPECT_EQ(wire.link.buffers_held(1), 1U);
    EXPECT_EQ(wire.link.buffers_used(), 1U);
    wire.link.port(1).release({&frame, 1});
    EXPECT_EQ(frame.data[0], 0xdd) << "a released frame must not keep its octets";
    EXPECT_EQ(wire.link.buffers_used(), 0U);
}

TEST(PacketLinkDeathTest, BufferGivenBackTwiceStopsTheProgram) {
    Wire wire({});
    TxFrame frame;
    ASSERT_EQ(wire.link.port(0).allocate({&frame, 1}), 1U);
    wire.link.port(0).discard({&frame, 1});
    EXPECT_DEATH(wire.link.port(0).discard({&frame, 1}), "owner");
}

TEST(PacketLink, FullInboxDrops) {
    PacketLinkOptions options;
    options.inbox_max = 16;
    Wire wire({}, options);
    wire.send_numbered(20);
    EXPECT_EQ(Wire::seqs(wire.drain()), first_numbers(16));
    EXPECT_EQ(wire.link.counters(0).inbox_full, 4U);
    wire.send_numbered(2);
    EXPECT_EQ(wire.drain().size(), 2U);
}

// The stack leaves the pseudo-header sum; the device adds the rest.
TEST(PacketLink, CompletesChecksumsThatItOffers) {
    PacketLinkOptions options;
    options.tx_ip_checksum = options.tx_tcp_checksum = options.rx_checksum = true;
    for (const bool wrong : {false, true}) {
        Wire wire({}, options);
        TxFrame frame;
        ASSERT_EQ(wire.link.port(0).allocate({&frame, 1}), 1U);
        frame.bytes = write_segment({frame.data, frame.capacity}, 0, {.payload = "payload"});
        const Packet packet = parse_packet({frame.data, frame.bytes});
        const uint64_t pseudo = pseudo_header_sum(packet, protocol_tcp, wrong ? 0 : 27);
        store_be(frame.data + packet.l4 + 16, static_cast<uint16_t>(~fold_checksum(pseudo)));
        store_be(frame.data + packet.l3 + 10, uint16_t{0});
        frame.ip_checksum = frame.tcp_checksum = true;
        frame.l2_bytes = 14;
        frame.l3_bytes = 20;
        frame.l4_bytes = 20;
        ASSERT_EQ(wire.link.port(0).transmit({&frame, 1}), 1U);
        wire.link.advance_to(2 * second_ns);
        RxFrame got;
        ASSERT_EQ(wire.link.port(1).receive({&got, 1}), wrong ? 0U : 1U);
        EXPECT_EQ(wire.link.counters(0).bad_frames, wrong ? 1U : 0U);
        if (!wrong) {
            EXPECT_EQ(got.ip_checksum, tcpip::ChecksumState::good);
            EXPECT_EQ(got.l4_checksum, tcpip::ChecksumState::good);
            wire.link.port(1).release({&got, 1});
        }
    }
}

TEST(PacketLink, CutsSegmentsThatAreLargerThanTheMtu) {
    PacketLinkOptions options;
    options.tx_tcp_checksum = true;
    options.tso_bytes_max = 10'000;
    Wire wire({}, options);
    TxFrame frame;
    ASSERT_EQ(wire.link.port(0).allocate({&frame, 1}), 1U);
    std::string payload;
    for (int i = 0; i < 2500; ++i) {
        payload += static_cast<char>(i % 251);
    }
    frame.bytes = write_segment(
        {frame.data, frame.capacity}, 0,
        {.seq = 0xffffff00, .flags = tcp_flag::ack | tcp_flag::fin, .payload = payload});
    const Packet whole = parse_packet({frame.data, frame.bytes});
    store_be(frame.data + whole.l4 + 16,
             static_cast<uint16_t>(~fold_checksum(pseudo_header_sum(whole, protocol_tcp, 0))));
    frame.tcp_checksum = true;
    frame.l2_bytes = 14;
    frame.l3_bytes = 20;
    frame.l4_bytes = 20;
    frame.segment_bytes = 1000;
    ASSERT_EQ(wire.link.port(0).transmit({&frame, 1}), 1U);
    const auto frames = wire.drain();
    EXPECT_EQ(Wire::seqs(frames),
              (std::vector<uint32_t>{0xffffff00, 0xffffff00 + 1000, 0xffffff00 + 2000}));
    std::string joined;
    for (const std::string& segment : frames) {
        const Packet packet = parse_packet(as_octets(segment));
        EXPECT_TRUE(ip_checksum_good(as_octets(segment), packet));
        EXPECT_TRUE(l4_checksum_good(as_octets(segment), packet));
        EXPECT_EQ(packet.has(tcp_flag::fin), &segment == &frames.back());
        joined += segment.substr(packet.payload);
    }
    EXPECT_EQ(joined, payload);
    EXPECT_EQ(wire.link.buffers_used(), 0U);
}

TEST(PacketLink, SameSeedGivesTheSameBytes) {
    const LinkFaults faults{.loss = 100,
                            .burst_enter = 20,
                            .duplicate = 100,
                            .reorder = 100,
                            .delay_ns = millisecond_ns,
                            .jitter_ns = millisecond_ns,
                            .corrupt = 100,
                            .truncate = 50,
                            .pad = 50};
    const auto run = [&](uint64_t seed) {
        Wire wire(faults, roomy(), seed);
        std::string all;
        for (int i = 0; i < 20; ++i) {
            wire.send_numbered(20);
            for (const std::string& frame : wire.drain(1, 3 * millisecond_ns)) {
                all += frame;
            }
        }
        wire.drain();
        EXPECT_EQ(wire.link.buffers_used(), 0U);
        return std::pair(wire.link.hash(), all);
    };
    EXPECT_EQ(run(5), run(5));
    EXPECT_NE(run(5).first, run(6).first);
}

TEST(PcapWriter, WritesAFileThatAReaderCanWalk) {
    const std::string path = ::testing::TempDir() + "packet_link_test.pcap";
    PcapWriter pcap;
    ASSERT_TRUE(pcap.open(path).has_value());
    Wire wire({.delay_ns = 1'234'567});
    wire.link.set_pcap(0, &pcap);
    wire.send({.flags = tcp_flag::syn, .options = syn_options});
    wire.send({.seq = 1, .payload = "hello", .ipv6 = true}, 1);
    wire.drain();
    ASSERT_TRUE(pcap.close().has_value());
    std::FILE* file = std::fopen(path.c_str(), "rb");
    ASSERT_NE(file, nullptr);
    std::string bytes(4096, '\0');
    bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
    std::fclose(file);
    uint32_t words[10];
    ASSERT_GE(bytes.size(), sizeof words);
    std::memcpy(words, bytes.data(), sizeof words);
    EXPECT_EQ(words[0], 0xa1b23c4dU);
    EXPECT_EQ(words[5], 1U);
    EXPECT_EQ(words[6], 1U) << "seconds";
    EXPECT_EQ(words[8], 14U + 20 + 40);
    EXPECT_EQ(bytes.size(), 24U + 16 + 74 + 16 + 14 + 40 + 20 + 5);
}

TEST(PcapWriter, SaysWhatItCannotOpen) {
    PcapWriter pcap;
    const auto opened = pcap.open("/nowhere/at/all.pcap");
    ASSERT_FALSE(opened.has_value());
    EXPECT_NE(opened.error().text.find("/nowhere/at/all.pcap"), std::string::npos);
}

}  // namespace
}  // namespace sy::sim
