"""The plain view is erased whatever happens in it, also where there is only one screen."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

import pytest

from tests.node import Node
from tests.program.program import SECRET, Program, StartProgram, until

PROMPT = "Press Enter to erase this"
ONE_SCREEN = [{"TERM": "vt100"}, {"TERM": "screen-256color", "STY": "1.pts-0.host"}]


def create(program: Program, node: Node) -> str:
    program.sign_in(node)
    program.send(f"nPlain\t{node.password}\t\t\t \r")
    program.shows("The API key was created")
    return program.secret


def in_plain_view(program: Program, node: Node) -> str:
    secret = create(program, node)
    program.send("p")
    program.shows(PROMPT)
    return secret


def phases(program: Program) -> list[str]:
    """Return what the lines of the journal on the disk say."""
    journal = program.state / "momentum-keys" / "journal.jsonl"
    return [json.loads(line)["phase"] for line in journal.read_text().splitlines()]


WAYS_BACK: list[Callable[[Program], None]] = [
    lambda program: program.press("enter"),
    lambda program: program.press("ctrl+c"),
    lambda program: program.press("ctrl+z"),
    lambda program: program.press("ctrl+d"),
    lambda program: program.signal(signal.SIGINT),
    lambda program: program.signal(signal.SIGTSTP),
]


def test_what_leaves_it_erases_it_and_the_program_goes_on(
    to_node: StartProgram, node: Node
) -> None:
    program = to_node()
    in_plain_view(program, node)
    for leave in WAYS_BACK:
        leave(program)
        program.shows("The API key was created", "Shown plain, and erased again.")
        program.press("p")
        program.shows(PROMPT)
    program.press("enter")
    program.shows("The API key was created")
    program.press("s")
    program.at_keys()
    program.press("q")
    program.leaves()
    assert not SECRET.search(program.text)


@pytest.mark.parametrize(
    ("number", "env"),
    [(signal.SIGTERM, {}), (signal.SIGHUP, ONE_SCREEN[0]), (signal.SIGQUIT, ONE_SCREEN[1])],
    ids=["two", "vt100", "screen"],
)
def test_a_signal_erases_it_and_ends_in_order(
    to_node: StartProgram, node: Node, number: signal.Signals, env: dict[str, str]
) -> None:
    program = to_node(env=env, has_alternate=not env)
    in_plain_view(program, node)
    program.signal(number)
    program.leaves(128 + number)
    assert not SECRET.search(program.text)
    assert not list(program.state.glob("*crash*"))


IMPATIENT = """
from tui import cli
from tui.ui import idle_lock
from tui.ui.screens import secret_box

locks = []
made, shown = idle_lock.IdleLock.__init__, secret_box.plain_view

def init(lock, *arguments):
    made(lock, *arguments)
    locks.append(lock)

def plain_view(*arguments, seconds):
    assert 0 < seconds <= 15 * 60
    (lock,) = locks
    lock.after_seconds = 0.5
    lock.note_key()
    lock.lock_when_due()
    return shown(*arguments, seconds=lock.seconds_left)

idle_lock.IdleLock.__init__, secret_box.plain_view = init, plain_view
cli.run()
"""


def test_it_is_erased_and_all_is_locked_where_nobody_comes_back(
    to_node: StartProgram, node: Node
) -> None:
    program = to_node(driver=IMPATIENT)
    create(program, node)
    program.send("p")
    program.wait_bytes(PROMPT.encode())
    program.shows("Locked", "No key was pressed for a while.")
    assert not SECRET.search(program.text)
    program.signal(signal.SIGTERM)
    program.leaves(143)
    assert not SECRET.search(program.text)


def test_a_program_killed_in_it_leaves_a_key_that_is_perhaps_stored(
    to_node: StartProgram, node: Node
) -> None:
    program = to_node()
    create(program, node)
    until(lambda: phases(program)[-1:] == ["done"])
    program.send("p")
    program.shows(PROMPT)
    program.signal(signal.SIGKILL)
    assert program.wait_exit() == -signal.SIGKILL
    assert phases(program) == ["begun", "done", "delivering"]

    again = to_node()
    again.sign_in(node)
    again.shows("Plain", "delivery cut off: v shows")


@pytest.mark.parametrize("env", ONE_SCREEN, ids=["vt100", "screen"])
def test_on_the_only_screen_the_secret_stands_alone(
    to_node: StartProgram, node: Node, env: dict[str, str]
) -> None:
    program = to_node(env=env, has_alternate=False)
    secret = in_plain_view(program, node)
    lines = [line for line in program.text.splitlines() if line]
    assert lines[1] == secret
    assert len(lines) == 3, "nothing of the program's own picture is left beside it"
    program.press("enter")
    program.shows("Shown plain, and erased again.")
    program.press("s")
    program.at_keys()
    program.press("q")
    program.leaves()
    assert "API keys" not in program.text
    assert not SECRET.search(program.text)


@pytest.mark.parametrize("env", ONE_SCREEN, ids=["vt100", "screen"])
def test_a_signal_erases_the_secret_from_the_only_screen(
    to_node: StartProgram, node: Node, env: dict[str, str]
) -> None:
    program = to_node(env=env, has_alternate=False)
    secret = create(program, node)
    program.signal(signal.SIGTERM)
    program.leaves(143)
    assert secret not in program.text
    assert "The API key was created" not in program.text
