"""What this operator's journal tells of the keys of one server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tui.api.models import Key
from tui.journal import (
    LONGEST,
    Attempt,
    CreateRecord,
    Journal,
    JournalSnapshot,
    create_records,
)

SAME_TIME = timedelta(minutes=5)
"""How far the clocks of a server and of this host may differ."""


@dataclass(frozen=True, slots=True)
class UnstoredKeys:
    """Listed keys that were created here and of whose secrets nothing says that they are stored.

    Of those `perhaps_stored`, the journal may say so in lines that are not understood.
    """

    never_stored: tuple[Key, ...] = ()
    perhaps_stored: tuple[Key, ...] = ()


class KeyHistory:
    """The creates that the journal holds for the server at a URL: ids are each server's own.

    The journal is read in a thread, and taken apart again only once it has changed.
    """

    def __init__(self, journal: Journal, server: str) -> None:
        self._journal, self._server = journal, server
        self._last_read: tuple[JournalSnapshot | None, tuple[CreateRecord, ...]] = (None, ())

    async def creates(self) -> tuple[CreateRecord, ...]:
        """Return what is known of each create, oldest first."""
        _, records = await asyncio.to_thread(self._read)
        return records

    async def attempt_of(self, key_id: str) -> Attempt | None:
        """Return what to note about a key that was created by this operator, else None."""
        for record in reversed(await self.creates()):
            if record.key_id == key_id:
                return self._journal.resume(record.newest)
        return None

    async def unstored(
        self, keys: Iterable[Key], is_foreign: Callable[[Key], bool]
    ) -> UnstoredKeys:
        """Return those of the `keys` that were created here and not stored, as far as is known."""
        return await asyncio.to_thread(self._unstored, keys, is_foreign)

    def _read(self) -> tuple[JournalSnapshot, tuple[CreateRecord, ...]]:
        snapshot = self._journal.read()
        last_snapshot, records = self._last_read
        if snapshot is not last_snapshot:
            entries = reversed(snapshot.entries)
            records = create_records(
                (entry for entry in entries if entry.server == self._server), snapshot.doubts
            )
            self._last_read = snapshot, records
        return snapshot, records

    def _unstored(self, keys: Iterable[Key], is_foreign: Callable[[Key], bool]) -> UnstoredKeys:
        snapshot, records = self._read()

        def is_doubted(key: Key) -> bool:
            label = (key.raw_label or "")[:LONGEST]
            return any(
                snapshot.doubts(replace(line, key_id=key.id, short_key=key.short_key))
                for record in records
                for line in record.lines
                if record.key_id == key.id or (not record.key_id and line.label == label)
            )

        unstored = [(key, is_doubted(key)) for key in _unstored(keys, records, is_foreign)]
        return UnstoredKeys(
            tuple(key for key, doubted in unstored if not doubted),
            tuple(key for key, doubted in unstored if doubted),
        )


def _unstored(
    keys: Iterable[Key], records: Iterable[CreateRecord], is_foreign: Callable[[Key], bool]
) -> list[Key]:
    """Return the keys of which no line that is understood says that they were stored.

    Where the program was stopped before it learned a key's id, the key's label and date tell,
    unless it is somebody else's.
    """
    known_ids: set[str] = set()
    unstored_ids: set[str] = set()
    times_by_label: dict[str, list[datetime]] = {}
    for record in records:
        known_ids.add(record.key_id)
        if (line := record.unstored) is None:
            continue
        if line.key_id:
            unstored_ids.add(line.key_id)
        else:
            times_by_label.setdefault(line.label, []).append(line.when)

    def may_be_unstored(key: Key) -> bool:
        times = times_by_label.get((key.raw_label or "")[:LONGEST])
        if not times or key.id in known_ids or key.created_at is None or is_foreign(key):
            return False
        created_at = key.created_at
        return any(abs(created_at - time) < SAME_TIME for time in times)

    return [key for key in keys if key.id in unstored_ids or may_be_unstored(key)]
