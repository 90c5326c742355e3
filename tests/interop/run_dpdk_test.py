#!/usr/bin/env python3
"""scripts/run --dpdk as its own text says to use it: suppliers and a customer of this machine reach the
router behind the tap, and nothing of it is left when it ends.

    run_dpdk_test.py --source DIR --build DIR --meson-build DIR
"""

import argparse
import os
import re
import shlex
import signal
import subprocess

import lab as lab_module
from lab import Lab, wait_until

COMMAND = re.compile(r"^ .*?(\S*smppload .*)$")


def commands_of(text):
    """The smppload commands that scripts/run prints, as lists of words."""
    lines = text.replace("\\\n", " ").splitlines()
    return [shlex.split(found.group(1)) for found in map(COMMAND.match, lines) if found]


class Bench:
    def __init__(self, options):
        self.options = options
        self.lab = Lab(os.path.join(options.build, "lab-run-dpdk"))
        self.process = None

    def run_script(self, label):
        environment = dict(os.environ, SY_SETUP="0", SY_BUILD_DIR=self.options.meson_build)
        return self.lab.start(label, [os.path.join(self.options.source, "scripts/run"), "--dpdk"],
                              cwd=self.options.source, env=environment)

    def log(self, label="run"):
        with open(self.lab.path(label + ".log"), errors="replace") as log:
            return log.read()


def has_link():
    return subprocess.run(["ip", "link", "show", "dev", "sy0"], capture_output=True).returncode == 0


def as_printed(b):
    b.process = b.run_script("run")
    wait_until("the router listens", lambda: "10.20.0.2:2775" in b.log() and has_link() and
               "10.20.0.1" in subprocess.run(["ip", "address", "show", "dev", "sy0"],
                                             capture_output=True, text=True).stdout, 60)
    commands = commands_of(b.log())
    suppliers = [command for command in commands if command[1] == "supplier"]
    sends = [command for command in commands if command[1] == "send"]
    b.lab.check_equal("it prints two suppliers and a message", (len(suppliers), len(sends)), (2, 1))
    for number, command in enumerate(suppliers):
        b.lab.start(f"supplier-{number}", command, cwd=b.options.source)
    wait_until("both suppliers are bound",
               lambda: all(f"supplier bound supplier={name}" in b.log() for name in ("alpha", "beta")), 20)
    done = subprocess.run(sends[0], cwd=b.options.source, capture_output=True, text=True, timeout=30)
    b.lab.check("the message is sent as printed", done.returncode == 0, done.stdout + done.stderr)
    b.lab.check("its receipt comes back", re.search(r"^receipt .* DELIVRD$", done.stdout, re.MULTILINE), done.stdout + done.stderr)
    b.lab.check("the supplier behind the route got it",
                any("Guten Tag" in line for line in b.lab.log_tail("supplier-1", 50)),
                "\n".join(b.lab.log_tail("supplier-1", 50)))


def second_one(b):
    second = b.run_script("second")
    b.lab.check_equal("a second one ends at once with status 1", second.wait(60), 1)
    b.lab.check("it says why", "sy0 already" in b.log("second"), b.log("second"))


def ends(b):
    b.lab.check_equal("Ctrl-C: status 0", b.lab.stop(b.process, signal.SIGINT, 40), 0)
    wait_until("the link is gone", lambda: not has_link())
    b.lab.check("the link is gone", True)


def main():
    parser = argparse.ArgumentParser()
    for name in ("--source", "--build", "--meson-build"):
        parser.add_argument(name, required=True)
    options = parser.parse_args()
    lab_module.enter([], 100)
    b = Bench(options)
    for scenario in (as_printed, second_one, ends):
        b.lab.scenario(scenario.__name__.replace("_", " "), scenario, b)
    b.lab.finish()


if __name__ == "__main__":
    main()
