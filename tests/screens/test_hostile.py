"""Text from a hostile server, wherever it is shown: it is data, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from tests.conftest import NodeMaker
from tests.driver import Dialog, Keys, Operator, Page, at_keys, key_for
from tests.node import Node
from tui.api.models import Grant
from tui.sandbox.answers import BadRequest
from tui.sandbox.catalogue import edition
from tui.text import short
from tui.ui.bindings import Place

TEXTS = {
    "quit": "[@click=app.quit]x[/]",
    "leave": "[@click=app.leave]x[/]",
    "closing tag": "A[/foo]",
    "dismiss": "[ @click=screen.dismiss(True)]prod",
    "variable": "[$x]",
    "link": "[link=file:///etc/passwd]here[/link]",
    "backslash": "end\\",
    "clipboard": "\x1b]52;c;c3RvbGVu\x07",
    "title": "\x1b]0;owned\x07",
    "one byte": "\x9b2J\x9d0;owned\x9c",
    "bidi": "safe\u202egnp\u2066.exe",
    "long": "L" * 10_000,
    "long and wicked": "\u202e\x1b" * 5_000,
    "emoji": "👩‍🚀🏳️‍🌈 日本語",
    "lines": "one\ntwo\r\nthree",
    "empty": "",
}
WORST = [TEXTS[name] for name in ("dismiss", "closing tag", "clipboard", "long", "empty")]
MARKUP = [TEXTS[name] for name in ("quit", "leave", "closing tag", "dismiss", "variable", "link")]
OTHERS = [text for text in TEXTS.values() if text not in MARKUP]

OPEN, DELETE, EDIT = "enter", key_for(Place.KEYS, "delete"), key_for(Place.DETAIL, "edit")
MASK = "[ @click=app.quit]9ac1\x1b]0;owned\x07"


def assert_harmless(me: Operator) -> None:
    """Nothing on the screen can be acted on by the terminal, or runs something when clicked."""
    for strip in me.screen._compositor.render_strips():
        for segment in strip:
            assert not segment.control
            assert segment.text.isprintable(), repr(segment.text)
            if segment.style is not None:
                assert segment.style.link is None
                assert "@click" not in segment.style.meta
    assert me.app.clipboard == ""
    assert not me.app._exit
    assert me.app._exception is None


async def click_everywhere(page: Page, text: str, beside: str = "") -> None:
    """Click on each place where the beginning of a text is shown, as long as the screen stays."""
    me, screen = page.me, page.me.screen
    shown = short(text, 12).rstrip("…").split("  ")[0].strip()
    for row, line in enumerate(me.lines):
        start = line.find(shown) if shown else -1
        if start >= 0 and row and beside in line and me.screen is screen:
            await me.pilot.click(offset=(cell_len(line[:start]) + cell_len(shown) // 2, row))
            await me.settle()
            assert_harmless(me)


async def test_labels_owners_and_addresses(node_with: NodeMaker) -> None:
    node = node_with(seeds=False)
    for text in dict.fromkeys([*WORST, *TEXTS.values()]):
        node.add_key(text, ("metrics/view", text), (text,), owner=text or None, secret=f"{text}k")
    before = node.keys()
    async with at_keys(node) as keys:
        me = keys.me
        assert_harmless(me)
        for place, text in enumerate(WORST):
            await me.press("home", *["down"] * place)
            await me.press(OPEN)
            await me.until("API keys › Details")
            await me.settle()
            assert short(text, 8)[:3] in me.text
            assert_harmless(me)
            await click_everywhere(keys, text)
            await me.press(EDIT)
            form = await keys.edit_form()
            assert_harmless(me)
            await click_everywhere(keys, text, "Label")
            assert form.field("label").value == (short(text, 90_000))
            await me.press("escape")
            await keys.shown()
            await me.press(DELETE)
            dialog = await keys.delete_dialog()
            assert_harmless(me)
            await click_everywhere(dialog, text)
            assert "Are you sure?" in dialog.says
            await dialog.me.press("escape")
            await keys.shown()
            assert_harmless(me)
    assert node.keys() == before
    assert node.seen("DELETE", "/") == node.seen("PUT", "/") == 0


async def test_messages_of_what_was_done(node_with: NodeMaker) -> None:
    node = node_with(seeds=False)
    for text in WORST:
        node.add_key(text)
    async with at_keys(node) as keys:
        me = keys.me
        for text in WORST:
            dialog = await press_delete(keys)
            await dialog.press_button("Delete API Key")
            await me.until("was deleted.")
            await me.settle()
            assert short(text, 8)[:3] in me.text
            assert_harmless(me)
            await click_everywhere(keys, f"API key {text}")
            await me.press(key_for(Place.KEYS, "close_message"))
            await me.gone("was deleted.")
        await me.press(key_for(Place.KEYS, "journal"))
        await me.until("delete")
        assert_harmless(me)
    assert node.keys() == ()


async def press_delete(keys: Keys) -> Dialog:
    await keys.me.press("home", DELETE)
    await keys.delete_dialog()
    return Dialog(keys.me)


async def test_what_the_server_says_when_it_refuses(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a field, above the form, in the details, and as a message above the list."""
    said: list[dict[str, str]] = []

    def refuse(*_: object) -> None:
        raise BadRequest(*said)

    monkeypatch.setattr("tui.sandbox.key_routes.parse_draft", refuse)
    async with at_keys(node) as keys:
        me = keys.me
        form = await keys.edit("Nightly metrics export")
        await form.fill("label", "A change")
        for param, texts in (
            ("label", OTHERS), ("label", MARKUP), ("valid_ips", OTHERS), ("grants", MARKUP),
            ("", OTHERS), (TEXTS["quit"] + TEXTS["clipboard"], MARKUP),
        ):  # fmt: skip
            said[:] = [
                {"message": text, "description": text, "code": text, "param": param}
                for text in texts
            ]
            tries = node.seen("PUT", "/") + 1
            await form.save()
            await node.until("PUT", "/", tries)
            await me.until(lambda: me.screen.query_one("#form").disabled is False)
            await me.settle()
            assert texts[0] in me.text
            assert me.text.count("✗") <= 1, "what was wrong the last time is no more"
            assert_harmless(me)
            assert "View Metrics" in me.text, "the form is still to be seen"
            for text in texts[:3]:
                await click_everywhere(form, text)
            assert form.field("label").value == "A change"
        await me.press(key_for(Place.FORM, "details"))
        await Dialog(me).shown("status: 400")
        assert_harmless(me)
        await me.press("escape")


