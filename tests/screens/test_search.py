"""Finding a key: the search above the table, and who may do what."""

from __future__ import annotations

import pytest

from tests.conftest import NodeMaker
from tests.driver import NARROW, WIDE, Dialog, Keys, Operator, Secret, at_keys, key_for
from tests.node import Node
from tui.ui.bindings import Place
from tui.ui.screens.compare import CompareScreen
from tui.ui.widgets.search_row import SearchRow

FIND, RELOAD = key_for(Place.KEYS, "find"), key_for(Place.KEYS, "reload")
COMPARE = key_for(Place.KEYS, "compare")


class Search:
    """The row above the table."""

    def __init__(self, keys: Keys) -> None:
        self.keys, self.me = keys, keys.me

    @property
    def row(self) -> SearchRow:
        return self.me.screen.query_one(SearchRow)

    @property
    def line(self) -> str:
        """The row, without its sign."""
        return next((line for line in self.me.lines if line.startswith("  / ")), "")[4:]

    async def type(self, text: str) -> None:
        """Type a query in place of the one that is there, and wait for what it matches."""
        await self.me.press(FIND, "end", "ctrl+u")
        await self.me.type(text)
        await self.me.until(lambda: self.row.text == text and self.row.search is not None)
        await self.me.settle()

    async def says(self, text: str) -> None:
        """Wait for a text at the end of the row."""
        await self.me.until(lambda: self.line.endswith(text))


def underlined(me: Operator) -> list[str]:
    """Return what is highlighted on the screen, from top to bottom."""
    strips = me.screen._compositor.render_strips()
    segments = [segment for strip in strips for segment in strip]
    return [segment.text for segment in segments if segment.style and segment.style.underline]


def boxed(me: Operator) -> list[str]:
    """Return what stands in the box above the screen, line by line."""
    left, top, right, bottom = me.screen.query_one("#box").region.corners
    return [line[left:right].strip("│▄▆▇▁▂▃▅█ ") for line in me.lines[top:bottom]]


async def test_typing_narrows_the_list_and_highlights_what_matches(node: Node) -> None:
    async with at_keys(node) as keys:
        search = Search(keys)
        top = keys.me.lines.index(keys.me.line_with("Permissions"))
        await keys.me.press(FIND)
        await search.says("8 keys")
        assert keys.me.lines.index(keys.me.line_with("Permissions")) == top, "no line moves"
        await search.type("WEBHOOKS")
        await search.says("2 of 8 keys")
        assert keys.labels == ["Old bounce importer", "Support desk webhooks"]
        assert underlined(keys.me) == ["webhooks", "webhooks", "webhooks"]
        await search.type("webhooks -modify")
        await search.says("1 of 8 keys")
        await search.type('"desk webhooks" relay')
        assert keys.labels == ["Newsletter SMTP relay", "Support desk webhooks"]
        assert underlined(keys.me) == ["relay", "desk webhooks"]


@pytest.mark.parametrize(
    ("query", "label"),
    [
        ("10.8.0.0/16", "Newsletter SMTP relay"),
        ("smtp/inject", "Newsletter SMTP relay"),
        ('"Send via SMTP"', "Newsletter SMTP relay"),
        ("nigthly~", "Nightly metrics export"),
        ("design*", "Template designers"),
    ],
)
async def test_a_key_is_known_by_many_things(node: Node, query: str, label: str) -> None:
    async with at_keys(node) as keys:
        await Search(keys).type(query)
        assert keys.labels == [label]


async def test_short_key_id_and_owner_are_searched_too(node: Node) -> None:
    node.add_key("Dashboard", owner="kim")
    async with at_keys(node, (180, 30)) as keys:
        search, key = Search(keys), keys.table.keys[3]
        for text in (key.short_key, key.id):
            await search.type(text)
            assert keys.labels == [key.label]
        await search.type("kim NOT mailer")
        assert keys.labels == ["Dashboard"]
        assert underlined(keys.me) == ["kim"]


