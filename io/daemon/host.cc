#include "io/daemon/host.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

namespace sy::daemon {
namespace {

// More CPUs than any machine that we know of has; the kernel wants a mask at least as wide as its
// own.
constexpr uint32_t cpus_max = 8192;

struct FreeCpuSet {
    void operator()(cpu_set_t* set) const { CPU_FREE(set); }
};
using CpuSet = std::unique_ptr<cpu_set_t, FreeCpuSet>;

CpuSet empty_set() {
    CpuSet set(CPU_ALLOC(cpus_max));
    CPU_ZERO_S(CPU_ALLOC_SIZE(cpus_max), set.get());
    return set;
}

std::vector<uint32_t> allowed_cpus() {
    const CpuSet set = empty_set();
    std::vector<uint32_t> cpus;
    if (sched_getaffinity(0, CPU_ALLOC_SIZE(cpus_max), set.get()) != 0) {
        return cpus;
    }
    for (uint32_t cpu = 0; cpu < cpus_max; ++cpu) {
        if (CPU_ISSET_S(cpu, CPU_ALLOC_SIZE(cpus_max), set.get())) {
            cpus.push_back(cpu);
        }
    }
    return cpus;
}

// The kernel's own list, such as "0-3"; empty where /sys is not mounted.
std::string online_cpus() {
    std::ifstream file("/sys/devices/system/cpu/online");
    std::string list;
    std::getline(file, list);
    return list;
}

bool exists(uint32_t cpu) {
    return access(fmt::format("/sys/devices/system/cpu/cpu{}", cpu).c_str(), F_OK) == 0;
}

}  // namespace

std::string cpu_list(const std::vector<uint32_t>& cpus) {
    std::string list;
    for (size_t first = 0; first < cpus.size();) {
        size_t last = first;
        while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) {
            ++last;
        }
        list += list.empty() ? "" : ",";
        list += last == first ? fmt::format("{}", cpus[first])
                              : fmt::format("{}-{}", cpus[first], cpus[last]);
        first = last + 1;
    }
    return list;
}

Result<void> check_cpus(const std::vector<uint32_t>& cpus) {
    const std::vector<uint32_t> allowed = allowed_cpus();
    for (const uint32_t cpu : cpus) {
        if (std::ranges::binary_search(allowed, cpu)) {
            continue;
        }
        if (exists(cpu)) {
            return fail(
                fmt::format("[runtime] workers: CPU {} is there but this process may not run on it "
                            "(allowed: {}): widen the affinity (taskset, CPUAffinity= or "
                            "AllowedCPUs= of the unit, the container's cpuset) or choose others",
                            cpu, cpu_list(allowed)));
        }
        return fail(
            fmt::format("[runtime] workers: no CPU {} on this machine (online: {}): name CPUs "
                        "that exist, such as workers = [{}]",
                        cpu, online_cpus(), allowed.empty() ? 0 : allowed.back()));
    }
    return {};
}

namespace {

// False if they could not be listed.
template <class Each>
bool for_each_thread(const Each& each) {
    std::error_code error;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", error)) {
        each(static_cast<pid_t>(std::atoi(task.path().filename().c_str())));
    }
    return !error;
}

// Of this thread alone (Linux). Anybody may take priority from his own threads: it cannot fail but
// for a thread that has ended since.
void make_quiet(pid_t thread) {
    constexpr int lowest = 19;
    (void)setpriority(PRIO_PROCESS, static_cast<id_t>(thread), lowest);
}

}  // namespace

std::string keep_off(const std::vector<uint32_t>& cpus) {
    const std::vector<uint32_t> allowed = allowed_cpus();
    std::vector<uint32_t> left;
    const CpuSet set = empty_set();
    for (const uint32_t cpu : allowed) {
        if (std::ranges::find(cpus, cpu) == cpus.end()) {
            left.push_back(cpu);
            CPU_SET_S(cpu, CPU_ALLOC_SIZE(cpus_max), set.get());
        }
    }
    if (left.empty()) {
        return cpu_list(allowed);
    }
    // The first compile has left TBB's threads behind: they come along.
    bool refused = false;
    const bool listed = for_each_thread([&](pid_t thread) {
        refused |= sched_setaffinity(thread, CPU_ALLOC_SIZE(cpus_max), set.get()) != 0;
    });
    return cpu_list(listed && !refused ? left : allowed);
}

void make_other_threads_quiet() {
    const pid_t own = gettid();
    (void)for_each_thread([&](pid_t thread) {
        if (thread != own) {
            make_quiet(thread);
        }
    });
}

void make_this_thread_quiet(const char* name) {
    pthread_setname_np(pthread_self(), name);
    make_quiet(gettid());
}

Result<void> pin_this_thread(uint32_t cpu, const std::string& name) {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    const CpuSet set = empty_set();
    CPU_SET_S(cpu, CPU_ALLOC_SIZE(cpus_max), set.get());
    const int error_number =
        pthread_setaffinity_np(pthread_self(), CPU_ALLOC_SIZE(cpus_max), set.get());
    if (error_number != 0) {
        return fail(fmt::format("cannot pin {} to CPU {}: {}", name, cpu,
                                std::generic_category().message(error_number)));
    }
    return {};
}

}  // namespace sy::daemon
