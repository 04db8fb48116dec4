"""One key's share of a run: a machine, and the steps that bring it to its goal."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from tui.api.models import Key
from tui.delivery.new_secret import Delivery
from tui.keys.labels import base_label
from tui.keys.paused_mark import is_paused
from tui.keys.rotation.machine import Machine
from tui.keys.rotation.pair import Pair
from tui.keys.rotation.rotation import SEEN_TO_WORK, Rotation
from tui.keys.rotation.states import (
    NotVerified,
    OtherSecret,
    PredecessorGone,
    State,
    Step,
    Transitions,
)
from tui.keys.service import KeyService
from tui.keys.write_outcomes import StillThere

if TYPE_CHECKING:
    from pydantic import SecretStr


class _KeyChange(Machine, ABC):
    """One write to one key, whose outcome a list tells where no good answer came."""

    transitions: ClassVar[Transitions] = {
        State.PLANNED: {Step.FINISH: (State.FINISHED, State.UNKNOWN)},
        State.UNKNOWN: {Step.LOOK: (State.FINISHED, State.PLANNED)},
        State.FINISHED: {},
    }

    def __init__(self, service: KeyService, key: Key) -> None:
        super().__init__()
        self._pair = Pair(service, key, time.monotonic)

    @property
    def key(self) -> Key:
        """The key, as last seen."""
        return self._pair.predecessor

    async def look_again(self) -> State:
        """Read the list, and tell by it the outcome of a write that got no answer."""
        return await self._take(Step.LOOK, self._look)

    @abstractmethod
    async def _look(self) -> None:
        """Reach the state that the list tells."""


class KeyDeletion(_KeyChange):
    """A key on its way to being deleted, with nothing to take its place."""

    async def finish(self) -> State:
        """Delete the key."""
        return await self._take(Step.FINISH, self._finish)

    async def _finish(self) -> None:
        await self._pair.delete_alone()
        self._reach(State.FINISHED)

    async def _look(self) -> None:
        await self._pair.look()
        if self._pair.has_predecessor:
            self.problem = StillThere(self._open_step.cause if self._open_step else None)
            self._reach(State.PLANNED)
        else:
            self._reach(State.FINISHED)


class MarkRemoval(_KeyChange):
    """A successor whose predecessor is gone, on its way to its plain label."""

    async def finish(self) -> State:
        """Put the plain label back, all else sent as it is."""
        return await self._take(Step.FINISH, self._finish)

    async def _finish(self) -> None:
        await self._pair.unmark_predecessor()
        self._reach(State.FINISHED)

    async def _look(self) -> None:
        await self._pair.look()
        label = self.key.raw_label or ""
        is_marked = base_label(label) != label
        self._reach(State.PLANNED if is_marked else State.FINISHED)


class KeyPause(_KeyChange):
    """A key on its way out of service, or back into it."""

    transitions: ClassVar[Transitions] = {
        State.PLANNED: {
            Step.PAUSE: (State.FINISHED, State.UNKNOWN),
            Step.RESUME: (State.FINISHED, State.UNKNOWN),
        },
        State.UNKNOWN: {Step.LOOK: (State.FINISHED, State.PLANNED)},
        State.FINISHED: {},
    }

    async def pause(self, today: date) -> State:
        """Take the key out of service."""
        return await self._take(Step.PAUSE, partial(self._pause, today))

    async def resume(self) -> State:
        """Put the key back into service."""
        return await self._take(Step.RESUME, self._resume)

    async def _pause(self, today: date) -> None:
        await self._pair.pause_predecessor(today)
        self._reach(State.FINISHED)

    async def _resume(self) -> None:
        await self._pair.resume_predecessor()
        self._reach(State.FINISHED)

    async def _look(self) -> None:
        await self._pair.look()
        open_step = self._open_step
        is_to_be_paused = open_step is not None and open_step.step is Step.PAUSE
        has_key = self._pair.has_predecessor
        if has_key and is_paused(self.key.raw_valid_ips) is is_to_be_paused:
            self._reach(State.FINISHED)
        else:
            cause = open_step.cause if open_step else None
            self.problem = StillThere(cause) if has_key else PredecessorGone()
            self._reach(State.PLANNED)


class SecretCheck(Machine):
    """A key and the secret that is said to be its own; nothing is changed to verify it."""

    transitions: ClassVar[Transitions] = {
        State.PLANNED: {Step.VERIFY: (State.VERIFIED,)},
        State.VERIFIED: {},
    }

    def __init__(self, service: KeyService, key: Key, secret: SecretStr) -> None:
        super().__init__()
        self.key = key
        self._service, self._secret = service, secret

    async def verify(self) -> State:
        """Verify the key; `problem` is NotVerified where it does not work."""
        return await self._take(Step.VERIFY, self._verify)

    async def _verify(self) -> None:
        key, service = self.key, self._service
        if not key.may_have(self._secret):
            raise OtherSecret
        verification = await service.verify(self._secret, key.grants, key.raw_valid_ips or ())
        if verification.is_certain and (attempt := await service.attempt_of(key)):
            if verification.works:
                attempt.stored(SEEN_TO_WORK)
            attempt.proven(verification.works)
        if not verification.works:
            raise NotVerified(verification)
        self._reach(State.VERIFIED)


Steps = Mapping[Step, Callable[[], Awaitable[State]]]


@dataclass(frozen=True, slots=True)
class Job:
    """One key's share of a run: its `steps` are taken until the machine's state is in `goal`."""

    machine: Rotation | KeyDeletion | KeyPause | MarkRemoval | SecretCheck
    goal: frozenset[State]
    steps: Steps

    @property
    def key(self) -> Key:
        """The key that was chosen, as last seen."""
        return self.machine.key

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do for this key."""
        return self.machine.state in self.goal

    @property
    def has_failed(self) -> bool:
        """Whether something keeps this key from its goal."""
        return not self.is_done and self.machine.problem is not None

    async def advance(self) -> None:
        """Take the step that leads on: of those that the state lists, the first of this job."""
        listed = self.machine.transitions[self.machine.state]
        await self.steps[next(step for step in listed if step in self.steps)]()


