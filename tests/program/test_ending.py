"""However the program ends, the terminal is given back, and the server hears of it if it can."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.node import Node
from tests.program.program import FIRST_ROW, SECRET, StartProgram
from tests.terminal import Terminal

LOGOUT = "/api/v1/authenticate/logout"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_it_at_the_login(start: StartProgram, number: signal.Signals) -> None:
    program = start("--url", "https://momentum.example")
    program.at_login()
    program.signal(number)
    program.leaves(128 + number)


IGNORING = """
import signal
from tui import cli

signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGQUIT, signal.SIG_IGN)
cli.run()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_a_signal_that_a_background_job_ignores_ends_it(
    start: StartProgram, number: signal.Signals
) -> None:
    program = start("--url", "https://mail.example", driver=IGNORING)
    program.at_login()
    program.signal(number)
    program.leaves(128 + number)


def test_a_signal_signs_out_and_asks_nothing(to_node: StartProgram, node: Node) -> None:
    program = to_node()
    program.sign_in(node)
    program.send("nHalf a thought")
    program.shows("Half a thought")
    node.fail("POST", LOGOUT, "hang", 2)
    program.signal(signal.SIGTERM)
    program.leaves(143)
    assert node.seen("POST", LOGOUT) == 2, "access and refresh token, at once"
    node.heal()


def test_a_signal_erases_the_plain_view(to_node: StartProgram, node: Node) -> None:
    program = to_node()
    program.sign_in(node)
    program.send(f"nPlain\t{node.password}\t\t\t \r")
    program.shows("The API key was created")
    secret = program.secret
    program.send("p")
    program.shows("Press Enter to erase this")
    program.signal(signal.SIGTERM)
    program.leaves(143)
    assert secret not in program.text
    assert not SECRET.search(program.text)
    assert node.seen("POST", LOGOUT) == 3, "the check's token, then access and refresh token"


def test_a_terminal_lost_in_the_plain_view_ends_it(to_node: StartProgram, node: Node) -> None:
    program = to_node()
    program.sign_in(node)
    program.send(f"nPlain\t{node.password}\t\t\t \r")
    program.shows("The API key was created")
    program.send("p")
    program.shows("Press Enter to erase this")
    program.hang_up()
    assert program.wait_exit() == 129
    assert not list(program.state.glob("*crash*"))


@pytest.mark.parametrize("heard", [True, False], ids=["hangup", "nohup"])
def test_a_lost_terminal_ends_it(node: Node, tmp_path: Path, heard: bool) -> None:
    way = "signal.SIG_DFL" if heard else "signal.SIG_IGN"
    code = (
        f"import signal; signal.signal(signal.SIGHUP, {way})\n"
        "from tui.cli import main; raise SystemExit(main())"
    )
    command = [sys.executable, "-c", code, "--url", node.url, "--username", node.username]
    with Terminal(command, env={"XDG_STATE_HOME": str(tmp_path)}) as terminal:
        terminal.wait_for("F1 Help")
        terminal.send(node.password + "\r")
        terminal.wait_for("Settings › API keys")
        terminal.hang_up()
        assert terminal.wait_exit() == 129
    assert node.seen("POST", LOGOUT) == 2


LOOKING_UP = """
import os, socket, sys, time
from tui import cli

def hang(*_, **__):
    os.write(2, b"\\x1b]0;looking up\\x07")
    time.sleep(12)

socket.getaddrinfo = hang
cli.run()
"""


@pytest.mark.parametrize("way", ["ctrl+q", "signal"])
def test_a_name_that_is_being_looked_up_does_not_hold_it_up(start: StartProgram, way: str) -> None:
    url = ("--url", "https://mail.example", "--username", "ops")
    program = start(*url, driver=LOOKING_UP)
    program.at_login()
    program.send("any\r")
    program.wait_bytes(b"looking up")
    if way == "ctrl+q":
        program.press("ctrl+q")
    else:
        program.signal(signal.SIGTERM)
    assert program.wait_exit(8) == (0 if way == "ctrl+q" else 143)
    program.leaves(0 if way == "ctrl+q" else 143)


WAITING = """
import threading

threads = threading.enumerate

def live_threads():
    os.write(2, b"\\x1b]0;waiting\\x07")
    return threads()

threading.enumerate = live_threads
cli.THREAD_SECONDS = 60
"""


def test_ctrl_c_is_heard_while_the_end_is_waited_for(start: StartProgram) -> None:
    driver = LOOKING_UP.replace("cli.run()", f"{WAITING}cli.run()")
    program = start("--url", "https://mail.example", "--username", "ops", driver=driver)
    program.at_login()
    program.send("any\r")
    program.wait_bytes(b"looking up")
    program.press("ctrl+q")
    program.wait_bytes(b"waiting")
    program.press("ctrl+c")
    assert program.wait_exit() == 0
    program.leaves()
    assert "Traceback" not in program.text


def test_it_leaves_the_sandbox_beside_it_stopped(start: StartProgram) -> None:
    program = start("--sandbox")
    program.shows("Sandbox on this machine", "http://127.0.0.1:")
    match = re.search(r"127\.0\.0\.1:(\d+)", program.text)
    assert match
    program.press("ctrl+q")
    program.leaves()
    with socket.socket() as caller:
        assert caller.connect_ex(("127.0.0.1", int(match[1]))) != 0


def test_it_stops_and_goes_on_as_other_programs_do(to_node: StartProgram, node: Node) -> None:
    program = to_node()
    program.sign_in(node)
    before = program.wait_quiet(0.6)
    for _ in range(2):
        mark = program.mark
        program.signal(signal.SIGTSTP)
        os.waitid(os.P_PID, program.process.pid, os.WSTOPPED)
        program.wait_bytes(b"\x1b[?1049l", since=mark)
        program.wait_for(lambda _: not program.left_behind())
        mark = program.mark
        program.signal(signal.SIGCONT)
        program.wait_bytes(FIRST_ROW, since=mark)
        program.wait_for(before)
    program.send("n")
    program.shows("Create New API Key")
    program.signal(signal.SIGSTOP)
    os.waitid(os.P_PID, program.process.pid, os.WSTOPPED)
    mark = program.mark
    program.signal(signal.SIGCONT)
    program.wait_bytes(FIRST_ROW, since=mark)
    program.send("Still typed")
    program.shows("Still typed")
    program.signal(signal.SIGTERM)
    program.leaves(143)


STRAY = """
import asyncio, threading
from tui import cli
from tui.ui.screens.keys import KeysScreen

class Destroyed:
    def __del__(self):
        secret = "5ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2"
        raise LookupError(secret)

def broken():
    secret = "5ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2"
    raise KeyError(secret)

mounted = KeysScreen.on_mount

def on_mount(self):
    asyncio.get_running_loop().call_soon(broken)
    threading.Thread(target=broken).start()
    Destroyed()
    mounted(self)

KeysScreen.on_mount = on_mount
cli.run()
"""


def test_a_fault_that_nobody_handles_leaves_a_report(to_node: StartProgram, node: Node) -> None:
    program = to_node(driver=STRAY)
    program.sign_in(node)
    program.press("q")
    program.leaves()
    reports = [path.read_text() for path in program.state.glob("momentum-keys-crash-*.txt")]
    assert sorted(report.splitlines()[2] for report in reports) == [
        "builtins.KeyError",
        "builtins.KeyError",
        "builtins.LookupError",
    ]
    assert (
        "momentum-keys met an internal error. Where it happened is written in" in program.sentences
    )
    for written in (*reports, program.raw.decode()):
        assert not SECRET.search(written)
