"""Searching API keys: by what stands in their rows, and by what they may do."""

from __future__ import annotations

from collections.abc import Sequence

from tui.api.grants import Catalogue
from tui.api.models import Key
from tui.search.key_rows import index_of_keys
from tui.search.matches import Matches, TextSearch
from tui.search.normal_form import normalised
from tui.search.permissions import (
    PREFIX,
    asks_who_may,
    completions,
    grants_allowing,
    is_documented,
    parse_request,
)
from tui.search.query import Query, UnfinishedQuery, prepare
from tui.search.terms import Literal, Or


class KeySearch:
    """Answers queries, and `may POST /api/v1/transmissions`: who may do this?

    Made once for a listing, in a thread: 100,000 keys take some tenths of a second.
    """

    def __init__(self, keys: Sequence[Key], catalogue: Catalogue, prefix: str = PREFIX) -> None:
        prepare()
        self._text = TextSearch(index_of_keys(keys, catalogue))
        self._catalogue, self._prefix = catalogue, prefix
        self._grants = [key.grants for key in keys]
        self._combinations = frozenset(self._grants)
        self._held = frozenset(grant for grants in self._combinations for grant in grants)
        listed = (grant.key for grant in catalogue.grants)
        self._known = tuple(dict.fromkeys([*listed, *sorted(self._held)]))

    def __len__(self) -> int:
        return len(self._text)

    def matches(self, text: str) -> Matches:
        """Return what `text` matches (see `Search.matches`)."""
        return self._who_may(text) if asks_who_may(text) else self._text.matches(text)

    def completion(self, text: str) -> str:
        """Return the first request that goes on as `text` does."""
        if not asks_who_may(text):
            return ""
        typed = text.lstrip()[len("may") :].lstrip()
        beginning = text[: len(text) - len(typed)]
        requests = (
            beginning + request for request in completions(typed, self._known, self._prefix)
        )
        folded = text.casefold()
        return next((r for r in requests if r.casefold().startswith(folded) and r != text), "")

    def _who_may(self, text: str) -> Matches:
        """Return the keys that may send a request; all of them until it is typed to its end."""
        everything = range(len(self))
        try:
            request = parse_request(text)
        except UnfinishedQuery as error:
            return Matches(everything, missing=error.message)
        allowing = grants_allowing(request.method, request.path, self._known, self._prefix)
        if not allowing and (completion := self.completion(text)):
            path = completion[completion.index("/") :]
            return Matches(everything, missing=f"The path goes on: {path}")
        combinations = {c for c in self._combinations if not allowing.isdisjoint(c)}
        rows = [row for row, grants in enumerate(self._grants) if grants in combinations]
        labels = tuple(
            Literal(normalised(self._catalogue.label(grant))) for grant in sorted(allowing)
        )
        is_known = all(map(is_documented, self._held))
        caveat = "" if is_known else "as far as is known"
        return Matches(rows, Query(Or(labels)) if labels else Query(), caveat=caveat)
