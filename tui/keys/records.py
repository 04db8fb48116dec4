"""What is known of each key: what the server, the key's mark and this host's journal tell, joined.

The server's answer counts most, then the mark, then the journal. Where they contradict each other,
nothing is known; keys that are merely alike are asked about, and nothing more is made of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

from tui.api.models import Key
from tui.journal import CreateRecord
from tui.keys.key_history import KeyHistory, is_about
from tui.keys.key_record import KeyRecord, Knowledge, UnfinishedKind, UnfinishedRotation
from tui.keys.labels import (
    SHORTEST_REFERENCE,
    comparable,
    has_torn_mark,
    key_reference,
    mark_of,
    may_come_of,
    nonce_of,
    retiring_since,
)
from tui.keys.listing import Listing
from tui.keys.presence import Worker
from tui.keys.write_outcomes import LANDING, OpenWrite

SAME_TIME = timedelta(minutes=15)
"""How far the clocks of a server and of this host may differ."""


class Records:
    """The records of a listing's keys: each look-up takes the same time however many there are."""

    def __init__(
        self,
        listing: Listing,
        history: KeyHistory,
        open_writes: Mapping[str, OpenWrite],
        username: str,
    ) -> None:
        """Join what is known; takes long, so it belongs in a thread.

        `username` is that of who is signed in, as the server told it, or nothing.
        """
        self._listing, self._open_writes, self._username = listing, open_writes, username
        self._history, self._server = history.current, history.server
        self._workers = dict(history.workers)
        self._marks = {
            key.id: mark for key in listing.perhaps_marked if (mark := mark_of(key.raw_label or ""))
        }
        self._torn = [
            key.id
            for key in listing.perhaps_marked
            if key.id not in self._marks and has_torn_mark(key.raw_label or "")
        ]
        self._by_nonce: dict[str, list[str]] = {}
        for key_id, mark in self._marks.items():
            if mark.nonce:
                self._by_nonce.setdefault(mark.nonce, []).append(key_id)
        self.located: list[tuple[CreateRecord, Key]] = []
        """The creates whose keys were found in the list, and are not in the journal yet."""
        creates = self._history.creates
        self._creates = [record for record in creates if self._is_of_this_server(record)]
        self._unsure: dict[str, CreateRecord] = {}
        """The creates of keys that, by their ids, may be listed, without short keys and marks."""
        self._created = self._created_keys()
        self._predecessors: dict[str, Key] = {}
        self._without_predecessor: set[str] = set()
        self._successors: dict[str, list[Key]] = {}
        self._pair()

    def __getitem__(self, key: Key) -> KeyRecord:
        """Return the record of a listed key."""
        return self._record(self._listing.by_id.get(key.id, key))

    @cached_property
    def unfinished(self) -> tuple[UnfinishedRotation, ...]:
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
        by_id = self._listing.by_id
        retiring = [
            UnfinishedRotation(UnfinishedKind.RETIRING, key, (), since)
            for key in reversed(self._listing.perhaps_marked)
            if key.id not in involved
            and key is by_id[key.id]
            and (since := retiring_since(key.raw_label or ""))
        ]
        marked = {each.predecessor.id for each in retiring} | self._marks.keys() | {*self._torn}
        return (*known, *retiring, *_alike(by_id.values(), involved | marked))

    @cached_property
    def never_stored(self) -> tuple[KeyRecord, ...]:
        """The keys that were created here and whose secrets nobody has."""
        return self._records_with(Knowledge.NEVER_STORED)

    @cached_property
    def perhaps_stored(self) -> tuple[KeyRecord, ...]:
        """The keys created here, or alike to such, whose secrets may be lost."""
        return self._records_with(Knowledge.PERHAPS_STORED)

    @property
    def left_marked(self) -> tuple[KeyRecord, ...]:
        """The keys that still carry a mark, though their predecessors are gone."""
        ids = [each for each in (*self._marks, *self._torn) if each in self._without_predecessor]
        return tuple(self._record(self._listing.by_id[key_id]) for key_id in ids)

    @property
    def to_unmark(self) -> tuple[Key, ...]:
        """Those of `left_marked` that are in use, as far as is known."""
        return tuple(
            record.key
            for record in self.left_marked
            if record.knowledge is not Knowledge.NEVER_STORED and record.key.id not in self.unclear
        )

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

    def rotation_of(self, key: Key) -> UnfinishedRotation | None:
        """Return the known rotation that a key is part of: as predecessor, else as successor."""
        predecessor = self._predecessors.get(key.id)
        if key.id in self._successors:
            return self._unfinished(self._listing.by_id[key.id], self._successors[key.id])
        if predecessor is not None:
            return self._unfinished(predecessor, [self._listing.by_id[key.id]])
        return None

    def alike(self, key: Key) -> UnfinishedRotation | None:
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
            has_heirs=bool(self.heirs(key)),
            is_kept=created is not None and self._is_kept(created),
            open_write=self._open_writes.get(key.id),
            worker=self._worker(key),
        )

    def heirs(self, key: Key) -> tuple[Key, ...]:
        """Return the keys that took the place meant for one whose secret may be lost.

        They were made here and stored; those that have been replaced count by their successors.
        """
        created = self._created.get(key.id)
        if created is None or created.unstored is None or not created.predecessor:
            return ()
        places = [created.predecessor]
        heirs: list[Key] = []
        for place in places:  # it grows meanwhile
            for key_id, other in self._made_for.get(place, ()):
                if key_id not in self._created:
                    places += [key_id] if other.is_stored and key_id not in places else []
                elif key_id != key.id and self._is_held(self._listing.by_id[key_id]):
                    heirs.append(self._listing.by_id[key_id])
        return tuple(heirs)

    @cached_property
    def _made_for(self) -> Mapping[str, Sequence[tuple[str, CreateRecord]]]:
        """The successors that were created here and their ids, by those of their predecessors."""
        listed = {record.attempt_id: key_id for key_id, record in self._created.items()}
        made_for: dict[str, list[tuple[str, CreateRecord]]] = {}
        for record in self._creates:
            if key_id := listed.get(record.attempt_id, record.key_id):
                made_for.setdefault(record.predecessor, []).append((key_id, record))
        return made_for

    def _is_held(self, key: Key) -> bool:
        return self._knowledge(key) is Knowledge.HELD_SOMEWHERE

    def _unfinished(self, predecessor: Key, successors: list[Key]) -> UnfinishedRotation:
        ranks = {key.id: self._rank(key) for key in successors}
        best = min(ranks.values())
        chosen = tuple(key for key in successors if ranks[key.id] == best)
        newest = chosen[-1]
        return UnfinishedRotation(
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
            return (
                Knowledge.PERHAPS_STORED
                if self._may_be_of_lost_create(key)
                else Knowledge.NOT_KNOWN
            )
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

    def _records_with(self, knowledge: Knowledge) -> tuple[KeyRecord, ...]:
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
                elif key is not None and not key.raw_short_key and record.unstored is not None:
                    self._unsure[key.id] = record
            elif key_id := self._by_mark(record) or self._by_short_key(record):
                created[key_id] = record
                self.located.append((record, self._listing.by_id[key_id]))
        return created

    def _by_short_key(self, record: CreateRecord) -> str:
        """Return the id of the one key with the short key that the answer told, and its label."""
        names = record.newest
        fitting = [
            key.id
            for key in (self._listing.keys if names.short_key else ())
            if names.short_key == key.raw_short_key
            and may_come_of(key.raw_label or "", names.label, short_key_fits=True)
            and not (key.created_at and key.created_at < record.began - SAME_TIME)
        ]
        return fitting[0] if len(fitting) == 1 else ""

    def _by_mark(self, record: CreateRecord) -> str:
        """Return the id of the one key whose mark names this create, or nothing."""
        key_ids = self._by_nonce.get(nonce_of(record.attempt_id), [])
        if len(key_ids) != 1 or not record.predecessor:
            return ""
        return key_ids[0] if self._marks[key_ids[0]].is_about(record.predecessor) else ""

    def _pair(self) -> None:
        """Find the predecessors of all keys that have a mark or were created here."""
        wanted = {mark.reference[:SHORTEST_REFERENCE] for mark in self._marks.values()}
        by_reference: dict[str, list[Key]] = {}
        for key in self._listing.by_id.values() if wanted else ():
            if (reference := key_reference(key.id)[:SHORTEST_REFERENCE]) in wanted:
                by_reference.setdefault(reference, []).append(key)
        for key_id in dict.fromkeys((*self._created, *self._marks)):
            created, mark = self._created.get(key_id), self._marks.get(key_id)
            named = created.predecessor if created is not None else ""
            if named and mark and not mark.is_about(named):
                continue  # a contradiction
            key = self._listing.by_id[key_id]
            if named:
                predecessor = self._listing.by_id.get(named)
                is_gone = self._listing.lacks(named)
            elif mark is None or len(self._by_nonce.get(mark.nonce, ())) > 1:
                continue
            else:
                about = by_reference.get(mark.reference[:SHORTEST_REFERENCE], ())
                candidates = [other for other in about if mark.is_about(other.id)]
                fitting = [
                    other for other in candidates if mark.may_name(other.raw_short_key or "")
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
        in_doubt = self._lost_creates or self._unsure
        keys = self._listing.by_id.values() if in_doubt else ()
        return [key.id for key in keys if self._may_be_of_lost_create(key)]

    def _may_be_of_lost_create(self, key: Key) -> bool:
        """Tell whether a key may have come of a create whose outcome is not known, or may not."""
        is_in_doubt = bool(self._lost_creates) or key.id in self._unsure
        if not is_in_doubt or key.id in self._created:
            return False
        named_at, label = self._first_named.get(key.id), comparable(key.raw_label or "")
        record = self._unsure.get(key.id)
        is_told = record is not None and comparable(record.newest.label) == label
        if record is not None and (is_told or key.created_at):  # its date tells as well as a label
            return self._may_come_of(key, record)
        return any(
            (named_at is None or record.began < named_at)  # else it was there before
            and self._may_come_of(key, record)
            for record in self._lost_creates.get(label, ())
        )

    def _may_come_of(self, key: Key, record: CreateRecord) -> bool:
        """Tell whether date and owner of a key allow that it came of a create.

        The home of this journal may have several users, so that who is signed in proves nothing.
        """
        owner, username = key.raw_username, record.newest.username
        is_of_another = owner not in (None, username) and username in self._usernames
        return not is_of_another and _has_fitting_date(key, record.began)

    @cached_property
    def _usernames(self) -> frozenset[str]:
        """The user names that the server told: one that was only typed may be an address."""
        owners = (key.raw_username or "" for key in self._listing.keys)
        return frozenset((self._username, *owners)) - {""}

    @cached_property
    def _lost_creates(self) -> Mapping[str, list[CreateRecord]]:
        """The creates without a known outcome, by their keys' labels."""
        located = {record.attempt_id for record, _ in self.located}
        lost: dict[str, list[CreateRecord]] = {}
        for record in self._creates:
            line = record.unstored
            if line is not None and not line.key_id and record.attempt_id not in located:
                lost.setdefault(comparable(line.label), []).append(record)
        return lost

    @cached_property
    def _first_named(self) -> Mapping[str, datetime]:
        """When the journal first names a key as a predecessor, by id: it was there by then."""
        named: dict[str, datetime] = {}
        for record in self._creates:
            earliest = named.get(record.predecessor, record.began)
            named[record.predecessor] = min(earliest, record.began)
        return named


def _has_fitting_date(key: Key, began: datetime) -> bool:
    """Tell whether the date of a key allows that a create which began then made it."""
    made = key.created_at
    return made is None or began - SAME_TIME < made < began + LANDING + SAME_TIME


def _alike(keys: Collection[Key], explained: Set[str]) -> Iterator[UnfinishedRotation]:
    """Yield keys that share label, grants and addresses, but for those with the `explained` ids.

    The order of a list is not their age.
    """
    counts = Counter(key.raw_label for key in keys)
    if len(counts) == len(keys):  # as in most lists, and long ones take long
        return
    groups: dict[Hashable, list[Key]] = {}
    for key in keys:
        if counts[key.raw_label] < 2 or key.raw_grants is None or key.id in explained:
            continue
        if key.label.strip():
            groups.setdefault((key.raw_label, key.subaccount_id or 0), []).append(key)
    for namesakes in groups.values():
        alike: dict[Hashable, list[Key]] = {}
        for key in namesakes if len(namesakes) > 1 else ():
            likeness = frozenset(key.grants), frozenset(key.raw_valid_ips or ())
            alike.setdefault(likeness, []).append(key)
        for same in alike.values():
            if len(same) > 1:
                first, *others = sorted(same, key=lambda key: key.created_at or _BEFORE_ALL)
                yield UnfinishedRotation(UnfinishedKind.ALIKE, first, tuple(others))


_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
