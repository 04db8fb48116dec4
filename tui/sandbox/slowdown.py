"""Slows down failing sign-ins, per account and address, without ever locking out (faults, E)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

FREE = 5
"""How many tries in a row may fail before waiting begins."""

LONGEST = 60
"""The longest wait, in seconds."""

_MOST = 10_000


@dataclass(slots=True)
class SlowDown:
    """Counts failures in a row; each one beyond the free ones doubles the wait."""

    now: Callable[[], datetime]
    _failures: dict[tuple[str, str], tuple[int, datetime]] = field(default_factory=dict)

    def wait(self, account: str, address: str) -> int:
        """Return for how many more seconds a try is refused; 0 where it may be made."""
        failures, last = self._failures.get((account, address), (0, self.now()))
        if failures < FREE:
            return 0
        pause = min(2 ** min(failures - FREE, 10), LONGEST)
        left = (last + timedelta(seconds=pause) - self.now()).total_seconds()
        return max(0, int(-(-left // 1)))

    def begin(self, account: str, address: str) -> None:
        """Count a try as failed before it is judged, so that many at once gain nothing."""
        failures, _ = self._failures.pop((account, address), (0, None))
        if len(self._failures) >= _MOST:
            del self._failures[next(iter(self._failures))]
        self._failures[account, address] = failures + 1, self.now()

    def forgive(self, account: str, address: str) -> None:
        """Forget the failures after a try that succeeded."""
        self._failures.pop((account, address), None)
