"""What is done for one key of many, step by step until it is where it is to be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from tui.api.models import Key
from tui.delivery.new_secret import Delivery
from tui.keys.rotation.deletion import KeyDeletion
from tui.keys.rotation.proving import SecretCheck
from tui.keys.rotation.rotation import Rotation
from tui.keys.rotation.states import State
from tui.keys.service import KeyService

if TYPE_CHECKING:
    from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Job:
    """One key's share of a run: `advance` takes the next step, until the state is in `goal`."""

    subject: Rotation | KeyDeletion | SecretCheck
    goal: frozenset[State]
    advance: Callable[[], Awaitable[object]]

    @property
    def key(self) -> Key:
        """The key that was chosen."""
        return self.subject.predecessor

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do for this key."""
        return self.subject.state in self.goal

    @property
    def has_failed(self) -> bool:
        """Whether something keeps this key from its goal."""
        return not self.is_done and self.subject.problem is not None


def rotation_job(rotation: Rotation, delivery: Delivery) -> Job:
    """Have a successor created, delivered and verified."""

    async def advance() -> None:
        match rotation.state:
            case State.CREATED:
                await rotation.deliver(delivery)
            case State.DELIVERED:
                await rotation.verify()
            case State.UNKNOWN:
                await rotation.look_again()
            case State.SECRET_LOST | State.INTERRUPTED:
                await rotation.replace_lost()
            case _:
                await rotation.create()
        if rotation.state is State.VERIFIED:
            rotation.forget_secret()

    return Job(rotation, frozenset({State.VERIFIED, State.OVERLAPPING, State.FINISHED}), advance)


def finish_jobs(rotations: Iterable[Rotation]) -> list[Job]:
    """Have predecessors deleted whose successors work, one work for each."""
    return [_finish_job(rotation) for rotation in rotations]


def _finish_job(rotation: Rotation) -> Job:
    async def advance() -> None:
        if rotation.state is State.UNKNOWN:
            await rotation.look_again()
        else:
            await rotation.finish()

    return Job(rotation, frozenset({State.FINISHED}), advance)


def retire_jobs(rotations: Iterable[Rotation], today: date) -> list[Job]:
    """Have predecessors marked as retiring since `today`, one work for each."""
    return [_retire_job(rotation, today) for rotation in rotations]


def _retire_job(rotation: Rotation, today: date) -> Job:
    async def advance() -> None:
        if rotation.state is State.UNKNOWN:
            await rotation.look_again()
        else:
            await rotation.retire_later(today)

    return Job(rotation, frozenset({State.OVERLAPPING, State.FINISHED}), advance)


def delete_jobs(service: KeyService, keys: Iterable[Key]) -> list[Job]:
    """Have keys deleted with nothing to take their places, one work for each."""
    return [_delete_job(KeyDeletion(service, key)) for key in keys]


def _delete_job(deletion: KeyDeletion) -> Job:
    async def advance() -> None:
        if deletion.state is State.UNKNOWN:
            await deletion.look_again()
        else:
            await deletion.finish()

    return Job(deletion, frozenset({State.FINISHED}), advance)


def check_jobs(service: KeyService, secrets: Iterable[tuple[Key, SecretStr]]) -> list[Job]:
    """Have keys shown to work with the secrets that are said to be theirs."""
    subjects = [SecretCheck(service, key, secret) for key, secret in secrets]
    return [Job(subject, frozenset({State.VERIFIED}), subject.verify) for subject in subjects]
