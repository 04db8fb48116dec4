"""The rotation of one key: its successor is stored and shown to work before it is deleted.

At no moment is there no working key, and stopping anywhere leaves both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from tui.api.errors import ApiError, NoAnswer
from tui.api.models import Key, KeyDraft
from tui.api.session import SessionProblem
from tui.delivery.new_secret import Delivery, NewSecret
from tui.journal import Attempt
from tui.keys.rotation.machine import PROBLEMS, Doubt, Machine
from tui.keys.rotation.pair import Pair
from tui.keys.rotation.retiring_label import base_label, retiring_label, retiring_since
from tui.keys.rotation.states import (
    GrantsNotTold,
    ListedInPart,
    NotVerified,
    OfSubaccount,
    OtherSecret,
    SecretForgotten,
    State,
    Step,
    StillThere,
    SuccessorGone,
    WrongStep,
)
from tui.keys.rotation.unfinished import Unfinished, UnfinishedKind, stands_at
from tui.keys.service import Created, KeyService, Listing
from tui.keys.verification import Prove, Verification
from tui.keys.write_outcomes import NothingCreated, OutcomeUnknown, SecretLost
from tui.text import plain

if TYPE_CHECKING:
    from pydantic import SecretStr


class Rotation(Machine):
    """A predecessor on its way to being replaced.

    Each step is a coroutine that returns the state it led to; what stopped it is in `problem`, not
    raised. Only `WrongStep` is, by steps that TRANSITIONS does not list for the state.
    """

    def __init__(
        self,
        service: KeyService,
        predecessor: Key,
        *,
        on_change: Callable[[Rotation], None] | None = None,
        prove: Prove | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(on_change)
        self.service = service
        self.verification: Verification | None = None
        self.stored = ""
        """In words, where the secret was stored; nothing while it is not."""
        self._pair = Pair(service, predecessor, clock)
        self._draft: KeyDraft | None = None
        self._asked = KeyDraft()
        self._prove = prove or service.verify
        self._secret: SecretStr | None = None
        self._created: Created | None = None
        self._known: frozenset[str] = frozenset()
        self._was_proven = self._is_marked_elsewhere = False

    @classmethod
    def resume(
        cls,
        service: KeyService,
        unfinished: Unfinished,
        successor: Key | None = None,
        *,
        on_change: Callable[[Rotation], None] | None = None,
        prove: Prove | None = None,
    ) -> Rotation:
        """Return a rotation that was begun, of its youngest successor unless one is named."""
        rotation = cls(service, unfinished.predecessor, on_change=on_change, prove=prove)
        if unfinished.kind is not UnfinishedKind.ALONE:
            meant = successor or unfinished.successors[-1]
            rotation._pair.successor = meant
            known = unfinished.known if meant is unfinished.successors[-1] else None
            rotation.state = stands_at(unfinished.kind, known)
            rotation._was_proven = known is not None and known.is_verified
            rotation._is_marked_elsewhere = (
                unfinished.kind is UnfinishedKind.OVERLAPPING and known is None
            )
        return rotation

    def __repr__(self) -> str:
        return f"Rotation({self.predecessor.id!r}, {self.state.value!r})"

    @property
    def draft(self) -> KeyDraft:
        """What the successor is to be: as the predecessor is, unless changed before it is made."""
        if self._created is not None:
            return self._created.draft
        if self._draft is not None:
            return self._draft
        key = self.predecessor
        return KeyDraft(base_label(key.raw_label or ""), key.grants, key.raw_valid_ips or ())

    @draft.setter
    def draft(self, draft: KeyDraft) -> None:
        self._check(Step.CREATE)
        self._draft = draft

    @property
    def secret(self) -> SecretStr | None:
        """The successor's secret, while it is held here."""
        return self._secret

    @property
    def predecessor(self) -> Key:
        """The key to be replaced, as last seen."""
        return self._pair.predecessor

    @property
    def successor(self) -> Key | None:
        """The key that replaces it, as last seen; None also while its id is not known yet."""
        return self._pair.successor

    @property
    def short_key(self) -> str:
        """The successor's short key, safe to show, or nothing."""
        if self.successor is not None:
            return self.successor.short_key
        return plain(self._created.key.short_key) if self._created else ""

    @property
    def would_lose_secret(self) -> bool:
        """Whether leaving now would lose the only copy of a secret."""
        return self._secret is not None and not self.stored

    @property
    def is_good(self) -> bool:
        """Whether the successor was shown to work, or whoever marked the other one saw to it."""
        return self.is_proven or (self.verification is None and self._is_marked_elsewhere)

    @property
    def is_proven(self) -> bool:
        """Whether the successor was shown to work, now or earlier on this host."""
        return self.verification.works if self.verification is not None else self._was_proven

    def allows(self, step: Step) -> bool:
        """Tell whether the step can be taken now; there may be no secret to deliver."""
        return super().allows(step) and (step is not Step.DELIVER or self._secret is not None)

    async def create(self) -> State:
        """Create the successor, within `service.authorized`; the request is sent once."""
        return await self._take(Step.CREATE, self._create)

    async def deliver(self, delivery: Delivery) -> State:
        """Have the secret delivered; where that fails it is still held here."""
        return await self._take(Step.DELIVER, partial(self._deliver, delivery))

    async def stored_by_hand(self, how: str) -> State:
        """Take the operator's word that the secret is stored, and how."""
        return await self._take(Step.STORED, partial(self._store, how))

    async def verify(
        self,
        on_change: Callable[[Verification], None] | None = None,
        secret: SecretStr | None = None,
    ) -> State:
        """Have the successor shown to work; `problem` is NotVerified where it does not.

        A `secret` is given where none is held here any more.
        """
        return await self._take(
            Step.VERIFY, partial(self._verify, on_change, self._secret or secret)
        )

    async def retire_later(self, today: date) -> State:
        """Mark the predecessor as retiring since `today`, for everybody to see."""
        return await self._take(Step.RETIRE, partial(self._retire, today))

    async def finish(self, *, even_unverified: bool = False) -> State:
        """Delete the predecessor, provided that the successor is there.

        One that was not shown to work will do only where the operator confirmed that.
        """
        return await self._take(Step.FINISH, partial(self._finish, even_unverified))

    async def undo(self) -> State:
        """Delete the successor and unmark the predecessor, provided that the latter is there."""
        return await self._take(Step.UNDO, self._undo)

    async def replace_lost(self) -> State:
        """Delete the successor that nobody has the secret of, so that another can be created."""
        return await self._take(Step.REPLACE, self._replace)

    async def look_again(self) -> State:
        """Read the list, and tell by it what became of a write that got no answer."""
        return await self._take(Step.LOOK, self._look)

    def forget_secret(self) -> None:
        """Let go of the secret; one that is not stored is lost by that."""
        self._check(Step.FORGET)
        self._wipe()
        if self.state is State.CREATED:
            self._reach(State.SECRET_LOST)

    def _wipe(self) -> None:
        """Hold the secret no more; the answer that told it is kept only to find the key by."""
        if self._secret is not None and self._created is not None and self.successor is not None:
            nothing = type(self._secret)("")
            told = replace(self._created.key, secret=nothing, id=self.successor.id)
            self._created = replace(self._created, key=told)
        self._secret = None

    def compare(self, listing: Listing) -> None:
        """Take note of a list that was read just now, instead of having it read once more."""
        self._pair.compare(listing)

    def _may_have_written(self, step: Step) -> bool:
        return step is not Step.CREATE or (bool(self._known) and self._secret is None)

    async def _create(self) -> None:
        self._known = frozenset()
        try:
            await self._prepare()
            made = await self.service.create(self._asked, predecessor=self.predecessor.id)
        except (SecretLost, NothingCreated, OutcomeUnknown) as became:
            self._take_in(became)
            return
        except PROBLEMS:
            self.state = State.REFUSED
            raise
        self._created, self._secret = made, made.key.secret
        if made.key.id is not None:
            told = made.key.short_key, made.draft.grants, made.draft.valid_ips
            self._pair.successor = Key(made.key.id, made.draft.label, *told)
        self._reach(State.CREATED)
        with suppress(ApiError, SessionProblem):
            await self._locate()

    async def _prepare(self) -> None:
        """Know the grants to give, and the list from before, without which nothing is compared."""
        await self._pair.look_unless_fresh()
        if self.predecessor.subaccount_id:
            raise OfSubaccount
        if self.predecessor.raw_grants is None and not self.draft.grants:
            raise GrantsNotTold
        self._asked = self.draft
        self._known = self.service.known_ids() | {self.predecessor.id}

    def _take_in(self, became: SecretLost | NothingCreated | OutcomeUnknown) -> None:
        self.problem = became
        if isinstance(became, NothingCreated):
            self._reach(State.REFUSED)
        elif isinstance(became, OutcomeUnknown):
            doubt = Doubt(State.REFUSED, Step.CREATE, became.cause, became.attempt)
            self._doubt(doubt, became)
        else:
            self._pair.successor = became.key
            self._reach(State.SECRET_LOST)

    async def _locate(self) -> None:
        """Find the successor in the list where the answer told no id."""
        if self.successor is None and self._created is not None:
            self._pair.successor = await self.service.find_made(self._created.key, self._known)

    async def _insist_on_successor(self) -> None:
        await self._locate()
        if self.successor is None and self._created is not None:
            raise SuccessorGone

    async def _deliver(self, delivery: Delivery) -> None:
        if self._secret is None or self._created is None:
            raise WrongStep(self.state, Step.DELIVER)
        key_id, short_key = "", self._created.key.short_key
        if self.successor is not None:
            key_id, short_key = self.successor.id, self.successor.raw_short_key or short_key
        parcel = NewSecret(self._secret, key_id, self._created.draft.label, short_key)
        sent = await delivery.deliver(parcel)
        await self._store(sent.where)

    def note_stored(self, how: str) -> None:
        """Note in the journal that the secret is stored, before the operator goes on."""
        if attempt := self._attempt:
            attempt.stored(how)

    @property
    def _attempt(self) -> Attempt | None:
        """What to note about the successor, where it was created by this operator."""
        if self._created is not None:
            return self._created.attempt
        return self.service.noted.attempt_of(self.successor.id) if self.successor else None

    async def _store(self, how: str) -> None:
        self.stored = f"{self.stored}; {how}" if self.stored else how
        self.note_stored(how)
        if self.state in {State.CREATED, State.INTERRUPTED}:
            self._reach(State.VERIFIED if self.is_proven else State.DELIVERED)

    async def _verify(
        self, on_change: Callable[[Verification], None] | None, secret: SecretStr | None
    ) -> None:
        if secret is None:
            raise SecretForgotten
        if self.successor is not None and not self.successor.may_have(secret):
            raise OtherSecret
        grants, valid_ips = self._asked.grants, self._asked.valid_ips
        if self._created is None and self.successor is not None:
            grants, valid_ips = self.successor.grants, self.successor.raw_valid_ips or ()
        self.verification = found = await self._prove(
            secret, grants, valid_ips, on_change=on_change
        )
        if found.is_certain and (attempt := self._attempt):
            attempt.proven(found.works)
        if self.state in {State.DELIVERED, State.VERIFIED}:
            self._reach(State.VERIFIED if found.works else State.DELIVERED)
        if not found.works:
            raise NotVerified(found)

    async def _retire(self, today: date) -> None:
        await self._pair.relabel_predecessor(lambda label: retiring_label(label, today))
        self._reach(State.OVERLAPPING)

    async def _finish(self, even_unverified: bool) -> None:
        if not (even_unverified or self.is_good):
            raise WrongStep(self.state, Step.FINISH, "not shown to work")
        await self._insist_on_successor()
        await self._pair.delete_predecessor()
        self._leave(State.FINISHED)

    async def _undo(self) -> None:
        await self._insist_on_successor()
        if retiring_since(self.predecessor.raw_label or "") is not None:
            await self._pair.relabel_predecessor(base_label)
            if self.state is State.OVERLAPPING:
                self._reach(State.VERIFIED if self.is_proven else State.DELIVERED)
        await self._pair.delete_successor()
        self._leave(State.UNDONE)

    async def _replace(self) -> None:
        await self._pair.delete_successor()
        self._leave(State.PLANNED)

    def _leave(self, state: State) -> None:
        """Reach a state in which the secret is of no more use here."""
        self._wipe()
        if state is not State.FINISHED:
            self._created, self.verification, self.stored = None, None, ""
            self._was_proven = False
        self._reach(state)

    async def _look(self) -> None:
        doubt = self._doubted
        if doubt is None:
            raise WrongStep(self.state, Step.LOOK)
        listing = await self.service.load()
        self.compare(listing)
        if doubt.step is Step.CREATE:
            cause = doubt.cause or self._interruption()
            self._take_in(
                self.service.what_became(listing, self._asked, self._known, cause, doubt.attempt)
            )
        elif not listing.is_whole:
            raise ListedInPart
        else:
            self._compare_outcome(doubt)

    def _compare_outcome(self, doubt: Doubt) -> None:
        """Tell by the two keys as just seen what became of a write other than a create."""
        pair, state = self._pair, doubt.state
        marked = retiring_since(self.predecessor.raw_label or "") is not None
        if doubt.step is Step.FINISH and not pair.has_predecessor:
            return self._leave(State.FINISHED)
        if doubt.step is Step.RETIRE and pair.has_predecessor and marked:
            return self._reach(State.OVERLAPPING)
        if doubt.step in {Step.UNDO, Step.REPLACE} and pair.has_predecessor:
            if not pair.has_successor:
                pair.successor = None
            if doubt.step is Step.REPLACE and pair.successor is None:
                return self._leave(State.PLANNED)
            if doubt.step is Step.UNDO and pair.successor is None and not marked:
                return self._leave(State.UNDONE)
            if state is State.OVERLAPPING and not marked:
                state = State.VERIFIED if self.is_proven else State.DELIVERED
        self.problem = StillThere(doubt.cause)
        return self._reach(state)

    @property
    def doubted(self) -> State:
        """The state before a write of which nothing is known; else the present one."""
        doubt = self._doubted if self.state is State.UNKNOWN else None
        return doubt.state if doubt else self.state

    def _interruption(self) -> ApiError:
        server = self.service.session.client.server
        return NoAnswer("broken", server.host, server.port, 0)
