"""Rotations that somebody began and nobody finished: known from the journal, else by the list."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum

from tui.api.models import Key
from tui.journal import Successor
from tui.keys.rotation.retiring_label import base_label, retiring_since
from tui.keys.rotation.states import State
from tui.keys.service import KeyService

_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


class UnfinishedKind(Enum):
    """How an unfinished rotation looks in the list."""

    OVERLAPPING = "overlapping"
    """The predecessor is marked as retiring, and has a successor."""
    ALONE = "retiring without a successor"
    """The predecessor is marked as retiring, but finishing would leave no key of its label."""
    BEGUN = "begun"
    """The journal here knows that one was made to succeed the other."""
    MAYBE_INTERRUPTED = "maybe interrupted"
    """Keys that are alike, and nothing more is known: they may have nothing to do with each other.
    """


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A predecessor and what may be its successors, oldest first.

    `since` is the day of the mark or, without one, that on which the youngest was created.
    `known` is what the journal here knows of the youngest, if anything.
    """

    kind: UnfinishedKind
    predecessor: Key
    successors: tuple[Key, ...] = ()
    since: date | None = None
    known: Successor | None = None

    @property
    def is_proven(self) -> bool:
        """Whether the youngest successor is stored and was shown to work, as is known here."""
        return self.known is not None and self.known.is_stored and self.known.is_verified


def stands_at(kind: UnfinishedKind, known: Successor | None) -> State:
    """Return where a rotation stands that was begun earlier, by what is known of its successor."""
    if kind is UnfinishedKind.OVERLAPPING:
        return State.OVERLAPPING
    if kind is not UnfinishedKind.BEGUN or known is None or not known.is_stored:
        return State.INTERRUPTED
    return State.VERIFIED if known.is_verified else State.DELIVERED


def unfinished_rotations(service: KeyService) -> tuple[Unfinished, ...]:
    """Return the unfinished rotations of the server as last read, by its list and the journal."""
    return find_unfinished(service.listing.keys, service.noted.successors)


def find_unfinished(keys: Iterable[Key], known: Iterable[Successor] = ()) -> tuple[Unfinished, ...]:
    """Return the rotations that are to be seen as unfinished, each key in one role only.

    What is `known` of successors, oldest first, goes before what labels suggest.
    """
    ordered = _oldest_first(keys)
    linked = _linked(ordered, known)
    marked: list[Key] = []
    named: dict[Hashable, list[Key]] = {}
    taken = {key.id for one in linked.values() for key in (one.predecessor, *one.successors)}
    for key in ordered:
        if key.id in taken:
            continue
        if retiring_since(key.raw_label or ""):
            marked.append(key)
        else:
            named.setdefault(_name(key), []).append(key)
    found = [*linked.values(), *(_overlapping(key, named.get(_name(key), [])) for key in marked)]
    for name in map(_name, marked):
        named.pop(name, None)
    found += [_maybe_interrupted(same) for same in _alike(named.values())]
    return tuple(found)


def _linked(keys: list[Key], known: Iterable[Successor]) -> dict[str, Unfinished]:
    """Return the rotations that the journal knows, by their predecessors' ids."""
    listed = {key.id: key for key in keys}
    found: dict[str, Unfinished] = {}
    successors = set[str]()
    for one in known:
        old, new = listed.get(one.predecessor), listed.get(one.key_id)
        if old is None or new is None or old is new or old.id in successors or new.id in found:
            continue
        successors.add(new.id)
        since = retiring_since(old.raw_label or "")
        before = found[old.id].successors if old.id in found else ()
        found[old.id] = Unfinished(
            UnfinishedKind.OVERLAPPING if since else UnfinishedKind.BEGUN,
            old,
            (*(key for key in before if key.id != new.id), new),
            since or (new.created_at.date() if new.created_at else None),
            one,
        )
    return found


def _overlapping(predecessor: Key, named: list[Key]) -> Unfinished:
    born = predecessor.created_at or _BEFORE_ALL
    successors = [key for key in named if key.created_at is None or key.created_at >= born]
    kind = UnfinishedKind.OVERLAPPING if successors else UnfinishedKind.ALONE
    since = retiring_since(predecessor.raw_label or "")
    return Unfinished(kind, predecessor, tuple(successors), since)


def _maybe_interrupted(same: list[Key]) -> Unfinished:
    oldest, *younger = same
    created = younger[-1].created_at
    return Unfinished(
        UnfinishedKind.MAYBE_INTERRUPTED,
        oldest,
        tuple(younger),
        created.date() if created else None,
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
