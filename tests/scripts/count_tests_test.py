"""scripts/lib/count_tests must never turn a failure into a success."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OK = "[       OK ] A.b (0 ms)\n"
BAD = "[  FAILED  ] A.c (1 ms)\n"
SUMMARY = "[  FAILED  ] A.c\n"


def count(*tests):
    with tempfile.TemporaryDirectory() as directory:
        log = pathlib.Path(directory) / "log.json"
        log.write_text("".join(json.dumps(test) + "\n" for test in tests), encoding="utf-8")
        done = subprocess.run([sys.executable, ROOT / "scripts/lib/count_tests", log],
                              stdout=subprocess.PIPE, text=True, check=False)
        return done.stdout.splitlines()[-1], done.returncode


def program(result, stdout=""):
    return {"name": "x", "result": result, "stdout": stdout}


class CountTests(unittest.TestCase):
    def test_cases_of_programs_and_plain_programs_are_added_up(self):
        self.assertEqual(count(program("OK", OK + OK), program("OK")), ("3 passed, 0 failed", 0))

    def test_failed_case_counts_once(self):
        self.assertEqual(count(program("FAIL", OK + BAD + SUMMARY)), ("1 passed, 1 failed", 1))

    def test_tap_cases_count_but_what_was_skipped(self):
        tap = "TAP version 13\n1..3\nok 1 - a\nok 2 - b # SKIP no kannel\nok 3 - c\n"
        self.assertEqual(count(program("OK", tap)), ("2 passed, 0 failed", 0))
        self.assertEqual(count(program("FAIL", tap + "not ok 4 - d\n")),
                         ("2 passed, 1 failed", 1))
        self.assertEqual(count(program("ERROR", "1..3\nok 1 - a\nBail out! gone\n")),
                         ("1 passed, 1 failed", 1))

    def test_crash_and_timeout_count_as_failures(self):
        self.assertEqual(count(program("ERROR", OK)), ("1 passed, 1 failed", 1))
        self.assertEqual(count(program("TIMEOUT")), ("0 passed, 1 failed", 1))

    def test_unexpected_pass_is_a_failure(self):
        self.assertEqual(count(program("OK"), program("UNEXPECTEDPASS")), ("1 passed, 1 failed", 1))

    def test_nothing_run_is_no_success(self):
        self.assertEqual(count(), ("0 passed, 0 failed", 1))
        self.assertEqual(count(program("SKIP")), ("0 passed, 0 failed", 1))


if __name__ == "__main__":
    unittest.main()
