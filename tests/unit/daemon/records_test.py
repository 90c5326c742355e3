"""Records of a whole router under smppload: their totals are those of the metrics, rotation by size and by
signal loses and tears none, and a full disk is said, counted and got over. Usage: records_test.py SWITCHYARD SMPPLOAD"""

import collections
import contextlib
import csv
import io
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from router import Router, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bench/smppload/tests"))
from through_router import free_ports  # noqa: E402

SWITCHYARD = SMPPLOAD = ""
LOAD_S = 120
# What a record says at its end, and the counter of the same.
COUNTERS = {
    ("mt", "accepted"): "mt_accepted", ("mt", "rejected"): "mt_rejected", ("mt", "expired"): "mt_expired",
    ("mt", "unknown"): "mt_unknown", ("mt", "dropped"): "mt_dropped",
    ("mt", "cancelled"): "mt_cancelled", ("receipt", "swallowed"): "receipts_swallowed",
    ("mo", "delivered"): "mo_delivered", ("mo", "rejected"): "mo_rejected",
    ("copy", "delivered"): "mo_copies_delivered", ("copy", "lost"): "mo_copies_lost",
    ("receipt", "delivered"): "receipts_delivered", ("receipt", "refused"): "receipts_refused",
    ("receipt", "expired"): "receipts_expired", ("receipt", "suppressed"): "receipts_suppressed",
    ("receipt", "duplicate"): "receipts_duplicate", ("receipt", "orphaned"): "receipts_orphaned",
}
KINDS = ("mt", "mo", "copy", "receipt")
SUPPLIERS = 3
CUSTOMERS = 2


class World:
    """A configuration that smppload wrote, with [records]; what Router wants to know of its files."""

    def __init__(self, records, workers=1, written=()):
        self.path = tempfile.mkdtemp(prefix="sy-records-")
        self.records = os.path.join(self.path, "records")
        first = free_ports(2 + SUPPLIERS)
        self.admin_port = first + 1
        cpus = ",".join(map(str, sorted(os.sched_getaffinity(0))[:workers]))
        subprocess.run(
            [SMPPLOAD, "--write-config", self.path, "--router", f"127.0.0.1:{first}",
             "--admin", f"127.0.0.1:{first + 1}", "--listen", f"127.0.0.1:{first + 2}", "--workers", cpus,
             "--suppliers", str(SUPPLIERS), "--customers", str(CUSTOMERS), "--binds", "2",
             "--supplier-binds", "2", "--prefixes", "1000", *written],
            check=True, stdout=subprocess.DEVNULL, timeout=60)
        with open(self.root, "a", encoding="utf-8") as file:
            file.write('[records]\npath = "records"\n' + records)

    @property
    def root(self):
        return os.path.join(self.path, "switchyard.toml")

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Metrics:
    """One page of the router's."""

    def __init__(self, router):
        self.samples = []
        for line in router.get("/metrics")[1].splitlines():
            if found := re.fullmatch(r"switchyard_(\w+?)(?:_total)?(?:\{(.*)\})? (\S+)", line):
                name, labels, value = found.groups()
                self.samples.append((name, dict(re.findall(r'(\w+)="([^"]*)"', labels or "")), float(value)))

    def total(self, name, **labels):
        """Over all workers; KeyError where there is no such sample."""
        found = [value for one, has, value in self.samples if one == name and labels.items() <= has.items()]
        if not found:
            raise KeyError(f"{name} {labels}")
        return int(sum(found))

    def ended(self):
        return sum(self.total(name) for name in COUNTERS.values())


def json_lines(text):
    """Records of a file; ValueError where a line is torn."""
    if text and not text.endswith("\n"):
        raise ValueError("the file ends within a line: " + text[-100:])
    return [json.loads(line) for line in text.splitlines()]


def csv_rows(text):
    rows = list(csv.DictReader(io.StringIO(text), strict=True))
    if any(None in row or None in row.values() for row in rows):
        raise ValueError("a row with more or less cells than the header has")
    return rows


def counts(records):
    return collections.Counter((one["record"], one["end"]) for one in records if one["record"] != "lost")


def lost(records):
    return sum(int(one["count"]) for one in records if one["record"] == "lost")


