// EAL starts once a process: for all tests of this program, without huge pages, devices and root.
#include <cstdio>

#include <gtest/gtest.h>

#include "io/dpdk/eal.h"

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    auto eal = sy::dpdk::Eal::start(
        {.arguments = {"--no-huge", "--no-pci", "-m", "512", "--vdev=net_null0,size=128"},
         .devices = {},
         .memory_bytes = 0});
    if (!eal) {
        std::fprintf(stderr, "%s\n", eal.error().text.c_str());
        return 1;
    }
    return RUN_ALL_TESTS();
}
