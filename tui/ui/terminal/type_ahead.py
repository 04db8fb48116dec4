"""Keys in the order in which they were typed, however fast they come."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TypeVar

from textual import events
from textual.message import Message
from textual.message_pump import MessagePump
from textual.timer import Timer

from tui.ui.terminal.textual_internals import DiscreetApp

Result = TypeVar("Result")

ANSWER_SECONDS = 2.0
"""How long a key may take before the next one is let through all the same, in seconds."""


class TypeAhead(DiscreetApp[Result]):
    """An app that is done with one key before it looks at the next.

    Textual hands keys to the widget that has the focus when they arrive, but carries out what
    they are bound to only after they have climbed from there to the app. When `name⇥password⏎`
    comes in one packet, as over a slow line, the password would land in the name.
    """

    class Typed(Message):
        """Follows a key on its way up, and so arrives when the key is done with."""

        def __init__(self, key: events.Key | events.Paste, *, settled: bool) -> None:
            super().__init__()
            self.key, self.settled = key, settled

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._under_way: events.Key | events.Paste | None = None
        self._release: Timer | None = None

    async def on_event(self, event: events.Event) -> None:
        """Hold a key, or what is pasted, back while another one is under way."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._under_way is not None:
            self._waiting.append(event)
        else:
            await self._type(event)

    async def _type(self, key: events.Key | events.Paste) -> None:
        target: MessagePump = self.focused or self.screen
        self._under_way = key
        self._release = self.set_timer(ANSWER_SECONDS, lambda: self._done(key))
        await super().on_event(key)
        if not target.post_message(self.Typed(key, settled=False)):
            await self._done(key)

    async def on_type_ahead_typed(self, event: Typed) -> None:
        """Give a screen that the key opened its turn, then take the next key."""
        event.stop()
        await asyncio.sleep(0)  # a worker that the key started pushes its screen
        await asyncio.sleep(0)
        if event.settled or not self.screen.post_message(self.Typed(event.key, settled=True)):
            await self._done(event.key)

    async def _done(self, key: events.Key | events.Paste) -> None:
        if key is not self._under_way:
            return
        self._under_way = None
        if self._release is not None:
            self._release.stop()
        if self._waiting:
            await self._type(self._waiting.popleft())
