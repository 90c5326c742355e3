"""scripts/hooks/commit-msg takes what the house's form asks for and nothing else."""

import pathlib
import subprocess
import tempfile
import unittest

HOOK = pathlib.Path(__file__).resolve().parent.parent.parent / "scripts/hooks/commit-msg"
BODY = "\nReceipts were lost when a link died.\n\nType: fix\n"


def accepts(text):
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as message:
        message.write(text)
        message.flush()
        return subprocess.run([HOOK, message.name], stderr=subprocess.DEVNULL,
                              check=False).returncode == 0


class CommitMsg(unittest.TestCase):
    def test_good_messages(self):
        for subject in ("route: compare accounts", "io/kernel: close what the peer closed",
                        "smpp: decode 3.4 and 5.0 binds"):
            self.assertTrue(accepts(subject + "\n" + BODY), subject)
        self.assertTrue(accepts("Merge branch 'x'\n"))

    def test_bad_subjects(self):
        for subject in ("compare accounts", "route: Compare accounts", "route: compare accounts.",
                        "Route: compare accounts", "route:compare accounts", "",
                        "route: " + "x" * 54):
            self.assertFalse(accepts(subject + "\n" + BODY), subject)

    def test_longest_subject(self):
        self.assertTrue(accepts("route: " + "x" * 53 + "\n" + BODY))

    def test_body_and_trailer_are_asked_for(self):
        self.assertFalse(accepts("route: compare accounts\n"))
        self.assertFalse(accepts("route: compare accounts\n\nA reason.\n"))
        self.assertFalse(accepts("route: compare accounts\nA reason.\n\nType: fix\n"))
        self.assertFalse(accepts("route: compare accounts\n\nA reason.\n\nType: bugfix\n"))

    def test_long_lines(self):
        self.assertFalse(accepts("route: compare\n\n" + "word " * 16 + "\n\nType: fix\n"))
        self.assertTrue(accepts("route: compare\n\n" + "x" * 90 + "\n\nType: fix\n"))


if __name__ == "__main__":
    unittest.main()
