"""Somebody at the keyboard: presses the program's keys and reads its screens.

A page object stands for one screen, and knows it by the words that it shows. Nothing here sleeps
for a fixed time: everything waits for what it wants to see.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict, Unpack

from pydantic import SecretStr
from rich.cells import cell_len
from textual import events
from textual._context import visible_screen_stack
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from tests.node import Node
from tui.config.profile import Profile
from tui.ui.app import KeysApp
from tui.ui.bindings import COMMANDS, Place
from tui.ui.screens.keys import KeysScreen
from tui.ui.screens.login import SignInDefaults
from tui.ui.widgets.field import Field
from tui.ui.widgets.grant_grid import GrantGrid
from tui.ui.widgets.key_table import KeyTable
from tui.ui.widgets.summary_line import SummaryLine

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
"""What the program's clock shows."""

NARROW, WIDE = (80, 24), (140, 40)


class Defaults(TypedDict, total=False):
    """What the login form holds at the start in place of the node's own address and user."""

    url: str
    username: str
    password: SecretStr | None
    ca_file: Path
    client_id: str
    client_secret: SecretStr
    plain_http_allowed: bool
    notice: str
    profile: Profile


_ACTIONS = {"action", "leave", "load", "sign in", "write"}
"""The groups of the workers that do what the operator asked for."""

_FRAMES = {ord(character): " " for character in "│▏╭╮╰╯─×"}


def key_for(place: Place, action: str) -> str:
    """Return the first key that does `action` there, as the table of bindings has it."""
    return next(c.keys for c in COMMANDS if c.place is place and c.action == action).split(",")[0]


