"""End to end with smppload: the same messages and tables over kernel sockets and over DPDK (memif)."""

import json
import pathlib
import re
import sys
import time
import urllib.request

from .plan import Step
from .programs import Failed, Process, RouterSetup, load_values, run

TRANSPORTS = ("kernel", "memif")
# What every series starts from and changes one thing of: 165 octets a submit_sm, a tenth of them scanned.
BASE = {"prefixes": 10_000, "expressions": 100, "expression-rows": 0.1, "suppliers": 4, "customers": 1,
        "binds": 8, "window": 200}
IN_FLIGHT = BASE["binds"] * BASE["window"]
# The router takes 1,000 binds an account.
BINDS_AN_ACCOUNT = 1000
# A step's own time beyond what it measures: two programs start, bind, drain and end.
AROUND_S = 1.4
STALL_SECONDS = 3
# What ended gives its memory back, and the kernel and the host take their time for it, on the CPUs that are measured.
SETTLE_SECONDS = 5
GOAL_FLOOR = "goal/floor"
MAXIMUM = {transport: f"base/{transport}" for transport in TRANSPORTS}


def spread_over_accounts(connections):
    customers = max(1, connections // BINDS_AN_ACCOUNT)
    return {"customers": customers, "binds": connections // customers,
            "window": max(1, IN_FLIGHT // connections)}


def once(bench, write, transport, options=None, keys=(), values_of=load_values, settle=0):
    """One run against a router that was started for it; `values_of` makes values of smppload's figures."""
    scale = bench.scale
    with RouterSetup(bench, {**BASE, **write}, transport, keys) as setup:
        time.sleep(settle)
        run = setup.load({"duration": f"{scale.seconds}s", "warmup": f"{scale.warmup}s",
                          "start-timeout": "120s", **(options or {})})
        values = values_of(run.figures(scale.seconds + 240))
        values["memory"] = setup.router.memory_kib("VmHWM") / 1024
    return values


def maximum(bench, transport):
    """Messages/s of the closed loop, measured now where this run has not done so yet."""
    name = MAXIMUM[transport]
    if not bench.book.samples(name, "rate"):
        bench.book.add(name, once(bench, {}, transport), bench.command(name), ())
    return bench.book.median(name, "rate")


def limits_of(transport, point=None):
    """The relay is the limit of kernel sockets, the generator's own ends that of both."""
    direct = ("limits/direct", "rate", "rate")
    if transport == "kernel":
        return ((f"limits/relay/{point}" if point else "limits/relay", "rate", "rate"), direct)
    return (("limits/testpmd", "rate", "rate"), direct)


def series(bench, name, points, transports=TRANSPORTS, seconds=0.0):
    """points: [(label, options to write, options of the run)]"""
    scale = bench.scale
    out = []
    for label, write, options in points:
        for transport in transports:
            out.append(Step(
                f"{name}/{transport}/{label}",
                lambda b, n=f"{name}/{transport}/{label}", w=write, o=options, t=transport: {n: once(b, w, t, o)},
                AROUND_S + scale.seconds + scale.warmup + seconds, scale.repetitions,
                limits_of(transport, label if name in ("connections", "window") else None)))
    return out


def latency(bench, transport, percent):
    rate = maximum(bench, transport) * percent / 100
    return once(bench, {}, transport, {"rate": f"{rate:.0f}", "duration": f"{max(bench.scale.seconds, 0.5) * 2}s"}) \
        | {"wanted": rate}


def metric(setup, name):
    with urllib.request.urlopen(f"http://{setup.admin}/metrics", timeout=10) as page:
        lines = re.findall(rf"^switchyard_{name}(?:{{[^}}]*}})? (\S+)$", page.read().decode(), re.MULTILINE)
    return sum(map(float, lines))


def idle_connections(bench, count):
    """Many sessions that say nothing but enquire_link: memory and CPU of each, and whether it is kept."""
    every_s, watched_s = 2, 4
    write = {**BASE, **spread_over_accounts(count)}
    with RouterSetup(bench, write, keys=[("smpp", f'enquire_link = "{every_s}s"')]) as setup:
        before = setup.router.memory_kib()
        run = setup.load({"rate": 1, "duration": "600s", "warmup": "0s", "start-timeout": "60s"})
        with run.process:
            wanted = count + BASE["suppliers"]
            run.process.wait_for(f"{wanted} connections are bound",
                                 lambda: metric(setup, "kernel_accepted_total") >= count, 60)
            time.sleep(every_s)  # the first round of enquire_link touches what it needs
            pdus, cpu, begun = metric(setup, "pdus_in_total"), setup.router.cpu_seconds(), time.monotonic()
            time.sleep(watched_s)
            took = time.monotonic() - begun
            pdus, cpu = metric(setup, "pdus_in_total") - pdus, setup.router.cpu_seconds() - cpu
            memory = setup.router.memory_kib() - before
            run.process.process.terminate()
            run.figures(60)
    # Both ends ask: at least the answers to the router's own must be there.
    due = wanted * took / every_s
    if pdus < 0.8 * due:
        raise Failed(f"{count} idle connections: {pdus:.0f} PDUs came in {took:.1f} s, expected {due:.0f} "
                     "answers to enquire_link")
    return {"memory_a_connection": memory / count, "cpu_share": cpu / took, "enquire_links": pdus / took}


def many(bench, count, window, transport):
    """Every connection submits, with `window` messages in flight each: queues that hold them all."""
    in_flight = 1 << (count * window).bit_length()
    keys = (("runtime", f"messages_max = {2 * in_flight}"), ("[supplier]", f"queue = {in_flight}"))
    return once(bench, {**spread_over_accounts(count), "window": window, "supplier-window": 4000}, transport,
                {"start-timeout": "60s", "duration": f"{2 * max(bench.scale.seconds, 1)}s"}, keys)


def beside(bench, count):
    """The closed loop over 8 connections, beside so many that are bound and say nothing but enquire_link_resp."""
    every_s = 2
    accounts = 1 + -(-count // BINDS_AN_ACCOUNT)
    write = {**BASE, "customers": accounts, "binds": BINDS_AN_ACCOUNT}
    with RouterSetup(bench, write, keys=[("smpp", f'enquire_link = "{every_s}s"')]) as setup:
        text = (setup.directory / "switchyard.toml").read_text()
        customers = re.findall(r'^\[\[customer\]\]\nname = .*\nsystem_id = "(.*)"\npassword = "(.*)"$', text, re.MULTILINE)
        listen = re.search(r'^listen = \["(.*)"\]$', text, re.MULTILINE).group(1)
        command = [sys.executable, pathlib.Path(__file__).with_name("bound.py"), listen, count,
                   *(":".join(customer) for customer in customers[1:])]
        with Process(command, setup.directory / "bound.log", bench.load_cpu) as bound:
            bound.wait_for(f"{count} are bound", lambda: "bound" in bound.log.read_text())
            begun = time.monotonic()
            run = setup.load({"customers": 1, "binds": BASE["binds"], "start-timeout": "60s",
                              "duration": f"{2 * max(bench.scale.seconds, 1)}s", "warmup": f"{2 * every_s}s"})
            values = load_values(run.figures(bench.scale.seconds + 240))
            took = time.monotonic() - begun
        if bound.status != 0:
            raise Failed(f"bound.py ended with status {bound.status}:\n{bound.tail()}")
        kept = json.loads(bound.log.read_text().splitlines()[-1])
    due = count * (took / every_s - 1)
    if kept["ended"] != 0 or kept["answered"] < 0.8 * due:
        raise Failed(f"of {count} bound connections {kept['ended']} ended; they answered {kept['answered']} "
                     f"enquire_links in {took:.1f} s, expected {due:.0f}")
    return values | {"enquire_links": kept["answered"] / took}


def stall(bench):
    """What a message waits because a CPU is not there, with CPUs that are busy half of the time."""
    cpus = {bench.router_cpu, bench.load_cpu}
    text = run([bench.build.bench("limits/stall"), STALL_SECONDS, *cpus], STALL_SECONDS + 30)
    found = re.search(r"^load 50: p50 (\S+) p90 (\S+) p99 (\S+) p99\.9 (\S+) p99\.99 (\S+) us$", text, re.MULTILINE)
    if not found:
        raise Failed(f"stall said: {text}")
    return dict(zip(("p50", "p90", "p99", "p999", "p9999"), map(float, found.groups())))


def goal(bench, name, rate):
    """Latency by schedule with a million prefixes over DPDK; the machine's own floor before and after."""
    time.sleep(SETTLE_SECONDS)
    before = stall(bench)
    values = once(bench, {"prefixes": 1_000_000}, "memif", {"rate": rate, "duration": f"{STALL_SECONDS}s"},
                  settle=SETTLE_SECONDS)
    time.sleep(SETTLE_SECONDS)
    return {GOAL_FLOOR: [before, stall(bench)], name: values | {"wanted": rate}}


def with_records(bench, form):
    """The same closed loop with a record of each message, all of which must be written, or said to be missing."""
    keys = () if form == "off" else [("records", f'path = "records"\nformat = "{form}"')]
    scale = bench.scale
    with RouterSetup(bench, BASE, keys=keys) as setup:
        run = setup.load({"duration": f"{scale.seconds}s", "warmup": f"{scale.warmup}s"})
        values = load_values(run.figures(scale.seconds + 240))
        if form != "off":
            values["records_lost"] = lost_share(setup)
        # The record thread goes on behind the traffic: all CPU time of the router, its start too, by all messages.
        values["cpu"] = setup.router.cpu_seconds() * 1e6 / metric(setup, "mt_in_total")
    return values


def lost_share(setup):
    """Of the records of all messages, when the last has been written."""
    wanted = metric(setup, "mt_in_total")
    deadline = time.monotonic() + 120
    while True:
        lost = metric(setup, "records_lost_total") + metric(setup, "records_dropped_total")
        written = metric(setup, "records_written_total")
        if written + lost == wanted and metric(setup, "records_held_octets") == 0:
            return lost / wanted
        if time.monotonic() > deadline:
            raise Failed(f"of {wanted:.0f} records {written:.0f} are written and {lost:.0f} said to be lost")
        time.sleep(0.05)


def with_workers(bench, count, transport):
    """The second worker shares its CPU with smppload where there are two CPUs."""
    cpus = ([bench.router_cpu, bench.load_cpu] if count == 2 else [bench.router_cpu])
    return once(bench, {"workers": ",".join(map(str, cpus))}, transport)


def steps(bench):
    scale = bench.scale
    around = AROUND_S + scale.seconds + scale.warmup
    out = [Step(MAXIMUM[t], lambda b, t=t: {MAXIMUM[t]: once(b, {}, t)}, around, scale.headline_repetitions,
                limits_of(t)) for t in TRANSPORTS]
    if scale.name == "smoke":
        return out
    out += series(bench, "connections", [
        (f"connections={n}", spread_over_accounts(n), {}) for n in scale.connections if n < 10_000])
    out += series(bench, "window", [(f"window={n}", {"window": n}, {}) for n in scale.windows])
    if bench.router_cpu != bench.load_cpu:
        out += [Step(f"workers/kernel/workers={n}",
                     lambda b, n=n: {f"workers/kernel/workers={n}": with_workers(b, n, "kernel")}, around,
                     scale.repetitions, limits_of("kernel")) for n in (1, 2)]
    out += series(bench, "size", [(f"text={n}", {"text-bytes": n}, {}) for n in scale.text_octets])
    out += series(bench, "routes", [(f"routes={n}", {"prefixes": n}, {}) for n in scale.routes if n < 1_000_000])
    large = [n for n in scale.routes if n >= 1_000_000]
    for step in series(bench, "routes", [(f"routes={n}", {"prefixes": n}, {}) for n in large], seconds=15):
        step.repetitions = 1
        out.append(step)
    out += [Step(f"records/kernel/records={form}",
                 lambda b, form=form: {f"records/kernel/records={form}": with_records(b, form)},
                 around + 2, max(scale.repetitions, 3), limits_of("kernel")) for form in scale.records]
    out += series(bench, "expressions", [
        (f"expressions={n}", {"expressions": n, "expression-rows": 1 if n else 0}, {}) for n in scale.expressions])
    out += series(bench, "receipts", [(f"share={n}", {}, {"receipts": n, "rate": 100_000}) for n in scale.shares])
    out += series(bench, "reroutes", [
        (f"share={n}", {"fallback": True}, {"error-mix": f"RMSGQFUL:{n}"}) for n in scale.shares if n < 1])
    for percent in scale.loads:
        for transport in TRANSPORTS:
            name = f"latency/{transport}/load={percent}"
            out.append(Step(name, lambda b, n=name, t=transport, p=percent: {n: latency(b, t, p)},
                            around + scale.seconds, min(scale.repetitions, 2), limits_of(transport)))
    if scale.goal_rate:
        name = f"goal/memif/rate={scale.goal_rate}"
        bench.commands[GOAL_FLOOR] = "scripts/bench --only goal"
        out.append(Step(name, lambda b, n=name: goal(b, n, scale.goal_rate), 20, scale.repetitions,
                        ((GOAL_FLOOR, "p99", "p99"),)))
    if scale.many:
        name = f"many/idle/connections={scale.many}"
        out.append(Step(name, lambda b, n=name: {n: idle_connections(b, scale.many)}, 11))
        if scale.name == "full":
            name = f"many/beside/connections={scale.many}"
            out.append(Step(name, lambda b, n=name: {n: beside(b, scale.many)}, 14, scale.repetitions,
                            ((MAXIMUM["kernel"], "rate", "rate"),)))
        for transport in TRANSPORTS:
            for window in scale.many_windows:
                name = f"many/busy/{transport}/connections={scale.many}/window={window}"
                out.append(Step(name, lambda b, n=name, t=transport, w=window: {n: many(b, scale.many, w, t)}, 8,
                                scale.repetitions, ((MAXIMUM[transport], "rate", "rate"),)))
    return out
