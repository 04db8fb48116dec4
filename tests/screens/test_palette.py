"""The palette: all that can be done now, found by typing."""

from __future__ import annotations

from tests.conftest import NodeMaker
from tests.driver import Dialog, Form, Keys, Operator, Page, at_keys, at_login, key_for
from tests.node import Node
from tests.screens.test_hostile import TEXTS, assert_harmless
from tui.ui.bindings import Place

OPEN = key_for(Place.ANYWHERE, "palette")


class Palette(Page):
    """The box with what can be done."""

    @property
    def rows(self) -> list[str]:
        """What is offered, line by line: a key or a kind, and a title."""
        left, top, right, bottom = self.me.screen.query_one("#entries").region.corners
        return [line[left:right].strip(" ▌▏") for line in self.me.lines[top:bottom]]

    @property
    def titles(self) -> list[str]:
        return [row[11:].strip() for row in self.rows]

    async def type(self, text: str) -> None:
        await self.me.press("end", "ctrl+u")
        await self.me.type(text)

    async def offers(self, title: str) -> None:
        await self.me.until(lambda: any(title in row for row in self.rows))

    async def choose(self, text: str, title: str) -> None:
        """Type a text, and do what is offered first."""
        await self.type(text)
        await self.me.until(lambda: title in self.rows[0])
        await self.me.press("enter")


async def opened(page: Page) -> Palette:
    await page.me.press(OPEN)
    await page.me.until("Enter runs it")
    await page.me.settle()
    return Palette(page.me)


async def test_it_offers_what_the_keys_of_the_screen_do(node: Node) -> None:
    async with at_login(node) as page:
        palette = await opened(page)
        assert "ctrl+t     sign in with an access token" in palette.rows
        assert not any("rotate" in row for row in palette.rows)
        await palette.me.press("escape")
        keys = await page.sign_in()
        palette = await opened(keys)
        for row in ("n          create a new API key", "e          edit the key"):
            assert row in palette.rows
        assert palette.rows[0].startswith("n "), "first what the screen is about"
        await palette.choose("journal", "show the journal")
        await keys.me.until("Settings › Journal")
        palette = await opened(keys)
        await palette.choose("list", "go back to the list")
        await keys.shown()


async def test_what_is_not_possible_is_not_offered(node_with: NodeMaker) -> None:
    async with at_keys(node_with(seeds=False)) as keys:
        palette = await opened(keys)
        assert "create a new API key" in palette.titles
        await palette.type("sort by")
        await palette.me.until("Nothing matches.")
        await palette.me.press("enter")
        assert "Nothing matches." in palette.says
        await palette.me.press("escape")
        await keys.shown()


async def test_an_action_opens_its_screen_before_the_next_key_is_read(node: Node) -> None:
    async with at_keys(node) as keys:
        await keys.me.press(OPEN, *"create a new", "enter", *"Billing")
        await keys.me.until("Create New API Key")
        await keys.me.settle()
        assert Form(keys.me).field("label").value == "Billing"


async def test_a_key_is_gone_to_by_its_label(node: Node) -> None:
    async with at_keys(node) as keys:
        palette = await opened(keys)
        await palette.choose("support desk", "Support desk webhooks")
        await keys.shown()
        assert keys.cursor_line.startswith("Support desk webhooks")
        await keys.me.press(key_for(Place.KEYS, "find"), *"nightly", "enter")
        palette = await opened(keys)
        await palette.choose("webhooks desk", "Support desk webhooks")
        await keys.me.until(lambda: keys.cursor_line.startswith("Support desk webhooks"))
        assert len(keys.labels) == 8, "the search that left it out is over"


async def test_of_very_many_keys_a_search_shows_the_rest(node_with: NodeMaker) -> None:
    node = node_with(seeds=False)
    for number in range(60):
        node.add_key(f"Relay {number}", ("smtp/inject",))
    async with at_keys(node) as keys:
        palette = await opened(keys)
        await palette.type("relay")
        await palette.me.until("60 of")
        await palette.me.press("up")
        await palette.offers("60 keys")
        await palette.me.press("enter")
        await keys.me.until(lambda: keys.me.line_with('/ "relay"').endswith("60 keys"))


async def test_who_may_send_a_request(node: Node) -> None:
    async with at_keys(node) as keys:
        palette = await opened(keys)
        await palette.type("may post /api/v1/trans")
        await palette.offers("may POST /api/v1/transmissions")
        await palette.me.press("tab", "enter")
        await keys.me.until("2 of 8 keys")
        assert keys.labels == ["Billing mailer", "Partner portal"]
        palette = await opened(keys)
        await palette.type("may GET /api/v1/metrics/deliverability")
        await palette.me.press("enter")
        await keys.me.until(lambda: keys.me.line_with("/ may GET /api/v1/metrics/deliverability"))
        palette = await opened(keys)
        await palette.type("may fly")
        await palette.me.until("Nothing matches.")


async def test_a_theme_is_taken_at_once(node: Node) -> None:
    async with at_login(node) as page:
        palette = await opened(page)
        await palette.choose("theme light", "light")
        assert page.me.app.theme == "light"
        palette = await opened(page)
        await palette.type("theme")
        assert "light" not in palette.titles, "it is the one in force"


async def test_it_opens_above_a_dialog_and_closes_by_its_own_key(node: Node) -> None:
    async with at_keys(node) as keys:
        await keys.delete("Nightly metrics export")
        palette = await opened(keys)
        assert palette.titles[0] == "close without doing anything"
        await palette.me.press(OPEN)
        await Dialog(keys.me).shown("Delete API Key:")
        palette = await opened(keys)
        await palette.choose("close", "close without doing anything")
        await keys.shown()


async def test_hostile_labels_are_data(node_with: NodeMaker) -> None:
    node = node_with(seeds=False)
    for text in TEXTS.values():
        node.add_key(f"hostile {text}", ("metrics/view",))
    async with at_keys(node) as keys:
        palette = await opened(keys)
        await palette.type("hostile")
        await palette.me.until(f"{len(TEXTS)} of")
        assert_harmless(keys.me)
        rows = list(palette.rows)
        for row in range(3):
            await click_row(palette.me, row)
            assert_harmless(keys.me)
            await keys.shown()
            assert keys.cursor_line.startswith(rows[row][11:25])
            palette = await opened(keys)
            await palette.type("hostile")
            await palette.me.until(f"{len(TEXTS)} of")


async def click_row(me: Operator, row: int) -> None:
    region = me.screen.query_one("#entries").region
    await me.pilot.click(offset=(region.x + 22, region.y + row))
    await me.settle()


async def test_on_a_small_terminal(node: Node) -> None:
    async with at_keys(node, size=(40, 10)) as keys:
        palette = await opened(Keys(keys.me))
        await palette.me.press("pagedown", "up", "down")
        assert any("▌" in line for line in palette.me.lines)
        assert palette.me.screen.query_one("#hint").region.bottom <= 10
