#!/usr/bin/env python3
"""Kills the router with SIGKILL at random instants under load, starts it again, and balances the
books of customers and suppliers that live on: every acknowledged message was at a supplier, none was
sent twice, and every receipt came home. In store and forward mode suppliers refuse some at first, and
a message that was sent twice must be marked so in its record.

Usage: crash.py SWITCHYARD [--kills N] [--seed N] [--sync commit|interval] [--workers N]
                           [--mode forward|store-and-forward]
"""

import argparse
import asyncio
import json
import pathlib
import random
import socket
import sys
import tempfile
import time

import peers

SETTLE_S = 60
LIFE_MESSAGES = 1500
LIFE_S = 30

CONFIG = """
[runtime]
workers = {workers}
[smpp]
listen = "127.0.0.1:{port}"
[routes]
mo = ""
errors = ""
[store]
path = "store"
sync = "{sync}"
memory = "64MiB"
[retry]
next = ["200ms"]
pause = ["100ms"]
down = ["100ms"]
[records]
path = "records"
text = true
"""
CUSTOMER = """
[[customer]]
name = "{name}"
system_id = "{name}"
password = "secret"
window = 200
receipt_queue = 1000000
mode = "{mode}"
"""
SUPPLIER = """
[[supplier]]
name = "{name}"
host = "127.0.0.1:{port}"
system_id = "sy"
password = "secret"
binds = 2
window = 200
reconnect_min = "20ms"
reconnect_max = "100ms"
receipt_park = "3s"
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def write_config(folder, arguments, port, customers, suppliers):
    text = CONFIG.format(workers=list(range(arguments.workers)), port=port, sync=arguments.sync)
    text += "".join(CUSTOMER.format(name=one.name, mode=arguments.mode) for one in customers)
    text += "".join(SUPPLIER.format(name=one.name, port=one.port) for one in suppliers)
    pathlib.Path(folder, "switchyard.toml").write_text(text)
    names = " | ".join(one.name for one in suppliers)
    pathlib.Path(folder, "mt.csv").write_text(f"prefix,targets\n44,{names}\n")


class Router:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.process = None
        self.log = open(pathlib.Path(folder, "router.log"), "ab")

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            self.program, "run", "--config", str(pathlib.Path(self.folder, "switchyard.toml")),
            stdout=self.log, stderr=self.log)

    async def kill(self):
        if self.process.returncode is not None:
            raise RuntimeError(f"the router ended by itself: {self.process.returncode}")
        self.process.kill()
        await self.process.wait()

    async def stop(self):
        self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), 60)


def lost_receipts(books):
    return [one for one in books.acknowledged if one not in books.home]


async def work(books, instants):
    """A life of random length, counted in messages, and a random part of a millisecond more."""
    goal = len(books.acknowledged) + instants.randint(1, LIFE_MESSAGES)
    latest = time.monotonic() + LIFE_S
    while len(books.acknowledged) < goal and time.monotonic() < latest:
        await asyncio.sleep(0.01)
    await asyncio.sleep(instants.random() / 100)


async def settle(books, customers):
    """Nobody sends any more; until every receipt is home or nothing has moved for long."""
    for one in customers:
        one.sending = False
        one.stops_away = True
    last_moved, seen = time.monotonic(), None
    while time.monotonic() - last_moved < SETTLE_S:
        await asyncio.sleep(0.2)
        state = (len(books.home), len(books.receipts_due), sum(len(c.open) for c in customers))
        if state != seen:
            last_moved, seen = time.monotonic(), state
        if not lost_receipts(books) and not books.receipts_due and state[2] == 0:
            await asyncio.sleep(1)
            return


def marked(folder):
    """The texts of messages whose records say that they were sent again."""
    out = set()
    for path in pathlib.Path(folder, "records").glob("*.jsonl"):
        for line in path.read_text().splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue  # the line that a kill cut off
            if record.get("resent"):
                out.add(record.get("text"))
    return out


def balance(books, mode, folder):
    """What is wrong, one line each."""
    wrong = list(books.problems)

    def say(what, tokens):
        if tokens:
            wrong.append(f"{what}: {len(tokens)}, such as {sorted(tokens)[:3]}")

    acknowledged = set(books.acknowledged.values())
    accepted = set(books.supplier_accepted.values())
    say("acknowledged, and no supplier had it", acknowledged - accepted)
    books.sent_twice = {t for t, n in books.at_supplier.items() if n > 1}
    if mode == "forward":
        say("sent to suppliers more than once", books.sent_twice)
    else:
        say("sent more than once and not marked", books.sent_twice - marked(folder))
    say("acknowledged, and its receipt did not come home", set(lost_receipts(books)))
    say("receipts that the router never took", set(books.receipts_due))
    # A receipt for an id that no customer was given: its message's answer died with the router.
    strangers = set(books.home) - set(books.acknowledged)
    if len(strangers) > len(books.unanswered):
        say("receipts for more unknown ids than answers can have been lost", strangers)
    return wrong


def report(books, kills, seconds):
    repeated = sum(1 for n in books.home.values() if n > 1)
    unknown = len(set(books.home) - set(books.acknowledged))
    print(f"{kills} kills in {seconds:.0f} s: {len(books.submitted)} submitted, "
          f"{len(books.acknowledged)} acknowledged, {len(books.unanswered)} unanswered, "
          f"{sum(books.refused.values())} refused, {len(books.sent_twice)} sent twice, "
          f"{books.refused_at_first} refused by a supplier at first, {len(books.home)} receipts home "
          f"({repeated} more than once, {unknown} of messages whose answer was lost)")


async def run(arguments):
    books = peers.Books()
    refuses = 0.05 if arguments.mode == "store-and-forward" else 0
    suppliers = [peers.Supplier(books, name, arguments.seed + i, 0.5, refuses)
                 for i, name in enumerate(("alpha", "beta"))]
    for one in suppliers:
        await one.start()
    port = free_port()
    customers = [peers.Customer(books, name, port, 40, arguments.seed + 10 + i)
                 for i, name in enumerate(("acme", "bravo", "coyote"))]
    instants = random.Random(arguments.seed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sy-crash-") as folder:
        write_config(folder, arguments, port, customers, suppliers)
        router = Router(arguments.switchyard, folder)
        await router.start()
        tasks = [asyncio.create_task(one.run()) for one in customers]
        for kill in range(arguments.kills):
            await work(books, instants)
            await router.kill()
            await router.start()
            if (kill + 1) % 20 == 0:
                print(f"  {kill + 1} kills, {len(books.acknowledged)} acknowledged, "
                      f"{len(lost_receipts(books))} receipts on their way", flush=True)
        await settle(books, customers)
        status = await router.stop()
        for task in tasks:
            task.cancel()
        wrong = balance(books, arguments.mode, folder)
        if status != 0:
            wrong.append(f"the router's exit status is {status}")
        report(books, arguments.kills, time.monotonic() - began)
        if wrong:
            print(pathlib.Path(folder, "router.log").read_text()[-4000:])
    for line in wrong:
        print("WRONG:", line)
    if len(books.acknowledged) < LIFE_MESSAGES / 4 * arguments.kills:
        print("WRONG: too little traffic to prove anything")
        return 1
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("switchyard")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sync", choices=["commit", "interval"], default="commit")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--mode", choices=["forward", "store-and-forward"], default="forward")
    sys.exit(asyncio.run(run(parser.parse_args())))


if __name__ == "__main__":
    main()
