"""What is sent over a whole walk through the program, against what Textual would have sent."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.node import Node
from tests.program.program import FIRST_ROW, Program, StartProgram

COMPARED = """
import sys
from pathlib import Path
from tests.program.both_streams import watch
from tui import cli
watch(Path(sys.argv.pop(1)))
cli.run()
"""
AT_ONCE, ENDED = b"\x1b[?2026h", b"\x1b[?2026l"
ENVIRONMENTS = {
    "256 colours": {},
    "16 colours": {"TERM": "screen"},
}


def look_about(program: Program) -> None:
    """Open and close what needs no answer of the server."""
    program.press("f1")
    program.shows("create a new API key", "Close")
    program.press("pagedown", "pageup", "escape")
    program.at_keys()
    program.press(*["j"] * 25, "pageup", "pagedown", "g")
    program.send("/mail\x1b")
    program.at_keys()
    program.send("2")
    program.send("J")
    program.shows("never a secret")
    program.press("escape")
    program.at_keys()
    program.resize(100, 30)
    program.has_read()
    program.press("ctrl+l")
    program.resize(80, 24)
    program.has_read()


@pytest.mark.parametrize("env", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_both_terminals_show_the_same_on_a_whole_walk(
    start: StartProgram, node: Node, tmp_path: Path, env: dict[str, str]
) -> None:
    for number in range(30):
        node.add_key(f"Mailer {number} 日本 e\u0301")
    report = tmp_path / "report"
    program = start(
        str(report), "--url", node.url, "--username", node.username, driver=COMPARED, env=env
    )
    program.sign_in(node)
    look_about(program)
    program.send(f"nA new one\t{node.password}\t\t\t \r")
    program.shows("The API key was created")
    program.send("p")
    program.shows("Press Enter to erase this")
    program.press("enter")
    program.shows("Shown plain, and erased again.")
    program.press("s")
    program.at_keys()
    program.press("d")
    program.shows("Delete")
    program.signal(signal.SIGTSTP)
    os.waitid(os.P_PID, program.process.pid, os.WSTOPPED)
    program.signal(signal.SIGCONT)
    program.press("escape")
    program.at_keys()
    program.press("q")
    program.leaves()
    same, _, different = report.read_text().partition(" the same\n")
    assert different == ""
    assert int(same) > 50


def draw_anew(program: Program) -> None:
    program.press("ctrl+l")


def stop_and_go_on(program: Program) -> None:
    program.signal(signal.SIGTSTP)
    os.waitid(os.P_PID, program.process.pid, os.WSTOPPED)
    program.signal(signal.SIGCONT)


def resize(program: Program) -> None:
    program.resize(80, 23)


def resize_and_back_at_once(program: Program) -> None:
    """Leave no time to see the other size: a terminal has lost rows by then."""
    program.signal(signal.SIGWINCH)


@pytest.mark.parametrize("way", [draw_anew, stop_and_go_on, resize, resize_and_back_at_once])
def test_where_the_screen_may_be_another_one_all_of_it_is_sent(
    to_node: StartProgram, node: Node, way: Callable[[Program], None]
) -> None:
    program = to_node()
    program.sign_in(node)
    program.wait_quiet()
    texts = [line.split()[0] for line in program.text.splitlines() if line.strip()]
    mark = program.mark
    way(program)
    program.wait_bytes(FIRST_ROW, since=mark)
    program.wait_quiet()
    sent = program.bytes_since(mark).decode()
    shown = [line for line in program.text.splitlines() if line.strip()]
    assert texts[:1] == [shown[0].split()[0]]
    assert [line.split()[0] for line in shown if line.split()[0] not in sent] == []
    program.press("q")
    program.leaves()


def test_a_long_frame_is_shown_at_once_where_the_terminal_can(
    to_node: StartProgram, node: Node
) -> None:
    program = to_node()
    program.sign_in(node)
    program.wait_quiet()
    assert AT_ONCE not in program.raw
    program.send(b"\x1b[?2026;2$y")
    mark = program.mark
    program.press("f1")
    program.shows("create a new API key")
    program.wait_quiet()
    opened = program.bytes_since(mark)
    assert AT_ONCE in opened
    assert opened.count(AT_ONCE) == opened.count(ENDED)
    program.press("escape")
    program.at_keys()
    program.press("q")
    program.leaves()
    assert program.raw.count(AT_ONCE) == program.raw.count(ENDED)
