"""Two reports, or two builds, beside each other: ratios with their intervals."""

from .book import VALUES
from .estimates import ratio_interval

KEYS = ("rate", "ns", "p50", "p99", "cpu", "memory_a_connection")


def ratios(old, new, keys=KEYS):
    """[(measurement, value, ratio, low, high, verdict)] of what both have."""
    out = []
    for name in new.measurements:
        for key in keys:
            before, after = old.samples(name, key), new.samples(name, key)
            if not before or not after or min(before) <= 0:
                continue
            ratio, low, high = ratio_interval(before, after)
            out.append((name, key, ratio, low, high, verdict(key, low, high, min(len(before), len(after)))))
    return out


def verdict(key, low, high, repetitions):
    if repetitions < 3:
        return "too few repetitions"
    if low <= 1 <= high:
        return "no difference shown"
    better = (low > 1) == VALUES[key][1]
    return "better" if better else "worse"


def lines(old, new, keys=KEYS):
    yield f"old: {old.head['commit']} of {old.head['begun']}; new: {new.head['commit']} of {new.head['begun']}"
    for key in ("processor", "compiler", "kernel"):
        if old.head[key] != new.head[key]:
            yield f"not the same {key}: {old.head[key]} / {new.head[key]}"
    for book, which in ((old, "old"), (new, "new")):
        if book.failures:
            yield f"the {which} one FAILED {len(book.failures)} checks"
    yield f"{'new / old, median and 95 % interval':60} {'value':8}"
    for name, key, ratio, low, high, said in ratios(old, new, keys):
        yield f"{name:60} {key:8} {ratio:6.3f}  [{low:.3f}, {high:.3f}]  {said}"
