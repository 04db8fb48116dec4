"""Label, short key and id go to the clipboard."""

from __future__ import annotations

import pytest

from tests.conftest import NodeMaker
from tests.driver import Dialog, Keys, at_keys, key_for
from tests.node import Node
from tests.screens.test_hostile import TEXTS, assert_harmless
from tui.ui.bindings import Place
from tui.ui.screens import key_actions

COPY = key_for(Place.KEYS, "copy")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a terminal without any other clipboard is sent."""
    for name in ("TMUX", "WAYLAND_DISPLAY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSH_TTY", "/dev/pts/9")
    sequences: list[str] = []
    monkeypatch.setattr(key_actions, "write_to_terminal", lambda _, text: sequences.append(text))
    return sequences


@pytest.mark.parametrize(
    ("letter", "name", "base64"),
    [("l", "Label", "QmlsbGluZyBtYWlsZXI="), ("s", "Short key", "OWFjMQ=="), ("i", "ID", "")],
)
async def test_a_name_of_the_key_is_copied(
    node_with: NodeMaker, sent: list[str], letter: str, name: str, base64: str
) -> None:
    node = node_with(seeds=False)
    node.add_key("Billing mailer", secret="9ac1".ljust(40, "0"))
    async with at_keys(node) as keys:
        await keys.me.press(COPY)
        await Dialog(keys.me).shown("What goes to the clipboard?")
        await keys.me.press(letter)
        await keys.me.until(f"{name}: sent to the terminal's clipboard (OSC 52).")
        (sequence,) = sent
        assert sequence.startswith("\x1b]52;c;")
        assert base64 in sequence


async def test_nothing_is_copied_without_a_choice(node: Node, sent: list[str]) -> None:
    async with at_keys(node) as keys:
        await keys.me.press("enter")
        await keys.me.until("API keys › Details")
        await keys.me.press(COPY)
        dialog = await Dialog(keys.me).shown("What goes to the clipboard?")
        await dialog.cancel()
        await keys.shown()
        assert sent == []


async def test_a_hostile_label_can_do_nothing(node_with: NodeMaker, sent: list[str]) -> None:
    node = node_with(seeds=False)
    node.add_key(TEXTS["clipboard"] + TEXTS["lines"] + TEXTS["quit"])
    async with at_keys(node) as keys:
        await keys.me.press(COPY)
        await Dialog(keys.me).shown("What goes to the clipboard?")
        assert_harmless(keys.me)
        await keys.me.press("enter")
        await keys.me.until("Label: sent")
        assert_harmless(keys.me)
        assert len(sent) == 1
        await Keys(keys.me).shown()
