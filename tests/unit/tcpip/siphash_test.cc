#include "io/tcpip/siphash.h"

#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::tcpip {
namespace {

// Key and messages of the paper's appendix A and of its authors' test vectors: octets 0, 1, 2 ...
constexpr SipKey paper_key{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};

std::vector<uint8_t> counting(size_t n) {
    std::vector<uint8_t> out(n);
    for (size_t i = 0; i < n; ++i) {
        out[i] = static_cast<uint8_t>(i);
    }
    return out;
}

TEST(SipHash, GivesThePapersExample) {
    EXPECT_EQ(siphash(paper_key, counting(15)), 0xa129ca6149be45e5U);
}

TEST(SipHash, GivesTheAuthorsVectorsOfEveryTailLength) {
    // As octets in the order of output, so the first one is the lowest.
    constexpr std::array<uint64_t, 16> expected{
        0x310e0edd47db6f72U, 0xfd67dc93c539f874U, 0x5a4fa9d909806c0dU, 0x2d7efbd796666785U,
        0xb7877127e09427cfU, 0x8da699cd64557618U, 0xcee3fe586e46c9cbU, 0x37d1018bf50002abU,
        0x6224939a79f5f593U, 0xb0e4a90bdf82009eU, 0xf3b9dd94c5bb5d7aU, 0xa7ad6b22462fb3f4U,
        0xfbe50e86bc8f1e75U, 0x903d84c02756ea14U, 0xeef27a8e90ca23f7U, 0xe545be4961ca29a1U};
    for (size_t n = 0; n < expected.size(); ++n) {
        EXPECT_EQ(siphash(paper_key, counting(n)), __builtin_bswap64(expected[n])) << n;
    }
}

// Computed with the SIPHASH of another library, 8 octets of output.
TEST(SipHash, AgreesWithAnotherImplementationOnLongerMessages) {
    EXPECT_EQ(siphash(paper_key, counting(16)), __builtin_bswap64(0xdb9bc2577fcc2a3fU));
    EXPECT_EQ(siphash(paper_key, counting(31)), __builtin_bswap64(0x42c341d8fa92d832U));
    EXPECT_EQ(siphash(paper_key, counting(63)), __builtin_bswap64(0x724506eb4c328a95U));
}

TEST(SipHash, OfAFlowIsTheHashOfItsOctets) {
    Prng prng(1);
    for (int round = 0; round < 1000; ++round) {
        FlowKey flow;
        for (auto& octet : flow.remote.octets) {
            octet = static_cast<uint8_t>(prng());
        }
        for (auto& octet : flow.local.octets) {
            octet = static_cast<uint8_t>(prng());
        }
        flow.remote_port = static_cast<uint16_t>(prng());
        flow.local_port = static_cast<uint16_t>(prng());
        const SipKey key{prng(), prng()};
        const uint64_t extra = prng();
        std::vector<uint8_t> octets(flow.remote.octets.begin(), flow.remote.octets.end());
        octets.insert(octets.end(), flow.local.octets.begin(), flow.local.octets.end());
        for (uint32_t i = 0; i < 8; ++i) {
            octets.push_back(static_cast<uint8_t>(extra >> (8 * i)));
        }
        for (const uint16_t port : {flow.remote_port, flow.local_port}) {
            octets.push_back(static_cast<uint8_t>(port));
            octets.push_back(static_cast<uint8_t>(port >> 8));
        }
        ASSERT_EQ(siphash(key, flow, extra), siphash(key, octets));
    }
}

}  // namespace
}  // namespace sy::tcpip
