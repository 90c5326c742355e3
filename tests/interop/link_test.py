#!/usr/bin/env python3
"""A router over DPDK whose link goes down and comes back, and whose device disappears, while a session
runs: it says so, the session goes on over the first and ends over the second, the router lives.

    link_test.py --router PATH --build DIR --device af_packet|af_xdp
"""

import argparse
import os
import socket
import struct

import lab as lab_module
from lab import Lab, ROUTER_ADDRESS, wait_until
from router import PORT, Router

TOML = """
[runtime]
workers = [0]
[smpp]
listen = ["0.0.0.0:2775"]
enquire_link = "1s"
response = "2s"
[routes]
mt = ""
mo = ""
errors = ""
[[customer]]
name = "acme"
system_id = "acme"
password = "secret"
"""


class Session:
    """One bound transceiver, octet by octet; answers nothing that it is not asked to."""

    def __init__(self):
        self.socket = socket.create_connection((ROUTER_ADDRESS, PORT), 5)
        self.socket.settimeout(20)
        self.sequence = 0

    def request(self, command, body=b""):
        """Sends it and returns the status of its response; answers enquire_links on the way."""
        self.sequence += 1
        self.socket.sendall(struct.pack(">IIII", 16 + len(body), command, 0, self.sequence) + body)
        while True:
            length, got, status, sequence = struct.unpack(">IIII", self._read(16))
            self._read(length - 16)
            if got == 0x15:
                self.socket.sendall(struct.pack(">IIII", 16, 0x80000015, 0, sequence))
            elif got == command | 0x80000000 and sequence == self.sequence:
                return status

    def _read(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise RuntimeError("the router closed the connection")
            data += piece
        return data

    def bind(self):
        return self.request(0x9, b"acme\0secret\0\0\x34\0\0\0")


class Bench:
    def __init__(self, options):
        self.lab = Lab(os.path.join(options.build, f"lab-link-{options.device}"), options.device)
        self.router = Router(self.lab, options.router, TOML, {})
        self.session = None

    def logged(self, text):
        with open(self.lab.path("router.log"), errors="replace") as log:
            return log.read().count(text)

    def wait_for_log(self, text, count=1):
        wait_until(f"the router logs '{text}'", lambda: self.logged(text) >= count, 20)
        self.lab.check(f"the router logs '{text}'", True)


def bound(b):
    b.router.start()
    b.session = Session()
    b.lab.check_equal("bound", b.session.bind(), 0)
    b.lab.check_equal("enquire_link answered", b.session.request(0x15), 0)


def down_and_up(b):
    for turn in (1, 2):
        b.lab.run("ip", "link", "set", "vrouter", "down")
        b.wait_for_log("link down", turn)
        b.lab.run("ip", "link", "set", "vrouter", "up")
        b.wait_for_log("link up", turn + 1)  # the first one is of the start
        b.lab.check_equal("the session goes on: enquire_link answered", b.session.request(0x15), 0)


def device_gone(b):
    b.lab.run("ip", "link", "delete", "vrouter")
    b.wait_for_log("the device is gone")
    b.wait_for_log("customer session closed")
    b.lab.check("the router lives", b.router.process.poll() is None)
    b.lab.check_equal("SIGTERM: it ends with status 0", b.router.stop(), 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--router", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--device", choices=lab_module.DEVICES[1:], required=True)
    options = parser.parse_args()
    lab_module.enter([], 100)
    b = Bench(options)
    for scenario in (bound, down_and_up, device_gone):
        b.lab.scenario(scenario.__name__.replace("_", " "), scenario, b)
    b.lab.finish()


if __name__ == "__main__":
    main()