class Operator:
    """The person in front of a running `KeysApp`."""

    def __init__(self, pilot: Pilot[None], app: KeysApp) -> None:
        self.pilot, self.app = pilot, app

    @property
    def screen(self) -> Screen[Any]:
        return self.app.screen

    @property
    def lines(self) -> list[str]:
        """The screen as it is now, without spaces at the end of a row."""
        visible_screen_stack.set(self.app._background_screens)  # as Textual does for a dialog
        strips = self.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def sentences(self) -> str:
        """What the screen, or the box above it, says: without frames, blanks and line breaks."""
        lines = self.lines
        for box in self.screen.query("#box"):
            left, top, right, bottom = box.region.corners
            cells = (line.ljust(right) for line in lines[top:bottom])
            lines = [line[left:right] for line in cells] + lines[-1:]
        for pane in self.screen.query("FactsPane.beside"):
            if pane.region:
                left, top, _, bottom = pane.region.corners
                inside = lines[top:bottom]
                lines[top:bottom] = [line[:left] for line in inside]
                lines[bottom:bottom] = [line[left:] for line in inside]
        return " ".join(" ".join(lines).translate(_FRAMES).split())

    @property
    def footer(self) -> str:
        return self.line_with("F1 Help") or next(reversed(self.lines), "")

    def line_with(self, text: str) -> str:
        return next((line for line in self.lines if text in line), "")

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, without waiting for what the first ones do."""
        for key in keys:
            self._send(key)
        await self.settle()

    async def type(self, text: str) -> None:
        await self.press(*text)

    async def paste(self, text: str) -> None:
        self.app.post_message(events.Paste(text))
        await self.settle()

    async def click(self, text: str, below: str = "") -> None:
        """Click on the first place (under the line with `below`) where the screen shows `text`."""
        lines = self.lines
        first = next(row for row, line in enumerate(lines) if below in line)
        row = next(row for row, line in enumerate(lines) if row >= first and text in line)
        column = cell_len(lines[row][: lines[row].index(text)])
        await self.pilot.click(offset=(column, row))
        await self.settle()

    async def settle(self) -> None:
        """Wait until everything that is queued is done with, and painted."""
        heard = asyncio.Event()
        deadline = time.monotonic() + 60
        if self.app.call_later(heard.set):  # after what was sent before
            while not heard.is_set() and not self.app._exit:  # an app that ends hears no more
                assert time.monotonic() < deadline, "the app hears nothing"
                with suppress(TimeoutError):
                    await asyncio.wait_for(heard.wait(), 1)
        while (
            self.app._under_way is not None and not self.app._exit and not self._server_is_awaited
        ):
            if self.app._exception is not None:
                raise self.app._exception
            assert time.monotonic() < deadline, "a key is never done with"
            await asyncio.sleep(0.001)
        await self._painted()

    @property
    def _server_is_awaited(self) -> bool:
        """Whether keys are held back until a server answers, which may be never."""
        return self.app._is_held and bool(self.app._heard)

    async def _painted(self) -> None:
        """Let the loop turn until no widget has anything to do any more, for what that is worth.

        Counted in turns, not in seconds: a busy host gets no fewer of them.
        """
        await self.pilot.pause(0)
        quiet = 0
        for _ in range(500):
            quiet = quiet + 1 if self._is_quiet else 0
            if quiet == 3 or self.app._exit:
                break
            await asyncio.sleep(0)
        self.screen._on_timer_update()

    @property
    def _is_quiet(self) -> bool:
        screen = self.screen
        return not (
            screen._callbacks or screen._layout_required or screen._scroll_required
        ) and not any(
            pump.message_queue_size or pump._next_callbacks
            for pump in (self.app, screen, *screen.walk_children())
        )

    async def until(self, wanted: str | Callable[[], object], seconds: float = 60) -> None:
        """Wait until the screen says a text, or until something is true."""
        seen = (lambda: wanted in self.sentences) if isinstance(wanted, str) else wanted
        deadline = time.monotonic() + seconds
        while not seen():
            if self.app._exception is not None:
                raise self.app._exception
            what = repr(wanted) if isinstance(wanted, str) else "what was waited for"
            assert time.monotonic() < deadline, f"No sight of {what}:\n{self.text}"
            await asyncio.sleep(0.01)
        await self._painted()  # what is seen may still have to be laid out

    @property
    def idle(self) -> bool:
        """Whether nothing is being done for the operator, apart from waiting for keys."""
        return not any(worker.group in _ACTIONS for worker in self.app.workers)

    async def gone(self, text: str) -> None:
        await self.until(lambda: text not in self.sentences)

    def _send(self, key: str) -> None:
        character = key if len(key) == 1 else {"space": " ", "enter": "\r", "tab": "\t"}.get(key)
        if len(key) == 1:
            key = _character_to_key(key)
        event = events.Key(key, character)
        event.set_sender(self.app)
        self.app.post_message(event)


@dataclass(frozen=True)
class Page:
    """One screen, in somebody's hands."""

    me: Operator

    @property
    def says(self) -> str:
        return self.me.sentences

    def field(self, name: str) -> Field:
        return self.me.screen.query_one(f"#{name}", Field)

    async def fill(self, name: str, text: str) -> None:
        """Put the cursor into a field by Tab, empty it, and paste."""
        await self.go_to(name)
        await self.me.press("end", "ctrl+u")
        if text:
            await self.me.paste(text)
        assert self.field(name).value == text

    async def go_to(self, name: str) -> None:
        wanted = self.field(name).query_one(Input)
        for _ in range(20):
            if self.me.screen.focused is wanted:
                return
            await self.me.press("tab")
        raise AssertionError(f"Tab never comes to {name}")


class Login(Page):
    """The login screen."""

    async def submit(self) -> None:
        await self.me.press("enter")

    async def sign_in(self) -> Keys:
        """Sign in with what stands in the form, to a server that has keys."""
        await self.submit()
        return await Keys(self.me).shown()

    async def refused(self, sentence: str) -> None:
        """Wait for a refusal; the form is still there."""
        await self.me.until(sentence)
        assert self.me.line_with("Server")
        assert self.me.line_with("Password")

    async def is_back(self) -> None:
        await self.me.until(lambda: "Enter Sign in" in self.me.footer)


