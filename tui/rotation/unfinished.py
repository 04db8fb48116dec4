"""Rotations that somebody began and nobody finished, recognised from the list of keys alone."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum

from tui.api.models import Key
from tui.rotation.marks import base_label, retiring_since

_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


class Kind(Enum):
    """How an unfinished rotation looks in the list."""

    OVERLAPPING = "overlapping"
    """The predecessor is marked as retiring, and has a successor."""
    ALONE = "retiring without a successor"
    """The predecessor is marked as retiring, but finishing would leave no key of its label."""
    MAYBE_INTERRUPTED = "maybe interrupted"
    """Keys that are alike: the secrets of the younger ones may never have been stored."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A predecessor and what may be its successors, oldest first.

    `since` is the day of the mark or, without one, that on which the youngest was created.
    """

    kind: Kind
    predecessor: Key
    successors: tuple[Key, ...] = ()
    since: date | None = None


def find_unfinished(keys: Iterable[Key]) -> tuple[Unfinished, ...]:
    """Return the rotations that the list shows to be unfinished, each key in one role only."""
    marked: list[Key] = []
    named: dict[Hashable, list[Key]] = {}
    for key in _oldest_first(keys):
        if retiring_since(key.raw_label or ""):
            marked.append(key)
        else:
            named.setdefault(_name(key), []).append(key)
    found = [_overlapping(key, named.get(_name(key), [])) for key in marked]
    for name in map(_name, marked):
        named.pop(name, None)
    found += [_maybe_interrupted(same) for same in _alike(named.values())]
    return tuple(found)


def _overlapping(predecessor: Key, named: list[Key]) -> Unfinished:
    born = predecessor.created_at or _BEFORE_ALL
    successors = [key for key in named if key.created_at is None or key.created_at >= born]
    kind = Kind.OVERLAPPING if successors else Kind.ALONE
    since = retiring_since(predecessor.raw_label or "")
    return Unfinished(kind, predecessor, tuple(successors), since)


def _maybe_interrupted(same: list[Key]) -> Unfinished:
    oldest, *younger = same
    created = younger[-1].created_at
    return Unfinished(
        Kind.MAYBE_INTERRUPTED, oldest, tuple(younger), created.date() if created else None
    )


def _oldest_first(keys: Iterable[Key]) -> list[Key]:
    """Return the keys by age, in the server's order where it tells none, equal ids once."""
    once = {key.id: key for key in keys}
    return sorted(once.values(), key=lambda key: key.created_at or _BEFORE_ALL)


def _name(key: Key) -> Hashable:
    return base_label(key.raw_label or ""), key.subaccount_id or 0


def _alike(namesakes: Iterable[list[Key]]) -> Iterator[list[Key]]:
    """Yield keys that share a label, grants and addresses; most labels are one key's only."""
    for keys in namesakes:
        alike: dict[Hashable, list[Key]] = {}
        for key in keys if len(keys) > 1 else ():
            if key.label.strip() and key.raw_grants is not None:
                likeness = frozenset(key.grants), frozenset(key.raw_valid_ips or ())
                alike.setdefault(likeness, []).append(key)
        yield from (same for same in alike.values() if len(same) > 1)
