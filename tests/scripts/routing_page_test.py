"""core/route/ROUTING.md shows what the program says: its commands are run, and who wins and who is tried in
which order are compared; explain may say more than the page. usage: routing_page_test.py PROGRAM"""

import pathlib
import re
import shlex
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "core/route/ROUTING.md"
PROGRAM = ""


def key_lines(output):
    """The decision, and the suppliers in the order to try."""
    decision = re.findall(r"^decision: (\S+)(?: \w+)", output, re.MULTILINE)
    return decision, re.findall(r"^ +\d+\. (\w+)", output, re.MULTILINE)


def examples():
    """(command, output) of every block that begins with a command."""
    blocks = re.findall(r"^```\n\$ (switchyard [^\n]*)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"),
                        re.MULTILINE | re.DOTALL)
    return [(shlex.split(command), output) for command, output in blocks]


class RoutingPage(unittest.TestCase):
    def test_commands_say_what_the_page_says(self):
        self.assertGreaterEqual(len(examples()), 5)
        for command, shown in examples():
            with self.subTest(command=command):
                result = subprocess.run([PROGRAM, *command[1:]], cwd=ROOT, capture_output=True, text=True,
                                        check=False)
                self.assertEqual(result.returncode, 0, result.stderr)
                decision, targets = key_lines(result.stdout)
                self.assertEqual(len(decision), 1, result.stdout)
                self.assertEqual((decision, targets), key_lines(shown))

    def test_rows_shown_are_those_of_the_example(self):
        rows = (ROOT / "scripts/example/mt.csv").read_text(encoding="utf-8").split("\n", 3)[3]
        self.assertIn(rows, PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PROGRAM = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
