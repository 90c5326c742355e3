"""The router under test: its files, its process, its signals."""

import os
import signal
import socket
import subprocess

from lab import ROUTER_ADDRESS, ROUTER_ADDRESS_V6, wait_until

PORT = 2775

DPDK = f"""
[dpdk]
eal = ["--no-huge", "--no-pci", "{{vdev}}"]
[[dpdk.port]]
device = "net_{{device}}0"
address = ["{ROUTER_ADDRESS}/24", "{ROUTER_ADDRESS_V6}/64"]
"""
VDEV_OPTIONS = {"af_packet": ",blocksz=4096,framesz=2048,framecnt=512,qdisc_bypass=1",
                "af_xdp": ",force_copy=1"}


def vdev(device):
    """EAL's argument for the router's port."""
    return f"--vdev=net_{device}0,iface=eth0{VDEV_OPTIONS[device]}"


def over_device(toml, device):
    """The same configuration over another transport. The workers sleep when there is nothing to do:
    they share the machine with the peers."""
    if device == "kernel":
        return toml
    runtime = '[runtime]\ntransport = "dpdk"\nidle = "adaptive"'
    return (toml.replace("[runtime]", runtime, 1) +
            DPDK.format(device=device, vdev=vdev(device)))


class Router:
    def __init__(self, lab, executable, toml, tables):
        self.lab, self.executable = lab, executable
        self.directory = lab.path("router")
        os.makedirs(self.directory, exist_ok=True)
        self.configure(toml)
        for name, text in tables.items():
            self.write(name, text)
        self.process = None

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w") as file:
            file.write(text)

    def configure(self, toml):
        self.write("switchyard.toml", over_device(toml, self.lab.device))

    def _command(self, name):
        configuration = os.path.join(self.directory, "switchyard.toml")
        return self.lab.router_command([self.executable, name, "--config", configuration])

    def check(self):
        """What `switchyard check` says; empty when it is content."""
        done = subprocess.run(self._command("check"), capture_output=True, text=True, timeout=20)
        return "" if done.returncode == 0 else f"exit {done.returncode}: {done.stderr}"

    def start(self):
        self.process = self.lab.start("router", self._command("run"))
        wait_until("the router listens", self._listens, 20)

    def _listens(self):
        if self.process.poll() is not None:
            raise RuntimeError("the router ended: " + "\n".join(self.lab.log_tail("router")))
        with socket.socket() as probe:
            probe.settimeout(0.5)  # no RST comes from a port that is not there yet
            return probe.connect_ex((ROUTER_ADDRESS, PORT)) == 0

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def terminate(self):
        """SIGTERM, without waiting. A second one would end the drain."""
        self.process.send_signal(signal.SIGTERM)

    def kill(self):
        """SIGKILL: nothing is settled, answered or closed. Its exit status."""
        return self.lab.stop(self.process, signal.SIGKILL)

    def wait_for_end(self, seconds=20):
        """Its exit status."""
        return self.process.wait(seconds)

    def stop(self):
        """SIGTERM; its exit status."""
        return self.lab.stop(self.process, seconds=20)
