// Who allocates while it counts: every form of operator new of the whole program, of any thread.
// Link dep_allocation_counter into a test program of its own; it replaces operator new. What C
// libraries take by malloc() is seen only under clang's sanitizers.
#pragma once

#include <cstdint>

namespace sy::test {

class AllocationCounter {
  public:
    static void start();
    /// How many since start().
    [[nodiscard]] static uint64_t stop();
};

}  // namespace sy::test
