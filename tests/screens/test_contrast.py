"""Each colour on each other that the screens really use can be told apart, in every theme.

The screens are drawn in a palette of stand-ins, a colour of its own for each name: so one drawing
tells which names stand on which, and the contrasts of all palettes follow from their tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from pydantic import SecretStr
from rich.color import Color, ColorSystem
from rich.segment import Segment
from textual._context import visible_screen_stack

from tests.colours import MANY_COLOURS, SIXTEEN, Pair, Terminal, pairs
from tests.conftest import NodeMaker
from tests.driver import WIDE, Dialog, Operator, Page, at_login, key_for
from tests.node import Node
from tests.screens.rotation_pages import API, Log, begin_rotating, signed_in, with_marked
from tui.ui import themes
from tui.ui.appearance import Appearance
from tui.ui.bindings import Place
from tui.ui.themes import FEW_COLOURS, OF_TEXTUAL, PALETTES

MANY, FEW = Appearance("momentum"), Appearance("sixteen", ColorSystem.STANDARD)
"""What is drawn: fields and buttons have other signs where colours are few."""
PLAIN = Appearance("sixteen", None)
"""As with NO_COLOR, or on a monochrome terminal."""
STAND_INS = {name: f"#60{40 + 3 * place:02x}90" for place, name in enumerate(PALETTES["momentum"])}

Colours = Mapping[str, str]


def looks() -> Iterator[tuple[Appearance, str, Colours, Terminal]]:
    """Yield each palette: how it is drawn, its theme's name, and the terminal that shows it."""
    for name, palette in PALETTES.items():
        is_few = name in FEW_COLOURS
        for terminal in SIXTEEN if is_few else MANY_COLOURS:
            yield FEW if is_few else MANY, name, dict(palette), terminal
    for name in OF_TEXTUAL:
        for terminal in MANY_COLOURS:
            has_256_colours = terminal.colours is ColorSystem.EIGHT_BIT
            palette = themes._of_textual(name, has_256_colours=has_256_colours)
            yield MANY, name, palette, terminal


class Measure:
    """Looks at screens, and keeps which colours stand on which, each with where it was seen."""

    def __init__(self) -> None:
        self.seen: dict[Appearance, dict[tuple[str, str, bool], str]] = {MANY: {}, FEW: {}}
        self.faults: list[str] = []

    async def look(self, page: Page, where: str) -> None:
        """Take in what the screen shows now."""
        me = page.me
        await me.settle()
        names = {Color.parse(value).triplet: name for name, value in STAND_INS.items()}
        for look, seen in self.seen.items():
            me.app.take_on(look)
            await me.settle()
            beneath = Color.parse(STAND_INS["background"])
            for pair, text in pairs(segments(me), beneath).items():
                on = [names.get(colour.triplet) for colour in (pair.foreground, pair.background)]
                said = f"{where}: {text[:30]!r}"
                if None in on:
                    colours = f"{pair.foreground.triplet} on {pair.background.triplet}"
                    self.faults.append(f"{said} is in a colour of no palette: {colours}")
                else:
                    seen.setdefault((str(on[0]), str(on[1]), pair.is_text), said)
        me.app.take_on(PLAIN)
        await me.settle()
        for segment in segments(me):
            used = (segment.style.color, segment.style.bgcolor) if segment.style else ()
            if any(colour is not None and not colour.is_default for colour in used):
                self.faults.append(f"{where}, without colours: {segment.text[:30]!r}")

    def judge(self, palettes: list[tuple[Appearance, str, Colours, Terminal]]) -> None:
        """Hold what was seen against all palettes."""
        for look, name, palette, terminal in palettes:
            for (front, back, is_text), said in self.seen[look].items():
                pair = Pair(Color.parse(palette[front]), Color.parse(palette[back]), is_text)
                if (value := pair.contrast_on(terminal)) < pair.least:
                    on = f"{front} on {back}"
                    self.faults.append(f"{name}, {terminal.name}: {on} {value:.2f}, as in {said}")


def segments(me: Operator) -> list[Segment]:
    """Return all that the screen shows, in its colours."""
    visible_screen_stack.set(me.app._background_screens)
    return [segment for strip in me.screen._compositor.render_strips() for segment in strip]


@pytest.fixture
def measure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Measure]:
    measure, palettes = Measure(), list(looks())
    for look in (MANY, FEW):
        monkeypatch.setitem(PALETTES, look.theme, STAND_INS)
    yield measure
    for seen in measure.seen.values():
        assert seen
    measure.judge(palettes)
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


@pytest.mark.usefixtures("verifies_once")
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
        log = await Log.open(keys)
        await measure.look(log, "journal")
        await log.me.press("enter")
        await measure.look(log, "journal, in the list")
        keys = await log.leave()
        form = await keys.edit("Billing mailer")
        await form.give("View Metrics", "View Templates")
        await measure.look(form, "form, with changes")
        await form.me.press("escape")
        await (await Dialog(form.me).shown("Discard the draft?")).press_button("Discard")
        form = await (await keys.shown()).new()
        secret = await form.create("Orders", node.password, "Send via SMTP")
        await measure.look(secret, "secret")


@pytest.mark.usefixtures("repeats_at_once")
async def test_a_list_that_cannot_be_read(node: Node, measure: Measure) -> None:
    node.fail("GET", API, "503-html", 3)
    async with at_login(node) as login:
        await login.submit()
        await login.me.until("Try again")
        await measure.look(login, "no keys")
