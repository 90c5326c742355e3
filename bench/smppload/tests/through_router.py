#!/usr/bin/env python3
"""smppload through a real router, both started here on free loopback ports: the books must balance.

Usage: through_router.py SMPPLOAD SWITCHYARD
"""

import pathlib
import signal
import socket
import subprocess
import sys
import tempfile

# Options of the written configuration, then of the run.
SCENARIOS = {
    "errors with a second supplier, TX+RX pairs, hex ids in responses": (
        ["--prefixes", "2000", "--expressions", "20", "--suppliers", "4", "--customers", "3",
         "--binds", "2", "--window", "50", "--supplier-binds", "2", "--bind-mode", "tx+rx",
         "--receipt-id", "hex-decimal", "--fallback"],
        ["--messages", "10000", "--receipts", "0.5", "--receipt-before-response", "0.3",
         "--receipt-other-bind", "--error-mix", "RMSGQFUL:0.005,RINVDSTADR:0.01",
         "--receipt-stats", "DELIVRD:0.8,UNDELIV:0.2", "--mo", "300"]),
    "slow suppliers, ids decimal in responses and hex in receipts": (
        ["--suppliers", "3", "--customers", "2", "--binds", "3", "--supplier-binds", "2",
         "--receipt-id", "decimal-hex"],
        ["--messages", "5000", "--receipts", "1", "--receipt-delay", "0:30",
         "--supplier-latency", "1:5"]),
    "open loop": (
        ["--prefixes", "5000", "--expressions", "20", "--supplier-binds", "2"],
        ["--rate", "2000", "--messages", "2000", "--receipts", "0.2"]),
}


def free_ports(count):
    """So many ports in a row that were free a moment ago."""
    for first in range(20000, 60000, 97):
        sockets = []
        try:
            for port in range(first, first + count):
                sockets.append(socket.socket())
                sockets[-1].bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()
    sys.exit("no free ports")


def run(smppload, switchyard, written, options):
    with tempfile.TemporaryDirectory() as directory:
        first = free_ports(8)
        subprocess.run(
            [smppload, "--write-config", directory, "--router", f"127.0.0.1:{first}",
             "--admin", f"127.0.0.1:{first + 1}", "--listen", f"127.0.0.1:{first + 2}", *written],
            check=True, stdout=subprocess.DEVNULL, timeout=60)
        log = pathlib.Path(directory, "router.log")
        with log.open("w") as output:
            router = subprocess.Popen(
                [switchyard, "run", "--config", f"{directory}/switchyard.toml"],
                stdout=output, stderr=output)
        try:
            load = subprocess.run([smppload, "--options", f"{directory}/smppload.ini", *options],
                                  timeout=120, check=False)
        finally:
            router.send_signal(signal.SIGTERM)
            status = router.wait(timeout=60)
        if load.returncode != 0 or status != 0:
            print(f"smppload exit status {load.returncode}, router {status}; its log ends with")
            print("\n".join(log.read_text().splitlines()[-15:]))
            return False
        return True


def main():
    smppload, switchyard = sys.argv[1:]
    good = True
    for name, (written, options) in SCENARIOS.items():
        print(f"--- {name}", flush=True)
        good = run(smppload, switchyard, written, options) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
