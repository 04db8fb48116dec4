"""The use cases, in the operator's words: list, create, edit, delete."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.api.errors import ApiError, NotFound
from tui.api.grants import Catalogue
from tui.api.models import CreatedKey, Key, KeyDraft
from tui.session import Session, SessionEnded

if TYPE_CHECKING:
    from pydantic import SecretStr


class SecretLost(Exception):
    """A key came into being, but the answer with its secret got lost: `key` is of no use."""

    def __init__(self, key: Key, cause: ApiError) -> None:
        super().__init__(key.id)
        self.key, self.cause = key, cause


class NothingCreated(Exception):
    """A create got no good answer, and the list shows that no key came of it."""

    def __init__(self, cause: ApiError) -> None:
        super().__init__()
        self.cause = cause


class OutcomeUnknown(Exception):
    """A create got no good answer, and the list could not be read, or shows several new keys."""

    def __init__(self, cause: ApiError) -> None:
        super().__init__()
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Listing:
    """The keys of the server as last read, in its order, and the grants it offers."""

    keys: tuple[Key, ...] = ()
    catalogue: Catalogue = field(default_factory=Catalogue)

    def find(self, key_id: str | None, short_key: str, label: str) -> Key | None:
        """Return the key that a create made (contract 4): by id, else by short key and label."""
        for key in self.keys:
            if key.id == key_id:
                return key
        same = [key for key in self.keys if (key.short_key, key.label) == (short_key, label)]
        return same[-1] if key_id is None and same else None

    def labelled(self, label: str, besides: Key | None = None) -> Key | None:
        """Return a key that already has this label, `besides` the one being edited."""
        for key in self.keys:
            if key.raw_label == label and (besides is None or key.id != besides.id):
                return key
        return None


class KeyService:
    """The API keys of the server that a session is signed in to; the server is the truth."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.listing = Listing()
        self._catalogue: Catalogue | None = None
        self._made: set[str] = set()

    async def load(self) -> Listing:
        """Read the keys and, the first time, the catalogue of grants.

        Raises:
            ApiError, SessionEnded: the server refused, or could not be asked.
        """
        keys, catalogue = await asyncio.gather(self._read_keys(), self._read_catalogue())
        self.listing = Listing(keys, catalogue)
        return self.listing

    @asynccontextmanager
    async def authorized(self, password: SecretStr | None) -> AsyncIterator[None]:
        """Have the account's password checked, as creating keys wants it (contract 2).

        Without a password nothing is checked: not every account has one.

        Raises:
            SignInRefused: the password is wrong.
            ApiError: the server could not be asked.
        """
        check = await self.session.check_password(password) if password is not None else None
        try:
            yield
        finally:
            if check is not None:
                await self.session.discard(check)

    async def create(self, draft: KeyDraft) -> CreatedKey:
        """Create a key (contract 4), within `authorized`.

        The request is sent once. Where its outcome is unknown, the list is read and compared.

        Raises:
            SecretLost, NothingCreated, OutcomeUnknown: no good answer came; see there.
            ApiError, SessionEnded: the server refused, or could not be asked; nothing was created.
        """
        known = self.known_ids()
        try:
            made = await self.session.call(
                lambda credential: self.session.client.create_key(draft, credential)
            )
        except ApiError as error:
            if not error.maybe_done:
                raise
            raise await self.what_became(draft, known, error) from None
        self._made |= {made.id} if made.id else set()
        return made

    def known_ids(self) -> frozenset[str]:
        """Return the ids of the keys that were there when last read, or were made since."""
        return frozenset({key.id for key in self.listing.keys} | self._made)

    async def what_became(
        self, draft: KeyDraft, known: Collection[str], cause: ApiError
    ) -> SecretLost | NothingCreated | OutcomeUnknown:
        """Read the list and tell what came of a create that got no good answer (faults, A).

        `known` are the ids from before it. Only a key that is just what was asked for, and the only
        such one, is named: it may be deleted because of that.
        """
        try:
            keys = await self._read_keys()
        except (ApiError, SessionEnded):
            return OutcomeUnknown(cause)
        new = {
            key.id: key
            for key in keys
            if key.id not in known and key.raw_label == draft.label and not self._is_foreign(key)
        }
        if not new:
            return NothingCreated(cause)
        exact = [key for key in new.values() if _is_as_asked(key, draft)]
        return SecretLost(exact[0], cause) if len(exact) == 1 else OutcomeUnknown(cause)

    async def _read_keys(self) -> tuple[Key, ...]:
        return await self.session.call(self.session.client.list_keys)

    async def _read_catalogue(self) -> Catalogue:
        if self._catalogue is None:
            try:
                grants = await self.session.call(self.session.client.grants)
            except NotFound:
                return Catalogue()
            self._catalogue = Catalogue(grants) if grants else Catalogue()
        return self._catalogue

    def _is_foreign(self, key: Key) -> bool:
        """Tell whether the key is somebody else's; a name that was only typed proves nothing."""
        user = self.session.user
        if user is None or user.role is None or key.raw_username is None:
            return False
        return key.raw_username != user.username


def _is_as_asked(key: Key, draft: KeyDraft) -> bool:
    """Tell whether a key may have come of `draft`; what the server does not tell may fit."""
    return (key.raw_grants is None or set(key.raw_grants) == set(draft.grants)) and (
        key.raw_valid_ips is None or set(key.raw_valid_ips) == set(draft.valid_ips)
    )
