// Runs one packet script against one stack: the stack at end 0 of a clean PacketLink, the scripted
// peer at end 1, virtual time between them. One thread, nothing is shared between runs.
#pragma once

#include <cstdio>
#include <string>

#include "tests/packet/script.h"
#include "tests/packet/stack.h"

namespace sy::test {

struct RunOptions {
    std::FILE* trace = nullptr;  // the conversation, line by line, as it happens
    sim::PcapWriter* pcap = nullptr;
    uint64_t seed = 1;
    sim::PacketLinkOptions link{};
};

struct RunResult {
    bool passed = false;
    std::string message{};  // "file:line: ...", and the conversation up to it
    uint64_t hash = 0;
};

[[nodiscard]] RunResult run_script(const Script& script,
                                   const StackFactory& factory,
                                   const RunOptions& options = {});

}  // namespace sy::test
