// What EAL is started with, and that it starts once.
#include "io/dpdk/eal.h"

#include <gtest/gtest.h>

namespace sy::dpdk {
namespace {

using Strings = std::vector<std::string>;

TEST(EalArguments, DefaultsStandInFrontOfWhatIsConfigured) {
    EXPECT_EQ(eal_arguments({.arguments = {"-n", "4"}, .devices = {"0000:3b:00.0"}}, "0,2", 77),
              (Strings{"switchyard", "--lcores=0@(0,2)", "--file-prefix=switchyard-77",
                       "--log-level=warning", "--in-memory", "--no-telemetry",
                       "--allow=0000:3b:00.0", "-n", "4"}));
}

TEST(EalArguments, WhatIsConfiguredIsNotSaidTwice) {
    const Strings given{"--file-prefix=x", "--log-level", "8",    "--huge-dir=/mnt",
                        "--telemetry",     "-a",          "1:0.0"};
    Strings wanted{"switchyard", "--lcores=0@(1)"};
    wanted.insert(wanted.end(), given.begin(), given.end());
    EXPECT_EQ(eal_arguments({.arguments = given, .devices = {"0000:3b:00.0"}}, "1", 77), wanted);
}

TEST(EalArguments, WithoutHugePagesTheMemoryIsSaid) {
    const Strings got = eal_arguments(
        {.arguments = {"--no-huge"}, .devices = {"net_tap0"}, .memory_bytes = 100u << 20}, "0", 7);
    EXPECT_EQ(got, (Strings{"switchyard", "--lcores=0@(0)", "--file-prefix=switchyard-7",
                            "--log-level=warning", "--no-shconf", "--no-telemetry", "--no-pci",
                            "-m", "189", "--no-huge"}));
}

TEST(Eal, StartsOnceAProcess) {
    const auto again = Eal::start({.arguments = {"--no-huge", "--no-pci"}, .devices = {}});
    ASSERT_FALSE(again);
    EXPECT_NE(again.error().text.find("DPDK does not start"), std::string::npos);
}

}  // namespace
}  // namespace sy::dpdk
