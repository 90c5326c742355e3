#include "io/dpdk/diagnose.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "io/dpdk/sizing.h"

namespace sy::dpdk {
namespace {

namespace fs = std::filesystem;

constexpr const char* unsafe_mode = "sys/module/vfio/parameters/enable_unsafe_noiommu_mode";

std::string read_file(const fs::path& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// The number behind "HugePages_Free:" and the like.
std::optional<uint64_t> number_behind(const std::string& text, std::string_view key) {
    const size_t at = text.find(key);
    if (at == std::string::npos) {
        return std::nullopt;
    }
    const size_t digits = text.find_first_of("0123456789", at + key.size());
    if (digits == std::string::npos) {
        return std::nullopt;
    }
    uint64_t value = 0;
    std::from_chars(text.data() + digits, text.data() + text.size(), value);
    return value;
}

// The words behind "isolcpus=" on the kernel's command line.
std::string option_of(const std::string& command_line, std::string_view key) {
    std::istringstream words(command_line);
    for (std::string word; words >> word;) {
        if (word.starts_with(key)) {
            return word.substr(key.size());
        }
    }
    return "";
}

bool has(const config::Dpdk& settings, std::string_view option) {
    return std::ranges::any_of(settings.eal, [&](const std::string& argument) {
        return argument == option || argument.starts_with(std::string(option) + "=");
    });
}

bool is_pci(std::string_view device) {
    return device.size() == 12 && device[4] == ':' && device[7] == ':' && device[10] == '.';
}

// mlx4, mlx5 and mana stay with the kernel's driver; so does what DPDK reaches through one.
bool keeps_kernel_driver(std::string_view driver) {
    return driver.starts_with("mlx") || driver == "mana";
}

class Diagnosis {
  public:
    Diagnosis(const HostView& host, const config::Dpdk& settings, const std::vector<uint32_t>& cpus)
        : root_(host.root), host_(host), settings_(settings), cpus_(cpus) {}

    std::vector<Finding> run() {
        look_at_huge_pages();
        for (const config::DpdkPort& port : settings_.ports) {
            if (is_pci(port.device)) {
                look_at_nic(port.device);
            } else {
                look_at_virtual(port.device);
            }
        }
        look_at_permissions();
        look_at_cpus();
        return std::move(findings_);
    }

  private:
    void error(std::string text, std::string command) {
        findings_.push_back({Finding::Severity::error, std::move(text), std::move(command)});
    }
    void advice(std::string text, std::string command) {
        findings_.push_back({Finding::Severity::advice, std::move(text), std::move(command)});
    }
    [[nodiscard]] bool exists(const fs::path& below) const {
        std::error_code ignored;
        return fs::exists(root_ / below, ignored);
    }

    void look_at_huge_pages();
    void look_at_mounts();
    void look_at_nic(const std::string& device);
    void look_at_driver(const std::string& device, const std::string& driver);
    void look_at_vfio(const std::string& device);
    [[nodiscard]] bool vfio_takes(const std::string& device) const;
    [[nodiscard]] std::string without_iommu(const std::string& device) const;
    void look_at_virtual(const std::string& device);
    void look_at_permissions();
    void look_at_cpus();

    fs::path root_;
    const HostView& host_;
    const config::Dpdk& settings_;
    const std::vector<uint32_t>& cpus_;
    std::vector<Finding> findings_;
};

void Diagnosis::look_at_huge_pages() {
    if (has(settings_, "--no-huge")) {
        advice("eal holds --no-huge: every access to a frame may miss the TLB",
               "take --no-huge out of eal");
        return;
    }
    uint64_t bytes = uint64_t{64} << 20;  // EAL's and the drivers' own
    for (const config::DpdkPort& port : settings_.ports) {
        bytes += pool_bytes({.workers = static_cast<uint32_t>(cpus_.size()),
                             .rx_descriptors = port.rx_descriptors,
                             .tx_descriptors = port.tx_descriptors,
                             .mtu = port.mtu,
                             .driver_frames = driver_frames(port.device)});
    }
    const std::string memory = read_file(root_ / "proc/meminfo");
    const uint64_t page_kib = number_behind(memory, "Hugepagesize:").value_or(2048);
    const uint64_t free = number_behind(memory, "HugePages_Free:").value_or(0);
    const uint64_t total = number_behind(memory, "HugePages_Total:").value_or(0);
    const uint64_t wanted = (bytes / 1024 + page_kib - 1) / page_kib;
    if (free < wanted) {
        error(fmt::format("{} huge pages of {} KiB are free (of {}), {} are needed", free, page_kib,
                          total, wanted),
              fmt::format("sysctl -w vm.nr_hugepages={}\n"
                          "echo vm.nr_hugepages={} > /etc/sysctl.d/80-switchyard.conf",
                          total - std::min(total, free) + wanted,
                          total - std::min(total, free) + wanted));
    }
    look_at_mounts();
}

void Diagnosis::look_at_mounts() {
    if (has(settings_, "--in-memory") || !has(settings_, "--huge-dir")) {
        return;  // no file system needed: in memory is the default
    }
    if (read_file(root_ / "proc/mounts").find(" hugetlbfs ") == std::string::npos) {
        error("no hugetlbfs is mounted, and eal holds --huge-dir",
              "mkdir -p /dev/hugepages && mount -t hugetlbfs nodev /dev/hugepages");
    }
}

void Diagnosis::look_at_nic(const std::string& device) {
    const fs::path path = fs::path("sys/bus/pci/devices") / device;
    if (!exists(path)) {
        error(fmt::format("there is no PCI device {}", device),
              "dpdk-devbind.py --status-dev net   # the addresses stand in front");
        return;
    }
    std::error_code ignored;
    const std::string driver =
        fs::read_symlink(root_ / path / "driver", ignored).filename().string();
    look_at_driver(device, driver);
}

void Diagnosis::look_at_driver(const std::string& device, const std::string& driver) {
    if (driver == "vfio-pci") {
        look_at_vfio(device);
        return;
    }
    if (driver == "uio_pci_generic" || driver == "igb_uio" || keeps_kernel_driver(driver)) {
        return;
    }
    std::string interfaces;
    std::error_code ignored;
    for (const auto& entry :
         fs::directory_iterator(root_ / "sys/bus/pci/devices" / device / "net", ignored)) {
        interfaces += (interfaces.empty() ? "" : ", ") + entry.path().filename().string();
    }
    const std::string down = interfaces.empty() ? "" : "ip link set " + interfaces + " down\n";
    const bool bindable = vfio_takes(device);
    error(fmt::format("PCI device {} is bound to {}{}, not to vfio-pci{}", device,
                      driver.empty() ? "no driver" : driver,
                      interfaces.empty() ? "" : " (interface " + interfaces + ")",
                      bindable ? "" : ", and stands behind no IOMMU"),
          down + (bindable ? "modprobe vfio-pci\ndpdk-devbind.py --bind=vfio-pci " + device
                           : without_iommu(device)));
}

// Without an IOMMU vfio takes a device only in its unsafe mode, which the kernel may lack.
bool Diagnosis::vfio_takes(const std::string& device) const {
    return exists(fs::path("sys/bus/pci/devices") / device / "iommu_group") ||
           read_file(root_ / unsafe_mode).starts_with("Y");
}

std::string Diagnosis::without_iommu(const std::string& device) const {
    std::string commands =
        "add intel_iommu=on iommu=pt (AMD: iommu=pt) to GRUB_CMDLINE_LINUX in "
        "/etc/default/grub, then\nupdate-grub && reboot\n# in a virtual machine without one";
    if (exists(unsafe_mode)) {
        return commands + fmt::format(":\necho 1 > /{}", unsafe_mode);
    }
    // CONFIG_VFIO_NOIOMMU is off in Debian's kernels.
    return commands + fmt::format(
                          " (vfio of this kernel wants one, or is not loaded):\n"
                          "modprobe uio_pci_generic\n"
                          "dpdk-devbind.py --bind=uio_pci_generic {}",
                          device);
}

void Diagnosis::look_at_vfio(const std::string& device) {
    if (!exists("dev/vfio/vfio")) {
        error("there is no /dev/vfio/vfio", "modprobe vfio-pci");
        return;
    }
    if (!vfio_takes(device)) {
        error(fmt::format("PCI device {} stands behind no IOMMU", device), without_iommu(device));
    }
}

void Diagnosis::look_at_virtual(const std::string& device) {
    if (device.starts_with("net_tap") && !exists("dev/net/tun")) {
        error("there is no /dev/net/tun for " + device, "modprobe tun");
    }
}

void Diagnosis::look_at_permissions() {
    const bool needs_root = std::ranges::any_of(settings_.ports, [](const config::DpdkPort& port) {
        return is_pci(port.device) || port.device.starts_with("net_tap") ||
               port.device.starts_with("net_af_");
    });
    if (needs_root && !host_.is_root) {
        advice("this user is not root: EAL may not reach the device",
               "run as root, or give the unit what it needs:\n"
               "AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK CAP_SYS_RAWIO\n"
               "LimitMEMLOCK=infinity\n"
               "# and, with a NIC: chown switchyard /dev/vfio/*");
    }
}

void Diagnosis::look_at_cpus() {
    const std::string command_line = read_file(root_ / "proc/cmdline");
    // "isolcpus=managed_irq,domain,2-5": the flags stand in front.
    std::string list = option_of(command_line, "isolcpus=");
    const size_t first_digit = list.find_first_of("0123456789");
    list = first_digit == std::string::npos ? "" : list.substr(first_digit);
    const std::vector<uint32_t> isolated = parse_cpu_list(list);
    std::string open;
    for (const uint32_t cpu : cpus_) {
        if (std::ranges::find(isolated, cpu) == isolated.end()) {
            open += (open.empty() ? "" : ",") + std::to_string(cpu);
        }
    }
    if (!open.empty()) {
        std::string all;
        for (const uint32_t cpu : cpus_) {
            all += (all.empty() ? "" : ",") + std::to_string(cpu);
        }
        advice(fmt::format("the kernel may run other things on the workers' CPUs {}", open),
               fmt::format("add isolcpus={0} nohz_full={0} rcu_nocbs={0} to GRUB_CMDLINE_LINUX in "
                           "/etc/default/grub, then\nupdate-grub && reboot",
                           all));
    }
    const std::string governor =
        cpus_.empty() ? ""
                      : read_file(root_ / fmt::format("sys/devices/system/cpu/cpu{}/cpufreq/"
                                                      "scaling_governor",
                                                      cpus_.front()));
    if (!governor.empty() && !governor.starts_with("performance")) {
        advice(fmt::format("the workers' CPUs change their clock (governor {})",
                           governor.substr(0, governor.find('\n'))),
               "cpupower frequency-set -g performance");
    }
}

}  // namespace

std::vector<uint32_t> parse_cpu_list(const std::string& text) {
    constexpr uint32_t cpus_max = 8192;
    std::vector<uint32_t> out;
    const char* at = text.data();
    const char* const end = at + text.size();
    const auto number = [&](uint32_t& value) {
        const auto [stop, error] = std::from_chars(at, end, value);
        at = stop;
        return error == std::errc{} && value < cpus_max;
    };
    while (at < end) {
        uint32_t first = 0;
        if (!number(first)) {
            return out;
        }
        uint32_t last = first;
        if (at < end && *at == '-') {
            ++at;
            if (!number(last)) {
                return out;
            }
        }
        for (uint32_t cpu = first; cpu <= last; ++cpu) {
            out.push_back(cpu);
        }
        if (at == end || *at != ',') {
            return out;
        }
        ++at;
    }
    return out;
}

std::vector<Finding> diagnose(const HostView& host,
                              const config::Dpdk& settings,
                              const std::vector<uint32_t>& cpus) {
    return Diagnosis(host, settings, cpus).run();
}

}  // namespace sy::dpdk
