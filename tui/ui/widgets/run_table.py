"""The table of a run over many keys: a sign for each step of a key, and words where they help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from rich.segment import Segment
from textual.binding import BindingType
from textual.strip import Strip

from tui.text import short
from tui.ui.bindings import RUN_BINDINGS
from tui.ui.widgets.columns import GAP, LABEL_MAX, LABEL_MIN, Span, fit, listed_label
from tui.ui.widgets.key_table import KeyTable
from tui.ui.widgets.table_line import GUTTER, MARK

StepSign = Literal[
    "ahead", "working", "done", "failed", "unknown", "left out", "works", "gone", "none"
]
"""How far a step of one key has come; the old key of a rotation works or is gone."""

_SIGNS: dict[StepSign, tuple[str, str]] = {
    "ahead": ("·", "dim"),
    "working": ("⋯", "working"),
    "done": ("✓", "done"),
    "failed": ("✗", "problem"),
    "unknown": ("?", "problem"),
    "left out": ("–", "dim"),  # noqa: RUF001  # a dash
    "works": ("works", "dim"),
    "gone": ("gone", "row"),
    "none": ("", "row"),
}
"""Of each what is shown, and by the name of which style."""

_LONGEST_SIGN = max(len(sign) for sign, _ in _SIGNS.values())
_NOTE_MIN = 12
"""Where less than this is left for the words, the label has the room."""
_NARROW = 56
"""Where a line has fewer cells, each step takes one cell, and the words are left out."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """The state of one key in a run: a sign for each step, and words that need not be safe."""

    steps: tuple[StepSign, ...]
    words: str = ""
    is_problem: bool = False


@dataclass(frozen=True, slots=True)
class _Widths:
    label: int
    steps: tuple[int, ...]
    words: int


class RunTable(KeyTable):
    """Keys line by line with the steps of a run, each row painted alone when it changes."""

    BINDINGS: ClassVar[list[BindingType]] = [*RUN_BINDINGS]

    def __init__(self, titles: tuple[str, ...]) -> None:
        """Show a column under each of these `titles`."""
        super().__init__()
        self._titles = titles
        self._run_rows: dict[str, RunRow] = {}
        ahead: StepSign = "ahead"
        self._untouched_row = RunRow((ahead,) * len(titles))

    def row_of(self, key_id: str) -> RunRow:
        """Return the state of a key; before anything is done with it, all steps are ahead."""
        return self._run_rows.get(key_id, self._untouched_row)

    def set_row(self, key_id: str, row: RunRow) -> None:
        """Show the state of a key, and paint its row anew if it is seen and changed."""
        if self.row_of(key_id) != row:
            self._run_rows[key_id] = row
            self._repaint(key_id)

    def set_rows(self, rows: Mapping[str, RunRow]) -> None:
        """Show the states of many keys, by their ids."""
        self._run_rows.update(rows)
        self.refresh(self._rows)

    @property
    def _spans(self) -> tuple[Span, ...]:
        """There are no columns to sort by."""
        return ()

    @property
    def _widths(self) -> _Widths:
        width = self._width - GUTTER - 1
        if width < _NARROW:
            steps = (1,) * len(self._titles)
            return _Widths(max(1, width - 2 * len(steps)), steps, 0)
        steps = tuple(
            max(len(title), _LONGEST_SIGN if title == "old" else 1) for title in self._titles
        )
        left = width - sum(steps) - GAP * (len(steps) + 1)
        label = max(LABEL_MIN, min(LABEL_MAX, int(width * 0.3)))
        if left - label < _NOTE_MIN:
            return _Widths(left + GAP, steps, 0)
        return _Widths(label, steps, left - label)

    def render_line(self, y: int) -> Strip:
        """Return the titles, or one row."""
        if y or self._width < 1:
            return super().render_line(y)
        segments = [Segment(self._header(), self._style("header"))]
        return Strip(segments).adjust_cell_length(self._width, segments[0].style)

    def _header(self) -> str:
        widths = self._widths
        gap = " " * (GAP if widths.steps != (1,) * len(self._titles) else 1)
        titles = (
            title if len(title) <= width else title[:width]
            for title, width in zip(self._titles, widths.steps, strict=True)
        )
        steps = (
            gap + title.ljust(width) for title, width in zip(titles, widths.steps, strict=True)
        )
        return " " * GUTTER + fit("Key", widths.label) + "".join(steps)

    def _segments(self, row: int) -> list[Segment]:
        key = self._keys[row]
        state, widths = self.row_of(key.id), self._widths
        is_out = "left out" in state.steps
        label = listed_label(key, widths.label)
        lead = (MARK if row == self._row else " ").ljust(GUTTER)
        pieces = [("dim" if is_out else "row", lead + fit(label, widths.label))]
        is_narrow = all(width == 1 for width in widths.steps)
        for step, title, width in zip(state.steps, self._titles, widths.steps, strict=True):
            sign, style = _SIGNS[step]
            shown = sign if title == "old" and not is_narrow else sign[:1].center(width)
            pieces.append((style, " " * (1 if is_narrow else GAP) + shown.ljust(width)))
        if widths.words:
            style = "problem" if state.is_problem else "dim"
            pieces.append((style, " " * GAP + fit(short(state.words), widths.words)))
        if row == self._row:
            return [Segment("".join(text for _, text in pieces), self._style("cursor"))]
        return [Segment(text, self._style(style)) for style, text in pieces]
