"""Verifying a key with its secret: what it may do, and why more can't be told."""

from __future__ import annotations

import pytest

from tests.conftest import NodeMaker
from tests.driver import Dialog, Keys, key_for
from tests.node import Node
from tests.screens.rotation_pages import begin_rotating, forgotten, mint, signed_in
from tui.ui.bindings import Place


@pytest.fixture
def node(node_with: NodeMaker) -> Node:
    return node_with(mint=mint)


async def verify(keys: Keys, label: str, secret: str) -> Dialog:
    await keys.go_to(label)
    await keys.me.press(key_for(Place.KEYS, "verify"))
    dialog = await Dialog(keys.me).shown("The server does not show a secret again")
    await dialog.fill("answer", secret)
    assert secret not in dialog.says
    await keys.me.press("enter")
    return await dialog.shown("Nothing is changed to prove a grant.")


async def test_what_a_key_may_do(node: Node) -> None:
    grants = ("metrics/view", "templates/modify", "smtp/inject", "made/up")
    _, secret = node.add_key("Everything", grants)
    before = node.keys()
    async with signed_in(node) as keys:
        dialog = await verify(keys, "Everything", secret)
        await keys.me.until("The server accepts the key.")
        await keys.me.until("View Metrics: granted")
        await keys.me.until("Modify Templates: granted")
        assert "by reading only" in keys.me.line_with("Modify Templates: granted")
        assert "Send via SMTP: can't be shown" in dialog.says
        assert "made/up: can't be shown" in dialog.says
        await dialog.cancel()
        await keys.shown()
        assert node.keys() == before
        await forgotten(keys.me, secret)


async def test_how_a_grant_was_shown_stands_indented_where_the_line_is_full(node: Node) -> None:
    node.add_key("Everything", ("metrics/view", "templates/modify"), ("127.0.0.0/8",))
    async with signed_in(node, (110, 30)) as keys:
        rotate = await begin_rotating(keys, "Everything")
        await rotate.create(node)
        await keys.me.until("Modify Templates: granted")
        edge = keys.me.line_with("Modify Templates: granted").index("✓ Modify")
        assert keys.me.line_with("by reading only")[edge:] == "    by reading only"
        await keys.me.pilot.resize_terminal(80, 30)
        await keys.me.until(lambda: "by reading only" in keys.me.line_with("Modify Templates: gra"))


async def test_a_grant_that_is_refused_and_no_answer(node: Node) -> None:
    key_id, secret = node.add_key("Less", ("metrics/view", "webhooks/view"))
    async with signed_in(node) as keys:
        node.store.change_key(key_id, label="Less", grants=("metrics/view",), valid_ips=())
        node.fail("GET", "/api/v1/metrics", "503-html")
        dialog = await verify(keys, "Less", secret)
        await keys.me.until("View Webhooks: refused")
        await keys.me.until("View Metrics: no answer")
        assert "<" not in dialog.says
        await dialog.cancel()


@pytest.mark.usefixtures("verifies_once")
async def test_a_key_that_is_not_accepted(node: Node) -> None:
    _, secret = node.add_key("Far away", ("metrics/view",), ("192.0.2.25",))
    async with signed_in(node) as keys:
        dialog = await verify(keys, "Far away", secret)
        await keys.me.until("The server does not accept the key.")
        assert "The key works only from 192.0.2.25" in dialog.says
        await dialog.cancel()


async def test_patience_and_giving_it_up(node: Node) -> None:
    listed = node.keys()
    (key,) = [key for key in listed if key.label == "Nightly metrics export"]
    secret = key.short_key.ljust(40, "0")
    async with signed_in(node) as keys:
        await keys.go_to(key.label)
        await keys.me.press(key_for(Place.KEYS, "verify"))
        await (await Dialog(keys.me).shown("The server does not show")).answer("not" + secret)
        await keys.me.until("This is another key's secret")
        dialog = await verify(keys, "Nightly metrics export", secret)
        await keys.me.until("The server does not accept the key yet; asking again")
        await dialog.cancel()
        await keys.shown()
        await forgotten(keys.me, secret)
