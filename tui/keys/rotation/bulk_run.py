"""Working on many keys, several at once: paused and cancelled between keys, slowed by limits."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.api.errors import ApiError, RateLimited
from tui.api.models import Key
from tui.api.session import SessionEnded, SessionProblem
from tui.delivery.new_secret import Delivery, DeliveryFailed, NewSecret, Sent
from tui.keys.key_record import UnfinishedRotation
from tui.keys.labels import base_label
from tui.keys.rotation.jobs import (
    Job,
    KeyDeletion,
    KeyPause,
    MarkRemoval,
    SecretCheck,
    finish_jobs,
    rotation_job,
)
from tui.keys.rotation.pair import LONG_LIST
from tui.keys.rotation.rotation import Rotation
from tui.keys.rotation.states import NotVerified, State, Step
from tui.keys.rotation.throttle import Throttle
from tui.keys.service import FRESH_SECONDS, KeyService
from tui.keys.verification import Prove

if TYPE_CHECKING:
    from pydantic import SecretStr

UNDELIVERED = 3
"""After so many failed deliveries in a row a run pauses by itself."""

MOST_TO_DELIVER = 2
"""While so many secrets wait to be delivered, no further key is begun."""

MOST_VERIFICATIONS = 5
"""How often a key is verified once more where the server wants to be asked less often."""

_BEFORE_CREATE = (State.PLANNED, State.REFUSED)

OnChange = Callable[[str, State, Exception | None], None]
"""Is called at every change: the key's id, the state, and what stopped the last step."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A key that did not get where it was to, how far it came, and why no further."""

    key: Key
    state: State
    problem: Exception


class JournalNotWritten(Exception):
    """What is done with keys is not being noted; the message says why, in a sentence."""


