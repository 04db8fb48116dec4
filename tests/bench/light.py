"""How light the program is: what its start takes, and the bytes of each step, beside the targets.

Run by hand: `python -m tests.bench.light`. Pseudo-terminals of 80x24, 256 colours, a node on the
loopback with 40 keys. The start is compared with a floor: a minimal Textual program that shows the
widgets of the login screen. Both take turns, so that a busy host slows both alike. Its figures are
ratios to the floor; bytes are what the terminal gets.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.program import SHIM, Program, timed
from tests.node import Node

FLOOR = """
from textual.app import App
from textual.containers import Center, Vertical
from textual.widgets import Footer, Input, Label, Static

class Floor(App[None]):
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [("f1", "help", "Help"), ("ctrl+s", "enter", "Sign in")]

    def compose(self):
        yield Static("the floor")
        with Center(), Vertical():
            for name in ("Server", "User name", "Password"):
                yield Label(name)
                yield Input(compact=True)
        yield Footer(compact=True)

    def on_mount(self):
        for field in self.query(Input):
            field.cursor_blink = False

Floor().run()
"""
SILENCE = 0.3
"""A start counts until nothing was written for so many seconds."""


class Start(NamedTuple):
    """What one start takes: seconds, CPU seconds, MiB, and bytes to the terminal."""

    paint: float
    settled: float
    cpu: float
    resident: float
    sent: float


START_TARGETS = Start(1.15, 1.15, 1.25, 1.2, 1.0)
"""In multiples of the floor."""


def start(*arguments: str) -> Start:
    """Start a program and leave it alone."""
    painted = settled = resident = sent = 0.0

    def run() -> None:
        nonlocal painted, settled, resident, sent
        with Program(*arguments) as program:
            painted = program.until(b"Password") - program.began
            settled = program.settle(0, program.began, quiet=SILENCE).seconds
            status = Path(f"/proc/{program.process.pid}/status").read_text(encoding="ascii")
            resident = int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024
            sent = program.mark

    _, used = timed(run)
    return Start(painted - SHIM()[0], settled - SHIM()[0], used - SHIM()[1], resident, sent)


def print_starts(node: Node, times: int) -> None:
    """Print what a start takes in multiples of the floor."""
    programs = {"the floor": ("-c", FLOOR), "momentum-keys": ("-m", "tui", *_options(node))}
    runs = [{name: start(*how) for name, how in programs.items()} for _ in range(times + 1)][1:]
    costs = {
        name: Start(*map(median, zip(*(r[name] for r in runs), strict=True))) for name in programs
    }
    floor, ours = costs.values()
    _print("start, of the floor", "floor", "ours", "ratio", "at most", "")
    units = (1000, 1000, 1000, 1, 1)
    names = ("first paint, ms", "settled, ms", "CPU, ms", "resident, MiB", "bytes")
    for name, unit, low, own, most in zip(names, units, floor, ours, START_TARGETS, strict=True):
        ratio = own / low
        _print(
            name,
            f"{low * unit:,.0f}",
            f"{own * unit:,.0f}",
            f"{ratio:.2f}",
            f"{most:.2f}",
            ratio <= most,
        )


def print_bytes(node: Node) -> None:
    """Print what each step sends, and a whole session."""
    _print("bytes to the terminal", "", "ours", "", "at most", "")
    with Program("-m", "tui", *_options(node)) as program:
        program.until(b"Password")
        program.settle(0, program.began, quiet=1.0)
        _print_step("a character typed, login", [program.does(key).bytes for key in "xyz"], 80)
        program.does(*["backspace"] * 3)
        program.send(node.password)
        program.settle(0, program.began)
        program.press("enter")
        program.wait_for("Sender 1")
        program.settle(0, program.began, quiet=1.0)
        _print_step("cursor down", [program.does("down").bytes for _ in range(7)], 250)
        program.does("G")
        program.does("g")
        program.does(*["down"] * 16)
        scrolls = [program.does("down").bytes for _ in range(7)]
        _print_step("scroll by one", scrolls, 400)
        pages = [program.does(key).bytes for key in ("pagedown", "pageup") * 3]
        _print_step("page", pages, 1_000)
        for name, key in (
            ("help", "f1"), ("form", "n"), ("delete", "d"), ("rotate", "r"), ("journal", "J"),
        ):  # fmt: skip
            opened, closed = zip(
                *((program.does(key).bytes, program.does("escape").bytes) for _ in range(3)),
                strict=True,
            )
            _print_step(f"{name} opens", opened, 4_500)
            _print_step(f"{name} closes", closed, 2_700)
        program.does("n")
        typed = [program.does(key).bytes for key in "abcdefg"]
        _print_step("a character typed, form", typed, 80)
    _print_step("a whole session", [session(node) for _ in range(3)], 22_000)


def session(node: Node) -> float:
    """Sign in, move, look at the help, create a key, see its secret, leave."""
    with Program("-m", "tui", *_options(node)) as program:
        program.until(b"Password")
        program.settle(0, program.began)
        program.send(node.password + "\r")
        program.wait_for("Sender 1")
        program.settle(0, program.began, quiet=1.0)
        program.does("pagedown")
        program.does(*["down"] * 3)
        program.does("f1")
        program.does("escape")
        program.does("n")
        program.does(*"A key", "tab", *node.password, "tab", "tab", "space")
        program.press("ctrl+s")
        program.wait_for("was created")
        program.settle(0, program.began)
        program.press("s")
        program.settle(0, program.began)
        program.press("q")
        program.settle(0, program.began)
        return program.mark


def _options(node: Node) -> list[str]:
    return ["--url", node.url, "--username", node.username, "--allow-http"]


def _print_step(name: str, counts: list[float] | tuple[float, ...], most: int) -> None:
    count = median(counts)
    _print(name, "", f"{count:,.0f}", "", f"{most:,}", count <= most)


def _print(name: str, floor: str, ours: str, ratio: str, most: str, is_met: bool | str) -> None:
    verdict = {True: "met", False: "MISSED"}.get(is_met, "") if isinstance(is_met, bool) else ""
    line = f"{name:<28}{floor:>10}{ours:>10}{ratio:>8}{most:>10}  {verdict}"
    print(line, flush=True)  # noqa: T201  # a script's output


def main(parts: dict[str, Callable[[Node], None]]) -> None:
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="*", default=[*parts], help=f"{', '.join(parts)}; else both")
    with Node(seeds=False) as node:
        for number in range(40):
            node.add_key(f"Sender {number}")
        for part in parser.parse_args().part:
            parts[part](node)


if __name__ == "__main__":
    main({"start": lambda node: print_starts(node, 9), "bytes": print_bytes})
