"""A terminal that takes no more output: that costs frames, never time."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.conftest import NodeMaker
from tests.node import Node
from tests.program.program import Program, StartProgram, until
from tests.terminal import PATIENCE

KEYS = 40


@pytest.fixture
def node(node_with: NodeMaker) -> Node:
    node = node_with(seeds=False)
    for number in range(KEYS):
        node.add_key(f"Job {number}")
    return node


def overfill(program: Program) -> None:
    """Have more drawn than a pseudo-terminal holds."""
    for _ in range(20):
        program.resize(81, 24)
        program.send("\x1b[F\x1b[H")
        program.resize(80, 24)


def test_a_run_goes_on_while_the_terminal_stands_still(
    to_node: StartProgram, node: Node, tmp_path: Path
) -> None:
    program = to_node()
    program.sign_in(node)
    program.send("ar")
    program.shows(f"Rotate {KEYS} API keys", "To a new file")
    program.send(f"{node.password}\t{tmp_path}/s.env")
    program.wait_for("•" * len(node.password))
    program.stall()
    program.press("enter")
    until(lambda: len(node.keys()) == 2 * KEYS)
    written = tmp_path / "s.env"
    until(lambda: written.exists() and len(written.read_text().splitlines()) >= KEYS)
    program.keep_up()
    program.shows(f"Rotate {KEYS} API keys", f"{KEYS} of {KEYS} · done", "Job 12 ✓ ✓ ✓")
    program.press("ctrl+q")
    program.leaves()


def test_the_whole_screen_is_painted_once_it_keeps_up(to_node: StartProgram, node: Node) -> None:
    program = to_node()
    program.sign_in(node)
    program.stall()
    overfill(program)
    program.press("n")
    program.send("Typed blindly")
    program.keep_up()
    program.shows("Create New API Key", "Typed blindly")
    program.press("escape")
    program.shows("Discard the draft?")
    program.press("tab", "enter")
    program.at_keys()
    program.shows("40 keys", *(f"Job {number} r-- metrics" for number in range(10)))
    program.press("q")
    program.leaves()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_while_the_terminal_stands_still(
    to_node: StartProgram, node: Node, number: signal.Signals
) -> None:
    program = to_node()
    program.sign_in(node)
    program.stall()
    overfill(program)
    program.signal(number)
    assert program.process.wait(PATIENCE) == 128 + number, "though nothing is taken"
    program.keep_up()
    program.leaves(128 + number)


def test_the_shell_s_descriptors_still_wait(to_node: StartProgram, node: Node) -> None:
    program = to_node()
    program.sign_in(node)
    with open(f"/proc/{program.process.pid}/fdinfo/1", encoding="ascii") as info:  # noqa: PTH123
        flags = int(next(line for line in info if line.startswith("flags")).split()[1], 8)
    assert not flags & os.O_NONBLOCK
    program.press("q")
    program.leaves()
