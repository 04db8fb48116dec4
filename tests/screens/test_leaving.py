"""Signing out and leaving: the server hears of it, and nothing on the way can hold it up."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import httpx
import pytest
from textual.screen import Screen
from textual.worker import Worker

from tests.conftest import NodeMaker
from tests.driver import Dialog, Keys, Login, Operator, at_keys, at_login, key_for
from tests.node import How, Node
from tui.api.session import Session
from tui.ui.bindings import Place
from tui.ui.screens.keys import KeysScreen
from tui.ui.screens.login import LoginScreen, SignInDefaults

LOGOUT = "/api/v1/authenticate/logout"
QUIT = key_for(Place.ANYWHERE, "leave")


def token_of(me: Operator) -> str:
    session = me.app._session
    assert session is not None
    assert session._token is not None
    return session._token.access.get_secret_value()


async def is_accepted(node: Node, token: str) -> bool:
    async with httpx.AsyncClient(base_url=node.url, timeout=60) as client:
        answer = await client.get("/api/v1/api-keys", headers={"Authorization": token})
    return answer.status_code == 200


def screens(me: Operator) -> list[type[Screen[Any]]]:
    """Tell what is on the screen and beneath, without Textual's own base."""
    return [type(screen) for screen in me.app.screen_stack]


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
        assert node.seen("POST", LOGOUT) == 2, "access and refresh token"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the host is, the server confirms a sign-out in time."""
    monkeypatch.setattr("tui.ui.app.LEAVE_SECONDS", 60)


@pytest.mark.usefixtures("patient")
async def test_signing_out_goes_back_to_an_empty_password(node: Node) -> None:
    async with at_login(node, password=None) as page:
        await page.fill("password", node.password)
        keys = await page.sign_in()
        token = token_of(keys.me)
        await keys.me.press(key_for(Place.KEYS, "sign_out"))
        await page.is_back()
        await node.until("POST", LOGOUT, 2)
        assert not await is_accepted(node, token)
        assert page.field("password").value == ""
        await page.me.until(f"Signed out of {node.url.removeprefix('http://')}.")
        await page.fill("password", node.password)
        await page.sign_in()
        await page.me.press(QUIT)
        await left(page.me)
        assert await page.me.app.see_out() == ""


@pytest.mark.usefixtures("patient")
async def test_signing_out_leaves_nothing_to_use_however_slow_the_server(node: Node) -> None:
    async with at_keys(node) as keys:
        node.fail("POST", LOGOUT, "hang")
        await keys.me.press(key_for(Place.KEYS, "sign_out"), key_for(Place.KEYS, "new"))
        await Login(keys.me).is_back()
        assert screens(keys.me) == [LoginScreen]
        await node.until("POST", LOGOUT)
        await keys.me.press(QUIT)
        assert not keys.me.app._exit, "the server has not heard of it yet"
        node.release()
        await left(keys.me)
        assert node.seen("POST", LOGOUT) == 2


@pytest.mark.usefixtures("patient", "repeats_at_once")
@pytest.mark.parametrize("fault", ["500", "before"])
async def test_a_sign_out_that_the_server_did_not_confirm_is_told(node: Node, fault: How) -> None:
    async with at_keys(node) as keys:
        node.fail("POST", LOGOUT, fault, 9)
        await keys.me.press(key_for(Place.KEYS, "sign_out"))
        page = Login(keys.me)
        await page.is_back()
        await page.refused("The sign-out was not confirmed")
        assert "may accept the session's token until that expires." in page.says
        node.heal()
        await page.fill("password", node.password)
        keys = await page.sign_in()
        await keys.me.press(QUIT)
        await left(keys.me)
        assert (await keys.me.app.see_out()).startswith("The sign-out was not confirmed. 127.0.0.1")


@pytest.mark.usefixtures("patient")
async def test_a_sign_out_that_is_confirmed_late_says_nothing_any_more(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmed = asyncio.Event()

    async def confirmed_late(_: Session) -> bool:
        return await confirmed.wait()

    monkeypatch.setattr(Session, "sign_out", confirmed_late)
    async with at_keys(node) as keys:
        me, page = keys.me, Login(keys.me)
        await me.press(key_for(Place.KEYS, "sign_out"))
        await page.is_back()
        node.fail("POST", "/api/v1/authenticate", "hang")
        await page.fill("password", node.password)
        await page.submit()
        await me.until("Signing in · Esc cancels")
        confirmed.set()
        await me.until(lambda: not [w for w in me.app.workers if w.group == "sign out"])
        await me.settle()
        assert "Signing in · Esc cancels" in page.says
        node.release()
        keys = await Keys(me).shown()
        await me.press(QUIT)
        await left(me)


@pytest.mark.usefixtures("patient")
async def test_a_session_that_had_ended_is_signed_out(node: Node) -> None:
    async with at_keys(node) as keys:
        node.expire_sessions()
        await keys.me.press(key_for(Place.KEYS, "sign_out"))
        await keys.me.until("Signed out of 127.0.0.1")


async def test_where_authentication_is_off_there_is_nothing_to_sign_out_of(
    node_with: NodeMaker,
) -> None:
    async with at_login(SignInDefaults(url=node_with(auth=False).url)) as page:
        await page.submit()
        dialog = await Dialog(page.me).shown("Authentication is switched off")
        await dialog.press_button("Go on")
        keys = await Keys(page.me).shown()
        await keys.me.press(key_for(Place.KEYS, "sign_out"))
        await page.is_back()
        await keys.me.until(lambda: not list(keys.me.app.workers))
        await keys.me.settle()
        assert "Signed out" not in page.says


async def test_what_was_opened_while_signing_in_leaves_no_form_behind(node: Node) -> None:
    node.fail("POST", "/api/v1/authenticate", "hang")
    async with at_login(node) as page:
        await page.submit()
        await node.until("POST", "/api/v1/authenticate")
        await page.me.press("f1")
        await Dialog(page.me).shown("stop signing in")
        node.release()
        await Keys(page.me).shown()
        assert screens(page.me) == [KeysScreen]


async def test_a_signal_signs_out_only_after_a_write(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.ui.app.FORCED_LEAVE_SECONDS", 10)
    signed_out_during = list[list[Worker[Any]]]()
    sign_out = Session.sign_out

    async def noted(session: Session) -> bool:
        workers = keys.me.app.workers
        signed_out_during.append([w for w in workers if w.group == "write" and w.is_running])
        return await sign_out(session)

    monkeypatch.setattr(Session, "sign_out", noted)
    async with at_keys(node) as keys:
        form = await keys.new()
        await form.complete("In flight", node.password)
        node.fail("POST", "/api/v1/api-keys", "hang")
        await form.save()
        await node.until("POST", "/api/v1/api-keys")
        keys.me.app.end_at_once(signal.SIGTERM)
        await keys.me.settle()
        node.release()
        await keys.me.until(lambda: keys.me.app._exit)
        assert keys.me.app.return_code == 143
    assert signed_out_during == [[]]
    assert "In flight" in node.labels()


async def test_a_dead_server_does_not_hold_up_leaving(node: Node) -> None:
    async with at_keys(node) as keys:
        node.stop()
        await keys.me.press(QUIT)
        await left(keys.me)


async def test_a_server_that_hangs_does_not_hold_up_leaving(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.ui.app.LEAVE_SECONDS", 0.2)
    async with at_keys(node) as keys:
        node.fail("POST", LOGOUT, "hang")
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
            assert "rotate the key" in lines
            await keys.me.press("j", "k", "f1")
            await keys.me.gone("create a new API key")
        await Keys(keys.me).shown()
