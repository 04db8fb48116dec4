"""What a long list costs: until its first row, after it, and while keys are pressed meanwhile."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.long_list import LABEL, list_of
from tests.bench.plot import plot
from tests.bench.program import Program, first_row, options, print_line
from tests.node import Node
from tests.pictures import write

KEYS, TIMES = 100_000, 3
MOST_FIRST, MOST_CPU, MOST_WAIT, MOST_SORT = 0.5, 0.2, 0.03, 0.1
"""The targets, in seconds."""
WATCHED_SECONDS = 3.0
"""How long keys are pressed from the first row on."""


class Listed(NamedTuple):
    """What a list costs: seconds, but for the MiB."""

    first: float
    cpu: float
    wait: float
    own_wait: float
    scroll: float
    sort: float
    resident: float


def listed(count: int, env: Mapping[str, str] | None = None) -> Listed:
    """Sign in where so many keys are; press keys from the first row on, then sort.

    What keys cost by themselves is taken off the CPU after the first row.
    """
    with list_of(count) as node, Program(*options(node), env=env) as program:
        first = first_row(program, node, LABEL)
        used = program.cpu
        waits = pressed(program, WATCHED_SECONDS)
        program.settle(0, program.began, quiet=2.0)
        used, later = program.cpu - used, pressed(program, WATCHED_SECONDS)
        a_key = median(own for _, own in later)
        return Listed(
            first=first,
            cpu=max(0.0, used - len(waits) * a_key),
            wait=max(wait for wait, _ in waits),
            own_wait=max(own for _, own in waits),
            scroll=median(wait for wait, _ in later),
            sort=median(program.does("1").first for _ in range(5)),
            resident=program.most_resident,
        )


def pressed(program: Program, seconds: float) -> list[tuple[float, float]]:
    """Press keys for a while; return how long each waited, and CPU of the program meanwhile."""
    waits: list[tuple[float, float]] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        used = program.cpu
        wait = program.does("down", quiet=0.02).first
        waits.append((wait, program.cpu - used))
    return waits


def print_table(_: Node) -> None:
    """Print what a list of 100,000 keys costs."""
    runs = [listed(KEYS) for _ in range(TIMES)]
    cost = Listed(*map(median, zip(*runs, strict=True)))
    print_line(f"{KEYS:,} keys, ms", "", "ours", "", most="at most")
    for name, value, most in (
        ("Enter to the first row", cost.first, MOST_FIRST),
        ("CPU after it", cost.cpu, MOST_CPU),
        ("the longest wait of a key", cost.wait, MOST_WAIT),
        ("... of which CPU of the program", cost.own_wait, MOST_WAIT),
        ("sorting", cost.sort, MOST_SORT),
    ):
        figure, target = f"{value * 1000:,.0f}", f"{most * 1000:,.0f}"
        print_line(name, "", figure, "", most=target, is_met=value <= most)
    print_line("the most memory, MiB", "", f"{cost.resident:,.0f}")


GROWTH = (1_000, 10_000, 100_000, 1_000_000)
PLOT = Path(__file__).parents[2] / "screenshots" / "growth.svg"


def print_growth(_: Node) -> None:
    """Print what lists from 1,000 to 1,000,000 keys cost, and plot it."""
    print_line("keys", "first, ms", "CPU, ms", "sort, ms", "scroll, ms", "MiB")
    costs: dict[int, Listed] = {}
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "momentum-keys" / "config.toml"
        config.parent.mkdir()
        config.write_text("list_limit = 1024\n", encoding="utf-8")
        for count in GROWTH:
            costs[count] = cost = listed(count, env={"XDG_CONFIG_HOME": folder})
            milliseconds = (cost.first, cost.cpu, cost.sort, cost.scroll)
            figures = (*(f"{value * 1000:,.1f}" for value in milliseconds), f"{cost.resident:,.0f}")
            print_line(f"{count:,}", *figures)
    titles = ("Enter to the first row, ms", "CPU after it, ms", "scrolling by one, ms",
              "sorting, ms", "memory, MiB")  # fmt: skip
    lines = {
        title: [value * (1 if "MiB" in title else 1000) for value in values]
        for title, values in zip(
            titles, zip(*map(_plotted, costs.values()), strict=True), strict=True
        )
    }
    write(PLOT, plot("What a list costs by its length", GROWTH, lines))


def _plotted(cost: Listed) -> tuple[float, ...]:
    seconds = (cost.first, cost.cpu, cost.scroll, cost.sort)
    return (*(value * 1000 for value in seconds), cost.resident)
