#include "io/dpdk/eal.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <pthread.h>
#include <sched.h>
#include <string_view>
#include <unistd.h>

#include <fmt/format.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>

#include "io/dpdk/interrupt_thread.h"

namespace sy::dpdk {
namespace {

constexpr uint32_t cpus_max = 8192;
constexpr size_t cpu_set_bytes = CPU_ALLOC_SIZE(cpus_max);

struct FreeCpuSet {
    void operator()(cpu_set_t* set) const { CPU_FREE(set); }
};

// The affinity of the calling thread, put back when this goes: rte_eal_init pins its caller.
class KeepAffinity {
  public:
    KeepAffinity() : set_(CPU_ALLOC(cpus_max)) {
        CPU_ZERO_S(cpu_set_bytes, set_.get());
        pthread_getaffinity_np(pthread_self(), cpu_set_bytes, set_.get());
    }
    ~KeepAffinity() { pthread_setaffinity_np(pthread_self(), cpu_set_bytes, set_.get()); }
    KeepAffinity(const KeepAffinity&) = delete;
    KeepAffinity& operator=(const KeepAffinity&) = delete;

    [[nodiscard]] std::string list() const {
        std::string cpus;
        for (uint32_t cpu = 0; cpu < cpus_max; ++cpu) {
            if (CPU_ISSET_S(cpu, cpu_set_bytes, set_.get())) {
                cpus += (cpus.empty() ? "" : ",") + std::to_string(cpu);
            }
        }
        return cpus;
    }

  private:
    std::unique_ptr<cpu_set_t, FreeCpuSet> set_;
};

bool has_any(const std::vector<std::string>& arguments,
             std::initializer_list<std::string_view> options) {
    return std::ranges::any_of(arguments, [&](const std::string& argument) {
        return std::ranges::any_of(options, [&](std::string_view option) {
            return argument.starts_with(option) &&
                   (argument.size() == option.size() || argument[option.size()] == '=' ||
                    !option.starts_with("--"));
        });
    });
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) {
        out += (out.empty() ? "" : " ") + word;
    }
    return out;
}

bool is_pci(const std::string& device) {
    return device.size() == 12 && device[4] == ':' && device[7] == ':' && device[10] == '.';
}

}  // namespace

std::vector<std::string> eal_arguments(const EalOptions& options,
                                       const std::string& cpus,
                                       uint64_t process_id) {
    const std::vector<std::string>& given = options.arguments;
    // One lcore, 0, that floats over the caller's CPUs; EAL's own threads then stay on them too.
    std::vector<std::string> out{"switchyard", fmt::format("--lcores=0@({})", cpus)};
    if (!has_any(given, {"--file-prefix"})) {
        out.push_back(fmt::format("--file-prefix=switchyard-{}", process_id));
    }
    if (!has_any(given, {"--log-level"})) {
        out.emplace_back("--log-level=warning");
    }
    // No files of a process that may not end cleanly: neither configuration nor huge pages.
    if (has_any(given, {"--no-huge"})) {
        if (!has_any(given, {"--no-shconf"})) {
            out.emplace_back("--no-shconf");
        }
    } else if (!has_any(given, {"--in-memory", "--legacy-mem", "--huge-dir", "--huge-unlink"})) {
        out.emplace_back("--in-memory");
    }
    if (!has_any(given, {"--telemetry", "--no-telemetry"})) {
        out.emplace_back("--no-telemetry");
    }
    if (!has_any(given, {"--no-pci", "-a", "--allow", "-b", "--block"})) {
        bool any = false;
        for (const std::string& device : options.devices) {
            if (is_pci(device)) {
                out.push_back("--allow=" + device);
                any = true;
            }
        }
        if (!any) {
            out.emplace_back("--no-pci");  // or EAL takes every NIC that is bound to vfio
        }
    }
    if (has_any(given, {"--no-huge"}) && !has_any(given, {"-m", "--socket-mem"})) {
        // A quarter on top and 64 MiB: what EAL, ethdev and drivers take for themselves.
        const uint64_t mebibytes =
            (options.memory_bytes + options.memory_bytes / 4) / (1u << 20) + 64;
        out.emplace_back("-m");
        out.push_back(std::to_string(mebibytes));
    }
    out.insert(out.end(), given.begin(), given.end());
    return out;
}

Result<std::unique_ptr<Eal>> Eal::start(const EalOptions& options) {
    const KeepAffinity affinity;
    std::unique_ptr<Eal> eal(new Eal());
    eal->arguments_ = eal_arguments(options, affinity.list(), static_cast<uint64_t>(getpid()));
    for (std::string& argument : eal->arguments_) {
        eal->argv_.push_back(argument.data());
    }
    const auto count = static_cast<int>(eal->argv_.size());
    eal->argv_.push_back(nullptr);
    rte_openlog_stream(stderr);  // its default is syslog as well
    if (rte_eal_init(count, eal->argv_.data()) < 0) {
        return fail(
            fmt::format("DPDK does not start ({}): see its lines above and the hints of "
                        "`switchyard check`; its arguments were: {}",
                        rte_strerror(rte_errno), joined(eal->arguments_)));
    }
    eal->is_up_ = true;
    return eal;
}

Eal::~Eal() {
    if (is_up_) {
        end_interrupt_thread();
        const std::string directory = rte_eal_get_runtime_dir();
        rte_eal_cleanup();
        rmdir(directory.c_str());  // empty, unless the configuration wants files: then it stays
    }
}

Result<std::unique_ptr<EalThread>> EalThread::enter() {
    if (rte_thread_register() != 0) {
        return fail(fmt::format("DPDK does not take the worker's thread: {} (at most {} threads)",
                                rte_strerror(rte_errno), RTE_MAX_LCORE));
    }
    return std::unique_ptr<EalThread>(new EalThread());
}

EalThread::~EalThread() {
    rte_thread_unregister();
}

}  // namespace sy::dpdk
