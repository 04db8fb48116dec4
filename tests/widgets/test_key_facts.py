"""The details of a key: text while they are seen, and up to date once they are."""

from __future__ import annotations

from textual.app import App, ComposeResult

from tui.api.models import Key
from tui.keys.attention import Attention
from tui.ui.widgets.facts_pane import FactLines
from tui.ui.widgets.key_facts import KeyFacts, describe_key
from tui.ui.widgets.table_line import KeyContext

CONTEXT = KeyContext()


class Aside(App[None]):
    CSS = "KeyFacts { display: none; } .-wide KeyFacts { display: block; }"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012  # as App has it

    def __init__(self) -> None:
        super().__init__()
        self.key_map: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        yield KeyFacts()

    def show(self, label: str) -> None:
        self.query_one(KeyFacts).show(Key(label, label), CONTEXT)

    @property
    def text(self) -> str:
        return self.query_one(FactLines).text.plain


async def test_what_is_seen_is_up_to_date() -> None:
    app = Aside()
    async with app.run_test(size=(140, 40)) as pilot:
        await pilot.pause()
        app.show("Alpha")
        await pilot.pause()
        assert app.text.startswith("Alpha")
        app.show("Beta")
        await pilot.pause()
        assert app.text.startswith("Beta")
        app.query_one(KeyFacts).show(None, CONTEXT)
        await pilot.pause()
        assert app.text == ""


async def test_what_is_hidden_is_told_when_it_comes_to_be_seen() -> None:
    app = Aside()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.show("Alpha")
        app.show("Beta")
        await pilot.pause()
        assert app.text == ""
        await pilot.resize_terminal(140, 40)
        await pilot.pause()
        assert app.text.startswith("Beta")


async def test_the_key_that_limits_a_sending_one_is_the_one_in_force() -> None:
    app = Aside()
    app.key_map = {"keys.edit": "f9"}
    async with app.run_test(size=(140, 40)) as pilot:
        await pilot.pause()
        key = Key("1", "Mailer", raw_grants=("transmissions/modify",), raw_valid_ips=())
        context = KeyContext(attention=Attention(are_ips_told=True))
        app.query_one(KeyFacts).show(key, context)
        await pilot.pause()
        assert "It sends mail: F9 limits it." in app.text


def test_a_line_that_is_broken_keeps_its_indent() -> None:
    key = Key("1", "Alpha", raw_grants=("transmissions/modify",))
    text = describe_key(key, CONTEXT, 30).plain
    assert "\n     GET, POST, PUT, DELETE on\n     /api/v1/transmissions\n" in text


def test_what_a_grant_allows_that_is_not_documented_is_judged_by_its_name() -> None:
    key = Key("1", "Alpha", raw_grants=("subaccount/view", "metrics/view", "odd"))
    text = describe_key(key, CONTEXT, 80).plain
    assert "GET on /api/v1/subaccounts, to judge by its name\n" in text
    assert text.count("to judge by its name") == 1
