"""What is known of each key: what the server, the key's mark and this host's journal tell, joined.

The server's answer counts most, then the mark, then the journal. Where they contradict each other,
nothing is known; keys that are merely alike are asked about, and nothing more is made of it.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import cached_property

from tui.api.models import Key
from tui.journal import (
    LONGEST,
    CreateRecord,
    Journal,
    JournalEntry,
    JournalSnapshot,
    create_records,
    open_attempts,
)
from tui.keys.guard import differences
from tui.keys.labels import (
    Mark,
    base_label,
    has_torn_mark,
    key_reference,
    mark_of,
    may_name,
    nonce_of,
    retiring_since,
)
from tui.keys.listing import Listing
from tui.keys.presence import Presence, Worker
from tui.keys.write_outcomes import LANDING, OpenWrite

SAME_TIME = timedelta(minutes=15)
"""How far the clocks of a server and of this host may differ."""


class Knowledge(Enum):
    """What is known about the secret of a key."""

    HELD_SOMEWHERE = "stored"
    """It was stored, or seen to work with a secret that somebody has."""
    NEVER_STORED = "never stored"
    """The key was created here, and the whole account of that says nothing of storing."""
    PERHAPS_STORED = "perhaps stored"
    """As before, but a delivery was cut off, the secret is kept for the next sign-in, or there is a
    line that is not understood."""
    NOT_KNOWN = "not known"
    """The key was created elsewhere, or is being created by another instance."""


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One key and what is known of it; `successors` are those that are listed.

    `has_lost_predecessor` says that it was made to succeed a key that is not there any more.
    `is_orphan` says that nobody has its secret and that another key took the place meant for it;
    `is_kept`, that its secret is kept here for the next sign-in.
    """

    key: Key
    mark: Mark | None = None
    created: CreateRecord | None = None
    knowledge: Knowledge = Knowledge.NOT_KNOWN
    predecessor: Key | None = None
    successors: tuple[Key, ...] = ()
    has_lost_predecessor: bool = False
    is_orphan: bool = False
    is_kept: bool = False
    open_write: OpenWrite | None = None
    worker: Worker | None = None

    @property
    def is_proven(self) -> bool:
        """Whether its secret is stored and it was shown to work, as is known here."""
        return (
            self.knowledge is Knowledge.HELD_SOMEWHERE
            and self.created is not None
            and self.created.is_verified
        )


class UnfinishedKind(Enum):
    """How an unfinished rotation is known."""

    KNOWN = "known"
    """A mark or the journal tells that one key was made to succeed the other."""
    RETIRING = "retiring"
    """An earlier version marked the key as retiring; nothing tells its successor."""
    ALIKE = "alike"
    """Keys are alike, and nothing more is known: they may have nothing to do with each other."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A key and what may be its successors: of known ones those that are of most use.

    `known` is what the journal here knows of the successor, where there is exactly one. `since` is
    the day on which it was created, or that of the predecessor's mark.
    """

    kind: UnfinishedKind
    predecessor: Key
    successors: tuple[Key, ...] = ()
    since: date | None = None
    known: CreateRecord | None = None
    knowledge: Knowledge = Knowledge.NOT_KNOWN
    worker: Worker | None = None

    @property
    def is_proven(self) -> bool:
        """Whether the successor is stored and was shown to work, as is known here."""
        is_verified = self.known is not None and self.known.is_verified
        return self.knowledge is Knowledge.HELD_SOMEWHERE and is_verified

    @property
    def is_stored(self) -> bool:
        """Whether the successor's secret is known to be stored."""
        return self.knowledge is Knowledge.HELD_SOMEWHERE

    @property
    def differences(self) -> str:
        """In which of grants and allowed IPs the successors differ from the predecessor."""
        texts = (differences(self.predecessor, successor) for successor in self.successors)
        return next(filter(None, texts), "")

    @property
    def is_known(self) -> bool:
        """Whether a mark or the journal tells of the rotation."""
        return self.kind is UnfinishedKind.KNOWN

    def involves(self, key: Key) -> bool:
        """Tell whether the key is the predecessor or one of the successors."""
        return key.id in {self.predecessor.id, *(successor.id for successor in self.successors)}


