"""The lives of two keys, one above the other: where they overlap, both work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from textual.content import Content
from textual.widget import Widget

from tui.ui.widgets.keyed import keyed

StationKind = Literal["start", "done", "current", "ahead", "failed", "off", "unknown", "plain"]
"""What a point on a lane is: where a life began, or a step behind, at hand, ahead, or gone wrong.

`off` is out of service, and `plain` has no sign.
"""

_SIGNS: dict[StationKind, tuple[str, str]] = {
    "start": ("●", "$foreground"),
    "done": ("✓", "$text-success"),
    "current": ("▸", "bold $text-accent"),
    "ahead": ("·", "$text-muted"),
    "failed": ("✗", "$text-error"),
    "off": ("–", "$text-warning"),  # noqa: RUF001  # a dash
    "unknown": ("?", "$text-warning"),
    "plain": ("", ""),
}
_WORDS: dict[StationKind, str] = {
    "current": "bold $text-accent",
    "ahead": "$text-muted",
    "failed": "$text-error",
    "off": "$text-warning",
    "unknown": "$text-warning",
}
_GOES_ON = frozenset({"start", "done", "plain"})
"""What a solid line leads on from: the key works there."""

WIDEST = 90
"""How many cells a lane takes at most: a longer one is not read at a glance."""
_LATER = 2
"""By how many cells the new key's life begins after the old one's."""


@dataclass(frozen=True, slots=True)
class Station:
    """A point on a lane, in words of the program's own; keys in them stand between backticks."""

    words: str
    kind: StationKind


@dataclass(frozen=True, slots=True)
class Lane:
    """The life of one key: its name, its short key, and what happens to it from left to right.

    One that `has_ended` stops short of the right edge. A key that `is_off` works from nowhere.
    """

    name: str
    short_key: str
    stations: tuple[Station, ...]
    is_new: bool = False
    has_ended: bool = False
    is_off: bool = False


@dataclass(frozen=True, slots=True)
class _Form:
    """How much of a lane is drawn: its short key, the words behind and ahead, lines at least."""

    has_short_key: bool = False
    has_words: bool = True
    shortest_line: int = 0


_FORMS = (
    _Form(has_short_key=True, shortest_line=2),
    _Form(has_short_key=True, shortest_line=1),
    _Form(shortest_line=1),
    _Form(),
    _Form(has_words=False),
)
"""From the roomiest on; of those that fit the first is taken, for both lanes."""


class Lanes(Widget):
    """Draws the old key's life and the new one's, as much of them as there is room for."""

    DEFAULT_CSS = """
    Lanes { height: 2; width: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # as every widget calls it
        super().__init__(id=id)
        self._lanes: tuple[Lane, ...] = ()

    def show(self, *lanes: Lane) -> None:
        """Show these lanes, from top to bottom."""
        if lanes != self._lanes:
            self._lanes = lanes
            self.refresh()

    def render(self) -> Content:
        """Return the lanes, as wide as the widget."""
        return render_lanes(self._lanes, min(self.content_size.width, WIDEST))


def render_lanes(lanes: Sequence[Lane], width: int) -> Content:
    """Return a line for each lane, in `width` cells."""
    names = max((len(lane.short_key) for lane in lanes), default=0)
    for form in _FORMS:
        drawn = [_draw(lane, width, form, names) for lane in lanes]
        if all(line.cell_length <= width for line in drawn):
            break
    return Content("\n").join(drawn) if lanes else Content("")


def _draw(lane: Lane, width: int, form: _Form, names: int) -> Content:
    """Return a lane; one that does not fit is longer than `width`."""
    parts = [Content.styled(f"{lane.name} ", "$text-muted")]
    if form.has_short_key and names:
        parts.append(Content(lane.short_key.ljust(names) + "  "))
    if lane.is_new and form.has_short_key:
        parts.append(Content(" " * _LATER))
    stations = [_station(station, form) for station in lane.stations]
    taken = sum(part.cell_length for part in (*parts, *stations))
    lines = _line_lengths(lane, width - taken, form)
    for station, drawn, length in zip(lane.stations, stations, [*lines, 0], strict=True):
        parts += [drawn, _line(lane, station, length)]
    return Content("").join(parts)


def _station(station: Station, form: _Form) -> Content:
    sign, style = _SIGNS[station.kind]
    is_short = not form.has_words and station.kind in {"done", "ahead"}
    words = keyed("" if is_short else station.words, _WORDS.get(station.kind, ""))
    gap = " " if sign and words.plain else ""
    return Content.assemble((sign, style), gap, words)


def _line_lengths(lane: Lane, left: int, form: _Form) -> list[int]:
    """Return how long the lines between the stations are, the blanks around them included.

    They share what is left of the width; of the old key's, which are of one age, the first has it.
    """
    number = len(lane.stations) - 1
    shortest = form.shortest_line + 2 if form.shortest_line else 1
    if not number:
        return []
    if lane.has_ended:
        left -= left // 5
    spare = max(0, left - number * shortest)
    if not lane.is_new:
        return [shortest + spare, *[shortest] * (number - 1)]
    each, rest = divmod(spare, number)
    return [shortest + each + (place < rest) for place in range(number)]


def _line(lane: Lane, station: Station, length: int) -> Content:
    """Return the line that leads on from a station: solid where the key works, else thin."""
    is_solid = station.kind in _GOES_ON and not lane.is_off
    style = "$border" if not is_solid else "$text-accent" if lane.is_new else "$foreground"
    if length < 3 and station.kind != "start":
        return Content(" " * length)
    before = "" if station.kind == "start" else " "
    sign = "━" if is_solid else "─"
    return Content.assemble(
        before, (sign * (length - 1 - len(before)), style), " " if length else ""
    )
