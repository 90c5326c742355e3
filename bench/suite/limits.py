"""What the same machine does without the router: the figures that every other one is a share of."""

import pathlib
import re
import tempfile

from .load import BASE, spread_over_accounts
from .micro import run_program
from .plan import Step
from .programs import Failed, Process, SmppLoad, free_ports, load_values, run


def without_router(bench, options):
    return {"suppliers": 1, "prefixes": BASE["prefixes"], "customers": BASE["customers"], "binds": BASE["binds"],
            "window": BASE["window"], "cpu": bench.load_cpu, "duration": f"{bench.scale.seconds}s",
            "warmup": f"{bench.scale.warmup}s", "start-timeout": "60s", **options}


def direct(bench, options=None):
    """The generator straight to the suppliers, both ends on one CPU."""
    with tempfile.TemporaryDirectory(prefix="sybench.") as directory:
        first = free_ports(1)
        load = SmppLoad(bench.build, directory, without_router(bench, options or {}) | {
            "mode": "direct", "listen": f"127.0.0.1:{first}"})
        return load_values(load.figures(bench.scale.seconds + 90))


def relay(bench, options=None):
    """Octets there and back in the router's place, over kernel sockets."""
    with tempfile.TemporaryDirectory(prefix="sybench.") as directory:
        first = free_ports(2)
        command = [bench.build.relay, first, first + 1, bench.router_cpu]
        with Process(command, pathlib.Path(directory, "relay.log")) as process:
            process.wait_for("it is ready", lambda: "ready" in process.log.read_text())
            load = SmppLoad(bench.build, directory, without_router(bench, options or {}) | {
                "router": f"127.0.0.1:{first}", "listen": f"127.0.0.1:{first + 1}", "supplier-binds": 0,
                "router-pid": process.pid})
            values = load_values(load.figures(bench.scale.seconds + 90))
        if process.status != 0:
            raise Failed(f"the relay ended with status {process.status}:\n{process.tail()}")
    return values


def testpmd(bench):
    text = run([bench.root / "bench/testpmd_memif", bench.scale.testpmd_seconds, bench.router_cpu, bench.load_cpu],
               bench.scale.testpmd_seconds + 60)
    found = re.search(r"([\d.]+) M frames/s", text)
    if not found or float(found.group(1)) <= 0:
        raise Failed(f"testpmd_memif said: {text}")
    return {"rate": float(found.group(1)) * 1e6}


def steps(bench):
    scale = bench.scale
    around = scale.seconds + scale.warmup + 0.5
    repetitions = scale.headline_repetitions
    out = [Step("limits/memory", lambda b: run_program(b, "limits/memory_bench", "limits/memory"), 4, 1),
           Step("limits/direct", lambda b: {"limits/direct": direct(b)}, around, repetitions),
           Step("limits/relay", lambda b: {"limits/relay": relay(b)}, around, repetitions)]
    if scale.name == "smoke":
        return out
    points = {f"connections={n}": spread_over_accounts(n) for n in scale.connections if n < 10_000}
    points |= {f"window={n}": {"window": n} for n in scale.windows}
    for label, options in points.items():
        name = f"limits/relay/{label}"
        out.append(Step(name, lambda b, n=name, o=options: {n: relay(b, o)}, around, scale.repetitions))
    if bench.router_cpu != bench.load_cpu:
        out.append(Step("limits/testpmd", lambda b: {"limits/testpmd": testpmd(b)}, scale.testpmd_seconds + 8,
                        1 if scale.name == "quick" else 3))
    return out
