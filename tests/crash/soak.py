#!/usr/bin/env python3
"""Runs the router for long at half of its load with everything on: smppload's customers and suppliers at
half the rate that it reached before, and beside them customers that come and go and suppliers that fail at
random; records, a store, a reload every few seconds. At the end both books balance, the records tell what
the metrics tell, and the memory is as it was (judged from 5 minutes on; stated always).

Usage: soak.py SWITCHYARD SMPPLOAD [--minutes N | --seconds N] [--seed N] [--workers N]
"""

import argparse
import asyncio
import collections
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import peers
import smpp_wire as wire
from crash import CUSTOMER, SUPPLIER, Router, balance, settle

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench/smppload/tests"))
from through_router import free_ports  # noqa: E402

LOAD_WORLD = ["--prefixes", "2000", "--expressions", "20", "--suppliers", "2", "--customers", "2", "--binds", "4",
              "--window", "100", "--supplier-binds", "2"]
LOAD_RUN = ["--receipts", "0.3", "--mo", "50", "--start-timeout", "60s"]
MAXIMUM_S = 3
RELOAD_S = (2, 8)
PACE_S = 0.1
ANSWER_S = 0.05
FAILURE_S = (0.5, 4)
# Pools, maps and the store's cache are touched for the first time until then, and grow no more.
WARM_SHARE = 0.4
JUDGED_FROM_S = 300
GROWTH_MAX = 0.02
SECTIONS = """
[records]
path = "records"
rotate_size = "64MiB"
[store]
path = "store"
memory = "64MiB"
"""
ENDS = ("accepted", "rejected", "expired", "unknown", "dropped", "cancelled")
REFUSALS = (0x08, 0x14, 0x58)  # RSYSERR, RMSGQFUL, RTHROTTLED


class FailingSupplier(peers.Supplier):
    """Loses links, is not there for a while, refuses messages for a while."""

    def __init__(self, books, name, seed):
        super().__init__(books, name, seed, 0.5)
        self.status = wire.ROK
        self.failures = collections.Counter()

    def submitted(self, link, sequence, body):
        """Answers some time later, so that failures meet messages in flight."""
        delay_s = self.random.uniform(0, ANSWER_S)
        asyncio.get_running_loop().call_later(delay_s, self.answer, link, sequence, body)

    def answer(self, link, sequence, body):
        if link not in self.links:
            return
        if self.status == wire.ROK:
            super().submitted(link, sequence, body)
        else:
            link.send(wire.pdu(wire.SUBMIT | wire.RESPONSE, self.status, sequence))

    async def fail(self):
        while True:
            await asyncio.sleep(self.random.uniform(*FAILURE_S))
            kind = self.random.choice(("one link", "all links", "away", "refuses"))
            self.failures[kind] += 1
            if kind == "one link" and self.links:
                self.random.choice(list(self.links)).abort()
            elif kind in ("all links", "away"):
                if kind == "away":
                    self.server.close()
                for link in list(self.links):
                    link.abort()
                if kind == "away":
                    await asyncio.sleep(self.random.uniform(0.2, 2))
                    await self.listen()
            elif kind == "refuses":
                self.status = self.random.choice(REFUSALS)
                await asyncio.sleep(self.random.uniform(0.2, 1))
                self.status = wire.ROK

    async def mend(self):
        """Whatever it was cut short in."""
        self.status = wire.ROK
        if not self.server.is_serving():
            await self.listen()