async def test_the_cursor_keeps_its_key_and_the_arrows_move_it_meanwhile(node: Node) -> None:
    async with at_keys(node) as keys:
        search = Search(keys)
        await keys.go_to("Support desk webhooks")
        await search.type("webhooks")
        assert keys.cursor_line.startswith("Support desk webhooks")
        await keys.me.press("up")
        assert keys.cursor_line.startswith("Old bounce importer")
        assert search.row.is_typed_in
        await search.type("templates")
        assert keys.cursor_line.startswith("Billing mailer"), "the first, as its own is left out"
        await keys.me.press("pagedown")
        assert keys.cursor_line.startswith("Template designers")
        await keys.me.press("escape")
        assert (keys.table.count, search.line) == (8, "")
        assert keys.cursor_line.startswith("Template designers")


async def test_enter_goes_to_the_list_and_the_search_stays(node: Node) -> None:
    async with at_keys(node) as keys:
        search = Search(keys)
        await search.type("mailer")
        await keys.me.until(lambda: "Enter To the list" in keys.me.footer)
        assert "n New" not in keys.me.footer
        await keys.me.press("enter")
        assert keys.table.has_focus
        assert "n New" in keys.me.footer
        assert search.line.startswith("mailer")
        await keys.me.press("e")
        form = await keys.edit_form()
        await form.fill("label", "Billing mailer 2")
        await form.save()
        await keys.me.until("was updated")
        assert keys.labels == ["Billing mailer 2"], "a reload keeps the search"
        await keys.me.press(FIND)
        assert search.row.text == "mailer", "to go on typing"
        await keys.me.press("enter", "escape")
        assert keys.table.count == 8
        await keys.me.press(FIND, "enter")
        assert search.line == "", "nothing was typed"


async def test_a_burst_of_keys_reaches_the_key_that_it_searches(node: Node) -> None:
    async with at_keys(node) as keys:
        await Search(keys).type("x")
        await keys.me.press("backspace", *"export", "enter", "e")
        form = await keys.edit_form()
        assert form.field("label").value == "Nightly metrics export"


async def test_an_unfinished_query_keeps_the_last_result(node: Node) -> None:
    async with at_keys(node) as keys:
        search = Search(keys)
        await search.type("mailer")
        for text, missing in (
            (' "zz', 'A closing " is missing.'),
            ('"', "1 of 8 keys"),
            (" &&", "Something must follow &&."),
            (" (", "Something must follow (."),
        ):
            await keys.me.type(text)
            await search.says(missing)
            assert keys.labels == ["Billing mailer"]
        await keys.me.press(RELOAD)
        node.add_key("Another mailer")
        await keys.me.press(RELOAD)
        await keys.me.until("Another mailer")
        assert keys.labels == ["Billing mailer", "Another mailer"]
        await search.says("Something must follow (.")


async def test_a_fault_is_pointed_at(node: Node) -> None:
    async with at_keys(node) as keys:
        search = Search(keys)
        await search.type("mailer")
        await keys.me.type(" label:x")
        await search.says("✗ column 13")
        pointer = keys.me.line_with("^ Fields are not supported; to find : itself, type \\:.")
        typed = keys.me.line_with("/ mailer label:x")
        assert pointer.index("^") == typed.index(":")
        assert keys.labels == ["Billing mailer"]
        await keys.me.press("backspace", "backspace")
        await search.says("1 of 8 keys")
        assert not keys.me.line_with("^ Fields")


@pytest.mark.parametrize("size", [NARROW, WIDE, (40, 10)], ids=["narrow", "wide", "tiny"])
async def test_no_key_matches(node: Node, size: tuple[int, int]) -> None:
    async with at_keys(node, size) as keys:
        search = Search(keys)
        await search.type("zebra")
        await keys.me.until("No key matches.")
        assert "Esc shows all keys again" in keys.says
        assert "0 of 8 keys" in search.line
        await keys.me.press("enter", "a", "backspace")
        assert search.row.text == "zebra", "Enter stays where something can be changed"
        await search.type("mailer")
        assert keys.cursor_line.startswith("Billing mailer")
        await search.type("zebra")
        await keys.me.press("escape")
        assert keys.table.has_focus
        assert keys.table.count == 8