@dataclass(frozen=True)
class History:
    """The journal at one moment, taken apart: the creates, and the writes that are open."""

    snapshot: JournalSnapshot = field(default_factory=JournalSnapshot)
    creates: tuple[CreateRecord, ...] = ()
    open_attempts: tuple[JournalEntry, ...] = ()
    kept: frozenset[str] = frozenset()
    """The attempts whose secrets are kept for the next sign-in (delivery.recovery)."""


class Records:
    """The records of a listing's keys: each look-up takes the same time however many there are."""

    def __init__(
        self,
        listing: Listing,
        history: History,
        server: str,
        open_writes: Mapping[str, OpenWrite],
        workers: Mapping[str, Worker],
        is_foreign: Callable[[Key], bool],
    ) -> None:
        self._listing, self._history, self._server = listing, history, server
        self._open_writes, self._workers, self._is_foreign = open_writes, workers, is_foreign
        self._marks = {
            key.id: mark
            for key in listing.keys
            if (key.raw_label or "").endswith(")") and (mark := mark_of(key.raw_label or ""))
        }
        self._torn = [
            key.id
            for key in listing.keys
            if "(" in (key.raw_label or "") and has_torn_mark(key.raw_label or "")
        ]
        self._by_nonce: dict[str, list[str]] = {}
        for key_id, mark in self._marks.items():
            self._by_nonce.setdefault(mark.nonce, []).append(key_id)
        self.located: list[tuple[CreateRecord, Key]] = []
        """The creates whose keys were found by their marks, and are not in the journal yet."""
        self._creates = [record for record in history.creates if self._is_of_this_server(record)]
        self._created = self._created_keys()
        self._predecessors: dict[str, Key] = {}
        self._without_predecessor: set[str] = set()
        self._successors: dict[str, list[Key]] = {}
        self._pair()

    def __getitem__(self, key: Key) -> KeyRecord:
        """Return the record of a listed key."""
        return self._record(self._listing.by_id.get(key.id, key))

    @cached_property
    def unfinished(self) -> tuple[Unfinished, ...]:
        """The rotations that were started and not finished: known ones, old marks, alike keys."""
        known = [
            self._unfinished(self._listing.by_id[key_id], successors)
            for key_id, successors in self._successors.items()
        ]
        involved = {
            key.id
            for key_id, successors in self._successors.items()
            for key in (self._listing.by_id[key_id], *successors)
        }
        rest = [key for key in self._listing.by_id.values() if key.id not in involved]
        retiring = [
            Unfinished(UnfinishedKind.RETIRING, key, (), since)
            for key in rest
            if (key.raw_label or "").endswith(")")
            and (since := retiring_since(key.raw_label or ""))
        ]
        marked = {each.predecessor.id for each in retiring} | self._marks.keys() | {*self._torn}
        alike = _alike(key for key in rest if key.id not in marked)
        return (*known, *retiring, *alike)

    @cached_property
    def never_stored(self) -> tuple[KeyRecord, ...]:
        """The keys that were created here and whose secrets nobody has."""
        return self._of_knowledge(Knowledge.NEVER_STORED)

    @cached_property
    def perhaps_stored(self) -> tuple[KeyRecord, ...]:
        """The keys created here, or alike to such, whose secrets may be lost."""
        return self._of_knowledge(Knowledge.PERHAPS_STORED)

    @property
    def left_marked(self) -> tuple[KeyRecord, ...]:
        """The keys that still carry the mark of a successor, though their predecessors are gone."""
        marked = [key_id for key_id in self._marks if key_id in self._without_predecessor]
        torn = [key_id for key_id in self._torn if key_id in self._without_predecessor]
        return tuple(self._record(self._listing.by_id[key_id]) for key_id in (*marked, *torn))

    @cached_property
    def orphans(self) -> frozenset[str]:
        """The ids of keys whose secrets nobody has, and whose places others took."""
        return frozenset(record.key.id for record in self.never_stored if record.is_orphan)

    @cached_property
    def unclear(self) -> frozenset[str]:
        """The ids of keys of which it is not known whether anybody has the secret.

        Among them are those that share a predecessor which is gone, if nothing more is known here.
        """
        by_reference: dict[str, list[str]] = {}
        for key_id in self._without_predecessor & self._marks.keys() - self._created.keys():
            by_reference.setdefault(self._marks[key_id].reference, []).append(key_id)
        siblings = (ids for ids in by_reference.values() if len(ids) > 1)
        return frozenset(record.key.id for record in self.perhaps_stored).union(*siblings)

    @property
    def marked(self) -> tuple[KeyRecord, ...]:
        """The keys that carry the mark of a successor."""
        return tuple(self._record(self._listing.by_id[key_id]) for key_id in self._marks)

    @property
    def open_writes(self) -> Mapping[str, OpenWrite]:
        """The writes to listed keys that may still take effect, by key id."""
        return self._open_writes

    def rotation_of(self, key: Key) -> Unfinished | None:
        """Return the known rotation that a key is part of: as predecessor, else as successor."""
        predecessor = self._predecessors.get(key.id)
        if key.id in self._successors:
            return self._unfinished(self._listing.by_id[key.id], self._successors[key.id])
        if predecessor is not None:
            return self._unfinished(predecessor, [self._listing.by_id[key.id]])
        return None

    def alike(self, key: Key) -> Unfinished | None:
        """Return the keys that are alike to this one, of which nothing more is known."""
        for unfinished in self.unfinished:
            if unfinished.kind is UnfinishedKind.ALIKE and unfinished.involves(key):
                return unfinished
        return None

    def partners(self, key: Key) -> tuple[Key, ...]:
        """Return the keys that are to stay or go in this one's stead: all of one rotation."""
        predecessor = self._predecessors.get(key.id)
        of_predecessor = (
            (predecessor, *self._successors.get(predecessor.id, ())) if predecessor else ()
        )
        all_of_them = (*of_predecessor, *self._successors.get(key.id, ()))
        return tuple(other for other in all_of_them if other.id != key.id)

    def _record(self, key: Key) -> KeyRecord:
        created = self._created.get(key.id)
        knowledge = self._knowledge(key)
        predecessor = self._predecessors.get(key.id)
        return KeyRecord(
            key=key,
            mark=self._marks.get(key.id),
            created=created,
            knowledge=knowledge,
            predecessor=predecessor,
            successors=tuple(self._successors.get(key.id, ())),
            has_lost_predecessor=key.id in self._without_predecessor,
            is_orphan=knowledge is Knowledge.NEVER_STORED and bool(self.heirs(key)),
            is_kept=created is not None and self._is_kept(created),
            open_write=self._open_writes.get(key.id),
            worker=self._worker(key),
        )

    def heirs(self, key: Key) -> tuple[Key, ...]:
        """Return the other keys that were made here for the same purpose, and stored."""
        created = self._created.get(key.id)
        if created is None or not created.predecessor:
            return ()
        others = (
            self._listing.by_id[other_id]
            for other_id, other in self._created.items()
            if other.predecessor == created.predecessor and other_id != key.id
        )
        return tuple(
            other for other in others if self._knowledge(other) is Knowledge.HELD_SOMEWHERE
        )

    def _unfinished(self, predecessor: Key, successors: list[Key]) -> Unfinished:
        ranks = {key.id: self._rank(key) for key in successors}
        best = min(ranks.values())
        chosen = tuple(key for key in successors if ranks[key.id] == best)
        newest = chosen[-1]
        return Unfinished(
            UnfinishedKind.KNOWN,
            predecessor,
            chosen,
            newest.created_at.date() if newest.created_at else None,
            self._created.get(newest.id) if len(chosen) == 1 else None,
            self._knowledge(newest),
            self._worker(predecessor) or self._worker(newest),
        )

    def _rank(self, key: Key) -> int:
        """Return how far the successor is from being the one that stays."""
        created = self._created.get(key.id)
        knowledge = self._knowledge(key)
        if knowledge is Knowledge.HELD_SOMEWHERE:
            return 0 if created is not None and created.is_verified else 1
        return 3 if knowledge is Knowledge.NEVER_STORED else 2

    def _knowledge(self, key: Key) -> Knowledge:
        created = self._created.get(key.id)
        if created is None:
            return Knowledge.PERHAPS_STORED if self._may_be_ours(key) else Knowledge.NOT_KNOWN
        if created.attempt_id in self._workers or created.predecessor in self._workers:
            return Knowledge.NOT_KNOWN
        if created.unstored is None:
            return Knowledge.HELD_SOMEWHERE if created.is_stored else Knowledge.NOT_KNOWN
        if created.is_in_delivery or self._is_kept(created) or self._is_doubted(created, key):
            return Knowledge.PERHAPS_STORED
        return Knowledge.NEVER_STORED

    def _is_doubted(self, created: CreateRecord, key: Key) -> bool:
        lines = (replace(line, key_id=key.id, short_key=key.short_key) for line in created.lines)
        return created.is_doubted or any(map(self._history.snapshot.doubts, lines))

    def _is_kept(self, created: CreateRecord) -> bool:
        return created.attempt_id in self._history.kept

    def _of_knowledge(self, knowledge: Knowledge) -> tuple[KeyRecord, ...]:
        candidates = dict.fromkeys((*self._created, *self._alike_to_lost))
        records = (
            self._record(self._listing.by_id[key_id])
            for key_id in candidates
            if self._knowledge(self._listing.by_id[key_id]) is knowledge
        )
        return tuple(records)

    def _worker(self, key: Key) -> Worker | None:
        created = self._created.get(key.id)
        names = (key.id, created.attempt_id, created.predecessor) if created else (key.id,)
        return next((self._workers[name] for name in names if name in self._workers), None)

    def _is_of_this_server(self, record: CreateRecord) -> bool:
        """Tell whether a create was sent to this server, perhaps under another of its addresses."""
        newest = record.newest
        if newest.server == self._server or nonce_of(record.attempt_id) in self._by_nonce:
            return True
        key = self._listing.by_id.get(newest.key_id) if newest.key_id else None
        return key is not None and bool(newest.short_key) and newest.short_key == key.raw_short_key

    def _created_keys(self) -> dict[str, CreateRecord]:
        """Return the creates by the ids of the listed keys that came of them."""
        created: dict[str, CreateRecord] = {}
        for record in self._creates:
            if record.key_id:
                key = self._listing.by_id.get(record.key_id)
                if key is not None and is_about(record.newest, key):
                    created[key.id] = record
            elif key_id := self._by_mark(record):
                created[key_id] = record
                self.located.append((record, self._listing.by_id[key_id]))
        return created

    def _by_mark(self, record: CreateRecord) -> str:
        """Return the id of the one key whose mark names this create, or nothing."""
        key_ids = self._by_nonce.get(nonce_of(record.attempt_id), [])
        if len(key_ids) != 1 or not record.predecessor:
            return ""
        is_its = self._marks[key_ids[0]].reference == key_reference(record.predecessor)
        return key_ids[0] if is_its else ""

    def _pair(self) -> None:
        """Find the predecessors of all keys that have a mark or were created here."""
        wanted = {mark.reference for mark in self._marks.values()}
        by_reference: dict[str, list[Key]] = {}
        for key in self._listing.by_id.values() if wanted else ():
            if (reference := key_reference(key.id)) in wanted:
                by_reference.setdefault(reference, []).append(key)
        for key_id in dict.fromkeys((*self._created, *self._marks)):
            created, mark = self._created.get(key_id), self._marks.get(key_id)
            named = created.predecessor if created is not None else ""
            if named and mark and mark.reference != key_reference(named):
                continue  # a contradiction
            if not named and (mark is None or len(self._by_nonce[mark.nonce]) > 1):
                continue
            key = self._listing.by_id[key_id]
            if named:
                predecessor = self._listing.by_id.get(named)
                is_gone = self._listing.lacks(named)
            else:
                candidates = by_reference.get(mark.reference, []) if mark else []
                fitting = [
                    other
                    for other in candidates
                    if mark is not None and may_name(mark, other.raw_short_key or "")
                ]
                predecessor = fitting[0] if len(fitting) == 1 else None
                is_gone = not candidates and self._listing.is_whole
            if predecessor is not None and predecessor.id != key.id:
                self._predecessors[key.id] = predecessor
                self._successors.setdefault(predecessor.id, []).append(key)
            elif is_gone:
                self._without_predecessor.add(key.id)

    @property
    def _alike_to_lost(self) -> list[str]:
        keys = self._listing.by_id.values() if self._lost_creates else ()
        return [key.id for key in keys if self._may_be_ours(key)]

    def _may_be_ours(self, key: Key) -> bool:
        """Tell whether a key may have come of a create whose outcome is not known, or may not."""
        if not self._lost_creates or key.id in self._created or self._is_foreign(key):
            return False
        named_at, created_at = self._named.get(key.id), key.created_at
        return any(
            (named_at is None or began < named_at)  # else it was there before
            and (created_at is None or began - SAME_TIME < created_at < began + LANDING + SAME_TIME)
            for began in self._lost_creates.get(_comparable(key.raw_label or ""), ())
        )

    @cached_property
    def _lost_creates(self) -> Mapping[str, list[datetime]]:
        """When creates without a known outcome began, by their keys' labels."""
        located = {record.attempt_id for record, _ in self.located}
        times: dict[str, list[datetime]] = {}
        for record in self._creates:
            line = record.unstored
            if line is not None and not line.key_id and record.attempt_id not in located:
                times.setdefault(_comparable(line.label), []).append(record.began)
        return times

    @cached_property
    def _named(self) -> Mapping[str, datetime]:
        """When the journal first names a key as a predecessor, by id: it was there by then."""
        named: dict[str, datetime] = {}
        for record in self._creates:
            earliest = named.get(record.predecessor, record.began)
            named[record.predecessor] = min(earliest, record.began)
        return named


