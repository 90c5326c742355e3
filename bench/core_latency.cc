// How long a cache line takes from one CPU to another: two pinned threads pass a number to and fro.
// Printed before and after every measurement that crosses cores (core_pair.h says why).
//
// Usage: core_latency [CPU CPU]     without: the first two that this process may use
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <vector>

#include "bench/core_pair.h"

namespace sy::bench {
namespace {

constexpr uint32_t batches = 200;

std::optional<std::array<uint32_t, 2>> chosen(int argc, char** argv) {
    std::array<uint32_t, 2> out{};
    if (argc == 1) {
        const std::vector<uint32_t> cpus = own_cpus();
        if (cpus.size() < 2) {
            return std::nullopt;
        }
        return std::array{cpus[0], cpus[1]};
    }
    for (int i = 1; i < argc && argc == 3; ++i) {
        const char* end = argv[i] + std::strlen(argv[i]);
        const auto [stop, error] = std::from_chars(argv[i], end, out[static_cast<size_t>(i - 1)]);
        if (error != std::errc{} || stop != end) {
            return std::nullopt;
        }
    }
    return argc == 3 && out[0] != out[1] ? std::optional(out) : std::nullopt;
}

int measure(uint32_t here, uint32_t there) {
    if (!pin(here)) {
        std::fprintf(stderr, "core_latency: CPU %u is none of ours\n", here);
        return 2;
    }
    const std::vector<double> ns = line_latency(there, batches);
    if (ns.empty()) {
        std::fprintf(stderr, "core_latency: CPU %u is none of ours\n", there);
        return 2;
    }
    std::printf("cache line, CPU %u to CPU %u: %.0f ns one way (median; fastest %.0f, p90 %.0f)\n",
                here, there, ns[batches / 2], ns.front(), ns[batches * 9 / 10]);
    return 0;
}

}  // namespace
}  // namespace sy::bench

int main(int argc, char** argv) {
    if (argc == 1 && sy::bench::own_cpus().size() < 2) {
        std::puts("core_latency: only one CPU here, nothing to measure");
        return 0;
    }
    const auto cpus = sy::bench::chosen(argc, argv);
    if (!cpus) {
        std::fputs("usage: core_latency [CPU CPU]     two different ones\n", stderr);
        return 2;
    }
    return sy::bench::measure((*cpus)[0], (*cpus)[1]);
}
