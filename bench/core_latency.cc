// How long a cache line takes from one CPU to another: two pinned threads pass a number to and fro.
// Printed before and after every measurement that crosses cores, because on virtual machines it
// swings with the placement of the virtual CPUs (50 to 1,000 ns were seen on one machine in an
// hour), and every such figure with it.
//
// Usage: core_latency [CPU CPU]     without: the first two that this process may use
#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <pthread.h>
#include <sched.h>
#include <thread>
#include <vector>

#include "core/base/limits.h"

namespace sy {
namespace {

constexpr uint32_t batches = 200;
constexpr uint32_t trips_a_batch = 1'000;
constexpr uint32_t trips = batches * trips_a_batch;

struct alignas(limits::cache_line_bytes) Line {
    // Release with the number, acquire by the waiter: as a ring's index does it.
    std::atomic<uint32_t> number{0};
};

bool pin(uint32_t cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return cpu < CPU_SETSIZE && pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

std::vector<uint32_t> own_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    std::vector<uint32_t> cpus;
    for (uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &set)) {
            cpus.push_back(cpu);
        }
    }
    return cpus;
}

/// Adds one whenever the number is odd; ends with the last trip.
void answer(Line& line) {
    for (uint32_t trip = 0; trip < trips; ++trip) {
        while (line.number.load(std::memory_order_acquire) != 2 * trip + 1) {
        }
        line.number.store(2 * trip + 2, std::memory_order_release);
    }
}

/// Nanoseconds one way, a batch each, ascending.
std::vector<double> ask(Line& line) {
    using Clock = std::chrono::steady_clock;
    std::vector<double> out;
    for (uint32_t batch = 0; batch < batches; ++batch) {
        const auto begun = Clock::now();
        for (uint32_t i = 0; i < trips_a_batch; ++i) {
            const uint32_t trip = batch * trips_a_batch + i;
            line.number.store(2 * trip + 1, std::memory_order_release);
            while (line.number.load(std::memory_order_acquire) != 2 * trip + 2) {
            }
        }
        const std::chrono::duration<double, std::nano> took = Clock::now() - begun;
        out.push_back(took.count() / (2.0 * trips_a_batch));
    }
    std::ranges::sort(out);
    return out;
}

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
    Line line;
    std::atomic<int> pinned{0};  // 1: good, -1: not
    std::thread other([&] {
        const bool good = pin(there);
        pinned.store(good ? 1 : -1, std::memory_order_release);
        if (good) {
            answer(line);
        }
    });
    while (pinned.load(std::memory_order_acquire) == 0) {
        std::this_thread::yield();
    }
    if (pinned.load(std::memory_order_acquire) < 0) {
        other.join();
        std::fprintf(stderr, "core_latency: CPU %u is none of ours\n", there);
        return 2;
    }
    // The other side waits for us: it is answered even where we stay unpinned.
    const bool good = pin(here);
    const std::vector<double> ns = ask(line);
    other.join();
    if (!good) {
        std::fprintf(stderr, "core_latency: CPU %u is none of ours\n", here);
        return 2;
    }
    std::printf("cache line, CPU %u to CPU %u: %.0f ns one way (median; fastest %.0f, p90 %.0f)\n",
                here, there, ns[batches / 2], ns.front(), ns[batches * 9 / 10]);
    return 0;
}

}  // namespace
}  // namespace sy

int main(int argc, char** argv) {
    if (argc == 1 && sy::own_cpus().size() < 2) {
        std::puts("core_latency: only one CPU here, nothing to measure");
        return 0;
    }
    const auto cpus = sy::chosen(argc, argv);
    if (!cpus) {
        std::fputs("usage: core_latency [CPU CPU]     two different ones\n", stderr);
        return 2;
    }
    return sy::measure((*cpus)[0], (*cpus)[1]);
}
