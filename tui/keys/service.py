"""The use cases, in the operator's words: list, create, edit, delete, verify."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncIterator,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING

from tui.api.errors import ApiError, Conflict, NotFound, RateLimited, SignInRefused, in_short
from tui.api.grants import Catalogue
from tui.api.models import CreatedKey, Key, KeyDraft, KeyList
from tui.api.session import Session, SessionEnded, SessionProblem
from tui.delivery.recovery import RecoveryFolder
from tui.journal import Action, Attempt, Journal
from tui.keys.key_history import SAME_TIME, KeyHistory, UnstoredKeys
from tui.keys.unstored_secrets import UnstoredSecrets
from tui.keys.verification import Verification, verify
from tui.keys.write_outcomes import (
    ChangedMeanwhile,
    NothingCreated,
    OutcomeUnknown,
    OutOfReach,
    PasswordNotChecked,
    SecretLost,
)
from tui.text import as_read
from tui.waiting import see_through

if TYPE_CHECKING:
    from pydantic import SecretStr


FRESH_SECONDS = 60.0
"""How long a list counts that a create may later be compared with."""


@dataclass(frozen=True, slots=True)
class _OpenWrite:
    """An update or deletion of unknown outcome.

    `wanted` is what the key is if it took effect, None for gone; `maybe_later` says that it may
    still take effect.
    """

    attempt: Attempt
    wanted: tuple[object, ...] | None
    maybe_later: bool


@dataclass(frozen=True, slots=True)
class Created:
    """A key that was created, the draft it was made from, and where to note how it was stored."""

    key: CreatedKey
    draft: KeyDraft
    attempt: Attempt


@dataclass(frozen=True)
class Listing:
    """The keys of the server as last read, in its order, and the grants it offers.

    Of a list that is not whole (contract 4), no key's absence proves anything.
    """

    keys: tuple[Key, ...] = ()
    catalogue: Catalogue = field(default_factory=Catalogue)
    is_whole: bool = True

    @cached_property
    def by_id(self) -> Mapping[str, Key]:
        """The keys by their ids; of several with one id the first."""
        return {key.id: key for key in reversed(self.keys)}

    @cached_property
    def by_label(self) -> Mapping[str | None, Sequence[Key]]:
        """The keys of each raw label, in the server's order."""
        by_label: dict[str | None, list[Key]] = {}
        for key in self.keys:
            by_label.setdefault(key.raw_label, []).append(key)
        return by_label

    def find(
        self, key_id: str | None, short_key: str, label: str, subaccount_id: int | None
    ) -> Key | None:
        """Return the key that a create made (contract 4).

        Without an id, short key, label and account tell it.
        """
        if key_id is not None:
            return self.by_id.get(key_id)
        same = [
            key
            for key in self.keys
            if (key.short_key, key.label) == (short_key, label)
            and _is_of_account(key, subaccount_id)
        ]
        return same[-1] if same else None

    @property
    def raw_labels(self) -> list[str]:
        """The labels of all keys, as the server has them."""
        return [key.raw_label or "" for key in self.keys]

    @property
    def has_subaccounts(self) -> bool:
        """Whether the server is known to have subaccounts: by its keys, or by what keys may do."""
        return any(grant.key.startswith("subaccount/") for grant in self.catalogue.grants) or any(
            key.subaccount_id for key in self.keys
        )

    def labelled(self, label: str, besides: Key | None = None) -> Key | None:
        """Return a key whose label people read as this one, `besides` the one being edited."""
        wanted = as_read(label)
        for key in self.keys:
            other = key.raw_label or ""
            if other.isascii() and other[:1].lower() != wanted[:1] and not other[:1].isspace():
                continue  # a long list is looked through in no time
            if as_read(other) == wanted and (besides is None or key.id != besides.id):
                return key
        return None


