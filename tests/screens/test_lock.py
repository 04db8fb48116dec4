"""After a time without keys the screen is locked; nothing behind it is lost, or seen."""

from __future__ import annotations

import pytest

from tests.conftest import NodeMaker
from tests.driver import Dialog, Keys, Operator, Page, Secret, at_keys, at_login, key_for
from tests.node import Node
from tui.ui.bindings import Place

KEYS = "/api/v1/api-keys"
SIGN_IN = "/api/v1/authenticate"


class Clock:
    """The clock by which the screen is locked."""

    seconds = 0.0


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has time stand still, but for what a test lets pass."""
    monkeypatch.setattr(Clock, "seconds", 0.0)
    monkeypatch.setattr("tui.ui.idle_lock.clock_in_sleep", lambda: Clock.seconds)
    monkeypatch.setattr("tui.waiting.clock_in_sleep", lambda: Clock.seconds)
    monkeypatch.setattr("tui.waiting.kernel_timer", lambda: None)
    monkeypatch.setattr("tui.waiting.LOOK_SECONDS", 0.02)


class Lock(Page):
    """The locked screen."""

    async def shown(self) -> Lock:
        await self.me.until("Locked")
        await self.me.settle()
        return self

    async def unlock(self, password: str) -> None:
        await self.fill("password", password)
        await self.me.press("enter")


async def locked(me: Operator) -> Lock:
    """Let a quarter of an hour pass without a key."""
    Clock.seconds += 15 * 60
    return await Lock(me).shown()


async def test_what_is_on_the_screen_is_hidden_and_not_lost(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.new()
        await form.fill("label", "Half a thought")
        lock = await locked(keys.me)
        assert "Half a thought" not in lock.says
        assert "Settings" not in lock.says
        await lock.unlock("wrong")
        await keys.me.until("It was not accepted.")
        await lock.unlock(node.password)
        await keys.me.until("Half a thought")
        assert form.field("label").value == "Half a thought"


async def test_a_secret_that_comes_while_it_is_locked_waits_behind_it(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.new()
        await form.complete("Slow", node.password)
        node.fail("POST", KEYS, "hang")
        await form.save()
        await node.until("POST", KEYS)
        lock = await locked(keys.me)
        node.release()
        await keys.me.until(lambda: "Slow" in node.labels())
        await keys.me.settle()
        await keys.me.until(lambda: keys.me.screen.query("#unlock"))
        assert "The API key was created" not in lock.says
        await lock.unlock(node.password)
        await keys.me.until("The API key was created")
        await Secret(keys.me).stored()
        await keys.me.until("API key Slow was created.")


@pytest.mark.parametrize("key", [key_for(Place.ANYWHERE, "leave"), "ctrl+c", "f1", "escape"])
async def test_nothing_else_can_be_done_while_it_is_locked(node: Node, key: str) -> None:
    async with at_keys(node) as keys:
        lock = await locked(keys.me)
        await keys.me.press(key)
        assert "Locked" in lock.says
        assert not keys.me.app._exit
        await lock.unlock(node.password)
        await Keys(keys.me).shown()


async def test_a_server_that_does_not_answer_keeps_it_locked(node: Node) -> None:
    async with at_keys(node) as keys:
        lock = await locked(keys.me)
        node.fail("POST", SIGN_IN, "500")
        await lock.unlock(node.password)
        await keys.me.until("It could not be checked.")
        await lock.unlock(node.password)
        await Keys(keys.me).shown()


async def test_who_came_with_a_token_is_asked_for_that(node_with: NodeMaker) -> None:
    node = node_with(account="single-sign-on")
    async with at_login(node, password=None) as page:
        await page.me.press(key_for(Place.LOGIN, "use_token"))
        dialog = await Dialog(page.me).shown("Paste the access token")
        await dialog.answer(node.access_token)
        await Keys(page.me).shown()
        lock = await locked(page.me)
        await lock.unlock("another")
        await page.me.until("It was not accepted.")
        await lock.unlock(node.access_token)
        await Keys(page.me).shown()
