"""How soon the program answers a key, beside the same widget in a program that has nothing else."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median, quantiles

from tests.bench import floors
from tests.bench.long_list import LABEL, Served, list_of
from tests.bench.program import Program, options, print_line, sign_in
from tests.node import Node

KEYS, MOST = 200, 1.1
"""How many keys are pressed, and the target: so many times what the floor takes."""
SIZES = (40, 100_000)


@contextmanager
def at_list(node: Served | Node) -> Iterator[Program]:
    with Program(*options(node)) as program:
        sign_in(program, node, LABEL)
        yield program


@contextmanager
def at_form(node: Served | Node) -> Iterator[Program]:
    with at_list(node) as program:
        program.does("n")
        yield program


@contextmanager
def floor(text: str) -> Iterator[Program]:
    with Program("-c", text) as program:
        program.until(b"floor")
        program.settle(0, program.began, quiet=1.0)
        yield program


def first_bytes(programs: dict[str, Program], keys: tuple[str, ...]) -> dict[str, list[float]]:
    """Press each key in all programs in turn; return the seconds to the first byte of each.

    The pauses between keys are random, as a program may draw at fixed times.
    """
    took: dict[str, list[float]] = {name: [] for name in programs}
    pauses = random.Random(0)  # noqa: S311  # no secret
    for number in range(KEYS):
        for name, program in programs.items():
            took[name].append(program.does(keys[number % len(keys)], quiet=0.05).first)
            time.sleep(pauses.uniform(0, 0.03))
    return {name: seconds[10:] for name, seconds in took.items()}


def print_answers(what: str, programs: dict[str, Program], keys: tuple[str, ...]) -> None:
    """Print a row for each program; the first one is the floor."""
    points = {
        name: (median(seconds), quantiles(seconds, n=20)[-1])
        for name, seconds in first_bytes(programs, keys).items()
    }
    low = next(iter(points.values()))
    for name, own in points.items():
        ratios = [mine / its for mine, its in zip(own, low, strict=True)]
        figures = (f"{own[0] * 1000:.2f}", f"{own[1] * 1000:.2f}", *(f"{r:.2f}" for r in ratios))
        if own is low:
            print_line(f"{what}: {name}", *figures[:2])
        else:
            is_met = max(ratios) <= MOST
            print_line(f"{what}: {name}", *figures, most=f"{MOST:.2f}", is_met=is_met)


def print_table(node: Served | Node) -> None:
    """Print how long keys take to be answered, in ms and in multiples of the floor."""
    print_line("key to first byte, ms", "median", "95 %", "ratio", "ratio", most="at most")
    with ExitStack() as running:
        programs = {"the floor's table": running.enter_context(floor(floors.TABLE))}
        for size in SIZES:
            listed = running.enter_context(list_of(size))
            programs[f"list of {size:,}"] = running.enter_context(at_list(listed))
        print_answers("cursor", programs, ("down",) * 10 + ("up",) * 10)
    with ExitStack() as running:
        login = Program(*options(node))
        running.enter_context(login)
        login.until(b"Password")
        login.does("x")
        time.sleep(4)
        programs = {
            "the floor's field": running.enter_context(floor(floors.LOGIN)),
            "login": login,
            "form": running.enter_context(at_form(node)),
        }
        print_answers("typing", programs, tuple("abcdefg") + ("backspace",) * 7)
