"""What is drawn, and where to."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LANG": "C"},
        {"LANG": "POSIX"},
        {"LC_ALL": "C"},
    ],
)
def test_a_terminal_without_unicode_gets_what_it_knows(
    env: dict[str, str], node: Node, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tui", "--url", node.url, "--username", node.username]
    node.add_key("日本 ✓")
    with Terminal(command, env={**env, "XDG_STATE_HOME": str(tmp_path)}) as terminal:
        terminal.wait_for("F1 Help")
        terminal.wait_for("|http")
        terminal.send(node.password)
        terminal.wait_for(">" + "*" * len(node.password))
        terminal.press("enter")
        terminal.wait_for("???? +")
        terminal.press("space", "2")
        terminal.wait_for("Permissions ^")
        terminal.wait_for(re.compile(r"^ \*\w", re.MULTILINE).search)
        assert terminal.text.replace("????", "").count("?") == 0
        assert terminal.raw.isascii()
        terminal.press("q")
        assert terminal.wait_exit() == 0
        assert terminal.left_behind() == []


def test_ascii_is_of_signs_and_leaves_labels_alone(node: Node, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tui", "--url", node.url, "--username", node.username]
    node.add_key("Grüße")
    with Terminal([*command, "--ascii"], env={"XDG_STATE_HOME": str(tmp_path)}) as terminal:
        terminal.wait_for("|http")
        terminal.wait_for("F1 Help")
        terminal.send(node.password + "\r")
        terminal.wait_for("Grüße")
        terminal.press("d")
        terminal.wait_for(">Cancel")
        assert {*bytes(terminal.raw).decode()} - {*map(chr, range(128))} == {*"üß"}


def test_without_colours_signs_tell_everything(node: Node, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tui", "--url", node.url, "--username", node.username]
    env = {"NO_COLOR": "1", "COLORTERM": "truecolor", "XDG_STATE_HOME": str(tmp_path)}
    with Terminal(command, env=env) as terminal:
        terminal.wait_for("F1 Help")
        terminal.wait_for("▏" + node.username)
        terminal.send(node.password)
        terminal.wait_for("▌" + "•" * len(node.password))
        terminal.press("enter")
        terminal.wait_for("▌ ")
        terminal.press("d")
        terminal.wait_for("▸Cancel ")
        terminal.wait_for("[Delete API Key]")
        terminal.press("tab")
        terminal.wait_for("[Cancel]")
        terminal.wait_for("▸Delete API Key ")
        assert colors_drawn(terminal.raw) == "no"


@pytest.mark.parametrize(
    ("arguments", "env", "background"),
    [
        ([], {}, "18;20;22"),
        ([], {"COLORFGBG": "0;15"}, "255;255;255"),
        (["--theme", "light"], {}, "255;255;255"),
        (["--theme", "momentum"], {"COLORFGBG": "0;15"}, "18;20;22"),
        (["--theme", "contrast"], {}, "0;0;0"),
    ],
)
def test_the_theme_is_chosen_or_fits_the_background(
    arguments: list[str], env: dict[str, str], background: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tui", *arguments]
    own = {"COLORTERM": "truecolor", "XDG_STATE_HOME": str(tmp_path)}
    with Terminal(command, env={**own, **env}) as terminal:
        terminal.wait_for("F1 Help")
        assert f"48;2;{background}m".encode() in terminal.raw


@pytest.mark.parametrize(
    ("env", "colors"),
    [
        ({"TERM": "xterm"}, "16"),
        ({"TERM": "alacritty"}, "256"),
        ({"TERM": "xterm-direct"}, "16 million"),
        ({"TERM": "xterm", "COLORTERM": "truecolor", "NO_COLOR": "1"}, "no"),
    ],
)
def test_the_colours_are_those_that_the_terminal_has(
    env: dict[str, str], colors: str, tmp_path: Path
) -> None:
    state = {"XDG_STATE_HOME": str(tmp_path)}
    with Terminal([sys.executable, "-m", "tui"], env={**state, **env}) as terminal:
        terminal.wait_for("F1 Help")
        assert colors_drawn(terminal.raw) == colors
        terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0


def colors_drawn(raw: bytes | bytearray) -> str:
    """Return how many colours the terminal must have for what was drawn."""
    codes = b";".join(re.findall(rb"\x1b\[([0-9;]+)m", raw))
    if re.search(rb"\b[34]8;2;", codes):
        return "16 million"
    if re.search(rb"\b[34]8;5;", codes):
        return "256"
    return "16" if re.search(rb"\b(3|4|9|10)[0-7]\b", codes) else "no"
