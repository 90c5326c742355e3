"""A small Debian guest: kernel and modules of Debian's package, a RAM disk with busybox, the router and
DPDK's drivers, and one NIC at the PCI address NIC. Driven over its second serial line, where a shell reads.
"""

import glob
import os
import re
import shutil
import socket
import subprocess
import time
from typing import NamedTuple

NIC = "0000:00:05.0"
MEMORY_MIB = 2048
HUGE_PAGES = 128  # of 2 MiB: two workers' frames with segmentation and EAL's own take 184 MiB
PLUGINS = "/usr/lib/x86_64-linux-gnu/dpdk/pmds-23.0"
PMDS = ["bus_pci", "bus_vdev", "mempool_ring", "net_e1000", "net_virtio", "net_vmxnet3"]
# In the order in which they need each other.
MODULES = {
    "vfio-pci": ["virt/lib/irqbypass", "drivers/vfio/vfio", "drivers/vfio/vfio_virqfd",
                 "drivers/vfio/vfio_iommu_type1", "drivers/vfio/pci/vfio-pci-core", "drivers/vfio/pci/vfio-pci"],
    "uio_pci_generic": ["drivers/uio/uio", "drivers/uio/uio_pci_generic"],
}
VIRTIO = "virtio-net-pci,rss=on,hash=on,disable-legacy=on"


class Device(NamedTuple):
    qemu: str         # what QEMU is told beyond the address
    tap_queues: int   # of the TAP interface behind it
    driver: str       # DPDK's
    queues: int       # that the router finds for two workers
    spread: str       # how the router's log line on it begins to say who spreads


# QEMU's e1000e and vmxnet3 can spread, but not in a way that DPDK's drivers tell of.
DEVICES = {
    "virtio": Device(VIRTIO + ",mq=on,vectors=6", 2, "net_virtio", 2, "spread by the device,"),
    "virtio-single": Device(VIRTIO, 1, "net_virtio", 1, "spread by the workers (the device has 1 queues)"),
    "e1000e": Device("e1000e", 1, "net_e1000_em", 2, "spread by the workers (the device does not hash"),
    "vmxnet3": Device("vmxnet3", 1, "net_vmxnet3", 2, "spread by the workers (the device shows no key"),
}


def kernel_files(cache):
    """The folder with Debian's kernel and modules, fetched by apt-get the first time."""
    depends = subprocess.run(["apt-cache", "depends", "linux-image-cloud-amd64"], check=True,
                             capture_output=True, text=True).stdout
    package = re.search(r"Depends: (linux-image-\S+)", depends).group(1)
    target = os.path.join(cache, package)
    if not os.path.exists(target):
        partial = target + ".partial"
        shutil.rmtree(partial, ignore_errors=True)
        os.makedirs(partial)
        subprocess.run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package],
                       cwd=partial, check=True)
        archive, = glob.glob(os.path.join(partial, "*.deb"))
        subprocess.run(["dpkg-deb", "-x", archive, partial], check=True)
        os.remove(archive)
        os.rename(partial, target)
    return target


def libraries_of(path):
    """Absolute paths of what the loader takes in for it, itself first."""
    listed = subprocess.run(["ldd", path], check=True, capture_output=True, text=True).stdout
    if "not found" in listed:
        raise RuntimeError(f"{path}: a library is missing:\n{listed}")
    return [path, *re.findall(r"(/\S+) \(0x", listed)]


class RamDisk:
    def __init__(self, root):
        self.root = root
        for folder in ["usr/bin", "usr/lib", "usr/lib64", "dev", "proc", "sys", "tmp", "run", "modules", "etc"]:
            os.makedirs(os.path.join(root, folder))
        for name in ["bin", "lib", "lib64"]:
            os.symlink("usr/" + name, os.path.join(root, name))

    def put(self, path, target=None):
        """Copies a file; where it is a link on this machine, the link as well, or a library that has
        two names would be loaded twice."""
        real = os.path.realpath(path)
        inside = self.root + (target or real)
        os.makedirs(os.path.dirname(inside), exist_ok=True)
        if not os.path.exists(inside):
            shutil.copy(real, inside)
        named = self.root + (path if path.startswith("/usr") else "/usr" + path)
        if target is None and not os.path.exists(named):
            os.makedirs(os.path.dirname(named), exist_ok=True)
            os.symlink(real, named)

    def pack(self, file):
        with open(file, "wb") as out:
            names = subprocess.run(["find", "."], cwd=self.root, check=True, capture_output=True).stdout
            subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=self.root, input=names,
                           stdout=out, check=True)


