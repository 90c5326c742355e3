"""A laboratory for real peers: its own network, process and mount namespaces, a host for each peer,
checks printed one a line (TAP), everything gone when it ends, however it ends.

enter() re-executes the test under unshare(1). When the first process of the new process namespace
dies, the kernel kills all others in it and drops the networks, so nothing outlives a test that
failed, hung or was killed.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback

INSIDE = "SWITCHYARD_INTEROP_INSIDE"
BRIDGE = "lab0"
ROUTER_ADDRESS = "10.77.0.1"
ROUTER_ADDRESS_V6 = "fd77::1"
LAB_ADDRESS = "10.77.0.2"  # of the tests themselves, on the bridge
DEVICES = ("kernel", "af_packet", "af_xdp")  # what the router's transport runs over
OFFLOADS = ("rx", "tx", "tso", "gso", "gro", "sg")


class Missing(Exception):
    """Something that had to happen did not, within its bound."""


def wait_until(what, condition, seconds=10.0):
    """The first true value of condition(); asked again until the bound is reached."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Missing(f"{what}: not within {seconds:g} s")
        time.sleep(0.01)


def add_device_option(parser):
    parser.add_argument("--device", choices=DEVICES, default=DEVICES[0],
                        help="kernel sockets, or the DPDK driver of the router's port on a veth")


def bail_out(reason):
    print(f"Bail out! {reason}", flush=True)
    print(reason, file=sys.stderr)
    sys.exit(1)


def enter(tools, seconds):
    """Returns inside fresh namespaces, with a bound on the whole test; ends it if that cannot be."""
    if os.geteuid() != 0:
        bail_out("the interop tests make network namespaces: run them as root")
    needed = ["unshare", "ip", "ethtool", "dumpcap", "tshark", *tools]
    missing = [tool for tool in needed if not shutil.which(tool)]
    if missing:
        bail_out(f"missing: {', '.join(missing)}; scripts/setup installs what the interop tests need")
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        os.execvp("unshare", [*unshare, sys.executable, *sys.argv])

    # The first process of a namespace ignores signals that it has no handler for.
    def out_of_time(_signal, _frame):
        print(f"not ok - the test ends within {seconds} s", flush=True)
        traceback.print_stack(file=sys.stderr)
        os._exit(1)

    signal.signal(signal.SIGALRM, out_of_time)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: os._exit(1))
    signal.alarm(seconds)


