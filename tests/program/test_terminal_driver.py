"""The pseudo-terminal itself: what it shows, what it sends, and what it gives back."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.terminal import Terminal

APP = """
from textual.app import App
from textual.widgets import Input, Label

class Tiny(App[None]):
    def compose(self):
        yield Input(placeholder="name")
        yield Label("ready", id="said")

    def on_input_submitted(self, event):
        self.query_one("#said").update(f"hello {event.value}")

    def on_resize(self, event):
        self.query_one(Input).border_title = f"{event.size.width} by {event.size.height}"

    def on_key(self, event):
        if event.key == "f5":
            self.exit(return_code=7)

app = Tiny()
app.run()
raise SystemExit(app.return_code)
"""


def shell(script: str) -> Terminal:
    return Terminal(["sh", "-c", script])


@contextmanager
def nothing_left_open() -> Iterator[None]:
    def descriptors() -> list[str]:
        return sorted(os.listdir("/dev/fd"))  # noqa: PTH208  # as names

    before, threads = descriptors(), set(threading.enumerate())
    yield
    assert descriptors() == before
    assert set(threading.enumerate()) <= threads  # those of other tests may have ended


def test_a_textual_app_is_shown_typed_into_resized_and_left_properly() -> None:
    with nothing_left_open(), Terminal([sys.executable, "-c", APP]) as terminal:
        terminal.wait_for("ready")
        terminal.send("Zoë")
        terminal.press("enter")
        terminal.wait_for("hello Zoë")
        terminal.resize(50, 10)
        terminal.wait_for("50 by 10")
        assert not terminal.restored()
        assert "alternate screen" in terminal.left_behind()
        terminal.press("f5")
        assert terminal.wait_exit() == 7
        assert terminal.left_behind() == []
        assert "ready" not in terminal.text


def test_a_killed_app_leaves_the_terminal_behind() -> None:
    with Terminal([sys.executable, "-c", APP]) as terminal:
        terminal.wait_for("ready")
        terminal.signal(signal.SIGKILL)
        assert terminal.wait_exit() == -signal.SIGKILL
        left = terminal.left_behind()
        assert {"alternate screen", "mouse clicks", "bracketed paste", "kitty keyboard"} < {*left}
        assert "terminal settings (raw mode, echo)" in left


def test_what_is_typed_reaches_the_program() -> None:
    with nothing_left_open(), Terminal(["cat"]) as terminal:
        terminal.send("one\n")
        terminal.wait_for(lambda screen: screen.count("one") == 2)
        mark = terminal.mark
        terminal.send("two\n")
        terminal.wait_for(lambda screen: screen.count("two") == 2)
        assert terminal.bytes_since(mark) == b"two\r\ntwo\r\n"
        terminal.press("ctrl+d")
        assert terminal.wait_exit() == 0


def test_the_terminal_is_the_controlling_one_of_the_program() -> None:
    with Terminal(["cat"]) as terminal:
        terminal.send("x\n")
        terminal.wait_for(lambda screen: screen.count("x") == 2)
        terminal.press("ctrl+c")
        assert terminal.wait_exit() == -signal.SIGINT


def test_a_lost_terminal_hangs_the_program_up() -> None:
    with nothing_left_open(), Terminal(["cat"]) as terminal:
        terminal.send("x\n")
        terminal.wait_for("x\nx")
        terminal.hang_up()
        assert terminal.wait_exit() == -signal.SIGHUP


def test_the_environment_is_made_up() -> None:
    with Terminal(["sh", "-c", "env | cut -d= -f1"], env={"MORE": "yes"}) as terminal:
        assert terminal.wait_exit() == 0
        names = {*terminal.text.split()}
        assert {"HOME", "LANG", "MORE", "PATH", "TERM"} <= names
        assert names.isdisjoint({"COLUMNS", "DISPLAY", "LINES", "SSH_TTY", "STY", "TMUX"})


@pytest.mark.parametrize(
    "sequence",
    [
        r"\033[>25u",
        r"\033[<u",
        r"\033[?2026$p",
        r"\033[?2026h",
        r"\033[4:3m",
        r"\033[>c",
        r"\033]52;c;aGk=\007",
        r"\033]8;;http://x\033\\",
        r"\033P\033]52;c;aGk=\007\033\\",
        r"\033(B",
    ],
)
def test_a_sequence_that_is_not_understood_leaves_no_trace(sequence: str) -> None:
    with shell(f"printf 'a{sequence}b'; read x") as terminal:
        terminal.wait_for("ab")
        assert terminal.text.strip() == "ab"


def test_a_character_and_a_sequence_cut_in_two_are_put_together() -> None:
    pieces = (r"a\342", r"\202\254b\033", r"[31mc\033[5", "Cd")
    script = "stty -echo; " + "; read x; ".join(f"printf '{piece}'" for piece in pieces)
    with shell(script) as terminal:
        for written in (b"a\xe2", b"b\x1b", b"c\x1b[5"):
            terminal.wait_bytes(written)
            terminal.send("\n")
        terminal.wait_exit()
        assert terminal.text.strip() == "a€bc     d"


def test_the_alternate_screen_hides_the_ordinary_one() -> None:
    with shell(r"printf 'below\033[?1049habove'; read x; printf '\033[?1049l'") as terminal:
        terminal.wait_for("above")
        assert "below" not in terminal.text
        terminal.send("\n")
        terminal.wait_gone("above")
        assert "below" in terminal.text
        assert terminal.wait_exit() == 0
        assert terminal.restored()


def test_a_complaint_shows_the_screen() -> None:
    with shell("printf something; read x") as terminal:
        terminal.wait_for("something")
        with pytest.raises(AssertionError, match=r"(?s)never showed 'else' within.*something"):
            terminal.wait_for("else", seconds=0.05)
        with pytest.raises(AssertionError, match="still shows 'some'"):
            terminal.wait_gone("some", seconds=0.05)
        with pytest.raises(AssertionError, match="still running"):
            terminal.wait_exit(seconds=0.05)
        terminal.send("\n")
        with pytest.raises(AssertionError, match="the program has ended"):
            terminal.wait_for("else")


def test_silence_can_be_waited_for() -> None:
    with shell("printf one; printf two; read x") as terminal:
        terminal.wait_for("two")
        assert terminal.wait_quiet(0.05).strip() == "onetwo"
    noise = shell("while printf x; do sleep 0.05; done")
    with noise, pytest.raises(AssertionError, match="never fell silent"):
        noise.wait_quiet(2, seconds=0.3)


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("enter", "\r"),
        ("ctrl+c", "\x03"),
        ("ctrl+q", "\x11"),
        ("alt+x", "\x1bx"),
        ("alt+up", "\x1b\x1b[A"),
        ("f1", "\x1bOP"),
        ("f5", "\x1b[15~"),
        ("f12", "\x1b[24~"),
        ("q", "q"),
    ],
)
def test_keys_have_names(key: str, sent: str) -> None:
    with shell("stty raw -echo; printf ready; cat") as terminal:
        terminal.wait_for("ready")
        terminal.press(key)
        terminal.wait_bytes(b"ready" + sent.encode())
