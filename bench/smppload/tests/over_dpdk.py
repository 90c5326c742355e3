#!/usr/bin/env python3
"""smppload and the router with both ends over DPDK: 100,000 messages through a memif pair, without huge
pages and root; and where there are huge pages through a vhost pair. The books must balance.

Usage: over_dpdk.py SMPPLOAD SWITCHYARD
"""

import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import through_router

# A bound on everything that is waited for.
BOUND_S = 90
# What both processes together take through vhost.
HUGE_PAGES = 512


def wait_for(path, router):
    """Until the router's end of the pair is there."""
    deadline = time.monotonic() + BOUND_S
    while not path.exists():
        if router.poll() is not None or time.monotonic() > deadline:
            return False
    return True


def huge_pages_free():
    pages = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages")
    return int(pages.read_text()) if pages.exists() else 0


def run(kind, smppload, switchyard, directory):
    eal = ["--dpdk-eal=--no-huge"] if kind == "memif" else []
    admin = through_router.free_ports(1)
    pair = pathlib.Path(directory, "pair.sock")
    subprocess.run(
        [smppload, "--write-config", directory, "--dpdk", kind, "--dpdk-socket", str(pair), *eal,
         "--admin", f"127.0.0.1:{admin}", "--prefixes", "2000",
         "--expressions", "20", "--suppliers", "4", "--customers", "2", "--binds", "4",
         "--window", "100", "--supplier-binds", "2"],
        check=True, stdout=subprocess.DEVNULL, timeout=60)
    log = pathlib.Path(directory, "router.log")
    with log.open("w") as output:
        router = subprocess.Popen([switchyard, "run", "--config", f"{directory}/switchyard.toml"],
                                  stdout=output, stderr=output)
    load = 2
    try:
        if wait_for(pair, router):
            load = subprocess.run(
                [smppload, "--options", f"{directory}/smppload.ini", "--messages", "100000",
                 "--receipts", "0.2", "--mo", "100", "--error-mix", "RINVDSTADR:0.01"],
                timeout=BOUND_S, check=False).returncode
    finally:
        if router.poll() is None:
            router.send_signal(signal.SIGTERM)
        status = router.wait(timeout=60)
    if load != 0 or status != 0:
        print(f"{kind}: smppload exit status {load}, router {status}; its log ends with")
        print("\n".join(log.read_text().splitlines()[-15:]))
    return load == 0 and status == 0


def main():
    smppload, switchyard = sys.argv[1:]
    kinds = ["memif"]
    if huge_pages_free() >= HUGE_PAGES:
        kinds.append("vhost")
    else:
        print(f"vhost not tried: it needs {HUGE_PAGES} free huge pages of 2 MiB")
    good = True
    for kind in kinds:
        with tempfile.TemporaryDirectory() as directory:
            good = run(kind, smppload, switchyard, directory) and good
    return 0 if good else 1


sys.exit(main())
