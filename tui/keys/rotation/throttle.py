"""How fast many keys are worked on: more of them at once as long as all goes well, fewer if not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

MOST_AT_ONCE = 8
"""How many keys are worked on at the same time, at most."""

FIRST_SPACING = 0.25
LONGEST_SPACING = 5.0
"""How long is waited between two keys where one at a time is still too fast, in seconds."""

LONGEST_BACK_OFF = 5.0
"""How long is waited at most where the server does not say how long, in seconds (contract 5)."""

_RECOVERY = 0.8
"""By what the spacing shrinks with each key that was not refused."""


class Throttle:
    """The number of keys worked on at once, and the waits that a server asks for.

    The first run starts with one key, so that a delivery that fails has one secret to lose. `width`
    grows by one with each key that went well; a refusal for too many requests halves it, and from
    there on it grows slowly. `waiting_until` is when the present wait ends, by `clock`, or None;
    `stop()` ends all waits.
    """

    def __init__(
        self,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.spacing = 0.0
        self._sleep, self._clock = sleep, clock
        self._width, self._fast_until = 1.0, float(MOST_AT_ONCE)
        self._refusals = 0
        self._slowed_at = self._resume_at = float("-inf")
        self._waiting = 0
        self._stopped = asyncio.Event()

    @property
    def width(self) -> int:
        """How many keys may be worked on at the same time."""
        return int(self._width)

    @property
    def now(self) -> float:
        """The time by the clock, in seconds."""
        return self._clock()

    @property
    def waiting_until(self) -> float | None:
        """When the present wait for the server's sake ends; None where nothing waits."""
        return self._resume_at if self._waiting else None

    @property
    def seconds_left(self) -> float:
        """How long the present wait still takes; 0 where there is none."""
        return max(0.0, self._resume_at - self._clock()) if self._waiting else 0.0

    def start(self) -> None:
        """Wait again, after a stop; as many keys as went well before are worked on at once."""
        self._stopped.clear()

    def stop(self) -> None:
        """End the present waits, and each one until the next start, at once."""
        self._stopped.set()

    def widen(self) -> None:
        """Take note of a key that went well: go faster."""
        self._refusals = 0
        self.spacing *= _RECOVERY
        if self.spacing < FIRST_SPACING * _RECOVERY:
            self.spacing = 0.0
            step = 1.0 if self._width < self._fast_until else 1.0 / self._width
            self._width = min(self._width + step, float(MOST_AT_ONCE))

    def narrow(self) -> None:
        """Work on one key at a time, until keys go well again."""
        self._width = 1.0

    async def between(self) -> None:
        """Wait between the begin of one key and of the next; not at all in good times."""
        if self.spacing:
            self._resume_at = max(self._resume_at, self._clock() + self.spacing)
        await self.ready()

    async def ready(self) -> None:
        """Wait as long as the server asked to be left alone."""
        while (seconds := self._resume_at - self._clock()) > 0 and not self._stopped.is_set():
            await self._wait(seconds)

    async def slow_down(self, retry_after: float | None, asked_at: float | None = None) -> None:
        """Wait `retry_after` seconds, else 1 to 5, and go slower from now on (contract 5).

        Refusals of requests that were under way together, `asked_at` before the last one came,
        count as one.
        """
        now = self._clock()
        if asked_at is None or asked_at >= self._slowed_at:
            self._slowed_at = now
            self._refusals += 1
            if self.width == 1:
                self.spacing = min(LONGEST_SPACING, max(FIRST_SPACING, 2 * self.spacing))
            self._width = self._fast_until = max(1.0, self._width / 2)
        back_off = min(LONGEST_BACK_OFF, float(self._refusals))
        seconds = back_off if retry_after is None else max(retry_after, self.spacing)
        self._resume_at = max(self._resume_at, now + seconds)
        await self.ready()

    async def _wait(self, seconds: float) -> None:
        waits = [
            asyncio.ensure_future(self._sleep(seconds)),
            asyncio.ensure_future(self._stopped.wait()),
        ]
        self._waiting += 1
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._waiting -= 1
            for wait in waits:
                wait.cancel()
