"""The two keys of a rotation as last seen, and the writes to them, their outcomes made certain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date

from tui.api.errors import ApiError, NotFound
from tui.api.models import Key, KeyDraft
from tui.api.session import SessionProblem
from tui.keys.pause import PauseRefused, pause, resume
from tui.keys.paused_mark import is_paused
from tui.keys.rotation.states import GrantsNotTold, PredecessorGone, StillThere, SuccessorGone
from tui.keys.service import FRESH_SECONDS, KeyService, Listing

LONG_LIST = 10_000
"""From how many keys on the list, some 3 MB, is not read only to know that a key is there."""

_NEVER = float("-inf")


class Unresolved(Exception):
    """A write got no good answer, and no whole list could be read to see what came of it."""

    def __init__(self, cause: ApiError) -> None:
        super().__init__()
        self.cause = cause


class Pair:
    """A predecessor and, once it exists, its successor."""

    def __init__(self, service: KeyService, predecessor: Key, clock: Callable[[], float]) -> None:
        self._service, self._clock = service, clock
        self.predecessor = predecessor
        self.successor: Key | None = None
        self.has_successor = False
        """Whether the successor was there when last looked for."""
        self._predecessor_seen = _NEVER

    @property
    def has_predecessor(self) -> bool:
        """Whether the predecessor was there when last looked for."""
        return self._predecessor_seen > _NEVER

    def compare(self, listing: Listing) -> None:
        """Take both keys as a list shows them that was read just now."""
        listed = listing.by_id
        predecessor = listed.get(self.predecessor.id)
        if predecessor or listing.is_whole:  # else its absence proves nothing
            self._predecessor_seen = self._clock() if predecessor else _NEVER
            self.predecessor = predecessor or self.predecessor
        if self.successor is not None:
            successor = listed.get(self.successor.id)
            if successor or listing.is_whole:
                self.has_successor = successor is not None
                self.successor = successor or self.successor

    async def look(self) -> None:
        """Read the list and take both keys as it shows them.

        Raises:
            ApiError, SessionProblem: the server refused, or could not be asked.
        """
        self.compare(await self._service.load())

    async def look_unless_fresh(self) -> None:
        """Read the list unless that was done lately; raise PredecessorGone, and what a read raises.

        For a create, whose outcome may have to be told by comparing with it. Of a server with very
        many keys, only the predecessor is read: the list would take long.
        """
        if self._clock() - self._predecessor_seen >= FRESH_SECONDS:
            if len(self._service.listing.keys) > LONG_LIST:
                await self._read_predecessor()
            else:
                await self.look()
        if not self.has_predecessor:
            raise PredecessorGone

    async def delete_predecessor(self) -> None:
        """Delete the predecessor, provided that the successor is there at this moment.

        Raises:
            SuccessorGone, StillThere, Unresolved: see there.
            ApiError, SessionProblem: the server refused, or could not be asked.
        """
        if self.successor is None or self.successor.id == self.predecessor.id:
            raise SuccessorGone
        try:
            self.successor = await self._service.read(self.successor)
        except NotFound:
            self.has_successor = False
            raise SuccessorGone from None
        await self.delete_alone()

    async def delete_alone(self) -> None:
        """Delete the predecessor whatever else there is; raises what a delete raises here."""
        try:
            await self._service.delete(self.predecessor)
        except ApiError as error:
            await self._resolve(error)
            if self.has_predecessor:
                raise StillThere(error) from None
        self._predecessor_seen = _NEVER

    async def delete_successor(self) -> None:
        """Delete the successor, if there is one, provided that the predecessor is there now.

        Raises:
            PredecessorGone, StillThere, Unresolved: see there.
            ApiError, SessionProblem: the server refused, or could not be asked.
        """
        if self.successor is None or self.successor.id == self.predecessor.id:
            return
        await self._read_predecessor()
        try:
            await self._service.delete(self.successor)
        except ApiError as error:
            await self._resolve(error)
            if self.has_successor:
                raise StillThere(error) from None
        self.successor, self.has_successor = None, False

    async def relabel_predecessor(self, label: Callable[[str], str]) -> None:
        """Change the predecessor's label, all else sent back as it is at this moment.

        Raises:
            PredecessorGone, GrantsNotTold, StillThere, Unresolved: see there.
            ApiError, SessionProblem: the server refused, or could not be asked.
        """
        key = await self._read_predecessor()
        if key.raw_grants is None:
            raise GrantsNotTold
        draft = KeyDraft(label(key.raw_label or ""), key.raw_grants, key.raw_valid_ips or ())
        if draft.label == (key.raw_label or ""):
            return
        try:
            await self._service.update(key, draft)
        except NotFound:
            self._predecessor_seen = _NEVER
            raise PredecessorGone from None
        except ApiError as error:
            await self._resolve(error)
            if not self.has_predecessor:
                raise PredecessorGone from None
            if self.predecessor.raw_label != draft.label:
                raise StillThere(error) from None
        self.predecessor = replace(self.predecessor, raw_label=draft.label)

    async def pause_predecessor(self, today: date) -> None:
        """Take the predecessor out of service, provided that it is as last seen.

        Raises:
            PauseRefused: it can't be paused, or somebody else has changed it.
            PredecessorGone, StillThere, Unresolved: see there.
            ApiError, SessionProblem: the server refused, or could not be asked.
        """
        await self._change_predecessor(
            lambda key: pause(self._service, key, today), is_to_be_paused=True
        )

    async def resume_predecessor(self) -> None:
        """Put the predecessor back into service; raises what pausing it raises."""
        await self._change_predecessor(
            lambda key: resume(self._service, key), is_to_be_paused=False
        )

    async def _change_predecessor(
        self, change: Callable[[Key], Awaitable[Key]], *, is_to_be_paused: bool
    ) -> None:
        try:
            self.predecessor = await change(self.predecessor)
        except PauseRefused as refused:
            self.predecessor = refused.key or self.predecessor
            raise
        except NotFound:
            self._predecessor_seen = _NEVER
            raise PredecessorGone from None
        except ApiError as error:
            await self._resolve(error)
            if not self.has_predecessor:
                raise PredecessorGone from None
            if is_paused(self.predecessor.raw_valid_ips) is not is_to_be_paused:
                raise StillThere(error) from None

    async def _read_predecessor(self) -> Key:
        """Return the predecessor as it is now; raises PredecessorGone, and what a read raises."""
        try:
            self.predecessor = await self._service.read(self.predecessor)
        except NotFound:
            self._predecessor_seen = _NEVER
            raise PredecessorGone from None
        self._predecessor_seen = self._clock()
        return self.predecessor

    async def _resolve(self, error: ApiError) -> None:
        """Learn the outcome of a write that failed; raise `error` where it did nothing."""
        if not error.maybe_done:
            raise error from None
        try:
            await self.look()
        except (ApiError, SessionProblem):
            raise Unresolved(error) from None
        if not self._service.listing.is_whole:
            raise Unresolved(error) from None
