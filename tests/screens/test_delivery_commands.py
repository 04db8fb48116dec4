"""A secret's command: picked from what is on offer, changed, remembered, stopped."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.driver import Dialog, Secret, at_keys, key_for
from tests.node import Node
from tui.ui.bindings import Place

COMMAND = key_for(Place.SECRET, "command")
TITLE = "Hand the secret to a command"
FOR_PASS = "pass insert --multiline momentum/{label}"
COREUTILS = str(Path(shutil.which("cat") or "").parent)


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a made-up `pass` keeps what it is given; nothing else is installed."""
    (tmp_path / "pass").write_text(f"#!/bin/sh\n{COREUTILS}/cat > {tmp_path}/kept\n")
    (tmp_path / "pass").chmod(0o700)
    (tmp_path / "wait").write_text(
        f"#!/bin/sh\n{COREUTILS}/cat > /dev/null; {COREUTILS}/sleep 600\n"
    )
    (tmp_path / "wait").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


async def test_a_command_is_picked_from_what_is_installed_and_offered_again(
    node: Node, vault: Path
) -> None:
    async with at_keys(node) as keys:
        page = await (await keys.new()).create("Nightly job", node.password)
        await keys.me.press(COMMAND)
        dialog = await Dialog(keys.me).shown(TITLE)
        assert dialog.field("answer").value == ""
        await dialog.me.until(FOR_PASS)
        await dialog.me.press("down")
        assert dialog.field("answer").value == FOR_PASS
        await dialog.me.press("enter")
        await dialog.me.until("took it (exit 0)")
        assert (vault / "kept").read_text() == page.secret
        assert "Nightly-job" in page.says
        await keys.me.press(key_for(Place.SECRET, "stored"))
        await keys.shown()  # nothing is asked, as it was sent somewhere
        await (await keys.new()).create("Another job", node.password)
        await keys.me.press(COMMAND)
        dialog = await Dialog(keys.me).shown(TITLE)
        assert dialog.field("answer").value == FOR_PASS
        await dialog.cancel()
        await Secret(keys.me).stored()


async def test_a_command_that_hangs_is_stopped_and_changed(node: Node, vault: Path) -> None:
    async with at_keys(node) as keys:
        page = await (await keys.new()).create("Nightly job", node.password)
        await keys.me.press(COMMAND)
        dialog = await Dialog(keys.me).shown(TITLE)
        await dialog.answer("wait {label}")
        await keys.me.until("The command runs · x stops it")
        await keys.me.press(COMMAND)
        await keys.me.until("wait Nightly-job was stopped.")
        dialog = await Dialog(keys.me).shown("Whether it stored the secret is not known.")
        assert dialog.field("answer").value == "wait {label}"
        await dialog.answer(FOR_PASS)
        await keys.me.until("took it (exit 0)")
        assert (vault / "kept").read_text() == page.secret
        await page.stored()
