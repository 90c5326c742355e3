"""Command line of scripts/bench; scripts/bench --help."""

import argparse
import json
import os
import pathlib
import shlex
import sys
import tempfile
import time

from . import machine, plan, report
from .book import Book
from .compare import lines
from .programs import ROOT, Build, Failed


class Bench:
    """What every measurement is given."""

    def __init__(self, build, scale, cpus):
        self.build, self.scale, self.root = build, scale, ROOT
        self.router_cpu, self.load_cpu = cpus
        self.commands = {}  # of measurements that have one of their own
        self.book = Book({})

    def command(self, name):
        if name in self.commands:
            return self.commands[name]
        how = "" if self.scale.name == "full" else f"--{self.scale.name} "
        return f"scripts/bench {how}--only {name}"


class Progress:
    """One line a step: what runs, how long so far and how long it will take."""

    def __init__(self, total_s):
        self.total_s, self.done_s, self.begun = total_s, 0.0, time.monotonic()

    def line(self, name, text):
        elapsed = time.monotonic() - self.begun
        # What is left by the guesses, stretched by how far off those were until now.
        pace = min(max(elapsed / self.done_s, 0.5), 3.0) if self.done_s > 5 else 1.0
        left = (self.total_s - self.done_s) * pace
        print(f"[{elapsed:5.0f} s of about {elapsed + left:5.0f}] {name:42} {text}", flush=True)


def said(values):
    out = []
    for key, unit in (("rate", "/s"), ("ns", " ns"), ("p50", " us p50"), ("p99", " us p99"), ("cpu", " us CPU"),
                      ("memory_a_connection", " KiB a connection")):
        if key in values:
            out.append(f"{values[key]:,.0f}{unit}" if values[key] >= 100 else f"{values[key]:.3g}{unit}")
    return ", ".join(out)


def measure(bench, step, noise, progress):
    try:
        found, around = noise.around(lambda: step.measure(bench))
        for name, values in found.items():
            limits = tuple(limit for limit in step.limits if limit[0] != name)
            for one in values if isinstance(values, list) else [values]:
                bench.book.add(name, one, bench.command(name), limits or limits_of_parts(name), around)
        several = len(found) > 1
        progress.line(step.name, f"{len(found)} benchmarks" if several else said(last(next(iter(found.values())))))
    except (Failed, OSError, ValueError) as error:
        bench.book.fail(step.name, str(error), bench.command(step.name))
        progress.line(step.name, f"FAILED: {str(error).splitlines()[0]}")
    progress.done_s += step.seconds


def last(values):
    return values[-1] if isinstance(values, list) else values


def limits_of_parts(name):
    from .micro import limit_of
    return limit_of(name.removeprefix("micro/"))


def run_all(bench, only):
    """All chosen steps into bench.book."""
    steps = plan.chosen(plan.steps(bench), only)
    order = plan.interleaved(steps)
    progress = Progress(sum(step.seconds for _, step in order))
    noise = machine.Noise(bench)
    for _, step in order:
        measure(bench, step, noise, progress)


def compare_builds(options, scale, cpus):
    """A B A B: each repetition of each step by the one build, then by the other."""
    benches = [Bench(Build(folder), scale, cpus) for folder in (options.against, options.build)]
    # Decided on by three repetitions at least; by a filter of their own, not for the report.
    orders = []
    for bench in benches:
        bench.book.head = machine.describe(bench) | {"commit": str(bench.build.directory)}
        steps = plan.chosen(plan.steps(bench), options.only or ["base"])
        for step in steps:
            step.repetitions = max(step.repetitions, options.repetitions)
        orders.append(plan.interleaved(steps))
    progress = Progress(sum(step.seconds for order in orders for _, step in order))
    noise = [machine.Noise(bench) for bench in benches]
    for pair in zip(*orders):
        for index, (_, step) in enumerate(pair):
            measure(benches[index], step, noise[index], progress)
    for line in lines(benches[0].book, benches[1].book):
        print(line)
    return 1 if any(bench.book.failures for bench in benches) else 0


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench", description=(
        "Measures the router, its limits, its parts and its peers on this machine; writes report.md, report.json and "
        "plots. Exit status 0: every check held; 1: one did not (the report names it); 2: it could not run."))
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_const", const="quick", dest="scale", help="some minutes")
    size.add_argument("--smoke", action="store_const", const="smoke", dest="scale", help="seconds; says only that it works")
    parser.set_defaults(scale="full")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="sections or measurements: see --list")
    parser.add_argument("--list", action="store_true", help="print the names and guessed seconds of all measurements")
    parser.add_argument("--compare", metavar="OLD.json", help="print ratios to an older report's figures")
    parser.add_argument("--against", metavar="BUILD_DIR", help="this build and that one in turn (A B A B); no report")
    parser.add_argument("--repetitions", type=int, default=5, help="of --against, at least")
    parser.add_argument("--cpus", default="", metavar="ROUTER,LOAD", help="two CPUs; default: the first two allowed")
    parser.add_argument("--build", default=os.environ.get("SY_BUILD_DIR", "build/release"))
    parser.add_argument("--out", default=None, help="default: bench/report, with --only a new folder under /tmp")
    return parser.parse_args(arguments)


def two_cpus(text):
    allowed = sorted(os.sched_getaffinity(0))
    if not text:
        return allowed[0], allowed[min(1, len(allowed) - 1)]
    cpus = [int(word) for word in text.split(",")]
    if len(cpus) != 2 or not set(cpus) <= set(allowed):
        raise ValueError(f"--cpus {text}: expected two of {allowed}")
    return tuple(cpus)


def out_directory(options):
    if options.out:
        return pathlib.Path(options.out)
    if options.only or options.scale == "smoke":
        return pathlib.Path(tempfile.mkdtemp(prefix="switchyard-bench."))
    return ROOT / "bench/report"


def main(arguments):
    options = parse(arguments)
    scale, cpus = plan.SCALES[options.scale], two_cpus(options.cpus)
    for folder in filter(None, (options.build, options.against)):
        if scale.name != "smoke" and not Build(folder).is_release():
            raise ValueError(f"{folder} is not a release build, its figures would say nothing")
    if options.against:
        return compare_builds(options, scale, cpus)
    bench = Bench(Build(options.build), scale, cpus)
    if options.list:
        for step in plan.steps(bench):
            print(f"{step.name:50} {step.repetitions} x {step.seconds:.1f} s")
        return 0
    old = Book.read(options.compare) if options.compare else None
    bench.book.head = machine.describe(bench)
    begun = time.monotonic()
    run_all(bench, options.only)
    bench.book.head |= {"took_s": time.monotonic() - begun, "invocation": shlex.join(["scripts/bench", *arguments])}
    directory = out_directory(options)
    report.write(bench.book, directory)
    print(f"report: {directory}/report.md")
    if old:
        for line in lines(old, bench.book):
            print(line)
    for failure in bench.book.failures:
        print(f"FAILED: {failure['name']}: {failure['what']}", file=sys.stderr)
    return 1 if bench.book.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (ValueError, OSError, Failed, json.JSONDecodeError) as problem:
        print(f"bench: {problem}", file=sys.stderr)
        sys.exit(2)
