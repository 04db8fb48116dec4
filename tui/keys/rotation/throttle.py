"""How fast many keys are worked on: slower each time that the server asks for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

FIRST_SPACING = 0.25
LONGEST_SPACING = 5.0
"""How long is waited between keys once a server has limited the rate, in seconds."""

LONGEST_BACK_OFF = 5.0
"""How long is waited at most where the server does not say how long, in seconds (contract 5)."""


class Throttle:
    """The waits between keys and after a refusal for too many requests; `stop()` ends one.

    `waiting_until` is when the present wait ends, by `clock`, or None.
    """

    def __init__(
        self,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.waiting_until: float | None = None
        self.spacing = 0.0
        self._sleep, self._clock = sleep, clock
        self._refusals = 0
        self._stopped = asyncio.Event()

    @property
    def seconds_left(self) -> float:
        """How long the present wait still takes; 0 where there is none."""
        return max(0.0, (self.waiting_until or 0.0) - self._clock()) if self.waiting_until else 0.0

    def start(self) -> None:
        """Wait again, after a stop."""
        self._stopped.clear()

    def stop(self) -> None:
        """End the present wait, and each one until the next start, at once."""
        self._stopped.set()

    async def between(self) -> None:
        """Wait between one key and the next; not at all while the server never limited the rate."""
        self._refusals = 0
        await self._wait(self.spacing)

    async def slow_down(self, retry_after: float | None) -> None:
        """Wait `retry_after` seconds, else 1 to 5, and go slower from now on (contract 5)."""
        self._refusals += 1
        self.spacing = min(LONGEST_SPACING, max(FIRST_SPACING, 2 * self.spacing))
        back_off = min(LONGEST_BACK_OFF, float(self._refusals))
        await self._wait(back_off if retry_after is None else max(retry_after, self.spacing))

    async def _wait(self, seconds: float) -> None:
        if seconds <= 0 or self._stopped.is_set():
            return
        self.waiting_until = self._clock() + seconds
        waits = [
            asyncio.ensure_future(self._sleep(seconds)),
            asyncio.ensure_future(self._stopped.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.waiting_until = None
            for wait in waits:
                wait.cancel()
