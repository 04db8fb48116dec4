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
from tui.keys.rotation.deletion import KeyDeletion
from tui.keys.rotation.jobs import Job, finish_jobs, retire_jobs, rotation_job
from tui.keys.rotation.proving import SecretCheck
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
"""Hears of every change: the predecessor's id, the state, and what stopped the last step."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A key that did not get where it was to, how far it came, and why no further."""

    key: Key
    state: State
    problem: Exception


class BulkRun:
    """Jobs of many keys, done one by one; what keeps one from its goal never stops the others."""

    def __init__(
        self,
        service: KeyService,
        works: Iterable[Job] = (),
        *,
        on_change: OnChange | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.service, self.on_change = service, on_change
        self.pace = Throttle(sleep, clock)
        self.is_running = self.is_cancelled = False
        self.paused_because: Exception | None = None
        """What paused the run by itself: the session ended, or no secret can be delivered."""
        self._works: dict[str, Job] = {}
        self._undelivered = 0
        self._going = asyncio.Event()
        self._going.set()
        self._add(works)

    @property
    def is_paused(self) -> bool:
        """Whether the run waits to be resumed, or will once the present key is done."""
        return not self._going.is_set()

    @property
    def waiting_until(self) -> float | None:
        """When the present wait for the server's sake ends, by the clock given; None: no wait."""
        return self.pace.waiting_until

    @property
    def progress(self) -> tuple[int, int]:
        """How many keys are where they are to be, and how many there are."""
        return sum(work.is_done for work in self._works.values()), len(self._works)

    @property
    def failed(self) -> tuple[Failure, ...]:
        """The keys that something keeps from their goal."""
        return tuple(
            Failure(work.key, work.subject.state, work.subject.problem)
            for work in self._works.values()
            if work.has_failed and work.subject.problem is not None
        )

    @property
    def left(self) -> tuple[Key, ...]:
        """The keys that were not come to yet."""
        return tuple(
            work.key for work in self._works.values() if not work.is_done and not work.has_failed
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
        self.pace.stop()
        self._going.set()

    async def run(self, password: SecretStr | None = None) -> None:
        """Work on all keys that are not done; the password is checked once, for all of them.

        Raises:
            SignInRefused: the password is wrong; nothing was begun.
            ApiError, SessionProblem: it could not be checked; nothing was begun.
        """
        await self._go([work for work in self._works.values() if not work.is_done], password)

    async def retry_failed(self, password: SecretStr | None = None) -> None:
        """Work once more on the keys that something keeps from their goal; raises what run does.

        A successor whose secret was lost is deleted, and another one made.
        """
        await self._go([work for work in self._works.values() if work.has_failed], password)

    def _add(self, works: Iterable[Job]) -> None:
        for work in works:
            self._works[work.key.id] = work
            work.subject.on_change = self._tell

    async def _go(self, works: Sequence[Job], password: SecretStr | None = None) -> None:
        if self.is_running:
            raise RuntimeError("already running")
        self.is_running, self.is_cancelled = True, False
        self.pace.start()
        self.resume()
        try:
            async with AsyncExitStack() as stack:
                await self._authorize(stack, password)
                for place, work in enumerate(works):
                    if place:
                        await self.pace.between()
                    await self._going.wait()
                    if self.is_cancelled:
                        break
                    await self._see_through(work)
                    self._note_delivery(work)
        finally:
            self.is_running = False

    def _note_delivery(self, work: Job) -> None:
        """Pause where delivery fails time after time: each key more is a secret to rescue."""
        failed = isinstance(work.subject.problem, DeliveryFailed)
        self._undelivered = self._undelivered + 1 if failed else 0
        if self._undelivered == UNDELIVERED:
            self.pause()
            self.paused_because, self._undelivered = work.subject.problem, 0

    async def _authorize(self, stack: AsyncExitStack, password: SecretStr | None) -> None:
        while True:
            try:
                await stack.enter_async_context(self.service.authorized(password))
            except RateLimited as limited:
                await self.pace.slow_down(limited.retry_after)
                if self.is_cancelled:
                    raise
            else:
                return

    async def _see_through(self, work: Job) -> None:
        """Take a key's steps until it is done or something keeps it from that.

        A refusal for too many requests says that nothing was done, so that step is repeated.
        """
        subject, has_looked = work.subject, False
        while not work.is_done:
            await self._before_step()
            await work.advance()
            if isinstance(subject.problem, RateLimited):
                await self.pace.slow_down(subject.problem.retry_after)
            elif isinstance(subject.problem, SessionEnded):
                self.pause()
                self.paused_because = subject.problem
                await self._going.wait()
            elif subject.state is State.UNKNOWN and not has_looked:
                has_looked = True
            elif subject.problem is not None:
                return
            if self.is_cancelled and subject.problem is not None:
                return

    async def _before_step(self) -> None:
        """Do what is to be done before each step."""

    def _tell(self, subject: Rotation | KeyDeletion | SecretCheck) -> None:
        if self.on_change is not None:
            self.on_change(subject.predecessor.id, subject.state, subject.problem)


class BulkRotation(BulkRun):
    """Rotates many keys, in two phases: successors first, predecessors only once confirmed.

    `run` has every key's successor created, delivered and verified; `finish_verified` or
    `retire_verified` then see to the predecessors of those that are. What was `begun` before and
    never stored is replaced.
    """

    def __init__(
        self,
        service: KeyService,
        keys: Iterable[Key],
        delivery: Delivery,
        *,
        begun: Iterable[Unfinished] = (),
        prove: Prove | None = None,
        on_change: OnChange | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(service, on_change=on_change, sleep=sleep, clock=clock)
        self._clock = clock
        self._read_at = float("-inf")
        self.rotations = {key.id: Rotation(service, key, prove=prove, clock=clock) for key in keys}
        for one in begun:
            if one.predecessor.id in self.rotations:
                self.rotations[one.predecessor.id] = Rotation.resume(service, one, prove=prove)
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
        await self._then(finish_jobs(self.verified))

    async def retire_verified(self, today: date) -> None:
        """Mark the predecessors of verified successors as retiring since `today`."""
        await self._then(retire_jobs(self.verified, today))

    async def _then(self, works: Sequence[Job]) -> None:
        self._add(works)
        await self._go(works)

    async def _before_step(self) -> None:
        """Have one list serve all keys for a while, where each would else read its own."""
        if self._clock() - self._read_at < FRESH_SECONDS / 2:
            return
        with suppress(ApiError, SessionProblem):
            listing = await self.service.load()
            self._read_at = self._clock()
            for rotation in self.rotations.values():
                rotation.compare(listing)
