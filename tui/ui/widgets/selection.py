"""Which keys the operator has marked, by id, so that reloads, filters and orders keep it."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from tui.api.models import Key

_ID = attrgetter("id")
"""Several times as fast as a loop over a long list."""


class Selection:
    """The marked keys; what is not shown at the moment stays marked, but does not count."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._hidden = 0
        self._range_start = -1
        self._before_range: set[str] = set()

    def __contains__(self, key_id: str) -> bool:
        return key_id in self._ids

    @property
    def count(self) -> int:
        """How many of the shown keys are marked."""
        return len(self._ids) - self._hidden

    def among(self, keys: Sequence[Key]) -> tuple[Key, ...]:
        """Return the marked ones of these keys in their order, each id once."""
        ids = self._ids
        marked: dict[str, Key] = {}
        for key in [key for key in keys if key.id in ids] if ids else ():
            marked.setdefault(key.id, key)
        return tuple(marked.values())

    def set_shown(self, keys: Sequence[Key]) -> bool:
        """Take these keys as the shown ones; return whether `count` changed."""
        self.end_range()
        before = self._hidden
        if self._ids:
            self._hidden = len(self._ids) - len(self._ids.intersection(map(_ID, keys)))
        return self._hidden != before

    def toggle(self, key_id: str) -> None:
        """Mark a shown key, or unmark it."""
        self._ids ^= {key_id}

    def toggle_all(self, keys: Sequence[Key]) -> None:
        """Mark all keys that are shown, or none of them when all are marked."""
        ids = set(map(_ID, keys))
        if ids <= self._ids:
            self._ids -= ids
        else:
            self._ids |= ids

    def remove(self, keys: Sequence[Key]) -> None:
        """Unmark some of the shown keys."""
        self._ids.difference_update(map(_ID, keys))

    def clear(self) -> None:
        """Unmark everything, shown or not."""
        self._ids.clear()
        self._hidden = 0

    def stretch_range(self, keys: Sequence[Key], row: int, to: int) -> None:
        """Move the end of a range by one row, or start one; what it leaves is as it was before."""
        start = self._range_start
        if start < 0:
            start = self._range_start = row
            self._before_range = set(self._ids)
        self._ids.add(keys[start].id)
        if abs(to - start) > abs(row - start):
            self._ids.add(keys[to].id)
        elif to != row and keys[row].id not in self._before_range:
            self._ids.discard(keys[row].id)

    def end_range(self) -> None:
        """End the range: its marks stay, and the next one starts elsewhere."""
        self._range_start, self._before_range = -1, set()
