"""What is done for one key of many, step by step until it is where it is to be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from tui.api.models import Key
from tui.delivery.parcel import Delivery
from tui.rotation.deletion import Deletion
from tui.rotation.proving import Proving
from tui.rotation.rotation import Rotation
from tui.rotation.states import State
from tui.service import KeyService

if TYPE_CHECKING:
    from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Work:
    """One key's share of a run: `advance` takes the next step, until the state is in `goal`."""

    subject: Rotation | Deletion | Proving
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


def rotating(rotation: Rotation, delivery: Delivery) -> Work:
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

    return Work(rotation, frozenset({State.VERIFIED, State.OVERLAPPING, State.FINISHED}), advance)


def finishing(rotations: Iterable[Rotation]) -> list[Work]:
    """Have predecessors deleted whose successors work, one work for each."""
    return [_finishing(rotation) for rotation in rotations]


def _finishing(rotation: Rotation) -> Work:
    async def advance() -> None:
        if rotation.state is State.UNKNOWN:
            await rotation.look_again()
        else:
            await rotation.finish()

    return Work(rotation, frozenset({State.FINISHED}), advance)


def retiring(rotations: Iterable[Rotation], today: date) -> list[Work]:
    """Have predecessors marked as retiring since `today`, one work for each."""
    return [_retiring(rotation, today) for rotation in rotations]


def _retiring(rotation: Rotation, today: date) -> Work:
    async def advance() -> None:
        if rotation.state is State.UNKNOWN:
            await rotation.look_again()
        else:
            await rotation.retire_later(today)

    return Work(rotation, frozenset({State.OVERLAPPING, State.FINISHED}), advance)


def deleting(service: KeyService, keys: Iterable[Key]) -> list[Work]:
    """Have keys deleted with nothing to take their places, one work for each."""
    return [_deleting(Deletion(service, key)) for key in keys]


def _deleting(deletion: Deletion) -> Work:
    async def advance() -> None:
        if deletion.state is State.UNKNOWN:
            await deletion.look_again()
        else:
            await deletion.finish()

    return Work(deletion, frozenset({State.FINISHED}), advance)


def proving(service: KeyService, secrets: Iterable[tuple[Key, SecretStr]]) -> list[Work]:
    """Have keys shown to work with the secrets that are said to be theirs."""
    subjects = [Proving(service, key, secret) for key, secret in secrets]
    return [Work(subject, frozenset({State.VERIFIED}), subject.verify) for subject in subjects]
