"""What it costs that nothing is lost: durable receipts, store and forward, beside the disk's own fsync."""

import os
import pathlib
import tempfile
import time

from .estimates import median
from .load import AROUND_S, once
from .plan import Step
from .programs import load_values

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
STORED_LOADS = 4  # times the length of the others


def stored_values(figures):
    """Through the store to the suppliers: until the last one has arrived, not until the last OK."""
    seconds = figures["seconds"]
    return load_values(figures) | {
        "rate": figures["rate_overall"] * seconds / (seconds + figures["drain_seconds"]),
        "taken": figures["rate_overall"]}


def closed_loop(bench, mode):
    keys, receipts = MODES[mode]
    if mode.startswith("stored/"):
        # Without a warm-up, whose messages would still be on their way: long enough that its start weighs little.
        return once(bench, {}, "kernel", {"warmup": "0s", "duration": f"{STORED_LOADS * bench.scale.seconds}s"}, keys,
                    stored_values)
    return once(bench, {}, "kernel", {"receipts": receipts}, keys)


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
    modes = {mode: how for mode, how in MODES.items() if scale.name == "full" or not mode.endswith("interval")}
    for mode in modes:
        against = AGAINST.get(mode.split("/")[0])
        limits = ((against, "rate", "rate"),) if against and f"store/{mode}" != against else ()
        name = f"store/{mode}"
        out.append(Step(name, lambda b, n=name, m=mode: {n: closed_loop(b, m)}, around + 2, scale.repetitions, limits))
    for mode, (keys, receipts) in modes.items():
        name = f"store/latency/{mode}"
        out.append(Step(name, lambda b, n=name, k=keys, r=receipts: {
            n: once(b, {}, "kernel", {"receipts": r, "rate": LATENCY_RATE}, k)}, around, scale.repetitions))
    return out
