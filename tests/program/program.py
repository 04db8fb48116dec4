"""The whole program in a pseudo-terminal, with what a person at its keyboard does there."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

from tests.node import Node
from tests.terminal import PATIENCE, Terminal

SECRET = re.compile(r"\b[0-9a-f]{40}\b")
FOOTER = "F1 Help"
FIRST_ROW = b"\x1b[1H"
"""Where a whole frame begins."""
IMPATIENT = """
from tui import cli
from tui.ui.terminal import input_stage

input_stage.PASTE_SECONDS = 0
cli.run()
"""
"""The program where a paste can be given up at once."""

StartProgram = Callable[..., "Program"]


class Program(Terminal):
    """`momentum-keys` with these arguments; `driver` is a script to run in its place.

    `env` comes on top of the environment of a terminal; see `Terminal` for the rest.
    """

    def __init__(
        self,
        *arguments: str,
        state: Path,
        driver: str = "",
        env: Mapping[str, str] | None = None,
        has_alternate: bool = True,
        has_own_keyboard: bool = False,
    ) -> None:
        self.state = state
        how = ["-c", driver] if driver else ["-m", "tui"]
        own = {"XDG_STATE_HOME": str(state), "HOME": str(state), "TMPDIR": str(state)}
        if (runtime := state / "runtime").is_dir():
            own["XDG_RUNTIME_DIR"] = str(runtime)
        argv = [sys.executable, *how, *arguments]
        super().__init__(
            argv,
            env={**own, **(env or {})},
            has_alternate=has_alternate,
            has_own_keyboard=has_own_keyboard,
        )

    @property
    def sentences(self) -> str:
        """What the screen says, without the line breaks and frames of its layout."""
        return sentences(self.text)

    @property
    def secret(self) -> str:
        """The secret that the screen shows, once it is drawn."""
        return str(SECRET.findall(self.wait_for(lambda now: len(SECRET.findall(now)) == 1))[0])

    def shows(self, *texts: str) -> str:
        """Wait until the screen says all of this at once; return what it says."""
        return sentences(self.wait_for(lambda now: all(text in sentences(now) for text in texts)))

    def at_login(self) -> None:
        """Wait for the login form, the cursor in it."""
        self.shows("Password", FOOTER)

    def at_keys(self) -> None:
        """Wait for the list of keys."""
        self.wait_for(_is_list)

    def sign_in(self, node: Node) -> None:
        """Sign in as the node's user, whose name stands in the form."""
        self.at_login()
        self.send(node.password + "\r")
        self.at_keys()

    def sign_in_and_shows(self, node: Node, *texts: str) -> None:
        """Sign in as the node's user, and wait for a dialog above the list."""
        self.at_login()
        self.send(node.password + "\r")
        self.shows(*texts)

    def go_to(self, label: str) -> None:
        """Put the cursor on a key, from the top of the list."""
        self.press("g")
        self.wait_for(lambda now: _cursor_row(now) == 0 and _row_of(label, now) >= 0)
        down = _row_of(label, self.text)
        self.press(*["j"] * down)
        self.wait_for(lambda now: f"▌ {label}" in now)

    def leave_secret(self) -> None:
        """Leave the screen of a secret that was sent nowhere, and say that it is stored."""
        self.send("s")
        self.shows("Have you stored the secret?")
        self.send("i\r")
        self.at_keys()

    def has_read(self) -> None:
        """Wait until the program has read all that was sent: it takes in a window's size later."""
        columns, rows = self.size
        self.wait_quiet()
        mark = self.mark
        self.resize(columns + 1, rows)
        self.wait_bytes(FIRST_ROW, since=mark)

    def leaves(self, code: int = 0) -> None:
        """Wait for the end of the program: its exit code, and the terminal as it was found."""
        assert self.wait_exit() == code, self.text
        assert self.left_behind() == []


def until(wanted: Callable[[], object]) -> None:
    """Wait until something is true that the screen does not tell."""
    deadline = time.monotonic() + PATIENCE
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def sentences(text: str) -> str:
    return " ".join(re.sub("[│▏╭╮╰╯─]", " ", text).split())


def answer(url: str, secret: str) -> int:
    """Return what a server's gate answers to a key that wants to see the metrics."""
    with httpx.Client(trust_env=False, timeout=60) as client:
        return client.get(f"{url}/api/v1/metrics/", headers={"Authorization": secret}).status_code


def _is_list(text: str) -> bool:
    ready = FOOTER in text and "Reading the keys" not in text and "╭" not in text
    return ready and "Settings › API keys  " in text and ("▌" in text or "No API keys yet" in text)


def _head(text: str) -> int:
    lines = text.splitlines()
    return next(n for n, line in enumerate(lines) if line.split()[:1] == ["Key"]) + 1


def _row_of(label: str, text: str) -> int:
    rows = [line[2:] for line in text.splitlines()[_head(text) :]]
    return next((n for n, row in enumerate(rows) if row.startswith(label)), -1)


def _cursor_row(text: str) -> int:
    rows = text.splitlines()[_head(text) :]
    return next((n for n, row in enumerate(rows) if row.startswith("▌")), -1)