class PacedCustomer(peers.Customer):
    """A window every PACE_S at most, so that the books of an hour fit."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.next_fill = None

    def fill(self, link, leaves_at):
        if leaves_at >= 0 and (self.next_fill is None or self.next_fill.done()):
            self.next_fill = asyncio.create_task(self.fill_later(link, leaves_at))

    async def fill_later(self, link, leaves_at):
        await asyncio.sleep(PACE_S)
        if not link.writer.is_closing():
            super().fill(link, leaves_at)


class World:
    """The configuration: smppload's accounts and ours, in one."""

    def __init__(self, arguments, folder, customers, suppliers):
        self.folder, self.smppload = pathlib.Path(folder), arguments.smppload
        first = free_ports(4)
        self.port, self.admin = first, first + 1
        cpus = sorted(os.sched_getaffinity(0))
        workers = ",".join(map(str, cpus[:arguments.workers]))
        subprocess.run([self.smppload, "--write-config", folder, "--router", f"127.0.0.1:{first}", "--admin",
                        f"127.0.0.1:{first + 1}", "--listen", f"127.0.0.1:{first + 2}", "--workers", workers,
                        "--cpu", str(cpus[-1]), *LOAD_WORLD], check=True, stdout=subprocess.DEVNULL, timeout=60)
        with open(self.folder / "switchyard.toml", "a", encoding="utf-8") as file:
            file.write(SECTIONS)
            file.write("".join(CUSTOMER.format(name=one.name, mode="forward") + 'plan = "soak"\n' for one in customers))
            file.write("".join(SUPPLIER.format(name=one.name, port=one.port) for one in suppliers))
        self.rules = (self.folder / "mt.csv").read_text()
        self.suppliers = [one.name for one in suppliers]
        self.write_rules(0)

    def write_rules(self, turn):
        """Who is asked first changes with each turn, and so does a rule that no message meets."""
        names = self.suppliers if turn % 2 == 0 else self.suppliers[::-1]
        text = f"{self.rules}soak,44,,,10,{' > '.join(names)}\nsoak,999{turn % 1000},,,10,{names[0]}\n"
        (self.folder / "mt.csv.new").write_text(text)
        (self.folder / "mt.csv.new").rename(self.folder / "mt.csv")

    async def load(self, *options):
        """smppload's figures; RuntimeError unless every message was where it should be."""
        out = self.folder / "load.json"
        process = await asyncio.create_subprocess_exec(
            self.smppload, "--options", str(self.folder / "smppload.ini"), "--json", str(out), *LOAD_RUN, *options,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        said, _ = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"smppload: exit status {process.returncode}\n{said.decode()[-3000:]}")
        return json.loads(out.read_text())

    def total(self, name):
        """Over all workers and labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=10) as page:
            text = page.read().decode()
        found = re.findall(rf"^switchyard_{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)
        if not found:
            raise RuntimeError(f"no metric {name}")
        return int(sum(map(float, found)))


async def reloads(world, router, instants):
    turn = 0
    while True:
        await asyncio.sleep(instants.uniform(*RELOAD_S))
        turn += 1
        world.write_rules(turn)
        router.process.send_signal(signal.SIGHUP)


async def watch_memory(router, samples):
    while True:
        status = pathlib.Path(f"/proc/{router.process.pid}/status").read_text()
        samples.append(int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE).group(1)) / 1024)
        await asyncio.sleep(0.5)


def growth(samples):
    """(median of the first fifth behind the warm-up, of the last fifth), MiB."""
    warm = samples[int(len(samples) * WARM_SHARE):]
    fifth = max(1, len(warm) // 5)

    def middle(values):
        return sorted(values)[len(values) // 2]
    return middle(warm[:fifth]), middle(warm[-fifth:])


# A whole line: what it is a record of, then how that ended, or of lost ones how many.
LINE = re.compile(rb'^\{"record":"(\w+)".*?(?:"end":"(\w+)"|"count":(\d+)).*\}$', re.MULTILINE)
LOOKED_INTO = 1000
COUNTING = threading.Lock()  # a count goes on in its thread when its task is cancelled


def count_file(path, found):
    """Adds its lines by record and end; ValueError where one is torn. Each thousandth is parsed as a whole, as all of
    them would take as long as the soak."""
    octets = path.read_bytes()
    lines = 0
    for match in LINE.finditer(octets):
        kind, end, count = match.groups(default=b"")
        found[kind.decode(), end.decode()] += int(count or 1)
        if lines % LOOKED_INTO == 0:
            one = json.loads(match.group())
            if (one["record"], one.get("end", "")) != (kind.decode(), end.decode()):
                raise ValueError(f"{path}: {match.group()}")
        lines += 1
    ends = octets.count(b"\n")
    if lines != ends:
        raise ValueError(f"{path}: {ends} lines, {lines} of them whole")


def count_records(folder, found, closed_only=False):
    """Takes the files away that are counted: half an hour's records are 50 GB."""
    with COUNTING:
        files = sorted(pathlib.Path(folder, "records").iterdir())
        for path in files[:-1] if closed_only else files:
            count_file(path, found)
            path.unlink()


async def keep_counting(folder, found):
    """Files that are not written any more, while others are."""
    while True:
        await asyncio.sleep(1)
        await asyncio.to_thread(count_records, folder, found, closed_only=True)


def compare_records(found, totals):
    """What is wrong, one line each. A record that was lost is said so in a line, and may be of any kind."""
    wrong = []
    lost = found["lost", ""]
    if lost != totals["records_lost"] + totals["records_dropped"]:
        wrong.append(f"lines say that {lost} records are lost, the metrics {totals}")
    for end in ENDS:
        if not 0 <= totals[f"mt_{end}"] - found["mt", end] <= lost:
            wrong.append(f"{found['mt', end]} records of messages {end}, the metrics count {totals[f'mt_{end}']}")
    return wrong


def check_memory(samples, seconds):
    """What is wrong, one line each; says what it was."""
    first, last = growth(samples)
    judged = seconds >= JUDGED_FROM_S
    print(f"memory: {first:.0f} MiB when warm, {last:.0f} MiB at the end"
          + ("" if judged else f" (not judged: shorter than {JUDGED_FROM_S} s)"))
    if judged and last > first * (1 + GROWTH_MAX):
        return [f"the router's memory grew from {first:.0f} to {last:.0f} MiB"]
    return []


