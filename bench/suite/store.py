"""What it costs that nothing is lost: durable receipts, store and forward, beside the disk's own fsync."""

import os
import pathlib
import tempfile
import time

from .estimates import median
from .load import AROUND_S, BASE, once
from .plan import Step
from .programs import RouterSetup, load_values

STORE = (("store", 'path = "store"'),)
MODES = {
    # name: (keys of the configuration, share of messages that ask for a receipt)
    "forward/store=off": ((), 1),
    "forward/store=commit": (STORE, 1),
    "forward/store=interval": ((("store", 'path = "store"\nsync = "interval"'),), 1),
    "plain/store=off": ((), 0),
    "stored/store=commit": ((*STORE, ("[customer]", 'mode = "store-and-forward"')), 0),
    "stored/store=interval": ((("store", 'path = "store"\nsync = "interval"'),
                               ("[customer]", 'mode = "store-and-forward"')), 0),
}
# Each against what it does without a store.
AGAINST = {"forward": "store/forward/store=off", "stored": "store/plain/store=off"}
# Below what every mode keeps up with, so that latencies tell the disk and not a queue.
LATENCY_RATE = 10_000
FSYNC_OCTETS = 4096


def stored(bench, keys):
    """Through the store to the suppliers: until the last one has arrived, not until the last OK."""
    scale = bench.scale
    with RouterSetup(bench, BASE, "kernel", keys) as setup:
        figures = setup.load({"duration": f"{scale.seconds}s", "warmup": "0s", "start-timeout": "120s"}).figures(
            scale.seconds + 240)
        values = load_values(figures)
        values["memory"] = setup.router.memory_kib("VmHWM") / 1024
    messages = figures["rate_overall"] * figures["seconds"]
    return values | {"rate": messages / (figures["seconds"] + figures["drain_seconds"]),
                     "taken": figures["rate_overall"]}


def fsync(bench):
    """Appends of one page, each made to last, where the routers' stores stand."""
    took = []
    with tempfile.TemporaryDirectory(prefix="sybench.") as directory:
        with open(pathlib.Path(directory, "file"), "wb", buffering=0) as file:
            end = time.monotonic() + bench.scale.seconds
            while time.monotonic() < end:
                begun = time.monotonic()
                file.write(bytes(FSYNC_OCTETS))
                os.fdatasync(file.fileno())
                took.append((time.monotonic() - begun) * 1e6)
    took.sort()
    return {"rate": len(took) / (sum(took) / 1e6), "p50": median(took), "p90": took[int(0.9 * len(took))],
            "p99": took[int(0.99 * len(took))]}


def steps(bench):
    scale = bench.scale
    if scale.name == "smoke":
        return []
    around = AROUND_S + scale.seconds + scale.warmup
    name = "limits/fsync"
    out = [Step(name, lambda b: {"limits/fsync": fsync(b)}, scale.seconds, scale.repetitions)]
    for mode, (keys, receipts) in MODES.items():
        kind = mode.split("/")[0]
        against = AGAINST.get(kind)
        limits = ((against, "rate", "rate"),) if against and f"store/{mode}" != against else ()
        name = f"store/{mode}"
        out.append(Step(name, lambda b, n=name, k=keys, r=receipts: {
            n: stored(b, k) if n.startswith("store/stored") else once(b, {}, "kernel", {"receipts": r}, k)},
                        around + 2, scale.repetitions, limits))
    for mode, (keys, receipts) in MODES.items():
        name = f"store/latency/{mode}"
        out.append(Step(name, lambda b, n=name, k=keys, r=receipts: {
            n: once(b, {}, "kernel", {"receipts": r, "rate": LATENCY_RATE}, k)}, around, scale.repetitions))
    return out