_MADE = frozenset({State.VERIFIED, State.FINISHED})
_FINISHED = frozenset({State.FINISHED})
_VERIFIED = frozenset({State.VERIFIED})


def rotation_job(rotation: Rotation, delivery: Delivery) -> Job:
    """Have a successor created, delivered and verified."""
    steps: Steps = {
        Step.CREATE: rotation.create,
        Step.DELIVER: partial(rotation.deliver, delivery),
        Step.VERIFY: rotation.verify,
        Step.REPLACE: rotation.replace_lost,
        Step.LOOK: rotation.look_again,
    }
    return Job(rotation, _MADE, steps)


def finish_jobs(rotations: Iterable[Rotation]) -> list[Job]:
    """Have predecessors deleted, a job for each; the list is to be read once, at the end.

    The operator has confirmed those whose successors were not verified.
    """
    return [
        Job(
            rotation,
            _FINISHED,
            {
                Step.FINISH: partial(rotation.finish, even_unverified=True, confirm=False),
                Step.LOOK: rotation.look_again,
            },
        )
        for rotation in rotations
    ]


def delete_jobs(service: KeyService, keys: Iterable[Key]) -> list[Job]:
    """Have keys deleted with nothing to take their places, a job for each."""
    return [_finishing(KeyDeletion(service, key)) for key in keys]


def pause_jobs(service: KeyService, keys: Iterable[Key], today: date) -> list[Job]:
    """Have keys taken out of service, a job for each."""
    return [
        Job(each, _FINISHED, {Step.PAUSE: partial(each.pause, today), Step.LOOK: each.look_again})
        for each in (KeyPause(service, key) for key in keys)
    ]


def resume_jobs(service: KeyService, keys: Iterable[Key]) -> list[Job]:
    """Have paused keys put back into service, a job for each."""
    return [
        Job(each, _FINISHED, {Step.RESUME: each.resume, Step.LOOK: each.look_again})
        for each in (KeyPause(service, key) for key in keys)
    ]


def check_jobs(service: KeyService, secrets: Iterable[tuple[Key, SecretStr]]) -> list[Job]:
    """Have keys verified with the secrets that are said to be theirs, a job for each."""
    checks = [SecretCheck(service, key, secret) for key, secret in secrets]
    return [Job(check, _VERIFIED, {Step.VERIFY: check.verify}) for check in checks]


def unmark_jobs(service: KeyService, keys: Iterable[Key]) -> list[Job]:
    """Have successors given their plain labels whose predecessors are gone, a job for each."""
    return [_finishing(MarkRemoval(service, key)) for key in keys]


def _finishing(machine: Rotation | KeyDeletion | MarkRemoval) -> Job:
    return Job(machine, _FINISHED, {Step.FINISH: machine.finish, Step.LOOK: machine.look_again})
