"""Instructions a message, by stage: two runs of the router under callgrind, whose difference is messages alone.

Not over DPDK: a worker spins there while it waits for the generator, and its waiting is counted with its work.
"""

import pathlib
import re
import tempfile

from .load import BASE
from .plan import Step
from .programs import Failed, RouterSetup, run

# Of one run and of the other; what start, binds and end cost is in both.
MESSAGES = (4_000, 44_000)
# By the folder that a function is written in. The router is optimised as a whole: what the compiler has put into a
# caller of another folder counts there.
STAGES = {
    "kernel": "sockets", "daemon": "turns", "engine": "engine", "smpp": "smpp", "number": "numbers", "text": "text",
    "match": "expressions", "route": "routing", "queue": "rings"}
LINE = re.compile(r"^\s*([\d,]+) \([ \d.]+%\)\s+(.*)$")
OWN = re.compile(r"sy::(\w+)::")


def without_templates(text):
    """`a<b<c>>::d(e)` to `a::d(e)`: the folder of what a template is made of is not the function's."""
    out, depth = [], 0
    for at, character in enumerate(text):
        if character == "<":
            depth += 1
        elif character == ">" and text[at - 1] != "-":
            depth -= 1
        elif depth == 0:
            out.append(character)
    return "".join(out)


def stage_of(function):
    """`file:function [object]` as callgrind_annotate writes it."""
    if "/libhs" in function:
        return "expressions"
    name = without_templates(function).replace("(anonymous namespace)", "").split(" [")[0].split("(")[0]
    # Behind a return type, which may be ours too.
    found = OWN.findall(name)
    return STAGES.get(found[-1], "rest") if found else "rest"


def by_stage(text):
    """{stage: instructions} of what callgrind_annotate printed."""
    out = dict.fromkeys([*STAGES.values(), "rest"], 0)
    for line in text.splitlines():
        found = LINE.match(line)
        if found and "PROGRAM TOTALS" not in line:
            out[stage_of(found.group(2))] += int(found.group(1).replace(",", ""))
    return out


def counted(bench, messages):
    with tempfile.TemporaryDirectory(prefix="sybench.") as folder:
        out, wrapper = pathlib.Path(folder, "callgrind.out"), pathlib.Path(folder, "router")
        wrapper.write_text(f'#!/bin/sh\nexec valgrind --tool=callgrind --callgrind-out-file={out} '
                           f'{bench.build.switchyard} "$@"\n')
        wrapper.chmod(0o755)
        with RouterSetup(bench, BASE, router=wrapper) as setup:
            setup.load({"messages": messages, "warmup": "0s", "start-timeout": "120s"}).figures(300)
        return by_stage(run(["callgrind_annotate", "--threshold=100", out], 120))


def instructions(bench):
    few, many = (counted(bench, messages) for messages in MESSAGES)
    each = {stage: (many[stage] - few[stage]) / (MESSAGES[1] - MESSAGES[0]) for stage in few}
    if sum(each.values()) <= 0 or each["engine"] <= 0:
        raise Failed(f"callgrind counted {each}")
    # Less than none is what two starts differ by.
    out = {f"instructions/{stage}": {"instructions": max(value, 0)} for stage, value in each.items()}
    return {"instructions/all": {"instructions": sum(each.values())}} | out


def steps(bench):
    if bench.scale.name != "full":
        return []  # some 15 s for what seldom changes
    for stage in ("all", *STAGES.values(), "rest"):
        bench.commands[f"instructions/{stage}"] = "scripts/bench --only instructions"
    return [Step("instructions", instructions, 20, 1)]