def npm_modules(build_directory):
    """The folder with the npm library, installed from the lock file the first time. Before enter():
    the namespaces have no way out to a registry."""
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers")
    target = os.path.join(build_directory, "npm")
    done = os.path.join(target, "installed")
    with open(os.path.join(source, "package-lock.json"), "rb") as lock_file:
        lock = lock_file.read()
    if not shutil.which("npm"):
        bail_out("missing: npm; scripts/setup installs what the interop tests need")
    os.makedirs(target, exist_ok=True)
    lock_handle = open(os.path.join(target, "lock"), "w")
    fcntl.flock(lock_handle, fcntl.LOCK_EX)
    if os.path.exists(done) and open(done, "rb").read() == lock:
        return os.path.join(target, "node_modules")
    for name in ["package.json", "package-lock.json", ".npmrc"]:
        shutil.copy(os.path.join(source, name), target)
    try:
        subprocess.run(["npm", "ci"], cwd=target, check=True, timeout=60,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        bail_out(f"npm could not install the smpp package of tests/interop/peers/package.json: "
                 f"{error}\n{(error.output or b'').decode(errors='replace')}")
    with open(done, "wb") as done_file:
        done_file.write(lock)
    return os.path.join(target, "node_modules")


class Host:
    """A network namespace with an IPv4 and an IPv6 address on the lab's bridge."""

    def __init__(self, lab, name, address):
        self.lab, self.name, self.address = lab, name, address

    def start(self, label, command, **options):
        return self.lab.start(label, ["ip", "netns", "exec", self.name, *command], **options)


class Lab:
    """`device`: kernel sockets, where the router has the bridge's own address, or a DPDK driver."""

    def __init__(self, directory, device="kernel"):
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        self.directory = directory
        self.device = device
        self.hosts = {}
        self.processes = []  # (label, process), in the order of start
        self.check_count = 0
        self.failed = []
        self.scenario_name = ""
        # ip-netns keeps its names under /run: cover it, the host's own stays out of sight.
        self.run("mount", "-t", "tmpfs", "tmpfs", "/run")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "link", "add", BRIDGE, "type", "bridge")
        # The router's first: what it connects from comes from there.
        if device == "kernel":
            self.run("ip", "address", "add", f"{ROUTER_ADDRESS}/24", "dev", BRIDGE)
            self.run("ip", "address", "add", f"{ROUTER_ADDRESS_V6}/64", "dev", BRIDGE, "nodad")
        self.run("ip", "address", "add", f"{LAB_ADDRESS}/24", "dev", BRIDGE)
        self.run("ip", "link", "set", BRIDGE, "up")
        if device != "kernel":
            self._add_router_host()

    def run(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        if done.returncode != 0:
            bail_out(f"{' '.join(command)}: {done.stderr.strip()}")

    def _plug_in(self, name, port):
        """A new namespace whose eth0 is at the other end of the bridge's port."""
        self.run("ip", "netns", "add", name)
        self.run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name)
        self.run("ip", "link", "set", port, "master", BRIDGE, "up")

    def _add_router_host(self):
        """The kernel has no address on this eth0 and leaves all frames to the router. Without
        offloads on both ends, for frames of the wire's size with whole checksums."""
        self._plug_in("router", "vrouter")
        self.without_offloads("router", "vrouter")
        self.run("ip", "-n", "router", "link", "set", "eth0", "addrgenmode", "none")
        self.run("ip", "-n", "router", "link", "set", "eth0", "arp", "off", "up")
        self.run("ip", "-n", "router", "link", "set", "lo", "up")

    def without_offloads(self, name, port):
        """Both ends of a host's veth: frames there are as on a wire, checksums complete."""
        off = [word for offload in OFFLOADS for word in (offload, "off")]
        self.run("ethtool", "-K", port, *off)
        self.run("ip", "netns", "exec", name, "ethtool", "-K", "eth0", *off)

    def router_command(self, command):
        """The command where the router's device is."""
        return command if self.device == "kernel" else ["ip", "netns", "exec", "router", *command]

    def output(self, *command):
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout

    def path(self, name):
        return os.path.join(self.directory, name)

    def host(self, name):
        """The host of that name, made at its first use."""
        if name not in self.hosts:
            number = len(self.hosts) + 11
            host = Host(self, name, f"10.77.0.{number}")
            self._plug_in(name, f"v{number}")
            self.run("ip", "-n", name, "address", "add", f"{host.address}/24", "dev", "eth0")
            self.run("ip", "-n", name, "address", "add", f"fd77::{number}/64", "dev", "eth0", "nodad")
            self.run("ip", "-n", name, "link", "set", "eth0", "up")
            self.run("ip", "-n", name, "link", "set", "lo", "up")
            self.hosts[name] = host
        return self.hosts[name]

    def start(self, label, command, **options):
        """Starts a process; its output goes to LABEL.log unless the caller wants it."""
        with open(self.path(label + ".log"), "ab") as log:
            process = subprocess.Popen(command, **{"stdin": subprocess.DEVNULL, "stdout": log,
                                                   "stderr": log, **options})
        self.processes.append((label, process))
        return process

    def stop(self, process, how=signal.SIGTERM, seconds=10):
        """Ends a process that start() gave; its exit status, negative for a signal."""
        if process.poll() is None:
            process.send_signal(how)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Missing(f"pid {process.pid} ends within {seconds} s of signal {how}") from None

    def log_tail(self, label, lines=15):
        try:
            with open(self.path(label + ".log"), errors="replace") as log:
                return log.read().splitlines()[-lines:]
        except FileNotFoundError:
            return []

    # Checks and scenarios.

    def check(self, what, holds, detail=""):
        self.check_count += 1
        name = f"{self.scenario_name}: {what}" if self.scenario_name else what
        print(f"{'ok' if holds else 'not ok'} {self.check_count} - {name}", flush=True)
        if not holds:
            self.failed.append(name)
            # Meson shows a failed test's stderr alone; the standard output stays whole for the rest.
            print(f"not ok {self.check_count} - {name}", file=sys.stderr, flush=True)
            for line in str(detail).splitlines():
                for stream in (sys.stdout, sys.stderr):
                    print(f"#   {line}", file=stream, flush=True)
        return bool(holds)

    def check_equal(self, what, got, want):
        return self.check(what, got == want, f"got  {got!r}\nwant {want!r}")

    def scenario(self, name, function, *arguments):
        """Runs one scenario; one that cannot go on fails and the next one runs."""
        self.scenario_name = name
        try:
            function(*arguments)
        except Exception as error:  # whatever it was, it is this scenario's failure
            where = traceback.extract_tb(error.__traceback__)
            here = [f"{os.path.basename(frame.filename)}:{frame.lineno} {frame.line}"
                    for frame in where if os.path.dirname(__file__) in frame.filename]
            self.check("runs to its end", False,
                       f"{type(error).__name__}: {error}\n" + "\n".join(here))
        self.scenario_name = ""

    def finish(self):
        """Ends what still runs, latest first, prints the plan and leaves."""
        for label, process in reversed(self.processes):
            if process.poll() is None:
                try:
                    self.stop(process)
                except Missing as error:
                    self.check(f"{label} stops", False, error)
        print(f"1..{self.check_count}", flush=True)
        if self.failed:
            for label in dict.fromkeys(label for label, _ in self.processes):
                for line in self.log_tail(label):
                    print(f"# {label}: {line}", flush=True)
            print(f"# {len(self.failed)} of {self.check_count} failed; logs and capture: {self.directory}",
                  flush=True)
        sys.exit(1 if self.failed else 0)
