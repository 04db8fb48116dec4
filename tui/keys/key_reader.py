"""Reading keys, with what the server has answered before: a list may be older than that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from time import monotonic

from tui.api.errors import ApiError, NotFound
from tui.api.grants import Catalogue
from tui.api.models import Key, KeyList
from tui.api.session import Session, SessionEnded
from tui.keys.write_outcomes import LANDING, OutOfReach

MOST_READINGS = 3
"""How often a list is read that turns out to be older than an answer to this program."""


@dataclass(frozen=True, slots=True)
class ReadKeys:
    """A list of keys; `is_stale` says that it lacks what the server had answered before.

    Of a stale list, and of one that is not whole (contract 4), no key's absence proves anything.
    """

    keys: tuple[Key, ...]
    is_whole: bool = True
    is_stale: bool = False


class KeyReader:
    """Reads keys and grants; every method raises ApiError, or SessionEnded.

    The creates and deletions that were answered to this host lately are held against each
    list. A list without a key that was created is stale if the key itself can be read; a list
    with a key that was deleted is stale in any case.
    """

    def __init__(self, session: Session, clock: Callable[[], float] = monotonic) -> None:
        self._session, self._clock = session, clock
        self._created: dict[str, tuple[float, Key]] = {}
        self._deleted: dict[str, tuple[float, Key]] = {}
        self._catalogues: dict[str | None, Catalogue] = {}

    def note_created(self, key: Key) -> None:
        """Take note of a key that a create was answered with."""
        self._created[key.id] = self._clock(), key

    def note_deleted(self, key: Key) -> None:
        """Take note of a key whose deletion was answered."""
        self._created.pop(key.id, None)
        self._deleted[key.id] = self._clock(), key

    def has_deleted(self, key: Key) -> bool:
        """Tell whether a deletion of the key was answered, whatever an older list shows."""
        deleted = self._deleted.get(key.id)
        return deleted is not None and is_same(key, deleted[1])

    async def keys(self, history: Awaitable[None] | None = None) -> ReadKeys:
        """Return all keys; a list that turns out to be stale is read again a few times.

        It is held against the answers that are noted once `history` is read.
        """
        for _ in range(MOST_READINGS):
            key_list = await self._session.call(self._session.list_keys)
            if history is not None:
                await history
            missing = await self._missing(key_list)
            still_listed = self._still_listed(key_list.keys)
            if not missing and not still_listed:
                return ReadKeys(key_list.keys, key_list.is_whole)
        present = [key for key in key_list.keys if key.id not in still_listed]
        return ReadKeys((*present, *missing), is_whole=False, is_stale=True)

    async def key(self, seen: Key) -> Key:
        """Return a key as it is now.

        Raises NotFound where it is gone, and OutOfReach where it is listed still.
        """
        try:
            return await self._read(seen)
        except NotFound as error:
            await self.insist_on_gone(seen, error)
            raise

    async def insist_on_gone(self, key: Key, error: NotFound) -> None:
        """Raise OutOfReach unless a whole list shows that the key is gone (contract 4)."""
        try:
            key_list = await self._session.call(self._session.client.list_keys)
        except (ApiError, SessionEnded):
            raise OutOfReach(error, is_listed=None) from None
        is_listed = any(listed.id == key.id for listed in key_list.keys)
        if is_listed or not key_list.is_whole:
            raise OutOfReach(error, is_listed=is_listed or None) from None

    async def catalogue(self, role: str | None = None) -> Catalogue:
        """Return the grants that a key may hold, read once for each role."""
        if role not in self._catalogues:
            try:
                grants = await self._session.call(
                    lambda credential: self._session.grants(credential, role)
                )
            except NotFound:
                return Catalogue()
            self._catalogues[role] = Catalogue(grants) if grants else Catalogue()
        return self._catalogues[role]

    async def _read(self, seen: Key) -> Key:
        return await self._session.call(
            lambda credential: self._session.client.key(seen.id, credential, seen.subaccount_id)
        )

    async def _missing(self, key_list: KeyList) -> tuple[Key, ...]:
        """Return the newest key created from here, as it is now, where a list lacks it.

        A list that has that one is not older than the others. Keys that are gone are forgotten.
        """
        self._forget_old(self._created)
        while self._created:
            key_id = next(reversed(self._created))
            if any(key.id == key_id for key in reversed(key_list.keys)):
                return ()
            created = self._created[key_id][1]
            try:
                return (await self._read(created),)
            except NotFound:
                self._created.pop(key_id, None)
            except ApiError:
                return (created,)
        return ()

    def _still_listed(self, keys: Iterable[Key]) -> set[str]:
        """Return the ids of the keys that a list shows though they were deleted from here."""
        self._forget_old(self._deleted)
        deleted = self._deleted
        return {key.id for key in keys if key.id in deleted and self.has_deleted(key)}

    def _forget_old(self, answers: dict[str, tuple[float, Key]]) -> None:
        oldest = self._clock() - LANDING.total_seconds()
        for key_id in [key_id for key_id, (when, _) in answers.items() if when < oldest]:
            del answers[key_id]


def is_same(key: Key, other: Key) -> bool:
    """Tell whether two keys of one id are one: a server that is installed anew uses ids again.

    A list or a journal may hold less of a short key, or of a date, than the key itself.
    """
    short_keys = sorted((key.raw_short_key or "", other.raw_short_key or ""), key=len)
    dates = {each.created_at.replace(microsecond=0) for each in (key, other) if each.created_at}
    return short_keys[1].startswith(short_keys[0]) and len(dates) < 2
