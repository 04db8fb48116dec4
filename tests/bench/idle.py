"""What the program does while nobody does anything: bytes to the terminal, and wake-ups."""

from __future__ import annotations

import time

from tests.bench.long_list import LABEL
from tests.bench.program import Program, options, print_line, sign_in
from tests.node import Node

SECONDS = 20.0
SETTLING_SECONDS = 10.0
"""How long what was begun by the last key may take: threads without work end, messages go."""
SCREENS = (("help", "f1"), ("form", "n"), ("delete", "d"), ("rotate", "r"), ("journal", "J"))


def print_table(node: Node) -> None:
    """Print what each screen does in so many seconds."""
    print_line(f"idle for {SECONDS:.0f} s", "bytes", "wake-ups", most="at most")
    with Program(*options(node)) as program:
        program.until(b"Password")
        print_idle("login", program)
        sign_in(program, node, LABEL)
        print_idle("list", program)
        for name, key in SCREENS:
            program.does(key)
            print_idle(name, program)
            program.does("escape")


def print_idle(name: str, program: Program) -> None:
    """Print what is done while a screen is left alone."""
    program.settle(0, program.began, quiet=1.0)
    time.sleep(SETTLING_SECONDS)
    mark, woken = program.mark, program.wake_ups
    time.sleep(SECONDS)
    counts = program.mark - mark, program.wake_ups - woken
    print_line(name, *map(str, counts), most="0, 0", is_met=not any(counts))
