"""Secrets and passwords are nowhere but where the operator wants them, and not for longer."""

from __future__ import annotations

import asyncio
import gc
import logging
import stat
import types
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from textual.widgets import Input
from textual.worker import Worker

from tests.driver import NOW, Dialog, Operator, at_keys, at_login, defaults_for, key_for
from tests.node import Node
from tui.ui.app import KeysApp
from tui.ui.bindings import Place

PASSWORD = "correct-horse-9f2b7"


_NOT_SEARCHED = (types.FrameType, types.ModuleType)
"""The frames hold what is searched for. Of a module the dictionary is searched: the module itself
hands out freed objects where it is Python 3.12's `_asyncio`, and the next collection never ends."""


def holders(text: str) -> list[str]:
    """Return which objects of this process hold a string with `text` in it."""
    gc.collect()
    names = []
    for thing in gc.get_objects():
        if not isinstance(thing, _NOT_SEARCHED):
            for held in gc.get_referents(thing):
                if isinstance(held, str) and text in held:
                    names.append(f"{type(thing).__module__}.{type(thing).__qualname__}")
    return names  # a comprehension would hold `text` in a cell, and find itself


class Hidden:
    """A secret that a test keeps where it is not found itself."""

    def __init__(self, secret: str) -> None:
        self._halves = secret[:20].encode(), secret[20:].encode()

    @property
    def holders(self) -> list[str]:
        return holders(b"".join(self._halves).decode())


async def test_masked_fields_give_nothing_away(node: Node) -> None:
    async with at_login(node, password=SecretStr(PASSWORD)) as page:
        me = page.me
        field = page.field("password").query_one(Input)
        await page.go_to("password")
        for key in ("ctrl+x", "super+c", "super+x", "ctrl+insert", "shift+delete"):
            await me.press("home", "shift+end", key)
            assert me.app.clipboard == ""
            assert field.value == PASSWORD
        assert PASSWORD not in me.text
        await me.pilot.click(field, times=2)
        assert not me.screen.get_selected_text()
        await me.press("ctrl+c")
        await me.until(lambda: me.app._exit)
        assert me.app.clipboard == ""


async def test_ctrl_c_in_a_masked_field_asks_before_a_draft_is_lost(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.new()
        await form.fill("password", PASSWORD)
        await form.fill("label", "A draft")
        await form.go_to("password")
        await keys.me.press("home", "shift+end", "ctrl+c")
        await Dialog(keys.me).shown("Discard the draft?")
        assert keys.me.app.clipboard == ""


async def test_invisible_characters_of_a_pasted_password_are_taken_out_and_told(
    node: Node,
) -> None:
    half, other = PASSWORD[:5], PASSWORD[5:]
    async with at_login(node, password=None) as page:
        await page.go_to("password")
        for pasted in (f"\ufeff{PASSWORD}\n", f"{half}\u200b{other}\u00a0", f"{PASSWORD}\x1b"):
            await page.me.paste(pasted)
            assert page.field("password").value == PASSWORD
            await page.me.until("Invisible characters were taken out of what you pasted.")
            await page.me.press("end", "x")
            await page.me.gone("Invisible characters")
            await page.me.press("ctrl+u")
        await page.me.paste(PASSWORD)
        assert not page.field("password").note


async def test_a_secret_is_nowhere_once_its_screen_is_left(
    node: Node, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole journey: create, send to the clipboard, write to a file, verify, leave."""
    caplog.set_level(logging.DEBUG)
    for name in ("TMUX", "STY", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    texts: list[str] = []
    begin = Worker.__init__

    def noted(self: Worker[object], *args: Any, **options: Any) -> None:  # noqa: ANN401  # as Worker's
        begin(self, *args, **options)
        texts.append(f"{self!r} {self.name} {self.group} {self.description}")

    monkeypatch.setattr(Worker, "__init__", noted)
    async with at_keys(node) as keys:
        me = keys.me
        screen = await (await keys.new()).create("Nightly job", node.password)
        secret = screen.secret
        await me.press(key_for(Place.SECRET, "clipboard"))
        await me.until("→ Sent to")
        assert me.app.clipboard == ""
        await screen.write(tmp_path / "key")
        await me.until("✓ Written to")
        assert (tmp_path / "key").read_text().strip() == secret
        await me.press(key_for(Place.SECRET, "verify"))
        await me.until("The server accepts the key.")
        await me.press("escape")
        assert holders(secret), "as long as it is shown, it is to be found"
        await screen.stored()
        await me.until("was created")
        await me.settle()
        texts += [me.text, caplog.text, *map(repr, me.app._journal.read().entries)]
        texts += [f"{worker.description} {worker!r}" for worker in me.app.workers]
        assert len(texts) > 10
        for text in texts:
            assert secret not in text
            assert node.password not in text
        assert me.app.clipboard == ""
        hidden = Hidden(secret)
        del screen, secret
        assert hidden.holders == []
        typed = [each.value for each in gc.get_objects() if isinstance(each, Input)]
        assert node.password not in typed


async def run_into_it(app: KeysApp) -> None:
    async with app.run_test() as pilot:
        me = Operator(pilot, app)
        await me.until("Sign in")
        await pilot.press(key_for(Place.ANYWHERE, "help"))
        await me.until(lambda: app._exit)


def test_a_crash_tells_one_sentence_and_no_value(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash(self: KeysApp) -> None:
        password = PASSWORD
        raise ValueError(f"{password} of {self}")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(KeysApp, "action_help", crash)
    app = KeysApp(defaults_for(node, password=SecretStr(PASSWORD)), now=lambda: NOW)
    with pytest.raises(ValueError, match="of KeysApp"):
        asyncio.run(run_into_it(app))
    app._print_error_renderables()
    (report,) = tmp_path.glob("*")
    said = "".join("".join(capsys.readouterr()).split())
    wanted = (
        "momentum-keys stopped because of an internal error. Where it happened is written in "
        f"{report}, without any secret."
    )
    assert said == wanted.replace(" ", "")
    assert app.return_code == 1
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    report_text = report.read_text(encoding="utf-8")
    assert "builtins.ValueError" in report_text
    assert " crash" in report_text
    assert PASSWORD not in report_text