async def test_the_last_key_that_matches_is_deleted(node: Node) -> None:
    async with at_keys(node) as keys:
        await Search(keys).type("export")
        await keys.me.press("enter")
        dialog = await keys.delete("Nightly metrics export")
        await dialog.confirm()
        await keys.me.until("No key matches.")
        await keys.me.press("escape")
        await keys.shown()
        assert keys.table.count == 7


async def test_marks_survive_and_only_what_is_shown_is_acted_on(node: Node) -> None:
    async with at_keys(node) as keys:
        search = Search(keys)
        await keys.go_to("Newsletter SMTP relay")
        await keys.me.press("space")
        await search.type("webhooks")
        assert "1 marked, 1 not shown" in keys.counts
        await keys.me.press("enter", "a")
        assert "3 marked, 1 not shown" in keys.counts
        await keys.me.press("d")
        await keys.me.until("Delete 2 API keys")
        await keys.me.press("escape")
        await keys.shown()
        await keys.me.press("escape")
        assert "3 marked ●" in keys.counts, "the first Esc ends the search"
        await keys.me.press("escape")
        assert "marked" not in keys.counts, "the second takes the marks away"


async def test_a_marked_key_that_somebody_deleted_is_not_counted(node: Node) -> None:
    async with at_keys(node) as keys:
        await keys.go_to("Billing mailer")
        await keys.me.press("space")
        assert "1 marked" in keys.counts
        node.store.delete_key(node.keys()[node.labels().index("Billing mailer")].id)
        await keys.me.press(RELOAD)
        await keys.me.until("7 keys")
        assert "marked" not in keys.counts


async def test_the_list_is_sorted_while_it_is_searched(node: Node) -> None:
    async with at_keys(node) as keys:
        search = Search(keys)
        await search.type("view webhooks mailer")
        await keys.me.press("enter", "1")
        assert keys.labels == sorted(keys.labels)
        assert len(keys.labels) == 7
        await keys.me.press("1")
        await search.type("webhooks")
        assert keys.labels == ["Support desk webhooks", "Old bounce importer"]
        await keys.me.press("escape")
        assert keys.labels == sorted(keys.labels, reverse=True)
        assert len(keys.labels) == 8


async def test_there_is_nothing_to_search(node_with: NodeMaker) -> None:
    async with at_keys(node_with(seeds=False)) as keys:
        assert "/ Find" not in keys.me.footer
        await keys.me.press(FIND)
        assert "No API keys yet." in keys.says
        assert not Search(keys).line


async def test_hostile_text_is_only_text(node: Node) -> None:
    node.add_key("[@click=app.quit]\x1b[3m")
    async with at_keys(node) as keys:
        search = Search(keys)
        await search.type(r'"@click=app.quit"')
        await search.says("1 of 9 keys")
        assert "[@click=app.quit]␛[3m" in keys.cursor_line
        assert underlined(keys.me) == ["@click=app.quit"]
        await search.type("[$x]")
        assert keys.me.line_with("^ Ranges are not supported")


async def test_who_may_send_a_request(node: Node) -> None:
    async with at_keys(node) as keys:
        search = Search(keys)
        await search.type("may ")
        await search.says("A method is missing: GET, POST, PUT, DELETE.")
        assert keys.table.count == 8
        await keys.me.type("po")
        await keys.me.press("tab")
        assert search.row.text == "may POST "
        await search.says("A path is missing, such as /api/v1/transmissions.")
        await keys.me.type("/api/v1/tra")
        await search.says("The path goes on: /api/v1/transmissions")
        assert keys.table.count == 8
        await keys.me.press("tab")
        await search.says("2 of 8 keys, as far as is known")
        assert keys.labels == ["Billing mailer", "Partner portal"]
        assert underlined(keys.me) == ["transmissions", "transmissions"]
        await keys.me.press("tab")
        assert keys.table.has_focus, "there is nothing more to complete"
        await search.type("may fly")
        assert keys.me.line_with("^ A method is one of GET, POST, PUT, DELETE.")


