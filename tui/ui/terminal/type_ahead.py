"""Keys in the order in which they were typed, however fast they come."""

from __future__ import annotations

import asyncio
import signal
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Set
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

from textual import events
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen

from tui.ui.terminal.textual_internals import DiscreetApp

Result = TypeVar("Result")

ANSWER_SECONDS = 2.0
"""How long a key may take before the next one is let through all the same, in seconds."""
OVERTAKING = frozenset({"escape", "ctrl+c", "ctrl+q"})
"""Keys that after that time are heard while others still wait for a screen to open."""
ENDING = frozenset({"ctrl+c", "ctrl+q"})
"""Keys that are heard at once where very many wait."""
MANY_KEYS = 200
"""How many are very many."""
HEARD_MEANWHILE = OVERTAKING | {"f1"}
"""Keys that are heard at once while a server is waited for; all others are for what comes then."""


class TypeAhead(DiscreetApp[Result]):
    """An app that is done with one key before it looks at the next.

    Textual hands keys to the widget that has the focus when they arrive, but carries out what
    they are bound to only after they have climbed from there to the app. When `name⇥password⏎`
    comes in one packet, as over a slow line, the password would land in the name.
    """

    class Typed(Message):
        """Follows a key on its way up, and so arrives when the key is done with.

        It starts from a widget on `screen`. On its first turn it follows the key itself, on the
        second the messages that the key's action sent; where the key changed the screen, a turn
        through the new one follows what that does to get ready.
        """

        def __init__(
            self, key: events.Key | events.Paste, screen: Screen[Any], *, is_first: bool = False
        ) -> None:
            super().__init__()
            self.key, self.screen, self.is_first = key, screen, is_first

    has_plain_signs = False
    """Whether the program's signs are drawn in ASCII."""
    sends_all = False
    """Whether all that is drawn is sent to the terminal, not only what changed there."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._under_way: events.Key | events.Paste | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._answer_due = 0.0
        self._target: MessagePump = self
        self._opening: dict[object, Set[str]] = {}
        self._awaited: set[object] = set()
        self._is_held = self._is_late = self._is_deaf = False

    @abstractmethod
    def end_at_once(self, number: signal.Signals) -> None:
        """End without asking: a signal says so, or the terminal is gone.

        Runs on the event loop ahead of all messages that wait there.
        """

    @property
    def typed_ahead(self) -> int:
        """How many keys and other messages wait."""
        return len(self._waiting) + self.message_queue_size

    def hear_no_more(self) -> None:
        """Drop all keys, those that wait as well as those to come."""
        self._is_deaf = True
        self._waiting.clear()

    def drop_keys(self) -> None:
        """Drop the keys that wait: the screen for which they are meant does not come."""
        self._waiting.clear()

    @contextmanager
    def hold_keys(self, heard: Set[str] = frozenset()) -> Iterator[None]:
        """Hold keys back until a screen is pushed within, or it is clear that none will be.

        Those in `heard` are heard at once, and what was typed before one of them is dropped; a
        character among them is heard only where nothing was typed before it: it may be of a word.
        """
        opening = object()
        self._opening[opening] = heard
        try:
            yield
        finally:
            self._release(opening)

    @property
    def _heard(self) -> Set[str]:
        """The keys that are heard at once while a server is waited for; else none."""
        return frozenset[str]().union(*self._opening.values())

    async def push_screen_wait(self, screen: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # as Textual has it
        """Push a screen and wait for its result; keys wait until it is there.

        They wait once more when it is dismissed, until its caller has gone on: that may open the
        next screen, or begin to.
        """
        self._awaited.add(screen)
        try:
            with self.hold_keys():
                return await super().push_screen_wait(screen, **kwargs)
        finally:
            self._awaited.discard(screen)
            asyncio.get_running_loop().call_soon(self._release, screen)

    def push_screen(self, screen: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # as Textual has it
        """Push a screen; the keys that were held back for it are typed there."""
        pushed = super().push_screen(screen, *args, **kwargs)
        if isinstance(pushed, asyncio.Future):
            pushed.add_done_callback(lambda _: self._hold_for_caller(screen))
        if self._opening:
            self._opening.clear()
            self._settle()
        return pushed

    def switch_screen(self, screen: Any) -> AwaitComplete:  # noqa: ANN401  # as Textual has it
        """Put a screen in the place of the one on top; keys that wait are typed there."""
        switched = super().switch_screen(screen)
        self._opening.clear()
        if self._under_way is not None:
            self.screen.post_message(self.Typed(self._under_way, self.screen))
        return switched

    def pop_screen(self) -> AwaitComplete:
        """Pop a screen; what follows a key through it would be lost with it."""
        popped = super().pop_screen()
        if self._under_way is not None:
            self.screen.post_message(self.Typed(self._under_way, self.screen))
        return popped

    async def on_event(self, event: events.Event) -> None:
        """Hold a key, or what is pasted, back while another one is under way."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._is_deaf or self._has_ended:
            return
        elif self._under_way is None and not self._heard:
            await self._type(event)
        elif isinstance(event, events.Key) and self._overtakes(event.key):
            self._waiting.clear()
            await super().on_event(event)
        else:
            self._waiting.append(event)

    @property
    def _has_ended(self) -> bool:
        """Whether there is no screen any more, as while the app shuts down."""
        return not self.screen_stack

    def _overtakes(self, key: str) -> bool:
        """Tell whether a key is heard ahead of all that wait, which are dropped."""
        if self._is_heard(key, is_first=not self._waiting):
            return True
        if self._is_late:
            return key in OVERTAKING
        return key in ENDING and len(self._waiting) >= MANY_KEYS

    def _is_heard(self, key: str, *, is_first: bool) -> bool:
        return key in self._heard and (is_first or len(key) > 1)

    async def _type(self, key: events.Key | events.Paste) -> None:
        screen = self.screen
        self._target = self.focused or screen
        self._under_way, self._is_held, self._is_late = key, False, False
        loop = asyncio.get_running_loop()
        self._answer_due = loop.time() + ANSWER_SECONDS
        if self._timer is None:
            self._timer = loop.call_at(self._answer_due, self._check_time)
        await super().on_event(key)
        if not self._target.post_message(self.Typed(key, screen, is_first=True)):
            await self._end_key(key)

    async def on_type_ahead_typed(self, event: Typed) -> None:
        """Give a screen that the key opened its turn, then take the next key."""
        event.stop()
        await asyncio.sleep(0)  # a worker that the key started begins to open its screen
        await asyncio.sleep(0)
        if event.key is not self._under_way or self._has_ended:
            return
        if self._opening:
            self._is_held = True
            self._hear_first(self._is_heard)
            return
        if self.screen is not event.screen:
            target: MessagePump = self.screen
        elif event.is_first:
            target = self._target
        else:
            await self._end_key(event.key)
            return
        if not target.post_message(self.Typed(event.key, self.screen)):
            await self._end_key(event.key)

    def _hold_for_caller(self, dismissed: object) -> None:
        if dismissed in self._awaited:
            self._opening[dismissed] = frozenset()

    def _release(self, opening: object) -> None:
        """Hold keys back no longer on that account."""
        if self._opening.pop(opening, None) is not None:
            self._settle()

    def _settle(self) -> None:
        """Have the screen that is on top now take its turn, if a key was held for it."""
        if self._opening or self._has_ended:
            return
        if self._under_way is None:
            self.call_later(self._type_next)
        elif self._is_held:
            self._is_held = False
            if not self.screen.post_message(self.Typed(self._under_way, self.screen)):
                self.call_later(self._end_key, self._under_way)

    def _check_time(self) -> None:
        """Let go of the key under way once its time is up: one timer for all keys, however many."""
        loop, self._timer = asyncio.get_running_loop(), None
        if self._under_way is None:
            return
        if loop.time() < self._answer_due:
            self._timer = loop.call_at(self._answer_due, self._check_time)
        else:
            self._let_go(self._under_way)

    def _let_go(self, key: events.Key | events.Paste) -> None:
        """Wait no longer for a key, except for the screen that it opens."""
        if self._is_held:
            self._is_late = True
            self._hear_first(lambda key, **_: key in OVERTAKING)
        else:
            self.call_later(self._end_key, key)

    def _hear_first(self, is_heard: Callable[..., bool]) -> None:
        """Hear the first such key that waits; those that were typed before it are dropped."""
        for number, event in enumerate(self._waiting):
            if isinstance(event, events.Key) and is_heard(event.key, is_first=number == 0):
                for _ in range(number + 1):
                    self._waiting.popleft()
                self.call_later(super().on_event, event)
                return

    async def _end_key(self, key: events.Key | events.Paste) -> None:
        if key is not self._under_way or self._has_ended:
            return
        self._under_way = None
        await self._type_next()

    async def _type_next(self) -> None:
        if self._waiting and self._under_way is None and not self._heard and not self._has_ended:
            await self._type(self._waiting.popleft())


def opening_screen(app: App[Any], heard: Set[str] = frozenset()) -> AbstractContextManager[None]:
    """Return what holds keys back until a screen is pushed within, or none is going to be.

    An action that must wait before it can open its screen does so in there: keys that are typed
    meanwhile are meant for that screen, except for those in `heard`.
    """
    return app.hold_keys(heard) if isinstance(app, TypeAhead) else nullcontext()


def drop_typed_ahead(app: App[Any]) -> None:
    """Drop the keys that were held back for a screen that does not come."""
    if isinstance(app, TypeAhead):
        app.drop_keys()
