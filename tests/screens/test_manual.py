"""The manual inside of the program: read, searched, and left again."""

from __future__ import annotations

from functools import partial

from tests.driver import WIDE, Operator, at_keys, at_login, key_for
from tests.node import Node
from tests.screens.test_palette import opened
from tui.manual import topics
from tui.ui.bindings import Place
from tui.ui.screens.manual import ManualScreen

MANUAL, FIND = key_for(Place.ANYWHERE, "manual"), key_for(Place.MANUAL, "find")
SWITCH, NEXT = key_for(Place.MANUAL, "switch"), key_for(Place.MANUAL, "next_match(1)")


def page(me: Operator) -> str:
    """Return the page as far as it is seen, without line breaks."""
    left, top, right, bottom = me.screen.query_one("ManualPage").region.corners
    return " ".join(" ".join(line[left:right] for line in me.lines[top:bottom]).split())


def shows(me: Operator, title: str) -> bool:
    return page(me).startswith(title)


def contents(me: Operator) -> list[str]:
    left, top, right, bottom = me.screen.query_one("#contents").region.corners
    return [line[left:right].strip("▌▏ ") for line in me.lines[top:bottom]]


def underlined(me: Operator) -> list[str]:
    strips = me.screen._compositor.render_strips()
    segments = [segment for strip in strips for segment in strip]
    return [segment.text for segment in segments if segment.style and segment.style.underline]


async def test_it_opens_anywhere_and_shows_every_page(node: Node) -> None:
    async with at_login(node, size=WIDE) as login:
        me = login.me
        await me.press(MANUAL)
        await me.until("First steps")
        for topic in topics():
            await me.until(partial(shows, me, topic.title))
            await me.press("down")
        await me.press("escape")
        await login.is_back()


async def test_what_is_searched_is_found_on_all_pages(node: Node) -> None:
    async with at_keys(node) as keys:
        me = keys.me
        await me.press(MANUAL, FIND, *"smtp_injection")
        await me.until("2 of")
        assert [line for line in contents(me) if line] == ["SMTP with a key  2"]
        await me.until(lambda: "SMTP_Injection" in page(me))
        assert underlined(me).count("SMTP_Injection") >= 1
        await me.press("end", "ctrl+u", *"successor")
        await me.until(lambda: "successor" in underlined(me) and page(me).count("successor"))
        await me.press("enter")
        before = page(me)
        await me.press(NEXT)
        await me.until(lambda: page(me) != before)
        await me.press("N")
        await me.until(lambda: page(me) == before)
        await me.press("escape")
        await me.until(lambda: len([line for line in contents(me) if line]) > 10)
        assert not underlined(me)
        await me.press("escape")
        await keys.shown()


async def test_the_palette_opens_a_page(node: Node) -> None:
    async with at_keys(node) as keys:
        palette = await opened(keys)
        await palette.choose("manual access token", "Get an access token")
        await keys.me.until(lambda: page(keys.me).startswith("Get an access token"))
        palette = await opened(keys)
        await palette.choose("manual journal", "The journal")
        await keys.me.until(lambda: page(keys.me).startswith("The journal"))
        await keys.me.press("escape")
        await keys.shown()


async def test_page_and_contents_take_turns_on_a_narrow_screen(node: Node) -> None:
    async with at_keys(node, size=(40, 10)) as keys:
        me = keys.me
        await me.press(MANUAL)
        await me.until("The list of keys")
        assert not me.screen.query_one("ManualPage").display
        await me.press("down", "enter")
        await me.until(lambda: page(me).startswith("Sign in"))
        await me.press("pagedown", SWITCH)
        await me.until("The list of keys")
        await me.press(SWITCH, "escape")
        await me.until("The list of keys")
        assert isinstance(me.screen, ManualScreen)
        await me.press("escape")
        await keys.shown()
