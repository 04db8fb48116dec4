"""Keys that are typed before the screen is there for which they are meant."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import ClassVar

import pytest
from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Button, Input

from tui.ui.terminal import type_ahead
from tui.ui.terminal.type_ahead import TypeAhead, drop_typed_ahead, opening_screen


class Question(Screen[str]):
    """Asks for a text."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss('')", "Close")]

    def compose(self) -> ComposeResult:
        yield Input()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)


class Desk(TypeAhead[None]):
    """o opens a question once `ready` is set, p opens two, one after the other."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("o", "open", "Open"),
        ("p", "open_two", "Open two"),
        ("n", "open_none", "Open none"),
        ("l", "open_late", "Open late"),
        ("escape,ctrl+c", "note", "Note"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.ready = asyncio.Event()
        self.answers: list[str] = []
        self.keys: list[str] = []

    def compose(self) -> ComposeResult:
        yield Button("Open", id="open")

    def fault_sentence(self, error: Exception) -> str:
        return str(error)

    def end_at_once(self, number: signal.Signals) -> None:
        self.hear_no_more()

    def on_key(self, event: events.Key) -> None:
        self.keys.append(event.key)

    def action_note(self) -> None:
        self.answers.append("noted")

    def on_button_pressed(self) -> None:
        self.action_open()

    @work
    async def action_open(self) -> None:
        with opening_screen(self):
            await self.ready.wait()
            self.answers.append(await self.push_screen_wait(Question()))

    @work
    async def action_open_two(self) -> None:
        self.answers.append(await self.push_screen_wait(Question()))
        with opening_screen(self):
            await self.ready.wait()
            self.answers.append(await self.push_screen_wait(Question()))

    @work
    async def action_open_late(self) -> None:
        with opening_screen(self, frozenset({"escape"})):
            await self.ready.wait()
            self.answers.append(await self.push_screen_wait(Question()))

    @work
    async def action_open_none(self) -> None:
        with opening_screen(self):
            await self.ready.wait()


def type_at_once(app: Desk, keys: str) -> None:
    names = {"\r": "enter", "\t": "tab", "\x1b": "escape", "\x03": "ctrl+c"}
    for character in keys:
        event = events.Key(names.get(character, character), character)
        event.set_sender(app)
        app.post_message(event)


async def until(wanted: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not wanted():  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("keys", ["oone\r", "\rone\r"], ids=["key", "button"])
async def test_what_follows_a_key_goes_to_the_screen_that_it_opens(keys: str) -> None:
    app = Desk()
    async with app.run_test() as pilot:
        app.query_one(Button).focus()
        await pilot.pause()
        type_at_once(app, keys)
        await until(lambda: app._is_held)
        assert app.typed_ahead == len(keys) - 1
        app.ready.set()
        await until(lambda: app.answers)
        assert app.answers == ["one"]
        assert set(app.keys) <= {"o", "enter"}


async def test_one_screen_after_the_other() -> None:
    app = Desk()
    async with app.run_test():
        type_at_once(app, "pone\rtwo\r")
        await until(lambda: app.answers)
        app.ready.set()
        await until(lambda: len(app.answers) == 2)
        assert app.answers == ["one", "two"]


async def test_keys_go_on_where_no_screen_was_opened() -> None:
    app = Desk()
    async with app.run_test():
        type_at_once(app, "nab")
        await until(lambda: app._is_held)
        assert app.keys == ["n"]
        app.ready.set()
        await until(lambda: app.keys == ["n", "a", "b"])


@pytest.mark.parametrize("key", ["\x1b", "\x03"])
@pytest.mark.parametrize("is_early", [True, False])
async def test_a_screen_that_takes_long_does_not_keep_esc(
    monkeypatch: pytest.MonkeyPatch, key: str, is_early: bool
) -> None:
    monkeypatch.setattr(type_ahead, "ANSWER_SECONDS", 0.05)
    app = Desk()
    async with app.run_test():
        type_at_once(app, "oabc" + (key if is_early else ""))
        if not is_early:
            await until(lambda: app._is_late)
            assert not app.answers
            type_at_once(app, key)
        await until(lambda: app.answers)
        assert app.answers == ["noted"]
        app.ready.set()
        await until(lambda: isinstance(app.screen, Question))
        type_at_once(app, "x\r")
        await until(lambda: len(app.answers) == 2)
        assert app.answers == ["noted", "x"], "what was typed before Esc is dropped"


async def test_some_keys_are_heard_while_a_server_is_waited_for() -> None:
    app = Desk()
    async with app.run_test():
        type_at_once(app, "lab\x1bone\r")
        await until(lambda: app.answers)
        assert app.answers == ["noted"]
        app.ready.set()
        await until(lambda: len(app.answers) == 2)
        assert app.answers == ["noted", "one"], "what was typed before Esc is dropped"


async def test_keys_are_dropped_where_their_screen_does_not_come() -> None:
    app = Desk()
    async with app.run_test():
        type_at_once(app, "nab")
        await until(lambda: app._is_held)
        drop_typed_ahead(app)
        app.ready.set()
        type_at_once(app, "c")
        await until(lambda: app.keys == ["n", "c"])


async def test_ctrl_c_overtakes_a_flood() -> None:
    app = Desk()
    async with app.run_test():
        type_at_once(app, "ab" * 500 + "\x03")
        await until(lambda: app.answers)
        assert len(app.keys) < 500


async def test_after_the_end_no_key_is_heard() -> None:
    app = Desk()
    async with app.run_test() as pilot:
        type_at_once(app, "nabc")
        await until(lambda: app._is_held)
        app.end_at_once(signal.SIGTERM)
        app.ready.set()
        type_at_once(app, "def")
        await until(lambda: app._under_way is None)
        await pilot.pause()
        assert app.keys == ["n"]
