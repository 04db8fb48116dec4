"""The journal, as the program itself keeps it and tells about it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pydantic import SecretStr
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tests.node import Node
from tui.app import KeysApp
from tui.journal import Journal
from tui.screens.key_form import CreateKeyScreen
from tui.screens.login import Known
from tui.screens.secret import SecretScreen
from tui.screens.settings import SettingsScreen
from tui.widgets.grant_list import GrantList
from tui.widgets.key_table import KeyTable


async def until(pilot: Pilot[None], seen: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not seen():
        assert time.monotonic() < deadline
        await pilot.pause(0.01)


async def sign_in(pilot: Pilot[None]) -> SettingsScreen:
    await until(pilot, lambda: pilot.app.screen.query("#password"))
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, SettingsScreen))
    settings = pilot.app.screen
    assert isinstance(settings, SettingsScreen)
    await until(pilot, lambda: settings.query_one(KeyTable).count)
    return settings


async def create(pilot: Pilot[None], node: Node) -> None:
    """Create a key, up to where its secret stands on the screen."""
    await pilot.press("n")
    await until(pilot, lambda: isinstance(pilot.app.screen, CreateKeyScreen))
    form = pilot.app.screen
    form.query_one("#label Input", Input).value = "One"
    form.query_one("#password Input", Input).value = node.password
    form.query_one(GrantList).give_all_or_none()
    form.query_one(GrantList).focus()
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, SecretScreen))


@asynccontextmanager
async def running(node: Node, journal: Journal) -> AsyncIterator[Pilot[None]]:
    """Run the program, and let go of its connections at the end."""
    filled = Known(url=node.url, username=node.username, password=SecretStr(node.password))
    app = KeysApp(filled, journal=journal)
    async with app.run_test() as pilot:
        yield pilot
    if app._session is not None:
        await app._session.close()


def notice(screen: SettingsScreen) -> str:
    told = screen.query_one(".top-bar--notice", Static)
    return str(told.content) if told.display else ""


async def test_that_the_operator_has_stored_a_secret_is_noted(node: Node, journal: Journal) -> None:
    async with running(node, journal) as pilot:
        settings = await sign_in(pilot)
        await create(pilot, node)
        assert [entry.phase for entry in journal.entries()] == ["done", "begun"]
        await pilot.press("s")
        await until(pilot, lambda: pilot.app.screen is settings)
        await until(pilot, lambda: journal.entries()[0].phase == "stored")
    assert journal.entries()[0].detail == "By the operator's own word."
    assert journal.unstored() == []


async def test_a_journal_that_cannot_be_written_is_told_for_as_long_as_that_is_so(
    node: Node, journal: Journal
) -> None:
    assert journal.path is not None
    journal.path.mkdir(parents=True)
    async with running(node, journal) as pilot:
        settings = await sign_in(pilot)
        assert "what you do is not being noted (is a directory)" in notice(settings)
        journal.path.rmdir()
        await create(pilot, node)
        await pilot.press("s")
        await until(pilot, lambda: pilot.app.screen is settings)
        await until(pilot, lambda: notice(settings) == "")
    phases = [entry.phase for entry in Journal(journal.path).entries()]
    assert phases == ["stored", "done", "begun"]
