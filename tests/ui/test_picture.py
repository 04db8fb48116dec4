"""Only the cells that changed are sent, and the terminal shows the same as with all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import LayoutUpdate
from textual.geometry import Offset, Region, Size
from textual.strip import Strip

from tests.ui.emulator import Emulator
from tui.ui.terminal.pen import erases_in_colour
from tui.ui.terminal.picture import Picture
from tui.ui.terminal.textual_internals import Patch, ScreenPiece, screen_pieces

ATTRIBUTES = (
    "bold", "dim", "italic", "underline", "blink", "blink2", "reverse", "conceal", "strike",
    "underline2", "frame", "encircle", "overline",
)  # fmt: skip
NARROW, WIDE, MARKS = "ab .─•é›\N{NO-BREAK SPACE}", "日本한", "\u0301\u0323"
DISPUTED = ("😀", "⚡", "❤\ufe0f", "👩\u200d🚀", "🇩🇪", "a\u0301")
"""Texts that one terminal draws narrower or wider than another."""

colours = st.sampled_from(["default", "red", "bright_blue", "color(137)", "#12c456", "#fedcba"])


def style_of(ink: str | None, paper: str | None, attributes: set[str]) -> Style:
    """Return a style of its own: Textual keeps what it made of one for other colours."""
    on: dict[str, Any] = dict.fromkeys(attributes, True)
    return Style(color=ink, bgcolor=paper, **on)


styles = st.one_of(
    st.none(),
    st.builds(
        style_of,
        st.none() | colours,
        st.none() | colours,
        st.sets(st.sampled_from(ATTRIBUTES), max_size=2),
    ),
)
clusters = st.one_of(
    st.sampled_from(NARROW),
    st.just(" "),
    st.sampled_from(WIDE),
    st.builds("".join, st.tuples(st.sampled_from("ae日"), st.sampled_from(MARKS))),
)
texts = st.lists(clusters, min_size=1, max_size=8).map("".join)


def strips(width: int, text: st.SearchStrategy[str] = texts) -> st.SearchStrategy[Strip]:
    """Rows of exactly this width, in several styles."""
    segments = st.lists(st.tuples(text, styles).map(lambda both: Segment(*both)), max_size=4)
    filled = st.tuples(segments, styles)
    return filled.map(
        lambda both: Strip(both[0]).adjust_cell_length(width, both[1] or Style()).simplify()
    )


class Both:
    """Two terminals: one gets everything as Textual sends it, the other only what changed."""

    def __init__(self, size: Size, colors: ColorSystem, *, fills: bool, sends_all: bool) -> None:
        self.console = Console(color_system=None)
        self.console._color_system = colors
        self.size, self.cursor = size, Offset(0, 0)
        self.whole = Emulator(*size, fills=fills)
        self.spared = Emulator(*size, fills=fills)
        self.picture = Picture(erases_in_colour=fills, sends_all=sends_all)
        self.picture.resize(size)

    def draw(self, update: LayoutUpdate | Patch) -> None:
        for y, x, segments in screen_pieces(update):
            self.whole.feed(f"\x1b[{y + 1};{x + 1}H{Strip(segments).render(self.console)}")
        assert self.console._color_system is not None
        self.picture.draw(screen_pieces(update), self.cursor, self.console._color_system)

    def draw_rows(self, rows: list[Strip], y: int = 0) -> None:
        self.draw(LayoutUpdate([[row] for row in rows], Region(0, y, self.size.width, len(rows))))

    def send(self) -> None:
        self.spared.feed(self.picture.changes())
        assert self.spared.shown() == self.whole.shown()
        assert (self.spared.x, self.spared.y) == self.cursor
        assert self.picture.changes() == ""

    def resize(self, size: Size) -> None:
        self.size, self.cursor = size, Offset(0, 0)
        self.whole.resize(*size)
        self.spared.resize(*size)
        self.picture.resize(size)

    def garble(self) -> None:
        """Have somebody else draw on the terminal, which the program is told."""
        self.spared.feed("\x1b[1;1H\x1b[41mwall: going down!")
        self.spared.feed("\x1b[m")
        self.picture.forget()


def patch(data: st.DataObject, size: Size) -> Patch:
    """Draw parts of one to three rows, as widgets do that lie beside each other."""
    rows = data.draw(st.lists(st.integers(0, size.height - 1), min_size=1, max_size=3, unique=True))
    drawn: list[ScreenPiece] = []
    for y in sorted(rows):
        cuts = data.draw(st.sets(st.integers(1, size.width - 1), max_size=3))
        for start, end in pairwise([0, *sorted(cuts), size.width]):
            if data.draw(st.booleans()):
                drawn.append((y, start, data.draw(strips(end - start))._segments))
    return Patch(drawn)


def all_rows(data: st.DataObject, size: Size) -> list[Strip]:
    return [data.draw(strips(size.width)) for _ in range(size.height)]


sizes = st.builds(Size, st.integers(4, 24), st.integers(2, 10))


@settings(max_examples=80, deadline=None)
@given(
    st.data(),
    sizes,
    st.sampled_from([ColorSystem.STANDARD, ColorSystem.EIGHT_BIT, ColorSystem.TRUECOLOR]),
    st.booleans(),
    st.booleans(),
)
def test_both_terminals_show_the_same(
    data: st.DataObject, size: Size, colors: ColorSystem, fills: bool, sends_all: bool
) -> None:
    both = Both(size, colors, fills=fills, sends_all=sends_all)
    rows = all_rows(data, size)
    both.draw_rows(rows)
    both.send()
    for _ in range(data.draw(st.integers(1, 6))):
        step = data.draw(st.sampled_from(["part", "row", "scroll", "size", "garble", "cursor"]))
        if step == "part":
            both.draw(patch(data, both.size))
        elif step == "row":
            y = data.draw(st.integers(0, both.size.height - 1))
            both.draw_rows([data.draw(strips(both.size.width))], y)
        elif step == "scroll":
            by = data.draw(st.integers(-2, 2))
            head, rest = rows[:1], rows[1:]
            rows = [*head, *rest[by:], *rest[:by]]
            both.draw_rows(rows)
        elif step == "size":
            both.resize(data.draw(sizes))
            both.draw_rows(rows := all_rows(data, both.size))
        elif step == "garble":
            both.garble()
        else:
            both.cursor = Offset(data.draw(st.integers(0, both.size.width - 1)), 0)
            both.draw_rows([])
        if data.draw(st.booleans()):  # else the terminal is behind: this frame is never sent
            both.send()
    both.send()


def narrower(character: str) -> int:
    return 1 if ord(character) >= 0x2600 and character not in WIDE else usual_width(character)


def wider(character: str) -> int:
    is_disputed = ord(character) >= 0x2600 or character in MARKS
    return 2 if is_disputed else usual_width(character)


usual_width = Emulator(1, 1).width_of
disputed_texts = st.lists(st.one_of(clusters, st.sampled_from(DISPUTED)), max_size=8).map("".join)


@settings(max_examples=50, deadline=None)
@given(st.data(), st.sampled_from([narrower, wider]))
def test_where_a_terminal_draws_emoji_otherwise_all_else_is_in_its_place(
    data: st.DataObject, width_of: Callable[[str], int]
) -> None:
    size = Size(16, 3)
    terminal, picture = Emulator(*size, width_of=width_of), Picture()
    picture.resize(size)
    for _ in range(3):
        # In the last column there is no room for what a terminal draws wider.
        rows = [data.draw(strips(size.width - 1, disputed_texts)) for _ in range(size.height)]
        update = LayoutUpdate([[row, Strip.blank(1)] for row in rows], Region(0, 0, *size))
        picture.draw(screen_pieces(update), Offset(0, 0), ColorSystem.STANDARD)
        terminal.feed(picture.changes())
        for y, row in enumerate(picture._drawn):
            for x, text in enumerate(row.texts):
                beside = {row.texts[x - 1] if x else None, text}
                if text and all(
                    t is None or (t and len(t) == 1 and ord(t) < 0x2600) for t in beside
                ):
                    assert terminal.cells[y][x].text == text


# What it takes


def row(text: str, width: int = 40, style: str = "") -> Strip:
    return Strip([Segment(text, Style.parse(style))]).adjust_cell_length(width, Style.parse(style))


@pytest.fixture
def both() -> Both:
    """A list of ten rows below a title."""
    made = Both(Size(40, 12), ColorSystem.EIGHT_BIT, fills=True, sends_all=False)
    made.draw_rows([row("title"), *(row(f"row {n} {'x' * n}", style="on blue") for n in range(10))])
    made.send()
    return made


def test_what_did_not_change_is_not_sent(both: Both) -> None:
    both.draw_rows([row("title")])
    assert both.picture.changes() == ""


def test_one_changed_cell_costs_one_cell(both: Both) -> None:
    both.draw_rows([row("tittle")])
    assert both.picture.changes() == "\x1b[1;4Htle\x1b[1H"


def test_rows_that_moved_are_moved_by_the_terminal(both: Both) -> None:
    both.draw_rows([row(f"row {n} {'x' * n}", style="on blue") for n in range(1, 11)], y=1)
    changes = both.picture.changes()
    assert changes.startswith("\x1b[2;11r\x1b[11;1H\n\x1b[r")
    assert len(changes) < 80
    both.spared.feed(changes)
    assert both.spared.shown() == both.whole.shown()


def test_after_somebody_else_drew_all_of_it_is_sent(both: Both) -> None:
    both.garble()
    changes = both.picture.changes()
    assert all(f"row {n}" in changes for n in range(10))


def test_before_it_was_drawn_in_a_new_size_nothing_is_sent(both: Both) -> None:
    both.resize(Size(50, 12))
    assert re.fullmatch(r"(\x1b\[1H)?", both.picture.changes())


def test_with_everything_sent_each_update_is_sent_whole() -> None:
    made = Both(Size(40, 2), ColorSystem.EIGHT_BIT, fills=True, sends_all=True)
    made.draw_rows([row("one"), row("two")])
    first = made.picture.changes()
    assert "\x1b[K" not in first
    made.draw_rows([row("one")])
    again = made.picture.changes()
    assert "one" in again
    assert "two" not in again


def test_no_control_character_reaches_the_terminal(both: Both) -> None:
    both.draw_rows([Strip([Segment("a\x1b]0;x\x07b\x9bc", None)])])
    assert both.picture.changes() == "\x1b[1Ha]0;xbc\x1b[1H"


def test_what_lies_outside_of_the_screen_is_left_out(both: Both) -> None:
    update: Any = LayoutUpdate([[row("far " * 20, 80)]] * 3, Region(0, 11, 80, 3))
    both.picture.draw(screen_pieces(update), Offset(0, 0), ColorSystem.STANDARD)
    assert both.picture.changes().count("far") == 10


@pytest.mark.parametrize(
    ("env", "fills"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "linux"}, True),
        ({"TERM": "tmux-256color"}, True),
        ({"TERM": "screen-256color", "TMUX": "/run/tmux"}, True),
        ({"TERM": "screen-256color"}, False),
        ({"TERM": "xterm", "STY": "1.pts"}, False),
        ({"TERM": "vt220"}, False),
    ],
)
def test_only_what_surely_fills_is_erased_in_colour(env: dict[str, str], fills: bool) -> None:
    assert erases_in_colour(env) is fills
