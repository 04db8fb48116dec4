"""The columns of the table of keys: their titles, widths, texts and order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from rich.cells import cell_len, set_cell_size

from tui.api.grants import Catalogue, area, letters, power
from tui.api.models import Key
from tui.comparing import natural_order
from tui.keys.attention import created_moment
from tui.keys.labels import base_label, shown_label
from tui.keys.paused_mark import is_paused
from tui.text import age, mask, short

GAP = 2
"""Blank cells between two columns."""
SIGN = 2
"""How many cells the sign of a key's state takes behind the label: a blank before it, and itself.

It has them for itself, so that no label is cut for it."""
LETTERS = len("rws") + GAP
"""How many cells the short form of the permissions takes before the areas."""
LABEL_SHARE, LABEL_MIN, LABEL_MAX = 0.42, 22, 44
"""The label's part of what it shares with the permissions, and its limits in cells."""
PERMISSIONS_MIN = LETTERS + len("2 areas")
LABELS_FROM = 60
"""From so many cells on, the permissions are told by the grants' labels where those fit."""
TINY, SLIM, NARROW, ROOMY, WIDE = 20, 46, 52, 90, 116
"""From these widths in cells on, there are beside the label the age, the permissions, the
addresses, short key and subaccount, and the owner."""


class Column(Enum):
    """What is shown of a key, in the order from left to right."""

    LABEL = "Key"
    PERMISSIONS = "Permissions"
    FROM = "From"
    AGE = "Age"
    SHORT_KEY = "Short key"
    OWNER = "Owner"
    SUBACCOUNT = "Subaccount"

    @property
    def title(self) -> str:
        """What the header says."""
        return self.value

    @property
    def descends_first(self) -> bool:
        """Whether the first press sorts the other way round: ages begin with the greatest."""
        return self is Column.AGE


_FIXED = {
    Column.FROM: len("999 nets"),
    Column.AGE: len("20 mo !"),
    Column.SHORT_KEY: 12,
    Column.OWNER: 16,
    Column.SUBACCOUNT: 12,
}
_FIRST_WIDTH = {
    Column.FROM: NARROW,
    Column.AGE: TINY,
    Column.SHORT_KEY: ROOMY,
    Column.OWNER: WIDE,
    Column.SUBACCOUNT: ROOMY,
}


@dataclass(frozen=True, slots=True)
class Span:
    """Where in the line a column stands, in cells; behind the label is the sign of its state."""

    column: Column
    start: int
    width: int


def layout(width: int, informative: frozenset[Column]) -> tuple[Span, ...]:
    """Return the `informative` columns that a line of `width` cells has room for."""
    if width < TINY:
        return (Span(Column.LABEL, 0, max(0, width - SIGN)),)
    fixed = [c for c in _FIXED if c in informative and width >= _FIRST_WIDTH[c]]
    rest = width - SIGN - sum(_FIXED[column] + GAP for column in fixed)
    widths = {Column.LABEL: max(rest, 0), **_FIXED}
    columns = [Column.LABEL, *fixed]
    if width >= SLIM:
        rest -= GAP
        most = max(min(LABEL_MIN, rest - PERMISSIONS_MIN), min(LABEL_MAX, int(rest * LABEL_SHARE)))
        widths |= {Column.LABEL: most, Column.PERMISSIONS: rest - most}
        columns.insert(1, Column.PERMISSIONS)
    spans: list[Span] = []
    start = 0
    for column in columns:
        spans.append(Span(column, start, widths[column]))
        start += widths[column] + GAP + SIGN * (column is Column.LABEL)
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
            return listed_label(key, width)
        case Column.PERMISSIONS:
            return permissions(key, width, catalogue)
        case Column.FROM:
            return addresses(key)
        case Column.AGE:
            moment = created_moment(key)
            return age(moment, now) if moment else ""
        case Column.SHORT_KEY:
            return mask(key.raw_short_key or "")
        case Column.OWNER:
            return short(key.raw_username or "")
        case Column.SUBACCOUNT:
            return str(key.subaccount_id or "")


def listed_label(key: Key, width: int) -> str:
    """Return a key's label without the marks of successors and pauses.

    Where it is too wide, the mark of one that is retiring goes, too: the state beside it tells it.
    """
    text = short(shown_label(key.raw_label or ""))
    if cell_len(text) > width:
        text = short(base_label(key.raw_label or ""))
    return text or "(no label)"


def permissions(key: Key, width: int, catalogue: Catalogue) -> str:
    """Return the labels of a key's grants where they fit, else their short form with the areas."""
    if key.raw_grants is None:
        return ""
    if width >= LABELS_FROM:
        labels = ", ".join(map(catalogue.label, catalogue.ordered(key.grants[:width])))
        if labels and cell_len(labels) <= width:
            return labels
    names = areas(key.grants, max(0, width - LETTERS), catalogue)
    return f"{letters(key.grants)}{' ' * GAP}{names}".rstrip()


def areas(grants: Sequence[str], width: int, catalogue: Catalogue) -> str:
    """Return what the grants are about, as much of it as fits, and how much is left out.

    What sends mail comes first, then what changes something.
    """
    ordered = sorted(catalogue.ordered(grants), key=power, reverse=True)
    names = list(dict.fromkeys(map(area, ordered)))
    for number in range(min(len(names), width), 0, -1):
        rest = f" +{len(names) - number}" if number < len(names) else ""
        text = ", ".join(names[:number]) + rest
        if cell_len(text) <= width:
            return text
    return f"{len(names)} area{'s' * (len(names) > 1)}" if names else ""


def addresses(key: Key) -> str:
    """Return from where a key is accepted: `any`, `1 addr`, `2 nets`; `none` while it is paused."""
    ips = key.raw_valid_ips or ()
    if not ips:
        return "any"
    if is_paused(ips):
        return "none"
    if all("/" not in ip or ip.endswith("/32") for ip in ips):
        return f"{len(ips)} addr"
    return f"{len(ips)} net{'s' * (len(ips) > 1)}"


def informative_columns(keys: Sequence[Key]) -> frozenset[Column]:
    """Return the columns that are not empty for all keys: old servers leave out some fields."""
    columns = {Column.LABEL, Column.PERMISSIONS}
    if any(key.raw_short_key for key in keys):
        columns.add(Column.SHORT_KEY)
    if any(key.raw_valid_ips is not None for key in keys):
        columns.add(Column.FROM)
    if any(map(created_moment, keys)):
        columns.add(Column.AGE)
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
        case Column.FROM:
            return [len(key.raw_valid_ips or ()) for key in keys]
        case Column.AGE:
            return [
                -moment.timestamp() if (moment := created_moment(key)) else None for key in keys
            ]
        case Column.SHORT_KEY:
            return [short(key.raw_short_key) if key.raw_short_key else None for key in keys]
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

    def sort_by(self, column: Column) -> None:
        """Order by a column, or by the same one the other way round."""
        is_same = column is self.column
        self.descending = not self.descending if is_same else column.descends_first
        self.column = column

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
