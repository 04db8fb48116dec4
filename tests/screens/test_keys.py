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
        for fact in ("Send via SMTP", "192.0.2.25", "10.8.0.0/16", "Owner ops", "2 y !"):
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


@pytest.mark.usefixtures("repeats_at_once")
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
        assert keys.counts == "8 keys"
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
        await keys.me.until("Try again to sign in.")
        await keys.me.press(RELOAD)
        await (await Dialog(keys.me).shown("to go on where you are.")).answer(node.password)
        await keys.me.gone("to go on where you are.")


async def test_each_count_shows_its_keys_alone(node: Node) -> None:
    due = ["Old bounce importer", "Newsletter SMTP relay", "Billing mailer"]
    due.append("Support desk webhooks")
    async with at_keys(node) as keys:
        await keys.me.until(lambda: "due" in keys.counts)  # counted in a thread
        assert "→" not in keys.counts
        await keys.me.press("!")
        assert keys.labels == due
        assert keys.counts == "4 of 8 keys ▸4 due ! 2 send from anywhere !"
        await keys.me.press("/", *"relay", "enter")
        assert keys.labels == ["Newsletter SMTP relay"], "a search goes on in them"
        assert keys.counts.startswith("1 of 8 keys ▸4 due !")
        await keys.me.press("escape")
        assert keys.labels == due
        await keys.me.press("!")
        assert keys.labels == ["Billing mailer", "Partner portal"]
        await keys.me.press(RELOAD)
        await keys.shown()
        await keys.me.until(lambda: keys.labels == ["Billing mailer", "Partner portal"])
        await keys.me.press("!")
        assert keys.labels == SEEDS, "after the last count all"
        await keys.me.click("due !")
        assert keys.labels == due
        await keys.me.press("space", "escape")
        assert keys.labels == SEEDS, "the first Esc shows all"
        assert keys.counts.endswith("1 marked ●")
        await keys.me.press("escape")
        assert "marked" not in keys.counts, "the second takes the marks away"


async def test_one_marked_key_is_treated_like_one_key(node: Node) -> None:
    async with at_keys(node) as keys:
        await keys.go_to("Newsletter SMTP relay")
        await keys.me.press("space", key_for(Place.KEYS, "delete"))
        dialog = await keys.delete_dialog()
        assert "Newsletter SMTP relay" in dialog.says, "though the cursor is on the next one"
        assert dialog.field("typed"), "it sends mail, so its label is asked for"


@pytest.mark.parametrize(
    ("size", "first", "left_out"),
    [
        ((40, 10), "n New e Edit r Rotate F1 Help", "Delete"),
        ((60, 20), "n New e Edit r Rotate v Verify d Delete F1 Help", "Find"),
        (NARROW, "n New e Edit r Rotate v Verify d Delete / Find J Journal F1 Help", "Mark"),
    ],
)
async def test_the_footer_names_first_what_is_needed_most(
    node: Node, size: tuple[int, int], first: str, left_out: str
) -> None:
    async with at_keys(node, size) as keys:
        footer = " ".join(keys.me.lines[-1].split())
        assert footer == first
        assert left_out not in footer
        await keys.me.click("Rotate")
        await keys.me.until("Account Password")


async def test_the_footer_says_what_enter_does_unless_another_key_does_it(node: Node) -> None:
    async with at_keys(node, WIDE) as keys:
        await keys.me.until(lambda: keys.me.footer.count("Edit") == 1)
        assert "Enter" not in keys.me.footer
        assert "! Only due" in keys.me.footer
        await keys.me.pilot.resize_terminal(109, 30)
        await keys.me.until("Enter Details")


async def test_a_key_that_is_retiring_keeps_its_label_where_its_mark_has_no_room(
    node: Node,
) -> None:
    marked = "Template designer (retiring 2026-01-02)"
    node.add_key(marked)
    async with at_keys(node) as keys:
        await keys.go_to(marked)
        await keys.me.until(lambda: "→  r--  retiring 13 d" in keys.cursor_line)
        assert keys.cursor_line.startswith("Template designer  ")
        assert "…" not in keys.cursor_line
        await keys.me.press("/", *"2026-01-02", "enter")
        await keys.me.until(lambda: keys.labels == [marked])  # its mark is searched, too
        await keys.me.press("y")
        await keys.me.until(marked)
        await keys.me.press("escape")
        await keys.me.pilot.resize_terminal(240, 50)
        await keys.me.until(lambda: keys.cursor_line.startswith(f"{marked} "))


async def test_the_details_of_a_key_that_is_retiring_finish_its_rotation(node: Node) -> None:
    marked = "Relay (retiring 2026-01-02)"
    node.add_key(marked)
    async with at_keys(node) as keys:
        await keys.me.press("enter")
        await keys.me.until("› Details")
        await keys.me.until(lambda: "r Rotate" in keys.me.footer)
        assert "Finish" not in keys.me.footer
        await keys.me.press("escape")
        await keys.shown()
        await keys.go_to(marked)
        await keys.me.until(lambda: "f Finish" in keys.me.footer)
        await keys.me.press("enter")
        await keys.me.until("› Details")
        await keys.me.until(lambda: "f Finish" in keys.me.footer and "Rotate" not in keys.me.footer)
        await keys.me.press("f")
        await keys.me.until("marked as retiring, but the mark names no successor")


async def test_the_counts_keep_that_of_the_marks_and_tell_that_others_are_left_out(
    node: Node,
) -> None:
    async with at_keys(node, (40, 10)) as keys:
        await keys.me.until(lambda: keys.counts == "8 keys 4 due ! 2 from anywhere !")
        await keys.me.press("space")
        await keys.me.until(lambda: keys.counts == "8 keys 4 due ! 1 marked ● …")
        await keys.me.press("escape")
        await keys.me.until(lambda: keys.counts == "8 keys 4 due ! 2 from anywhere !")


async def test_the_footer_names_the_details_of_a_problem_as_long_as_it_is_shown(
    node: Node,
) -> None:
    async with at_keys(node) as keys:
        assert "Details" not in keys.me.footer
        node.stop()
        await keys.me.press(RELOAD)
        await keys.me.until("refused the connection")
        await keys.me.until(lambda: "ctrl+o Details" in keys.me.footer)
        await keys.me.press("ctrl+o")
        await (await Dialog(keys.me).shown("stage: refused")).press_button("Close")
        await keys.me.press("x")
        await keys.me.until(lambda: "Details" not in keys.me.footer)
