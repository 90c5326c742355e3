"""What the figures were measured on, and how quiet it was: the head of the report."""

import os
import pathlib
import platform
import re
import resource
import subprocess
import time

from .programs import Failed, huge_pages_free, run

PACKAGES = ["g++-12", "libdpdk-dev", "libhyperscan-dev", "libtbb-dev", "libbenchmark-dev", "libconcurrentqueue-dev",
            "kannel", "nodejs", "libnet-smpp-perl", "dpdk-dev"]


def processor():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    name = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    mhz = re.search(r"^cpu MHz\s*: (.*)$", text, re.MULTILINE)
    return f"{name.group(1) if name else platform.machine()}, {mhz.group(1) if mhz else '?'} MHz"


def caches():
    out = []
    for index in sorted(pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        read = {key: (index / key).read_text().strip() for key in ("level", "type", "size")}
        if read["type"] != "Instruction":
            out.append(f"L{read['level']} {read['size']}")
    return ", ".join(out)


def package_versions():
    out = {}
    for name in PACKAGES:
        answer = subprocess.run(["dpkg-query", "-W", "-f=${Version}", name], capture_output=True, text=True, check=False)
        out[name] = answer.stdout if answer.returncode == 0 and answer.stdout else "not installed"
    return out


def commit(root):
    answer = subprocess.run(["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"],
                            capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else "unknown"


def describe(bench):
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1))
    compiler = subprocess.run(["g++", "--version"], capture_output=True, text=True, check=False).stdout.splitlines()
    return {
        "processor": processor(), "cpus": len(os.sched_getaffinity(0)), "caches of a CPU": caches(),
        "memory": f"{memory // 1024} MiB", "huge pages free": f"{huge_pages_free()} of 2 MiB",
        "kernel": platform.release(), "system": platform.freedesktop_os_release().get("PRETTY_NAME", "?"),
        "compiler": compiler[0] if compiler else "?", "commit": commit(bench.root),
        "pinning": f"router on CPU {bench.router_cpu}, load generator and suppliers on CPU {bench.load_cpu}",
        "packages": package_versions(), "begun": time.strftime("%Y-%m-%d %H:%M:%S %z"),
    }


class Noise:
    """What else went on while something was measured: looked at before and after."""

    def __init__(self, bench):
        self.bench = bench
        self.line_ns = self.core_latency()

    def core_latency(self):
        """ns one way of a cache line between the two CPUs; 0 where there is one CPU only."""
        if self.bench.router_cpu == self.bench.load_cpu:
            return 0.0
        text = run([self.bench.build.core_latency, self.bench.router_cpu, self.bench.load_cpu], 60)
        found = re.search(r": (\d+) ns one way", text)
        if not found:
            raise Failed(f"core_latency said: {text}")
        return float(found.group(1))

    @staticmethod
    def counters():
        fields = [int(x) for x in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
        ticks = os.sysconf("SC_CLK_TCK")
        idle, steal = (fields[3] + fields[4]) / ticks, fields[7] / ticks
        own = resource.getrusage(resource.RUSAGE_CHILDREN)
        mine = resource.getrusage(resource.RUSAGE_SELF)
        used = own.ru_utime + own.ru_stime + mine.ru_utime + mine.ru_stime
        return time.monotonic(), sum(fields[:8]) / ticks - idle - steal, steal, used

    def around(self, measure):
        """measure()'s values, with the noise of that time beside them."""
        before_line, before = self.line_ns, self.counters()
        values = measure()
        after = self.counters()
        wall, busy, steal, own = (b - a for a, b in zip(before, after))
        self.line_ns = self.core_latency()
        return values, {"line_ns_before": before_line, "line_ns_after": self.line_ns,
                        "load_average": os.getloadavg()[0], "steal_cpus": round(steal / max(wall, 1e-9), 3),
                        "other_cpus": round(max(busy - own, 0) / max(wall, 1e-9), 2)}
