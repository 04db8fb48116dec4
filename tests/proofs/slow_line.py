"""What the program is like over a slow line, and how many keys get lost or misread on it.

Run by hand: `python -m tests.proofs.slow_line [SEED]`. A line of 1 kB/s each way, with 600 ms of
delay and pauses of 2 s, lies between a person's terminal and the program. That person types on
without looking, then looks before each step; some text is pasted. What the server got in the end
must be exactly what was typed. It prints how long each step took to be seen.
"""

from __future__ import annotations

import os
import random
import select
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.node import Node
from tests.program.program import Program

BYTES_A_SECOND = 1000
DELAY_SECONDS = 0.6
PAUSE_SECONDS = 2.0
PAUSES_APART = (5.0, 9.0)
"""How long the line goes on between two pauses, in seconds."""
KEYS_A_SECOND = 6.0
PATIENCE = 120.0
"""How long a step may take on this line, in seconds."""

_TICK_SECONDS = 0.01
_TICK_BYTES = int(BYTES_A_SECOND * _TICK_SECONDS)
_WHOLE = 16
"""A message of so many bytes is cut by no pause, as SSH sends it in one packet."""

PASTE = "\x1b[200~{}\x1b[201~"
ANSWERS = {
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",
    b"\x1b[?u": b"\x1b[?{kitty}u",
    b"\x1b[c": b"\x1b[?62;22c",
}
"""What the terminal answers to the questions that the program asks."""


class SlowLine(Program):
    """The program at the far end of a slow line; with `has_kitty`, Esc comes as a report."""

    def __init__(self, *arguments: str, state: Path, seed: int, has_kitty: bool) -> None:
        self._random = random.Random(seed)  # noqa: S311  # no secret
        self._kitty = has_kitty
        self._typed: deque[tuple[float, bytes]] = deque()
        self._drawn: deque[tuple[float, bytes]] = deque()
        self._answered = 0
        super().__init__(*arguments, state=state)

    @property
    def escape(self) -> str:
        """What the terminal sends for Esc."""
        return "\x1b[27u" if self._kitty else "\x1b"

    def send(self, text: str | bytes) -> None:
        """Send `text` down the line."""
        data = text.encode() if isinstance(text, str) else text
        self._typed.append((time.monotonic() + DELAY_SECONDS, data))

    def type(self, text: str) -> None:
        """Type `text` key by key, as fast as people do."""
        for character in text:
            self.send(character)
            time.sleep(1 / KEYS_A_SECOND)

    def _read(self) -> None:
        """Carry bytes in both directions, until the program ends."""
        pause_at = time.monotonic() + self._random.uniform(*PAUSES_APART)
        is_open = True
        while is_open or self._drawn:
            time.sleep(_TICK_SECONDS)
            now = time.monotonic()
            if now >= pause_at and self._is_cut_anywhere():
                pause_at = now + PAUSE_SECONDS + self._random.uniform(*PAUSES_APART)
                time.sleep(PAUSE_SECONDS)
                continue
            is_open = is_open and self._take(now)
            self._show(now)
            self._carry_keys(now)
            if select.select([self._waker], [], [], 0)[0]:
                break
        with self._news:
            self._ended = True
            self._news.notify_all()

    def _is_cut_anywhere(self) -> bool:
        """Tell whether nothing is under way that must arrive in one piece."""
        return not self._typed or len(self._typed[0][1]) > _WHOLE or self._is_whole

    _is_whole = True

    def _take(self, now: float) -> bool:
        if not select.select([self._master], [], [], 0)[0]:
            return True
        try:
            data = os.read(self._master, _TICK_BYTES)
        except OSError:  # the program's side is closed
            return False
        self._drawn.append((now + DELAY_SECONDS, data))
        return True

    def _show(self, now: float) -> None:
        with self._news:
            while self._drawn and self._drawn[0][0] <= now:
                self.raw += self._drawn.popleft()[1]
                self._news.notify_all()
            for question, answer in ANSWERS.items():
                at = self.raw.find(question, self._answered)
                if at >= 0:
                    self._answered = at + len(question)
                    kitty = b"1" if self._kitty else b"0"
                    self.send(answer.replace(b"{kitty}", kitty))

    def _carry_keys(self, now: float) -> None:
        left = _TICK_BYTES
        while left and self._typed and self._typed[0][0] <= now:
            due, data = self._typed.popleft()
            os.write(self._master, data[:left])
            self._is_whole = len(data) <= left
            if not self._is_whole:
                self._typed.appendleft((due, data[left:]))
            left -= min(left, len(data))


