"""What is typed into a search row, put to the rows of a screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tui.search.index import Finder, Index
from tui.search.query import Query, parse_query


@dataclass(frozen=True, slots=True)
class Matches:
    """What a typed text matches."""

    rows: Sequence[int]
    """The numbers of the rows, in order, counted from 0."""
    highlighted: Query = field(default_factory=Query)
    """What to highlight in their texts."""
    missing: str = ""
    """What the text lacks to be a question; `rows` are all rows then."""
    caveat: str = ""
    """How sure the result is, for a place behind the count."""


class Search(Protocol):
    """The rows of a screen, to be searched again and again while somebody types."""

    def __len__(self) -> int:
        """Return how many rows there are."""
        ...

    def matches(self, text: str) -> Matches:
        """Return what `text` matches; everything where it is empty.

        Raises:
            QueryError: The text is faulty, however it goes on.
            UnfinishedQuery: Something is missing at the end.
        """
        ...

    def completion(self, text: str) -> str:
        """Return how `text` goes on, from its beginning; nothing where that can't be guessed."""
        ...


class TextSearch:
    """Searches an index by the query language."""

    def __init__(self, index: Index) -> None:
        self._finder = Finder(index)

    def __len__(self) -> int:
        return len(self._finder.index)

    def matches(self, text: str) -> Matches:
        """Return what `text` matches (see `Search.matches`)."""
        query = parse_query(text)
        return Matches(self._finder.matches(query), query)

    def completion(self, text: str) -> str:
        """Guess nothing: any text may stand in a row."""
        return ""
