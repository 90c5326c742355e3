#!/usr/bin/env python3
"""Replaces a large configuration under load: what the traffic notices of it, and what memory it takes.

The router runs on one CPU, smppload (customers and suppliers, every message checked) on another; everything that
the reload reads and compiles shares that other CPU with smppload on a machine of two, so that smppload's own waiting is
part of every latency. With --load-cpu equal to --router-cpu these two share one, and the reload has the other for itself:
what is left of its influence then is the router's. In this order: the maximum rate (closed loop), then at a share of
it (open loop) a run before, one in which the whole configuration is replaced, one each for its tables, and one after; with
--rounds N, N times a run without and one with a reload of everything, equally long, and the medians of both. The new
configuration has other networks for all prefixes and other expressions, but the same routes: whatever smppload finds
lost, altered or misrouted is the reload's fault.

Exit status 0: books balanced in every run and the new configuration is in effect. Time decides nothing.

Usage: reload_under_load.py SMPPLOAD SWITCHYARD [--prefixes N] [--expressions N] [--seconds S] [--share X]
                             [--rounds N] [--smoke]
"""

import argparse
import json
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent / "smppload" / "tests"))
from through_router import free_ports  # noqa: E402

NETWORKS = 1000


def write_networks(path, prefixes, shift):
    """Random prefixes of real countries' lengths; `shift` gives every one another network."""
    source = random.Random(1)
    with open(path, "w", encoding="ascii") as out:
        out.write("prefix,mccmnc\n")
        seen = set()
        lines = []
        while len(seen) < prefixes:
            number = source.randrange(10 ** 8, 10 ** 9) * 10 + source.randrange(10)
            if number in seen:
                continue
            seen.add(number)
            lines.append(f"{number},{20000 + (number + shift) % NETWORKS}\n")
            if len(lines) == 100_000:
                out.write("".join(lines))
                lines.clear()
        out.write("".join(lines))
        # Of a rule that no message reaches: with it every message's network is looked up.
        out.write(",99999\n")


def other_expressions(text):
    """The same rules with other expressions that match the same: every one is compiled anew."""
    rows = []
    for row in text.splitlines():
        cells = row.split(",")
        for column in (2, 3):
            if len(cells) == 6 and cells[column] and cells[column] != ("sender", "text")[column - 2]:
                cells[column] = f"(?:{cells[column]})"
        rows.append(",".join(cells))
    return "\n".join(rows) + "\n"


class Router:
    def __init__(self, options, directory, admin):
        self.admin = admin
        self.log = pathlib.Path(directory, "router.log")
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [options.switchyard, "run", "--config", f"{directory}/switchyard.toml"], stdout=output, stderr=output)
        self.wait_for("snapshot_generation", 1)

    def metric(self, name):
        with urllib.request.urlopen(f"http://{self.admin}/metrics", timeout=10) as page:
            found = re.search(rf"^switchyard_{re.escape(name)} (\S+)$", page.read().decode(), re.MULTILINE)
        return float(found.group(1)) if found else 0.0

    def wait_for(self, name, value, seconds=600):
        """Until the metric is at least that; the seconds that it took."""
        start = time.monotonic()
        while True:
            try:
                if self.metric(name) >= value:
                    return time.monotonic() - start
            except OSError:
                pass  # not listening yet, or busy: asked again until the time is over
            if self.process.poll() is not None or time.monotonic() - start > seconds:
                sys.exit(f"the router did not reach {name} {value}:\n" + self.log_tail())
            time.sleep(0.02)

    def log_tail(self):
        return "\n".join(self.log.read_text().splitlines()[-15:])

    def memory_mib(self, field):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE).group(1)) / 1024

    def forget_peak(self):
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def reload(self):
        """Seconds from the signal to the new generation."""
        generation = self.metric("snapshot_generation")
        self.process.send_signal(signal.SIGHUP)
        return self.wait_for("snapshot_generation", generation + 1)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


class Load:
    """One run of smppload beside the router."""

    def __init__(self, options, directory, name, *arguments):
        self.json = pathlib.Path(directory, f"{name}.json")
        self.output = pathlib.Path(directory, f"{name}.txt")
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [options.smppload, "--options", f"{directory}/smppload.ini", "--json", str(self.json), *arguments],
                stdout=output, stderr=subprocess.STDOUT)

    def end(self):
        if self.process.wait(timeout=900) != 0:
            sys.exit(f"smppload found discrepancies:\n{self.output.read_text()}")
        return json.loads(self.json.read_text())


def write_all(options, directory):
    first = free_ports(8)
    subprocess.run(
        [options.smppload, "--write-config", directory, "--prefixes", str(options.routes), "--expressions",
         str(options.expressions), "--suppliers", "4", "--customers", "1", "--binds", "8", "--window", "50",
         "--workers", str(options.router_cpu), "--cpu", str(options.load_cpu), "--router", f"127.0.0.1:{first}",
         "--admin", f"127.0.0.1:{first + 1}", "--listen", f"127.0.0.1:{first + 2}"],
        check=True, stdout=subprocess.DEVNULL, timeout=60)
    folder = pathlib.Path(directory)
    toml = folder / "switchyard.toml"
    toml.write_text(toml.read_text().replace('mt = "mt.csv"', 'mt = "mt.csv"\nnetworks = "networks.csv"'))
    text = (folder / "mt.csv").read_text()
    (folder / "mt.a").write_text("network," + text.replace("\n", "\n,").rstrip(",") + "99999,default,,,,1,sim0\n")
    with_others = other_expressions(text)
    (folder / "mt.b").write_text("network," + with_others.replace("\n", "\n,").rstrip(",")
                                 + "99999,default,,,,1,sim1\n")
    (folder / "mt.empty").write_text("targets\nsim0\n")
    (folder / "networks.empty").write_text("prefix,mccmnc\n,99999\n")
    write_networks(folder / "networks.a", options.prefixes, 0)
    write_networks(folder / "networks.b", options.prefixes, 1)
    return f"127.0.0.1:{first + 1}"


