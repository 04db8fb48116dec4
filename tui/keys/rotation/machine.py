"""A state and the steps that change it, one at a time, each to its end whoever stops waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar

from tui.api.errors import ApiError
from tui.api.session import SessionProblem
from tui.delivery.new_secret import DeliveryFailed
from tui.journal import Attempt
from tui.keys.rotation.pair import Unresolved
from tui.keys.rotation.states import (
    TRANSITIONS,
    CannotGoOn,
    Interrupted,
    State,
    Step,
    Transitions,
    WrongStep,
)

PROBLEMS = (ApiError, SessionProblem, DeliveryFailed, CannotGoOn)
"""What may stop a step without being a fault of the program."""

_WRITES = {Step.CREATE, Step.RETIRE, Step.FINISH, Step.UNDO, Step.REPLACE}


@dataclass(frozen=True, slots=True)
class Doubt:
    """A write whose outcome is not known: from which state it was, and what went wrong."""

    state: State
    step: Step
    cause: ApiError | None = None
    attempt: Attempt | None = None


class Machine:
    """A state that only the steps listed for it in `transitions` change.

    What stopped a step is in `problem`, not raised. A step goes on when whoever awaits it is
    cancelled; the next one, and `settled()`, wait for it. `on_change` hears of every change.
    """

    transitions: ClassVar[Transitions] = TRANSITIONS

    def __init__(self, on_change: Callable[[Any], None] | None = None) -> None:
        self.on_change = on_change
        self.state = State.PLANNED
        self.problem: Exception | None = None
        self._doubted: Doubt | None = None
        self._at_work: set[asyncio.Task[None]] = set()

    @property
    def is_at_work(self) -> bool:
        """Whether a step is under way, even one that nobody awaits any more."""
        return bool(self._at_work)

    def allows(self, step: Step) -> bool:
        """Tell whether the state allows the step."""
        return step in self.transitions[self.state]

    async def settled(self) -> State:
        """Wait for the step under way, if any; each ends within its calls' deadlines."""
        while self._at_work:
            await asyncio.wait(self._at_work)
        return self.state

    def _check(self, step: Step) -> None:
        if self.is_at_work or not self.allows(step):
            raise WrongStep(self.state, step)

    async def _take(self, step: Step, work: Callable[[], Coroutine[Any, Any, None]]) -> State:
        await self.settled()
        self._check(step)
        self.problem = None
        task = asyncio.create_task(self._run(step, work))
        self._at_work.add(task)
        task.add_done_callback(self._end)
        await asyncio.shield(task)
        return self.state

    async def _run(self, step: Step, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        # A task may start before it is returned, as Textual has it from Python 3.12 on: nothing
        # of the step is done before it counts as at work.
        await asyncio.sleep(0)
        self._tell()
        try:
            await work()
        except asyncio.CancelledError:
            if step in _WRITES and self._may_have_written(step):
                self._doubt(Doubt(self.state, step), Interrupted())
            raise
        except Unresolved as unresolved:
            self._doubt(Doubt(self.state, step, unresolved.cause), unresolved.cause)
        except PROBLEMS as problem:
            self.problem = problem

    def _end(self, task: asyncio.Task[None]) -> None:
        """Tell the end of a step also where nobody waits for it any more."""
        self._at_work.discard(task)
        self._tell()

    def _may_have_written(self, step: Step) -> bool:
        return True

    def _doubt(self, doubt: Doubt, problem: Exception) -> None:
        self._doubted, self.problem = doubt, problem
        self._reach(State.UNKNOWN)

    def _reach(self, state: State) -> None:
        self.state = state
        self._tell()

    def _tell(self) -> None:
        if self.on_change is not None:
            self.on_change(self)
