#!/usr/bin/env python3
"""Healthy customers and suppliers beside deaf ones: what the healthy notice.

One supplier accepts our bind and from then on neither answers nor reads; one customer submits without end and never
reads an answer, to that supplier and to numbers without a route. Beside them smppload plays the healthy ones: its
maximum rate (closed loop), and its latencies at a share of that (open loop). Runs with and without the deaf peers
alternate over the same router, so that both see the same machine; medians are printed.

Exit status 0: every message of the healthy was answered as it should be, in every run, and the deaf were deaf: the
customer was stopped by its own full connection, the supplier's queue held what it could. Time decides nothing.

Usage: deaf_peers.py SMPPLOAD SWITCHYARD [--seconds S] [--runs N] [--share X] [--smoke]
"""

import argparse
import os
import pathlib
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from reload_under_load import Load, Router  # noqa: E402
from through_router import free_ports  # noqa: E402

BIND_TRANSCEIVER, SUBMIT_SM, RESPONSE = 0x00000009, 0x00000004, 0x80000000
HEADER = struct.Struct(">IIII")
DEAF_PREFIX = "999001"   # routed to the deaf supplier
LOST_PREFIX = "999002"   # routed nowhere: answered at once


def pdu(command, status, sequence, body):
    return HEADER.pack(HEADER.size + len(body), command, status, sequence) + body


def submit(sequence, destination):
    body = b"\0\5\0Deaf\0\1\1" + destination.encode() + b"\0" + b"\0\0\0\0\0\0\0\0\0" + b"\x05hello"
    return pdu(SUBMIT_SM, 0, sequence, body)


def receive(connection, count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise ConnectionError("closed by the router")
        data += more
    return data


def receive_pdu(connection):
    header = HEADER.unpack(receive(connection, HEADER.size))
    return header, receive(connection, header[0] - HEADER.size)


class DeafSupplier:
    """Answers the bind, then holds the connection and does not touch it."""

    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", port))
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.connections = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
                header, _ = receive_pdu(connection)
                connection.sendall(pdu(header[1] | RESPONSE, 0, header[3], b"deaf\0"))
            except OSError:
                return  # the run is over
            self.connections.append(connection)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            connection.close()


class DeafCustomer:
    """Submits until its connection takes no more, and never reads."""

    def __init__(self, port):
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.connection.sendall(pdu(BIND_TRANSCEIVER, 0, 1, b"deaf\0secret\0\0\x34\0\0\0"))
        header, _ = receive_pdu(self.connection)
        if header[2] != 0:
            sys.exit(f"the deaf customer's bind was refused with {header[2]:#x}")
        self.octets = 0
        self.stuck = False
        self.connection.settimeout(0.5)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.send, daemon=True)
        self.thread.start()

    def send(self):
        sequence = 2
        waiting = b""
        while not self.over.is_set():
            while len(waiting) < 65536:
                prefix = DEAF_PREFIX if sequence % 2 == 0 else LOST_PREFIX
                waiting += submit(sequence, f"{prefix}{sequence % 1000:03}")
                sequence += 1
            try:
                taken = self.connection.send(waiting)
                self.octets += taken
                waiting = waiting[taken:]
                self.stuck = False
            except TimeoutError:
                self.stuck = True
            except OSError:
                return

    def close(self):
        self.over.set()
        self.thread.join(timeout=5)
        self.connection.close()


def write_all(options, directory):
    first = free_ports(8)
    subprocess.run(
        [options.smppload, "--write-config", directory, "--prefixes", "1000", "--expressions", "20", "--suppliers", "4",
         "--customers", "1", "--binds", "8", "--window", "50", "--workers", str(options.router_cpu),
         "--cpu", str(options.load_cpu), "--router", f"127.0.0.1:{first}", "--admin", f"127.0.0.1:{first + 1}",
         "--listen", f"127.0.0.1:{first + 2}"],
        check=True, stdout=subprocess.DEVNULL, timeout=60)
    folder = pathlib.Path(directory)
    with (folder / "switchyard.toml").open("a") as toml:
        toml.write(f"""
[[supplier]]
name = "deaf"
host = "127.0.0.1:{first + 6}"
system_id = "sy"
password = "secret"
window = 100
reconnect_min = "100ms"
reconnect_max = "200ms"

[[customer]]
name = "deaf"
system_id = "deaf"
password = "secret"
plan = "deaf"
window = 4000
""")
    with (folder / "mt.csv").open("a") as table:
        table.write(f"deaf,{DEAF_PREFIX},,,10,deaf\n")
    return first