class BulkRun:
    """The jobs of many keys, several under way at once; one that fails never stops the others.

    Keys are begun in their order. The `listeners` are called at every change of a key.
    """

    def __init__(
        self,
        service: KeyService,
        jobs: Iterable[Job] = (),
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.service = service
        self.listeners: list[OnChange] = []
        self.throttle = Throttle(sleep, clock)
        self.is_running = self.is_cancelled = False
        self.paused_because: Exception | None = None
        """What paused the run by itself: the session ended, no secret can be delivered, or what is
        done can't be noted any more."""
        self._jobs: dict[str, Job] = {}
        self._is_unnoted = False
        self._done: set[str] = set()
        self._failed: set[str] = set()
        self._undelivered = self._under_way = 0
        self._going = asyncio.Event()
        self._going.set()
        self._changed = asyncio.Event()
        self._add(jobs)

    @property
    def is_paused(self) -> bool:
        """Whether the run waits to be resumed, or will once the keys under way are done."""
        return not self._going.is_set()

    @property
    def waiting_until(self) -> float | None:
        """When the present wait for the server's sake ends, by the clock given; None: no wait."""
        return self.throttle.waiting_until

    @property
    def progress(self) -> tuple[int, int]:
        """How many keys are where they are to be, and how many there are."""
        return len(self._done), len(self._jobs)

    @property
    def failures(self) -> int:
        """How many keys something keeps from their goal."""
        return len(self._failed)

    @property
    def failed(self) -> tuple[Failure, ...]:
        """The keys that something keeps from their goal, in the order in which they were chosen."""
        jobs = self._jobs.values() if self._failed else ()
        failures = (self.failure_of(job.key.id) for job in jobs)
        return tuple(failure for failure in failures if failure is not None)

    def failure_of(self, key_id: str) -> Failure | None:
        """Return what keeps a key from its goal, if anything does."""
        if key_id not in self._failed:
            return None
        job = self._jobs[key_id]
        problem = job.machine.problem
        return Failure(job.key, job.machine.state, problem) if problem is not None else None

    @property
    def left(self) -> tuple[Key, ...]:
        """The keys whose turn has not come yet."""
        return tuple(
            job.key for job in self._jobs.values() if not job.is_done and not job.has_failed
        )

    def pause(self) -> None:
        """Begin no further key until resumed."""
        self._going.clear()

    def resume(self) -> None:
        """Go on."""
        self.paused_because = None
        self._going.set()
        self._changed.set()

    def cancel(self) -> None:
        """Begin no further key, and end any wait; keys whose step is under way get to its end."""
        self.is_cancelled = True
        self.throttle.stop()
        self._going.set()
        self._changed.set()

    async def run(self, password: SecretStr | None = None) -> None:
        """Work on all keys that are not done; the password is checked once, for all of them.

        Raises:
            SignInRefused: the password is wrong; nothing was started.
            ApiError, SessionProblem: it could not be checked; nothing was started.
        """
        await self._run_jobs([job for job in self._jobs.values() if not job.is_done], password)

    async def retry_failed(self, password: SecretStr | None = None) -> None:
        """Work once more on the keys that something keeps from their goal; raises what run does.

        A successor whose secret was lost is deleted, and another one made.
        """
        await self._run_jobs([job for job in self._jobs.values() if job.has_failed], password)

    def _add(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self._jobs[job.key.id] = job
            if self._machine_changed not in job.machine.listeners:
                job.machine.listeners.append(self._machine_changed)
            self._count(job)

    async def _run_jobs(self, jobs: Sequence[Job], password: SecretStr | None = None) -> None:
        if self.is_running:
            raise RuntimeError("already running")
        self.is_running, self.is_cancelled = True, False
        self.throttle.start()
        self.resume()
        self._is_unnoted = bool(self.service.journal.not_noted)
        key_ids = [job.key.id for job in jobs]
        try:
            await self.service.presence.hold(*key_ids)
            async with AsyncExitStack() as stack:
                await self._authorize(stack, password)
                await self._work_on_all(jobs)
                await self._confirm_finished(jobs)
        finally:
            self.service.presence.release(*key_ids)
            self.is_running = False

    async def _work_on_all(self, jobs: Sequence[Job]) -> None:
        """Begin one key after the other, each as soon as there is room; wait for all of them."""
        async with asyncio.TaskGroup() as tasks:
            for number, job in enumerate(jobs):
                await self._wait_for_room()
                if number:
                    await self.throttle.between()
                    await self._insist_on_journal()
                    await self._wait_for_room()  # the run may have been paused meanwhile
                if self.is_cancelled:
                    break
                self._under_way += 1
                tasks.create_task(self._work_on(job))

    async def _insist_on_journal(self) -> None:
        """Pause where what is done is not noted any more; the operator may go on without."""
        journal = self.service.journal
        await journal.settled()
        if journal.not_noted and not self._is_unnoted:
            self.pause()
            self.paused_because = JournalNotWritten(journal.not_noted)
        self._is_unnoted = bool(journal.not_noted)

    async def _wait_for_room(self) -> None:
        """Wait until one more key may be begun, or the run is cancelled."""
        while not self.is_cancelled and (self.is_paused or not self._has_room()):
            self._changed.clear()
            await self._changed.wait()

    def _has_room(self) -> bool:
        return self._under_way < self.throttle.width

    async def _work_on(self, job: Job) -> None:
        try:
            await self._see_through(job)
            self._count_delivery(job)
            if job.is_done:
                self.throttle.widen()
        finally:
            self._under_way -= 1
            self._changed.set()

    async def _confirm_finished(self, jobs: Sequence[Job]) -> None:
        """Read the list once more: others may have deleted successors meanwhile."""
        machines = (job.machine for job in jobs if job.machine.state is State.FINISHED)
        finished = [machine for machine in machines if isinstance(machine, Rotation)]
        if not finished:
            return
        with suppress(ApiError, SessionProblem):
            listing = await self.service.load()
            for rotation in finished:
                rotation.compare(listing)
                await rotation.note_nothing_left()

    def _count_delivery(self, job: Job) -> None:
        """Pause where delivery fails time after time: each key more is a secret to rescue."""
        if not isinstance(job.machine.problem, DeliveryFailed):
            self._undelivered = 0
            return
        self.throttle.narrow()
        self._undelivered += 1
        if self._undelivered == UNDELIVERED:
            self.pause()
            self.paused_because, self._undelivered = job.machine.problem, 0

    async def _authorize(self, stack: AsyncExitStack, password: SecretStr | None) -> None:
        while True:
            try:
                await stack.enter_async_context(self.service.authorized(password))
            except RateLimited as limited:
                await self.throttle.slow_down(limited.retry_after)
                if self.is_cancelled:
                    raise
            else:
                return

    async def _see_through(self, job: Job) -> None:
        """Take a key's steps until it is done or something keeps it from that.

        A refusal for too many requests says that nothing was done, so that step is repeated; so is,
        a few times, a verification that lacks answers for that reason.
        """
        machine, has_looked, verifications = job.machine, False, 0
        while not job.is_done:
            await self.throttle.ready()
            await self._before_step(job)
            asked_at = self.throttle.now
            await job.advance()
            if isinstance(machine.problem, RateLimited):
                await self.throttle.slow_down(machine.problem.retry_after, asked_at)
            elif _lacks_answers(machine.problem) and verifications < MOST_VERIFICATIONS:
                verifications += 1
                await self.throttle.slow_down(None, asked_at)
            elif isinstance(machine.problem, SessionEnded):
                self.pause()
                self.paused_because = machine.problem
                await self._going.wait()
            elif machine.state is State.UNKNOWN and not has_looked:
                has_looked = True
            elif machine.problem is not None:
                return
            if self.is_cancelled and machine.problem is not None:
                return

    async def _before_step(self, job: Job) -> None:
        """Do what is to be done before each step."""

    def _count(self, job: Job) -> None:
        """Count a key as done or failed, or as neither; counting all keys anew would take long."""
        for ids, belongs in ((self._done, job.is_done), (self._failed, job.has_failed)):
            (ids.add if belongs else ids.discard)(job.key.id)

    def _machine_changed(
        self, machine: Rotation | KeyDeletion | KeyPause | MarkRemoval | SecretCheck
    ) -> None:
        self._count(self._jobs[machine.key.id])
        for listener in tuple(self.listeners):
            listener(machine.key.id, machine.state, machine.problem)


def _lacks_answers(problem: Exception | None) -> bool:
    return isinstance(problem, NotVerified) and problem.verification.asked_too_often


class _OneByOne:
    """Hands secrets to a delivery one after the other: a file, or what a command writes to."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery, self._lock = delivery, asyncio.Lock()

    async def deliver(self, new_secret: NewSecret) -> Sent:
        """Deliver one secret, once those before it are."""
        async with self._lock:
            return await self.delivery.deliver(new_secret)


class BulkRotation(BulkRun):
    """Rotates many keys, in two phases: successors first, predecessors only once confirmed.

    `run` has every key's successor created, delivered and verified; `finish_verified` then deletes
    the predecessors of those that are. The operator has agreed to successors that work from any
    address, where the server does not tell those of the predecessors. Of the `unfinished`
    rotations, whose successors were never stored, the successors are replaced.
    """

    def __init__(
        self,
        service: KeyService,
        keys: Iterable[Key],
        delivery: Delivery,
        *,
        unfinished: Iterable[UnfinishedRotation] = (),
        prove: Prove | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(service, sleep=sleep, clock=clock)
        self._clock = clock
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        self._by_label: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._to_deliver: set[str] = set()
        self.rotations = {key.id: Rotation(service, key, prove=prove, clock=clock) for key in keys}
        for earlier in unfinished:
            if earlier.predecessor.id in self.rotations:
                resumed = Rotation.resume(service, earlier, prove=prove)
                self.rotations[earlier.predecessor.id] = resumed
        for rotation in self.rotations.values():
            rotation.agrees_to_any_address = rotation.is_one_of_many = True
        self._in_turn = _OneByOne(delivery)
        self._add(rotation_job(rotation, self._in_turn) for rotation in self.rotations.values())

    @property
    def verified(self) -> tuple[Rotation, ...]:
        """The rotations whose successors are delivered and work: their predecessors may go."""
        return tuple(
            rotation
            for rotation in self.rotations.values()
            if rotation.state is State.VERIFIED and rotation.stored
        )

    @property
    def unverified(self) -> tuple[Rotation, ...]:
        """The rotations whose successors are stored, but were not verified: who knows why.

        A successor that works only from other addresses than this host's can't be, for example.
        """
        return tuple(
            rotation
            for rotation in self.rotations.values()
            if rotation.state is State.DELIVERED and rotation.stored
        )

    @property
    def holding(self) -> tuple[Rotation, ...]:
        """The rotations that hold the only copy of a secret: leaving would lose it."""
        return tuple(rotation for rotation in self.rotations.values() if rotation.would_lose_secret)

    def deliver_by(self, delivery: Delivery) -> None:
        """Have the secrets that are not delivered yet go another way."""
        self._in_turn.delivery = delivery

    async def finish_verified(self, also: Iterable[Rotation] = ()) -> None:
        """Delete the predecessors of verified successors, once the operator confirmed that.

        So are those of the unverified ones that the operator decided to finish `also`.
        """
        await self._run_more(finish_jobs([*self.verified, *also]))

    async def _run_more(self, jobs: Sequence[Job]) -> None:
        self._add(jobs)
        await self._run_jobs(jobs)

    def _has_room(self) -> bool:
        """Wait with further keys while secrets wait for a slow delivery: they could be lost."""
        return super()._has_room() and len(self._to_deliver) < MOST_TO_DELIVER

    def _machine_changed(
        self, machine: Rotation | KeyDeletion | KeyPause | MarkRemoval | SecretCheck
    ) -> None:
        waits = machine.state is State.CREATED and machine.problem is None
        (self._to_deliver.add if waits else self._to_deliver.discard)(machine.key.id)
        self._changed.set()
        super()._machine_changed(machine)

    async def _see_through(self, job: Job) -> None:
        """Have no two creates of one label under way: an unknown outcome is told by the label."""
        if isinstance(job.machine, Rotation) and job.machine.allows(Step.FINISH):
            await super()._see_through(job)
            return
        async with self._by_label[base_label(job.key.raw_label or "")]:
            await super()._see_through(job)

    async def _before_step(self, job: Job) -> None:
        """Have one list serve all creates for a while, where each would else read its own."""
        is_long = len(self.service.listing.keys) > LONG_LIST
        if is_long or job.machine.state not in _BEFORE_CREATE:
            return
        async with self._reading:
            if self._clock() - self._read_at < FRESH_SECONDS / 2:
                return
            asked_at = self._clock()
            with suppress(ApiError, SessionProblem):
                listing = await self.service.load()
                self._read_at = asked_at
                for rotation in self.rotations.values():
                    if rotation.successor is None:  # one may have been made since
                        rotation.compare(listing)
