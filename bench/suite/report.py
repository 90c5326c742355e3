"""report.md and its plots from a Book."""

from .estimates import median
from .plot import plot

SECTIONS = {
    "base": ("Throughput", "Closed loop, 8 connections with window 200, 10,000 prefixes, 100 expressions, a tenth of "
             "the messages scanned, 165 octets a submit_sm, 4 suppliers, one worker."),
    "connections": ("Throughput against connections", "1,600 messages in flight over all connections, at least one "
                    "each. The limit is the relay with as many connections."),
    "window": ("Throughput against window", "8 connections. The limit is the relay with the same window."),
    "workers": ("Throughput against workers", "With two CPUs the second worker shares its CPU with smppload."),
    "size": ("Throughput against PDU size", "Octets of text; the base has 112."),
    "routes": ("Throughput against routes", "Prefixes of mt.csv."),
    "expressions": ("Throughput against expressions", "Every prefix has a row with an expression, so every message "
                    "is scanned."),
    "records": ("Records", "The closed loop with [records] off, as JSON and as CSV, on this machine's disk; the record "
                "thread shares its CPU with smppload where there are two CPUs. Router CPU is all of the process, by all "
                "messages."),
    "receipts": ("Share of receipts", "100,000 messages/s by schedule: in a closed loop receipts fall behind."),
    "reroutes": ("Share of re-routes", "The supplier refuses that share with RMSGQFUL; every rule has a second one."),
    "store": ("Durability", "forward: every message asks for a receipt, whose way back is on disk before the customer "
              "is answered. stored: store and forward, answered when on disk, "
              "counted until suppliers have all; plain: the same without. latency: at "
              "10,000 messages/s by schedule, beside the disk's own fsync (Limits)."),
    "latency": ("Latency against load", "Open loop, latency counted from the instant at which a message was due "
                "(so a stall hides nothing), in percent of the closed loop's rate in this report."),
    "goal": ("Latency at the goal's rate", "A million prefixes, 100 expressions, a tenth of the messages scanned, over "
             "DPDK, by schedule. floor: what a message waits while one of the two CPUs is away, where both are busy half of "
             "the time, by threads that do nothing but read the clock, before and after each run."),
    "many": ("10,000 connections on one worker", "idle: nothing but enquire_link every 2 s, each answered (a check). "
             "beside: the closed loop over 8 connections, while so many others are bound, each asked for enquire_link "
             "every 2 s (none may end, each answers). busy: all submit, each with so many messages in flight; the share is that of the closed loop over 8 connections."),
    "instructions": ("Instructions a message", "callgrind, kernel sockets, the closed loop's messages, responses "
                     "included, by the folder that a function is written in (what the compiler puts into a caller of "
                     "another folder counts there): the difference of two runs by the difference of their messages."),
    "peers": ("Peers", "The same messages and generator, 4 connections with window 100, one supplier, 1,000 prefixes; "
              "node-smpp and Net::SMPP are minimal routers: no rules, no windows, no receipts. Kannel (bearerbox and "
              "smsbox on one CPU, in memory alone) is one supplier's worth of the same links, but its customers come by "
              "HTTP (kannel-http: 64 kept connections) or by its own batch client past HTTP (kannel-batch), it has one "
              "route, and says \"accepted\" before a supplier has the message: no latency stands beside its rate."),
    "limits": ("Limits", "The same machine without the router: generator straight to suppliers, octets through a "
               "relay, frames through the same DPDK device, memory."),
    "micro": ("Parts", "Google Benchmark, one core unless named; each checks its results."),
}
COLUMNS = ("rate", "instructions", "taken", "records_lost", "ns", "wanted", "p50", "p90", "p99", "p999", "p9999", "p99_interval", "receipt_p50", "receipt_p99", "cpu", "generator_busy",
           "memory", "memory_a_connection", "cpu_share", "enquire_links")
TITLES = {"rate": "per s", "instructions": "instructions", "taken": "taken per s", "records_lost": "records lost", "ns": "ns", "wanted": "due per s", "p50": "p50 us", "p90": "p90 us", "p99": "p99 us",
          "p999": "p99.9 us", "p9999": "p99.99 us", "p99_interval": "p99 us, median 0.1 s", "receipt_p50": "receipt p50 us", "receipt_p99": "receipt p99 us",
          "cpu": "router CPU us", "generator_busy": "smppload busy", "memory": "MiB",
          "memory_a_connection": "KiB a connection", "cpu_share": "CPUs", "enquire_links": "PDUs/s"}
# Series that are drawn: x axis, whether it is logarithmic.
SERIES = {"connections": ("connections", True), "window": ("window", True), "size": ("octets of text", False),
          "routes": ("prefixes", True), "expressions": ("expressions + 1", True), "receipts": ("share", False),
          "reroutes": ("share", False)}


