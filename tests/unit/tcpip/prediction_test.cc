// Header prediction is a shortcut to the same result: random programs run over two stacks, one
// without it, and everything that leaves and every event must be the same, octet for octet.
#include <gtest/gtest.h>

#include "tests/support/random_program.h"
#include "tests/support/stack_program.h"

namespace sy::tcpip {
namespace {

TEST(Prediction, SendsAndTellsWhatTheLongWayDoes) {
    constexpr uint32_t programs = 2000;
    uint64_t predicted = 0;
    uint64_t segments = 0;
    for (uint32_t seed = 1; seed <= programs; ++seed) {
        Prng prng(seed);
        const std::vector<uint8_t> program = random_program(prng, 60);
        StackProgram fast(program, true, true);
        fast.run();
        StackProgram slow(program, false, true);
        slow.run();
        ASSERT_EQ(fast.trace(), slow.trace()) << "seed " << seed;
        ASSERT_EQ(slow.counters().fast_path.value(), 0u);
        predicted += fast.counters().fast_path.value();
        segments += fast.counters().segments_in.value();
    }
    std::printf("%u programs, %llu segments, %llu predicted\n", programs,
                static_cast<unsigned long long>(segments),
                static_cast<unsigned long long>(predicted));
    EXPECT_GT(predicted, programs);  // else there was nothing to compare
}

}  // namespace
}  // namespace sy::tcpip
