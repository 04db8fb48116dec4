"""Limits of time, threads that may hang, and work that is completed whoever stops waiting."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future
from contextlib import asynccontextmanager
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

FILE_SECONDS = 5.0
"""How long a file system may take over one file, in seconds."""

IDLE_SECONDS = 5.0
"""How long a thread without work waits for some before it ends."""
_TICK_SECONDS = 0.5
"""How often a limit looks at the clock, in seconds."""
_STOPPED_SECONDS = 1.0
"""A tick that comes so much too late, in seconds, tells that the program did not run meanwhile."""
_LEAST_SECONDS = 0.001
"""What is less than this, in seconds, is no time left: a clock may be too coarse to count it."""
_GRACE_SECONDS = 0.05
"""How long what has arrived may take to be read once the time is up, in seconds."""

LOOK_SECONDS = 5.0
"""How often an alarm looks at the clock where the kernel doesn't ring, in seconds."""

_under_way = set[asyncio.Task[Any]]()


def clock_in_sleep() -> float:
    """Return seconds that go on while the machine sleeps, where the system counts them."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class Alarm:
    """Calls back once it is time, by a clock that goes on while the machine sleeps.

    Linux rings by itself, so that nothing wakes up before; elsewhere it is looked now and then.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring, self._due = ring, 0.0
        self._loop = asyncio.get_running_loop()
        self._look: asyncio.TimerHandle | None = None
        self._clock = kernel_timer()
        if self._clock is not None:
            self._loop.add_reader(self._clock, self._rung)

    def set(self, seconds: float) -> None:
        """Have it ring in so many seconds, and no more at the time for which it was set before."""
        self._due = clock_in_sleep() + seconds
        if self._clock is not None:
            set_kernel_timer(self._clock, max(seconds, _LEAST_SECONDS))
        else:
            self._look_later()

    def close(self) -> None:
        """Ring no more."""
        self._stop_looking()
        if self._clock is not None:
            self._loop.remove_reader(self._clock)
            os.close(self._clock)
            self._clock = None

    def _rung(self) -> None:
        if self._clock is None:
            return
        try:
            os.read(self._clock, 8)
        except BlockingIOError:  # it was set anew in the same turn of the loop
            return
        self._ring()

    def _look_later(self) -> None:
        self._stop_looking()
        left = max(self._due - clock_in_sleep(), _LEAST_SECONDS)
        self._look = self._loop.call_later(min(left, LOOK_SECONDS), self._look_now)

    def _look_now(self) -> None:
        if clock_in_sleep() < self._due:
            self._look_later()
        else:
            self._ring()

    def _stop_looking(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None


def kernel_timer() -> int | None:
    """Return a descriptor that can be read at the time of a timer, or None where there is none."""
    import ctypes  # slow to import, and not needed at first

    clock = getattr(time, "CLOCK_BOOTTIME", None)
    create = getattr(ctypes.CDLL(None), "timerfd_create", None)
    if clock is None or create is None:
        return None
    descriptor = int(create(clock, os.O_NONBLOCK | os.O_CLOEXEC))
    return descriptor if descriptor >= 0 else None


def set_kernel_timer(descriptor: int, seconds: float) -> None:
    """Have such a descriptor be readable in so many seconds, once."""
    import ctypes

    whole, rest = divmod(seconds, 1)
    once = (ctypes.c_long * 4)(0, 0, int(whole), int(rest * 1e9))
    ctypes.CDLL(None).timerfd_settime(descriptor, 0, once, None)


@asynccontextmanager
async def time_limit(seconds: float) -> AsyncIterator[None]:
    """Raise TimeoutError, as `asyncio.timeout` does, after `seconds` in which the program ran.

    Time in which it was stopped, or the machine slept, doesn't count: what came meanwhile waits in
    the socket, and is read before anything is given up.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as scope:
        left, since = seconds, loop.time()
        timer: asyncio.TimerHandle

        def give_up() -> None:
            scope.reschedule(loop.time())

        def tick() -> None:
            nonlocal left, since, timer
            passed, since = loop.time() - since, loop.time()
            if passed < _TICK_SECONDS + _STOPPED_SECONDS:
                left -= passed
            if left > _LEAST_SECONDS:
                timer = loop.call_later(min(left, _TICK_SECONDS), tick)
            else:
                timer = loop.call_later(_GRACE_SECONDS, give_up)

        timer = loop.call_later(min(left, _TICK_SECONDS), tick)
        try:
            yield
        finally:
            timer.cancel()


async def in_thread(work: Callable[[], T], seconds: float | None = None) -> T:
    """Return what `work` returns in a thread of its own; raise TimeoutError after `seconds`.

    These are FILE_SECONDS where nothing else is said. Nothing ends a thread that hangs, as one
    does on a dead file system: it is left behind, and keeps neither the program from ending nor
    other work from its turn.
    """
    outcome = asyncio.wrap_future(start_thread(work))
    outcome.add_done_callback(_retrieve_exception)
    async with time_limit(FILE_SECONDS if seconds is None else seconds):
        return await asyncio.shield(outcome)


def start_thread(work: Callable[[], T]) -> Future[T]:
    """Run `work` in a thread that the end of the program does not wait for.

    A thread that has done its work is used again, as starting one takes long; one that hangs is
    left to itself.
    """
    outcome = Future[T]()

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001  # raised to whoever waits for the outcome
            outcome.set_exception(error)
        else:
            outcome.set_result(result)

    try:
        inbox = _idle.pop()
    except IndexError:
        inbox = SimpleQueue()
        threading.Thread(target=_work_off, args=(inbox,), daemon=True).start()
    inbox.put(run)
    return outcome


_Inbox = SimpleQueue[Callable[[], None]]
_idle: list[_Inbox] = []
"""The inboxes of the threads that wait for work; taking one out makes it the taker's alone."""


def _work_off(inbox: _Inbox) -> None:
    """Do what is put into the inbox, until nothing has come for a while."""
    while True:
        try:
            run = inbox.get(timeout=IDLE_SECONDS)
        except Empty:
            try:
                _idle.remove(inbox)
            except ValueError:
                continue  # somebody has taken it: work is about to come
            return
        run()
        del run  # it may hold a secret
        _idle.append(inbox)


async def see_through(work: Coroutine[Any, Any, T]) -> T:
    """Do `work` to its end, also where whoever waits for it is cancelled: a write, a delivery."""
    return await asyncio.shield(seen_through(work))


def seen_through(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Begin `work` that is completed even if nobody awaits the task."""
    task = asyncio.create_task(_begin_after_one_turn(work))
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    task.add_done_callback(_retrieve_exception)
    # A task that is cancelled before its first step never comes to its work.
    task.add_done_callback(lambda _: work.close())
    return task


async def all_seen_through() -> None:
    """Wait for the end of all work that is to be seen through; each has a limit of its own."""
    while tasks := {task for task in _under_way if task.get_loop() is asyncio.get_running_loop()}:
        await asyncio.wait(tasks)


async def _begin_after_one_turn(work: Coroutine[Any, Any, T]) -> T:
    # A task may start before it is returned, as Textual has it from Python 3.12 on: nothing is
    # done before the task is known as being under way.
    await asyncio.sleep(0)
    return await work


def _retrieve_exception(outcome: asyncio.Future[Any]) -> None:
    """Retrieve the exception of an outcome that nobody may await: asyncio complains otherwise."""
    if not outcome.cancelled():
        outcome.exception()
