#!/usr/bin/env python3
"""Our TCP/IP stack on a DPDK port against Linux: a thousand connections each way, bulk and ping-pong,
IPv4 and IPv6, every octet checked, with and without impairment injected at the port. A capture of all
of it has no expert info and breaks no window that the impairment does not explain.

    linux_tcp_test.py --peer PATH --build DIR [--device af_packet|af_xdp]
"""

import argparse
import json
import os
import signal

import lab as lab_module
from capture import Capture
from lab import Lab, ROUTER_ADDRESS, ROUTER_ADDRESS_V6, wait_until
from router import vdev
from tcp_trace import Trace

CONNECTIONS = 1000
PORT = 7
# Name, parts in 1,000 of each way, and what travels on a bulk connection.
LEVELS = [("no impairment", 0, 32768), ("1 %", 10, 16384), ("5 %", 50, 8192)]
# A SYN goes out 0, 1, 3, 7, 15, 31 and 63 s after the first: of a thousand connections at 5 % each way one
# in ten runs has one that needs the fifth.
CLIENT_SECONDS = 75
SERVER_SECONDS = CLIENT_SECONDS + 15


class Peer:
    """One tcp_peer process; its lines of JSON."""

    def __init__(self, lab, label, command, start):
        self.lab, self.label = lab, label
        self.process = start(label, command, stderr=None)

    def lines(self):
        return self.lab.log_tail(self.label, 1000)

    def wait_for(self, word, seconds=20):
        def there():
            if word in self.lines():
                return True
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.label} ended: " + "\n".join(self.lab.log_tail(self.label)))
            return False
        wait_until(f"{self.label} says {word}", there, seconds)

    def reports(self):
        return [json.loads(line) for line in self.lines() if line.startswith("{") and line.endswith("}")]

    def figures(self):
        """What it has counted so far."""
        count = len(self.reports())
        self.process.send_signal(signal.SIGUSR1)
        wait_until(f"{self.label} reports", lambda: len(self.reports()) > count, 10)
        return self.reports()[-1]

    def wait(self, seconds=SERVER_SECONDS + 10):
        """Its exit status and its last figures; it ends by itself before that."""
        status = self.process.wait(seconds)
        return status, (self.reports() or [{}])[-1]

    def stop(self, seconds=SERVER_SECONDS + 10):
        self.process.send_signal(signal.SIGTERM)
        return self.wait(seconds)


class Bench:
    def __init__(self, options):
        self.options = options
        self.lab = Lab(os.path.join(options.build, f"lab-linux-tcp-{options.device}"), options.device)
        self.linux = self.lab.host("linux")
        self.linux_v6 = f"fd77::{self.linux.address.rsplit('.', 1)[1]}"
        self.lab.without_offloads("linux", f"v{self.linux.address.rsplit('.', 1)[1]}")
        for name, value in (("net.core.somaxconn", 4096), ("net.ipv4.tcp_max_syn_backlog", 4096)):
            self.lab.run("ip", "netns", "exec", "linux", "sysctl", "-qw", f"{name}={value}")
        self.count = 0

    def stack(self, *arguments):
        """A tcp_peer over our stack."""
        self.count += 1
        command = [self.options.peer, "--device", f"net_{self.options.device}0",
                   *(f"--eal={word}" for word in ("--no-huge", "--no-pci", vdev(self.options.device))),
                   "--address", f"{ROUTER_ADDRESS}/24", "--address", f"{ROUTER_ADDRESS_V6}/64",
                   "--seed", str(self.count), *arguments]
        return Peer(self.lab, f"stack-{self.count}", self.lab.router_command(command), self.lab.start)

    def kernel(self, *arguments):
        """A tcp_peer over Linux's TCP, on another host."""
        self.count += 1
        return Peer(self.lab, f"kernel-{self.count}", [self.options.peer, "--kernel", *arguments],
                    self.linux.start)


def plan(bulk_octets):
    return ["--connections", str(CONNECTIONS), "--traffic", "mixed", "--bulk-octets", str(bulk_octets),
            "--message-octets", "200", "--messages", "10", "--seconds", str(CLIENT_SECONDS)]


def listening():
    return ["--listen", f"0.0.0.0:{PORT}", "--listen", f"[::]:{PORT}", "--seconds", str(SERVER_SECONDS)]


def faults(permille):
    return ["--loss", str(permille), "--duplicate", str(permille), "--reorder", str(permille),
            "--delay-us", "1000" if permille else "0"]


