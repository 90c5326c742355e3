#include "io/tcpip/copy_checksum.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <sys/mman.h>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::tcpip {
namespace {

// RFC 1071 section 1, word by word in network order; then as it lies in memory.
uint32_t plain_sum(const uint8_t* from, size_t n) {
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i += 2) {
        sum += uint32_t{from[i]} << 8 | (i + 1 < n ? from[i + 1] : 0U);
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    return (sum & 0xFF) << 8 | sum >> 8;
}

std::vector<uint8_t> random_octets(Prng& prng, size_t n) {
    std::vector<uint8_t> out(n);
    for (auto& octet : out) {
        octet = static_cast<uint8_t>(prng());
    }
    return out;
}

TEST(CopyChecksum, GivesTheExampleOfRfc1071Section3) {
    const std::array<uint8_t, 8> octets{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    EXPECT_EQ(fold_sum(sum_octets(octets.data(), octets.size())),
              0xf2ddU);  // ddf2 in network order
}

TEST(CopyChecksum, EveryKernelCopiesAndSumsEveryLengthAtEveryAlignment) {
    Prng prng(1);
    const auto source = random_octets(prng, 2200);
    for (const SumKernels& kernels : sum_kernels()) {
        SCOPED_TRACE(kernels.name);
        for (size_t n = 0; n <= 2100; n += n < 300 ? 1 : 37) {
            for (const size_t shift : {0U, 1U, 2U, 3U, 7U, 31U, 63U}) {
                const uint8_t* from = source.data() + shift;
                std::vector<uint8_t> to(n + 64, 0xA5);
                const uint32_t sum = fold_sum(kernels.copy(to.data() + 32, from, n));
                ASSERT_EQ(sum, plain_sum(from, n)) << n << " at " << shift;
                ASSERT_EQ(fold_sum(kernels.sum(from, n)), sum);
                ASSERT_EQ(std::memcmp(to.data() + 32, from, n), 0);
                for (size_t i = 0; i < 32; ++i) {
                    ASSERT_EQ(to[i], 0xA5);
                    ASSERT_EQ(to[32 + n + i], 0xA5);
                }
            }
        }
    }
}

// What lies behind the octets is not looked at: they end where the memory does.
TEST(CopyChecksum, NoKernelReadsOrWritesBeyondTheEnd) {
    constexpr size_t page = 4096;
    const auto pages = [] {
        void* at =
            mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        EXPECT_NE(at, MAP_FAILED);
        auto* begin = static_cast<uint8_t*>(at);
        EXPECT_EQ(mprotect(begin + page, page, PROT_NONE), 0);
        return begin;
    };
    uint8_t* from = pages();
    uint8_t* to = pages();
    std::fill_n(from, page, uint8_t{0x5B});
    for (const SumKernels& kernels : sum_kernels()) {
        for (size_t n = 0; n <= 200; ++n) {
            const uint8_t* last = from + page - n;
            ASSERT_EQ(fold_sum(kernels.sum(last, n)), plain_sum(last, n)) << kernels.name;
            ASSERT_EQ(fold_sum(kernels.copy(to + page - n, last, n)), plain_sum(last, n));
        }
    }
    munmap(from, 2 * page);
    munmap(to, 2 * page);
}

TEST(CopyChecksum, EveryKernelKeepsEveryCarry) {
    const std::vector<uint8_t> ones(65536, 0xFF);
    const std::vector<uint8_t> zeros(100, 0);
    for (const SumKernels& kernels : sum_kernels()) {
        SCOPED_TRACE(kernels.name);
        for (const size_t n : {2U, 3U, 4U, 64U, 1460U, 65535U, 65536U}) {
            EXPECT_EQ(fold_sum(kernels.sum(ones.data(), n)), plain_sum(ones.data(), n)) << n;
        }
        EXPECT_EQ(fold_sum(kernels.sum(zeros.data(), zeros.size())), 0U);
    }
}

TEST(CopyChecksum, JoinsPiecesOfOddAndEvenLength) {
    Prng prng(2);
    const auto octets = random_octets(prng, 301);
    for (size_t cut = 0; cut <= octets.size(); ++cut) {
        const uint32_t first = fold_sum(sum_octets(octets.data(), cut));
        const uint32_t second = fold_sum(sum_octets(octets.data() + cut, octets.size() - cut));
        ASSERT_EQ(join_sums(first, second, cut), fold_sum(sum_octets(octets.data(), octets.size())))
            << cut;
    }
}

}  // namespace
}  // namespace sy::tcpip
