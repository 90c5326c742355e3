#include "tests/packet/two_stacks.h"

#include <gtest/gtest.h>

#include "tests/packet/script_fixture.h"
#include "tests/packet/stack_under_test.h"

namespace sy::test {
namespace {

std::string first_violation(const TwoStacksResult& result) {
    return result.violations.empty() ? "" : result.violations.front();
}

class TwoToys : public ::testing::TestWithParam<std::string> {};

// The harness itself: the toy, which repeats until it is heard, passes under every kind of fault.
TEST_P(TwoToys, StreamsArriveUnderFaults) {
    uint64_t octets = 0;
    uint64_t orderly = 0;
    for (uint64_t seed = 1; seed <= 5; ++seed) {
        const TwoStacksMix mix = make_mix(GetParam(), seed);
        const TwoStacksResult result = run_two_stacks(seed, mix, toy_factory());
        EXPECT_EQ(first_violation(result), "") << "mix " << GetParam() << " seed " << seed;
        octets += result.octets;
        orderly += result.orderly;
    }
    EXPECT_GT(octets, 10'000U) << "hardly anything was sent";
    EXPECT_GT(orderly, 10U);
}

INSTANTIATE_TEST_SUITE_P(Mixes, TwoToys, ::testing::ValuesIn(mix_names()), [](const auto& mix) {
    return mix.param;
});

TEST(TwoStacks, SameSeedGivesTheSameBytes) {
    for (uint64_t seed = 1; seed <= 3; ++seed) {
        const TwoStacksMix mix = make_mix("everything", seed);
        const TwoStacksResult once = run_two_stacks(seed, mix, toy_factory());
        const TwoStacksResult again = run_two_stacks(seed, mix, toy_factory());
        EXPECT_EQ(once.hash, again.hash);
        EXPECT_NE(once.hash, run_two_stacks(seed + 100, mix, toy_factory()).hash);
    }
}

/// The first violation that a planted fault leads to within some seeds.
std::string caught(ToyFault fault, const std::string& mix_name) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        const TwoStacksResult result =
            run_two_stacks(seed, make_mix(mix_name, seed), toy_factory(fault));
        if (!result.violations.empty()) {
            return result.violations.front();
        }
    }
    return "";
}

TEST(TwoStacks, CatchesPlantedFaults) {
    const auto has = [](const std::string& text, const char* part) {
        return text.find(part) != std::string::npos;
    };
    EXPECT_PRED2(has, caught(ToyFault::wrong_octet, "clean"), "is wrong");
    EXPECT_PRED2(has, caught(ToyFault::double_octet, "loss10"), "end ");
    EXPECT_PRED2(has, caught(ToyFault::leak, "clean"), "buffers");
    EXPECT_PRED2(has, caught(ToyFault::never_closes, "clean"), "is not closed after");
    EXPECT_PRED2(has, caught(ToyFault::stuck, "loss10"), "is not closed after");
}

// The stack itself: some hundred seeds over all mixes; packet_sim runs more.
TEST(TwoStacks, StackUnderTestStreamsUnderFaults) {
    constexpr uint64_t seeds = 20;
    for (const std::string& mix_name : mix_names()) {
        for (uint64_t seed = 1; seed <= seeds; ++seed) {
            const TwoStacksResult result =
                run_two_stacks(seed, make_mix(mix_name, seed), make_stack);
            ASSERT_EQ(first_violation(result), "") << "mix " << mix_name << " seed " << seed;
        }
    }
}

}  // namespace
}  // namespace sy::test
