"""The router under test: its files, its process, its signals."""

import os
import signal
import socket
import subprocess

from lab import ROUTER_ADDRESS, wait_until

PORT = 2775


class Router:
    def __init__(self, lab, executable, toml, tables):
        self.lab, self.executable = lab, executable
        self.directory = lab.path("router")
        os.makedirs(self.directory, exist_ok=True)
        self.write("switchyard.toml", toml)
        for name, text in tables.items():
            self.write(name, text)
        self.process = None

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w") as file:
            file.write(text)

    def check(self):
        """What `switchyard check` says; empty when it is content."""
        done = subprocess.run([self.executable, "check", "--config",
                               os.path.join(self.directory, "switchyard.toml")],
                              capture_output=True, text=True, timeout=20)
        return "" if done.returncode == 0 else f"exit {done.returncode}: {done.stderr}"

    def start(self):
        self.process = self.lab.start("router", [self.executable, "run", "--config",
                                                 os.path.join(self.directory, "switchyard.toml")])
        wait_until("the router listens", self._listens)

    def _listens(self):
        if self.process.poll() is not None:
            raise RuntimeError("the router ended: " + "\n".join(self.lab.log_tail("router")))
        with socket.socket() as probe:
            return probe.connect_ex((ROUTER_ADDRESS, PORT)) == 0

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def terminate(self):
        """SIGTERM, without waiting. A second one would end the drain."""
        self.process.send_signal(signal.SIGTERM)

    def wait_for_end(self, seconds=20):
        """Its exit status."""
        return self.process.wait(seconds)

    def stop(self):
        """SIGTERM; its exit status."""
        return self.lab.stop(self.process, seconds=20)
