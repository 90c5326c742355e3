"""The figures of one run: kept while it runs, written as JSON, read again for a comparison."""

import json

from .estimates import median, spread

# Of each value: what it is, its unit, and whether more of it is better.
VALUES = {
    "rate": ("messages or items/s", True),
    "ns": ("ns an item", False),
    "p50": ("us", False), "p90": ("us", False), "p99": ("us", False), "p999": ("us", False), "p9999": ("us", False),
    "p99_interval": ("us, median of the p99 of each 0.1 s", False),
    "receipt_p50": ("us", False), "receipt_p99": ("us", False),
    "cpu": ("us of the router's CPU a message", False),
    "instructions": ("instructions a message", False),
    "taken": ("messages/s", True),
    "records_lost": ("share of all", False),
    "generator_cpu": ("us of smppload's CPU a message", False),
    "generator_busy": ("share of smppload's time", False),
    "memory": ("MiB resident at the peak", False),
    "memory_a_connection": ("KiB resident", False),
    "cpu_share": ("of one CPU", False),
    "enquire_links": ("PDUs/s", True),
    "wanted": ("messages/s by schedule", True),
}


class Book:
    def __init__(self, head):
        self.head = head
        self.measurements = {}
        self.failures = []
        self.skipped = []

    def add(self, name, values, command, limits, noise=None):
        """One repetition's values."""
        for key, value in values.items():
            if key not in VALUES:
                raise ValueError(f"{name}: unknown value {key}")
            if not value >= 0:
                raise ValueError(f"{name}: {key} is {value}")
        entry = self.measurements.setdefault(
            name, {"command": command, "limits": [list(x) for x in limits], "samples": [], "noise": []})
        entry["samples"].append(values)
        if noise is not None:
            entry["noise"].append(noise)

    def fail(self, name, text, command):
        self.failures.append({"name": name, "what": text, "command": command})

    def skip(self, name, why):
        self.skipped.append({"name": name, "why": why})

    def samples(self, name, key):
        entry = self.measurements.get(name, {"samples": []})
        return [sample[key] for sample in entry["samples"] if key in sample]

    def median(self, name, key):
        values = self.samples(name, key)
        return median(values) if values else None

    def spread(self, name, key):
        return spread(self.samples(name, key))

    def shares(self, name):
        """[(limit, share)]: of 1.0 nothing is left to gain. Only where the limit was measured too."""
        out = []
        for limit, key, limit_key in self.measurements[name]["limits"]:
            own, there = self.median(name, key), self.median(limit, limit_key)
            if own and there:
                out.append((limit, own / there if VALUES[key][1] else there / own))
        return out

    def as_json(self):
        return json.dumps({"head": self.head, "units": {key: unit for key, (unit, _) in VALUES.items()},
                           "measurements": self.measurements, "failures": self.failures, "skipped": self.skipped},
                          indent=1)

    @classmethod
    def read(cls, path):
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        out = cls(content["head"])
        out.measurements, out.failures = content["measurements"], content["failures"]
        out.skipped = content["skipped"]
        return out
