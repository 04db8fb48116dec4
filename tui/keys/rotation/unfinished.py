"""Rotations that were started and not finished: known from the journal, else by the list."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum

from tui.api.models import Key
from tui.journal import CreateRecord
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
    RECORDED = "recorded"
    """The journal here says that one key was created to succeed the other."""
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
    known: CreateRecord | None = None

    @property
    def is_proven(self) -> bool:
        """Whether the youngest successor is stored and was shown to work, as is known here."""
        return self.known is not None and self.known.is_stored and self.known.is_verified

    @property
    def state(self) -> State:
        """Where the rotation of the youngest successor stands."""
        if not self.successors:
            return State.PLANNED
        if self.kind is UnfinishedKind.OVERLAPPING:
            return State.OVERLAPPING
        if self.known is None or not self.known.is_stored:
            return State.INTERRUPTED
        return State.VERIFIED if self.known.is_verified else State.DELIVERED

    @property
    def is_certain(self) -> bool:
        """Whether a mark or the journal tells of the rotation, and not only that keys are alike."""
        return self.kind in {UnfinishedKind.OVERLAPPING, UnfinishedKind.RECORDED}

    def involves(self, key: Key) -> bool:
        """Tell whether the key is the predecessor or one of the successors."""
        return key.id in {self.predecessor.id, *(successor.id for successor in self.successors)}


async def unfinished_rotations(service: KeyService) -> tuple[Unfinished, ...]:
    """Return the unfinished rotations of the server as last read, by its list and the journal."""
    records = await service.history.creates()
    return await asyncio.to_thread(find_unfinished, service.listing.keys, records)


def find_unfinished(
    keys: Iterable[Key], records: Iterable[CreateRecord] = ()
) -> tuple[Unfinished, ...]:
    """Return the rotations that are to be seen as unfinished, each key in one role only.

    The `records` of creates, oldest first, go before what labels suggest.
    """
    ordered = _oldest_first(keys)
    recorded = _recorded(ordered, records)
    marked: list[Key] = []
    unmarked: dict[Hashable, list[Key]] = {}
    recorded_ids = {
        key.id for pair in recorded.values() for key in (pair.predecessor, *pair.successors)
    }
    for key in ordered:
        if key.id in recorded_ids:
            continue
        if retiring_since(key.raw_label or ""):
            marked.append(key)
        else:
            unmarked.setdefault(_name(key), []).append(key)
    overlapping = [_overlapping(key, unmarked.get(_name(key), [])) for key in marked]
    for name in map(_name, marked):
        unmarked.pop(name, None)
    alike = [_maybe_interrupted(keys) for keys in _alike(unmarked.values())]
    return (*recorded.values(), *overlapping, *alike)


def _recorded(keys: list[Key], records: Iterable[CreateRecord]) -> dict[str, Unfinished]:
    """Return the rotations that the journal knows, by their predecessors' ids."""
    listed = {key.id: key for key in keys}
    rotations: dict[str, Unfinished] = {}
    successor_ids = set[str]()
    for record in records:
        old, new = listed.get(record.predecessor), listed.get(record.key_id)
        if not (record.predecessor and record.key_id) or old is None or new is None or old is new:
            continue
        if old.id in successor_ids or new.id in rotations:
            continue  # each key has one role
        successor_ids.add(new.id)
        since = retiring_since(old.raw_label or "")
        earlier = rotations[old.id].successors if old.id in rotations else ()
        rotations[old.id] = Unfinished(
            UnfinishedKind.OVERLAPPING if since else UnfinishedKind.RECORDED,
            old,
            (*(key for key in earlier if key.id != new.id), new),
            since or (new.created_at.date() if new.created_at else None),
            record,
        )
    return rotations


def _overlapping(predecessor: Key, namesakes: list[Key]) -> Unfinished:
    created = predecessor.created_at or _BEFORE_ALL
    successors = [key for key in namesakes if key.created_at is None or key.created_at >= created]
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
