// Programs of operations over a userspace TCP stack with connections in every state; what they may
// do and what is checked stands in tests/support/stack_program.h. Input: the program. Its first
// octet chooses the options; bit 0: it runs over two stacks, one without header prediction, which
// must send and tell the same.
#include <cstddef>
#include <cstdint>

#include "tests/support/stack_program.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    sy::tcpip::run_stack_program({data, size});
    return 0;
}
