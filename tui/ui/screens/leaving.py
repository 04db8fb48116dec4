"""What a screen offers that has something to lose when the program is left."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class GuardedScreen(Protocol):
    """A screen that is asked before the program, or the screen itself, is left."""

    async def may_leave(self) -> bool:
        """Return whether nothing would be lost, after asking the operator where something would."""
        ...
