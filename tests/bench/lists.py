"""What a long list costs: until its first row, after it, and while keys are pressed meanwhile."""

from __future__ import annotations

import time
from statistics import median
from typing import NamedTuple

from tests.bench.long_list import LABEL, list_of
from tests.bench.program import Program, first_row, options

KEYS, TIMES = 100_000, 3
MOST_FIRST, MOST_CPU, MOST_WAIT, MOST_SORT = 0.5, 0.2, 0.03, 0.1
"""The targets, in seconds."""
WATCHED_SECONDS = 3.0
"""How long keys are pressed from the first row on."""


class Listed(NamedTuple):
    """What a list costs: seconds but for the MiB."""

    first: float
    cpu: float
    wait: float
    own_wait: float
    sort: float
    resident: float


def listed(count: int, *how: str) -> Listed:
    """Sign in where so many keys are; press keys from the first row on, then sort."""
    with list_of(count) as node, Program(*options(node), *how) as program:
        first = first_row(program, node, LABEL)
        used = program.cpu
        waits = pressed(program, WATCHED_SECONDS)
        program.settle(0, program.began, quiet=1.0)
        background = program.cpu - used - sum(own for _, own in pressed(program, WATCHED_SECONDS))
        program.does("g")
        return Listed(
            first=first,
            cpu=max(0.0, background),
            wait=max(wait for wait, _ in waits),
            own_wait=max(own for _, own in waits),
            sort=median(program.does("1").first for _ in range(4)),
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
