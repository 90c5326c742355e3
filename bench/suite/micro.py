"""The micro-benchmarks of bench/*.cc (Google Benchmark): one step a program, one measurement a benchmark."""

import json
import re
import shlex

from .plan import Step
from .programs import Failed, run

# Program: filters of the smoke, quick and full run (None: not in it), seconds of the quick and the full run.
PROGRAMS = {
    "smpp_bench": ("decode", ".", ".", 3, 12),
    "text_bench": (None, ".", ".", 1, 4),
    "queue_bench": ("cores=1/bulk=32", "bulk=32|published|shared_ptr", ".", 3, 15),
    "engine_bench": (None, "=10k", "=(10k|1m|10m)", 1, 45),
    "route_bench": (None, "scan_percent/(0|100)$|prefix_find", ".", 4, 15),
    "rule_bench": (None, "decide/.*=1k/", "decide/.*=(1k|100k)/", 3, 20),
    "prefix_bench": (None, "=10k", "=(10k|1m)", 4, 40),
    "decision_bench": (None, None, "=10k", 0, 40),
    "match_bench": (None, None, "(=100|=1k)(/|$)", 0, 40),
    "tcpip_bench": (None, "stage", ".", 1, 8),
    "tcpip_stack_bench": (None, "connections/(1|100)$", ".", 3, 15),
    "kernel_bench": (None, ".", ".", 2, 4),
    "store_bench": (None, "commit/open=1k", ".", 3, 15),
}
REPETITIONS = 3
# What the same machine needs at least for such work: pattern of the benchmark, limit.
LIMITS = (
    (r"smpp/(decode|encode|frame)|text/to_utf8", "limits/memory/memcpy/octets:165"),
    (r"route/prefix_find", "limits/memory/dependent/mib:32"),
    (r"tcpip/stage", "limits/memory/memcpy/octets:200"),
)
NS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}


def limit_of(name):
    return tuple((limit, "ns", "ns") for pattern, limit in LIMITS if re.match(pattern, name))


def filter_of(bench, program):
    smoke, quick, full = PROGRAMS.get(program, (".", ".", "."))[:3]
    return {"smoke": smoke, "quick": quick, "full": full}[bench.scale.micro_filter]


def command(bench, program, wanted):
    path = bench.build.bench(program)
    return [path, f"--benchmark_filter={wanted}", f"--benchmark_min_time={bench.scale.micro_seconds}",
            f"--benchmark_repetitions={REPETITIONS}", "--benchmark_format=json"]


def values_of(one):
    """ns an item where the benchmark counts items, else ns an iteration; counters as they are."""
    if "items_per_second" in one:
        return {"ns": 1e9 / one["items_per_second"], "rate": one["items_per_second"]}
    key = "real_time" if "real_time" in one["name"].split("/") else "cpu_time"
    return {"ns": one[key] * NS[one["time_unit"]]}


def run_program(bench, program, prefix):
    output = run(command(bench, program, filter_of(bench, program)), 900)
    out = {}
    for one in json.loads(output[output.index("{"):])["benchmarks"]:
        if one.get("error_occurred"):
            raise Failed(f"{program}: {one['name']}: {one.get('error_message', 'failed')}")
        if one["run_type"] == "iteration":
            name = one["run_name"]
            out.setdefault(f"{prefix}/{name.removeprefix('memory/')}", []).append(values_of(one))
            shown = f"{shlex.quote('^' + re.escape(name) + '$')}"
            bench.commands[f"{prefix}/{name.removeprefix('memory/')}"] = (
                f"build/release/bench/{program} --benchmark_filter={shown} "
                f"--benchmark_min_time={bench.scale.micro_seconds} --benchmark_repetitions={REPETITIONS}")
    if not out:
        raise Failed(f"{program}: its filter picked nothing")
    return out


def steps(bench):
    at = 3 if bench.scale.name != "full" else 4
    out = []
    for program, settings in PROGRAMS.items():
        if filter_of(bench, program) is not None:
            out.append(Step(f"micro/{program}", lambda b, p=program: run_program(b, p, "micro"), settings[at]))
    return out