class Keys(Page):
    """Settings › API keys."""

    @property
    def table(self) -> KeyTable:
        return self.me.screen.query_one(KeyTable)

    @property
    def labels(self) -> list[str]:
        return [key.label for key in self.table.keys]

    @property
    def counts(self) -> str:
        """The line above the table: `11 keys 4 due ! 1 retiring →`."""
        place = self.me.screen.query_one(SummaryLine).region
        return " ".join(self.me.lines[place.y][place.x : place.right].split())

    @property
    def cursor_line(self) -> str:
        """The line with the cursor."""
        return self.me.line_with("▌").strip("▌ ")

    async def shown(self) -> Keys:
        """Wait for the list, or for what stands in its place, and for the end of what led here."""
        await self.me.until(
            lambda: (
                isinstance(self.me.screen, KeysScreen)
                and self.me.screen.query(KeyTable)
                and (self.table.count or "No API keys yet" in self.says)
                and self.me.idle
            )
        )
        await self.me.settle()
        return self

    async def go_to(self, label: str) -> None:
        """Move the cursor to the key with that label, from the top."""
        await self.me.press("home")
        for _ in range(self.table.count):
            if self.table.key is not None and self.table.key.label == label:
                return
            await self.me.press("down")
        raise AssertionError(f"There is no key {label!r}: {self.labels}")

    async def new(self) -> Form:
        await self.me.press(key_for(Place.KEYS, "new"))
        await self.me.until("Create New API Key")
        await self.me.settle()
        return Form(self.me)

    async def edit(self, label: str) -> Form:
        await self.go_to(label)
        await self.me.press(key_for(Place.KEYS, "edit"))
        return await self.edit_form()

    async def edit_form(self) -> Form:
        """Wait for the form of the key that was opened."""
        await self.me.until("Edit API Key")
        await self.me.settle()
        return Form(self.me)

    async def delete(self, label: str) -> Delete:
        await self.go_to(label)
        await self.me.press(key_for(Place.KEYS, "delete"))
        return await self.delete_dialog()

    async def delete_dialog(self) -> Delete:
        """Wait for the question whether the key is to go."""
        await self.me.until("Delete API Key:")
        await self.me.settle()
        return Delete(self.me)


class Form(Page):
    """Create New API Key, or Edit API Key."""

    @property
    def grants(self) -> GrantGrid:
        return self.me.screen.query_one(GrantGrid)

    async def give(self, *labels: str) -> None:
        """Tick (or untick) grants by the words on the screen."""
        for _ in range(10):
            if self.me.screen.focused is self.grants:
                break
            await self.me.press("tab")
        for label in labels:
            await self.go_to_grant(label)
            await self.me.press("space")

    async def go_to_grant(self, label: str) -> None:
        """Move the cursor to a grant with the arrow keys."""
        grid = self.grants
        cells = {cell.key: cell for cell in grid._cells()}
        labelled = (key for key in cells if grid._catalogue.label(key) == label)
        wanted = cells[next(labelled)]
        for _ in range(2 * len(cells)):
            current = cells[grid.current]
            if current is wanted:
                return
            down, across = wanted.y - current.y, wanted.x - current.x
            vertical = "down" if down > 0 else "up"
            await self.me.press(vertical if down else "right" if across > 0 else "left")
        raise AssertionError(f"The arrow keys never come to {label!r}:\n{self.me.text}")

    async def complete(self, label: str, password: str, *grants: str) -> None:
        """Fill in what a new key needs."""
        await self.fill("label", label)
        await self.fill("password", password)
        await self.give(*(grants or ("View Metrics",)))

    async def save(self) -> None:
        await self.me.press(key_for(Place.FORM, "save"))

    async def create(self, label: str, password: str, *grants: str) -> Secret:
        await self.complete(label, password, *grants)
        await self.save()
        return await Secret(self.me).shown()

    async def says_beside(self, name: str, sentence: str) -> None:
        """Wait for a sentence on the lines beneath one field's own."""
        field = self.field(name)
        await self.me.until(lambda: sentence in (field.error or field.note))
        await self.me.until(" ".join(sentence.split()[:4]))