async def test_grants_of_a_hostile_catalogue(
    node_with: NodeMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their labels and descriptions in the list, in the form, and on the screen of a new key."""
    grants = tuple(Grant(f"grant/{n}", text, text) for n, text in enumerate(TEXTS.values()))
    hostile = replace(edition("momentum-4.2"), grants=grants)
    monkeypatch.setattr("tests.node.edition_named", lambda _: hostile)
    monkeypatch.setattr("tui.sandbox.seeding.USERNAME", MARKUP[0])
    node = node_with(seeds=False, mint=lambda: MASK)
    node.add_key("All of them", tuple(grant.key for grant in grants), secret="9ac1")
    async with at_keys(node) as keys:
        me = keys.me
        assert MARKUP[0] in me.lines[0], "who is signed in"
        await me.press("1", "2")
        assert_harmless(me)
        await me.press(OPEN)
        await me.until("API keys › Details")
        assert_harmless(me)
        await me.press("escape")
        form = await keys.new()
        await form.fill("label", MARKUP[3] + "\\")
        await form.fill("password", node.password)
        await form.give(TEXTS["quit"], TEXTS["closing tag"])
        assert_harmless(me)
        await click_everywhere(form, TEXTS["dismiss"])
        await form.save()
        await me.until("The API key was created")
        await me.settle()
        assert MARKUP[3] + "\\" in me.text
        assert "[ @click=app.quit]9ac1␛]0;owned␇" in me.text
        assert_harmless(me)
        for text in (MARKUP[3], TEXTS["quit"], TEXTS["closing tag"], MASK):
            await click_everywhere(form, text)
        assert "The API key was created" in me.text
        await me.press("escape")
        dialog = await Dialog(me).shown("Have you stored the secret?")
        assert_harmless(me)
        await click_everywhere(dialog, MARKUP[3])
        assert "Have you stored the secret?" in dialog.says
        await dialog.press_button("I have stored it")
        await keys.shown()
        await me.until("was created.")
        assert_harmless(me)


async def test_what_is_pasted_into_a_field_is_made_safe_as_well(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.new()
        for name in ("label", "ips"):
            for text in TEXTS.values():
                await form.go_to(name)
                await keys.me.press("end", "ctrl+u")
                await keys.me.paste(text)
                assert_harmless(keys.me)
                assert form.field(name).value.isprintable()
                noted = "Invisible characters were taken out" in form.field(name).note
                assert noted is (not text.replace("\r\n", "").replace("\n", "").isprintable())
        await form.fill("ips", "")
        await keys.me.paste("192.0.2.1\n\t192.0.2.2\u00a0192.0.2.3\r\n")
        assert form.field("ips").value == "192.0.2.1 192.0.2.2 192.0.2.3"
