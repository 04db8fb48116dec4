"""What a start takes, in multiples of a minimal Textual program with the login screen's widgets."""

from __future__ import annotations

import shutil
import sys
from statistics import median
from typing import NamedTuple

from tests.bench import floors
from tests.bench.program import SHIM, Program, options, print_line, timed
from tests.node import Node

TIMES = 9
SILENCE = 0.3
"""A start counts until nothing was written for so many seconds."""
PEERS = {"posting": b"Posting", "harlequin": b"Harlequin"}
"""Other Textual programs, measured where they are installed, and what their first paint shows."""
MOST_OF_POSTING = 0.33


class Start(NamedTuple):
    """What one start takes: seconds, CPU seconds, MiB, and bytes to the terminal."""

    paint: float
    settled: float
    cpu: float
    resident: float
    sent: float


UNITS = Start(1000, 1000, 1000, 1, 1)
TITLES = ("first paint, ms", "settled, ms", "CPU, ms", "resident, MiB", "bytes")
TARGETS = Start(1.15, 1.15, 1.25, 1.2, 1.0)
"""In multiples of the floor."""


def start(wanted: bytes, command: str, *arguments: str) -> Start:
    """Start a program and leave it alone; `wanted` is a part of its first paint."""
    outcome = Start(0, 0, 0, 0, 0)

    def run() -> None:
        nonlocal outcome
        with Program(*arguments, command=command) as program:
            painted = program.until(wanted) - program.began
            settled = program.settle(0, program.began, SILENCE)
            outcome = Start(painted, settled.last, 0, program.resident, settled.bytes)

    _, used = timed(run)
    shim, shim_cpu = SHIM()
    return outcome._replace(
        paint=outcome.paint - shim, settled=outcome.settled - shim, cpu=used - shim_cpu
    )


def print_table(node: Node) -> None:
    """Print what starts take; the programs take turns, so that a busy host slows all alike."""
    peers = {name: command for name in PEERS if (command := shutil.which(name))}
    runs = [
        {
            "floor": start(b"Password", sys.executable, "-c", floors.LOGIN),
            "ours": start(b"Password", sys.executable, *options(node)),
            **_starts_of(peers),
        }
        for _ in range(TIMES + 1)
    ][1:]
    costs = {
        name: Start(*map(median, zip(*(run[name] for run in runs), strict=True)))
        for name in ("floor", "ours", *peers)
    }
    print_line("start", "floor", "ours", "ratio", most="at most")
    for title, unit, floor, own, most in zip(
        TITLES, UNITS, costs["floor"], costs["ours"], TARGETS, strict=True
    ):
        ratio = own / floor
        figures = (f"{floor * unit:,.0f}", f"{own * unit:,.0f}", f"{ratio:.2f}")
        print_line(title, *figures, most=f"{most:.2f}", is_met=ratio <= most)
    for name in PEERS:
        if name in peers:
            print_peer(name, costs[name], costs["ours"])
        elif shutil.which(name) is None:
            print_line(f"{name}: not installed, so not compared")


def _starts_of(peers: dict[str, str]) -> dict[str, Start]:
    """Start each of the other programs; one that fails is left out from then on, and said so."""
    starts = {}
    for name, command in tuple(peers.items()):
        try:
            starts[name] = start(PEERS[name], command)
        except AssertionError:
            del peers[name]
            print_line(f"{name}: it ends before its first paint, so it is not compared")
    return starts


def print_peer(name: str, peer: Start, ours: Start) -> None:
    """Print what another program takes, and ours in multiples of it."""
    ratios = []
    for title, unit, its, own in zip(TITLES, UNITS, peer, ours, strict=True):
        ratios.append(own / its)
        print_line(
            f"{name}: {title}", f"{its * unit:,.0f}", f"{own * unit:,.0f}", f"{own / its:.2f}"
        )
    if name == "posting":
        largest = f"{max(ratios):.2f}"
        is_met = max(ratios) <= MOST_OF_POSTING
        most = f"{MOST_OF_POSTING:.2f}"
        print_line("the largest of these", "", "", largest, most=most, is_met=is_met)
