"""A state machine: one step at a time, completed even if its caller is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar

from tui.api.errors import ApiError
from tui.api.session import SessionProblem
from tui.delivery.new_secret import DeliveryFailed
from tui.keys.rotation.states import (
    TRANSITIONS,
    Interrupted,
    State,
    Step,
    Transitions,
    WrongStep,
)
from tui.keys.write_outcomes import CannotGoOn, Unresolved

PROBLEMS = (ApiError, SessionProblem, DeliveryFailed, CannotGoOn)
"""What may stop a step without being a fault of the program."""

_WRITES = {Step.CREATE, Step.PAUSE, Step.RESUME, Step.FINISH, Step.UNDO, Step.REPLACE}


@dataclass(frozen=True, slots=True)
class OpenStep:
    """A step whose write has no known outcome: from which state it was, and what went wrong."""

    state: State
    step: Step
    cause: ApiError | None = None


class Machine:
    """A state that only the steps listed for it in `transitions` change.

    What stopped a step is in `problem`, not raised. A step goes on when whoever awaits it is
    cancelled; the next one, and `settled()`, wait for it. The `listeners` are called, with the
    machine, at each change and at the beginning and end of each step.
    """

    transitions: ClassVar[Transitions] = TRANSITIONS

    def __init__(self) -> None:
        self.listeners: list[Callable[[Any], None]] = []
        self.problem: Exception | None = None
        self._state = self._first_state = State.PLANNED
        self._step: Step | None = None
        self._task: asyncio.Task[None] | None = None
        self._open_step: OpenStep | None = None

    @property
    def state(self) -> State:
        """Where it stands."""
        return self._state

    @property
    def is_busy(self) -> bool:
        """Whether a step is under way, even one whose caller was cancelled."""
        return self._step is not None

    def allows(self, step: Step) -> bool:
        """Tell whether the state allows the step."""
        return step in self.transitions[self._state]

    async def settled(self) -> State:
        """Wait for the step under way, if any; each ends within its calls' deadlines."""
        while self._task is not None:
            await asyncio.wait({self._task})
        return self._state

    def _check(self, step: Step) -> None:
        if self.is_busy or not self.allows(step):
            raise WrongStep(self._state, step)

    def _begin(self, step: Step) -> None:
        self._check(step)
        self._step, self._first_state = step, self._state

    async def _take(self, step: Step, work: Callable[[], Coroutine[Any, Any, None]]) -> State:
        await self.settled()
        self._begin(step)
        self.problem = None
        self._task = asyncio.create_task(self._run(step, work))
        self._task.add_done_callback(self._end)
        await asyncio.shield(self._task)
        return self._state

    async def _run(self, step: Step, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        # A task may start before it is returned, as Textual has it from Python 3.12 on: nothing
        # of the step is done before the task is known here.
        await asyncio.sleep(0)
        self._notify()
        try:
            await work()
        except asyncio.CancelledError:
            if step in _WRITES and self._may_have_written(step):
                self._leave_open(OpenStep(self._state, step), Interrupted())
            raise
        except Unresolved as unresolved:
            self._leave_open(OpenStep(self._state, step, unresolved.cause), unresolved.cause)
        except PROBLEMS as problem:
            self.problem = problem

    def _end(self, _: asyncio.Task[None]) -> None:
        """Notify the listeners of the end of a step, even if its caller was cancelled."""
        self._task = self._step = None
        self._notify()

    def _may_have_written(self, step: Step) -> bool:
        return True

    def _leave_open(self, step: OpenStep, problem: Exception) -> None:
        self._open_step, self.problem = step, problem
        self._reach(State.UNKNOWN)

    def _reach(self, state: State) -> None:
        """Change the state, by the step under way, and notify; raises WrongStep (`Transitions`)."""
        self._enter(state)
        self._notify()

    def _enter(self, state: State) -> None:
        first, step = self._first_state, self._step
        if step is None or state not in (first, *self.transitions[first][step]):
            raise WrongStep(first, step, f"it ended in {state.value}")
        self._state = state

    def _notify(self) -> None:
        for listener in tuple(self.listeners):
            listener(self)
