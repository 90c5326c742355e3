"""Starting, watching and ending what is measured. Whatever is started here is ended here, by its pid."""

import ctypes
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "smppload" / "tests"))
from through_router import free_ports  # noqa: E402,F401  (used by the sections)

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
# What both ends take over DPDK, in huge pages of 2 MiB; below that they run on ordinary ones.
HUGE_PAGES_WANTED = 512


class Failed(Exception):
    """A check that did not hold, or a program that did not do what it should."""


class Build:
    """The programs of one build folder."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory).resolve()
        self.switchyard = self.directory / "io/daemon/switchyard"
        self.smppload = self.directory / "bench/smppload/smppload"
        self.relay = self.directory / "bench/limits/relay"
        self.core_latency = self.directory / "bench/core_latency"

    def is_release(self):
        """Of another build the figures would say nothing."""
        options = json.loads((self.directory / "meson-info/intro-buildoptions.json").read_text())
        chosen = {option["name"]: option["value"] for option in options}
        return chosen["buildtype"] == "release" and chosen["b_sanitize"] == "none" and not chosen["checks"]

    def bench(self, name):
        return self.directory / "bench" / name


def end_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """One program with its log; used with `with`, so that it ends however the block ends."""

    def __init__(self, command, log, cpu=None):
        pin = ["taskset", "-c", str(cpu)] if cpu is not None else []
        self.name = pathlib.Path(str(command[0])).name
        self.log = pathlib.Path(log)
        self.status = None
        with self.log.open("w") as output:
            self.process = subprocess.Popen([*pin, *map(str, command)], stdout=output, stderr=subprocess.STDOUT,
                                            stdin=subprocess.DEVNULL, preexec_fn=end_with_parent)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                if kind is None:
                    raise Failed(f"{self.name} did not end within 30 s of SIGTERM:\n{self.tail()}") from None
        self.status = self.process.returncode

    def tail(self, lines=8):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def alive(self):
        return self.process.poll() is None

    def wait_for(self, what, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            if not self.alive() or time.monotonic() > deadline:
                raise Failed(f"{self.name}: waited in vain until {what}:\n{self.tail()}")
            time.sleep(0.01)

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND

    def memory_kib(self, field="VmRSS"):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE).group(1))


def run(command, seconds, cpu=None):
    """The output of a program that ends by itself; Failed where it takes longer or does not end well."""
    pin = ["taskset", "-c", str(cpu)] if cpu is not None else []
    try:
        done = subprocess.run([*pin, *map(str, command)], capture_output=True, text=True, timeout=seconds,
                              check=False, preexec_fn=end_with_parent)
    except subprocess.TimeoutExpired:
        raise Failed(f"{command[0]} took longer than {seconds} s") from None
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-12:])
        raise Failed(f"{command[0]}: exit status {done.returncode}\n{tail}")
    return done.stdout


def arguments(options):
    """{"window": 200, "fallback": True} as smppload takes it."""
    out = []
    for name, value in options.items():
        out += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    return out


def huge_pages_free():
    pages = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages")
    return int(pages.read_text()) if pages.exists() else 0


def load_values(figures, seconds_of_cpu=None):
    """What the report keeps of smppload's --json."""
    measured = max(figures["rate_overall"] * figures["seconds"], 1.0)
    out = {"rate": figures["rate_overall"], "generator_busy": figures["busy_share"],
           "generator_cpu": figures["cpu_seconds"] * 1e6 / measured}
    for name in ("p50", "p90", "p99", "p999", "p9999"):
        out[name] = figures[f"submit_us_{name}"]
    if figures["submit_us_p99_median_interval"]:
        out["p99_interval"] = figures["submit_us_p99_median_interval"]
    if figures["receipts_home"]:
        out["receipt_p50"], out["receipt_p99"] = figures["receipt_us_p50"], figures["receipt_us_p99"]
    cpu = figures["router_cpu_seconds"] if seconds_of_cpu is None else seconds_of_cpu
    if cpu > 0:
        out["cpu"] = cpu * 1e6 / measured
    return out


class SmppLoad:
    """One run of smppload; `values()` waits for it and fails unless all its books balance."""

    def __init__(self, build, directory, options, cpu=None, prefix=()):
        self.json = pathlib.Path(directory, "load.json")
        self.json.unlink(missing_ok=True)
        command = [build.smppload, *prefix, "--json", self.json, *arguments(options)]
        self.process = Process(command, pathlib.Path(directory, "load.log"), cpu)

    def figures(self, seconds):
        try:
            status = self.process.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.process.kill()
            self.process.process.wait()
            raise Failed(f"smppload took longer than {seconds} s:\n{self.process.tail()}") from None
        if status != 0:
            raise Failed(f"smppload: exit status {status}\n{self.process.tail(12)}")
        figures = json.loads(self.json.read_text())
        if figures["discrepancies"] != 0:
            raise Failed(f"smppload: {figures['discrepancies']} discrepancies\n{self.process.tail(12)}")
        return figures


class RouterSetup:
    """A written configuration with its router running. smppload runs against it; `with` ends both.

    keys: (section, lines) to put into each of the sections of that name.
    write: options of smppload --write-config; transport: "kernel" or "memif"; router: another program in its place.
    """

    def __init__(self, bench, write, transport="kernel", keys=(), router=None):
        self.bench, self.transport = bench, transport
        self.program = router or bench.build.switchyard
        self.folder = tempfile.TemporaryDirectory(prefix="sybench.")
        self.directory = pathlib.Path(self.folder.name)
        first = free_ports(3 + write.get("suppliers", 1))
        options = {"cpu": bench.load_cpu, "admin": f"127.0.0.1:{first + 1}", "workers": bench.router_cpu, **write}
        if transport == "memif":
            options |= {"dpdk": "memif", "dpdk-socket": self.directory / "pair.sock"}
            if huge_pages_free() < HUGE_PAGES_WANTED:
                options["dpdk-eal"] = "--no-huge"
        else:
            options |= {"router": f"127.0.0.1:{first}", "listen": f"127.0.0.1:{first + 2}"}
        self.admin = options["admin"]
        eal = [f"--dpdk-eal={options.pop('dpdk-eal')}"] if "dpdk-eal" in options else []
        run([bench.build.smppload, "--write-config", self.directory, *eal, *arguments(options)], 120)
        toml = self.directory / "switchyard.toml"
        text = toml.read_text()
        for section, line in keys:
            if f"[{section}]\n" not in text:
                text += f"\n[{section}]\n"
            text = text.replace(f"[{section}]\n", f"[{section}]\n{line}\n")
        toml.write_text(text)

    def __enter__(self):
        self.router = Process([self.program, "run", "--config", self.directory / "switchyard.toml"],
                              self.directory / "router.log")
        try:
            log = self.router.log
            self.router.wait_for("it listens", lambda: "listening for customers" in log.read_text(), 300)
            if self.transport == "memif":
                self.router.wait_for("its memif socket is there", (self.directory / "pair.sock").exists)
        except Failed:
            self.__exit__(Failed)
            raise
        return self

    def __exit__(self, kind=None, *_):
        self.router.__exit__(kind)
        tail = self.router.tail()
        self.folder.cleanup()
        if kind is None and self.router.status != 0:
            raise Failed(f"the router ended with status {self.router.status}:\n{tail}")

    def load(self, options):
        return SmppLoad(self.bench.build, self.directory, {"router-pid": self.router.pid, **options},
                        prefix=("--options", self.directory / "smppload.ini"))
