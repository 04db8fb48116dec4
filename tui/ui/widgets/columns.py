"""The columns of the table of keys: their titles, widths, texts and order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from rich.cells import cell_len, set_cell_size

from tui.api.grants import Catalogue
from tui.api.models import Key
from tui.comparing import natural_order
from tui.keys.labels import shown_label
from tui.text import ago, mask, short

ROOMY = 90
"""From this width in cells on, short key, date of creation and subaccount are shown, if any."""
WIDE = 116
"""From this width in cells on, the owner is shown, too."""
LABEL_SHARE, LABEL_MIN, LABEL_MAX = 0.3, 18, 44
"""The label's part of the width, and its limits in cells."""
PERMISSIONS_MIN = 8
"""Where less than this is left for the permissions, the label has the whole line."""
GAP = 2
"""Blank cells between two columns."""


class Column(Enum):
    """What is shown of a key, in the order from left to right."""

    LABEL = "Key"
    PERMISSIONS = "Permissions"
    SHORT_KEY = "Short key"
    CREATED = "Created"
    OWNER = "Owner"
    SUBACCOUNT = "Subaccount"

    @property
    def title(self) -> str:
        """What the header says."""
        return self.value

    @property
    def descends_first(self) -> bool:
        """Whether the first press sorts the other way round: dates begin with the newest."""
        return self is Column.CREATED


_FIXED = {Column.SHORT_KEY: 12, Column.CREATED: 13, Column.OWNER: 16, Column.SUBACCOUNT: 12}


@dataclass(frozen=True, slots=True)
class Span:
    """Where in the line a column stands, in cells."""

    column: Column
    start: int
    width: int


def layout(width: int, informative: frozenset[Column]) -> tuple[Span, ...]:
    """Return the `informative` columns that a line of `width` cells has room for."""
    optional = [Column.SHORT_KEY, Column.CREATED] * (width >= ROOMY)
    optional += [Column.OWNER] * (width >= WIDE)
    optional += [Column.SUBACCOUNT] * (width >= ROOMY)
    fixed = [column for column in optional if column in informative]
    label = max(LABEL_MIN, min(LABEL_MAX, int(width * LABEL_SHARE)))
    permissions = width - label - GAP - sum(_FIXED[column] + GAP for column in fixed)
    if permissions < PERMISSIONS_MIN:
        return (Span(Column.LABEL, 0, width),) if width > 0 else ()
    widths = {Column.LABEL: label, Column.PERMISSIONS: permissions, **_FIXED}
    spans: list[Span] = []
    start = 0
    for column in (Column.LABEL, Column.PERMISSIONS, *fixed):
        spans.append(Span(column, start, widths[column]))
        start += widths[column] + GAP
    return tuple(spans)


def fit(text: str, width: int) -> str:
    """Return `text` in exactly `width` cells: padded, or cut with an ellipsis."""
    length = cell_len(text)
    if length <= width:
        return text + " " * (width - length)
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def cell(column: Column, key: Key, width: int, catalogue: Catalogue, now: datetime) -> str:
    """Return a key's text for a column, safe to show, with no more work than `width` asks for."""
    match column:
        case Column.LABEL:
            return short(shown_label(key.raw_label or "")) or "(no label)"
        case Column.PERMISSIONS:
            return ", ".join(map(catalogue.label, key.grants[:width]))
        case Column.SHORT_KEY:
            return mask(key.raw_short_key or "")
        case Column.CREATED:
            created = _moment(key)
            return ago(created, now) if created else ""
        case Column.OWNER:
            return short(key.raw_username or "")
        case Column.SUBACCOUNT:
            return str(key.subaccount_id or "")


def _moment(key: Key) -> datetime | None:
    """Return when the key was made, in the zone that the server sent.

    Changing the zone, as `Key.created_at` does, fails at both ends of the calendar, and a long
    list is to be sorted at once.
    """
    try:
        moment = datetime.fromisoformat(key.raw_created_at or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def informative_columns(keys: Sequence[Key]) -> frozenset[Column]:
    """Return the columns that are not empty for all keys: old servers leave out some fields."""
    columns = {Column.LABEL, Column.PERMISSIONS}
    if any(key.raw_short_key for key in keys):
        columns.add(Column.SHORT_KEY)
    if any(map(_moment, keys)):
        columns.add(Column.CREATED)
    if any(key.raw_username for key in keys):
        columns.add(Column.OWNER)
    if any(key.subaccount_id for key in keys):
        columns.add(Column.SUBACCOUNT)
    return frozenset(columns)


def _sort_values(column: Column, keys: Sequence[Key], catalogue: Catalogue) -> list[Any]:
    match column:
        case Column.LABEL:
            labels = (shown_label(key.raw_label or "") for key in keys)
            return [natural_order(short(label)) if label else None for label in labels]
        case Column.PERMISSIONS:
            return _permission_ranks(keys, catalogue)
        case Column.SHORT_KEY:
            return [short(key.raw_short_key) if key.raw_short_key else None for key in keys]
        case Column.CREATED:
            return [moment.timestamp() if (moment := _moment(key)) else None for key in keys]
        case Column.OWNER:
            return [
                natural_order(short(key.raw_username)) if key.raw_username else None for key in keys
            ]
        case Column.SUBACCOUNT:
            return [key.subaccount_id or None for key in keys]


def _permission_ranks(keys: Sequence[Key], catalogue: Catalogue) -> list[int | None]:
    """Return each key's rank by number and labels of its grants.

    Many keys share few sets of grants: each set is looked up once.
    """
    grants = {key.raw_grants for key in keys if key.raw_grants is not None}
    label = {name: catalogue.label(name) for names in grants for name in names}
    order = {names: (len(names), [label[name] for name in names]) for names in grants}
    ranks: dict[tuple[str, ...] | None, int | None] = {None: None}
    rank, last = -1, None
    for names in sorted(order, key=order.__getitem__):
        rank += order[names] != last
        last = order[names]
        ranks[names] = rank
    return [ranks[key.raw_grants] for key in keys]


class Order:
    """The order that the operator chose, kept through reloads.

    What a column sorts by is computed once for each list, not at each change of the order.
    """

    def __init__(self) -> None:
        self.column: Column | None = None
        self.descending = False
        self._keys: Sequence[Key] = ()
        self._catalogue = Catalogue(())
        self._values: dict[Column, list[Any]] = {}

    def turn(self, column: Column, *, descending: bool | None = None) -> bool:
        """Order by a column, or by the same one the other way round; return whether it changed."""
        if descending is None:
            same = column is self.column
            descending = not self.descending if same else column.descends_first
        if (column, descending) == (self.column, self.descending):
            return False
        self.column, self.descending = column, descending
        return True

    def rows(self, keys: Sequence[Key], catalogue: Catalogue) -> Sequence[int]:
        """Return the places of `keys`, counted from 0, in this order.

        Equals stay as they came, and missing values come last either way.
        """
        column = self.column
        if column is None:
            return range(len(keys))
        if keys is not self._keys or catalogue is not self._catalogue:
            self._keys, self._catalogue, self._values = keys, catalogue, {}
        if column not in self._values:
            self._values[column] = _sort_values(column, keys, catalogue)
        values = self._values[column]
        rows = [row for row, value in enumerate(values) if value is not None]
        rows.sort(key=values.__getitem__, reverse=self.descending)
        if len(rows) < len(values):
            rows += [row for row, value in enumerate(values) if value is None]
        return rows
