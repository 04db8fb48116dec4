"""A line of the table of keys, as text: the header, or one key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from rich.cells import cell_len

from tui.api.grants import Catalogue, area, letters, sends
from tui.api.models import Key
from tui.keys.attention import Attention
from tui.search.highlights import spans as matching_spans
from tui.search.query import Query
from tui.text import short
from tui.ui.widgets.columns import GAP, LETTERS, Column, Span, cell, fit

MARK = "▌"
"""Stands before the row under the cursor, to be seen without colours, too."""
MARKED = "●"
"""Stands beside it, before a key that is marked."""
GUTTER = 2
"""How many cells these two take."""
DUE = "!"
"""Stands behind what asks for attention: an age that is due, addresses that are any."""

StateKind = Literal["", "working", "done", "problem", "retiring", "successor", "paused", "alike"]
"""The state of a key: what is being done with it, or its part in a rotation."""

SIGNS: dict[StateKind, str] = {
    "": " ",
    "working": "·",
    "done": "✓",
    "problem": "✗",
    "retiring": "→",
    "successor": "▸",
    "paused": "\N{EN DASH}",
    "alike": "=",
}
_STATE_STYLES: dict[StateKind, str] = {"": "row", "done": "done", "problem": "problem"}
_SEARCHED = frozenset({Column.LABEL, Column.PERMISSIONS, Column.SHORT_KEY, Column.OWNER})
_QUIET = frozenset({Column.SHORT_KEY, Column.OWNER, Column.SUBACCOUNT})

StyledText = tuple[str, str]
"""The name of a style, and a text in it."""


@dataclass(frozen=True, slots=True)
class RowState:
    """A key's state: a sign behind its label, and a text in place of what it is permitted."""

    text: str
    kind: StateKind = ""

    @property
    def sign(self) -> str:
        """The sign, which needs no colour."""
        return SIGNS[self.kind]

    @property
    def style(self) -> str:
        """The name of the style that sign and text are drawn in."""
        return _STATE_STYLES.get(self.kind, "working")


_NO_STATE = RowState("")


@dataclass(frozen=True, slots=True)
class KeyContext:
    """What a key is shown with: the labels of the grants, and what asks for attention."""

    catalogue: Catalogue = field(default_factory=Catalogue)
    attention: Attention = field(default_factory=Attention)


def header(spans: Sequence[Span], order: tuple[Column, bool] | None) -> str:
    """Return the columns' titles, with an arrow at the one that the keys are sorted by."""
    sorted_by, descending = order or (None, False)
    line = " " * GUTTER
    for span in spans:
        arrow = ("▼" if descending else "▲") if span.column is sorted_by else ""
        title = span.column.title
        if span.column is Column.AGE:
            title = f"{title:>{span.width - 2}} {arrow}"
        else:
            title = f"{title} {arrow}"
        line = f"{fit(line, GUTTER + span.start)}{fit(title, span.width)}"
    return line


def line(
    key: Key, spans: Sequence[Span], context: KeyContext, state: RowState | None
) -> list[StyledText]:
    """Return the pieces of a key's line, from left to right; neighbours differ in style."""
    state = state or _NO_STATE
    pieces: list[StyledText] = []
    for span in spans:
        if span.start:
            _add(pieces, "row", " " * GAP)
        for style, text in _cell(key, span, context, state):
            _add(pieces, style, text)
    return pieces


def _add(pieces: list[StyledText], style: str, text: str) -> None:
    if pieces and (pieces[-1][0] == style or (style == "row" and not text.strip())):
        style, text = pieces[-1][0], pieces.pop()[1] + text
    if text:
        pieces.append((style, text))


def _cell(key: Key, span: Span, context: KeyContext, state: RowState) -> list[StyledText]:
    """Return what a key's line has in one column, as wide as that."""
    attention, width = context.attention, span.width
    text = cell(span.column, key, width, context.catalogue, attention.now)
    match span.column:
        case Column.LABEL:
            return [("row", f"{fit(text, width)} "), (state.style, state.sign)]
        case Column.PERMISSIONS:
            return _permissions(key, text, width, state)
        case Column.FROM if attention.is_exposed(key):
            return [("row", text), ("due", fit(f" {DUE}", width - len(text)))]
        case Column.AGE:
            is_due = attention.is_due(key) and state.kind != "retiring"
            text = f"{text:>{width - 2}}"
            return [("row", text), ("due", f" {DUE}")] if is_due else [("dim", f"{text}  ")]
        case Column.FROM:
            return [("dim", fit(text, width))]
    return [("dim" if span.column in _QUIET else "row", fit(text, width))]


def _permissions(key: Key, text: str, width: int, state: RowState) -> list[StyledText]:
    """Return what a key may do, or its state, behind the letters where there is room for both."""
    first = letters(key.grants) if key.raw_grants is not None else ""
    shown = short(state.text)
    lead = fit(first, LETTERS) if cell_len(shown) <= width - LETTERS else ""
    lead_style = "row" if sends(key.grants) else "dim"
    if state.text:
        return [(lead_style, lead), (state.style, fit(shown, width - len(lead)))]
    if not text.startswith(lead.rstrip() or "\0"):
        return [("row", fit(text, width))]
    return [(lead_style, lead), ("row", fit(text[LETTERS:], width - LETTERS))]


def matching_parts(
    key: Key, spans: Sequence[Span], context: KeyContext, state: RowState | None, query: Query
) -> list[tuple[int, int]]:
    """Return the parts of a key's line that a query matches, as (start, end) in characters.

    A part is looked for in the whole text of a column, and ends where that is cut.
    """
    parts: list[tuple[int, int]] = []
    place = 0
    for span in spans:
        place += GAP * (span.start > 0)
        shown = "".join(text for _, text in _cell(key, span, context, state or _NO_STATE))
        is_hidden = state is not None and state.text and span.column is Column.PERMISSIONS
        if span.column in _SEARCHED and not is_hidden:
            text = cell(span.column, key, span.width, context.catalogue, context.attention.now)
            end = len(fit(text, span.width).removesuffix("…").rstrip())
            matching = _matching(key, span.column, text, context.catalogue, query)
            parts += [(place + a, place + min(b, end)) for a, b in matching if a < end]
        place += len(shown)
    return parts


def _matching(
    key: Key, column: Column, text: str, catalogue: Catalogue, query: Query
) -> Sequence[tuple[int, int]]:
    """Return what of a column's text matches; of the areas, those whose grants do."""
    is_short = column is Column.PERMISSIONS and text.startswith(f"{letters(key.grants)} ")
    if not is_short:
        return matching_spans(query, text)
    names = {
        area(grant)
        for grant in key.grants
        if matching_spans(query, catalogue.label(grant)) or matching_spans(query, short(grant))
    }
    parts: list[tuple[int, int]] = []
    place = LETTERS
    for name in text[LETTERS:].split(", "):
        word = name.partition(" +")[0]
        if word in names:
            parts.append((place, place + len(word)))
        place += len(name) + len(", ")
    return parts
