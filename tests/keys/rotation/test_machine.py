"""A machine is busy from the moment it is taken to its end, however tasks are started.

Textual has tasks start eagerly from Python 3.12 on: such a task may end before it is returned.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

import pytest

from tui.keys.rotation.machine import Machine
from tui.keys.rotation.states import State, Step, Transitions, WrongStep
from tui.keys.write_outcomes import CannotGoOn

pytestmark = pytest.mark.usefixtures("task_factory")


class Lamp(Machine):
    """Goes on without waiting for anything, and off once it is let."""

    transitions: ClassVar[Transitions] = {
        State.PLANNED: {Step.VERIFY: (State.VERIFIED,), Step.LOOK: ()},
        State.VERIFIED: {Step.FINISH: (State.FINISHED, State.UNKNOWN), Step.FORGET: ()},
        State.FINISHED: {},
        State.UNKNOWN: {},
    }

    def __init__(self) -> None:
        self.changes: list[tuple[State, bool]] = []
        self.waits, self.may_end = asyncio.Event(), asyncio.Event()
        super().__init__()
        self.listeners.append(lambda lamp: self.changes.append((lamp.state, lamp.is_busy)))

    async def turn_on(self) -> State:
        return await self._take(Step.VERIFY, self._turn_on)

    async def turn_off_at_once(self) -> State:
        return await self._take(Step.VERIFY, self._turn_off_at_once)

    async def turn_off(self) -> State:
        return await self._take(Step.FINISH, self._turn_off)

    async def fail(self) -> State:
        return await self._take(Step.LOOK, self._fail)

    def forget(self) -> None:
        self._check(Step.FORGET)

    async def _turn_on(self) -> None:
        self._reach(State.VERIFIED)

    async def _turn_off_at_once(self) -> None:
        self._reach(State.FINISHED)

    async def _turn_off(self) -> None:
        self.waits.set()
        await self.may_end.wait()
        self._reach(State.FINISHED)

    async def _fail(self) -> None:
        raise CannotGoOn


async def test_a_step_that_never_waits_is_busy_until_it_returns() -> None:
    lamp = Lamp()
    assert await lamp.turn_on() is State.VERIFIED
    assert not lamp.is_busy
    lamp.forget()
    assert lamp.changes == [
        (State.PLANNED, True),
        (State.VERIFIED, True),
        (State.VERIFIED, False),
    ]


async def test_a_step_that_fails_before_it_waits_is_over() -> None:
    lamp = Lamp()
    assert await lamp.fail() is State.PLANNED
    assert isinstance(lamp.problem, CannotGoOn)
    assert not lamp.is_busy
    assert lamp.changes == [(State.PLANNED, True), (State.PLANNED, False)]
    assert await lamp.turn_on() is State.VERIFIED
    assert lamp.problem is None


async def test_a_step_that_waits_is_busy_meanwhile() -> None:
    lamp = Lamp()
    await lamp.turn_on()
    off = asyncio.create_task(lamp.turn_off())
    await lamp.waits.wait()
    assert lamp.is_busy
    with pytest.raises(WrongStep):
        lamp.forget()
    lamp.may_end.set()
    assert await off is State.FINISHED
    assert not lamp.is_busy


async def test_a_step_goes_on_when_nobody_waits_for_it_any_more() -> None:
    lamp = Lamp()
    await lamp.turn_on()
    off = asyncio.create_task(lamp.turn_off())
    await lamp.waits.wait()
    off.cancel()
    await asyncio.wait({off})
    assert lamp.is_busy
    lamp.may_end.set()
    assert await lamp.settled() is State.FINISHED
    assert not lamp.is_busy


async def test_a_step_waits_for_the_one_before_it() -> None:
    lamp = Lamp()
    await lamp.turn_on()
    first, second = asyncio.create_task(lamp.turn_off()), asyncio.create_task(lamp.turn_off())
    await lamp.waits.wait()
    lamp.may_end.set()
    assert await first is State.FINISHED
    with pytest.raises(WrongStep):
        await second


async def test_a_step_ends_only_where_the_table_says_so() -> None:
    lamp = Lamp()
    with pytest.raises(WrongStep, match="it ended in finished"):
        await lamp.turn_off_at_once()
    assert lamp.state is State.PLANNED
    assert not lamp.is_busy
    assert await lamp.turn_on() is State.VERIFIED


async def test_every_listener_is_called() -> None:
    lamp = Lamp()
    states: list[State] = []
    lamp.listeners.append(lambda lamp: states.append(lamp.state))
    await lamp.turn_on()
    assert states == [state for state, _ in lamp.changes]
