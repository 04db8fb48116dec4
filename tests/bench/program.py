"""What the whole program costs in a pseudo-terminal of 80x24, against a node on the loopback.

Run by hand: `python -m tests.bench.program`. Bytes are what the terminal gets; times run from a key
to the last byte, or to the first row where it says so. Times and CPU are given as multiples of what
`python -c pass` takes in the same run: ratios travel between machines, milliseconds don't.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, partial
from statistics import median
from typing import NamedTuple

from tests.node import Node
from tests.terminal import Terminal

STARTS, REPEATS, IDLE, MANY = 7, 7, 5.0, 100_000
QUIET = 0.4
"""After so many seconds without output, a step is over."""

LABEL = "Sender"
"""What the labels of all keys begin with, and nothing else on the screen does."""

FLOOR = """
from textual.app import App
from textual.widgets import DataTable, Footer, Header, Input

class Floor(App[None]):
    TITLE = "the floor"
    BINDINGS = [("f1", "help", "Help")]

    def compose(self):
        yield Header()
        yield DataTable()
        yield Input()
        yield Footer()

    def on_mount(self):
        self.query_one(Input).cursor_blink = False
        self.query_one(DataTable).add_columns("one", "two")

Floor().run()
"""


class Cost(NamedTuple):
    """What one step takes."""

    bytes: float
    seconds: float


class Program(Terminal):
    """A program that is timed; `began` is when its start was asked for."""

    def __init__(self, *arguments: str) -> None:
        self.began = time.perf_counter()
        super().__init__([sys.executable, *arguments])

    def until(self, wanted: bytes, seconds: float = 60) -> float:
        """Wait for bytes that were not there yet (none: for any); return when they came."""
        mark, deadline = self.mark, time.perf_counter() + seconds
        while not (new := self.bytes_since(mark)) or wanted not in new:
            assert time.perf_counter() < deadline, f"{wanted!r} never came:\n{self.text}"
            time.sleep(0.001)
        return time.perf_counter()

    def settle(self, since: int, began: float, quiet: float = QUIET) -> Cost:
        """Wait until nothing more comes; return what came since then, and when it ended."""
        mark, last = self.mark, time.perf_counter()
        while (now := time.perf_counter()) - last < quiet:
            if (grown := self.mark) > mark:
                mark, last = grown, now
            time.sleep(0.001)
        return Cost(mark - since, last - began)

    def does(self, *keys: str) -> Cost:
        """Press keys, and return what they cost."""
        mark, began = self.mark, time.perf_counter()
        self.press(*keys)
        self.until(b"")
        return self.settle(mark, began)

    def idle(self, name: str) -> None:
        """Tell what is written while nobody does anything."""
        mark = self.mark
        time.sleep(IDLE)
        print_row(f"  idle for {IDLE:.0f} s: {name}", self.mark - mark)


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds, and the CPU seconds of child processes, that something took."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    run()
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def python(*arguments: str) -> tuple[float, float]:
    """Run the interpreter to its end; return the medians of seconds and CPU seconds."""
    command = [sys.executable, *arguments]
    run = partial(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)
    took, used = zip(*(timed(run) for _ in range(3 * STARTS)), strict=True)
    return median(took), median(used)


UNIT = cache(lambda: python("-c", "pass"))
SHIM = cache(lambda: python("-I", "-S", "-c", "import fcntl, os, signal, sys, termios"))
"""What the terminal takes to hand over to a program, which is not the program's."""


def print_row(name: str, count: float | None, seconds: float | None = None, cpu: float = 0) -> None:
    """Print one line."""
    counted = "" if count is None else f"{count:,.0f}"
    took = "" if seconds is None else f"{seconds / UNIT()[0]:.2f}"
    used = f"{cpu / UNIT()[1]:.2f}" if cpu else ""
    print(f"{name:<46}{counted:>10}{took:>10}{used:>10}", flush=True)  # noqa: T201  # a script's output


def print_steps(name: str, costs: Sequence[Cost]) -> None:
    """Print the medians of a step that was repeated."""
    print_row(name, *map(median, zip(*costs, strict=True)))


def start(wanted: str, *arguments: str) -> tuple[float, float, float, float]:
    """Start a program; return bytes, seconds to the first paint and until settled, CPU seconds."""
    painted, cost = 0.0, Cost(0, 0)

    def run() -> None:
        nonlocal painted, cost
        with Program(*arguments) as program:
            painted = program.until(wanted.encode()) - program.began
            cost = program.settle(0, program.began)

    _, used = timed(run)
    return cost.bytes, painted - SHIM()[0], cost.seconds - SHIM()[0], used - SHIM()[1]


