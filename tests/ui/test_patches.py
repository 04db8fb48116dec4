"""A part of the screen is drawn by the widgets alone that are seen there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from textual.geometry import Offset, Region, Size
from textual.strip import Strip

from tests.ui.emulator import Emulator
from tui.ui.terminal.picture import Picture
from tui.ui.terminal.textual_internals import Patch, PatchCompositor, screen_pieces

SIZE = Size(18, 6)


@dataclass(eq=False)
class Pane:
    """A widget that draws these rows, and notes for which of its cells it was asked."""

    region: Region
    rows: list[str]
    asked: list[Region] = field(default_factory=list)

    def render_lines(self, crop: Region) -> list[Strip]:
        self.asked.append(crop)
        return [
            Strip([Segment(row)]).adjust_cell_length(self.region.width).crop(crop.x, crop.right)
            for row in self.rows[crop.y : crop.bottom]
        ]


@st.composite
def inner_regions(draw: st.DrawFn) -> Region:
    x, y = draw(st.integers(0, SIZE.width - 1)), draw(st.integers(0, SIZE.height - 1))
    return Region(x, y, draw(st.integers(1, SIZE.width - x)), draw(st.integers(1, SIZE.height - y)))


def texts(height: int) -> st.SearchStrategy[list[str]]:
    row = st.text("ab日本 ", min_size=SIZE.width, max_size=SIZE.width)
    return st.lists(row, min_size=height, max_size=height)


def panes(regions: list[Region]) -> st.SearchStrategy[list[Pane]]:
    made = [
        st.builds(Pane, st.just(region), texts(region.height))
        for region in [*regions, SIZE.region]  # what is in front comes first
    ]
    return st.tuples(*made).map(list)


def stacked(shown: list[Pane]) -> PatchCompositor:
    compositor: Any = PatchCompositor()
    compositor.size = SIZE
    compositor._visible_widgets = {pane: (pane.region, SIZE.region) for pane in shown}
    return compositor  # type: ignore[no-any-return]


class Terminal:
    """A terminal that gets what a compositor draws."""

    def __init__(self, compositor: PatchCompositor) -> None:
        self.compositor, self.screen = compositor, Emulator(*SIZE)
        self.picture = Picture()
        self.picture.resize(SIZE)

    def draw(self, changed: set[Region]) -> None:
        self.compositor._dirty_regions = changed
        part = self.compositor.render_partial_update()
        assert isinstance(part, Patch)
        self.picture.draw(screen_pieces(part), Offset(0, 0), ColorSystem.STANDARD)
        self.screen.feed(self.picture.changes())


@settings(max_examples=100, deadline=None)
@given(st.data(), st.lists(inner_regions(), max_size=4), st.lists(inner_regions(), max_size=2))
def test_what_is_drawn_of_a_change_makes_the_picture_whole(
    data: st.DataObject, regions: list[Region], unchanged: list[Region]
) -> None:
    shown = data.draw(panes(regions))
    terminal = Terminal(stacked(shown))
    terminal.draw({SIZE.region})
    changed = {*unchanged}
    for number in sorted(data.draw(st.sets(st.integers(0, len(shown) - 1), min_size=1))):
        pane = shown[number]
        y = data.draw(st.integers(0, pane.region.height - 1))
        pane.rows[y : y + 1] = data.draw(texts(1))
        changed.add(Region(pane.region.x, pane.region.y + y, pane.region.width, 1))
    terminal.draw(changed)
    fresh = Terminal(terminal.compositor)
    fresh.draw({SIZE.region})
    assert terminal.screen.shown() == fresh.screen.shown()


@given(st.data(), st.lists(inner_regions(), max_size=4))
def test_all_of_it_is_what_textual_draws(data: st.DataObject, regions: list[Region]) -> None:
    shown = data.draw(panes(regions))
    terminal, textual = Terminal(stacked(shown)), Emulator(*SIZE)
    terminal.draw({SIZE.region})
    whole = terminal.compositor.render_full_update()
    textual.feed(whole.render_segments(Console(color_system=None)))
    assert terminal.screen.shown() == textual.shown()


def test_nobody_is_asked_for_what_did_not_change() -> None:
    behind = Pane(SIZE.region, ["behind" * 3] * 6)
    beside = Pane(Region(0, 0, 4, 6), ["side"] * 6)
    front = Pane(Region(4, 0, 14, 6), ["in front of it"] * 6)
    compositor = stacked([front, beside, behind])
    compositor._dirty_regions = {Region(4, 1, 14, 1), Region(4, 3, 14, 1)}
    part = compositor.render_partial_update()
    assert part is not None
    assert [(y, x) for y, x, _ in part.pieces] == [(1, 4), (3, 4)]
    assert front.asked == [Region(0, 1, 14, 1), Region(0, 3, 14, 1)]
    assert behind.asked == beside.asked == []


def test_where_nothing_changed_nothing_is_drawn() -> None:
    assert stacked([Pane(SIZE.region, [""] * 6)]).render_partial_update() is None
