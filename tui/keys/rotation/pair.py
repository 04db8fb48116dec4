"""The two keys of a rotation as last seen, and the writes to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime

from tui.api.errors import ApiError, NotFound
from tui.api.models import Key, KeyDraft
from tui.api.session import SessionProblem
from tui.keys.created import Created
from tui.keys.guard import Staying
from tui.keys.labels import base_label
from tui.keys.listing import Listing
from tui.keys.pause import PauseRefused, pause, pause_by_mark, resume
from tui.keys.paused_mark import is_paused
from tui.keys.rotation.states import (
    AddressesNotTold,
    GrantsNotTold,
    PredecessorGone,
    StillPaused,
    SuccessorGone,
)
from tui.keys.service import FRESH_SECONDS, KeyService
from tui.keys.write_outcomes import StillThere, Unresolved

LONG_LIST = 10_000
"""From how many keys on the list, some 3 MB, is not read only to know that a key is there."""

_NEVER = float("-inf")


class Pair:
    """A predecessor and, once it exists, its successor.

    The successor `is_known_here` where this run or the journal made it; else its mark tells.
    """

    def __init__(self, service: KeyService, predecessor: Key, clock: Callable[[], float]) -> None:
        self._service, self._clock = service, clock
        self.predecessor = predecessor
        self.successor: Key | None = None
        self.is_known_here = True
        self.has_successor = False
        """Whether the successor was there when last looked for."""
        self.is_predecessor_deleted = False
        """Whether the predecessor is known to be deleted, so that nothing can stay but a successor.
        """
        self._predecessor_seen = _NEVER

    @property
    def has_predecessor(self) -> bool:
        """Whether the predecessor was there when last looked for."""
        return self._predecessor_seen > _NEVER

    def compare(self, listing: Listing) -> None:
        """Take both keys as a list shows them that was read just now."""
        predecessor = listing.by_id.get(self.predecessor.id)
        if predecessor or listing.is_whole:  # else its absence proves nothing
            self._predecessor_seen = self._clock() if predecessor else _NEVER
            self.predecessor = predecessor or self.predecessor
        if self.successor is not None:
            successor = listing.by_id.get(self.successor.id)
            if successor or listing.is_whole:
                self.has_successor = successor is not None
                self.successor = successor or self.successor

    def take_created(self, created: Created) -> None:
        """Take the key that was created as the successor."""
        draft, key = created.draft, created.key
        names = key.id or "", key.label, key.short_key
        self.successor = Key(
            *names, draft.grants, draft.valid_ips, subaccount_id=draft.subaccount_id
        )
        self.is_known_here = True

    async def look(self) -> None:
        """Read the list and take both keys as it shows them.

        Raises:
            ApiError, SessionProblem: the server refused, or could not be asked.
        """
        self.compare(await self._service.load())

    async def is_all_gone(self) -> bool:
        """Read the list, and tell whether it shows as a whole that neither key is there."""
        try:
            await self.look()
        except (ApiError, SessionProblem):
            return False
        ids = {self.predecessor.id, self.successor.id if self.successor is not None else ""}
        return all(self._service.listing.lacks(key_id) for key_id in ids)

    async def confirm_predecessor(self) -> None:
        """Read the predecessor once more: somebody else may have deleted it meanwhile."""
        with suppress(ApiError, SessionProblem, PredecessorGone):
            await self._read_predecessor()

    async def confirm_successor(self) -> None:
        """Read a successor that a list lacked: the list may be older than that key."""
        if self.successor is not None and not self.has_successor:
            with suppress(ApiError, SessionProblem):
                self.successor = await self._service.read(self.successor)
                self.has_successor = True

    async def look_before_create(self, *, alone: bool) -> None:
        """Read the list unless that was done lately; raise PredecessorGone, and what a read raises.

        The outcome of a create may have to be told by comparing with it. Of a server with very
        many keys, only the predecessor is read: the list would take long. It is read in any case
        where it is rotated `alone`: the successor is to be as it is now.
        """
        is_long = len(self._service.listing.keys) > LONG_LIST
        is_old = self._clock() - self._predecessor_seen >= FRESH_SECONDS
        may_lack_one = self._service.may_lack_successor(self.predecessor)
        if may_lack_one or (not is_long and (is_old or not self._service.is_fresh)):
            await self.look()
        elif alone or is_old:
            await self._read_predecessor()
        if not self.has_predecessor:
            raise PredecessorGone

    async def delete_predecessor(self) -> None:
        """Delete the predecessor, provided that the successor is there, and as it was shown.

        Raises:
            SuccessorGone: see there. CannotGoOn: the guard refused.
            StillThere, Unresolved, ApiError, SessionProblem: as `KeyService.delete`.
        """
        if self.successor is None or self.successor.id == self.predecessor.id:
            raise SuccessorGone
        staying = Staying(self.successor, is_successor=True, is_known_here=self.is_known_here)
        try:
            deleted = await self._service.delete(self.predecessor, staying=staying)
        except NotFound:
            self.has_successor = False
            raise SuccessorGone(self._deletion_open_until(self.predecessor)) from None
        self.successor, self.has_successor = deleted.staying or self.successor, True
        self._predecessor_seen = _NEVER

    async def delete_alone(self) -> None:
        """Delete the predecessor whatever else there is; raises what `KeyService.delete` raises."""
        try:
            await self._service.delete(self.predecessor)
        except StillThere:
            self._predecessor_seen = self._clock()
            raise
        self._predecessor_seen = _NEVER

    async def delete_successor(self) -> None:
        """Delete the successor, if there is one, provided that the predecessor is there now.

        A predecessor that is paused is resumed before.

        Raises:
            PredecessorGone: see there. CannotGoOn: the guard refused.
            StillThere, Unresolved, ApiError, SessionProblem: as `KeyService.delete`.
        """
        if self.successor is None or self.successor.id == self.predecessor.id:
            return
        if is_paused(self.predecessor.raw_valid_ips) and not self.is_predecessor_deleted:
            await self.resume_predecessor()  # else no key that works would be left
        staying = None if self.is_predecessor_deleted else Staying(self.predecessor)
        try:
            deleted = await self._service.delete(self.successor, staying=staying)
        except NotFound:
            self._predecessor_seen = _NEVER
            raise PredecessorGone(self._deletion_open_until(self.successor)) from None
        if deleted.staying is not None:
            self.predecessor, self._predecessor_seen = deleted.staying, self._clock()
        self.successor, self.has_successor = None, False

    def _deletion_open_until(self, key: Key) -> datetime | None:
        """Return until when a deletion of a key that got no answer may take effect, if any may."""
        write = self._service.open_write(key)
        return write.until if write is not None and write.action == "delete" else None

    async def unmark_predecessor(self) -> None:
        """Take the mark of an earlier version off the predecessor, all else sent back as it is.

        Raises:
            PredecessorGone, GrantsNotTold, AddressesNotTold, StillThere, Unresolved: see there.
            ApiError, SessionProblem: the server refused, or could not be asked.
        """
        key = await self._read_predecessor()
        draft = full_draft(key, base_label(key.raw_label or ""), self._service.listing)
        if draft.label == (key.raw_label or ""):
            return
        try:
            await self._service.update(key, draft)
        except ApiError as error:
            if not (error.maybe_done or isinstance(error, NotFound)):
                raise
            await self._look_after_error(error)
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
            if not (error.maybe_done or isinstance(error, NotFound)):
                raise
            await self._look_after_error(error)
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

    async def unmark_successor(self, known: KeyDraft | None) -> None:
        """Put the plain label back on the successor as last seen, now that it replaces nothing.

        `known` is what it was created as, for a server that does not tell grants or addresses.

        Raises:
            GrantsNotTold, AddressesNotTold: see there.
            CannotGoOn, ApiError, SessionProblem: the mark stays.
        """
        key = self.successor
        label = key.raw_label or "" if key is not None else ""
        if key is None or base_label(label) == label:
            return
        draft = full_draft(key, base_label(key.raw_label or ""), self._service.listing, known)
        await self._service.update(key, draft)
        self.successor = replace(key, raw_label=draft.label)

    async def _look_after_error(self, error: ApiError) -> None:
        try:
            await self.look()
        except (ApiError, SessionProblem):
            raise Unresolved(error) from None
        if not self._service.listing.is_whole:
            raise Unresolved(error) from None


def draft_like(key: Key) -> KeyDraft:
    """Return what a successor of the key is to be; that of a paused one works as it did before."""
    valid_ips = key.raw_valid_ips or ()
    if (before := pause_by_mark(key)) is not None:
        valid_ips = before.valid_ips or ()
    return KeyDraft(base_label(key.raw_label or ""), key.grants, valid_ips, key.subaccount_id)


def tells_draft(key: Key) -> bool:
    """Tell whether the allowed IPs of its successor are known: those of a paused key may not be."""
    before = pause_by_mark(key)
    is_known = before is not None and before.valid_ips is not None
    return is_known or not is_paused(key.raw_valid_ips)


def full_draft(key: Key, label: str, listing: Listing, known: KeyDraft | None = None) -> KeyDraft:
    """Return what an update must send to change the label and nothing else (contract 4).

    Grants and addresses that the server does not tell are taken from `known`.

    Raises:
        GrantsNotTold, AddressesNotTold: they are not known, and an update would wipe them.
        StillPaused: see there.
    """
    grants, valid_ips = key.raw_grants, key.raw_valid_ips
    if is_paused(valid_ips):
        raise StillPaused
    if grants is None:
        if known is None:
            raise GrantsNotTold
        grants = known.grants
    if valid_ips is None:
        if known is None and not listing.tells_addresses:
            raise AddressesNotTold
        valid_ips = known.valid_ips if known is not None else ()
    return KeyDraft(label, grants, valid_ips)
