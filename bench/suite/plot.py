"""Small line plots as SVG, written by hand: text that a review can read, without a plotting library."""

import html
import math

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 80, 150, 36, 50
COLOURS = ("#1f6fb4", "#d1600a", "#3a8f3a", "#8a4fb0", "#777777")


def nice(value):
    """1234567 -> 1.23M."""
    for bound, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= bound:
            return f"{value / bound:.3g}{letter}"
    return f"{value:.3g}"


def scaled(value, low, high, logarithmic):
    if logarithmic:
        value, low, high = (math.log10(max(x, 1e-12)) for x in (value, low, high))
    return 0.5 if high == low else (value - low) / (high - low)


def ticks(low, high, logarithmic):
    if logarithmic:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        return [10.0 ** p for p in powers if low <= 10.0 ** p <= high] or [low, high]
    return [low + (high - low) * i / 4 for i in range(5)]


def axis(low, high, logarithmic, vertical):
    out = []
    for value in ticks(low, high, logarithmic):
        share = scaled(value, low, high, logarithmic)
        if vertical:
            y = HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
            out.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#ddd"/>'
                       f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{nice(value)}</text>')
        else:
            x = LEFT + share * (WIDTH - LEFT - RIGHT)
            out.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#eee"/>'
                       f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{nice(value)}</text>')
    return out


def curve(points, bounds, logs, colour):
    at = []
    for x, y in sorted(points):
        at.append((LEFT + scaled(x, *bounds[0], logs[0]) * (WIDTH - LEFT - RIGHT),
                   HEIGHT - BOTTOM - scaled(y, *bounds[1], logs[1]) * (HEIGHT - TOP - BOTTOM)))
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in at)
    return f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}'


def plot(title, labels, curves, log_x=False, log_y=False):
    """The SVG of {name: [(x, y)]}; labels: (of x, of y). A logarithmic axis leaves out what is not positive."""
    kept = {name: [(x, y) for x, y in points if (x > 0 or not log_x) and (y > 0 or not log_y)]
            for name, points in curves.items()}
    kept = {name: points for name, points in kept.items() if points}
    xs = [x for points in kept.values() for x, _ in points]
    ys = [y for points in kept.values() for _, y in points]
    if not xs:
        raise ValueError(f"nothing to plot of {title}")
    bounds = ((min(xs), max(xs)), (min(ys) if log_y else 0.0, max(ys)))
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
           f'font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<text x="{LEFT}" y="20" font-size="14" font-weight="bold">{html.escape(title)}</text>',
           f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">'
           f'{html.escape(labels[0])}</text>',
           f'<text transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">'
           f'{html.escape(labels[1])}</text>']
    out += axis(*bounds[0], log_x, False) + axis(*bounds[1], log_y, True)
    for index, (name, points) in enumerate(kept.items()):
        colour = COLOURS[index % len(COLOURS)]
        y = TOP + 14 + 18 * index
        out.append(curve(points, bounds, (log_x, log_y), colour))
        out.append(f'<text x="{WIDTH - RIGHT + 10}" y="{y}" fill="{colour}">{html.escape(name)}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"
