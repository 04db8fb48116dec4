"""Everything can be read and reached on a small terminal; a still smaller one says what it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from tests.driver import NARROW, Dialog, Page, Secret, at_keys, at_login, key_for
from tests.node import Node
from tests.screens.rotation_pages import LABEL, begin_rotating, signed_in, with_marked
from tui.ui.bindings import Place
from tui.ui.widgets.marked_list import MarkedList

Size = tuple[int, int]

SMALLEST: Size = (40, 10)
SIZES = pytest.mark.parametrize("size", [SMALLEST, (60, 15)])


def is_seen(page: Page, selector: str) -> bool:
    """Tell whether the whole of a widget is on the terminal."""
    screen = page.me.screen
    place = screen.find_widget(screen.query_one(selector))
    return bool(place.region) and place.visible_region == place.region


@SIZES
async def test_a_dialog_shows_its_buttons(node: Node, size: Size) -> None:
    async with at_keys(node, size) as keys:
        dialog = await keys.delete(LABEL)
        assert is_seen(dialog, "#no")
        assert is_seen(dialog, "#yes")
        assert dialog.me.line_with("Delete API Key   ")


@SIZES
async def test_a_dialog_shows_its_field_and_what_is_wrong_with_it(node: Node, size: Size) -> None:
    label = "Newsletter SMTP relay"
    node.add_key(label, ("smtp/inject",))
    async with at_keys(node, size) as keys:
        dialog = await keys.delete(label)
        await dialog.fill("typed", "Newsletter")
        await dialog.me.press("enter")
        await dialog.me.until(lambda: is_seen(dialog, "#typed .field--error"))
        assert is_seen(dialog, "#typed Input")
        assert is_seen(dialog, "#yes")


async def test_a_dialog_is_scrolled_with_the_keys(node: Node) -> None:
    async with at_keys(node, SMALLEST) as keys:
        dialog = await keys.delete(LABEL)
        assert "View Metrics" in dialog.says
        assert "undone." not in dialog.says
        await dialog.me.press("pagedown", "pagedown")
        assert "undone." in dialog.says
        await dialog.me.press("pageup", "up", "up", "up", "up", "up", "up")
        assert "Delete API Key: " in dialog.says


@SIZES
async def test_a_new_secret_is_seen_at_once(node: Node, size: Size) -> None:
    async with at_keys(node, size) as keys:
        form = await keys.new()
        await form.complete("Orders", node.password)
        await form.save()
        await form.me.until(lambda: form.me.screen.query("SecretBox #secret"))
        await form.me.until(lambda: is_seen(form, "SecretBox #secret"))
        await form.me.press("up")
        await form.me.until(lambda: "▌s  Stored, go on" in form.me.text)
        await form.me.press("home")
        await form.me.until(lambda: "▌c  Clipboard" in form.me.text)
        await Secret(form.me).stored()


@SIZES
async def test_a_successor_s_secret_is_seen_at_once(node: Node, size: Size) -> None:
    async with signed_in(node, size) as keys:
        rotate = await begin_rotating(keys)
        assert is_seen(rotate, "#password Input")
        await rotate.try_to_create(node.password)
        await rotate.idle()
        assert is_seen(rotate, "SecretBox #secret")
        await rotate.press("stored")
        await rotate.idle()
        await rotate.leave()


@pytest.mark.usefixtures("verifies_once")
@SIZES
async def test_a_run_over_many_keys_is_planned_and_seen(
    node: Node, size: Size, tmp_path: Path
) -> None:
    async with signed_in(node, size) as keys:
        await keys.me.press("a")
        bulk = await with_marked(keys, "rotate")
        assert is_seen(bulk, "#password Input")
        assert is_seen(bulk, "#start")
        await bulk.begin(file=str(tmp_path / "new.env"), password=node.password)
        await bulk.idle()
        assert is_seen(bulk, "#bar")
        assert is_seen(bulk, "#message")
        assert bulk.table.size.height >= 4
        assert keys.me.line_with("✓ ✓ ✓ w") or keys.me.line_with("works")


@SIZES
async def test_the_field_with_the_cursor_is_always_seen(node: Node, size: Size) -> None:
    async with at_login(node, size, password=None) as page:
        assert is_seen(page, "#password Input")
        await page.fill("password", "not the right one")
        await page.submit()
        await page.me.until("The sign-in was not accepted")
        await page.is_back()
        assert is_seen(page, "#password Input")
        await page.fill("password", node.password)
        form = await (await page.sign_in()).new()
        await form.save()  # everything that is needed is told to be missing
        for _ in range(6):
            focused = form.me.screen.focused
            assert focused is not None
            if isinstance(focused, Input):
                await form.me.until(lambda: is_seen(form, "Input:focus"))
            await form.me.press("tab")


async def test_a_terminal_that_is_too_small_says_so(node: Node) -> None:
    async with at_keys(node, (80, 24)) as keys:
        await keys.me.until(lambda: "Rotate" in keys.me.footer)  # which is drawn last
        before = keys.me.lines
        await keys.me.pilot.resize_terminal(30, 8)
        await keys.me.until("Too small")
        assert keys.me.text.strip() == "Too small: 40 × 10 is needed."
        await keys.me.pilot.resize_terminal(80, 24)
        await keys.me.until(lambda: keys.me.lines == before)


async def test_a_dialog_on_a_terminal_that_is_too_small_is_still_there_afterwards(
    node: Node,
) -> None:
    async with at_keys(node) as keys:
        dialog = await keys.delete(LABEL)
        await dialog.me.pilot.resize_terminal(30, 8)
        await dialog.me.until(lambda: "Too small" in dialog.me.text)
        assert "Cancel" not in dialog.me.text
        await dialog.me.pilot.resize_terminal(80, 24)
        await Dialog(dialog.me).shown("Delete API Key:")
        assert is_seen(dialog, "#yes")


async def test_a_run_tells_that_it_is_done(node: Node, tmp_path: Path) -> None:
    async with signed_in(node, SMALLEST) as keys:
        await keys.go_to(LABEL)
        await keys.me.press("space", "space")
        bulk = await with_marked(keys, "rotate")
        await bulk.begin(file=str(tmp_path / "s.env"), password=node.password)
        await bulk.over("2 of 2 · done")
        await keys.me.until(lambda: is_seen(bulk, "#progress"))


async def test_an_example_in_a_field_that_has_no_room_for_it_ends_in_an_ellipsis(
    node: Node,
) -> None:
    async with at_keys(node, SMALLEST) as keys:
        await keys.new()
        await keys.me.until("required to …")
        await keys.me.pilot.resize_terminal(140, 40)
        await keys.me.until("required to securely authorize this addition")


async def test_the_details_of_a_key_begin_where_the_list_does(node: Node) -> None:
    async with at_keys(node, SMALLEST) as keys:
        await keys.me.press("enter")
        await keys.me.until("› API keys …")
        await keys.me.until(lambda: keys.me.line_with("••••").startswith("  Old bounce importer"))


async def test_commands_on_offer_take_a_line_each(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "systemd-creds").touch(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    async with at_keys(node, (60, 20)) as keys:
        await (await keys.new()).create("Nightly job", node.password)
        await keys.me.press("x")
        await keys.me.until(lambda: keys.me.screen.query("CommandField"))
        offered = keys.me.screen.query_one(MarkedList)
        await keys.me.until(lambda: offered.virtual_size.height == 1)
        await Dialog(keys.me).cancel()
        await Secret(keys.me).stored()


@pytest.mark.parametrize(
    ("place", "action", "sentence"),
    [
        (Place.ANYWHERE, "help", "create a new API key"),
        (Place.ANYWHERE, "palette", "create a new API key"),
        (Place.ANYWHERE, "manual", "In five minutes"),
        (Place.KEYS, "journal", "The journal has no entries yet."),
        (Place.KEYS, "new", "Account Password"),
    ],
)
async def test_no_window_is_too_narrow_for_the_program_to_go_on(
    node: Node, place: Place, action: str, sentence: str
) -> None:
    async with at_keys(node, NARROW) as keys:
        await keys.me.press(key_for(place, action))
        await keys.me.until(sentence)
        for width in (1, 2, 3, 5, 8, 12, 16, NARROW[0]):
            await keys.me.pilot.resize_terminal(width, NARROW[1])
        await keys.me.until(sentence)
