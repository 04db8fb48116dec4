"""Page objects of rotation: one key, many keys, verifying, the journal."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from textual.content import Content
from textual.strip import Strip
from textual.widgets import Button

from tests.driver import (
    NARROW,
    NOW,
    Dialog,
    Keys,
    Login,
    Operator,
    Page,
    defaults_for,
    key_for,
    running,
)
from tests.node import Node
from tui.journal import Journal
from tui.ui.app import KeysApp
from tui.ui.bindings import COMMANDS, Place
from tui.ui.widgets.run_table import RunTable

API = "/api/v1/api-keys"
SIGN_IN = "/api/v1/authenticate"
LABEL = "Nightly metrics export"
"""A key that the node begins with; it has one grant, and belongs to who signs in."""


_NUMBERS = count(1)


def mint() -> str:
    """Return a secret that no other test had, to be found again wherever it still is."""
    return f"{next(_NUMBERS):04x}5ec2e7".ljust(40, "0")


@asynccontextmanager
async def signed_in(
    node: Node, size: tuple[int, int] = NARROW, journal: Path | None = None
) -> AsyncIterator[Keys]:
    """Start the program with a journal, sign in, and wait for the list."""
    app = KeysApp(defaults_for(node), now=lambda: NOW, journal=Journal(journal, now=lambda: NOW))
    async with running(app, size) as me:
        await me.until("Sign in")
        yield await Login(me).sign_in()
        app.exit()


async def begin_rotating(keys: Keys, label: str = LABEL) -> Rotate:
    await keys.go_to(label)
    await keys.me.press(key_for(Place.KEYS, "rotate"))
    return await Rotate(keys.me).shown()


async def select(keys: Keys, *labels: str) -> None:
    """Mark keys, one by one."""
    for label in labels:
        await keys.go_to(label)
        await keys.me.press("space")
    assert {key.label for key in keys.table.marked} == set(labels)


async def with_marked(keys: Keys, action: str) -> Bulk:
    await keys.me.press(key_for(Place.KEYS, action))
    await keys.me.until(lambda: keys.me.screen.query("BulkScreen #start"))
    await keys.me.settle()
    return Bulk(keys.me)


def offered(me: Operator, place: Place) -> set[str]:
    """Return the actions of a place that the footer offers."""
    bindings = (active.binding for active in me.screen.active_bindings.values())
    return {b.action for b in bindings if b.show} & {c.action for c in COMMANDS if c.place is place}


_LINES = {ord(sign): " " for sign in "●━─"}
SECRET_WAYS = {"clipboard", "write", "plain", "command"}
"""The actions that send the secret somewhere."""


class Rotate(Page):
    """Settings › API keys › Rotate."""

    async def shown(self) -> Rotate:
        await self.me.until(lambda: self.me.screen.query("RotateScreen Lanes"))
        await self.me.settle()
        return self

    @property
    def old(self) -> str:
        """What the predecessor's lane says, without its lines."""
        return self._lane("old")

    @property
    def new(self) -> str:
        """What the successor's lane says, without its lines."""
        return self._lane("new")

    def _lane(self, name: str) -> str:
        line = next(line for line in self.me.lines if line.startswith(f"  {name} "))
        return " ".join(line.translate(_LINES).split())

    @property
    def planned(self) -> str:
        """Change the successor, where the screen shows it."""
        place = self.me.screen.query_one("#plan").region
        lines = self.me.lines[place.y : place.bottom]
        return " ".join(" ".join(line[place.x : place.right] for line in lines).split())

    @property
    def offers(self) -> set[str]:
        """What the footer offers to do with the rotation."""
        return offered(self.me, Place.ROTATE) - SECRET_WAYS

    @property
    def secret(self) -> str:
        lines = self.me.lines
        top = next(row for row, line in enumerate(lines) if "╭" in line)
        _, _, rest = lines[top + 1].partition("│")
        return rest.partition("│")[0].strip()

    async def press(self, action: str) -> None:
        """Do an action; a secret that was sent nowhere is said to be stored once more."""
        await self.me.press(key_for(Place.ROTATE, action))
        if action == "stored" and "Have you stored the secret?" in self.says:
            await self.me.press("y")

    async def try_to_create(self, password: str) -> None:
        await self.fill("password", password)
        await self.me.press("enter")

    async def create(self, node: Node) -> None:
        """Create the successor, and wait until it was verified."""
        await self.try_to_create(node.password)
        await self.me.until("The server accepts the key.")
        await self.idle()

    async def store(self) -> None:
        await self.idle()  # one step at a time
        await self.press("stored")
        await self.me.until("Put the new secret to use")

    async def rotate(self, node: Node) -> None:
        """Everything up to where the predecessor is decided on."""
        await self.create(node)
        await self.store()

    async def replace(self) -> None:
        """Have the successor deleted, to make another."""
        await self.press("replace")
        dialog = await Dialog(self.me).shown("Replace the successor?")
        await dialog.press_button("Delete successor")
        await self.shown()
        await self.idle()

    async def idle(self) -> None:
        """Wait until no step is under way."""
        await self.me.until(
            lambda: not any(worker.group == "write" for worker in self.me.app.workers)
        )
        await self.me.settle()

    async def leave(self) -> Keys:
        await self.idle()
        await self.press("close")
        return await Keys(self.me).shown()


