"""Which measurements there are: each a Step with its name, its cost in time and its limits."""

import dataclasses
import typing


@dataclasses.dataclass
class Step:
    """One measurement. `measure(bench)` makes one repetition and gives {name: values} or {name: [values, ...]}."""

    name: str  # section/what/parameter=value: what --only selects by
    measure: typing.Callable
    seconds: float  # a guess for one repetition, for the progress line
    repetitions: int = 1
    limits: tuple = ()  # names of measurements: (name, key here, key there)

    @property
    def section(self):
        return self.name.split("/", 1)[0]


@dataclasses.dataclass
class Scale:
    """How much is measured: points of each series, length and number of runs."""

    name: str
    seconds: float  # measured in one run of smppload
    warmup: float
    repetitions: int
    headline_repetitions: int
    micro_seconds: float  # Google Benchmark's min_time
    micro_filter: str  # by the benchmark programs' own names: the large ones only in the full run
    connections: tuple
    windows: tuple
    text_octets: tuple
    routes: tuple
    expressions: tuple
    shares: tuple  # of receipts and of re-routes
    records: tuple  # formats of [records]
    loads: tuple  # percent of the maximum
    goal_rate: int  # messages/s over DPDK at which latency has a goal
    many: int  # connections at once
    many_windows: tuple  # messages in flight of each
    peers: tuple
    testpmd_seconds: int


PEERS = ("switchyard", "relay", "node-smpp", "net-smpp", "kannel-http", "kannel-batch")
SCALES = {
    "smoke": Scale("smoke", 0.1, 0.0, 1, 1, 0.001, "smoke", (4,), (), (), (), (20,), (), (), (50,), 0, 0, (), (), 0),
    "quick": Scale("quick", 0.5, 0.2, 1, 3, 0.01, "quick", (1, 1000), (1, 1000), (32,), (10, 100_000), (0, 1000),
                   (0.5,), ("off", "json"), (50, 90), 0, 10_000, (1,), PEERS, 2),
    "full": Scale("full", 1.0, 0.5, 3, 5, 0.05, "full", (1, 10, 100, 1000, 10_000), (1, 10, 100, 1000),
                  (32, 60, 150), (10, 1000, 100_000, 1_000_000, 10_000_000), (0, 10, 100, 1000, 10_000), (0.1, 0.5, 1),
                  ("off", "json", "csv"), (10, 25, 50, 75, 90, 100), 1_000_000, 10_000, (1, 10), PEERS, 5),
}


def steps(bench):
    from . import instructions, limits, load, micro, peers, store  # they take Step from here
    out = []
    for part in (limits, micro, load, store, instructions, peers):
        out += part.steps(bench)
    return out


def chosen(all_steps, only):
    """The steps that a word of `only` names: a section, or the beginning of a step's name."""
    if not only:
        return all_steps
    for word in only:
        if not any(matches(step.name, word) for step in all_steps):
            raise ValueError(f"--only {word}: no such measurement; --list prints them")
    return [step for step in all_steps if any(matches(step.name, word) for word in only)]


def matches(name, word):
    return name == word or name.startswith(word.rstrip("/") + "/")


def interleaved(some_steps):
    """(repetition, step) in the order of running: a section's steps in turn, again and again, so that
    what disturbs the machine for a while disturbs all of them alike."""
    out, at = [], 0
    while at < len(some_steps):
        section = some_steps[at].section
        group = []
        while at < len(some_steps) and some_steps[at].section == section:
            group.append(some_steps[at])
            at += 1
        for repetition in range(max(step.repetitions for step in group)):
            out += [(repetition, step) for step in group if repetition < step.repetitions]
    return out
