"""The list of keys: what it shows, in which order, and what stands there when it can't be read."""

from __future__ import annotations

import pytest

from tests.conftest import NodeMaker
from tests.driver import NARROW, NOW, WIDE, Dialog, Keys, at_keys, at_login, key_for
from tests.node import Node
from tui.ui.bindings import Place

RELOAD = key_for(Place.KEYS, "reload")
SEEDS = [
    "Old bounce importer",
    "Newsletter SMTP relay",
    "Billing mailer",
    "Support desk webhooks",
    "Partner portal",
    "Template designers",
    "Nightly metrics export",
    "Deliverability watch",
]


@pytest.fixture
def node(node_with: NodeMaker) -> Node:
    return node_with(now=lambda: NOW)


async def test_list_and_details_on_a_narrow_screen(node: Node) -> None:
    async with at_keys(node, NARROW) as keys:
        assert keys.labels == SEEDS, "in the server's own order"
        header = keys.me.line_with("Permissions")
        assert header.split() == ["Key", "Permissions", "From", "Age"]
        assert keys.counts == "8 keys 4 due ! 2 send from anywhere !"
        assert keys.cursor_line.startswith("Old bounce importer")
        await keys.go_to("Newsletter SMTP relay")
        assert keys.cursor_line.split("  ")[0] == "Newsletter SMTP relay"
        await keys.me.press("enter")
        detail = await Dialog(keys.me).shown("Settings › API keys › Details")
        for fact in ("Send via SMTP", "192.0.2.25", "10.8.0.0/16", "ops", "2 years ago"):
            assert fact in detail.says
        await keys.me.press("escape")
        await keys.shown()
        assert keys.cursor_line.startswith("Newsletter SMTP relay")
        await keys.me.press("enter", "e")
        await keys.me.until("Edit API Key")


async def test_list_and_details_side_by_side_on_a_wide_screen(node: Node) -> None:
    async with at_keys(node, WIDE) as keys:
        await keys.go_to("Partner portal")
        assert "Subaccount" in keys.me.line_with("Permissions"), "where keys of any are listed"
        assert "101" in keys.cursor_line
        await keys.me.press("enter")
        await keys.me.until("Edit API Key")


async def test_sorting_keeps_the_cursor_on_its_key(node: Node) -> None:
    async with at_keys(node) as keys:
        await keys.go_to("Billing mailer")
        await keys.me.press("1")
        assert keys.labels == sorted(SEEDS)
        assert keys.cursor_line.startswith("Billing mailer")
        assert "Key ▲" in keys.says
        await keys.me.press("1")
        assert keys.labels == sorted(SEEDS, reverse=True)
        await keys.me.press("4", "4")
        assert keys.labels == SEEDS[::-1], "the newest first"
        await keys.me.press("2")
        assert keys.labels[0] in {"Newsletter SMTP relay", "Nightly metrics export"}
        for column in "3567":
            before = keys.labels
            await keys.me.press(column)
            assert sorted(keys.labels) == sorted(before)
        assert keys.cursor_line.startswith("Billing mailer")


async def test_reading_again_keeps_the_cursor_on_its_key(node: Node) -> None:
    async with at_keys(node) as keys:
        await keys.me.press("1")
        await keys.go_to("Partner portal")
        node.add_key("AAA comes first")
        gone = node.keys()[node.labels().index("Billing mailer")]
        node.store.delete_key(gone.id)
        node.add_key("AAB comes second")
        await keys.me.press(RELOAD)
        await keys.me.until("9 keys")
        assert keys.cursor_line.startswith("Partner portal")
        assert "Billing mailer" not in keys.labels