def check_ends(b, client, server, bulk_octets):
    """Every octet of every connection came back, and neither side keeps anything."""
    (client_status, client_figures), (server_status, server_figures) = client, server
    octets = CONNECTIONS // 2 * (bulk_octets + 2000)
    b.lab.check_equal("both end in time", (client_status, server_status), (0, 0))
    b.lab.check_equal("connections that got all back", client_figures.get("complete"), CONNECTIONS)
    b.lab.check_equal("octets that came back right",
                      (client_figures.get("verified"), client_figures.get("wrong")), (octets, 0))
    b.lab.check_equal("octets that the server gave back", server_figures.get("echoed"), octets)
    stack = client_figures if "chunks_used" in client_figures else server_figures
    b.lab.check_equal("connections, half-open ones, memory that our stack still has",
                      [stack.get(name) for name in ("connections_used", "half_open_used", "chunks_used")],
                      [0, 0, 0])
    print(f"# {client_figures['elapsed_us'] / 1e6:.2f} s, {octets} octets each way; our stack: " +
          ", ".join(f"{name} {stack[name]}" for name in
                    ("tcp_segments_in", "tcp_segments_out", "tcp_retransmitted", "tcp_timeouts",
                     "tcp_fast_recoveries", "tcp_tail_probes", "tcp_out_of_order", "tcp_duplicates_in",
                     "fault_lost_in", "fault_lost_out", "dpdk_tx_full")), flush=True)
    return stack


def both_ways(b, name, permille, bulk_octets):
    capture = Capture(b.lab, [], buffer_mib=64)
    server = b.stack(*listening(), *faults(permille))
    server.wait_for("ready")
    client = b.kernel("--connect", f"{ROUTER_ADDRESS}:{PORT}", "--connect", f"[{ROUTER_ADDRESS_V6}]:{PORT}",
                      *plan(bulk_octets))
    b.lab.scenario_name = f"{name}, Linux connects"
    first = check_ends(b, client.wait(), server.stop(), bulk_octets)
    server = b.kernel(*listening())
    server.wait_for("ready")
    client = b.stack("--connect", f"{b.linux.address}:{PORT}", "--connect", f"[{b.linux_v6}]:{PORT}",
                     *plan(bulk_octets), *faults(permille))
    b.lab.scenario_name = f"{name}, we connect"
    second = check_ends(b, client.wait(), server.stop(), bulk_octets)
    capture.stop()
    b.lab.scenario_name = f"{name}, the capture"
    check_capture(b, capture, permille, [first, second])


def check_capture(b, capture, permille, stacks):
    dropped = capture.dropped()
    b.lab.check_equal("dumpcap saw all of it", dropped, 0)
    trace = Trace(capture, {ROUTER_ADDRESS, ROUTER_ADDRESS_V6})
    b.lab.check("all connections are in it, over IPv4 and IPv6",
                trace.streams_v4 >= CONNECTIONS and trace.streams_v6 >= CONNECTIONS,
                f"{trace.streams_v4} {trace.streams_v6}")
    print(f"# {trace.segments} segments; expert info: " +
          ", ".join(f"{count} {text}" for text, count in trace.experts.most_common(12)), flush=True)
    b.lab.check("nothing malformed, no bad checksum, nothing acknowledged that was never sent",
                not trace.errors, "\n".join(trace.errors[:20]))
    b.lab.check("we never send beyond the window that Linux offered", not trace.beyond_window,
                "\n".join(trace.beyond_window[:20]))
    if not permille:  # else the impairment itself puts older windows behind newer ones
        b.lab.check("our window never shrinks", not trace.shrunk, "\n".join(trace.shrunk[:20]))
    lost = sum(stack["fault_lost_in"] + stack["fault_lost_out"] for stack in stacks)
    b.lab.check("the impairment was there" if permille else "there was no impairment",
                lost > 0 if permille else lost == 0, lost)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--device", choices=lab_module.DEVICES[1:], default="af_packet")
    parser.add_argument("--level", type=int, choices=range(len(LEVELS)), help="only this one of LEVELS")
    options = parser.parse_args()
    lab_module.enter([], 230)
    b = Bench(options)
    for index, (name, permille, bulk_octets) in enumerate(LEVELS):
        if options.level in (None, index):
            b.lab.scenario(name, both_ways, b, name, permille, bulk_octets)
    b.lab.finish()


if __name__ == "__main__":
    main()
