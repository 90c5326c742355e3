#!/usr/bin/env python3
"""The suite's own arithmetic against known values, its report's structure, and that a check that does not
hold fails it. With programs it also makes a smoke run.

Usage: suite_test.py [BUILD_DIR]
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

BENCH = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(BENCH))
from suite import compare, estimates, instructions, plan, report  # noqa: E402
from suite.book import Book  # noqa: E402

HEAD = {"invocation": "scripts/bench", "begun": "now", "took_s": 1.0, "commit": "c", "processor": "p", "cpus": 2,
        "caches of a CPU": "L1", "memory": "1 MiB", "huge pages free": "0", "system": "s", "kernel": "k",
        "compiler": "g", "pinning": "none", "packages": {"x": "1"}}
BUILD = None


def book(rates, name="base/kernel"):
    out = Book(dict(HEAD))
    for rate in rates:
        out.add(name, {"rate": rate, "p50": 10.0}, f"scripts/bench --only {name}", [("limits/relay", "rate", "rate")])
    return out


class Estimates(unittest.TestCase):
    def test_percentiles_lie_between_ranks(self):
        self.assertEqual(estimates.percentile([4, 1, 3, 2], 50), 2.5)
        self.assertEqual(estimates.percentile([1, 2, 3, 4, 5], 25), 2)
        self.assertEqual(estimates.percentile([7], 99), 7)
        self.assertRaises(ValueError, estimates.percentile, [], 50)

    def test_interval_of_a_constant_ratio_is_that_ratio(self):
        # Both were slowed alike in each pair: the pairs show a ratio of 2 whatever is drawn.
        ratio, low, high = estimates.ratio_interval([100, 100, 100], [200, 200, 200])
        self.assertEqual((ratio, low, high), (2, 2, 2))

    def test_interval_holds_the_ratio_and_widens_with_the_spread(self):
        narrow = estimates.ratio_interval([99, 100, 101, 100, 100], [110, 111, 109, 110, 110])
        wide = estimates.ratio_interval([50, 100, 150, 100, 100], [60, 110, 170, 110, 110])
        for ratio, low, high in (narrow, wide):
            self.assertTrue(low <= ratio <= high)
        self.assertGreater(narrow[1], 1)
        self.assertGreater(wide[2] - wide[1], narrow[2] - narrow[1])


class Reports(unittest.TestCase):
    def test_share_of_the_limit(self):
        one = book([50, 60, 55])
        one.add("limits/relay", {"rate": 110.0}, "x", ())
        self.assertEqual(one.shares("base/kernel"), [("limits/relay", 0.5)])

    def test_a_failed_check_is_the_first_thing_to_read(self):
        one = book([1.0])
        one.fail("base/memif", "3 messages lost", "scripts/bench --only base/memif")
        text = report.markdown(one, {})
        self.assertLess(text.index("FAILED"), text.index("## Throughput"))
        self.assertIn("3 messages lost", text)

    def test_written_and_read_again(self):
        with tempfile.TemporaryDirectory() as folder:
            report.write(book([1.0, 2.0], "window/kernel/window=10"), pathlib.Path(folder))
            again = Book.read(f"{folder}/report.json")
            self.assertEqual(again.samples("window/kernel/window=10", "rate"), [1.0, 2.0])
            self.assertIn("<svg", pathlib.Path(folder, "window.svg").read_text())

    def test_values_that_cannot_be_are_refused(self):
        self.assertRaises(ValueError, book, [float("nan")])

    def test_comparison_tells_better_from_noise(self):
        verdicts = {old: compare.ratios(book(old), book((200, 202, 198, 201, 200)))[0][5]
                    for old in ((100, 101, 99, 100, 102), (150, 240, 190, 260, 170), (400, 401, 399, 402, 400))}
        self.assertEqual(list(verdicts.values()), ["better", "no difference shown", "worse"])

    def test_only_an_existing_name(self):
        steps = [plan.Step("window/kernel/window=1", None, 1.0)]
        self.assertEqual(plan.chosen(steps, ["window"]), steps)
        self.assertRaises(ValueError, plan.chosen, steps, ["windo"])


class Instructions(unittest.TestCase):
    def test_a_function_counts_where_it_is_written(self):
        for function, stage in (
                ("???:sy::smpp::decode_sm(std::span<unsigned char const>, sy::engine::X&) [/b/switchyard]", "smpp"),
                ("???:void sy::engine::Worker::flush<sy::tcpip::T::f()::{lambda(sy::smpp::Y)#1}>(sy::smpp::Z) [/b]",
                 "engine"),
                ("???:sy::smpp::(anonymous namespace)::has_control(std::string_view) [/b/switchyard]", "smpp"),
                ("???:sy::queue::Ring<sy::engine::Message> sy::route::find() [/b/switchyard]", "routing"),
                ("???:0x0000000000131 [/usr/lib/x86_64-linux-gnu/libhs.so.5.4.0]", "expressions"),
                ("./string/memmove.S:__memcpy [/usr/lib/libc.so.6]", "rest")):
            self.assertEqual(instructions.stage_of(function), stage, function)

    def test_lines_of_the_annotation_are_added_up(self):
        found = instructions.by_stage("661,392,511 (100.0%)  PROGRAM TOTALS\n"
                                      " 1,500 ( 5.49%)  ???:sy::smpp::a() [/b]\n    500 ( 0.1%)  ???:sy::smpp::b() [/b]\n")
        self.assertEqual(found["smpp"], 2000)
        self.assertEqual(sum(found.values()), 2000)


class Runs(unittest.TestCase):
    def run_suite(self, folder, build):
        return subprocess.run([sys.executable, "-m", "suite", "--smoke", "--build", build, "--out", folder, "--only",
                               "base/kernel", "limits/relay"], cwd=BENCH, capture_output=True, text=True, timeout=100,
                              check=False)

    def test_smoke_run(self):
        if BUILD is None:
            self.skipTest("no build folder given")
        with tempfile.TemporaryDirectory() as folder:
            done = self.run_suite(folder, BUILD)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            found = json.loads(pathlib.Path(folder, "report.json").read_text())
            self.assertEqual(set(found["measurements"]), {"base/kernel", "limits/relay"})
            for entry in found["measurements"].values():
                self.assertGreater(entry["samples"][0]["rate"], 0)
                self.assertTrue(entry["noise"] and entry["command"].startswith("scripts/bench"))

    def test_books_that_do_not_balance_fail_the_run(self):
        if BUILD is None:
            self.skipTest("no build folder given")
        with tempfile.TemporaryDirectory() as folder:
            build = pathlib.Path(folder, "build")
            for name in ("io/daemon/switchyard", "bench/limits/relay", "bench/core_latency"):
                link = build / name
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(pathlib.Path(BUILD).resolve() / name)
            load = build / "bench/smppload/smppload"
            load.parent.mkdir(parents=True)
            real = pathlib.Path(BUILD).resolve() / "bench/smppload/smppload"
            load.write_text(f'#!/bin/sh\ncase "$*" in *--write-config*) exec {real} "$@" ;; esac\n'
                            f'exec {real} "$@" --inject-fault alter\n')
            load.chmod(0o755)
            done = self.run_suite(f"{folder}/out", str(build))
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("FAILED", pathlib.Path(folder, "out/report.md").read_text())


if __name__ == "__main__":
    BUILD = str(pathlib.Path(sys.argv.pop(1)).resolve()) if len(sys.argv) > 1 else None
    unittest.main()