class Secret(Page):
    """A new key's secret."""

    @property
    def secret(self) -> str:
        """What stands in the box, as one would copy it down."""
        lines = self.me.lines
        top = next(row for row, line in enumerate(lines) if "╭" in line)
        bottom = next(row for row, line in enumerate(lines) if "╰" in line)
        return "".join(line.strip().strip("│").strip() for line in lines[top + 1 : bottom])

    async def shown(self) -> Secret:
        await self.me.until("The API key was created")
        await self.me.settle()
        return self

    async def is_shown(self) -> bool:
        await self.me.settle()
        return "The API key was created" in self.says

    async def stored(self) -> Keys:
        """Say that it is stored, once more where it was sent nowhere."""
        await self.me.press(key_for(Place.SECRET, "stored"))
        if "Have you stored the secret?" in self.says:
            await self.me.press("y")
        return await Keys(self.me).shown()

    async def write(self, path: Path) -> None:
        await self.me.press(key_for(Place.SECRET, "write"))
        await self.me.until("Write the secret to a file")
        await self.me.settle()
        await self.fill("answer", str(path))
        await self.me.press("enter")


class Delete(Page):
    """Delete API Key."""

    async def confirm(self) -> None:
        """Go to the red button and press it."""
        for _ in range(5):
            if self.me.screen.focused is self.me.screen.query_one("#yes"):
                break
            await self.me.press("tab")
        await self.me.press("enter")


class Dialog(Page):
    """Any box above a screen, known by what it says."""

    async def shown(self, sentence: str) -> Dialog:
        await self.me.until(sentence)
        await self.me.settle()
        return self

    async def answer(self, text: str) -> None:
        await self.fill("answer", text)
        await self.me.press("enter")

    async def cancel(self) -> None:
        await self.me.press(key_for(Place.DIALOG, "dismiss_dialog"))

    async def press_button(self, label: str) -> None:
        """Go to a button by Tab and press it."""
        for _ in range(6):
            focused = self.me.screen.focused
            if focused is not None and label in str(getattr(focused, "label", "")):
                await self.me.press("enter")
                return
            await self.me.press("tab")
        raise AssertionError(f"Tab never comes to {label!r}:\n{self.me.text}")


@asynccontextmanager
async def at_login(
    at: Node | SignInDefaults, size: tuple[int, int] = NARROW, **others: Unpack[Defaults]
) -> AsyncIterator[Login]:
    """Start the program at its login screen.

    For a node, the form holds its address and who signs in there, unless `others` say otherwise.
    """
    defaults = at if isinstance(at, SignInDefaults) else defaults_for(at, **others)
    async with running(KeysApp(defaults, now=lambda: NOW), size) as me:
        await me.until("Sign in")
        yield Login(me)


@asynccontextmanager
async def running(app: KeysApp, size: tuple[int, int] = NARROW) -> AsyncIterator[Operator]:
    """Start a program, and let go of its connections at the end, however the test ends."""
    if eager := getattr(asyncio, "eager_task_factory", None):
        asyncio.get_running_loop().set_task_factory(eager)  # as `run_async` does, not `run_test`
    try:
        async with app.run_test(size=size) as pilot:
            yield Operator(pilot, app)
    finally:
        if app._session is not None:
            await app._session.close()
        await app._journal.settled()  # as the end of the program waits for it


@asynccontextmanager
async def at_keys(
    node: Node, size: tuple[int, int] = NARROW, **others: Unpack[Defaults]
) -> AsyncIterator[Keys]:
    """Start the program, sign in, and wait for the list."""
    async with at_login(node, size, **others) as page:
        yield await page.sign_in()


def defaults_for(node: Node, **others: Unpack[Defaults]) -> SignInDefaults:
    password = SecretStr(node.password)
    defaults: Defaults = {"url": node.url, "username": node.username, "password": password}
    defaults.update(others)
    return SignInDefaults(**defaults)