_SIGNS: dict[str, str] = {
    "ahead": "·",
    "working": "⋯",
    "done": "✓",
    "failed": "✗",
    "unknown": "?",
    "left out": "\N{EN DASH}",
    "none": "",
}


class Bulk(Page):
    """A plan for many keys, and its run."""

    @property
    def table(self) -> RunTable:
        return self.me.screen.query_one(RunTable)

    @property
    def states(self) -> dict[str, str]:
        """What the table says of each key by its label: the signs of its steps, then the words."""
        return {key.label: self._state(key.id) for key in self.table.keys}

    def _state(self, key_id: str) -> str:
        row = self.table.row_of(key_id)
        signs = "".join(_SIGNS.get(step, f" {step}") for step in row.steps)
        return f"{signs} {row.words}".strip()

    @property
    def offers(self) -> set[str]:
        """What the footer offers to do with the run."""
        return offered(self.me, Place.RUN)

    def button(self, name: str) -> Button:
        return self.me.screen.query_one(f"#{name}", Button)

    async def press(self, action: str) -> None:
        await self.me.press(key_for(Place.RUN, action))

    async def begin(self, **fields: str) -> None:
        for name, text in fields.items():
            await self.fill(name, text)
        await self.me.press("enter")
        await self.me.until(
            lambda: not any(worker.group == "start" for worker in self.me.app.workers)
        )

    async def over(self, progress: str) -> None:
        """Wait for the run's end, with this text beside the bar."""
        await self.me.until(progress)
        await self.idle()

    async def idle(self) -> None:
        await self.me.until(
            lambda: not any(worker.group == "write" for worker in self.me.app.workers)
        )
        await self.me.settle()

    async def point_at(self, label: str) -> None:
        for _ in range(10):
            if self.me.screen.focused is self.table:
                break
            await self.me.press("tab")
        await Keys(self.me).go_to(label)

    async def leave(self) -> Keys:
        await self.press("close")
        return await Keys(self.me).shown()

    async def confirm(self, title: str, button: str) -> None:
        await (await Dialog(self.me).shown(title)).press_button(button)


class Log(Page):
    """The journal."""

    @staticmethod
    async def open(keys: Keys) -> Log:
        await keys.me.press(key_for(Place.KEYS, "journal"))
        await keys.me.until("Settings › Journal")
        await keys.me.settle()
        return Log(keys.me)

    async def leave(self) -> Keys:
        await self.me.press(key_for(Place.JOURNAL, "close"))
        return await Keys(self.me).shown()


def held(secrets: Iterable[str]) -> list[str]:
    """Return what in this process still holds one of the secrets; the node keeps digests only."""
    wanted = tuple(secrets)
    shortest = min(map(len, wanted))
    gc.collect()
    holders: list[str] = []
    for thing in gc.get_objects():
        kind = type(thing)
        if kind is dict:
            texts = [v for v in thing.values() if type(v) is str and len(v) >= shortest]
        elif kind in _HOLDERS:
            texts = [_HOLDERS[kind](thing)]
        else:
            continue
        if any(secret in text for text in texts for secret in wanted):
            owners = {type(owner).__name__ for owner in gc.get_referrers(thing)}
            holders.append(f"{kind.__name__} in {sorted(owners)}")
    return holders


_HOLDERS: dict[type, Callable[[Any], str]] = {
    SecretStr: SecretStr.get_secret_value,
    Content: lambda content: content.plain,
    Strip: lambda strip: strip.text,
}


async def forgotten(me: Operator, *secrets: str) -> None:
    """Wait until nothing holds the secrets; a screen that was left is taken down a little later."""
    for _ in range(50):
        holders = held(secrets)
        if not holders:
            break
        await me.pilot.pause(0.05)
    assert holders == []
    assert not any(secret in descriptions(me) for secret in secrets)


def descriptions(me: Operator) -> str:
    return " ".join(f"{worker.name} {worker.description}" for worker in me.app.workers)