class Stopwatch:
    """Notes how long steps take to be seen."""

    def __init__(self) -> None:
        self.steps: dict[str, list[float]] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Note how long what is done within takes."""
        start = time.monotonic()
        yield
        self.steps.setdefault(name, []).append(time.monotonic() - start)

    def lines(self) -> list[str]:
        """Return a line for each step: how often, and the shortest and the longest time."""
        return [
            f"  {name:34} {len(times)} × {min(times):5.1f} to {max(times):5.1f} s"
            for name, times in self.steps.items()
        ]


def create_blindly(program: SlowLine, node: Node, label: str, watch: Stopwatch) -> None:
    """Create a key without looking at the screen before its secret is there."""
    with watch.step("a create typed without looking"):
        program.type(f"n{label}\t{node.password}\t\t\t \r")
        program.wait_for(
            lambda now: "The API key was created" in now and label in now, seconds=PATIENCE
        )


def create_looking(program: SlowLine, node: Node, label: str, watch: Stopwatch) -> None:
    """Create a key by paste, and wait for each step to be seen."""
    with watch.step("n, until the form stands there"):
        program.type("n")
        program.wait_for("Create New API Key", seconds=PATIENCE)
        program.wait_for("Password", seconds=PATIENCE)
    with watch.step("a pasted label, until it is seen"):
        program.send(PASTE.format(label))
        program.wait_for(label, seconds=PATIENCE)
    program.type("\t")
    program.send(PASTE.format(node.password))
    program.type("\t\t\t ")
    with watch.step("Enter, until the secret stands there"):
        program.type("\r")
        program.wait_for("The API key was created", seconds=PATIENCE)


def leave_secret(program: SlowLine, watch: Stopwatch) -> None:
    """Say that the secret is stored; the list comes back."""
    with watch.step("s, until the list is back"):
        program.type("s\t\r")
        program.wait_for("was created", seconds=PATIENCE)
        settled(program)


def settled(program: SlowLine) -> None:
    """Wait until nothing has come for longer than the line pauses."""
    program.wait_quiet(PAUSE_SECONDS + 2 * DELAY_SECONDS, seconds=PATIENCE)


def walk_about(program: SlowLine, watch: Stopwatch) -> None:
    """Press keys that open and close screens, and arrows in a burst; then drop a draft."""
    with watch.step("20 times ↓, until the row is reached"):
        for key in ("\x1b[B",) * 20:
            program.send(key)
            time.sleep(1 / 15)
        settled(program)
    program.type("nqdr")
    program.send(program.escape)
    with watch.step("Esc on a draft, until it asks"):
        program.wait_for("Discard the draft?", seconds=PATIENCE)
    program.type("\t\r")
    settled(program)


def run(seed: int, *, has_kitty: bool) -> list[str]:
    """Return how long the steps took; raises AssertionError where a key was lost or misread."""
    watch = Stopwatch()
    with Node() as node, tempfile.TemporaryDirectory() as folder:
        before = node.labels()
        to = ("--url", node.url, "--username", node.username)
        with SlowLine(*to, state=Path(folder), seed=seed, has_kitty=has_kitty) as program:
            with watch.step("start, until the form stands there"):
                program.wait_for("F1 Help", seconds=PATIENCE)
            with watch.step("signing in, until the list is there"):
                program.type(node.password + "\r")
                program.wait_for("Settings › API keys", seconds=PATIENCE)
            settled(program)
            wanted = []
            ways: list[Callable[..., None]] = [create_blindly, create_looking]
            for number in range(6):
                wanted.append(f"Line {number} quick brown")
                ways[number % 2](program, node, wanted[-1], watch)
                leave_secret(program, watch)
            walk_about(program, watch)
            assert node.labels() == [*before, *wanted], node.labels()
            assert {len(key.grants) for key in node.keys()[len(before) :]} == {1}
            with watch.step("q, until the shell is back"):
                program.type("q")
                assert program.wait_exit(PATIENCE) == 0
                program._reader.join(PATIENCE)
            assert program.left_behind() == []
            assert not [r for r in node.requests if r[0] in {"PUT", "DELETE"}]
    return watch.lines()


def main(seed: int) -> None:
    """Go through it on a plain terminal, and on one that reports keys in kitty's way."""
    for has_kitty in (False, True):
        kind = "reports keys in kitty's way" if has_kitty else "sends keys as ever"
        lines = run(seed, has_kitty=has_kitty)
        sys.stdout.write("\n".join([f"A terminal that {kind}: no key lost or misread", *lines, ""]))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
