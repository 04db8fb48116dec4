"""The journal of the whole program: no home, a disk that hangs, and times of here."""

from __future__ import annotations

import pytest

from tests.node import Node
from tests.program.program import StartProgram


@pytest.mark.parametrize("home", ["", "here"])
def test_without_a_home_it_is_said_that_nothing_is_kept(
    to_node: StartProgram, node: Node, home: str
) -> None:
    program = to_node(env={"HOME": home, "XDG_STATE_HOME": ""})
    program.sign_in(node)
    program.shows("What you do is remembered only until you leave: HOME names no directory.")


HANGING = """
import os, threading
from tui import cli
from tui.journal import log
from tui.ui.screens import keys

log.FILE_SECONDS = 0.5
fsync = os.fsync

def hang(descriptor):
    if threading.current_thread() is not threading.main_thread():
        threading.Event().wait()
    raise AssertionError("the event loop waits for a disk")

os.fsync = hang
cli.run()
"""


def test_a_home_that_hangs_costs_a_notice(to_node: StartProgram, node: Node) -> None:
    program = to_node(driver=HANGING)
    program.sign_in(node)
    count = len(node.keys())
    program.send("d")
    program.shows("Delete API Key")
    program.press("tab", "enter")
    program.shows("was deleted.", "does not answer: what you do is not being noted.")
    assert len(node.keys()) == count - 1
    program.press("q")
    program.leaves()


HANGING_FOLDER = """
import threading
from tui import cli
from tui.keys import presence

presence.READ_SECONDS = presence.WRITE_SECONDS = 0.2

def hang(_):
    threading.Event().wait()

presence.Presence._read_files = presence.Presence._write_file = hang
cli.run()
"""


def test_a_folder_of_other_instances_that_hangs_holds_nothing_up(
    to_node: StartProgram, node: Node
) -> None:
    program = to_node(driver=HANGING_FOLDER)
    program.sign_in(node)
    program.send(f"nPlain\t{node.password}\t\t\t \r")
    program.shows("The API key was created")
    program.leave_secret()
    program.press("q")
    program.leaves()


def test_times_are_local_and_their_zone_is_said(to_node: StartProgram, node: Node) -> None:
    program = to_node(env={"TZ": "XST-5:30"})
    program.sign_in(node)
    program.send("d")
    program.shows("Delete API Key")
    program.press("tab", "enter")
    program.shows("was deleted.")
    line = program.state.joinpath("momentum-keys", "journal.jsonl").read_text().splitlines()[0]
    program.press("J")
    program.shows("Settings › Journal", "times in XST (UTC+05:30)")
    hour, minute = (int(line[at : at + 2]) for at in (20, 23))
    minutes = (60 * hour + minute + 330) % (24 * 60)
    assert f"{minutes // 60:02}:{minutes % 60:02} " in program.text
