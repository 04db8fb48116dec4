"""The updates and deletions that got no good answer, until their outcomes are known (faults, A)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tui.api.errors import ApiError, in_short
from tui.api.models import Key
from tui.api.session import SessionProblem
from tui.journal import Action, Attempt, Journal
from tui.keys.key_history import KeyHistory
from tui.keys.listing import Listing
from tui.keys.write_outcomes import LANDING, Fields, OpenWrite, fields_of

_TOOK_EFFECT = "The key was looked at again: it took effect."


class OpenWrites:
    """The writes to a server's keys that may still take effect.

    This run of the program remembers its own; the journal tells those of others on this host.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._own: dict[str, OpenWrite] = {}
        self._settled: set[str] = set()
        """The attempts whose outcome this run of the program has noted, or taken note of."""

    def by_key(self, listing: Listing, history: KeyHistory) -> dict[str, OpenWrite]:
        """Return the writes that are open now, by the keys' ids."""
        now = self._journal.now()
        writes = {
            entry.key_id: OpenWrite(
                self._journal.resume(entry), entry.action, entry.key_id, entry.when + LANDING
            )
            for entry in history.current.open_attempts
            if entry.attempt not in self._settled
            and now < entry.when + LANDING
            and history.is_about_this_server(entry, listing)
        }
        own = {key_id: write for key_id, write in self._own.items() if write.is_open(now)}
        return writes | own

    def of(self, key: Key, listing: Listing, history: KeyHistory) -> OpenWrite | None:
        """Return the write to a key that is open now, if there is one."""
        if not self._own and not history.current.open_attempts:
            return None
        return self.by_key(listing, history).get(key.id)

    @contextmanager
    def noting(
        self, attempt: Attempt, key: Key | None = None, wanted: Fields | None = None
    ) -> Iterator[None]:
        """Note the outcome of a request that was not simply done.

        Where that is not known, the write to `key` stays open.
        """

        def note_unknown(why: str) -> None:
            attempt.unknown(why)
            if key is not None:
                action: Action = "delete" if wanted is None else "update"
                until = attempt.when + LANDING
                self._own[key.id] = OpenWrite(attempt, action, key.id, until, wanted)

        try:
            yield
        except ApiError as error:
            if error.maybe_done:
                note_unknown(in_short(error))
            else:
                attempt.refused(in_short(error))
                self._settled.add(attempt.id)
            raise
        except SessionProblem:
            attempt.refused("The session had ended.")
            self._settled.add(attempt.id)
            raise
        except BaseException:  # raised again: a cancelled request is noted, too
            note_unknown("It was interrupted here.")
            raise
        self._settled.add(attempt.id)

    def take_note(self, attempt_id: str) -> bool:
        """Take note of an outcome that the journal tells; return whether it was new."""
        is_new = attempt_id not in self._settled
        self._settled.add(attempt_id)
        return is_new

    def forget(self, key: Key) -> None:
        """Forget this run's write to a key that is gone."""
        self._own.pop(key.id, None)

    def settle_by(self, listing: Listing, history: KeyHistory) -> None:
        """Note the outcomes of open writes, now that all keys are seen as they are."""
        for key_id, write in self.by_key(listing, history).items():
            if key := listing.by_id.get(key_id):
                self.settle(key)
            elif listing.is_whole:
                # It stays open here: the list may be older than it seems.
                write.attempt.done(detail=_TOOK_EFFECT)
        now = self._journal.now()
        for key_id, write in tuple(self._own.items()):
            if not write.is_open(now):
                del self._own[key_id]
                if key_id in listing.by_id:
                    write.attempt.refused("The key was looked at again: it had no effect.")

    def settle(self, key: Key) -> None:
        """Note that an open update took effect, where the key is as wanted."""
        write = self._own.get(key.id)
        if write is not None and write.wanted == fields_of(key):
            write.attempt.done(detail=_TOOK_EFFECT)
            self._settled.add(write.attempt.id)
            del self._own[key.id]