@dataclass(frozen=True)
class KnownIds(Collection[str]):
    """The ids of the keys in a listing, and `others`; made at no cost, whatever the listing's size.

    It stays as it is when the service reads its next listing.
    """

    listing: Listing
    others: frozenset[str] = frozenset()

    def __contains__(self, key_id: object) -> bool:
        return key_id in self.listing.by_id or key_id in self.others

    def __iter__(self) -> Iterator[str]:
        return iter(self.listing.by_id.keys() | self.others)

    def __len__(self) -> int:
        return len(self.listing.by_id.keys() | self.others)

    def __bool__(self) -> bool:
        return bool(self.listing.keys or self.others)


class KeyService:
    """The API keys of the server that a session is signed in to; the server is the truth.

    Every write is noted in the journal before it goes out, and once its outcome is known; one that
    was begun is seen through. What is created and not stored is known to `unstored_secrets`.
    Every method that asks the server raises ApiError, or
    SessionEnded, where it refused or could not be asked.
    """

    def __init__(
        self,
        session: Session,
        journal: Journal,
        unstored_secrets: UnstoredSecrets | None = None,
    ) -> None:
        self.session, self.journal = session, journal
        self.unstored_secrets = unstored_secrets or UnstoredSecrets(RecoveryFolder({}))
        self.history = KeyHistory(journal, session.client.server.url)
        self.listing = Listing()
        self._listed_at = float("-inf")
        self._catalogues: dict[str | None, Catalogue] = {}
        self._created_ids: set[str] = set()
        self._is_enforced = False
        self._open_writes: dict[str, _OpenWrite] = {}

    async def load(self) -> Listing:
        """Read the keys and, the first time, the catalogue of grants."""
        started_at = monotonic()
        key_list, catalogue = await asyncio.gather(self._read_keys(), self._read_catalogue())
        listing = Listing(key_list.keys, catalogue, key_list.is_whole)
        if started_at > self._listed_at:  # an answer that was overtaken tells nothing new
            self.listing, self._listed_at = listing, started_at
        if self._open_writes:
            listed = listing.by_id
            for key_id in tuple(self._open_writes):
                if listing.is_whole or key_id in listed:
                    self._settle(key_id, listed.get(key_id))
        return self.listing

    async def catalogue(self, subaccount_id: int | None) -> Catalogue:
        """Return what a key of the primary account (None) or of a subaccount may hold."""
        return await self._read_catalogue("subaccount" if subaccount_id else None)

    async def read(self, seen: Key) -> Key:
        """Read a key as it is now.

        Raises NotFound, among others, where it is gone, and OutOfReach where it is listed still.
        """
        try:
            key = await self.session.call(
                lambda credential: self.session.client.key(seen.id, credential, seen.subaccount_id)
            )
        except NotFound as error:
            await self._insist_on_gone(seen, error)
            self._settle(seen.id, None)
            raise
        self._settle(seen.id, key)
        return key

    @asynccontextmanager
    async def authorized(self, password: SecretStr | None) -> AsyncIterator[None]:
        """Have the account's password checked, which creating keys requires (contract 2).

        Without a password nothing is checked: not every account has one.

        Raises:
            SignInRefused: the password is wrong.
            RateLimited: the server wants to be asked later.
            PasswordNotChecked: it could not be asked.
        """
        try:
            check = await self.session.check_password(password) if password is not None else None
        except (SignInRefused, RateLimited):
            raise
        except ApiError as error:
            raise PasswordNotChecked(error) from None
        try:
            yield
        finally:
            if check is not None:
                self.session.discard(check)

    async def create(self, draft: KeyDraft, *, predecessor: str = "") -> Created:
        """Create a key (contract 4), within `authorized`; `predecessor` is the id of whose it is.

        The request is sent once. Where its outcome is unknown, the list is read and compared.

        Raises:
            SecretLost, NothingCreated, OutcomeUnknown: no good answer came; see there.
            ApiError, SessionEnded: the server refused, or could not be asked; nothing was created.
        """
        return await see_through(self._create(draft, predecessor))

    async def _create(self, draft: KeyDraft, predecessor: str) -> Created:
        known, is_fresh = self.known_ids(), monotonic() - self._listed_at < FRESH_SECONDS
        attempt = self._begin_attempt("create", Key("", raw_label=draft.label), predecessor)
        await self.journal.settled()
        try:
            with self._noting(attempt):
                created_key = await self.session.call(
                    lambda credential: self.session.client.create_key(draft, credential)
                )
        except ApiError as error:
            if not error.maybe_done:
                raise
            raise await self._read_outcome(draft, known, error, attempt, is_fresh) from None
        if created_key.id in known:
            # A link to another key tells nothing about this one.
            created_key = replace(created_key, id=None)
        # A server may repeat the secret in its other fields; the journal never holds one.
        secret = created_key.secret.get_secret_value()
        key_id, short_key = (
            text.replace(secret, "") for text in (created_key.id or "", created_key.short_key)
        )
        attempt.done(key_id=key_id, short_key=short_key)
        if created_key.id:
            self._created_ids.add(created_key.id)
        await self.unstored_secrets.add(created_key, draft, attempt)
        return Created(created_key, draft, attempt)

    def known_ids(self, *others: str) -> KnownIds:
        """Return the ids of the keys that were listed last, those made since, and `others`."""
        return KnownIds(self.listing, frozenset(others) | self._created_ids)

    def create_outcome(
        self,
        listed: Listing | KeyList,
        draft: KeyDraft,
        known: Collection[str],
        cause: ApiError,
        attempt: Attempt | None = None,
        *,
        is_fresh: bool = True,
    ) -> SecretLost | NothingCreated | OutcomeUnknown:
        """Return, by the list, the outcome of a create that got no good answer (faults, A).

        `known` are the ids from before it; where they were not read lately, a key without a date
        may have come from anywhere. A key is named only if it is just what was asked for and the
        only such one, as the operator may have it deleted. The outcome is noted for `attempt`.
        """
        new = {
            key.id: key
            for key in listed.keys
            if key.raw_label == draft.label
            and key.id not in known
            and key.id not in self._created_ids
            and _is_of_account(key, draft.subaccount_id)
            and not self._is_foreign(key)
            and not (attempt and key.created_at and key.created_at < attempt.when - SAME_TIME)
        }
        if not new and not listed.is_whole:
            return OutcomeUnknown(cause, attempt, partial=True)
        if not new:
            if attempt is not None:
                if cause.maybe_later:
                    attempt.unknown(f"{in_short(cause)} Nothing was created so far.")
                else:
                    attempt.refused(f"{in_short(cause)} Nothing was created.")
            return NothingCreated(cause)
        exact = [key for key in new.values() if _is_as_asked(key, draft)]
        if len(exact) != 1 or not (is_fresh or exact[0].created_at):
            return OutcomeUnknown(cause, attempt, ambiguous=True)
        if attempt is not None:
            key, detail = exact[0], f"{in_short(cause)} The secret was lost on the way."
            attempt.done(key_id=key.id, short_key=key.raw_short_key or "", detail=detail)
        return SecretLost(exact[0], cause)

    async def find_created(self, created: Created, known: Collection[str]) -> Key | None:
        """Read the list and return the created key where the answer told no id.

        Returns None unless exactly one key of its account that is not `known` has its label and
        short key.

        Raises:
            ApiError, SessionEnded: the server refused, or could not be asked.
        """
        candidates = {
            key.id: key
            for key in (await self.load()).keys
            if key.raw_label == created.key.label
            and key.id not in known
            and key.id not in self._created_ids
            and _is_of_account(key, created.draft.subaccount_id)
            and key.may_have(created.key.secret)
        }
        if len(candidates) != 1:
            return None
        self._created_ids |= candidates.keys()
        return next(iter(candidates.values()))

    async def edit(self, seen: Key, draft: KeyDraft, *, action: Action = "update") -> None:
        """Make a key what `draft` says, provided that it still is as it was `seen`.

        The journal names the update by its `action`.
        Where an update gets no good answer, the key itself tells whether it took effect.

        Raises:
            ChangedMeanwhile: it is not, so nothing was done.
            ApiError, SessionEnded: the server refused, or could not be asked.
        """
        now = await self.read(seen)
        if _fields(now) == _wanted(draft):
            return
        if _fields(now) != _fields(seen):
            raise ChangedMeanwhile(now)
        try:
            await self.update(now, draft, action=action)
        except Conflict:
            raise ChangedMeanwhile(await self.read(seen)) from None
        except ApiError as error:
            if not error.maybe_done or not await self._took_effect(seen, draft):
                raise

    async def _took_effect(self, seen: Key, draft: KeyDraft) -> bool:
        try:
            return _fields(await self.read(seen)) == _wanted(draft)
        except (ApiError, SessionProblem):
            return False  # the error that led here is what the operator gets to read

    async def update(self, key: Key, draft: KeyDraft, *, action: Action = "update") -> None:
        """Replace label, grants and allowed IPs of a key (contract 4).

        Of a key that is paused by that, the journal keeps label and allowed IPs as they were.
        """
        await see_through(self._update(key, draft, action))

    async def _update(self, key: Key, draft: KeyDraft, action: Action) -> None:
        attempt = self._begin_attempt(action, key)
        await self.journal.settled()
        try:
            with self._noting(attempt, key, _wanted(draft)):
                await self.session.call(
                    lambda credential: self.session.client.update_key(
                        key.id, draft, credential, key.subaccount_id
                    )
                )
        except NotFound as error:
            await self._insist_on_gone(key, error)
            raise
        attempt.done(label="" if action == "pause" else draft.label)

    async def delete(self, key: Key) -> bool:
        """Delete a key; returns False where somebody else had already deleted it.

        Raises:
            OutOfReach: the server answered that there is no such key, but lists it.
            ApiError, SessionEnded: the server refused, or could not be asked.
        """
        return await see_through(self._delete(key))

    async def _delete(self, key: Key) -> bool:
        attempt = self._begin_attempt("delete", key)
        await self.journal.settled()
        try:
            with self._noting(attempt, key):
                await self.session.call(
                    lambda credential: self.session.client.delete_key(
                        key.id, credential, key.subaccount_id
                    )
                )
        except NotFound as error:
            await self._insist_on_gone(key, error)
            attempt.done(detail="Somebody else had already deleted it.")
            return False
        attempt.done()
        return True

    async def verify(
        self,
        secret: SecretStr,
        grants: Iterable[str],
        valid_ips: Iterable[str] = (),
        *,
        on_change: Callable[[Verification], None] | None = None,
    ) -> Verification:
        """Find out, with a key's secret, whether the key is accepted and what it may do.

        That the server refuses keys the list of keys is found out with the first one.
        """
        verification = await verify(
            self.session.client,
            secret,
            grants,
            valid_ips,
            is_enforced=self._is_enforced,
            on_change=on_change,
        )
        self._is_enforced = self._is_enforced or verification.shows_enforcement
        return verification

    async def unstored(self) -> UnstoredKeys:
        """Return the listed keys that this operator created here and did not store."""
        return await self.history.unstored(self.listing.keys, self._is_foreign)

    async def _read_keys(self) -> KeyList:
        return await self.session.call(self.session.client.list_keys)

    async def _read_catalogue(self, role: str | None = None) -> Catalogue:
        if role not in self._catalogues:
            try:
                grants = await self.session.call(
                    lambda credential: self.session.client.grants(credential, role)
                )
            except NotFound:
                return Catalogue()
            self._catalogues[role] = Catalogue(grants) if grants else Catalogue()
        return self._catalogues[role]

    async def _insist_on_gone(self, key: Key, error: NotFound) -> None:
        """Raise OutOfReach unless a whole list shows that the key is gone (contract 4)."""
        try:
            listing = await self._read_keys()
        except (ApiError, SessionEnded):
            raise OutOfReach(error, is_listed=None) from None
        is_listed = any(listed_key.id == key.id for listed_key in listing.keys)
        if is_listed or not listing.is_whole:
            raise OutOfReach(error, is_listed=is_listed or None) from None

    async def _read_outcome(
        self,
        draft: KeyDraft,
        known: Collection[str],
        cause: ApiError,
        attempt: Attempt,
        is_fresh: bool,
    ) -> SecretLost | NothingCreated | OutcomeUnknown:
        try:
            listed = await self._read_keys()
        except (ApiError, SessionEnded):
            return OutcomeUnknown(cause, attempt)
        return self.create_outcome(listed, draft, known, cause, attempt, is_fresh=is_fresh)

    @contextmanager
    def _noting(
        self, attempt: Attempt, key: Key | None = None, wanted: tuple[object, ...] | None = None
    ) -> Iterator[None]:
        """Note the outcome of a request that was not simply done.

        Where that is not known, the next answer about `key` tells: it is as `wanted`, or gone.
        """
        try:
            yield
        except ApiError as error:
            (attempt.unknown if error.maybe_done else attempt.refused)(in_short(error))
            if error.maybe_done and key is not None:
                self._open_writes[key.id] = _OpenWrite(attempt, wanted, error.maybe_later)
            raise
        except SessionProblem:
            attempt.refused("The session had ended.")
            raise
        except BaseException:  # raised again: a cancelled request is noted, too
            attempt.unknown("It was interrupted here.")
            raise

    def _settle(self, key_id: str, key: Key | None) -> None:
        """Note the outcome of an update or a deletion, now that the key is seen as it is."""
        write = self._open_writes.pop(key_id, None)
        if write is None:
            return
        if (_fields(key) if key else None) == write.wanted:
            write.attempt.done(detail="The key was looked at again: it took effect.")
        elif not write.maybe_later:
            write.attempt.refused("The key was looked at again: it had no effect.")

    def _begin_attempt(self, action: Action, key: Key, predecessor: str = "") -> Attempt:
        return self.journal.begin(
            action,
            server=self.session.client.server.url,
            username=self.session.user.username if self.session.user else "",
            key_id=key.id,
            label=key.raw_label or "",
            short_key=key.raw_short_key or "",
            predecessor=predecessor,
            valid_ips=" ".join(key.raw_valid_ips or ()) if action == "pause" else "",
        )

    def _is_foreign(self, key: Key) -> bool:
        """Tell whether the key is somebody else's; a name that was only typed proves nothing."""
        user = self.session.user
        if user is None or user.role is None or key.raw_username is None:
            return False
        return key.raw_username != user.username


def _fields(key: Key) -> tuple[object, ...]:
    """Return what an update replaces, the order of lists aside."""
    return key.raw_label, frozenset(key.grants), frozenset(key.raw_valid_ips or ())


def _wanted(draft: KeyDraft) -> tuple[object, ...]:
    return draft.label, frozenset(draft.grants), frozenset(draft.valid_ips)


def _is_of_account(key: Key, subaccount_id: int | None) -> bool:
    """Tell whether a key is the primary account's (None, 0), or that subaccount's."""
    return (key.subaccount_id or 0) == (subaccount_id or 0)


def _is_as_asked(key: Key, draft: KeyDraft) -> bool:
    """Tell whether a key may have come of `draft`; what the server does not tell may fit."""
    return (key.raw_grants is None or set(key.raw_grants) == set(draft.grants)) and (
        key.raw_valid_ips is None or set(key.raw_valid_ips) == set(draft.valid_ips)
    )
