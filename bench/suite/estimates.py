"""What several repetitions of one measurement say, and how sure they are of it."""

import random

# Fixed: the same samples give the same interval.
SEED = 1
RESAMPLES = 2000


def percentile(values, percent):
    """Between the two nearest ranks in proportion; 0 is the smallest and 100 the largest value."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    rank = (len(ordered) - 1) * percent / 100
    below = int(rank)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (rank - below)


def median(values):
    return percentile(values, 50)


def spread(values):
    """(largest - smallest) / median: of a few repetitions this says more than a deviation."""
    middle = median(values)
    return (max(values) - min(values)) / middle if middle else 0.0


def ratio_interval(before, after, confidence=0.95):
    """median(after) / median(before) and the bounds of its bootstrap interval.

    Repetition i of both ran next to each other (A B A B), so pairs are drawn where there are as many
    of one as of the other: what slowed both falls out. Otherwise each side is drawn for itself.
    """
    if min(before) <= 0:
        raise ValueError("a ratio needs positive values")
    source = random.Random(SEED)
    paired = len(before) == len(after)
    ratios = []
    for _ in range(RESAMPLES):
        drawn = source.choices(range(len(before)), k=len(before))
        other = drawn if paired else source.choices(range(len(after)), k=len(after))
        ratios.append(median([after[i] for i in other]) / median([before[i] for i in drawn]))
    edge = (1 - confidence) / 2 * 100
    return median(after) / median(before), percentile(ratios, edge), percentile(ratios, 100 - edge)