class Records(unittest.TestCase):
    def start(self, world, prefix=()):
        self.addCleanup(world.remove)
        router = Router(SWITCHYARD, world, prefix)
        self.addCleanup(router.close)
        return router.wait_ready()

    def begin_load(self, world, *options):
        load = subprocess.Popen([SMPPLOAD, "--options", f"{world.path}/smppload.ini", *options],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(load.stdout.close)
        self.addCleanup(load.kill)
        return load

    def end_load(self, load):
        """Nothing lost, altered or misrouted: whatever becomes of the records, traffic goes on."""
        output, _ = load.communicate(timeout=LOAD_S)
        self.assertEqual(load.returncode, 0, output)

    def settled(self, router):
        """The page on which every record that is due has been written."""
        page = None

        def written():
            nonlocal page
            page = Metrics(router)
            kept = sum(page.total("records_written", kind=kind) for kind in KINDS)
            done = kept + page.total("records_dropped") + page.total("records_lost") == page.ended()
            return done and page.total("records_held_octets") == 0

        wait_until(written, "all records are written")
        return page

    def health(self, router):
        """What the page says of the records; without smppload no supplier is bound."""
        return json.loads(router.get("/health")[1])["records"]

    def stop(self, router):
        router.signal(signal.SIGTERM)
        self.assertEqual(router.wait_exit(), 0, router.log())

    def check_totals(self, page, found):
        """Per end, and that there are some of what the run makes."""
        for end, counter in COUNTERS.items():
            self.assertEqual(found[end], page.total(counter), end)
        self.assertEqual(set(found) - set(COUNTERS), set())
        for end in (("mt", "accepted"), ("mt", "rejected"), ("receipt", "delivered"), ("mo", "delivered")):
            self.assertGreater(found[end], 0, end)
        for kind in KINDS:
            wanted = sum(count for (one, _), count in found.items() if one == kind)
            self.assertEqual(page.total("records_written", kind=kind), wanted, kind)
        for name in ("records_dropped", "records_lost", "records_write_errors", "bugs"):
            self.assertEqual(page.total(name), 0, name)

    def run_mixed(self, world, router):
        """Re-routes, rejections, receipts (some before their submit_sm_resp), MO: some thousands."""
        self.end_load(self.begin_load(
            world, "--messages", "6000", "--receipts", "0.5", "--receipt-before-response", "0.2",
            "--error-mix", "RMSGQFUL:0.05,RINVDSTADR:0.02", "--receipt-stats", "DELIVRD:0.8,UNDELIV:0.2",
            "--mo", "300"))
        return self.settled(router)

    # --- Totals.

    def test_totals_in_json_are_those_of_the_metrics_per_end_and_account(self):
        world = World("", written=["--fallback"])
        router = self.start(world)
        page = self.run_mixed(world, router)
        self.stop(router)
        text = read(os.path.join(world.records, "records.jsonl"))
        records = json_lines(text)
        self.check_totals(page, counts(records))
        self.assertEqual(page.total("records_octets"), len(text.encode()))
        self.assertEqual(lost(records), 0)
        messages = [one for one in records if one["record"] == "mt"]
        self.assertEqual(len({one["id"] for one in messages}), len(messages))
        again = sum(len(one["attempts"]) - 1 for one in messages if one["attempts"])
        self.assertEqual(again, page.total("mt_rerouted"))
        self.assertGreater(again, 0)
        for s in range(SUPPLIERS):
            self.check_supplier(page, messages, f"sim{s}")
        for c in range(CUSTOMERS):
            self.check_customer(page, records, f"load{c}")

    def check_supplier(self, page, messages, name):
        attempts = [one for message in messages for one in message["attempts"] if one["supplier"] == name]
        accepted = sum(one["outcome"] == "answered" and one["status"] == "ROK" for one in attempts)
        refused = sum(one["outcome"] == "answered" and one["status"] != "ROK" for one in attempts)
        self.assertEqual(sum("sent" in one for one in attempts), page.total("supplier_submitted", supplier=name))
        self.assertEqual(accepted, page.total("supplier_accepted", supplier=name))
        self.assertEqual(refused, page.total("supplier_rejected", supplier=name))
        self.assertGreater(refused, 0)

    def check_customer(self, page, records, name):
        own = counts(one for one in records if one.get("customer") == name)
        for end, counter in ((("mt", "accepted"), "accepted"), (("mt", "rejected"), "rejected"),
                             (("receipt", "delivered"), "receipts_delivered"),
                             (("mo", "delivered"), "mo_delivered")):
            self.assertEqual(own[end], page.total(f"customer_{counter}", customer=name), (name, end))

    def test_totals_in_csv_of_two_workers_are_those_of_the_metrics(self):
        if len(os.sched_getaffinity(0)) < 2:
            self.skipTest("needs two CPUs")
        world = World('format = "csv"\n', workers=2, written=["--fallback"])
        router = self.start(world)
        page = self.run_mixed(world, router)
        self.stop(router)
        rows = csv_rows(read(os.path.join(world.records, "records.csv")))
        self.check_totals(page, counts(rows))
        again = sum(int(row["attempts"]) - 1 for row in rows if row["record"] == "mt" and row["attempts"] != "0")
        self.assertEqual(again, page.total("mt_rerouted"))

    # --- Rotation.

    def test_rotation_by_size_and_signal_under_load_loses_and_tears_nothing(self):
        rotate_octets = 64 * 1024
        world = World('rotate_size = "64KiB"\n')
        router = self.start(world)
        load = self.begin_load(world, "--rate", "10000", "--messages", "20000", "--receipts", "0.3")
        live = os.path.join(world.records, "records.jsonl")
        signals, taken_away = 0, 0
        while load.poll() is None:
            # Every other time as logrotate does it: renamed by somebody else, then the signal.
            if signals % 2:
                with contextlib.suppress(FileNotFoundError):  # the router renames it, too: there is none just now
                    os.rename(live, os.path.join(world.records, f"rotated-{taken_away}.jsonl"))
                    taken_away += 1
            router.signal(signal.SIGUSR1)
            signals += 1
            time.sleep(0.02)
        self.end_load(load)
        page = self.settled(router)
        self.stop(router)
        self.assertGreater(taken_away, 10)
        found, ids, complete = collections.Counter(), collections.Counter(), 0
        for name in sorted(os.listdir(world.records)):
            text = read(os.path.join(world.records, name))
            records = json_lines(text)
            found += counts(records)
            ids.update(one["id"] for one in records if one["record"] == "mt")
            self.assertLessEqual(len(text.encode()), rotate_octets, name)
            self.assertTrue(records or not name.startswith("records-"), f"{name} is complete and empty")
            complete += name != "records.jsonl"
        self.assertEqual(found[("mt", "accepted")], 20000)
        self.assertEqual(found, +collections.Counter({end: page.total(name) for end, name in COUNTERS.items()}))
        self.assertEqual(max(ids.values()), 1)
        self.assertEqual(complete, page.total("records_files"))
        self.assertGreater(complete - taken_away, 100)

    # --- A full disk.

    def test_full_disk_is_said_and_counted_and_records_go_on_when_there_is_room(self):
        if os.geteuid() != 0:
            self.skipTest("needs root for a small file system of its own")
        # The router alone sees it: 1 MiB, and as much is held in memory.
        world = World('rotate_size = "64KiB"\nhold = "1MiB"\n')
        os.mkdir(world.records)
        mount = f"mount -t tmpfs -o size=1m none '{world.records}' && exec \"$@\""
        router = self.start(world, ["unshare", "--mount", "sh", "-c", mount, "sh"])
        disk = Folder(f"/proc/{router.process.pid}/root{world.records}")
        self.addCleanup(disk.close)
        self.assertEqual(os.listdir(world.records), [])

        self.end_load(self.begin_load(world, "--messages", "8000", "--receipts", "0.2"))
        router.wait_log("records cannot be written, they are held in memory: write of")
        self.assertIn("No space left on device", router.log())
        wait_until(lambda: accounted(Metrics(router)), "every record is written, held or dropped")
        page = Metrics(router)
        self.assertEqual(page.total("records_failing"), 1)
        self.assertEqual(self.health(router), "failing")
        self.assertGreater(page.total("records_write_errors"), 0)
        self.assertGreater(page.total("records_dropped"), 0)
        self.assertGreater(page.total("records_held_octets"), 500_000)
        self.assertLessEqual(page.total("records_held_octets"), 1 << 20)

        # Twice the disk's size is to be written: an operator makes room until it is.
        records = []
        wait_until(lambda: records.extend(disk.take_complete()) or "records are written again, after" in router.log(),
                   "records are written again")
        self.end_load(self.begin_load(world, "--messages", "300", "--receipts", "0.2"))
        after = self.settled(router)
        self.assertEqual(after.total("records_dropped"), page.total("records_dropped"))
        self.assertEqual(after.total("records_failing"), 0)
        self.assertEqual(self.health(router), "ok")
        self.stop(router)
        records += disk.take_all()
        self.assertEqual(lost(records), after.total("records_dropped") + after.total("records_lost"))
        self.assertEqual(counts(records).total() + lost(records), after.ended())
        self.assertEqual(after.total("mt_accepted"), 8300)
        ids = collections.Counter(one["id"] for one in records if one["record"] == "mt")
        self.assertEqual(max(ids.values()), 1)


def accounted(page):
    kept = sum(page.total("records_written", kind=kind) for kind in KINDS)
    return kept + page.total("records_dropped") + page.total("records_lost") == page.ended()


class Folder:
    """A folder that its router's mount namespace alone has; it stays readable when that has ended."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)

    def take(self, name):
        with open(os.open(name, os.O_RDONLY, dir_fd=self.fd), encoding="utf-8") as file:
            text = file.read()
        os.unlink(name, dir_fd=self.fd)
        return json_lines(text)

    def take_complete(self):
        """What an operator does: files that are complete go elsewhere."""
        return [one for name in sorted(os.listdir(self.fd)) if name != "records.jsonl" for one in self.take(name)]

    def take_all(self):
        return [one for name in sorted(os.listdir(self.fd)) for one in self.take(name)]

    def close(self):
        os.close(self.fd)


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


if __name__ == "__main__":
    SWITCHYARD, SMPPLOAD = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))
    unittest.main(verbosity=2)
