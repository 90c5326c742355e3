// The userspace stack alone: two stacks on one core joined by memory, 200-octet requests and
// responses, one PDU a segment. Cycles are of the time stamp counter, for one pair (request and
// response) and side, everything included: parsing, lookup, TCP both ways, checksums, copies.
//
// The port hands frames over by pointer, so what is measured is the stack. Every octet that arrives
// is compared with what was sent before anything is timed.
#include <array>
#include <fstream>
#include <memory>
#include <unistd.h>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/memory_port.h"
#include "bench/stack_pair.h"

namespace sy::tcpip {
namespace {

/// What the process has in memory.
double resident_octets() {
    std::ifstream statm("/proc/self/statm");
    uint64_t pages = 0;
    uint64_t resident = 0;
    statm >> pages >> resident;
    SY_ASSERT(statm.good());
    return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

void stack_pair(benchmark::State& state) {
    const auto connections = static_cast<uint32_t>(state.range(0));
    MemoryPorts ports;
    const double before = resident_octets();
    Pair pair(ports.left, ports.right, connections);
    // Idle: they are up and nothing was sent. What a stack has whatever its connections are is in
    // it too, so only the largest figure says something.
    state.counters["resident_per_connection"] = (resident_octets() - before) / (2.0 * connections);
    measure_pair(state, pair, connections);
}
BENCHMARK(stack_pair)
    ->Name("tcpip/stack/pair/connections")
    ->Arg(1)
    ->Arg(100)
    ->Arg(10'000)
    ->Arg(100'000);

}  // namespace
}  // namespace sy::tcpip

BENCHMARK_MAIN();