async def test_no_keys_yet(node_with: NodeMaker) -> None:
    node = node_with(seeds=False)
    async with at_keys(node) as keys:
        assert "No API keys yet. Press n to create the first one." in keys.says
        assert " e Edit" not in keys.me.footer
        await keys.me.press("e", "d", "enter")
        assert "No API keys yet." in keys.says
        node.add_key("The first")
        await keys.me.press(RELOAD)
        await keys.me.until("The first")
        await keys.me.press("j", "e")
        await keys.me.until("Edit API Key")


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
async def test_a_list_that_cannot_be_read(node: Node, size: tuple[int, int]) -> None:
    node.fail("GET", "/api/v1/api-keys", "503-html", 3)
    async with at_login(node, size) as page:
        await page.submit()
        await page.me.until("The server failed with status 503")
        assert "openresty" not in page.says
        dialog = Dialog(page.me)
        await dialog.press_button("Show error details")
        await dialog.shown("status: 503")
        await dialog.cancel()
        await dialog.press_button("Try again")
        await Keys(page.me).shown()


async def test_a_list_in_part_is_told_as_long_as_it_is_one(node: Node) -> None:
    async with at_keys(node) as keys:
        node.fail("GET", "/api/v1/api-keys", "in-part")
        await keys.me.press(RELOAD)
        await keys.me.until("The server lists only part of its keys.")
        assert keys.table.count == 7
        await keys.me.press(RELOAD)
        await keys.me.gone("The server lists only part of its keys.")
        assert keys.labels == SEEDS


async def test_a_server_that_goes_away_and_comes_back(node: Node) -> None:
    async with at_keys(node) as keys:
        await keys.go_to("Billing mailer")
        node.stop()
        await keys.me.press(RELOAD)
        await keys.me.until("refused the connection")
        assert keys.labels == SEEDS, "what was read is still there"
        await keys.me.press(key_for(Place.KEYS, "details"))
        await (await Dialog(keys.me).shown("stage:")).cancel()
        await keys.me.press("x")
        await keys.me.gone("refused the connection")
        node.start_again()
        await keys.me.press(RELOAD)
        await keys.me.settle()
        assert keys.cursor_line.startswith("Billing mailer")


async def test_a_load_that_hangs_is_stopped_by_esc(node: Node) -> None:
    node.fail("GET", "/api/v1/api-keys", "hang")
    async with at_login(node) as page:
        await page.submit()
        await page.me.until("Reading the keys · Esc cancels")
        await page.me.press("escape")
        await page.me.until("Reading the keys was cancelled.")
        node.heal()
        await page.me.press("enter")  # Try again has the focus
        await Keys(page.me).shown()


async def test_an_old_server_tells_little_and_that_is_enough(node_with: NodeMaker) -> None:
    async with at_keys(node_with(edition="momentum-4.1"), WIDE) as keys:
        assert keys.labels == SEEDS
        header = keys.me.line_with("Permissions")
        assert "Owner" not in header
        assert "From" not in header
        assert "Age" not in header
        assert keys.counts.startswith("8 keys ▏")
        for column in "1234567":
            await keys.me.press(column)
        assert keys.table.count == 8
        assert "any address" in keys.says
        form = await keys.edit("Billing mailer")
        await form.fill("label", "Billing mailer 2")
        await form.save()
        await keys.me.until("API key Billing mailer 2 was updated.")


async def test_an_access_token_that_ends_is_renewed_without_a_word(node: Node) -> None:
    async with at_keys(node) as keys:
        node.expire_sessions()
        node.add_key("Made meanwhile")
        await keys.me.press(RELOAD)
        await keys.me.until("9 keys")
        assert "session" not in keys.says


async def test_a_session_that_ends_asks_for_the_password_on_top(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.edit("Nightly metrics export")
        await form.fill("label", "Hourly metrics export")
        node.end_sessions()
        await form.save()
        dialog = await Dialog(keys.me).shown("Your session has ended")
        await dialog.answer("wrong")
        await keys.me.until("User credentials are invalid.")
        await dialog.answer(node.password)
        await keys.me.until("was updated.")
        assert "Hourly metrics export" in node.labels()
        node.end_sessions()
        await keys.me.press(RELOAD)
        await (await Dialog(keys.me).shown("to go on where you are.")).cancel()
        await keys.me.until("Try again to do so.")
        await keys.me.press(RELOAD)
        await (await Dialog(keys.me).shown("to go on where you are.")).answer(node.password)
        await keys.me.gone("to go on where you are.")
