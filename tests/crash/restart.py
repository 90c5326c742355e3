#!/usr/bin/env python3
"""How long a router takes to be back in service with a full store: stored messages that wait, and
ways back of receipts. In service means: it listens, a customer binds and gets an OK, a stored message
reaches its supplier, and a receipt finds the way that was filled in.

Usage: restart.py SWITCHYARD FILL_STORE [--messages N] [--ways N] [--folder FOLDER]
"""

import argparse
import asyncio
import pathlib
import random
import sys
import tempfile
import time

import crash
import peers
import smpp_wire as wire

PATIENCE_S = 300
MESSAGES_SEEN = 1000


class Supplier(peers.Supplier):
    """Also sends receipts for ids of the filled store, by name: before those of the flood of stored messages that it
    is sent."""

    def ask_for(self, message_id, destination):
        self.books.receipts_due[message_id] = self.name
        self.due.insert(0, (0, message_id, destination))


async def until(condition, what):
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > PATIENCE_S:
            raise RuntimeError(f"not within {PATIENCE_S} s: {what}")
        await asyncio.sleep(0.005)


async def listening(port):
    begun = time.monotonic()
    while time.monotonic() - begun < PATIENCE_S:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        except OSError:
            await asyncio.sleep(0.01)
    raise RuntimeError(f"does not listen within {PATIENCE_S} s")


def resident_mib(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0


async def serve(arguments, folder):
    books = peers.Books()
    alpha = Supplier(books, "alpha", 1, 0.01)
    await alpha.start()
    port = crash.free_port()
    acme = peers.Customer(books, "acme", port, 5, 2)
    acme.stops_away = True
    settings = argparse.Namespace(workers=1, sync="commit", mode="store-and-forward")
    crash.write_config(folder, settings, port, [acme], [alpha])
    router = crash.Router(arguments.switchyard, folder)
    begun = time.monotonic()
    times = {}
    await router.start()
    await listening(port)
    times["listens"] = time.monotonic() - begun
    task = asyncio.create_task(acme.run())
    await until(lambda: books.acknowledged, "a message is acknowledged")
    times["answers a customer"] = time.monotonic() - begun
    acme.sending = False
    if arguments.ways:
        index = random.randrange(arguments.ways)  # another one each time: a folder may be kept
        alpha.ask_for(f"f{index}", f"4478{index:010d}")
        wanted = str(2 * (1 << 40) + index)
        await until(lambda: wanted in books.home, "a receipt of the store's is home")
        times["a receipt of before is home"] = time.monotonic() - begun
    if arguments.messages:
        wanted = min(MESSAGES_SEEN, arguments.messages)
        await until(lambda: sum(t.startswith("stored") for t in books.at_supplier) >= wanted,
                    "stored messages reach their supplier")
        times[f"{wanted} stored messages are at their supplier"] = time.monotonic() - begun
    memory = resident_mib(router.process)
    await router.kill()
    task.cancel()
    twice = [t for t, n in books.at_supplier.items() if n > 1]
    if twice or books.problems:
        raise RuntimeError(f"sent twice: {twice[:3]}, {books.problems[:3]}")
    return times, memory


async def run(arguments, folder):
    begun = time.monotonic()
    store = pathlib.Path(folder, "store")
    if not store.exists():
        fill = await asyncio.create_subprocess_exec(arguments.fill_store, str(store),
                                                    str(arguments.messages), str(arguments.ways))
        if await fill.wait() != 0:
            return 1
        print(f"filled in {time.monotonic() - begun:.0f} s", flush=True)
    size = sum(one.stat().st_size for one in store.iterdir()) / 2**20
    times, memory = await serve(arguments, folder)
    print(f"{arguments.messages} messages, {arguments.ways} ways, {size:.0f} MiB on disk, "
          f"{memory:.0f} MiB resident at the most")
    for what, seconds in times.items():
        print(f"  {seconds:7.2f} s  {what}")
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("switchyard")
    parser.add_argument("fill_store")
    parser.add_argument("--messages", type=int, default=10_000_000)
    parser.add_argument("--ways", type=int, default=100_000_000)
    parser.add_argument("--folder", help="to fill, or filled before; default: a temporary one")
    arguments = parser.parse_args()
    if arguments.folder:
        pathlib.Path(arguments.folder).mkdir(parents=True, exist_ok=True)
        sys.exit(asyncio.run(run(arguments, arguments.folder)))
    with tempfile.TemporaryDirectory(prefix="sy-restart-") as folder:
        sys.exit(asyncio.run(run(arguments, folder)))


if __name__ == "__main__":
    main()