async def test_what_is_documented_is_known(node_with: NodeMaker) -> None:
    node = node_with(seeds=False)
    node.add_key("Reader", ("metrics/view",))
    node.add_key("Sender", ("smtp/inject",))
    async with at_keys(node) as keys:
        search = Search(keys)
        await search.type("may get /metrics/deliverability?from=1")
        await search.says("1 of 2 keys")
        assert keys.labels == ["Reader"]
        await search.type("may DELETE /api/v1/metrics")
        await keys.me.until("No key matches.")


async def test_a_run_takes_the_marks_of_its_own_keys_only(node: Node) -> None:
    async with at_keys(node) as keys:
        search = Search(keys)
        await keys.go_to("Newsletter SMTP relay")
        await keys.me.press("space")
        await search.type("webhooks -desk")
        await keys.me.press("enter", "space", "backspace")
        await search.type("webhooks")
        await keys.me.press("enter", "end", "space", "d")
        await keys.me.until("How many keys")
        await keys.me.type("2")
        await keys.me.press("enter")
        await keys.me.until("2 of 2 · done")
        await keys.me.press("escape")
        await keys.me.until("No key matches.")
        await keys.me.press("escape")
        await keys.shown()
        assert keys.counts.startswith("6 keys")
        assert "1 marked" in keys.counts


async def test_grants_are_compared_side_by_side(node: Node) -> None:
    async with at_keys(node) as keys:
        await keys.me.press(COMPARE)
        assert "Mark 2 to 6 keys with Space" in keys.says
        for label in ("Billing mailer", "Partner portal"):
            await keys.go_to(label)
            await keys.me.press("space")
        await keys.me.press(COMPARE)
        dialog = await Dialog(keys.me).shown("Not the same")
        rows = {
            " ".join(words[:-2]): words[-2:] for line in boxed(keys.me) if (words := line.split())
        }
        assert rows["Not the same"] == rows["The same"] == ["1", "2"]
        assert rows["View Transmissions"] == ["✓", "·"]
        assert rows["View Metrics"] == ["·", "✓"]
        assert rows["Modify Transmissions"] == ["✓", "✓"]
        assert "Esc Close" in keys.me.footer
        await dialog.cancel()
        await keys.shown()


@pytest.mark.parametrize("size", [(40, 10), WIDE], ids=["tiny", "wide"])
async def test_six_keys_of_many_grants_are_compared(
    node_with: NodeMaker, size: tuple[int, int]
) -> None:
    node = node_with(seeds=False)
    for number in range(7):
        node.add_key(f"Key {number}", ("metrics/view", "unknown/[b]grant\x1b"))
    async with at_keys(node, size) as keys:
        await keys.me.press("a", COMPARE)
        assert "Mark 2 to 6 keys" in keys.says
        await keys.me.press("home", "space", COMPARE)
        await keys.me.until("Grants of 6 keys")
        assert isinstance(keys.me.screen, CompareScreen)
        page = keys.me.screen.query_one("#content")
        while page.scroll_offset.y < page.max_scroll_y:
            await keys.me.press("down")
        await keys.me.until("All marked keys hold the same grants.")
        (line,) = [line for line in boxed(keys.me) if line.startswith("unknown/[b]gra")]
        assert line.split()[-6:] == ["✓"] * 6


