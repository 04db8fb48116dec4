"""Pausing keys at the keyboard, and resuming them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.conftest import NodeMaker
from tests.driver import NARROW, WIDE, Dialog, Keys, key_for
from tests.node import Node
from tests.screens.rotation_pages import (
    API,
    LABEL,
    Log,
    begin_rotating,
    mint,
    select,
    signed_in,
    with_marked,
)
from tui.keys.paused_mark import PAUSED_IPS
from tui.sandbox.store import StoredKey
from tui.ui.bindings import Place

PAUSE = key_for(Place.KEYS, "pause")
RELAY = "Newsletter SMTP relay"
PAUSED_RELAY = f"{RELAY} (paused 2026-01-15, from 192.0.2.25 10.8.0.0/16)"


@pytest.fixture
def node(node_with: NodeMaker) -> Node:
    return node_with(mint=mint)


def named(node: Node, label: str) -> StoredKey:
    listed = node.keys()
    return next(key for key in listed if key.label == label)


async def pause(keys: Keys, label: str) -> None:
    await keys.go_to(label)
    await keys.me.press(PAUSE)
    dialog = await Dialog(keys.me).shown(f"Pause API Key: {label}")
    await dialog.press_button("Pause API Key")
    await keys.me.until("is paused: z resumes it.")
    await keys.shown()


async def resume(keys: Keys) -> None:
    await keys.me.press(PAUSE)
    dialog = await Dialog(keys.me).shown("Resume API Key: ")
    await dialog.press_button("Resume API Key")
    await keys.me.until("works again.")
    await keys.shown()


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
async def test_a_key_is_paused_and_resumed(
    node: Node, tmp_path: Path, size: tuple[int, int]
) -> None:
    before = node.keys()
    async with signed_in(node, size, journal=tmp_path / "journal.jsonl") as keys:
        await keys.go_to(RELAY)
        await keys.me.press(PAUSE)
        dialog = await Dialog(keys.me).shown("Pause API Key:")
        assert "It sends mail: what uses it stops." in dialog.says
        await dialog.cancel()
        await keys.shown()
        assert node.seen("PUT", API) == 0
        await pause(keys, RELAY)
        assert "paused since 15 Jan" in keys.cursor_line
        assert RELAY in keys.cursor_line
        assert "(paused" not in keys.says, "the mark is for other hosts"
        assert named(node, PAUSED_RELAY).valid_ips == PAUSED_IPS
        log = await Log.open(keys)
        assert any("pause" in line and RELAY in line for line in log.me.lines)
        await log.leave()
    async with signed_in(node, size) as keys:  # another host: nothing but the label tells
        await keys.go_to(PAUSED_RELAY)
        assert "paused since 15 Jan" in keys.cursor_line
        if size == WIDE:
            assert "none: paused since 2026-01-15" in keys.says
            assert "before: 192.0.2.25, 10.8.0.0/16" in keys.says
        await keys.me.press(PAUSE)
        dialog = await Dialog(keys.me).shown("Resume API Key: ")
        assert "It will work only from 192.0.2.25, 10.8.0.0/16, as before." in dialog.says
        await dialog.cancel()
        await keys.shown()
        await resume(keys)
        assert "paused" not in keys.cursor_line
    assert node.keys() == before


async def test_the_gate_refuses_a_paused_key_and_verifying_says_why(node: Node) -> None:
    _, secret = node.add_key("Weekly report")

    def status() -> int:
        with httpx.Client(trust_env=False, timeout=60) as client:
            header = {"Authorization": secret}
            return client.get(f"{node.url}/api/v1/metrics/", headers=header).status_code

    async with signed_in(node, WIDE) as keys:
        assert status() == 200
        await pause(keys, "Weekly report")
        assert status() == 401
        await keys.me.press(key_for(Place.KEYS, "verify"))
        dialog = await Dialog(keys.me).shown("Verify Weekly report")
        await dialog.answer(secret)
        await keys.me.until("The key is paused: it works from no address until it is resumed")
        await keys.me.press("escape")
        await keys.shown()
        await resume(keys)
        assert status() == 200


async def test_where_addresses_are_not_told_it_says_why_nothing_is_paused(
    node_with: NodeMaker,
) -> None:
    node = node_with(edition="momentum-4.1")
    async with signed_in(node) as keys:
        await keys.go_to(LABEL)
        await keys.me.press(PAUSE)
        await keys.me.until("This key can't be paused. This server does not return")
        assert node.seen("PUT", API) == 0


async def test_a_key_that_somebody_changed_meanwhile_is_shown_first(node: Node) -> None:
    key = named(node, LABEL)
    async with signed_in(node) as keys:
        await keys.go_to(LABEL)
        node.store.change_key(key.id, LABEL, key.grants, ("192.0.2.9",))
        await keys.me.press(PAUSE)
        dialog = await Dialog(keys.me).shown("Pause API Key:")
        await dialog.press_button("Pause API Key")
        await keys.me.until("Somebody else has changed this key since it was shown")
        await keys.shown()
        await pause(keys, LABEL)
        await resume(keys)
    assert named(node, LABEL).valid_ips == ("192.0.2.9",)


async def test_what_a_rotation_replaces_is_paused_before_it_is_deleted(node: Node) -> None:
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        await rotate.rotate(node)
        assert "pause" in rotate.offers
        await rotate.press("pause")
        await keys.me.until("The predecessor is paused: whatever still uses it is refused.")
        await rotate.idle()
        assert "paused" in rotate.old
        assert "▸ put to use" in rotate.new
        await rotate.press("pause")
        await keys.me.until("Both keys work.")
        await rotate.idle()
        await rotate.press("pause")
        await keys.me.until("The predecessor is paused")
        await rotate.leave()
        assert "its predecessor is paused. z on it resumes it, f deletes it." in keys.says
        assert "paused since 15 Jan" in keys.cursor_line
        await keys.me.press(key_for(Place.KEYS, "finish"))
        await keys.me.until("The predecessor is paused")
        await rotate.press("finish")
        await keys.me.until("Rotated: only the successor works now.")
        await rotate.leave()
    listed = node.keys()
    assert [key.valid_ips for key in listed if key.label.startswith(LABEL)] == [()]


async def test_many_keys_are_paused_and_resumed_with_one_confirmation_each(node: Node) -> None:
    before = node.keys()
    async with signed_in(node) as keys:
        await select(keys, LABEL, RELAY)
        bulk = await with_marked(keys, "pause")
        assert "Pause 2 API keys" in bulk.says
        assert "2 keys will be refused by the server until z resumes them." in bulk.says
        assert "1 of them can send mail" in bulk.says
        await bulk.press("start")
        await bulk.over("2 of 2")
        await bulk.leave()
        assert "2 of 2 keys paused." in keys.says
        assert keys.says.count("paused since 15 Jan") == 2
        paused = [key.label for key in keys.table.keys if "(paused" in key.label]
        await select(keys, *paused, "Billing mailer")
        bulk = await with_marked(keys, "pause")
        assert "1 key will be refused" in bulk.says
        assert "2 left out." in bulk.says
        assert sorted(bulk.states.values()) == ["·", *["\N{EN DASH} paused already"] * 2]
        await bulk.leave()
        await keys.go_to("Billing mailer")
        await keys.me.press("space")
        bulk = await with_marked(keys, "pause")
        assert "Resume 2 API keys" in bulk.says
        await bulk.press("start")
        await bulk.over("2 of 2")
        await bulk.leave()
        assert "2 of 2 keys resumed." in keys.says
    assert node.keys() == before
