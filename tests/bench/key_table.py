"""What the table of keys costs in a pseudo-terminal of 80x24.

Run by hand: `python -m tests.bench.key_table`. Bytes are what the terminal gets. Times are given as
multiples of the time that a bare interpreter takes to start, in the same run: ratios travel between
machines, milliseconds don't.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from statistics import median

ROWS = 100_000
QUIET = 0.25
"""After so many seconds without output, a step is over."""


def program(shown: bool) -> None:
    """Run an app with nothing but a table; keys s, a and f time its methods."""
    from textual.app import App, ComposeResult

    from tui.api.grants import MOMENTUM, Catalogue
    from tui.api.models import Key
    from tui.ui.widgets.columns import Column
    from tui.ui.widgets.key_table import KeyTable

    grants = [tuple(grant.key for grant in MOMENTUM[: n % 5]) for n in range(5)]
    keys = [
        Key(
            f"id{n}",
            f"Label {n * 7919 % 100_003}",
            f"{n:04x}",
            grants[n % 5],
            None,
            f"2024-0{n % 9 + 1}-11T00:00:{n % 60:02d}Z",
            f"user{n % 50}",
        )
        for n in range(ROWS)
    ]
    few = keys[::2]
    catalogue, now = Catalogue(), datetime(2026, 1, 1, tzinfo=UTC)

    class Bench(App[None]):
        def compose(self) -> ComposeResult:
            yield KeyTable()

        def on_mount(self) -> None:
            if shown:
                self.query_one(KeyTable).show(keys, catalogue, now)

        def on_key(self, key: object) -> None:
            table = self.query_one(KeyTable)
            steps = {
                "s": lambda: table.show(keys, catalogue, now),
                "f": lambda: table.show(few, catalogue, now),
                "1": lambda: table.sort(Column.LABEL),
                "2": lambda: table.sort(Column.PERMISSIONS),
                "4": lambda: table.sort(Column.AGE),
            }
            if step := steps.get(getattr(key, "key", "")):
                began = time.perf_counter()
                step()
                with suppress(OSError):
                    os.write(3, struct.pack("d", time.perf_counter() - began))

    Bench().run()


class Terminal:
    """The program in a pseudo-terminal, and a pipe for the times that it takes itself."""

    def __init__(self, shown: bool) -> None:
        main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.times, writes = os.pipe()
        keep = {"PATH", "HOME", "VIRTUAL_ENV"}
        environ = {name: value for name, value in os.environ.items() if name in keep}
        environ |= {"TERM": "xterm-256color", "LANG": "C.UTF-8", "TEXTUAL_ANIMATIONS": "none"}
        self.began = time.perf_counter()
        self.process = subprocess.Popen(  # noqa: S603  # our own interpreter
            [
                "/bin/sh",
                "-c",
                f'exec "$0" -m tests.bench.key_table {int(shown)} 3>&{writes}',
                sys.executable,
            ],
            stdin=side,
            stdout=side,
            stderr=side,
            env=environ,
            pass_fds=[writes],
            start_new_session=True,
        )
        os.close(side)
        os.close(writes)
        self.main = main

    def settle(self, patience: float = 10) -> tuple[int, float]:
        """Read until nothing more comes; return the bytes, and when the last of them came."""
        count, last = 0, time.perf_counter()
        while select.select([self.main], [], [], QUIET if count else patience)[0]:
            count += len(os.read(self.main, 65536))
            last = time.perf_counter()
        return count, last

    def press(self, keys: str) -> tuple[int, float]:
        """Send a key; return the bytes that came back, and the seconds to the last of them."""
        began = time.perf_counter()
        os.write(self.main, keys.encode())
        count, last = self.settle(QUIET * 4)
        return count, last - began

    def timed(self, keys: str) -> float:
        """Send a key that times a method; return the seconds that it took."""
        self.press(keys)
        (seconds,) = struct.unpack("d", os.read(self.times, 8))
        return float(seconds)


@contextmanager
def terminal(shown: bool) -> Iterator[Terminal]:
    """Run the program, and end it."""
    running = Terminal(shown)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()
        os.close(running.main)
        os.close(running.times)


def measure() -> None:
    """Print the table of all figures."""
    bare = []
    for _ in range(7):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-S", "-c", "pass"], check=True)
        bare.append(time.perf_counter() - began)
    unit = median(bare)
    print_row(f"bare interpreter = 1 ({unit * 1000:.0f} ms here)", "bytes", "time")
    first: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(3):
        for shown, took in first.items():
            with terminal(shown) as running:
                took.append(running.settle()[1] - running.began)
    print_row(
        f"first paint, {ROWS:,} keys made but not shown", "", f"{median(first[False]) / unit:.1f}"
    )
    more = median(first[True]) - median(first[False])
    print_row(f"first paint, {ROWS:,} rows, more than empty", "", f"{more / unit:.1f}")
    with terminal(True) as running:
        running.settle()
        for name, keys in (
            ("cursor down", "\x1b[B"),
            ("page down", "\x1b[6~"),
            ("scroll by one", "\x1b[B"),
        ):
            if name == "scroll by one":
                for _ in range(24):
                    running.press("\x1b[B")
            count, seconds = zip(*(running.press(keys) for _ in range(5)), strict=True)
            print_row(name, f"{median(count):,.0f}", f"{median(seconds) / unit:.2f}")
        for name, keys in (
            ("show() all", "s"),
            ("show() half, as a filter does", "f"),
            ("sort by label", "s1"),
            ("... the other way round", "1"),
            ("sort by permissions", "2"),
            ("sort by date", "4"),
            ("show() half of it, sorted", "f"),
        ):
            if len(keys) > 1:
                running.timed(keys[0])
            print_row(name, "", f"{running.timed(keys[-1]) / unit:.2f}")


def print_row(name: str, count: str, seconds: str) -> None:
    """Print one line."""
    print(f"{name:<48}{count:>8}{seconds:>8}")  # noqa: T201  # a script's output


if __name__ == "__main__":
    if len(sys.argv) > 1:
        program(sys.argv[1] == "1")
    else:
        measure()
