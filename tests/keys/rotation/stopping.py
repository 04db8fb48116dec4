"""Stops what runs at its n-th await, counted over all tasks that are begun meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class Stop:
    """Cancels what is waited for, or `everything` as a program's end does, at await number `at`.

    `reached` tells whether it came to that many.
    """

    def __init__(self, at: int, *, everything: bool) -> None:
        self.at, self.everything = at, everything
        self.reached = False
        self._awaits = 0
        self._tasks: list[asyncio.Task[Any]] = []

    async def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `work` until it ends or is stopped, and until all that was cancelled has ended."""
        loop = asyncio.get_running_loop()
        loop.set_task_factory(self._task)
        try:
            waited_for = asyncio.create_task(work())
            with suppress(asyncio.CancelledError):
                await waited_for
        finally:
            loop.set_task_factory(None)
        if self.everything:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _task(
        self,
        loop: asyncio.AbstractEventLoop,
        coroutine: Any,  # noqa: ANN401  # typeshed wants to know no more
        **options: Any,  # noqa: ANN401
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(_Counted(coroutine, self._tick), loop=loop, **options)
        self._tasks.append(task)
        return task

    def _tick(self) -> None:
        if self._awaits == self.at:
            self.reached = True
            for task in self._tasks if self.everything else self._tasks[:1]:
                task.cancel()
        self._awaits += 1


class _Counted(Coroutine[Any, Any, T]):
    """A coroutine that tells each time that it waits."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], tick: Callable[[], None]) -> None:
        self._coroutine, self._tick = coroutine, tick

    def __await__(self) -> Generator[Any, Any, T]:
        return self._coroutine.__await__()

    def send(self, value: object) -> object:
        waits_for: object = self._coroutine.send(value)
        self._tick()
        return waits_for

    def throw(self, *error: Any) -> object:  # noqa: ANN401  # three forms, handed on
        waits_for: object = self._coroutine.throw(*error)
        self._tick()
        return waits_for

    def close(self) -> None:
        self._coroutine.close()
