"""What is drawn, and where to."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.node import Node
from tests.terminal import Terminal


def test_what_is_drawn_never_goes_to_a_log(node: Node, tmp_path: Path) -> None:
    command = f"{sys.executable} -m tui --url {node.url} 2>{tmp_path}/log"
    with Terminal(["sh", "-c", command], env={"XDG_STATE_HOME": str(tmp_path)}) as terminal:
        terminal.wait_for("Password")
        terminal.wait_for("F1 Help")
        terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0
        assert terminal.left_behind() == []
    assert (tmp_path / "log").read_bytes() == b""


def test_a_terminal_without_unicode_gets_what_it_knows(node: Node, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tui", "--url", node.url, "--username", node.username]
    node.add_key("日本 ✓")
    env = {"PYTHONIOENCODING": "ascii", "XDG_STATE_HOME": str(tmp_path)}
    with Terminal(command, env=env) as terminal:
        terminal.wait_for("F1 Help")
        terminal.wait_for("+-----")
        terminal.send(node.password)
        terminal.wait_for("*" * len(node.password))
        terminal.press("enter")
        terminal.wait_for("???? v")
        assert terminal.raw.isascii()
        terminal.press("q")
        assert terminal.wait_exit() == 0
        assert terminal.left_behind() == []
