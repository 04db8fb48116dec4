"""A plot as SVG: lines over two logarithmic axes, each with its name at its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import ceil, floor, log10

from tests.pictures import FAMILIES

WIDTH, HEIGHT = 800, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 560, 50, 370
COLOURS = ("#2aa198", "#cb4b16", "#6c71c4", "#859900", "#d33682", "#268bd2")
LEAST = 0.1
"""What is less, and nothing itself, is drawn there: a logarithmic axis has no zero."""
NAME_GAP = 15


def plot(title: str, counts: Sequence[float], lines: Mapping[str, Sequence[float]]) -> str:
    """Return the picture of these lines, a value each for every one of the counts."""
    values = [max(value, LEAST) for line in lines.values() for value in line]
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    first, last = log10(counts[0]), log10(counts[-1])

    def x_of(count: float) -> float:
        return LEFT + (RIGHT - LEFT) * (log10(count) - first) / (last - first)

    def y_of(value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (log10(max(value, LEAST)) - low) / (high - low)

    drawn = [_text(LEFT, 28, title, "bold")]
    for power in range(low, high + 1):
        drawn.append(_rule(LEFT, y_of(10**power), RIGHT, y_of(10**power)))
        drawn.append(_text(LEFT - 8, y_of(10**power) + 4, f"{10.0**power:,.12g}", anchor="end"))
    for count in counts:
        drawn.append(_rule(x_of(count), TOP, x_of(count), BOTTOM))
        drawn.append(_text(x_of(count), BOTTOM + 20, f"{count:,.0f}", anchor="middle"))
    drawn.append(_text((LEFT + RIGHT) / 2, BOTTOM + 42, "keys", anchor="middle"))
    ends = dict(zip(lines, _apart([y_of(line[-1]) for line in lines.values()]), strict=True))
    for colour, (name, line) in zip(COLOURS, lines.items(), strict=False):
        places = [(x_of(count), y_of(value)) for count, value in zip(counts, line, strict=True)]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        drawn.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        drawn.append(_text(RIGHT + 10, ends[name] + 4, name, colour=colour))
    body = "\n".join(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f"font-family='{FAMILIES}' font-size='12'>\n"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def _apart(heights: Sequence[float]) -> Iterator[float]:
    """Yield where names stand that belong at these heights, none on top of another."""
    places = dict[int, float]()
    last = 0.0
    for number in sorted(range(len(heights)), key=heights.__getitem__):
        places[number] = last = max(heights[number], last + NAME_GAP)
    return (places[number] for number in range(len(heights)))


def _rule(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="#dddddd"/>'


def _text(
    x: float, y: float, text: str, weight: str = "normal", *, anchor: str = "start",
    colour: str = "#333333",
) -> str:  # fmt: skip
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="{colour}">{escape(text)}</text>'
    )
