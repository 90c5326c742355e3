// Sums of io/tcpip/checksum.h against one that adds two octets at a time.
#include "io/tcpip/checksum.h"

#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "tests/support/frames.h"

namespace sy::tcpip {
namespace {

// As it would lie in a header.
uint16_t checksum_of(uint64_t sum) {
    uint8_t field[2];
    store_checksum(field, sum);
    return load_be<uint16_t>(field);
}

TEST(Checksum, EqualsTheScalarOneAtEveryLengthAndAlignment) {
    Prng prng(1);
    std::vector<uint8_t> octets(1600);
    for (uint8_t& each : octets) {
        each = static_cast<uint8_t>(prng());
    }
    for (size_t start = 0; start < 9; ++start) {
        for (size_t bytes = 0; bytes <= 1520; ++bytes) {
            const std::vector<uint8_t> exact(octets.begin() + static_cast<long>(start),
                                             octets.begin() + static_cast<long>(start + bytes));
            ASSERT_EQ(checksum_of(sum_octets(octets.data() + start, bytes)),
                      frames::checksum(exact))
                << start << " " << bytes;
        }
    }
}

TEST(Checksum, ExtremeOctetsCarryRightly) {
    for (const uint8_t value : std::initializer_list<uint8_t>{0x00, 0x01, 0xfe, 0xff}) {
        for (const size_t bytes : {1U, 2U, 20U, 1501U, 65535U}) {
            const std::vector<uint8_t> octets(bytes, value);
            ASSERT_EQ(checksum_of(sum_octets(octets.data(), bytes)), frames::checksum(octets));
        }
    }
}

TEST(Checksum, PartsOfEvenLengthAddUp) {
    Prng prng(2);
    for (int round = 0; round < 2000; ++round) {
        std::vector<uint8_t> octets(prng.below(400));
        for (uint8_t& each : octets) {
            each = static_cast<uint8_t>(prng());
        }
        const size_t cut = prng.below(octets.size() / 2 + 1) * 2;
        const uint64_t sum =
            sum_octets(octets.data(), cut) + sum_octets(octets.data() + cut, octets.size() - cut);
        ASSERT_EQ(checksum_of(sum), frames::checksum(octets));
    }
}

TEST(Checksum, PseudoHeaderOfBothFamilies) {
    const std::vector<uint8_t> l4{1, 2, 3, 4, 5, 6, 7};
    for (const auto& [a, b] :
         {std::pair("10.1.2.3", "192.168.255.254"), std::pair("fe80::1:2", "2001:db8::ffff")}) {
        const FlowKey flow{.remote = frames::ip_address(a), .local = frames::ip_address(b)};
        ASSERT_EQ(checksum_of(sum_octets(l4.data(), l4.size()) + pseudo_sum(flow, 6, 7)),
                  frames::l4_checksum(flow.local, flow.remote, 6, l4));
    }
}

TEST(Checksum, GoodSumIsRecognisedAndADamagedOneIsNot) {
    std::vector<uint8_t> octets{0x45, 0, 0, 0, 0x12, 0x34, 0, 0};
    frames::put16(octets, 2, frames::checksum(octets));
    EXPECT_TRUE(sum_is_good(sum_octets(octets.data(), octets.size())));
    for (size_t bit = 0; bit < 8 * octets.size(); ++bit) {
        std::vector<uint8_t> damaged = octets;
        damaged[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
        EXPECT_FALSE(sum_is_good(sum_octets(damaged.data(), damaged.size()))) << bit;
    }
}

TEST(Checksum, IncrementalUpdateEqualsAFreshSum) {
    Prng prng(3);
    for (int round = 0; round < 100'000; ++round) {
        std::vector<uint8_t> octets(20);
        for (uint8_t& each : octets) {
            // Many zeros and ones: the two zeros of ones'-complement are where it goes wrong.
            each = prng.chance(1, 3)   ? uint8_t{0}
                   : prng.chance(1, 2) ? uint8_t{0xff}
                                       : static_cast<uint8_t>(prng());
        }
        const uint16_t before = frames::checksum(octets);
        const size_t at = 2 * prng.below(10);
        const auto old_word = static_cast<uint16_t>(frames::get(octets, at, 2));
        const uint16_t new_word = prng.chance(1, 4)   ? 0
                                  : prng.chance(1, 3) ? 0xffff
                                                      : static_cast<uint16_t>(prng());
        frames::put16(octets, at, new_word);
        const uint16_t updated = update_checksum(before, old_word, new_word);
        const uint16_t fresh = frames::checksum(octets);
        // Data that is all zero has the checksum 0xffff, which an update can't know (RFC 1624
        // section 3): a receiver takes both.
        const bool all_zero = octets == std::vector<uint8_t>(20);
        ASSERT_TRUE(updated == fresh || all_zero) << before << " " << old_word << " " << new_word;
    }
}

}  // namespace
}  // namespace sy::tcpip
