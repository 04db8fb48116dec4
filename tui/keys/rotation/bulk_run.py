"""Working on many keys, one by one: paused and cancelled between keys, slowed by rate limits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from tui.api.errors import ApiError, RateLimited
from tui.api.models import Key
from tui.api.session import SessionEnded, SessionProblem
from tui.delivery.new_secret import Delivery, DeliveryFailed
from tui.keys.rotation.jobs import (
    Job,
    KeyDeletion,
    KeyPause,
    SecretCheck,
    finish_jobs,
    retire_jobs,
    rotation_job,
)
from tui.keys.rotation.rotation import Rotation
from tui.keys.rotation.states import State
from tui.keys.rotation.throttle import Throttle
from tui.keys.rotation.unfinished import Unfinished
from tui.keys.service import FRESH_SECONDS, KeyService
from tui.keys.verification import Prove

if TYPE_CHECKING:
    from pydantic import SecretStr

UNDELIVERED = 3
"""After so many failed deliveries in a row a run pauses by itself."""

OnChange = Callable[[str, State, Exception | None], None]
"""Is called at every change: the key's id, the state, and what stopped the last step."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A key that did not get where it was to, how far it came, and why no further."""

    key: Key
    state: State
    problem: Exception


class BulkRun:
    """The jobs of many keys, done one by one; a key that fails never stops the others.

    The `listeners` are called at every change of a key.
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
        """What paused the run by itself: the session ended, or no secret can be delivered."""
        self._jobs: dict[str, Job] = {}
        self._undelivered = 0
        self._going = asyncio.Event()
        self._going.set()
        self._add(jobs)

    @property
    def is_paused(self) -> bool:
        """Whether the run waits to be resumed, or will once the present key is done."""
        return not self._going.is_set()

    @property
    def waiting_until(self) -> float | None:
        """When the present wait for the server's sake ends, by the clock given; None: no wait."""
        return self.throttle.waiting_until

    @property
    def progress(self) -> tuple[int, int]:
        """How many keys are where they are to be, and how many there are."""
        return sum(job.is_done for job in self._jobs.values()), len(self._jobs)

    @property
    def failed(self) -> tuple[Failure, ...]:
        """The keys that something keeps from their goal."""
        return tuple(
            Failure(job.key, job.machine.state, job.machine.problem)
            for job in self._jobs.values()
            if job.has_failed and job.machine.problem is not None
        )

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

    def cancel(self) -> None:
        """Begin no further key, and end any wait; a key whose step is under way gets to its end."""
        self.is_cancelled = True
        self.throttle.stop()
        self._going.set()

    async def run(self, password: SecretStr | None = None) -> None:
        """Work on all keys that are not done; the password is checked once, for all of them.

        Raises:
            SignInRefused: the password is wrong; nothing was started.
            ApiError, SessionProblem: it could not be checked; nothing was started.
        """
        await self._go([job for job in self._jobs.values() if not job.is_done], password)

    async def retry_failed(self, password: SecretStr | None = None) -> None:
        """Work once more on the keys that something keeps from their goal; raises what run does.

        A successor whose secret was lost is deleted, and another one made.
        """
        await self._go([job for job in self._jobs.values() if job.has_failed], password)

    def _add(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self._jobs[job.key.id] = job
            if self._machine_changed not in job.machine.listeners:
                job.machine.listeners.append(self._machine_changed)

    async def _go(self, jobs: Sequence[Job], password: SecretStr | None = None) -> None:
        if self.is_running:
            raise RuntimeError("already running")
        self.is_running, self.is_cancelled = True, False
        self.throttle.start()
        self.resume()
        try:
            async with AsyncExitStack() as stack:
                await self._authorize(stack, password)
                for number, job in enumerate(jobs):
                    if number:
                        await self.throttle.between()
                    await self._going.wait()
                    if self.is_cancelled:
                        break
                    await self._see_through(job)
                    self._count_delivery(job)
        finally:
            self.is_running = False

    def _count_delivery(self, job: Job) -> None:
        """Pause where delivery fails time after time: each key more is a secret to rescue."""
        failed = isinstance(job.machine.problem, DeliveryFailed)
        self._undelivered = self._undelivered + 1 if failed else 0
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

        A refusal for too many requests says that nothing was done, so that step is repeated.
        """
        machine, has_looked = job.machine, False
        while not job.is_done:
            await self._before_step()
            await job.advance()
            if isinstance(machine.problem, RateLimited):
                await self.throttle.slow_down(machine.problem.retry_after)
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

    async def _before_step(self) -> None:
        """Do what is to be done before each step."""

    def _machine_changed(self, machine: Rotation | KeyDeletion | KeyPause | SecretCheck) -> None:
        for listener in tuple(self.listeners):
            listener(machine.key.id, machine.state, machine.problem)


class BulkRotation(BulkRun):
    """Rotates many keys, in two phases: successors first, predecessors only once confirmed.

    `run` has every key's successor created, delivered and verified; `finish_verified` or
    `retire_verified` then see to the predecessors of those that are. Of the `unfinished` rotations,
    whose successors were never stored, the successors are replaced.
    """

    def __init__(
        self,
        service: KeyService,
        keys: Iterable[Key],
        delivery: Delivery,
        *,
        unfinished: Iterable[Unfinished] = (),
        prove: Prove | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(service, sleep=sleep, clock=clock)
        self._clock = clock
        self._read_at = float("-inf")
        self.rotations = {key.id: Rotation(service, key, prove=prove, clock=clock) for key in keys}
        for earlier in unfinished:
            if earlier.predecessor.id in self.rotations:
                resumed = Rotation.resume(service, earlier, prove=prove)
                self.rotations[earlier.predecessor.id] = resumed
        self._add(rotation_job(rotation, delivery) for rotation in self.rotations.values())

    @property
    def verified(self) -> tuple[Rotation, ...]:
        """The rotations whose successors are delivered and work: their predecessors may go."""
        return tuple(
            rotation
            for rotation in self.rotations.values()
            if rotation.state is State.VERIFIED and rotation.stored
        )

    @property
    def holding(self) -> tuple[Rotation, ...]:
        """The rotations that hold the only copy of a secret: leaving would lose it."""
        return tuple(rotation for rotation in self.rotations.values() if rotation.would_lose_secret)

    async def finish_verified(self) -> None:
        """Delete the predecessors of verified successors, once the operator confirmed that."""
        await self._go_on(finish_jobs(self.verified))

    async def retire_verified(self, today: date) -> None:
        """Mark the predecessors of verified successors as retiring since `today`."""
        await self._go_on(retire_jobs(self.verified, today))

    async def _go_on(self, jobs: Sequence[Job]) -> None:
        self._add(jobs)
        await self._go(jobs)

    async def _before_step(self) -> None:
        """Have one list serve all keys for a while, where each would else read its own."""
        if self._clock() - self._read_at < FRESH_SECONDS / 2:
            return
        with suppress(ApiError, SessionProblem):
            listing = await self.service.load()
            self._read_at = self._clock()
            for rotation in self.rotations.values():
                rotation.compare(listing)
