"""Rows of text, prepared once for being searched at each key stroke."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tui.search.normal_form import normalised
from tui.search.query import Query
from tui.search.terms import And, Fuzzy, Literal, Node, Not, Or, Pattern, implies

_LINE_END = "\n"
"""Keeps fields apart: no word or phrase has one."""

_COMMON = 4
"""How many rows have a value in common on average, for it to be looked at apart from them."""


class _CommonField:
    """A field that many rows have in common: an owner, the grants."""

    def __init__(self, values: list[str]) -> None:
        self.values = values
        self.distinct = frozenset(values)


class Index:
    """The rows of one listing, each of the same fields: a label, an owner, a line of the manual.

    All rows have the same number of fields. Several things in one field are kept apart by line
    ends: no phrase reaches over one. An index does not change, and may be made in a thread:
    100,000 rows take some tenths of a second.
    """

    def __init__(self, rows: Iterable[Sequence[str]]) -> None:
        columns = [_normalised(values) for values in zip(*rows, strict=True)]
        self._texts = _joined(columns)
        is_common = [len({*values}) * _COMMON <= len(values) for values in columns]
        pairs = list(zip(columns, is_common, strict=True))
        self._common = [_CommonField(values) for values, is_common in pairs if is_common]
        own = [values for values, is_common in pairs if not is_common]
        self._own = _joined(own) if own else [""] * len(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def matches(self, query: Query, among: Sequence[int] | None = None) -> list[int]:
        """Return the numbers of the rows that match, in order, counted from 0.

        With `among`, only those rows are looked at; they must be in order.
        """
        return list(self._select(query.root, range(len(self)) if among is None else among))

    def _select(self, node: Node, rows: Sequence[int]) -> Sequence[int]:
        match node:
            case And(parts):
                for part in sorted(parts, key=_is_slow):
                    rows = self._select(part, rows)
                return rows
            case Or(parts):
                matching = {row for part in parts for row in self._select(part, rows)}
                return [row for row in rows if row in matching]
            case Not(part):
                excluded = set(self._select(part, rows))
                return [row for row in rows if row not in excluded]
            case Literal(value):
                return _containing(value, self._texts, rows)
            case Pattern() | Fuzzy():
                return self._occurring(node, rows)

    def _occurring(self, term: Pattern | Fuzzy, rows: Sequence[int]) -> list[int]:
        """Return the rows with the term; what rows have in common is looked at only once."""
        matching: set[int] = set()
        for column in self._common:
            matching_values = set(filter(term.occurs_in, column.distinct))
            if matching_values:
                values = column.values
                matching.update(row for row in rows if values[row] in matching_values)
        candidates: set[int] = set() if term.clues else set(rows)
        for clue in term.clues:
            candidates.update(_containing(clue, self._own, rows))
        own, occurs_in = self._own, term.occurs_in
        matching.update(row for row in candidates - matching if occurs_in(own[row]))
        return [row for row in rows if row in matching]


def _is_slow(node: Node) -> bool:
    """Tell whether other parts of a query are better looked at first."""
    return not isinstance(node, Literal)


def _containing(value: str, texts: list[str], rows: Sequence[int]) -> list[int]:
    if len(rows) == len(texts):
        return [row for row, text in enumerate(texts) if value in text]
    return [row for row in rows if value in texts[row]]


def _normalised(values: Sequence[str]) -> list[str]:
    """Return the fields of a column in their normal form, line by line."""
    prepared = {value: _prepared(value) for value in dict.fromkeys(values)}
    return [prepared[value] for value in values]


def _prepared(value: str) -> str:
    if _LINE_END in value:
        return _LINE_END.join(map(_prepared, value.split(_LINE_END)))
    return normalised(value).strip()


def _joined(columns: list[list[str]]) -> list[str]:
    return list(map(_LINE_END.join, zip(*columns, strict=True)))


class Finder:
    """Searches an index again and again while a query is typed.

    It remembers the last query and its result: where the next one can only match fewer rows, only
    those are looked at.
    """

    def __init__(self, index: Index) -> None:
        self.index = index
        self._query = Query()
        self._rows: list[int] = list(range(len(index)))

    def matches(self, query: Query) -> list[int]:
        """Return the numbers of the rows that match, in order, counted from 0."""
        if query != self._query:
            narrows = implies(query.root, self._query.root)
            self._rows = self.index.matches(query, self._rows if narrows else None)
            self._query = query
        return self._rows
