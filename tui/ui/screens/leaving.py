"""The protocols of screens that ask before the program is left, or have work to stop."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class GuardedScreen(Protocol):
    """A screen that is asked before the program, or the screen itself, is left."""

    async def may_leave(self) -> bool:
        """Return whether nothing would be lost, after asking the operator where something would."""
        ...


@runtime_checkable
class StoppableScreen(Protocol):
    """A screen with work that goes on until it is stopped."""

    def stop_at_once(self) -> None:
        """Begin nothing more; what is under way is seen through."""
        ...
