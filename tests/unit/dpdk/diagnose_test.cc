// The host check against fixture trees of /proc and /sys.
#include "io/dpdk/diagnose.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace sy::dpdk {
namespace {

namespace fs = std::filesystem;

class Diagnose : public testing::Test {
  protected:
    Diagnose() {
        std::string pattern = testing::TempDir() + "sy_diagnose_XXXXXX";
        root_ = mkdtemp(pattern.data());
        // A machine with everything in place for nic_ on CPUs 2 and 3.
        write("proc/meminfo",
              "MemTotal: 1\nHugePages_Total:    2048\nHugePages_Free:     2048\n"
              "Hugepagesize:       2048 kB\n");
        write("proc/cmdline", "BOOT_IMAGE=/vmlinuz isolcpus=managed_irq,domain,2-3,8 quiet\n");
        write("dev/vfio/vfio", "");
        write("sys/bus/pci/devices/" + nic_ + "/iommu_group", "");
        bind("vfio-pci");
        use(nic_);
    }
    ~Diagnose() override { fs::remove_all(root_); }

    void write(const std::string& path, const std::string& text) {
        fs::create_directories((root_ / path).parent_path());
        std::ofstream(root_ / path) << text;
    }
    void use(const std::string& device) {
        settings_.ports.assign(1, config::DpdkPort{});
        settings_.ports[0].device = device;
    }
    void remove(const std::string& path) { fs::remove_all(root_ / path); }
    void bind(const std::string& driver) {
        remove("sys/bus/pci/devices/" + nic_ + "/driver");
        fs::create_symlink("../../../bus/pci/drivers/" + driver,
                           root_ / "sys/bus/pci/devices" / nic_ / "driver");
    }
    [[nodiscard]] std::vector<std::string> found(bool is_root = true) {
        std::vector<std::string> out;
        for (const Finding& one :
             diagnose({root_.string(), is_root}, settings_, std::vector<uint32_t>{2, 3})) {
            out.push_back((one.severity == Finding::Severity::error ? "error: " : "advice: ") +
                          one.text + " | " + one.command);
        }
        return out;
    }
    void expect_one(const std::string& wanted, bool is_root = true) {
        EXPECT_EQ(found(is_root), std::vector<std::string>{wanted});
    }