def run(options, directory, router, first, with_deaf, name, *arguments):
    supplier = customer = None
    if with_deaf:
        supplier = DeafSupplier(first + 6)
        router.wait_for('supplier_up{supplier="deaf"}', 1, seconds=30)
        customer = DeafCustomer(first)
        start = time.monotonic()
        while not customer.stuck:
            if time.monotonic() - start > 60:
                sys.exit("the deaf customer was never stopped")
            time.sleep(0.05)
    figures = Load(options, directory, name, "--duration", f"{options.seconds}s", "--warmup", "1s", *arguments).end()
    if with_deaf:
        waiting = router.metric('supplier_queue_messages{supplier="deaf"}')
        if waiting == 0 and not options.smoke:
            sys.exit("nothing waited for the deaf supplier")
        figures["deaf_octets"], figures["deaf_waiting"] = customer.octets, waiting
        customer.close()
        supplier.close()
        time.sleep(0.5)
    return figures


def measure(options, directory, router, first):
    top = run(options, directory, router, first, False, "top")["rate_overall"]
    rate = options.rate or options.share * top
    found = {True: [], False: []}
    for number in range(options.runs):
        for with_deaf in (False, True):
            fast = run(options, directory, router, first, with_deaf, f"fast{number}")
            paced = run(options, directory, router, first, with_deaf, f"paced{number}", "--rate", f"{rate:.0f}")
            found[with_deaf].append((fast["rate_overall"], paced["submit_us_p50"], paced["submit_us_p99"]))
            if with_deaf:
                print(f"run {number + 1}: the deaf customer was stopped after {paced['deaf_octets']} octets, "
                      f"{paced['deaf_waiting']:.0f} messages wait for the deaf supplier; "
                      f"router {router.memory_mib('VmRSS'):.0f} MiB")
    print(f"\n{'':14} {'messages/s':>12} {'p50 us':>10} {'p99 us':>10}   (latencies at {rate:.0f}/s;"
          f" medians of {options.runs})")
    for with_deaf, name in ((False, "without"), (True, "with deaf")):
        columns = [statistics.median(column) for column in zip(*found[with_deaf])]
        print(f"{name:14} {columns[0]:12.0f} {columns[1]:10.0f} {columns[2]:10.0f}")
    if router.stop() != 0:
        sys.exit(f"the router did not end well:\n{router.log_tail()}")


def main():
    sys.stdout.reconfigure(line_buffering=True)
    parser = argparse.ArgumentParser()
    parser.add_argument("smppload")
    parser.add_argument("switchyard")
    parser.add_argument("--seconds", type=float, default=4, help="of each run")
    parser.add_argument("--runs", type=int, default=3, help="of each kind")
    parser.add_argument("--share", type=float, default=0.5, help="of the maximum rate, for the latencies")
    parser.add_argument("--rate", type=float, default=0, help="messages/s in place of the share")
    parser.add_argument("--router-cpu", type=int, default=0)
    parser.add_argument("--load-cpu", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="small and quick")
    options = parser.parse_args()
    if options.smoke:
        options.seconds, options.runs, options.rate = 0.3, 1, 2000
        options.load_cpu = min(options.load_cpu, (os.cpu_count() or 1) - 1)
    with tempfile.TemporaryDirectory() as directory:
        first = write_all(options, directory)
        router = Router(options, directory, f"127.0.0.1:{first + 1}")
        try:
            measure(options, directory, router, first)
        finally:
            if router.process.poll() is None:
                router.process.kill()


if __name__ == "__main__":
    main()
