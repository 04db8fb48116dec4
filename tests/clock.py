"""Time that passes at once, so that no test waits for a deadline or depends on a short one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")


def pass_time(seconds: float = 60.0) -> None:
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
        pass_time()
        return await asking
    finally:
        asking.cancel()
