"""Deleting one key for good, as one of many."""

from __future__ import annotations

import time
from typing import ClassVar

from tui.api.models import Key
from tui.keys.rotation.machine import Machine
from tui.keys.rotation.pair import Pair
from tui.keys.rotation.states import State, Step, StillThere, Transitions
from tui.keys.service import KeyService


class KeyDeletion(Machine):
    """A key on its way to being deleted, with nothing to take its place."""

    transitions: ClassVar[Transitions] = {
        State.PLANNED: {Step.FINISH: (State.FINISHED, State.UNKNOWN)},
        State.UNKNOWN: {Step.LOOK: (State.FINISHED, State.PLANNED, State.UNKNOWN)},
        State.FINISHED: {},
    }

    def __init__(self, service: KeyService, key: Key) -> None:
        super().__init__()
        self._pair = Pair(service, key, time.monotonic)

    @property
    def predecessor(self) -> Key:
        """The key to be deleted, as last seen."""
        return self._pair.predecessor

    async def finish(self) -> State:
        """Delete the key."""
        return await self._take(Step.FINISH, self._finish)

    async def look_again(self) -> State:
        """Read the list, and tell by it what became of a deletion that got no answer."""
        return await self._take(Step.LOOK, self._look)

    async def _finish(self) -> None:
        await self._pair.delete_alone()
        self._reach(State.FINISHED)

    async def _look(self) -> None:
        await self._pair.look()
        if self._pair.has_predecessor:
            self.problem = StillThere(self._doubted.cause if self._doubted else None)
            self._reach(State.PLANNED)
        else:
            self._reach(State.FINISHED)
