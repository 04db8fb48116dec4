"""The manual inside of the program: read, searched, and left again."""

from __future__ import annotations

from collections import Counter
from functools import partial

from rich.style import Style
from textual.widgets import OptionList

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


def current(me: Operator) -> list[str]:
    """Return the words of the match that was gone to last, as far as they are seen."""
    strips = me.screen._compositor.render_strips()
    segments = [segment for strip in strips for segment in strip]
    return [segment.text for segment in segments if segment.style and is_current(segment.style)]


def is_current(style: Style) -> bool:
    return bool(style.underline and style.reverse)


def open_page(me: Operator) -> str:
    """Return the title on which the cursor of the contents is."""
    options = me.screen.query_one("#contents", OptionList)
    assert options.highlighted is not None
    return str(options.get_option_at_index(options.highlighted).prompt).rsplit("  ", 1)[0]


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


async def test_the_next_match_is_on_the_next_page_and_around(node: Node) -> None:
    async with at_keys(node) as keys:
        me = keys.me
        await me.press(MANUAL, FIND, *"smtp port", "enter")
        await me.until(partial(shows, me, "SMTP with a key"))
        options = me.screen.query_one("#contents", OptionList).options
        listed = [str(option.prompt).rsplit("  ", 1) for option in options]
        count = {title: int(number) for title, number in listed}
        titles = [*count]
        first = titles.index("SMTP with a key")
        seen = []
        for _ in range(sum(count.values())):
            seen.append((open_page(me), current(me)))
            await me.press(NEXT)
            await me.settle()
        assert (open_page(me), current(me)) == seen[0], "after the last comes the first"
        visited = list(dict.fromkeys(page for page, _ in seen))
        assert visited == [*titles[first:], *titles[:first]]
        assert Counter(page for page, _ in seen) == count
        assert [place for place in enumerate(seen) if not place[1][1]] == [], "each is to be seen"
        await me.press("N")
        await me.settle()
        assert (open_page(me), current(me)) == seen[-1]


async def test_a_search_opens_the_page_that_fits_best(node: Node) -> None:
    async with at_keys(node) as keys:
        me = keys.me
        await me.press(MANUAL, FIND, *"access token")
        await me.until(partial(shows, me, "Get an access token"))
        await me.until("Enter To the page")
        await me.press("enter")
        await me.until("Tab To the contents")
        assert "n Next match  N Previous" in me.text
        await me.press(FIND, "end", "ctrl+u", *"403", "enter")
        await me.until(lambda: open_page(me) == "Errors, and what to do")
        assert "Status 403" in page(me)


async def test_a_status_leads_to_its_meaning(node: Node) -> None:
    async with at_keys(node) as keys:
        palette = await opened(keys)
        await palette.type("403")
        await palette.offers("You are not permitted to do this (status 403)")
        await palette.choose("403 permitted", "You are not permitted")
        await keys.me.until(partial(shows, keys.me, "• You are not permitted to do this."))


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
