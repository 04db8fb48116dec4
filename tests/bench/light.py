"""How light the program is: every table beside its targets, and a plot of how costs grow.

Run by hand: `python -m tests.bench.light [PART …]`; without a part all of them. Pseudo-terminals of
80x24 with 256 colours, a node on the loopback. What is compared takes turns, so that a busy host
slows all alike: ratios travel between machines, milliseconds don't.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from tests.bench import answers, bulk, idle, lists, starts, steps
from tests.node import Node

PARTS: dict[str, Callable[[Node], None]] = {
    "start": starts.print_table,
    "bytes": steps.print_table,
    "answer": answers.print_table,
    "lists": lists.print_table,
    "growth": lists.print_growth,
    "rotations": lambda _: bulk.print_table(1_000, 0.1, bulk.LISTS),
    "idle": idle.print_table,
}
KEYS = 40


def main() -> int:
    """Print the tables that are asked for; return how many parts came to no end."""
    parser = argparse.ArgumentParser(description="How light the program is.")
    parser.add_argument("part", nargs="*", help=f"{', '.join(PARTS)}; else all of them")
    parts = parser.parse_args().part or [*PARTS]
    if unknown := {*parts} - PARTS.keys():
        parser.error(f"no such part: {', '.join(unknown)}")
    failed = 0
    with Node(seeds=False) as node:
        for number in range(KEYS):
            node.add_key(f"Sender {number}")
        for number, part in enumerate(parts):
            if number:
                print()  # noqa: T201  # a script's output
            try:
                PARTS[part](node)
            except (AssertionError, OSError) as error:  # the other parts tell what they measure
                failed += 1
                print(f"{part} came to no end: {error}", flush=True)  # noqa: T201
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