def shown(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(book, names):
    columns = [key for key in COLUMNS if any(book.samples(name, key) for name in names)]
    lines = ["| | " + " | ".join(TITLES[key] for key in columns) + " | spread | share of its limit | noise | again by |",
             "|---" * (len(columns) + 5) + "|"]
    for name in names:
        cells = [shown(book.median(name, key)) if book.samples(name, key) else "" for key in columns]
        entry = book.measurements[name]
        first = next(key for key in columns if book.samples(name, key))
        count = len(entry["samples"])
        spread = f"{book.spread(name, first):.0%} of {count}" if count > 1 else "1 run"
        shares = ", ".join(f"{share:.0%} of {limit.removeprefix('limits/')}" for limit, share in book.shares(name))
        lines.append(f"| {name.split('/', 1)[1] if '/' in name else name} | {' | '.join(cells)} | {spread} | {shares} "
                     f"| {noise_of(entry)} | `{entry['command']}` |")
    return lines


def noise_of(entry):
    if not entry["noise"]:
        return ""
    line = max(max(n["line_ns_before"], n["line_ns_after"]) for n in entry["noise"])
    other = median([n["other_cpus"] for n in entry["noise"]])
    steal = max(n["steal_cpus"] for n in entry["noise"])
    return f"{line:.0f} ns, {other:.1f} CPUs" + (f", steal {steal:.2f}" if steal >= 0.01 else "")


def head(book):
    lines = ["# Benchmark report", ""]
    if book.failures:
        lines += [f"**FAILED: {len(book.failures)} checks did not hold; the figures beside them are not to be used.**", ""]
        for failure in book.failures:
            lines += [f"- **{failure['name']}**, again by `{failure['command']}`:", "", "```", failure["what"], "```", ""]
    lines += [f"`{book.head['invocation']}`, {book.head['begun']}, {book.head['took_s']:.0f} s, commit "
              f"`{book.head['commit']}`.", "", "| | |", "|---|---|"]
    for key in ("processor", "cpus", "caches of a CPU", "memory", "huge pages free", "system", "kernel", "compiler",
                "pinning"):
        lines.append(f"| {key} | {book.head[key]} |")
    lines.append("| packages | " + ", ".join(f"{k} {v}" for k, v in book.head["packages"].items()) + " |")
    noise = [n for entry in book.measurements.values() for n in entry["noise"]]
    if noise:
        def range_of(key, unit):
            values = [n[key] for n in noise]
            return f"{min(values):.3g} to {max(values):.3g}{unit} (median {median(values):.3g})"
        lines += [f"| cache line between the two CPUs, one way | {range_of('line_ns_after', ' ns')} |",
                  f"| load average | {range_of('load_average', '')} |",
                  f"| CPUs that others used meanwhile | {range_of('other_cpus', '')} |",
                  f"| CPUs stolen by the host | {range_of('steal_cpus', '')} |"]
    lines += ["", "Medians; \"spread\" is (largest - smallest) / median of so many repetitions, which ran in turn with the "
              "others of their section. \"Noise\": the slower cache line between the two CPUs before and after, the CPUs "
              "that others used. \"p99 us, median 0.1 s\": the median of the p99 of each tenth of a second, most of which "
              "no other process or the host disturbed. A share near 100 % of `direct` means that smppload was the limit. Every message, "
              "response and receipt was checked, and every repetition's books balanced"
              + (" **but where it says FAILED above**." if book.failures else "."), ""]
    return lines


def number_of(name):
    return float(name.rsplit("=", 1)[1])


def plots(book):
    """{file name: SVG}"""
    out = {}
    for section, (label, logarithmic) in SERIES.items():
        curves = {}
        for name in book.measurements:
            if name.startswith(f"{section}/"):
                transport = name.split("/")[1]
                x = number_of(name) + (1 if section == "expressions" else 0)
                key = "cpu" if section == "receipts" else "rate"
                if book.samples(name, key):
                    curves.setdefault(transport, []).append((x, book.median(name, key)))
                for limit, _, _ in book.measurements[name]["limits"]:
                    if limit.startswith("limits/relay/") and book.median(limit, "rate") and key == "rate":
                        points = curves.setdefault("limit: relay", [])
                        points += [(x, book.median(limit, "rate"))]
        if curves:
            unit = "router CPU us a message" if section == "receipts" else "messages/s"
            out[f"{section}.svg"] = plot(SECTIONS[section][0], (label, unit), curves, log_x=logarithmic)
    curves = {}
    for name in book.measurements:
        if name.startswith("latency/"):
            for key in ("p50", "p99"):
                curves.setdefault(f"{name.split('/')[1]} {TITLES[key][:-3]}", []).append(
                    (number_of(name), book.median(name, key)))
    if curves:
        out["latency.svg"] = plot("Latency against load", ("% of the maximum", "us"), curves, log_y=True)
    return out


def markdown(book, drawn):
    lines = head(book)
    for section, (title, text) in SECTIONS.items():
        names = [name for name in book.measurements if name.split("/", 1)[0] == section]
        missing = [skip for skip in book.skipped if skip["name"].split("/", 1)[0] == section]
        if not names and not missing:
            continue
        lines += [f"## {title}", "", text, ""]
        lines += table(book, names) if names else []
        if f"{section}.svg" in drawn:
            lines += ["", f"![{title}]({section}.svg)"]
        for skip in missing:
            lines += ["", f"Not measured: {skip['name']}: {skip['why']}"]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def write(book, directory):
    directory.mkdir(parents=True, exist_ok=True)
    drawn = plots(book)
    for old in directory.glob("*.svg"):
        if old.name not in drawn:
            old.unlink()
    for name, svg in drawn.items():
        (directory / name).write_text(svg, encoding="utf-8")
    (directory / "report.json").write_text(book.as_json() + "\n", encoding="utf-8")
    (directory / "report.md").write_text(markdown(book, drawn), encoding="utf-8")
