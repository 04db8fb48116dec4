"""What this host remembers of a server's keys: the journal, and the other instances at work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from tui.api.models import Key
from tui.journal import (
    CreateRecord,
    Journal,
    JournalEntry,
    JournalSnapshot,
    create_records,
    open_attempts,
)
from tui.keys.labels import comparable, folded
from tui.keys.listing import Listing
from tui.keys.presence import Presence, Worker


@dataclass(frozen=True)
class History:
    """The journal at one moment, taken apart: the creates, and the writes that are open."""

    snapshot: JournalSnapshot = field(default_factory=JournalSnapshot)
    creates: tuple[CreateRecord, ...] = ()
    open_attempts: tuple[JournalEntry, ...] = ()
    kept: frozenset[str] = frozenset()
    """The attempts whose secrets are kept for the next sign-in (delivery.recovery)."""


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
        self._journal, self._presence, self._kept = journal, presence, kept
        self.server = server
        self.current = History()

    @property
    def workers(self) -> Mapping[str, Worker]:
        """The other instances at work, by the ids of keys and attempts, as last read."""
        return self._presence.others

    async def refresh(self) -> History:
        """Read the journal, and what other instances work on."""
        return await asyncio.to_thread(self._read)

    def is_about_this_server(self, entry: JournalEntry, listing: Listing) -> bool:
        """Tell whether a line is about a listed key, under whatever address of the server."""
        key = listing.by_id.get(entry.key_id)
        if key is None:
            return entry.server == self.server
        if entry.server != self.server and not entry.short_key:
            return False
        return is_about(entry, key)

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
    noted, listed = folded(entry.label), folded(key.raw_label or "")
    is_cut = noted.startswith(listed) and listed != comparable(entry.label)
    return not noted or not listed or noted == listed or is_cut