async def test_grants_are_searched_in_the_form(node_with: NodeMaker) -> None:
    node = node_with(edition="sparkpost")
    async with at_keys(node) as keys:
        form = await keys.new()
        await form.fill("label", "Reader")
        await form.fill("password", node.password)
        await form.give()
        for _ in range(4):
            if keys.me.screen.focused is form.grants:
                break
            await keys.me.press("tab")
        total = len(form.grants.shown)
        await keys.me.press(FIND)
        await keys.me.type('"relay webhooks" NOT modify')
        await keys.me.until(f"1 of {total} grants")
        await keys.me.press("enter", "space")
        assert f"1 of {total}" in keys.me.line_with("Grants *")
        await keys.me.press(FIND, "end", "ctrl+u")
        await keys.me.type("transmissions")
        await keys.me.press("enter")
        await keys.me.press(key_for(Place.GRANTS, "give_all"))
        shown = len(form.grants.shown)
        assert 0 < shown < total
        assert f"{1 + shown} of {total}" in keys.me.line_with("Grants *")
        await keys.me.press("escape")
        assert len(form.grants.shown) == total, "the first Esc ends the search"
        assert form.grants.has_focus
        await form.save()
        await keys.me.until("The API key was created")
        assert "relay_webhooks/view" in node.keys()[-1].grants
        await Secret(keys.me).stored()


async def test_a_search_of_grants_without_a_query_ends(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.edit("Billing mailer")
        await form.give()
        await keys.me.press(FIND, "enter")
        assert not keys.me.screen.query_one(SearchRow).is_open
        await keys.me.press(FIND)
        await keys.me.type("nowhere")
        await keys.me.until("0 of ")
        await keys.me.press("escape", "escape")
        await keys.shown()


async def test_the_help_is_searched(node: Node) -> None:
    async with at_keys(node) as keys:
        await keys.me.press(key_for(Place.ANYWHERE, "help"))
        await keys.me.until("create a new API key")
        await keys.me.press(FIND)
        await keys.me.type("journal NOT back")
        await keys.me.until("show the journal of what you did")
        assert "create a new API key" not in keys.says
        assert "Signing in" not in keys.says
        await keys.me.press("down", "pagedown", "pageup", "up", "enter")
        await keys.me.until(lambda: "Enter To the list" not in keys.me.footer)
        await keys.me.press(FIND, "escape")
        await keys.me.until("create a new API key")
        await keys.me.press("escape")
        await keys.shown()


async def test_the_help_begins_with_what_can_be_typed(node: Node) -> None:
    async with at_keys(node) as keys:
        await keys.me.press(FIND)
        await keys.me.type("x")
        await keys.me.press(key_for(Place.ANYWHERE, "help"))
        await keys.me.until("Keys Search ▌mail relay either word")
        await keys.me.press("escape")
        await keys.me.type("y")
        assert Search(keys).row.text == "xy"


async def test_the_last_key_of_all_is_deleted_while_a_search_is_on(node_with: NodeMaker) -> None:
    node = node_with(seeds=False)
    key_id, _ = node.add_key("The only one")
    async with at_keys(node) as keys:
        await Search(keys).type("only")
        await keys.me.press("enter")
        node.store.delete_key(key_id)
        await keys.me.press(RELOAD)
        await keys.me.until("No API keys yet.")
        assert not Search(keys).line
        node.add_key("Another")
        await keys.me.press(RELOAD)
        await keys.me.until("Another")
        assert keys.cursor_line.startswith("Another")


async def test_no_key_matches_after_something_failed(node: Node) -> None:
    async with at_keys(node) as keys:
        node.fail("GET", "/api/v1/api-keys", "500")
        await keys.me.press(RELOAD)
        await keys.me.until("status 500")
        await Search(keys).type("zebra")
        await keys.me.until("No key matches.")
        assert "Try again" not in keys.says


async def test_the_footer_offers_to_go_to_the_list_only_where_something_stands_there(
    node: Node,
) -> None:
    async with at_keys(node) as keys:
        await keys.me.press("/", *"relay")
        await keys.me.until(lambda: "Enter To the list" in keys.me.footer)
        await keys.me.type("zzz")
        await keys.me.until(lambda: "Enter" not in keys.me.footer)
        await keys.me.press("enter", "escape", key_for(Place.KEYS, "journal"))
        await keys.me.until("The journal has no entries yet.")
        await keys.me.until(lambda: "Enter" not in keys.me.footer)