async def maximum(arguments, world):
    """Messages/s of a closed loop, of a router with a store of its own: smppload's suppliers begin their ids anew
    with each run, and ids that come again to the same number within hours are no part of this."""
    router = Router(arguments.switchyard, world.folder)
    await router.start()
    try:
        figures = await world.load("--duration", f"{MAXIMUM_S}s", "--warmup", "0.5s")
    finally:
        status = await router.stop()
    if status != 0:
        raise RuntimeError(f"the router's exit status is {status}")
    for folder in ("store", "records"):
        shutil.rmtree(world.folder / folder)
    return figures["rate_overall"]


async def under_load(arguments, world, router, rate, actors, samples):
    """smppload by schedule, and everything that fails beside it."""
    tasks = [asyncio.create_task(one) for one in actors + [watch_memory(router, samples)]]
    figures = await world.load("--rate", f"{rate:.0f}", "--duration", f"{arguments.seconds}s", "--warmup", "0s")
    for task in tasks:
        if task.done():
            raise RuntimeError(f"a part of the test ended by itself: {task.exception()}")
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    print(f"smppload: {figures['rate_overall']:,.0f} messages/s, p50 {figures['submit_us_p50']:,.0f} us, "
          f"p99 {figures['submit_us_p99']:,.0f} us, {figures['receipts_home']:,} receipts home, all books balance")


async def quiet_totals(world):
    """The metrics when every record has been written."""
    names = [f"mt_{end}" for end in ENDS] + ["records_lost", "records_dropped", "reloads"]
    deadline = time.monotonic() + 60
    while world.total("records_held_octets") > 0 and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    return {name: world.total(f"{name}_total") for name in names}


async def run(arguments):
    books, instants, samples = peers.Books(), random.Random(arguments.seed), []
    found = collections.Counter()
    suppliers = [FailingSupplier(books, name, arguments.seed + i) for i, name in enumerate(("alpha", "beta"))]
    for one in suppliers:
        await one.start()
    customers = [PacedCustomer(books, name, 0, 20, arguments.seed + 10 + i)
                 for i, name in enumerate(("acme", "bravo", "coyote"))]
    with tempfile.TemporaryDirectory(prefix="sy-soak-") as folder:
        world = World(arguments, folder, customers, suppliers)
        top = await maximum(arguments, world)
        print(f"maximum {top:,.0f} messages/s with all of it on; half of it for {arguments.seconds:.0f} s", flush=True)
        router = Router(arguments.switchyard, folder)
        await router.start()
        for one in customers:
            one.port = world.port
        living = [asyncio.create_task(one.run()) for one in customers]
        try:
            await under_load(arguments, world, router, top / 2,
                             [one.fail() for one in suppliers] + [reloads(world, router, instants), keep_counting(folder, found)], samples)
            for one in suppliers:
                await one.mend()
            await settle(books, customers)
            totals = await quiet_totals(world)
            status = await router.stop()
        except (RuntimeError, OSError, asyncio.TimeoutError) as error:
            print(f"WRONG: {error}\n{pathlib.Path(folder, 'router.log').read_text()[-4000:]}")
            await router.kill()
            return 1
        for task in living:
            task.cancel()
        count_records(folder, found)
        wrong = balance(books, "forward", folder) + compare_records(found, totals) \
            + check_memory(samples, arguments.seconds)
        failures = sum((one.failures for one in suppliers), collections.Counter())
        report(books, totals, failures)
        if status != 0:
            wrong.append(f"the router's exit status is {status}")
        wrong += [f"too little happened: {what} {count}" for what, count in (
            ("failures", failures.total()), ("reloads", totals["reloads"]), ("acknowledged", len(books.acknowledged)))
            if count == 0]
        if wrong:
            print(pathlib.Path(folder, "router.log").read_text()[-4000:])
    for line in wrong:
        print("WRONG:", line)
    return 1 if wrong else 0


def report(books, totals, failures):
    said = ", ".join(f"{count} x {kind}" for kind, count in sorted(failures.items()))
    print(f"beside it: {len(books.submitted)} submitted, {len(books.acknowledged)} acknowledged, "
          f"{len(books.unanswered)} unanswered, {sum(books.refused.values())} refused, {len(books.home)} receipts home; "
          f"{totals['reloads']} reloads; suppliers' failures: {said}")
    print(f"records: all of {sum(totals[f'mt_{end}'] for end in ENDS):,} messages that ended, "
          f"{totals['records_lost'] + totals['records_dropped']:,} of all kinds said to be lost")


def main():
    parser = argparse.ArgumentParser(prog="scripts/soak")
    parser.add_argument("switchyard")
    parser.add_argument("smppload")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seconds", type=float, help="in place of --minutes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    arguments.seconds = arguments.seconds or arguments.minutes * 60
    sys.exit(asyncio.run(run(arguments)))


if __name__ == "__main__":
    main()
