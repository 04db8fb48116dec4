"""Which parts of a shown text a query matches."""

from __future__ import annotations

from tui.search.normal_form import aligned
from tui.search.query import Query


def spans(query: Query, text: str) -> list[tuple[int, int]]:
    """Return the parts of `text` to highlight, as (start, end), in order and apart from each other.

    The places count characters of `text` as given, whatever its normal form is. What the query
    excludes is never highlighted; a text of one field may have no spans though its row matches.
    """
    terms = query.terms
    if not terms or not text:
        return []
    alignment = aligned(text)
    parts = sorted(
        alignment.original_span(start, end)
        for term in terms
        for start, end in term.spans(alignment.normal)
    )
    merged: list[tuple[int, int]] = []
    for start, end in parts:
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
