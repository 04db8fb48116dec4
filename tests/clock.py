"""Time that passes at once, so that no test waits for a deadline or depends on a short one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")


DEADLINE_SECONDS = 20.0
"""How long the clients of the tests wait for an answer."""


def pass_time(seconds: float) -> None:
    """Put the running loop's clock forward: what is due by then is due at once."""
    loop = asyncio.get_running_loop()
    ahead = loop.time() - monotonic() + seconds
    loop.time = lambda: monotonic() + ahead  # type: ignore[method-assign]


async def in_vain(request: Coroutine[Any, Any, T], hangs: Callable[[], object]) -> T:
    """Make a request that gets no answer, and let its deadline pass as soon as it hangs."""
    asking = asyncio.ensure_future(request)
    try:
        while not hangs() and not asking.done():  # noqa: ASYNC110  # told by a thread, or by state
            await asyncio.sleep(0.005)
        passed = 0.0
        while passed <= DEADLINE_SECONDS and not asking.done():
            pass_time(1.0)  # a longer step is time in which the program was stopped
            passed += 1.0
            await asyncio.sleep(0.001)
        return await asking
    finally:
        asking.cancel()
