"""A loop whose time passes only when everybody waits, and the program's clocks set by it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import os
import random
import selectors
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar
from unittest.mock import patch

from tui import waiting
from tui.journal import log
from tui.keys import presence

T = TypeVar("T")

THREAD_SECONDS = 0.001
"""After how long a thread's work is heard of."""

GROUP: ContextVar[set[asyncio.Task[Any]] | None] = ContextVar("GROUP", default=None)
"""Where the tasks made from here on are noted, so that all of them can be killed."""


class _Instant(selectors.SelectSelector):
    """Lets the time asked for pass at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everybody waits for ever")
        self.now += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs threads' work in its own, done at once and heard of later; notes whose each task is."""

    def __init__(self) -> None:
        self._instant = _Instant()
        super().__init__(self._instant)
        self.set_task_factory(_grouped)

    def time(self) -> float:
        return self._instant.now

    def run_in_executor(
        self,
        executor: object,
        func: Callable[..., T],
        *args: object,
    ) -> asyncio.Future[T]:
        done: concurrent.futures.Future[T] = concurrent.futures.Future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  # handed on to whoever awaits it
            done.set_exception(error)
        future: asyncio.Future[T] = self.create_future()
        self.call_later(THREAD_SECONDS, _hand_on, done, future)
        return future


def _at_once(work: Callable[[], T]) -> concurrent.futures.Future[T]:
    """Do at once what would be done in a thread."""
    outcome: concurrent.futures.Future[T] = concurrent.futures.Future()
    try:
        outcome.set_result(work())
    except Exception as error:  # noqa: BLE001  # handed on to whoever awaits it
        outcome.set_exception(error)
    return outcome


def _hand_on(done: concurrent.futures.Future[T], future: asyncio.Future[T]) -> None:
    if future.done():
        return
    if error := done.exception():
        future.set_exception(error)
    else:
        future.set_result(done.result())


def _grouped(
    loop: asyncio.AbstractEventLoop,
    coroutine: Any,  # noqa: ANN401  # typeshed wants to know no more
    **options: Any,  # noqa: ANN401
) -> asyncio.Task[Any]:
    task = asyncio.Task(coroutine, loop=loop, **options)
    context = options.get("context")
    group = (copy_context() if context is None else context).get(GROUP)
    if group is not None:
        group.add(task)
        task.add_done_callback(group.discard)
    return task


def run(work: Callable[[], Coroutine[Any, Any, T]], seed: str) -> T:
    """Run `work` in virtual time, its clocks at 0 and its randomness given by `seed`.

    Files are not synced: programs are killed here, but hosts keep their power.
    """
    with (
        asyncio.Runner(loop_factory=VirtualLoop) as runner,
        _clocks(runner.get_loop().time),
        patch.object(os, "urandom", random.Random(seed).randbytes),  # noqa: S311  # repeatable
        patch.object(os, "fsync", lambda descriptor: None),
        patch.object(waiting, "start_thread", _at_once),
        patch.object(log, "start_thread", _at_once),
        patch.object(presence, "start_thread", _at_once),
    ):
        return runner.run(work())


@contextmanager
def _clocks(now: Callable[[], float]) -> Iterator[None]:
    """Have the program read `now` wherever it reads the monotonic clock."""
    real = time.monotonic
    modules = [module for name, module in sys.modules.items() if name.startswith("tui.")]
    held = [(vars(m), name) for m in modules for name, value in vars(m).items() if value is real]
    held += [
        (defaults, name)
        for module in modules
        for made in list(vars(module).values())
        if inspect.isclass(made)
        for function in vars(made).values()
        if (defaults := getattr(function, "__kwdefaults__", None))
        for name, value in defaults.items()
        if value is real
    ]
    held.append((vars(time), "monotonic"))
    for names, name in held:
        names[name] = now
    try:
        yield
    finally:
        for names, name in held:
            names[name] = real