class KeyHistory:
    """The journal and the other instances at work, as the records of a server's keys need them.

    Files are read in threads, and taken apart again only once they have changed.
    """

    def __init__(
        self,
        journal: Journal,
        server: str,
        presence: Presence,
        kept: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        self._journal, self._server, self._presence, self._kept = journal, server, presence, kept
        self.current = History()

    async def refresh(self) -> History:
        """Read the journal, and what other instances work on."""
        return await asyncio.to_thread(self._read)

    def is_about_this_server(self, entry: JournalEntry, listing: Listing) -> bool:
        """Tell whether a line is about a listed key, under whatever address of the server."""
        key = listing.by_id.get(entry.key_id)
        if key is None:
            return entry.server == self._server
        if entry.server != self._server and not entry.short_key:
            return False
        return is_about(entry, key)

    def records(
        self,
        listing: Listing,
        open_writes: Mapping[str, OpenWrite],
        is_foreign: Callable[[Key], bool],
    ) -> Records:
        """Return the records of a listing's keys; takes long, so it belongs in a thread."""
        workers = dict(self._presence.others)
        return Records(listing, self.current, self._server, open_writes, workers, is_foreign)

    def _read(self) -> History:
        snapshot = self._journal.read()
        self._presence.read()
        kept = self._kept()
        if snapshot is not self.current.snapshot:
            entries = snapshot.entries[::-1]
            creates = create_records(entries, snapshot.doubts)
            self.current = History(snapshot, creates, open_attempts(entries), kept)
        elif kept != self.current.kept:
            self.current = replace(self.current, kept=kept)
        return self.current


def is_about(entry: JournalEntry, key: Key) -> bool:
    """Tell whether a journal line with this key's id is about it: ids come again on new servers."""
    if entry.short_key and key.raw_short_key:
        return entry.short_key == key.raw_short_key[: len(entry.short_key)]
    # Without short keys, a label that has lost its mark tells no key from one of a new server.
    noted, listed = _folded(entry.label), _folded(key.raw_label or "")
    is_cut = noted.startswith(listed) and listed != _comparable(entry.label)
    return not noted or not listed or noted == listed or is_cut


def _comparable(label: str) -> str:
    """Return a label without marks as servers that trim, fold and normalise would all keep it."""
    return _folded(base_label(label[:LONGEST].strip()))


def _folded(label: str) -> str:
    return unicodedata.normalize("NFC", label[:LONGEST].strip()).strip().casefold()


def _alike(keys: Iterable[Key]) -> Iterator[Unfinished]:
    """Yield keys that share label, grants and addresses; the order of a list is not their age."""
    keys = [key for key in keys if key.raw_grants is not None]
    counts = Counter(key.raw_label for key in keys)  # nearly all labels of a long list are unique
    groups: dict[Hashable, list[Key]] = {}
    for key in keys:
        if counts[key.raw_label] > 1 and key.label.strip():
            groups.setdefault((key.raw_label, key.subaccount_id or 0), []).append(key)
    for namesakes in groups.values():
        alike: dict[Hashable, list[Key]] = {}
        for key in namesakes if len(namesakes) > 1 else ():
            likeness = frozenset(key.grants), frozenset(key.raw_valid_ips or ())
            alike.setdefault(likeness, []).append(key)
        for same in alike.values():
            if len(same) > 1:
                first, *others = sorted(same, key=lambda key: key.created_at or _BEFORE_ALL)
                yield Unfinished(UnfinishedKind.ALIKE, first, tuple(others))


_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
