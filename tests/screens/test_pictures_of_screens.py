"""What the screens look like, on an ordinary terminal and on a wide one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from pydantic import SecretStr
from rich.color import ColorSystem

from tests.conftest import NodeMaker
from tests.driver import (
    NARROW,
    NOW,
    WIDE,
    Dialog,
    Operator,
    Page,
    Secret,
    at_keys,
    at_login,
    key_for,
)
from tests.node import Node
from tests.pictures import NOTHING, is_kept, picture
from tui.ui.appearance import Appearance
from tui.ui.bindings import Place
from tui.ui.widgets import status
from tui.ui.widgets.key_footer import KeyFooter

MINTED = "7c1e94ab0d52f38866a1e07f4bd92c5510e83fa2"
"""The secret of whichever key is created."""

MAIL, BILLING, METRICS = "Newsletter SMTP relay", "Billing mailer", "Nightly metrics export"


def add(
    node: Node,
    label: str,
    grants: str,
    days: float,
    *,
    valid_ips: tuple[str, ...] = (),
    owner: str | None = None,
) -> None:
    """Add a key whose secret follows from its label."""
    node.add_key(
        label,
        tuple(grants.split()),
        valid_ips,
        owner,
        created_at=NOW - timedelta(days=days),
        secret=sha256(label.encode()).hexdigest()[:40],
    )


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing depends on the terminal, or on how long something takes."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(status, "QUIET_SECONDS", 60)


def quiet(node_with: NodeMaker, **options: Any) -> Node:  # noqa: ANN401  # as Node takes them
    """Start a node without keys, on which nothing differs from run to run."""
    return node_with(seeds=False, mint=lambda: MINTED, now=lambda: NOW, **options)


@pytest.fixture
def server(node_with: NodeMaker) -> Node:
    """A node with keys such as a mail platform has."""
    node = quiet(node_with)
    add(node, "Old bounce importer", "message_events/view webhooks/view", 1534, owner="casey")
    add(node, MAIL, "smtp/inject", 803, valid_ips=("192.0.2.25", "10.8.0.0/16"))
    add(node, BILLING, "transmissions/view transmissions/modify templates/view", 611)
    add(node, METRICS, "metrics/view", 463)
    add(node, "Support desk webhooks", "webhooks/view webhooks/modify", 402, owner="casey")
    add(node, "Password reset mails", "transmissions/modify", 287, valid_ips=("198.51.100.7",))
    designers = "templates/view templates/modify templates/preview"
    add(node, "Template designers", designers, 154, owner="casey")
    add(node, "Staging relay", "smtp/inject", 96, valid_ips=("203.0.113.0/24",))
    add(node, "Recipient list sync", "recipient_lists/manage", 63, owner="casey")
    add(node, "Deliverability watch", "metrics/view adaptive-delivery/view", 20)
    add(node, "Partner webhooks", "webhooks/view", 9, owner="casey")
    return node


async def take(page: Page, name: str, replace: Mapping[str, str] = NOTHING) -> None:
    """Take a picture once everything is drawn: the one that is kept, unless that never comes."""
    await page.me.settle()
    await page.me.until(lambda: page.me.lines[-1].split() == keys_of(page.me).split())
    seconds = 1 if os.environ.get("PICTURES") == "write" else 20
    with suppress(AssertionError):
        await page.me.until(lambda: is_kept(page.me.app, name, replace), seconds)
    picture(page.me.app, name, replace)


def keys_of(me: Operator) -> str:
    """Return what the footer is to say."""
    return me.screen.query_one(KeyFooter).render().plain


async def test_signing_in(server: Node) -> None:
    async with at_login(server, password=SecretStr("not the right one")) as page:
        await take(page, "login")
        await page.submit()
        await page.refused("The sign-in was not accepted")
        await page.is_back()
        await take(page, "login-refused")


async def test_a_second_factor(node_with: NodeMaker) -> None:
    async with at_login(quiet(node_with, account="two-factor")) as page:
        await page.submit()
        dialog = await Dialog(page.me).shown("Two-factor code")
        await dialog.fill("answer", "123456")
        await take(dialog, "two-factor")


async def test_the_keys(server: Node) -> None:
    async with at_keys(server) as keys:
        await keys.go_to(MAIL)
        await take(keys, "keys")
        await keys.me.press(key_for(Place.ANYWHERE, "help"))
        await keys.me.until("create a new API key")
        await take(keys, "help")
        await keys.me.press("escape")
        await keys.shown()
        await keys.me.press("enter")
        await keys.me.until("API keys › Details")
        await take(keys, "key-details")


async def test_the_keys_in_other_colours(server: Node) -> None:
    async with at_keys(server) as keys:
        await keys.go_to(MAIL)
        await keys.me.press("space", "up")
        keys.me.app.take_on(Appearance("light"))
        await take(keys, "keys-light")
        keys.me.app.take_on(Appearance("sixteen", ColorSystem.STANDARD))
        await take(keys, "keys-sixteen")
        await keys.me.press("a", "a")  # all are marked, then none
        dialog = await keys.delete(METRICS)
        await take(dialog, "delete-sixteen")


async def test_a_search(server: Node) -> None:
    async with at_keys(server) as keys:
        await keys.me.press(key_for(Place.KEYS, "find"))
        await keys.me.type("webhooks OR smtp* -partner")
        await keys.me.until("4 of 11 keys")
        await take(keys, "search")


async def test_the_palette(server: Node) -> None:
    async with at_keys(server) as keys:
        await keys.go_to(MAIL)
        await keys.me.press(key_for(Place.ANYWHERE, "palette"))
        await keys.me.until("Enter runs it")
        await keys.me.settle()
        picture(keys.me.app, "palette")
        await keys.me.type("web")
        await keys.me.until("Partner webhooks")
        picture(keys.me.app, "palette-key")


async def test_grants_side_by_side(server: Node) -> None:
    async with at_keys(server) as keys:
        for label in (BILLING, METRICS, "Deliverability watch"):
            await keys.go_to(label)
            await keys.me.press(key_for(Place.KEYS, "mark"))
        await keys.me.press(key_for(Place.KEYS, "compare"))
        await keys.me.until("Not the same")
        await take(keys, "compare")


async def test_the_keys_on_a_wide_terminal(server: Node) -> None:
    async with at_keys(server, size=WIDE) as keys:
        await keys.go_to(BILLING)
        await take(keys, "keys-wide")
        await keys.me.press(key_for(Place.ANYWHERE, "help"))
        await keys.me.until("Enter runs it")
        await take(keys, "help-wide")


async def test_the_manual(server: Node) -> None:
    async with at_keys(server) as keys:
        await keys.me.press(key_for(Place.ANYWHERE, "manual"), *["down"] * 8, "enter")
        await keys.me.until("Rotate a key")
        await take(keys, "manual")


async def test_a_server_without_keys(node_with: NodeMaker) -> None:
    async with at_keys(quiet(node_with)) as keys:
        await take(keys, "keys-empty")


@pytest.mark.usefixtures("repeats_at_once")
async def test_a_server_that_fails(server: Node) -> None:
    server.fail("GET", "/api/v1/api-keys", "503-html", 3)
    async with at_login(server) as page:
        await page.submit()
        await page.me.until("Try again")
        await take(page, "keys-failed")


async def test_a_server_that_is_gone(server: Node) -> None:
    async with at_keys(server) as keys:
        server.stop()
        await keys.me.press(key_for(Place.KEYS, "reload"))
        await keys.me.until("refused the connection")
        await take(keys, "keys-offline", {f"port {server.port}": "port 43210"})


async def test_a_key_is_changed_and_one_is_made(server: Node) -> None:
    async with at_keys(server) as keys:
        form = await keys.edit(BILLING)
        await form.give("View Metrics")
        await take(form, "edit")
        await form.save()
        form = await (await keys.shown()).new()
        await form.fill("ips", "192.0.2.25, 10.8.0.0/16")
        await form.complete("Order confirmations", server.password, "Send via SMTP")
        await take(form, "create")
        await keys.me.pilot.resize_terminal(*WIDE)
        await take(form, "create-wide")
        await keys.me.pilot.resize_terminal(*NARROW)
        await form.save()
        secret = await Secret(form.me).shown()
        assert secret.secret == MINTED
        await take(secret, "secret")
        await keys.me.pilot.resize_terminal(*WIDE)
        await take(secret, "secret-wide")
        await keys.me.pilot.resize_terminal(*NARROW)
        await secret.me.press(key_for(Place.SECRET, "close"))
        dialog = await Dialog(secret.me).shown("Have you stored the secret?")
        await take(dialog, "secret-leave")
        await dialog.press_button("I have stored it")
        await keys.me.until("was created")
        await take(keys, "messages")


async def test_a_form_that_is_not_complete(server: Node) -> None:
    async with at_keys(server) as keys:
        form = await keys.new()
        await form.fill("label", MAIL)
        await form.fill("password", server.password)
        await form.fill("ips", "192.0.2.256")
        await form.save()
        await form.says_beside("ips", "192.0.2.256")
        await take(form, "create-refused")


async def test_deleting(server: Node) -> None:
    async with at_keys(server) as keys:
        dialog = await keys.delete(METRICS)
        await take(dialog, "delete")
        await dialog.me.press("escape")
        dialog = await keys.delete(MAIL)
        await dialog.fill("typed", "Newsletter")
        await dialog.me.press("enter")
        await dialog.me.until(f"That is something else than {MAIL}.")
        await take(dialog, "delete-sending")


async def test_a_session_that_has_ended(server: Node) -> None:
    async with at_keys(server) as keys:
        form = await keys.edit(BILLING)
        await form.give("View Metrics")
        server.end_sessions()
        await form.save()
        dialog = await Dialog(form.me).shown("Your session has ended")
        await take(dialog, "session-ended")
        await dialog.cancel()


async def test_a_server_that_asks_nobody(node_with: NodeMaker) -> None:
    node = quiet(node_with, auth=False)
    add(node, METRICS, "metrics/view", 463)
    add(node, MAIL, "smtp/inject", 803, valid_ips=("192.0.2.25", "10.8.0.0/16"))
    async with at_login(node) as page:
        await page.submit()
        dialog = await Dialog(page.me).shown("Authentication is switched off")
        await dialog.press_button("Go on")
        await page.me.until(METRICS)
        await take(page, "no-auth")
