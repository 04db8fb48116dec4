"""A line of the table of keys, as text: the header, or one key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tui.api.grants import Catalogue
from tui.api.models import Key
from tui.search.highlights import spans as matching_spans
from tui.search.query import Query
from tui.text import short
from tui.ui.widgets.columns import GAP, Column, Span, cell, fit

MARK = "▌"
"""Stands before the row under the cursor, to be seen without colours, too."""
MARKED = "●"
"""Stands beside it, before a key that is marked."""
GUTTER = 2
"""How many cells these two take."""

StateKind = Literal["", "working", "done", "problem"]
"""The state of a key that something is being done with."""

_SIGNS: dict[StateKind, str] = {"": "", "working": "… ", "done": "✓ ", "problem": "✗ "}
_SEARCHED = frozenset({Column.LABEL, Column.PERMISSIONS, Column.SHORT_KEY, Column.OWNER})
_QUIET = frozenset({Column.SHORT_KEY, Column.CREATED, Column.OWNER, Column.SUBACCOUNT})


@dataclass(frozen=True, slots=True)
class RowState:
    """A key's state: it takes the place of the permissions, so that no column moves."""

    text: str
    kind: StateKind = ""

    @property
    def shown(self) -> str:
        """The text, safe to show, with a sign that needs no colour."""
        return _SIGNS[self.kind] + short(self.text)


def header(spans: Sequence[Span], order: tuple[Column, bool] | None) -> str:
    """Return the columns' titles, with an arrow at the one that the keys are sorted by."""
    column, descending = order or (None, False)
    arrow = " ▼" if descending else " ▲"
    titles = ((span.column.title + arrow * (span.column is column), span.width) for span in spans)
    return " " * GUTTER + (" " * GAP).join(fit(title, width) for title, width in titles)


def line(
    key: Key, spans: Sequence[Span], catalogue: Catalogue, now: datetime, state: RowState | None
) -> dict[str, str]:
    """Return the texts of a key's line, each by the name of its style, from left to right."""
    texts: dict[str, str] = {}
    for span in spans:
        style = "dim" if span.column in _QUIET else "row"
        if state and state.text and span.column is Column.PERMISSIONS:
            style, text = state.kind or "row", state.shown
        else:
            text = cell(span.column, key, span.width, catalogue, now)
        gap = " " * (GAP * (span.start > 0))
        texts[style] = texts.get(style, "") + gap + fit(text, span.width)
    return texts


def matching_parts(
    key: Key,
    spans: Sequence[Span],
    catalogue: Catalogue,
    now: datetime,
    state: RowState | None,
    query: Query,
) -> list[tuple[int, int]]:
    """Return the parts of a key's line that a query matches, as (start, end) in characters.

    A part is looked for in the whole text of a column, and ends where that is cut.
    """
    parts: list[tuple[int, int]] = []
    place = 0
    for span in spans:
        place += GAP * (span.start > 0)
        text = cell(span.column, key, span.width, catalogue, now)
        if state and state.text and span.column is Column.PERMISSIONS:
            shown = fit(state.shown, span.width)
        else:
            shown = fit(text, span.width)
            end = len(shown) - shown.endswith("…")
            matching = matching_spans(query, text) if span.column in _SEARCHED else ()
            parts += [(place + a, place + min(b, end)) for a, b in matching if a < end]
        place += len(shown)
    return parts
