"""The rotation of one key: it is deleted only after its successor was stored and verified.

There is a working key at every moment, and stopping anywhere leaves both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING

from tui.api.errors import ApiError, NoAnswer
from tui.api.models import Key, KeyDraft
from tui.api.session import SessionProblem
from tui.delivery.new_secret import Delivery, NewSecret
from tui.journal import Attempt
from tui.keys.created import Created
from tui.keys.guard import differences
from tui.keys.handing_over import handing_over
from tui.keys.key_record import Knowledge, UnfinishedRotation
from tui.keys.labels import retiring_since
from tui.keys.listing import Listing
from tui.keys.paused_mark import is_paused
from tui.keys.rotation.machine import PROBLEMS, Machine, OpenStep
from tui.keys.rotation.pair import Pair, draft_like, tells_draft
from tui.keys.rotation.states import (
    AddressesNotChosen,
    GrantsNotTold,
    ListedInPart,
    MarkNotKept,
    NothingLeft,
    NotVerified,
    OtherSecret,
    PausedBefore,
    SecretForgotten,
    State,
    Step,
    SucceededAlready,
    SuccessorGone,
    WrongStep,
)
from tui.keys.service import KeyService
from tui.keys.verification import Prove, Verification
from tui.keys.write_outcomes import (
    CannotGoOn,
    NotSeenSoFar,
    OpenWrite,
    OutcomeUnknown,
    SecretLost,
    StillThere,
)
from tui.text import plain

if TYPE_CHECKING:
    from pydantic import SecretStr


SEEN_TO_WORK = "It was seen to work with a secret that was given."
"""How the journal says that a secret is stored somewhere, as whoever gave it has it."""


class Rotation(Machine):
    """A predecessor on its way to being replaced.

    Each step is a coroutine that returns the state it led to; what stopped it is in `problem`, not
    raised. Only `WrongStep` is raised, by steps that TRANSITIONS does not list for the state.
    `verification_listeners` are called with what each verification has shown so far.
    """

    def __init__(
        self,
        service: KeyService,
        predecessor: Key,
        *,
        prove: Prove | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.service = service
        self.verification_listeners: list[Callable[[Verification], None]] = []
        self.verification: Verification | None = None
        self.stored = ""
        """In words, where the secret was stored; nothing while it is not."""
        self._pair = Pair(service, predecessor, clock)
        self._draft: KeyDraft | None = None
        self._asked = KeyDraft()
        self._prove = prove or service.verify
        self._secret: SecretStr | None = None
        self._created: Created | None = None
        self._was_proven = self._is_let_go = False
        self.verified_first = False
        """Whether the successor was verified before its secret was stored."""
        self._may_be_lost = True
        """Whether the journal here tells that the successor may be of no use to anybody."""
        self.agrees_to_any_address = False
        """Whether the successor may work from anywhere, where the server tells no addresses."""
        self.is_one_of_many = False
        """Whether a run over many keys has the list read for all of them before their creates."""
        self.mark_problem: Exception | None = None
        """Why the successor still has its mark, or never got one."""

    @classmethod
    def resume(
        cls, service: KeyService, unfinished: UnfinishedRotation, *, prove: Prove | None = None
    ) -> Rotation:
        """Return the rotation of a predecessor and its only known successor."""
        if not unfinished.is_known or len(unfinished.successors) != 1:
            raise ValueError("nothing tells which key is the successor")
        rotation = cls(service, unfinished.predecessor, prove=prove)
        rotation._pair.successor = unfinished.successors[0]
        rotation._pair.is_known_here = unfinished.known is not None
        rotation._was_proven = unfinished.known is not None and unfinished.known.is_verified
        rotation._state = State.INTERRUPTED
        rotation._may_be_lost = unfinished.knowledge is Knowledge.NEVER_STORED
        if unfinished.is_stored and unfinished.known is not None:
            storings = [line.detail for line in unfinished.known.lines if line.phase == "stored"]
            rotation.stored = "".join(storings[-1:]) or "stored earlier"
            phases = [line.phase for line in unfinished.known.lines]
            before = takewhile(lambda phase: phase != "stored", phases)
            rotation.verified_first = "verified" in before
            rotation._state = State.VERIFIED if unfinished.is_proven else State.DELIVERED
        return rotation

    def __repr__(self) -> str:
        return f"Rotation({self.predecessor.id!r}, {self.state.value!r})"

    @property
    def draft(self) -> KeyDraft:
        """What the successor is to be: as the predecessor is, unless changed before the create."""
        if self._created is not None:
            return self._created.draft
        if self._draft is not None:
            return self._draft
        return draft_like(self.predecessor)

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
    def key(self) -> Key:
        """The key that the operator chose: the predecessor."""
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
    def is_proven(self) -> bool:
        """Whether the successor was verified, now or earlier on this host."""
        return self.verification.works if self.verification is not None else self._was_proven

    @property
    def differences(self) -> str:
        """In which of grants and allowed IPs the keys differ, unless that was chosen here."""
        if self._created is not None or self.successor is None:
            return ""
        return differences(self.predecessor, self.successor)

    @property
    def is_paused(self) -> bool:
        """Whether the predecessor is out of service."""
        return is_paused(self.predecessor.raw_valid_ips)

    def allows(self, step: Step) -> bool:
        """Tell whether the step can be taken now.

        A successor that was made elsewhere is not taken for lost. There may be no secret to
        deliver, or no predecessor any more to go back to.
        """
        if not super().allows(step) or (step is Step.DELIVER and self._secret is None):
            return False
        if step in {Step.PAUSE, Step.RESUME} and self.is_paused is (step is Step.PAUSE):
            return False
        needs_predecessor = step in {Step.PAUSE, Step.RESUME, Step.UNDO}
        if needs_predecessor and self._pair.is_predecessor_deleted:
            return False
        return step is not Step.REPLACE or self._may_be_lost

    def is_held_back(self, step: Step) -> bool:
        """Tell whether a step must wait, as the deletion of the other key may still take effect."""
        write = self.open_write
        if write is None or step not in {Step.FINISH, Step.UNDO, Step.REPLACE}:
            return False
        is_of_predecessor = write.key_id == self.predecessor.id
        return is_of_predecessor is not (step is Step.FINISH)

    @property
    def open_write(self) -> OpenWrite | None:
        """The deletion of one of the keys that got no good answer and may still take effect."""
        for key in (self.predecessor, self.successor):
            write = self.service.open_write(key) if key is not None else None
            if write is not None and write.action == "delete":
                return write
        return None

    def offers(self, step: Step) -> bool:
        """Tell whether the step is allowed and of use to an operator who sees this rotation."""
        if step is Step.VERIFY and self.is_proven:
            return False
        if step is Step.UNDO and self.successor is None and not self.short_key:
            return False
        if step is Step.STORED and self.stored:
            return False
        return self.allows(step) and not self.is_held_back(step)

    async def create(self, password: SecretStr | None = None, *, verify: bool = False) -> State:
        """Create the successor; the request is sent once.

        The account's password, where one is given, is checked first; `problem` is what
        `KeyService.authorized` raises. A successor is verified at once where that is asked for.
        """
        return await self._take(Step.CREATE, partial(self._create, password, verify))

    async def deliver(self, delivery: Delivery) -> State:
        """Have the secret delivered; where that fails it is still held here."""
        return await self._take(Step.DELIVER, partial(self._deliver, delivery))

    async def stored_by_hand(self, how: str, *, verify: bool = False) -> State:
        """Take the operator's word that the secret is stored, and how.

        A successor that was not verified yet is, where that is asked for and its secret is held.
        """
        return await self._take(Step.STORED, partial(self._store_by_hand, how, verify))

    async def verify(self, secret: SecretStr | None = None) -> State:
        """Verify the successor; `problem` is NotVerified where it does not work.

        A `secret` is given where none is held here any more.
        """
        return await self._take(Step.VERIFY, partial(self._verify, secret))

    async def pause_predecessor(self, today: date) -> State:
        """Take the predecessor out of service, to see whether anything breaks without it."""
        return await self._take(Step.PAUSE, partial(self._pair.pause_predecessor, today))

    async def resume_predecessor(self) -> State:
        """Put the predecessor back into service."""
        return await self._take(Step.RESUME, self._pair.resume_predecessor)

    async def finish(self, *, even_unverified: bool = False, confirm: bool = True) -> State:
        """Delete the predecessor, provided that the successor is there.

        One that was not verified will do only where the operator confirmed that. To `confirm`,
        the list is read afterwards: somebody else may have deleted the successor meanwhile.
        """
        return await self._take(Step.FINISH, partial(self._finish, even_unverified, confirm))

    async def undo(self) -> State:
        """Delete the successor, provided that the predecessor is there, in service and unmarked.

        It is put back into service before, and its mark taken away.
        """
        return await self._take(Step.UNDO, self._undo)

    async def replace_lost(self) -> State:
        """Delete the successor that nobody has the secret of, so that another can be created."""
        return await self._take(Step.REPLACE, self._replace)

    async def look_again(self) -> State:
        """Read the list, and tell by it the outcome of a write that got no answer."""
        return await self._take(Step.LOOK, self._look)

    def forget_secret(self) -> None:
        """Forget the secret; one that is not stored is lost."""
        self._begin(Step.FORGET)
        self._wipe()
        try:
            if self.state is State.CREATED:
                self._reach(State.SECRET_LOST)
        finally:
            self._step = None

    def _wipe(self) -> None:
        """Hold the secret no more; the answer that told it is kept only to find the key by."""
        self._let_go()
        if self._secret is not None and self._created is not None and self.successor is not None:
            nothing = type(self._secret)("")
            wiped = replace(self._created.key, secret=nothing, id=self.successor.id)
            self._created = replace(self._created, key=wiped)
        self._secret = None

    def compare(self, listing: Listing) -> None:
        """Take note of a list that was read just now, instead of having it read once more."""
        self._pair.compare(listing)

    def _may_have_written(self, step: Step) -> bool:
        was_sent = self.predecessor.id in self.service.sent_creates
        return step is not Step.CREATE or (was_sent and self._secret is None)

    async def _create(self, password: SecretStr | None, verify: bool) -> None:
        self.service.sent_creates.pop(self.predecessor.id, None)
        await self.service.presence.hold(self.predecessor.id)
        try:
            async with self.service.authorized(password):
                await self._create_authorized()
        finally:
            if self._created is None:
                self.service.presence.release(self.predecessor.id)
        if verify and self.state is State.CREATED:
            await self._verify()

    async def _create_authorized(self) -> None:
        try:
            await self._prepare()
            created = await self.service.create(self._asked, predecessor=self.predecessor)
        except (SecretLost, NotSeenSoFar, OutcomeUnknown) as outcome:
            self._take_in(outcome)
            return
        except PROBLEMS:
            if self.state is not State.NOTHING_LEFT:
                self._enter(State.REFUSED)
            raise
        self._created, self._secret, self._is_let_go = created, created.key.secret, False
        self.mark_problem = created.mark_refused or (None if created.is_marked else MarkNotKept())
        if created.key.id is not None:
            self._pair.take_created(created)
        self._reach(State.CREATED)
        with suppress(ApiError, SessionProblem):
            await self._locate()

    async def _prepare(self) -> None:
        """Learn the grants to give, and the keys from before, to recognise the successor by."""
        if not self._pair.is_predecessor_deleted:
            await self._pair.look_before_create(alone=not self.is_one_of_many)
        if self.predecessor.raw_grants is None and not self.draft.grants:
            raise GrantsNotTold
        if self._draft is None and not tells_draft(self.predecessor):
            raise PausedBefore
        if self.lacks_addresses:
            raise AddressesNotChosen
        successors = self.service.successors(self.predecessor)
        if successors and not self._pair.is_predecessor_deleted:
            raise SucceededAlready(successors)
        self._asked = self.draft

    @property
    def lacks_addresses(self) -> bool:
        """Whether nothing tells from which addresses the successor is to work."""
        return (
            self._draft is None
            and self.predecessor.raw_valid_ips is None
            and not self.service.listing.tells_addresses
            and not self.agrees_to_any_address
        )

    def _take_in(self, outcome: SecretLost | NotSeenSoFar | OutcomeUnknown) -> None:
        self.problem = outcome
        if isinstance(outcome, NotSeenSoFar):
            if self._first_state is not State.NOTHING_LEFT:
                self._reach(State.REFUSED)
        elif isinstance(outcome, OutcomeUnknown):
            step = OpenStep(State.REFUSED, Step.CREATE, outcome.cause)
            self._leave_open(step, outcome)
        else:
            self._pair.successor = outcome.key
            self._reach(State.SECRET_LOST)

    async def _locate(self) -> None:
        """Find the successor in the list where the answer told no id."""
        if self.successor is None and self._created is not None:
            known = self.service.sent_creates[self.predecessor.id].known
            successor = await self.service.find_created(self._created, known)
            if successor is not None:
                self._pair.successor = successor
                self.service.note_found(self._created.attempt, successor)

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
        new_secret = NewSecret(self._secret, key_id, self._created.draft.label, short_key)
        async with handing_over(self._created.attempt):
            sent = await delivery.deliver(new_secret)
        await self._store(sent.where)

    @property
    def attempt(self) -> Attempt | None:
        """Where to note what becomes of the secret that is held here."""
        return self._created.attempt if self._created is not None else None

    async def _find_attempt(self) -> Attempt | None:
        """Return what to note about the successor, where it was created by this operator."""
        if self._created is not None:
            return self._created.attempt
        return await self.service.attempt_of(self.successor) if self.successor else None

    def _let_go(self) -> None:
        """Let other instances know that nothing is in the balance here any more."""
        if self._created is not None and not self._is_let_go:
            self._is_let_go = True
            self.service.presence.release(self.predecessor.id)

    async def _store(self, how: str) -> None:
        self.stored = f"{self.stored}; {how}" if self.stored else how
        if attempt := await self._find_attempt():
            attempt.stored(how)
        self._let_go()
        if self.state in {State.CREATED, State.INTERRUPTED}:
            self._reach_stored()

    async def _store_by_hand(self, how: str, verify: bool) -> None:
        await self._store(how)
        is_untried = self.verification is None and self._secret is not None
        if verify and is_untried and self.state is State.DELIVERED:
            await self._verify()

    def _reach_stored(self) -> None:
        """Reach what a stored successor has come to; the secret of a verified one is wiped."""
        if self.is_proven:
            self._wipe()
        self._reach(State.VERIFIED if self.is_proven else State.DELIVERED)

    async def _verify(self, given: SecretStr | None = None) -> None:
        secret = given or self._secret
        if secret is None:
            raise SecretForgotten
        if self.successor is not None and not self.successor.may_have(secret):
            raise OtherSecret
        grants, valid_ips = self._asked.grants, self._asked.valid_ips
        if self._created is None and self.successor is not None:
            grants, valid_ips = self.successor.grants, self.successor.raw_valid_ips or ()
        self.verification = verification = await self._prove(
            secret, grants, valid_ips, on_change=self._show_verification
        )
        if verification.works:
            self.verified_first = not self.stored
        if verification.is_certain and (attempt := await self._find_attempt()):
            if given is not None and verification.works:
                attempt.stored(SEEN_TO_WORK)
            attempt.proven(verification.works)
        is_pasted = given is not None and verification.works
        if self.state in {State.DELIVERED, State.VERIFIED} or is_pasted:
            self._reach_stored()
        if not verification.works:
            raise NotVerified(verification)

    def _show_verification(self, verification: Verification) -> None:
        for listener in tuple(self.verification_listeners):
            listener(verification)

    async def _finish(self, even_unverified: bool, confirm: bool) -> None:
        if not (even_unverified or self.is_proven):
            raise WrongStep(self.state, Step.FINISH, "not verified")
        await self._insist_on_successor()
        try:
            await self._pair.delete_predecessor()
        except SuccessorGone:
            if await self._pair.is_all_gone():
                return self._find_nothing_left()
            raise
        if confirm:
            with suppress(ApiError, SessionProblem):
                await self._pair.look()
            await self._pair.confirm_successor()
        if not self._pair.has_successor:
            return self._find_nothing_left()
        await self._unmark_successor()
        return self._leave(State.FINISHED)

    async def note_nothing_left(self) -> None:
        """Take note, after a finish that was not confirmed, that the successor is gone, too."""
        await self._pair.confirm_successor()
        if self.state is State.FINISHED and not self._pair.has_successor:
            self._step, self._first_state = Step.FINISH, State.VERIFIED
            try:
                self._find_nothing_left()
            finally:
                self._step = None
            self._notify()

    def _find_nothing_left(self) -> None:
        if self._created is not None:
            self._draft = self._created.draft
        self._pair.successor, self._pair.is_predecessor_deleted = None, True
        self.problem = NothingLeft()
        self._leave(State.NOTHING_LEFT)

    async def _unmark_successor(self) -> None:
        """Put the plain label back; if that fails, the mark stays, and `mark_problem` says why."""
        known = self._created.draft if self._created is not None else None
        try:
            await self._pair.unmark_successor(known)
        except (ApiError, SessionProblem, CannotGoOn) as problem:
            self.mark_problem = problem
        else:
            self.mark_problem = None

    async def _undo(self) -> None:
        await self._insist_on_successor()
        if self.is_paused:
            await self._pair.resume_predecessor()
        if retiring_since(self.predecessor.raw_label or "") is not None:
            await self._pair.unmark_predecessor()
        had_successor = self.successor is not None
        await self._pair.delete_successor()
        if had_successor:
            await self._pair.confirm_predecessor()
            if not self._pair.has_predecessor:
                return self._find_nothing_left()
        return self._leave(State.UNDONE)

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
        step = self._open_step
        if step is None:
            raise WrongStep(self.state, Step.LOOK)
        listing = await self.service.load()
        self.compare(listing)
        if step.step is Step.CREATE:
            cause = step.cause or self._interruption()
            sent = self.service.sent_creates[self.predecessor.id]
            self._take_in(self.service.create_outcome(listing, sent, cause))
        elif not listing.is_whole:
            raise ListedInPart
        else:
            self._compare_outcome(step)

    def _compare_outcome(self, step: OpenStep) -> None:
        """Tell by the two keys as just seen the outcome of a write other than a create."""
        pair, state = self._pair, step.state
        marked = retiring_since(self.predecessor.raw_label or "") is not None
        if step.step is Step.FINISH and not pair.has_predecessor:
            return self._leave(State.FINISHED) if pair.has_successor else self._find_nothing_left()
        is_pausing = step.step in {Step.PAUSE, Step.RESUME} and pair.has_predecessor
        if is_pausing and self.is_paused is (step.step is Step.PAUSE):
            return self._reach(state)
        if step.step in {Step.UNDO, Step.REPLACE} and pair.has_predecessor:
            if not pair.has_successor:
                pair.successor = None
            if step.step is Step.REPLACE and pair.successor is None:
                return self._leave(State.PLANNED)
            if step.step is Step.UNDO and pair.successor is None and not marked:
                return self._leave(State.UNDONE)
        is_undoing = step.step in {Step.UNDO, Step.REPLACE}
        if is_undoing and not (pair.has_predecessor or pair.has_successor):
            return self._find_nothing_left()
        self.problem = StillThere(step.cause)
        return self._reach(state)

    @property
    def known_state(self) -> State:
        """The state; before a write of unknown outcome where that is what it waits for."""
        step = self._open_step if self.state is State.UNKNOWN else None
        return step.state if step else self.state

    @property
    def unknown_step(self) -> Step | None:
        """The write whose outcome is not known, if the state is UNKNOWN."""
        step = self._open_step if self.state is State.UNKNOWN else None
        return step.step if step else None

    def _interruption(self) -> ApiError:
        server = self.service.session.client.server
        return NoAnswer("broken", server.host, server.port, 0)
