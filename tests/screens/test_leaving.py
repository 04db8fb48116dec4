"""Signing out and leaving: the server hears of it, and nothing on the way can hold it up."""

from __future__ import annotations

import httpx
import pytest

from tests.driver import Dialog, Keys, Operator, at_keys, at_login, key_for
from tests.node import Node
from tui.bindings import Place

QUIT = key_for(Place.ANYWHERE, "leave")


def token_of(me: Operator) -> str:
    session = me.app._session
    assert session is not None
    assert session._token is not None
    return session._token.access.get_secret_value()


async def is_accepted(node: Node, token: str) -> bool:
    async with httpx.AsyncClient(base_url=node.url) as client:
        answer = await client.get("/api/v1/api-keys", headers={"Authorization": token})
    return answer.status_code == 200


async def left(me: Operator) -> None:
    await me.until(lambda: me.app._exit)
    assert me.app.return_code == 0


@pytest.mark.parametrize("key", ["q", QUIT, "ctrl+c"])
async def test_leaving_signs_out(node: Node, key: str) -> None:
    async with at_keys(node) as keys:
        token = token_of(keys.me)
        assert await is_accepted(node, token)
        await keys.me.press(key)
        await left(keys.me)
        assert not await is_accepted(node, token)
        assert node.seen("POST", "/api/v1/authenticate/logout") == 2, "access and refresh token"


async def test_signing_out_goes_back_to_an_empty_password(node: Node) -> None:
    async with at_login(node, password=None) as page:
        await page.fill("password", node.password)
        keys = await page.sign_in()
        token = token_of(keys.me)
        await keys.me.press(key_for(Place.KEYS, "sign_out"))
        await page.is_back()
        assert not await is_accepted(node, token)
        assert page.field("password").value == ""
        await page.fill("password", node.password)
        await page.sign_in()


async def test_a_dead_server_does_not_hold_up_leaving(node: Node) -> None:
    async with at_keys(node) as keys:
        node.stop()
        await keys.me.press(QUIT)
        await left(keys.me)


async def test_a_server_that_hangs_does_not_hold_up_leaving(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.app.FAREWELL", 0.2)
    async with at_keys(node) as keys:
        node.fail("POST", "/api/v1/authenticate/logout", "hang")
        await keys.me.press(QUIT)
        await left(keys.me)
        node.heal()


async def test_leaving_in_the_middle_of_signing_in(node: Node) -> None:
    node.fail("POST", "/api/v1/authenticate", "hang")
    async with at_login(node) as page:
        await page.submit()
        await node.until("POST", "/api/v1/authenticate")
        await page.me.press(QUIT)
        await left(page.me)
    node.heal()


@pytest.mark.parametrize("key", [QUIT, key_for(Place.KEYS, "sign_out")])
async def test_leaving_in_the_middle_of_reading_the_keys(node: Node, key: str) -> None:
    node.fail("GET", "/api/v1/api-keys", "hang")
    async with at_login(node) as page:
        await page.submit()
        await node.until("GET", "/api/v1/api-keys")
        await page.me.until("Reading the keys · Esc cancels")
        await page.me.press(key)
        if key == QUIT:
            await left(page.me)
        else:
            await page.is_back()
    node.heal()


async def test_leaving_with_a_draft_asks_first(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.new()
        await form.fill("label", "Half a thought")
        await keys.me.press(QUIT)
        dialog = await Dialog(keys.me).shown("Discard the draft?")
        await keys.me.press("enter")  # Go on editing has the focus
        await keys.me.gone("Discard the draft?")
        assert form.field("label").value == "Half a thought"
        await keys.me.press(QUIT, QUIT)  # the second one finds the question asked already
        dialog = await Dialog(keys.me).shown("Discard the draft?")
        await dialog.press_button("Discard")
        await left(keys.me)


async def test_help_shows_the_keys_of_the_place_first(node: Node) -> None:
    async with at_keys(node) as keys:
        for key in ("f1", "question_mark"):
            await keys.me.press(key)
            page = await Dialog(keys.me).shown("create a new API key")
            lines = page.me.text
            assert lines.index("API keys") < lines.index("create a new API key")
            assert "read the keys again" in lines
            await keys.me.press("j", "k", "f1")
            await keys.me.gone("create a new API key")
        await Keys(keys.me).shown()
