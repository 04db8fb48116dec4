"""The use cases, in the operator's words: list, create, edit, delete, verify."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncIterator,
    Callable,
    Collection,
    Iterable,
)
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import takewhile
from time import monotonic
from typing import TYPE_CHECKING

from tui.api.errors import (
    ApiError,
    Conflict,
    Invalid,
    NotFound,
    RateLimited,
    SignInRefused,
    in_short,
)
from tui.api.grants import Catalogue
from tui.api.models import Key, KeyDraft
from tui.api.session import Session, SessionEnded, SessionProblem
from tui.delivery.recovery import RecoveryFolder
from tui.journal import Action, Attempt, Journal, new_attempt_id
from tui.keys.created import Created, Deleted, KnownIds, is_as_asked, is_of_account
from tui.keys.guard import Staying, UpdateOpen, check_deletion, check_going, check_staying
from tui.keys.key_history import KeyHistory
from tui.keys.key_reader import KeyReader, ReadKeys
from tui.keys.labels import mark_of, may_come_of, nonce_of, successor_label
from tui.keys.listing import Listing
from tui.keys.open_writes import OpenWrites
from tui.keys.presence import Presence
from tui.keys.records import SAME_TIME, Records
from tui.keys.unstored_secrets import UnstoredSecrets
from tui.keys.verification import Verification, verify
from tui.keys.write_outcomes import (
    LANDING,
    ChangedMeanwhile,
    NotSeenSoFar,
    OnlyRead,
    OpenWrite,
    OutcomeUnknown,
    PasswordNotChecked,
    SecretLost,
    SentCreate,
    StillThere,
    Unresolved,
    fields_of,
    fields_wanted,
)
from tui.waiting import see_through

if TYPE_CHECKING:
    from pydantic import SecretStr


FRESH_SECONDS = 60.0
"""How long a list counts that a create may later be compared with."""

_JOURNAL_SECONDS = 5.0
"""How long what was read of the journal and of other instances counts before a deletion."""


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
        *,
        is_read_only: bool = False,
    ) -> None:
        """Refuse every write, by OnlyRead, where the server `is_read_only`."""
        self._is_read_only = is_read_only
        self.session, self.journal = session, journal
        self.unstored_secrets = unstored_secrets or UnstoredSecrets(RecoveryFolder({}))
        folder = journal.path.parent / "working" if journal.path is not None else None
        self.presence = Presence(folder, session.client.server.identity)
        kept = self.unstored_secrets.folder.attempts
        self.history = KeyHistory(journal, session.client.server.identity, self.presence, kept)
        self._reader = KeyReader(session)
        self.listing = Listing()
        self._listed_at = self._history_read_at = float("-inf")
        self._created_ids: set[str] = set()
        self.sent_creates: dict[str, SentCreate] = {}
        """The last create of a successor that went out, by its predecessor's id."""
        self._succeeded: dict[str, tuple[float, str]] = {}
        """When a create of a successor was answered, and by what id, by its predecessor's id."""
        self._open_writes = OpenWrites(journal)
        self._records: tuple[tuple[object, ...], Records | None] = ((), None)
        self._is_enforced = False

    async def load(self) -> Listing:
        """Read the keys and, the first time, the catalogue of grants."""
        started_at = monotonic()
        history = asyncio.ensure_future(self.read_history())
        read, catalogue, _ = await asyncio.gather(
            self._reader.keys(history), self._reader.catalogue(), history
        )
        listing = Listing(read.keys, catalogue, read.is_whole, read.is_stale)
        if started_at > self._listed_at:  # an answer that was overtaken tells nothing new
            self.listing, self._listed_at = listing, started_at
        self._open_writes.settle_by(listing, self.history)
        return self.listing

    @property
    def is_fresh(self) -> bool:
        """Whether the list was read so lately that a create may be compared with it."""
        return monotonic() - self._listed_at < FRESH_SECONDS

    def may_lack_successor(self, key: Key) -> bool:
        """Tell whether a successor of the key was made from here since the list was read."""
        return self._succeeded.get(key.id, (float("-inf"), ""))[0] >= self._listed_at

    async def catalogue(self, subaccount_id: int | None) -> Catalogue:
        """Return what a key of the primary account (None) or of a subaccount may hold."""
        return await self._reader.catalogue("subaccount" if subaccount_id else None)

    async def read(self, seen: Key) -> Key:
        """Read a key as it is now.

        Raises NotFound, among others, where it is gone, and OutOfReach where it is listed still.
        """
        key = await self._reader.key(seen)
        self._open_writes.settle(key)
        return key

    async def read_history(self, fresh_seconds: float = 0.0) -> None:
        """Read the journal, and what other instances work on, unless that was done lately."""
        if monotonic() - self._history_read_at >= fresh_seconds:
            self._history_read_at = monotonic()
            await self.history.refresh()
            self._note_answers()

    def _note_answers(self) -> None:
        """Hold lists against what other runs of the program on this host were answered, too."""
        oldest, server = self.journal.now() - LANDING, self.session.client.server.identity
        lately = takewhile(lambda entry: entry.when > oldest, self.history.current.snapshot.entries)
        for entry in reversed(tuple(lately)):
            is_answered = entry.server == server and entry.phase == "done" and entry.key_id
            if is_answered and self._open_writes.take_note(entry.attempt):
                key = Key(entry.key_id, entry.label, entry.short_key or None)
                if entry.action == "create":
                    self._reader.note_created(key)
                elif entry.action == "delete":
                    self._reader.note_deleted(key)

    async def records(self) -> Records:
        """Return what is known of the listed keys, by the journal as it is now."""
        await self.read_history()
        listing, history, writes = self.listing, self.history.current, self.open_writes()
        until = {key_id: write.until for key_id, write in writes.items()}
        basis = (id(listing), id(history), dict(self.presence.others), until)
        known_basis, records = self._records
        if records is None or basis != known_basis:
            records = await asyncio.to_thread(
                Records, listing, self.history, writes, self._username
            )
            self._records = basis, records
            self._note_located(records)
        return records

    def open_writes(self) -> dict[str, OpenWrite]:
        """Return the updates and deletions that may still take effect, by the keys' ids."""
        return self._open_writes.by_key(self.listing, self.history)

    def open_write(self, key: Key) -> OpenWrite | None:
        """Return the update or deletion of a key that may still take effect, if there is one."""
        return self._open_writes.of(key, self.listing, self.history)

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

    async def create(self, draft: KeyDraft, *, predecessor: Key | None = None) -> Created:
        """Create a key (contract 4), within `authorized`; the successor of a `predecessor`, if any.

        A successor's label carries its mark; where the server refuses that label, nothing exists
        yet, and one more request is sent with the label alone. Otherwise the request is sent once.
        Where its outcome is unknown, the list is read and compared.

        Raises:
            SecretLost, NotSeenSoFar, OutcomeUnknown: no good answer came; see there.
            ApiError, SessionEnded: the server refused, or could not be asked; nothing was created.
        """
        return await see_through(self._create_marked(draft, predecessor))

    async def _create_marked(self, draft: KeyDraft, predecessor: Key | None) -> Created:
        if predecessor is None:
            return await self._create(draft, draft.label, "", new_attempt_id())
        attempt_id = new_attempt_id()
        label = successor_label(
            draft.label, predecessor.id, predecessor.raw_short_key or "", nonce_of(attempt_id)
        )
        try:
            return await self._create(draft, label, predecessor.id, attempt_id)
        except Invalid as error:
            if not any(entry.param == "label" for entry in error.entries):
                raise
            created = await self._create(draft, draft.label, predecessor.id, new_attempt_id())
            return replace(created, mark_refused=error)

    async def _create(
        self, draft: KeyDraft, label: str, predecessor: str, attempt_id: str
    ) -> Created:
        known = self.known_ids()
        if not predecessor:  # else its id says so already
            await self.presence.hold(attempt_id)
        key = Key("", raw_label=label)
        attempt = self._begin_attempt("create", key, predecessor, attempt_id)
        await self.journal.settled()
        sent = SentCreate(attempt, replace(draft, label=label), known)
        if predecessor:
            self.sent_creates[predecessor] = sent
        try:
            with self._open_writes.noting(attempt):
                created_key = await self.session.call(
                    lambda credential: self.session.client.create_key(sent.draft, credential)
                )
        except ApiError as error:
            self.presence.release(attempt_id)
            if not error.maybe_done:
                raise
            raise await self._read_outcome(sent, error) from None
        except BaseException:  # raised again: nothing is under way any more
            self.presence.release(attempt_id)
            raise
        if predecessor:
            self._succeeded[predecessor] = monotonic(), created_key.id or ""
        if created_key.id in known:
            # A link to another key tells nothing about this one.
            created_key = replace(created_key, id=None)
        # A server may repeat the secret in its other fields; the journal never holds one.
        secret = created_key.secret.get_secret_value()
        names = created_key.id or "", created_key.short_key, created_key.label
        key_id, short_key, kept_label = (text.replace(secret, "") for text in names)
        attempt.done(key_id=key_id, short_key=short_key, label=kept_label)
        if created_key.id:
            self._created_ids.add(created_key.id)
            account = draft.subaccount_id
            names = created_key.id, created_key.label, created_key.short_key
            made = Key(*names, draft.grants, draft.valid_ips, subaccount_id=account)
            self._reader.note_created(made)
        await self.unstored_secrets.add(created_key, draft, attempt)
        return Created(created_key, draft, attempt, label)

    def successors(self, key: Key) -> tuple[Key, ...]:
        """Return the listed keys that succeed this one: by their marks, and the last made here."""
        made = self.listing.by_id.get(self._succeeded.get(key.id, (0.0, ""))[1])
        listed = [*self.listing.successors(key), *((made,) if made is not None else ())]
        return tuple(
            {each.id: each for each in listed if not self._reader.has_deleted(each)}.values()
        )

    def known_ids(self, *others: str) -> KnownIds:
        """Return the ids of the keys that were listed last, those made since, and `others`."""
        return KnownIds(self.listing, frozenset(others) | self._created_ids)

    def create_outcome(
        self,
        listed: Listing | ReadKeys,
        sent: SentCreate,
        cause: ApiError,
    ) -> SecretLost | NotSeenSoFar | OutcomeUnknown:
        """Return, by the list, the outcome of a create that got no good answer (faults, A).

        A successor is known by its mark, whose nonce is the attempt's. Without a mark, keys that
        are just what was `sent` may have come of it, unless they are known from before; those are
        named, and nothing more is made of it. The outcome is noted.
        """
        attempt, draft, nonce = sent.attempt, sent.draft, nonce_of(sent.attempt.id)
        marked = [
            key
            for key in listed.keys
            if (mark := mark_of(key.raw_label or "")) is not None and mark.nonce == nonce
        ]
        if len(marked) == 1 and mark_of(draft.label) is not None:
            self._note_lost(attempt, marked[0], in_short(cause))
            return SecretLost(marked[0], cause)
        alike = {
            key.id: key
            for key in listed.keys
            if key.id not in sent.known
            and key.id not in self._created_ids
            and may_come_of(key.raw_label or "", draft.label)
            and is_of_account(key, draft.subaccount_id)
            and not (self._username and key.raw_username not in (None, self._username))
            and not (key.created_at and key.created_at < attempt.when - SAME_TIME)
            and is_as_asked(key, draft)
        }
        attempt.unknown(in_short(cause))
        if alike:
            return OutcomeUnknown(cause, sent, alike=tuple(alike.values()))
        if not listed.is_whole:
            return OutcomeUnknown(cause, sent, partial=True)
        return NotSeenSoFar(cause)

    async def find_created(self, created: Created, known: Collection[str]) -> Key | None:
        """Read the list and return the created key where the answer told no id.

        Returns None unless exactly one key of its account that is not `known` has its short key,
        and the label that was sent or what a server may have made of it.

        Raises:
            ApiError, SessionEnded: the server refused, or could not be asked.
        """
        candidates = {
            key.id: key
            for key in (await self.load()).keys
            if key.id not in known
            and key.id not in self._created_ids
            and is_of_account(key, created.draft.subaccount_id)
            and key.may_have(created.key.secret)
            and may_come_of(
                key.raw_label or "", created.label, short_key_fits=bool(key.raw_short_key)
            )
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
            UpdateOpen, StillThere: see there.
            ApiError, SessionEnded: the server refused, or could not be asked.
        """
        now = await self.read(seen)
        if fields_of(now) == fields_wanted(draft):
            return
        if fields_of(now) != fields_of(seen):
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
            return fields_of(await self.read(seen)) == fields_wanted(draft)
        except (ApiError, SessionProblem):
            return False  # the error that led here is what the operator gets to read

    async def update(self, key: Key, draft: KeyDraft, *, action: Action = "update") -> None:
        """Replace label, grants and allowed IPs of a key (contract 4).

        Of a key that is paused by that, the journal keeps label and allowed IPs as they were.

        Raises:
            UpdateOpen, OutOfReach: see there.
            ApiError, SessionEnded: the server refused, or could not be asked.
        """
        await see_through(self._update(key, draft, action))

    async def _update(self, key: Key, draft: KeyDraft, action: Action) -> None:
        wanted = fields_wanted(draft)
        write = self.open_write(key)
        if write is not None and write.action != "delete" and write.wanted != wanted:
            raise UpdateOpen(write)
        attempt = self._begin_attempt(action, key)
        await self.journal.settled()
        try:
            with self._open_writes.noting(attempt, key, wanted):
                await self.session.call(
                    lambda credential: self.session.client.update_key(
                        key.id, draft, credential, key.subaccount_id
                    )
                )
        except NotFound as error:
            await self._reader.insist_on_gone(key, error)
            raise
        attempt.done(label="" if action == "pause" else draft.label)

    async def delete(
        self, key: Key, *, staying: Staying | None = None, insist: bool = False
    ) -> Deleted:
        """Delete a key, once nothing speaks against it (`tui.keys.guard`).

        It and the key that is `staying` are read first, and must be what they were shown as. Where
        the deletion gets no good answer, or a 404, the list is read and decides.

        Raises:
            CannotGoOn: the guard refused (tui.keys.guard), so nothing was done.
            StillThere, Unresolved, OutOfReach: no good answer came; see there.
            NotFound: the key that is to stay is gone, so nothing was done.
            ApiError, SessionProblem: the server refused, or could not be asked.
        """
        return await see_through(self._delete(key, staying, insist=insist))

    async def _delete(self, key: Key, staying: Staying | None, *, insist: bool) -> Deleted:
        await self.read_history(_JOURNAL_SECONDS)
        async with self.presence.holding(key.id, staying.key.id if staying is not None else ""):
            await self.presence.refresh()
            await self._check_deletion(key, staying, insist=insist)
            with suppress(NotFound):  # the answer to its deletion tells that as well
                now = self._as_told(await self.read(key))
                check_going(self._as_told(key), now, is_alone=staying is None)
            staying_now: Key | None = None
            if staying is not None:
                staying_now = self._as_told(await self.read(staying.key))
                shown = replace(staying, key=self._as_told(staying.key))
                check_staying(key, shown, staying_now)
            return Deleted(await self._send_deletion(key), staying_now)

    async def _send_deletion(self, key: Key) -> bool:
        """Have a key deleted; return whether it was there before."""
        attempt = self._begin_attempt("delete", key)
        await self.journal.settled()
        try:
            with self._open_writes.noting(attempt, key):
                await self.session.call(
                    lambda credential: self.session.client.delete_key(
                        key.id, credential, key.subaccount_id
                    )
                )
        except ApiError as error:
            if not (error.maybe_done or isinstance(error, NotFound)):
                raise
            await self._resolve_deletion(key, error, attempt)
            return not isinstance(error, NotFound)
        attempt.done()
        self._reader.note_deleted(key)
        self._open_writes.forget(key)
        return True

    def _as_told(self, key: Key) -> Key:
        """Return a key with the addresses that a server left out where any will do (contract 4)."""
        is_left_out = key.raw_valid_ips is None and self.listing.tells_addresses
        return replace(key, raw_valid_ips=()) if is_left_out else key

    async def _check_deletion(self, key: Key, staying: Staying | None, *, insist: bool) -> None:
        writes, workers = self.open_writes(), self.presence.others
        others: Iterable[Key] = (staying.key,) if staying is not None else ()
        if staying is None and (writes or workers):
            others = (await self.records()).partners(key)
        ids = [key.id, *(other.id for other in others)]
        open_writes = [writes[key_id] for key_id in ids if key_id in writes]
        at_work = [workers[key_id] for key_id in ids if key_id in workers]
        check_deletion(key, open_writes, at_work, insist=insist)

    async def _resolve_deletion(self, key: Key, error: ApiError, attempt: Attempt) -> None:
        """Learn by the list what came of a deletion; return where the key is gone."""
        if isinstance(error, NotFound):
            await self._reader.insist_on_gone(key, error)
            attempt.done(detail="Somebody else had already deleted it.")
            return
        try:
            listing = await self.load()
        except (ApiError, SessionProblem):
            raise Unresolved(error) from None
        if key.id in listing.by_id:
            raise StillThere(error) from None
        if not listing.is_whole:
            raise Unresolved(error) from None

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

    async def attempt_of(self, key: Key) -> Attempt | None:
        """Return what to note about a key that was created by this operator, else None."""
        created = (await self.records())[key].created
        return self.journal.resume(created.newest) if created is not None else None

    async def _read_outcome(
        self,
        sent: SentCreate,
        cause: ApiError,
    ) -> SecretLost | NotSeenSoFar | OutcomeUnknown:
        try:
            listed = await self._reader.keys()
        except (ApiError, SessionEnded):
            return OutcomeUnknown(cause, sent)
        return self.create_outcome(listed, sent, cause)

    def _note_located(self, records: Records) -> None:
        """Note the ids of keys that were found in the list, of creates without a good answer."""
        for created, key in records.located:
            if not self.presence.holds(created.attempt_id) and records[key].worker is None:
                attempt = self.journal.resume(created.newest)
                if created.unstored is not None and not created.newest.short_key:
                    self._note_lost(attempt, key, "Found in the list.")
                else:
                    self.note_found(attempt, key)

    def note_found(self, attempt: Attempt, key: Key) -> None:
        """Note which key came of a create whose answer did not tell its id."""
        attempt.done(key_id=key.id, short_key=key.raw_short_key or "", detail="Found in the list.")

    def _note_lost(self, attempt: Attempt, key: Key, why: str) -> None:
        detail = f"{why} The secret was lost on the way."
        attempt.done(key_id=key.id, short_key=key.raw_short_key or "", detail=detail)

    def _begin_attempt(
        self, action: Action, key: Key, predecessor: str = "", attempt_id: str = ""
    ) -> Attempt:
        if self._is_read_only:
            raise OnlyRead
        return self.journal.begin(
            action,
            server=self.session.client.server.identity,
            username=self.session.user.username if self.session.user else "",
            key_id=key.id,
            label=key.raw_label or "",
            short_key=key.raw_short_key or "",
            predecessor=predecessor,
            attempt_id=attempt_id,
            valid_ips=" ".join(key.raw_valid_ips or ()) if action == "pause" else "",
        )

    @property
    def _username(self) -> str:
        """Who is signed in, as the server told it, or nothing: a typed name proves nothing."""
        user = self.session.user
        return user.username if user is not None and user.role is not None else ""
