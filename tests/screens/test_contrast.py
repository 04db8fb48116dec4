"""Each colour on each other that the screens really use can be told apart, in every theme.

One session per test stops at many places; at each, all themes are put on one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from rich.color import Color, ColorSystem
from rich.segment import Segment
from textual._context import visible_screen_stack

from tests.colours import MANY_COLOURS, SIXTEEN, Terminal, pairs
from tests.conftest import NodeMaker
from tests.driver import WIDE, Operator, Page, at_login, key_for
from tests.node import Node
from tests.screens.rotation_pages import API, Log, begin_rotating, signed_in, with_marked
from tui.ui.appearance import Appearance
from tui.ui.bindings import Place
from tui.ui.themes import FEW_COLOURS, PALETTES

LOOKS: list[tuple[Appearance, tuple[Terminal, ...]]] = [
    (Appearance(name, ColorSystem.STANDARD), SIXTEEN)
    if name in FEW_COLOURS
    else (Appearance(name), MANY_COLOURS)
    for name in PALETTES
]
PLAIN = Appearance("sixteen", None)
"""As with NO_COLOR, or on a monochrome terminal."""


class Measure:
    """Looks at screens in all themes, and keeps the least contrasts."""

    def __init__(self) -> None:
        self.least: dict[tuple[str, str, bool], tuple[float, str]] = {}
        self.faults: list[str] = []

    async def look(self, page: Page, where: str) -> None:
        """Measure what the screen shows now."""
        me = page.me
        await me.settle()
        for look, terminals in LOOKS:
            me.app.take_on(look)
            await me.settle()
            beneath = Color.parse(PALETTES[look.theme]["background"])
            for pair, text in pairs(segments(me), beneath).items():
                for terminal in terminals:
                    value = pair.contrast_on(terminal)
                    kind = (look.theme, terminal.name, pair.is_text)
                    self.least[kind] = min(self.least.get(kind, (99.0, "")), (value, text))
                    if value < pair.least:
                        self.faults.append(
                            f"{where}, {look.theme}, {terminal.name}: {text[:30]!r} {value:.2f}"
                        )
        me.app.take_on(PLAIN)
        await me.settle()
        for segment in segments(me):
            used = (segment.style.color, segment.style.bgcolor) if segment.style else ()
            if any(colour is not None and not colour.is_default for colour in used):
                self.faults.append(f"{where}, without colours: {segment.text[:30]!r}")


def segments(me: Operator) -> list[Segment]:
    """Return all that the screen shows, in its colours."""
    visible_screen_stack.set(me.app._background_screens)
    return [segment for strip in me.screen._compositor.render_strips() for segment in strip]


@pytest.fixture
def measure() -> Iterator[Measure]:
    measure = Measure()
    yield measure
    assert "\n".join(measure.faults) == ""


async def test_signing_in_and_what_a_key_goes_through(
    node_with: NodeMaker, measure: Measure
) -> None:
    node = node_with()
    node.add_key("Newsletter SMTP relay", ("smtp/inject",), valid_ips=("10.8.0.0/16",))
    async with at_login(node, password=SecretStr("not the right one")) as login:
        await login.submit()
        await login.refused("The sign-in was not accepted")
        await login.is_back()
        await login.fill("server", "")
        await measure.look(login, "sign in")
        await login.fill("server", node.url)
        await login.fill("password", node.password)
        keys = await login.sign_in()
        form = await keys.new()
        await form.fill("ips", "192.0.2.256")
        await form.save()
        await form.says_beside("ips", "192.0.2.256")
        await form.give("View Metrics")
        await measure.look(form, "form")
        await form.fill("ips", "")
        secret = await form.create("Order confirmations", node.password, "View Webhooks")
        await measure.look(secret, "secret")
        keys = await secret.stored()
        await keys.me.press(key_for(Place.KEYS, "mark"))
        await measure.look(keys, "keys")
        await keys.me.press("a", "a")  # all are marked, then none
        await keys.me.press(key_for(Place.KEYS, "find"), *"relay")
        await measure.look(keys, "search")
        await keys.me.press("escape", "escape")
        await keys.me.press(key_for(Place.ANYWHERE, "help"))
        await measure.look(keys, "help")
        await keys.me.press("escape")
        delete = await keys.delete("Order confirmations")
        await measure.look(delete, "delete")
        await delete.me.press("tab")
        await measure.look(delete, "delete, on the red button")
        await delete.me.press("escape")
        delete = await keys.delete("Newsletter SMTP relay")
        await delete.fill("typed", "Newsletter")
        await delete.me.press("enter")
        await measure.look(delete, "delete, typed")
        await delete.me.press("escape")
        node.stop()
        await keys.me.press(key_for(Place.KEYS, "reload"))
        await keys.me.until("refused the connection")
        await measure.look(keys, "keys, with a problem")
    assert {kind for *_, kind in measure.least} == {True, False}, "texts and edges were seen"


async def test_rotating_verifying_and_the_journal(node: Node, measure: Measure) -> None:
    async with signed_in(node, WIDE) as keys:
        rotate = await begin_rotating(keys)
        await measure.look(rotate, "rotation")
        await rotate.rotate(node)
        await measure.look(rotate, "rotation, verified")
        await rotate.press("later")
        await keys.shown()
        await keys.me.until("retiring")
        await measure.look(keys, "keys, one retiring")
        await keys.me.press("a")
        bulk = await with_marked(keys, "rotate")
        await measure.look(bulk, "many")
        node.fail("POST", API, "503-html")
        await bulk.begin(command="sh -c 'cat >/dev/null' {id}", password=node.password)
        await bulk.over("failed")
        await measure.look(bulk, "many, done")
        keys = await bulk.leave()
        await measure.look(await Log.open(keys), "journal")


async def test_a_list_that_cannot_be_read(node: Node, measure: Measure) -> None:
    node.fail("GET", API, "503-html", 3)
    async with at_login(node) as login:
        await login.submit()
        await login.me.until("Try again")
        await measure.look(login, "no keys")