def print_starts(node: Node) -> None:
    """Print what starting costs; the programs take turns, so that a busy host slows all alike."""
    for argument in ("--version", "--help"):
        print_row(argument, None, *python("-m", "tui", argument))
    programs = {"the floor": ("the floor", "-c", FLOOR), "start": ("Sign in", *_arguments(node))}
    runs = [{name: start(*how) for name, how in programs.items()} for _ in range(STARTS + 1)]
    for name in programs:
        columns = zip(*(run[name] for run in runs[1:]), strict=True)
        count, paint, settled, cpu = map(median, columns)
        print_row(f"{name}: to the first paint", None, paint)
        print_row(f"{name}: until settled", count, settled, cpu)


def _arguments(node: Node) -> list[str]:
    return ["-m", "tui", "--url", node.url, "--username", node.username, "--allow-http"]


@contextmanager
def signed_in(node: Node) -> Iterator[tuple[Program, float, Cost]]:
    """Sign in; also return the seconds from Enter to the first row, and what it cost in all."""
    with Program(*_arguments(node)) as program:
        program.until(b"Sign in")
        program.settle(0, program.began, quiet=1.5)  # until what loads meanwhile is there
        program.send(node.password)
        program.settle(0, program.began)
        mark, began = program.mark, time.perf_counter()
        program.press("enter")
        painted = program.until(LABEL.encode()) - began
        yield program, painted, program.settle(mark, began, quiet=1.0)


def print_sign_in(node: Node, name: str, times: int) -> None:
    """Print what signing in costs."""
    painted, costs = [], []
    for _ in range(times):
        with signed_in(node) as (_, first, cost):
            painted.append(first)
            costs.append(cost)
    print_row(f"{name}: Enter to the first row", None, median(painted))
    print_steps(f"{name}: until settled", costs)


def print_steps_of(program: Program, steps: Sequence[tuple[str, str]]) -> None:
    """Take steps in turn, again and again, and print what each costs."""
    rounds = [[program.does(key) for _, key in steps] for _ in range(REPEATS)]
    for (name, _), costs in zip(steps, zip(*rounds, strict=True), strict=True):
        print_steps(f"  {name}", costs)


def print_screens(node: Node) -> None:
    """Print what the screens cost: to move about, to open and to close, and to leave alone."""
    with Program(*_arguments(node)) as program:
        program.until(b"Sign in")
        program.settle(0, program.began, quiet=1.5)
        print_steps_of(program, [("a character typed in the login form", "x")])
        program.idle("login")
    with signed_in(node) as (program, _, _):
        print_steps_of(program, [("cursor down", "down")])
        for name, key in (("delete dialog", "d"), ("form", "n")):
            print_steps_of(program, [(f"{name}: open", key), (f"{name}: close", "escape")])
        program.does("n")
        print_steps_of(program, [("a character typed in the form", "x"), ("erased", "backspace")])
        program.does("escape")
        program.idle("list")
        for name, keys in (
            ("delete dialog", "d"), ("form", "n"), ("details", "enter"), ("rotation", "r"),
            ("journal", "J"), ("help", "f1"), ("many keys", "ar"),
        ):  # fmt: skip
            program.does(*([keys] if keys in {"enter", "f1"} else keys))
            program.idle(name)
            program.does("escape")
        program.does("n", "N", "tab", *node.password, "tab", "tab", "space", "ctrl+s")
        program.wait_for("The API key was created")
        program.idle("a new key's secret")


def print_long_list(node: Node) -> None:
    """Print what a long list costs."""
    for n in range(MANY):
        made = datetime.fromtimestamp(1_700_000_000 + 60 * n, UTC)
        node.add_key(f"{LABEL} {n * 7919 % 100_003}", secret=f"{n:040x}", created_at=made)
    print_sign_in(node, f"{MANY:,} keys", 3)
    with signed_in(node) as (program, _, _):
        print_steps_of(program, [("cursor down", "down"), ("sort", "1")])


def main() -> None:
    """Print the table of all figures."""
    print(f"{'':<46}{'bytes':>10}{'time':>10}{'CPU':>10}")  # noqa: T201  # a script's output
    print_row(f"python -c pass ({UNIT()[0] * 1000:.0f} ms here)", None, *UNIT())
    with Node(seeds=False) as node:
        for n in range(40):
            node.add_key(f"{LABEL} {n}")
        print_starts(node)
        print_sign_in(node, "sign-in", 5)
        print_screens(node)
    with Node(seeds=False) as node:
        print_long_list(node)


if __name__ == "__main__":
    main()
