// The groups that neighbours are sought in, as switches are told of them (RFC 3810, RFC 2710).
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/tcpip/ip_host.h"

namespace sy::tcpip {
namespace {

using frames::Bytes;

const IpAddress all_routers = frames::ip_address("ff02::16");
const IpAddress router = frames::ip_address("fe80::99");
const Bytes router_alert{58, 0, 5, 2, 0, 0, 1, 0};

struct Report {
    IpAddress source;
    IpAddress destination;
    uint64_t type = 0;
    std::vector<std::pair<uint64_t, IpAddress>> groups;  // with their record types

    [[nodiscard]] std::vector<IpAddress> listed() const {
        std::vector<IpAddress> out;
        for (const auto& [kind, group] : groups) {
            out.push_back(group);
        }
        return out;
    }
};
bool is_report(const Bytes& frame) {
    return frame.size() > 62 && frames::get(frame, 12, 2) == 0x86dd && frame[14 + 6] == 0 &&
           (frame[62] == 143 || frame[62] == 131);
}
Report read_report(const Bytes& frame) {
    EXPECT_TRUE(is_report(frame));
    EXPECT_EQ(frame[14 + 7], 1) << "hop limit";
    EXPECT_EQ(frames::part(frame, 54, 8), router_alert);
    Report out;
    out.source = IpAddress::from_ipv6(&frame[14 + 8]);
    out.destination = IpAddress::from_ipv6(&frame[14 + 24]);
    EXPECT_EQ(load_mac(frame.data()), multicast_mac(out.destination));
    const Bytes message = frames::part(frame, 62, frame.size() - 62);
    EXPECT_EQ(frames::get(frame, 14 + 4, 2), 8 + message.size());
    EXPECT_EQ(frames::l4_checksum(out.source, out.destination, 58, message), 0);
    out.type = message[0];
    if (out.type == 131) {
        EXPECT_EQ(message.size(), 24U);
        EXPECT_EQ(frames::get(message, 4, 4), 0U);
        out.groups.emplace_back(0, IpAddress::from_ipv6(&message[8]));
        return out;
    }
    const uint64_t count = frames::get(message, 6, 2);
    EXPECT_EQ(message.size(), 8 + 20 * count);
    for (uint64_t i = 0; i < count; ++i) {
        EXPECT_EQ(frames::get(message, 9 + 20 * i, 3), 0U);
        out.groups.emplace_back(message[8 + 20 * i], IpAddress::from_ipv6(&message[12 + 20 * i]));
    }
    return out;
}
std::vector<Report> reports(const std::vector<Bytes>& sent) {
    std::vector<Report> out;
    for (const Bytes& frame : sent) {
        if (is_report(frame)) {
            out.push_back(read_report(frame));
        }
    }
    return out;
}

struct Query {
    IpAddress group = {};  // none: general
    uint16_t delay = 1000;
    bool v1 = false;
    uint8_t code = 0;
    uint8_t hop_limit = 1;
    IpAddress source = router;
    Bytes extension = router_alert;
    size_t cut = 0;  // octets that are missing at its end
};
Bytes query(const Query& in) {
    const IpAddress to = in.group == IpAddress{} ? all_nodes : in.group;
    frames::Icmp message{.type = 130, .code = in.code, .rest = uint32_t{in.delay} << 16};
    frames::append(message.body, in.group.octets);
    if (!in.v1) {
        frames::append(message.body, Bytes{2, 125, 0, 0});
    }
    message.body.resize(message.body.size() - in.cut);
    const uint8_t protocol = in.extension.empty() ? 58 : 0;
    return frames::ethernet(multicast_mac(to), peer_mac, 0x86dd,
                            frames::ip({.source = in.source,
                                        .destination = to,
                                        .protocol = protocol,
                                        .ttl = in.hop_limit,
                                        .options = in.extension},
                                       frames::icmp(message, in.source, to)));
}

// The link-local address ends as our_v6 does: they have one group.
const IpAddress second_v6 = frames::ip_address("2001:db8::77");
const std::vector<IpAddress> our_groups{solicited_node(our_v6), solicited_node(second_v6)};

InterfaceOptions two_groups() {
    return {.addresses = {{our_v6, 64}, {second_v6, 64}}, .duplicate_address_detection = false};
}
InterfaceOptions tentative() {
    return {.addresses = {{our_v6, 64}, {second_v6, 64}}};
}

TEST(Listener, JoinsBeforeItAsksForDuplicatesAndAgainWithASource) {
    IpHost host(tentative());
    host.ip.start(host.now);
    host.out.flush();
    const auto first = host.sent();
    ASSERT_GE(first.size(), 3U);
    const Report begun = read_report(first[0]);
    EXPECT_EQ(begun.source, unspecified_v6);
    EXPECT_EQ(begun.destination, all_routers);
    EXPECT_EQ(begun.type, 143U);
    EXPECT_EQ(begun.listed(), our_groups);
    EXPECT_EQ(begun.groups[0].first, 4U);
    EXPECT_EQ(first[1][54], 135);  // then duplicate detection
    host.advance(1 * second_ns);
    const auto usable = reports(host.sent());
    ASSERT_GE(usable.size(), 2U);
    EXPECT_EQ(usable.back().source, our_link_local);
    EXPECT_EQ(usable.back().listed(), our_groups);
    host.advance(3 * second_ns);
    const auto repeated = reports(host.sent());
    ASSERT_EQ(repeated.size(), 1U);
    EXPECT_EQ(repeated[0].source, our_link_local);
    host.advance(1000 * second_ns);
    EXPECT_TRUE(reports(host.sent()).empty());
    EXPECT_EQ(host.ip.counters().mld_reports_out.value(), 2 + usable.size());
}

TEST(Listener, JoinsAgainWhenTheLinkComesBack) {
    IpHost host(two_groups());
    host.ip.start(host.now);
    host.advance(10 * second_ns);
    EXPECT_EQ(reports(host.sent()).size(), 2U);
    host.ip.start(host.now);
    host.advance(10 * second_ns);
    EXPECT_EQ(reports(host.sent()).size(), 2U);
}

TEST(Listener, AnswersAGeneralQueryWithinItsDelay) {
    std::vector<Nanos> waited;
    for (int i = 0; i < 50; ++i) {
        IpHost host(two_groups());
        host.now += static_cast<Nanos>(i) * second_ns;
        IpHost::Bytes frame = query({.delay = 1000});
        for (int again = 0; again <= i; ++again) {  // another place in its random numbers
            host.hear(frame);
            host.advance(10 * second_ns);
            host.sent();
        }
        const Nanos asked = host.now;
        host.hear(frame);
        ASSERT_LE(host.ip.next_ns(), asked + second_ns);
        waited.push_back(host.ip.next_ns() - asked);
        host.advance(second_ns);
        const Report answer = read_report(host.sent_one());
        EXPECT_EQ(answer.source, our_link_local);
        EXPECT_EQ(answer.destination, all_routers);
        EXPECT_EQ(answer.listed(), our_groups);
        EXPECT_EQ(answer.groups[0].first, 2U);
    }
    std::ranges::sort(waited);
    EXPECT_LT(waited.front(), second_ns / 4);
    EXPECT_GT(waited.back(), second_ns * 3 / 4);
}

TEST(Listener, LongDelaysAreMantissaAndExponent) {
    IpHost host(two_groups());
    // 0x8000: 0x1000 << 3 ms, 32.768 s.
    host.hear(query({.delay = 0x8000}));
    host.advance(32'768 * millisecond_ns);
    EXPECT_EQ(reports(host.sent()).size(), 1U);
}

TEST(Listener, OfTwoQueriesTheSoonerAnswerDoes) {
    IpHost host(two_groups());
    host.hear(query({.delay = 10'000}));
    host.hear(query({.delay = 1}));
    host.advance(millisecond_ns);
    EXPECT_EQ(reports(host.sent()).size(), 1U);
    host.advance(20 * second_ns);
    EXPECT_TRUE(host.sent().empty());
}

TEST(Listener, QueriesForGroupsOfOthersAreNotAnswered) {
    IpHost host(two_groups());
    host.hear(query({.group = solicited_node(our_v6), .delay = 0}));
    host.ip.tick(host.now);
    host.out.flush();
    EXPECT_EQ(read_report(host.sent_one()).listed(), our_groups);
    // Asked of all, about one.
    Bytes other = query({.delay = 0});
    const IpAddress group = solicited_node(frames::ip_address("2001:db8::abcd"));
    std::ranges::copy(group.octets, other.begin() + 62 + 8);
    frames::put16(other, 64, 0);
    const Bytes message = frames::part(other, 62, other.size() - 62);
    frames::put16(other, 64, frames::l4_checksum(router, all_nodes, 58, message));
    host.hear(other);
    host.hear(query({.group = all_nodes, .delay = 0}));
    host.advance(10 * second_ns);
    EXPECT_TRUE(host.sent().empty());
    EXPECT_EQ(host.ip.counters().mld_queries_in.value(), 3U);
}

TEST(Listener, SpeaksVersion1AsLongAsItsQuerierIsHeard) {
    IpHost host(two_groups());
    host.hear(query({.delay = 0, .v1 = true}));
    host.advance(millisecond_ns);
    const auto first = reports(host.sent());
    ASSERT_EQ(first.size(), 2U);
    for (size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(first[i].type, 131U);
        EXPECT_EQ(first[i].destination, our_groups[i]);
        EXPECT_EQ(first[i].listed(), std::vector<IpAddress>{our_groups[i]});
    }
    host.advance(259 * second_ns);
    host.hear(query({.delay = 0}));
    host.advance(millisecond_ns);
    EXPECT_EQ(reports(host.sent()).at(0).type, 131U);
    host.advance(2 * second_ns);
    host.hear(query({.delay = 0}));
    host.advance(millisecond_ns);
    EXPECT_EQ(read_report(host.sent_one()).type, 143U);
}

TEST(Listener, BadQueriesAreCountedAndNotAnswered) {
    const Bytes padding{58, 0, 1, 4, 0, 0, 0, 0};
    const Bytes cases[] = {
        query({.delay = 0, .hop_limit = 255}),
        query({.delay = 0, .source = peer_v6}),
        query({.delay = 0, .extension = {}}),
        query({.delay = 0, .extension = padding}),
        query({.delay = 0, .code = 1}),
        query({.delay = 0, .cut = 1}),
        query({.delay = 0, .v1 = true, .cut = 1}),
    };
    IpHost host(two_groups());
    for (const Bytes& frame : cases) {
        host.hear(frame);
    }
    host.advance(10 * second_ns);
    EXPECT_TRUE(host.sent().empty());
    EXPECT_EQ(host.ip.counters().mld_bad.value(), std::size(cases));
    EXPECT_EQ(host.ip.counters().mld_queries_in.value(), 0U);
}

TEST(Listener, AFloodOfQueriesIsAnsweredTenTimesASecond) {
    IpHost host(two_groups());
    for (int i = 0; i < 10'000; ++i) {
        host.hear(query({.delay = 0, .v1 = true}));
        host.advance(millisecond_ns);
    }
    const uint64_t limited = host.ip.counters().mld_limited.value();
    const uint64_t answered = reports(host.sent()).size() / our_groups.size();
    EXPECT_GE(answered, 100U);
    EXPECT_LE(answered, 125U);
    EXPECT_EQ(answered + limited, 10'000U);
    EXPECT_EQ(host.ip.counters().mld_queries_in.value(), 10'000U);
}

TEST(Listener, AnAddressThatWasADuplicateIsNotReported) {
    IpHost host(tentative());
    host.ip.start(host.now);
    host.hear(IpHost::discovery({.type = 136, .flags = 0x20, .target = second_v6, .mac = peer_mac},
                                second_v6, all_nodes));
    host.advance(10 * second_ns);
    EXPECT_EQ(host.ip.counters().duplicates.value(), 1U);
    EXPECT_EQ(reports(host.sent()).back().listed(), std::vector<IpAddress>{solicited_node(our_v6)});
}

TEST(Listener, OneWorkerOfAPortJoinsAnyAnswers) {
    InterfaceOptions options = two_groups();
    options.announces = false;
    IpHost host(options);
    host.ip.start(host.now);
    host.advance(10 * second_ns);
    EXPECT_TRUE(reports(host.sent()).empty());
    host.hear(query({.delay = 0}));
    host.advance(millisecond_ns);
    EXPECT_EQ(reports(host.sent()).size(), 1U);
}

TEST(Listener, NothingIsSaidWithoutIpv6) {
    IpHost host({.addresses = {{our_v4, 24}}});
    host.ip.start(host.now);
    host.advance(10 * second_ns);
    EXPECT_TRUE(reports(host.sent()).empty());
}

}  // namespace
}  // namespace sy::tcpip
