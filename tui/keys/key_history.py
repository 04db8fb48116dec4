"""What this operator's journal tells of the keys of one server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from tui.api.models import Key
from tui.journal import LONGEST, Attempt, Journal, JournalEntry, Successor, successors

SAME_TIME = timedelta(minutes=5)
"""How far the clocks of a server and of this host may differ."""


class KeyHistory:
    """The journal's lines about the server at a URL: ids are each server's own."""

    def __init__(self, journal: Journal, server: str) -> None:
        self._journal, self._server = journal, server

    @property
    def successors(self) -> list[Successor]:
        """What is known of keys that were made to succeed others, oldest first.

        One of whom the journal says more than is understood counts as stored, not as verified: so
        nothing deletes it, nor its predecessor, without asking.
        """
        entries = self._here(self._journal.entries())
        doubted = {
            entry.key_id
            for entry in entries
            if entry.action == "create" and self._journal.doubts(entry)
        }
        return [
            replace(one, is_stored=True, is_verified=False) if one.key_id in doubted else one
            for one in successors(entries)
        ]

    def attempt_of(self, key_id: str) -> Attempt | None:
        """Return what to note about a key that was created by this operator, else None."""
        for entry in self._here(self._journal.entries()):
            if entry.action == "create" and entry.key_id == key_id:
                return self._journal.resume(entry)
        return None

    def never_stored(self, keys: Iterable[Key], is_foreign: Callable[[Key], bool]) -> list[Key]:
        """Return those of the `keys` that were created here and whose secrets never were stored.

        Where the program was stopped before it heard of a key, its label and date tell, unless it
        is somebody else's.
        """
        return [key for key in self._unstored(keys, is_foreign) if not self._doubts(key)]

    def maybe_stored(self, keys: Iterable[Key], is_foreign: Callable[[Key], bool]) -> list[Key]:
        """Return the keys that would count as never stored, but for lines not understood."""
        return [key for key in self._unstored(keys, is_foreign) if self._doubts(key)]

    def _doubts(self, key: Key) -> bool:
        """Tell whether the journal says more of a key than is understood."""
        label, short_key = (key.raw_label or "")[:LONGEST], key.short_key
        creates = [e for e in self._here(self._journal.entries()) if e.action == "create"]
        ids = {entry.attempt: entry.key_id for entry in reversed(creates)}
        return any(
            self._journal.doubts(replace(entry, key_id=key.id, short_key=short_key))
            for entry in creates
            if ids[entry.attempt] == key.id or (not ids[entry.attempt] and entry.label == label)
        )

    def _unstored(self, keys: Iterable[Key], is_foreign: Callable[[Key], bool]) -> list[Key]:
        creates = [e for e in self._here(self._journal.entries()) if e.action == "create"]
        heard_of = {entry.key_id for entry in creates}
        unstored = self._here(self._journal.unstored())
        told = {entry.key_id for entry in unstored if entry.key_id}
        untold: dict[str, list[datetime]] = {}
        for entry in unstored:
            if not entry.key_id:
                untold.setdefault(entry.label, []).append(entry.when)

        def may_be_one(key: Key) -> bool:
            moments = untold.get((key.raw_label or "")[:LONGEST], ())
            is_known = key.id in heard_of or (bool(moments) and is_foreign(key))
            made = key.created_at if moments and not is_known else None
            return made is not None and any(abs(made - moment) < SAME_TIME for moment in moments)

        return [key for key in keys if key.id in told or may_be_one(key)]

    def _here(self, entries: Iterable[JournalEntry]) -> list[JournalEntry]:
        return [entry for entry in entries if entry.server == self._server]