class Guest:
    """`lab`: whose namespace the TAP interface is in; `binding`: a key of MODULES."""

    def __init__(self, lab, kernel, binding, router, configuration):
        self.lab, self.binding = lab, binding
        self.image, = glob.glob(os.path.join(kernel, "boot", "vmlinuz-*"))
        disk = RamDisk(lab.path("root"))
        disk.put("/bin/busybox", "/usr/bin/busybox")
        disk.put(os.path.join(os.path.dirname(os.path.abspath(__file__)), "init"), "/init")
        disk.put(router, "/usr/bin/switchyard")
        for library in libraries_of(router)[1:]:
            disk.put(library)
        for pmd in PMDS:
            for library in libraries_of(f"{PLUGINS}/librte_{pmd}.so.23"):
                disk.put(library)
            disk.put(f"{PLUGINS}/librte_{pmd}.so")
        modules, = glob.glob(os.path.join(kernel, "lib/modules/*/kernel"))
        for module in MODULES[binding]:
            disk.put(f"{modules}/{module}.ko", f"/modules/{os.path.basename(module)}.ko")
        for name in os.listdir(configuration):
            disk.put(os.path.join(configuration, name), f"/etc/{name}")
        disk.pack(lab.path("initrd"))
        shutil.rmtree(disk.root)
        self.serial = None
        self.heard = b""

    def command_line(self, device):
        """QEMU's. With vfio-pci the machine has an IOMMU: vfio of Debian's kernel takes no device without."""
        # no_timer_check: on a crowded machine the emulated timer is late for the kernel's test of it.
        kernel = "console=ttyS0 panic=-1 loglevel=5 no_timer_check default_hugepagesz=2M " \
            f"hugepagesz=2M hugepages={HUGE_PAGES} " \
            "isolcpus=managed_irq,domain,1-2 nohz_full=1-2 rcu_nocbs=1-2 irqaffinity=0"
        nic = f"{device.qemu},netdev=net,mac=52:54:00:77:00:02,addr={NIC[8:10]}"
        iommu = []
        if self.binding == "vfio-pci":
            kernel += " intel_iommu=on iommu=pt"
            iommu = ["-device", "intel-iommu,intremap=on,aw-bits=48"]
            nic += ",iommu_platform=on" if device.driver == "net_virtio" else ""
        tap = "tap,id=net,ifname=tap0,script=no,downscript=no,vhost=off"
        return ["qemu-system-x86_64", "-nodefaults", "-no-reboot", "-display", "none", "-machine", "q35",
                "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "3", "-m", str(MEMORY_MIB), *iommu,
                "-kernel", self.image, "-initrd", self.lab.path("initrd"), "-append", kernel,
                "-serial", "file:" + self.lab.path("console.log"),
                "-serial", f"unix:{self.lab.path('serial')},server=on,wait=off",
                "-netdev", tap + (f",queues={device.tap_queues}" if device.tap_queues > 1 else ""), "-device", nic]

    def boot(self, device, seconds):
        """Returns when the guest's shell answers."""
        self.process = self.lab.start("qemu", self.command_line(device))
        end = time.monotonic() + seconds
        while self.serial is None:
            connection = socket.socket(socket.AF_UNIX)
            if connection.connect_ex(self.lab.path("serial")) == 0:
                self.serial = connection
            elif self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("QEMU ended: " + "\n".join(self.lab.log_tail("qemu")))
            else:
                time.sleep(0.05)
        self._read_to(b"guest is up\n", end)

    def _read_to(self, mark, end):
        while mark not in self.heard:
            self.serial.settimeout(max(0.01, end - time.monotonic()))
            try:
                more = self.serial.recv(65536)
            except TimeoutError:
                more = b""
            if not more:
                raise RuntimeError("the guest says no more; its last lines:\n" + "\n".join(
                    self.lab.log_tail("console") + self.heard.decode(errors="replace").splitlines()[-5:]))
            self.heard += more
        before, _, self.heard = self.heard.partition(mark)
        return before.decode(errors="replace")

    def run(self, command, seconds=60):
        """A line of shell in the guest: its exit status and what it printed."""
        self.serial.sendall(f"{{ {command}; }} 2>&1; status=$?; echo; echo =status $status\n".encode())
        printed = self._read_to(b"=status ", time.monotonic() + seconds)
        status = self._read_to(b"\n", time.monotonic() + seconds)
        return int(status), printed.strip()