    const std::string nic_ = "0000:3b:00.0";
    fs::path root_;
    config::Dpdk settings_;
};

TEST_F(Diagnose, AMachineThatIsReadyHasNoFindings) {
    EXPECT_EQ(found(), std::vector<std::string>{});
}

TEST_F(Diagnose, HugePagesAreCounted) {
    write("proc/meminfo",
          "HugePages_Total:      10\nHugePages_Free:        3\nHugepagesize: 2048 kB\n");
    // 64 MiB, and the pools of two workers with the default descriptors.
    expect_one(
        "error: 3 huge pages of 2048 KiB are free (of 10), 48 are needed | "
        "sysctl -w vm.nr_hugepages=55\n"
        "echo vm.nr_hugepages=55 > /etc/sysctl.d/80-switchyard.conf");
}

TEST_F(Diagnose, WithoutHugePagesIsSlower) {
    settings_.eal = {"--no-huge"};
    write("proc/meminfo", "");
    expect_one(
        "advice: eal holds --no-huge: every access to a frame may miss the TLB | "
        "take --no-huge out of eal");
}

TEST_F(Diagnose, AHugeDirNeedsItsMount) {
    settings_.eal = {"--huge-dir=/dev/hugepages"};
    write("proc/mounts", "proc /proc proc rw 0 0\n");
    expect_one(
        "error: no hugetlbfs is mounted, and eal holds --huge-dir | "
        "mkdir -p /dev/hugepages && mount -t hugetlbfs nodev /dev/hugepages");
    write("proc/mounts", "hugetlbfs /dev/hugepages hugetlbfs rw 0 0\n");
    EXPECT_EQ(found(), std::vector<std::string>{});
}

TEST_F(Diagnose, ANicWithTheKernelsDriverIsToBeBound) {
    bind("ice");
    write("sys/bus/pci/devices/" + nic_ + "/net/ens1f0/address", "");
    expect_one(
        "error: PCI device 0000:3b:00.0 is bound to ice (interface ens1f0), not to vfio-pci | "
        "ip link set ens1f0 down\nmodprobe vfio-pci\n"
        "dpdk-devbind.py --bind=vfio-pci 0000:3b:00.0");
}

TEST_F(Diagnose, ANicWithoutDriverIsToBeBound) {
    remove("sys/bus/pci/devices/" + nic_ + "/driver");
    expect_one(
        "error: PCI device 0000:3b:00.0 is bound to no driver, not to vfio-pci | "
        "modprobe vfio-pci\ndpdk-devbind.py --bind=vfio-pci 0000:3b:00.0");
}

TEST_F(Diagnose, MellanoxKeepsItsKernelDriver) {
    bind("mlx5_core");
    EXPECT_EQ(found(), std::vector<std::string>{});
}

TEST_F(Diagnose, AnUnknownPciDeviceIsNamed) {
    remove("sys/bus/pci/devices/" + nic_);
    expect_one(
        "error: there is no PCI device 0000:3b:00.0 | "
        "dpdk-devbind.py --status-dev net   # the addresses stand in front");
}

TEST_F(Diagnose, VfioMustBeLoaded) {
    remove("dev/vfio");
    expect_one("error: there is no /dev/vfio/vfio | modprobe vfio-pci");
}

TEST_F(Diagnose, WithoutIommuVfioNeedsItsUnsafeMode) {
    const std::string wanted =
        "error: PCI device 0000:3b:00.0 stands behind no IOMMU | add intel_iommu=on iommu=pt (AMD: "
        "iommu=pt) to GRUB_CMDLINE_LINUX in /etc/default/grub, then\nupdate-grub && reboot\n"
        "# in a virtual machine without one";
    const std::string mode = "sys/module/vfio/parameters/enable_unsafe_noiommu_mode";
    remove("sys/bus/pci/devices/" + nic_ + "/iommu_group");
    expect_one(wanted +
               " (vfio of this kernel wants one, or is not loaded):\nmodprobe uio_pci_generic\n"
               "dpdk-devbind.py --bind=uio_pci_generic 0000:3b:00.0");
    write(mode, "N\n");
    expect_one(wanted + ":\necho 1 > /" + mode);
    write(mode, "Y\n");
    EXPECT_EQ(found(), std::vector<std::string>{});
}

TEST_F(Diagnose, WithoutIommuANicIsToBeBoundToUio) {
    remove("sys/bus/pci/devices/" + nic_ + "/iommu_group");
    bind("virtio-pci");
    const auto all = found();
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].find("error: PCI device 0000:3b:00.0 is bound to virtio-pci, not to vfio-pci, "
                          "and stands behind no IOMMU | add intel_iommu=on"),
              0u);
    EXPECT_NE(all[0].find("dpdk-devbind.py --bind=uio_pci_generic 0000:3b:00.0"),
              std::string::npos);
    bind("uio_pci_generic");
    EXPECT_EQ(found(), std::vector<std::string>{});
}

TEST_F(Diagnose, TapNeedsTun) {
    use("net_tap0");
    expect_one("error: there is no /dev/net/tun for net_tap0 | modprobe tun");
    write("dev/net/tun", "");
    EXPECT_EQ(found(), std::vector<std::string>{});
}

TEST_F(Diagnose, AnotherUserThanRootNeedsCapabilities) {
    const auto all = found(false);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].find("advice: this user is not root"), 0u);
    EXPECT_NE(all[0].find("AmbientCapabilities="), std::string::npos);
}

TEST_F(Diagnose, CpusAreToBeIsolatedAndToKeepTheirClock) {
    write("proc/cmdline", "quiet isolcpus=3\n");
    write("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "powersave\n");
    EXPECT_EQ(found(),
              (std::vector<std::string>{
                  "advice: the kernel may run other things on the workers' CPUs 2 | add "
                  "isolcpus=2,3 nohz_full=2,3 rcu_nocbs=2,3 to GRUB_CMDLINE_LINUX in "
                  "/etc/default/grub, then\nupdate-grub && reboot",
                  "advice: the workers' CPUs change their clock (governor powersave) | cpupower "
                  "frequency-set -g performance"}));
}

TEST_F(Diagnose, AnEmptyRootIsSurvived) {
    fs::remove_all(root_);
    EXPECT_GE(found().size(), 2u);
}

TEST(ParseCpuList, TakesRangesAndStopsAtNonsense) {
    using List = std::vector<uint32_t>;
    EXPECT_EQ(parse_cpu_list(""), List{});
    EXPECT_EQ(parse_cpu_list("0-3,8"), (List{0, 1, 2, 3, 8}));
    EXPECT_EQ(parse_cpu_list("5\n"), List{5});
    EXPECT_EQ(parse_cpu_list("1,x,3"), List{1});
    EXPECT_EQ(parse_cpu_list("1-"), List{});
    EXPECT_EQ(parse_cpu_list("0-4000000000"), List{});
    EXPECT_EQ(parse_cpu_list("3-1,7"), List{7});
}

}  // namespace
}  // namespace sy::dpdk