def use(directory, version, *tables):
    for table in tables:
        link = pathlib.Path(directory, f"{table}.csv")
        link.unlink(missing_ok=True)
        link.symlink_to(f"{table}.{version}")


def line(name, figures, share_of):
    print(f"{name:28} {figures['rate_overall']:12.0f} {figures['rate_overall'] / share_of:8.1%}"
          f" {figures['submit_us_p50']:10.0f} {figures['submit_us_p99']:10.0f} {figures['submit_us_p999']:10.0f}"
          f" {figures['submit_us_max']:10.0f}")


def reload_beside_load(options, directory, router, version, tables, at_rate):
    """smppload's figures of a run in which these tables were replaced, and after how many seconds they were live."""
    use(directory, version, *tables)
    router.forget_peak()
    load = Load(options, directory, "during", *at_rate, "--duration", f"{options.reload_seconds}s")
    time.sleep(1.2)  # the warm-up is over: the reload falls into what is measured
    took = router.reload()
    return load.end(), took


def measure_tables(options, directory, router, rate, at_rate):
    for version, tables in (("b", ("networks", "mt")), ("a", ("networks",)), ("a", ("mt",))):
        figures, took = reload_beside_load(options, directory, router, version, tables, at_rate)
        line(f"reload of {' and '.join(tables)}", figures, rate)
        print(f"{'':28} live after {took:.2f} s; peak {router.memory_mib('VmHWM'):.0f} MiB,"
              f" afterwards {router.memory_mib('VmRSS'):.0f} MiB")


def measure_rounds(options, directory, router, rate, at_rate):
    calm, reloading = [], []
    for number in range(options.rounds):
        calm.append(
            Load(options, directory, "calm", *at_rate, "--duration", f"{options.reload_seconds}s").end())
        line("calm", calm[-1], rate)
        figures, took = reload_beside_load(
            options, directory, router, "ba"[number % 2], ("networks", "mt"), at_rate)
        reloading.append(figures)
        line(f"reload, live after {took:.1f} s", figures, rate)
    for name in ("rate_overall", "submit_us_p50", "submit_us_p99", "submit_us_p999"):
        without, beside = (statistics.median(run[name] for run in runs) for runs in (calm, reloading))
        print(f"median {name:15} calm {without:12.0f}  reload {beside:12.0f}  ratio {beside / without:.2f}")


def measure(options, directory, router):
    empty = router.memory_mib("VmRSS")
    use(directory, "a", "mt", "networks")
    took = router.reload()
    print(f"configuration: {options.prefixes} prefixes, {options.routes} routes, {options.expressions} expressions;"
          f" first load {took:.1f} s")
    print(f"memory: {empty:.0f} MiB without it, {router.memory_mib('VmRSS'):.0f} MiB with it, "
          f"{router.memory_mib('VmHWM'):.0f} MiB at the peak of its load")
    top = Load(options, directory, "top", "--duration", f"{options.seconds}s", "--warmup", "1s").end()["rate_overall"]
    rate = options.rate or options.share * top
    at_rate = ["--rate", f"{rate:.0f}", "--warmup", "1s"]
    print(f"maximum {top:.0f} messages/s; the rest at {rate:.0f}\n")
    print(f"{'':28} {'messages/s':>12} {'of due':>8} {'p50 us':>10} {'p99 us':>10} {'p99.9 us':>10} {'max us':>10}")
    line("before", Load(options, directory, "before", *at_rate, "--duration", f"{options.seconds}s").end(), rate)
    (measure_rounds if options.rounds else measure_tables)(options, directory, router, rate, at_rate)
    line("after", Load(options, directory, "after", *at_rate, "--duration", f"{options.seconds}s").end(), rate)
    failed = router.metric('reloads_total{result="failed"}')
    if router.stop() != 0 or failed != 0:
        sys.exit(f"the router did not end well:\n{router.log_tail()}")
    print("books balanced in every run: nothing lost, twice, altered or misrouted")


def main():
    sys.stdout.reconfigure(line_buffering=True)
    parser = argparse.ArgumentParser()
    parser.add_argument("smppload")
    parser.add_argument("switchyard")
    parser.add_argument("--prefixes", type=int, default=10_000_000, help="of networks.csv")
    parser.add_argument("--routes", type=int, default=10_000, help="prefixes of mt.csv")
    parser.add_argument("--expressions", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=10, help="of the runs before and after")
    parser.add_argument("--reload-seconds", type=float, default=20, help="of the runs with a reload")
    parser.add_argument("--share", type=float, default=0.8, help="of the maximum rate")
    parser.add_argument("--rounds", type=int, default=0, help="of a run without and one with a reload of everything")
    parser.add_argument("--rate", type=float, default=0, help="messages/s in place of the share")
    parser.add_argument("--router-cpu", type=int, default=0)
    parser.add_argument("--load-cpu", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="small and quick")
    options = parser.parse_args()
    if options.smoke:
        options.prefixes, options.routes, options.expressions = 20_000, 500, 20
        options.seconds, options.reload_seconds, options.rate = 0.5, 1, 2000
        options.load_cpu = min(options.load_cpu, (os.cpu_count() or 1) - 1)
    with tempfile.TemporaryDirectory() as directory:
        admin = write_all(options, directory)
        use(directory, "empty", "mt", "networks")
        router = Router(options, directory, admin)
        try:
            measure(options, directory, router)
        finally:
            if router.process.poll() is None:
                router.process.kill()


if __name__ == "__main__":
    main()
