"""The help: the keys of what has the focus, and doing what one of them does."""

from __future__ import annotations

from tests.driver import NARROW, WIDE, Dialog, Form, Keys, Operator, at_keys, at_login, key_for
from tests.node import Node
from tui.ui.bindings import Place
from tui.ui.screens.help import HelpScreen

HELP, FIND = key_for(Place.ANYWHERE, "help"), key_for(Place.HELP, "find")


def box(me: Operator) -> list[str]:
    """Return what stands in the box, line by line."""
    left, top, right, bottom = me.screen.query_one("#box").region.corners
    return [line[left:right].strip("│▌▏ ") for line in me.lines[top + 1 : bottom - 1]]


async def opened(me: Operator) -> None:
    await me.press(HELP)
    await me.until(lambda: isinstance(me.screen, HelpScreen))
    await me.settle()


async def choose(me: Operator, text: str) -> None:
    """Search for a line, and choose the first that matches."""
    await me.press(FIND)
    await me.type(text)
    await me.until(" lines")
    await me.press("enter", "enter")


async def test_the_keys_of_what_has_the_focus_come_first(node: Node) -> None:
    async with at_keys(node) as keys:
        await opened(keys.me)
        assert box(keys.me)[3:5] == ["API keys", "n               create a new API key"]
        await keys.me.press("escape", key_for(Place.KEYS, "find"))
        await opened(keys.me)
        assert box(keys.me)[3] == "Search"


async def test_what_is_chosen_is_done(node: Node) -> None:
    async with at_keys(node) as keys:
        await opened(keys.me)
        await choose(keys.me, '"create a new"')
        await keys.me.until("Create New API Key")
        await keys.me.press(*"Typed ahead")
        assert Form(keys.me).field("label").value == "Typed ahead"


async def test_what_is_not_possible_is_said_to_be_so(node: Node) -> None:
    async with at_login(node) as page:
        await opened(page.me)
        await choose(page.me, "journal")
        await page.me.until("This is not available on the screen that you came from.")
        await page.me.press("escape", "escape")
        await page.me.gone("not possible")


async def test_a_long_description_takes_more_than_one_line(node: Node) -> None:
    async with at_keys(node) as keys:
        await opened(keys.me)
        await keys.me.press(FIND, *'"apply to all marked"')
        await keys.me.until(lambda: any(text.startswith("Space") for text in box(keys.me)))
        line = next(n for n, text in enumerate(box(keys.me)) if text.startswith("Space"))
        first, second = box(keys.me)[line : line + 2]
        assert first == "Space           mark the key; rotate, verify, finish, pause and"
        assert second == "delete then apply to all marked keys"


async def test_two_columns_on_a_wide_screen(node: Node) -> None:
    async with at_keys(node, size=WIDE) as keys:
        await opened(keys.me)
        head = box(keys.me)[3]
        assert head.split() == ["API", "keys", "Anywhere"]
        await keys.me.press("tab", "home", "enter")
        await keys.me.until("This is not available")
        await keys.me.pilot.resize_terminal(*NARROW)
        await keys.me.until(lambda: "Anywhere" not in box(keys.me)[3])


async def test_it_closes_by_its_own_key_and_opens_above_a_dialog(node: Node) -> None:
    async with at_keys(node) as keys:
        await keys.delete("Nightly metrics export")
        await opened(keys.me)
        assert box(keys.me)[3] == "Dialogs"
        await keys.me.press(HELP)
        await Dialog(keys.me).shown("Delete API Key:")
        await opened(keys.me)
        await choose(keys.me, '"close without doing"')
        await keys.shown()


async def test_on_a_small_terminal(node: Node) -> None:
    async with at_keys(node, size=(40, 10)) as keys:
        await keys.me.press(HELP)
        await keys.me.until("create a new")
        await keys.me.press("end")
        assert any("▌" in line for line in keys.me.lines)
        await keys.me.press("escape")
        await Keys(keys.me).shown()
