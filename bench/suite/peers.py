"""What a user would otherwise take, in the same run with the same messages and generator."""

import os
import pathlib
import shutil
import sys
import tempfile
import time

from . import kannel, limits
from .load import once
from .plan import Step
from .programs import Failed, Process, SmppLoad, free_ports, load_values

# 4 connections with window 100 to one supplier: what each of them can do.
WORLD = {"suppliers": 1, "supplier-binds": 4, "customers": 1, "binds": 4, "window": 100, "prefixes": 1000}
LISTENING = "0A"

def npm_modules(build):
    """The npm library, where the interop tests install it too: at the versions of its lock file."""
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/interop"))
    from lab import npm_modules as installed
    try:
        return installed(str(build.directory / "tests/interop"))
    except SystemExit:  # lab ends its own tests so; what was wrong it has printed
        raise Failed("the npm library could not be installed") from None


def listens(port):
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(f":{port:04X}") and fields[3] == LISTENING:
            return True
    return False


def minimal_router(bench, command, environment=None):
    """smppload plays both sides; the peer binds to its supplier once that listens."""
    scale = bench.scale
    with tempfile.TemporaryDirectory(prefix="sybench.") as directory:
        first = free_ports(2)
        load = SmppLoad(bench.build, directory, WORLD | {
            "router": f"127.0.0.1:{first}", "listen": f"127.0.0.1:{first + 1}", "cpu": bench.load_cpu,
            "duration": f"{scale.seconds}s", "warmup": f"{scale.warmup}s"})
        with load.process:
            load.process.wait_for("its supplier listens", lambda: listens(first + 1))
            os.environ.update(environment or {})
            with Process([*command, first, first + 1, WORLD["supplier-binds"]], pathlib.Path(directory, "peer.log"),
                         bench.router_cpu) as peer:
                peer.wait_for("it is bound", lambda: "ready" in peer.log.read_text())
                cpu, begun = peer.cpu_seconds(), time.monotonic()
                figures = load.figures(scale.seconds + 120)
                cpu, took = peer.cpu_seconds() - cpu, time.monotonic() - begun
    share = figures["seconds"] / max(took, figures["seconds"])
    return load_values(figures, cpu * share)


def node_smpp(bench):
    modules = npm_modules(bench.build)
    return minimal_router(bench, ["node", bench.root / "bench/peers/node_router.js"], {"NODE_PATH": str(modules)})


def net_smpp(bench):
    return minimal_router(bench, ["perl", bench.root / "bench/peers/net_smpp_router.pl"])


def switchyard(bench):
    return once(bench, WORLD, "kernel")


def relay(bench):
    return limits.relay(bench, {"binds": WORLD["binds"], "window": WORLD["window"], "prefixes": WORLD["prefixes"]})


def kannel_http(bench):
    return kannel.by_http(bench, WORLD)


def kannel_batch(bench):
    return kannel.by_batch(bench, WORLD)


MEASURES = {"switchyard": (switchyard, None), "relay": (relay, None), "node-smpp": (node_smpp, "node"),
            "net-smpp": (net_smpp, "perl"), "kannel-http": (kannel_http, "smsbox"),
            "kannel-batch": (kannel_batch, "mtbatch")}


def steps(bench):
    out = []
    if bench.scale.peers:
        bench.book.skip("peers/kannel over SMPP on both sides", "customers cannot bind to Debian's Kannel: its SMPP "
                        "server, opensmppbox, is not packaged")
    for peer in bench.scale.peers:
        measure, program = MEASURES[peer]
        name = f"peers/{peer}"
        if program and not shutil.which(program):
            bench.book.skip(name, f"{program} is not installed; scripts/setup test installs it")
            continue
        out.append(Step(name, lambda b, n=name, m=measure: {n: m(b)}, bench.scale.seconds + 3, bench.scale.repetitions,
                        (("peers/relay", "rate", "rate"),) if peer != "relay" else ()))
    return out
