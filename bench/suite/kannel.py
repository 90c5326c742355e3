"""Kannel as a peer, as far as Debian's package goes: it has no SMPP server for customers (opensmppbox is none of
its packages), so messages come in by HTTP through smsbox, or by Kannel's own batch client past HTTP. Out they go
over SMPP, to smppload as a supplier that prints what it gets; each must be there once."""

import contextlib
import json
import pathlib
import re
import sys
import tempfile
import time
import urllib.request

from .programs import Failed, Process, free_ports, run

TEMPLATE = pathlib.Path(__file__).resolve().parents[1] / "peers/kannel.conf"
CUSTOMERS = pathlib.Path(__file__).resolve().parents[1] / "peers/http_customers.py"
# 16 are a fifth slower, 128 no faster.
HTTP_CONNECTIONS = 64
BATCH_A_SECOND = 8000
# The batch client's text is one for all; its numbers tell the messages apart.
BATCH_TEXT = ("Your verification code is 123456. Do not share it with anyone. It is valid for ten minutes from now on, "
              "Acme")
SETTLE_S = 60


class Kannel:
    """bearerbox with its links bound, and smsbox; both on the router's CPU."""

    def __init__(self, bench, world, stack):
        self.directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="sybench."))
        first = free_ports(4)
        ports = {"admin": first, "box": first + 1, "http": first + 2, "supplier": first + 3}
        self.ports, self.bench = ports, bench
        self.binds = world["supplier-binds"]
        configuration = pathlib.Path(self.directory, "kannel.conf")
        text = TEMPLATE.read_text(encoding="utf-8")
        values = {**ports, "binds": self.binds, "window": world["window"],
                  "pending": world["binds"] * world["window"]}
        for name, value in values.items():
            text = text.replace(f" {{{name}}}", f" {value}")
        configuration.write_text(text, encoding="utf-8")

        def started(name, command, cpu):
            return stack.enter_context(Process(command, pathlib.Path(self.directory, f"{name}.log"), cpu))

        self.supplier = started("supplier", [bench.build.smppload, "supplier", "--name", "sim0", "--listen",
                                             f"127.0.0.1:{ports['supplier']}"], bench.load_cpu)
        self.supplier.wait_for("it listens", lambda: "waiting for" in self.supplier.log.read_text())
        self.bearerbox = started("bearerbox", ["bearerbox", "-v", "2", configuration], bench.router_cpu)
        self.bearerbox.wait_for("its links are bound",
                                lambda: self.supplier.log.read_text().count("bound by sy") == self.binds)
        self.smsbox = started("smsbox", ["smsbox", "-v", "2", configuration], bench.router_cpu)
        self.smsbox.wait_for("bearerbox has it", lambda: "smsbox:" in self.status())

    def status(self):
        url = f"http://127.0.0.1:{self.ports['admin']}/status.txt?password=bench"
        with urllib.request.urlopen(url, timeout=10) as page:
            return page.read().decode("latin-1")

    def cpu_seconds(self):
        return self.bearerbox.cpu_seconds() + self.smsbox.cpu_seconds()

    def check(self, count):
        """Each message is at the supplier once: no two have the same destination."""
        found = re.findall(r"^sim0  message \d+ from 447700900001 to (49171\d{8}): (?:n\d{8} )?Your ",
                           self.supplier.log.read_text(), re.MULTILINE)
        if len(found) != count or len(set(found)) != count:
            raise Failed(f"Kannel: {count} messages were accepted, the supplier has {len(found)}, "
                         f"{len(set(found))} different ones")

    def settled(self, count):
        """Waits until the supplier has so many; when that was and how many it had then."""
        reader = Counting(self.supplier.log)
        deadline = time.monotonic() + SETTLE_S
        while reader.count() < count:
            if time.monotonic() > deadline:
                raise Failed(f"Kannel: of {count} messages the supplier has {reader.count()} after {SETTLE_S} s")
            time.sleep(0.01)
        return time.monotonic(), reader.found


class Counting:
    """Messages in a log that grows, without reading it from its start each time."""

    def __init__(self, path):
        self.file = path.open("rb")
        self.found = 0
        self.rest = b""

    def count(self):
        text = self.rest + self.file.read()
        lines = text.split(b"\n")
        self.rest = lines.pop()
        self.found += sum(line.startswith(b"sim0  message ") for line in lines)
        return self.found


def by_http(bench, world):
    """Customers that ask sendsms over kept connections; a message counts when the supplier has it."""
    with contextlib.ExitStack() as stack:
        kannel = Kannel(bench, world, stack)
        cpu = kannel.cpu_seconds()
        said = json.loads(run([sys.executable, CUSTOMERS, kannel.ports["http"], HTTP_CONNECTIONS, bench.scale.seconds],
                              120, bench.load_cpu))
        ended, _ = kannel.settled(said["messages"])
        cpu = kannel.cpu_seconds() - cpu
        kannel.check(said["messages"])
        return {"rate": (said["messages"] - said["first"]) / (ended - said["begun"]),
                "cpu": cpu * 1e6 / said["messages"]}


def by_batch(bench, world):
    """Kannel's mtbatch, which speaks to bearerbox as smsbox does."""
    count = int(BATCH_A_SECOND * max(bench.scale.seconds, 0.5))
    with contextlib.ExitStack() as stack:
        kannel = Kannel(bench, world, stack)
        receivers = pathlib.Path(kannel.directory, "receivers")
        receivers.write_text("".join(f"49171{number:08}\n" for number in range(count)), encoding="ascii")
        content = pathlib.Path(kannel.directory, "content")
        content.write_text(BATCH_TEXT, encoding="ascii")
        cpu = kannel.cpu_seconds()
        client = stack.enter_context(Process(
            ["mtbatch", "-v", "2", "-b", "127.0.0.1", "-p", kannel.ports["box"], "-f", "447700900001", content,
             receivers], pathlib.Path(kannel.directory, "mtbatch.log"), bench.load_cpu))
        # From the first message on: the client takes its time to begin.
        begun, there_already = kannel.settled(1)
        ended, _ = kannel.settled(count)
        cpu = kannel.cpu_seconds() - cpu
        status = client.process.wait(timeout=SETTLE_S)
        if status != 0:
            raise Failed(f"mtbatch: exit status {status}\n{client.tail()}")
        kannel.check(count)
        return {"rate": (count - there_already) / (ended - begun), "cpu": cpu * 1e6 / count}
