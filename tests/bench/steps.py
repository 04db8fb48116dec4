"""How many bytes each step sends, and a whole session; beside them those of vim and htop."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from tests.bench.program import Program, options, print_line
from tests.node import Node

SCREENS = (("help", "f1"), ("form", "n"), ("delete", "d"), ("rotate", "r"), ("journal", "J"))


def print_table(node: Node) -> None:
    """Print the medians of what each step sends."""
    print_line("bytes to the terminal", "", "ours", "", most="at most")
    with Program(*options(node)) as program:
        program.until(b"Password")
        program.settle(0, program.began, quiet=1.0)
        print_step("a character typed, login", [program.does(key).bytes for key in "xyz"], 80)
        program.does(*["backspace"] * 3)
        program.send(node.password)
        program.settle(0, program.began)
        program.press("enter")
        program.wait_for("Sender 1")
        program.settle(0, program.began, quiet=1.0)
        print_steps_of_list(program)
        for name, key in SCREENS:
            opened, closed = zip(
                *((program.does(key).bytes, program.does("escape").bytes) for _ in range(3)),
                strict=True,
            )
            print_step(f"{name} opens", opened, 4_500)
            print_step(f"{name} closes", closed, 2_700)
        program.does("n")
        print_step("a character typed, form", [program.does(key).bytes for key in "abcdefg"], 80)
    print_step("a whole session", [session(node) for _ in range(3)], 22_000)
    print_peers()


def print_steps_of_list(program: Program) -> None:
    """Move about in the list, from its beginning to its beginning."""
    print_step("cursor down", [program.does("down").bytes for _ in range(7)], 250)
    program.does("G")
    program.does("g")
    program.does(*["down"] * 16)
    print_step("scroll by one", [program.does("down").bytes for _ in range(7)], 400)
    pages = [program.does(key).bytes for key in ("pagedown", "pageup") * 3]
    print_step("page", pages, 1_000)


def session(node: Node) -> float:
    """Sign in, move, look at the help, create a key, see its secret, leave."""
    with Program(*options(node)) as program:
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
        program.does("s")
        program.does("tab", "enter")
        program.press("q")
        program.wait_exit()
        return program.mark


def print_peers() -> None:
    """Print what others send for the like of it, where they are installed."""
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "keys.txt"
        text.write_text("".join(f"Sender {n:<40} {n:04x}\n" for n in range(200)))
        vim = ("-u", "NONE", "-N", "--cmd", "set cursorline", str(text))
        print_peer("vim", vim, {"a character typed": "i"}, ":help\r", ":q\r")
    print_peer("htop", ("-d", "1000"), {}, "h", "\x1b")


def print_peer(
    name: str, arguments: Sequence[str], modes: dict[str, str], opening: str, closing: str
) -> None:
    """Measure another program, or say why that can't be done."""
    command = shutil.which(name)
    if command is None:
        print_line(f"{name}: not installed, so not compared")
        return
    try:
        with Program(*arguments, command=command) as program:
            print_steps_of_peer(name, program, modes, opening, closing)
    except AssertionError:
        print_line(f"{name}: it ended, or did not answer a key")


def print_steps_of_peer(
    name: str, program: Program, modes: dict[str, str], opening: str, closing: str
) -> None:
    """Move about in another program, open its help and close it."""
    program.settle(0, program.began, quiet=1.0)
    print_step(f"{name}: cursor down", [program.does("down").bytes for _ in range(7)])
    pages = [program.does(key).bytes for key in ("pagedown", "pageup") * 3]
    print_step(f"{name}: page", pages)
    for what, key in (("help opens", opening), ("help closes", closing)):
        mark = program.mark
        program.send(key)
        print_step(f"{name}: {what}", [program.settle(mark, program.began, quiet=1.0).bytes])
    for what, key in modes.items():
        program.does(key)
        print_step(f"{name}: {what}", [program.does(letter).bytes for letter in "xyzxyz"])


def print_step(name: str, counts: Sequence[float], most: int | None = None) -> None:
    """Print the median of what a step sent, and whether that is little enough."""
    count = median(counts)
    if most is None:
        print_line(name, f"{count:,.0f}")
    else:
        print_line(name, "", f"{count:,.0f}", "", most=f"{most:,}", is_met=count <= most)
