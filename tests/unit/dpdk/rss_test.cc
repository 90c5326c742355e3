// The Toeplitz table against Microsoft's verification suite and against DPDK's bit by bit form.
#include "io/dpdk/rss.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include <rte_thash.h>

#include "core/base/prng.h"
#include "tests/unit/dpdk/packets.h"

namespace sy::dpdk {
namespace {

using test::flow;

constexpr RssKey microsoft_key{0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
                               0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
                               0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
                               0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

TEST(Toeplitz, MicrosoftsVectorsForIpv4) {
    const Toeplitz toeplitz(microsoft_key);
    EXPECT_EQ(toeplitz.hash(flow("66.9.149.187", 2794, "161.142.100.80", 1766)), 0x51ccc178u);
    EXPECT_EQ(toeplitz.hash(flow("199.92.111.2", 14230, "65.69.140.83", 4739)), 0xc626b0eau);
    EXPECT_EQ(toeplitz.hash(flow("24.19.198.95", 12898, "12.22.207.184", 38024)), 0x5c2b394au);
    EXPECT_EQ(toeplitz.hash(flow("38.27.205.30", 48228, "209.142.163.6", 2217)), 0xafc7327fu);
    EXPECT_EQ(toeplitz.hash(flow("153.39.163.191", 44251, "202.188.127.2", 1303)), 0x10e828a2u);
}

TEST(Toeplitz, MicrosoftsVectorsForIpv6) {
    const Toeplitz toeplitz(microsoft_key);
    EXPECT_EQ(toeplitz.hash(flow("3ffe:2501:200:1fff::7", 2794, "3ffe:2501:200:3::1", 1766)),
              0x40207d3du);
    EXPECT_EQ(toeplitz.hash(flow("3ffe:501:8::260:97ff:fe40:efab", 14230, "ff02::1", 4739)),
              0xdde51bbfu);
    EXPECT_EQ(toeplitz.hash(flow("3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251,
                                 "fe80::200:f8ff:fe21:67cf", 38024)),
              0x02d1feefu);
}

tcpip::FlowKey random_flow(Prng& prng, bool ipv4) {
    const auto address = [&] {
        std::array<uint8_t, 16> octets{};
        for (uint8_t& octet : octets) {
            octet = static_cast<uint8_t>(prng());
        }
        return ipv4 ? tcpip::IpAddress::from_ipv4(octets.data())
                    : tcpip::IpAddress::from_ipv6(octets.data());
    };
    return {address(), address(), static_cast<uint16_t>(prng()), static_cast<uint16_t>(prng())};
}

uint32_t bit_by_bit(const tcpip::FlowKey& of, const RssKey& key) {
    const size_t bytes = of.remote.is_ipv4() ? 4 : 16;
    std::array<uint8_t, 36> octets{};
    std::memcpy(octets.data(), of.remote.octets.data() + 16 - bytes, bytes);
    std::memcpy(octets.data() + bytes, of.local.octets.data() + 16 - bytes, bytes);
    octets[2 * bytes] = static_cast<uint8_t>(of.remote_port >> 8);
    octets[2 * bytes + 1] = static_cast<uint8_t>(of.remote_port);
    octets[2 * bytes + 2] = static_cast<uint8_t>(of.local_port >> 8);
    octets[2 * bytes + 3] = static_cast<uint8_t>(of.local_port);
    std::array<uint32_t, 9> words{};
    for (size_t i = 0; i < words.size(); ++i) {
        words[i] = static_cast<uint32_t>(octets[4 * i]) << 24 |
                   static_cast<uint32_t>(octets[4 * i + 1]) << 16 |
                   static_cast<uint32_t>(octets[4 * i + 2]) << 8 | octets[4 * i + 3];
    }
    return rte_softrss(words.data(), static_cast<uint32_t>(2 * bytes + 4) / 4, key.data());
}

TEST(Toeplitz, EqualsDpdksBitByBitFormForRandomKeysAndFlows) {
    Prng prng(7);
    for (int round = 0; round < 20; ++round) {
        RssKey key;
        std::ranges::generate(key, [&] { return static_cast<uint8_t>(prng()); });
        const Toeplitz toeplitz(key);
        for (int i = 0; i < 500; ++i) {
            const tcpip::FlowKey of = random_flow(prng, i % 2 == 0);
            ASSERT_EQ(toeplitz.hash(of), bit_by_bit(of, key));
        }
    }
}

TEST(Toeplitz, OwnKeyHashesBothDirectionsAlike) {
    Prng prng(8);
    const Toeplitz toeplitz(own_rss_key());
    for (int i = 0; i < 1000; ++i) {
        const tcpip::FlowKey there = random_flow(prng, i % 2 == 0);
        const tcpip::FlowKey back{there.local, there.remote, there.local_port, there.remote_port};
        ASSERT_EQ(toeplitz.hash(there), toeplitz.hash(back));
    }
}

TEST(QueueMap, TablesOfAnySizeAreTakenModulo) {
    const std::vector<uint16_t> reta{4, 0, 3, 1, 2, 4, 0};
    const QueueMap map(microsoft_key, reta);
    const tcpip::FlowKey of = flow("66.9.149.187", 2794, "161.142.100.80", 1766);
    EXPECT_EQ(map.queue_of(of), reta[0x51ccc178u % 7]);
}

// Source ports are tried one by one until the reply comes to the own queue: each must be reachable
// soon, from a single client address, for any number of workers.
TEST(QueueMap, OwnMapReachesEveryQueueAboutEvenly) {
    for (const uint32_t queues : {1u, 2u, 3u, 5u, 8u, 12u, 16u, 64u}) {
        const QueueMap map = QueueMap::make_own(queues);
        std::vector<uint32_t> hits(queues, 0);
        constexpr uint32_t ports = 28'000;
        for (uint32_t i = 0; i < ports; ++i) {
            ++hits[map.queue_of(
                flow("192.0.2.1", 2775, "192.0.2.2", static_cast<uint16_t>(32'768 + i)))];
        }
        const auto [least, most] = std::ranges::minmax(hits);
        EXPECT_GT(least, ports / queues * 7 / 10) << queues;
        EXPECT_LT(most, ports / queues * 13 / 10) << queues;
    }
}

}  // namespace
}  // namespace sy::dpdk
