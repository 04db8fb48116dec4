"""How each main screen looks, in figures: how full it is, how readable, what stands out, its bytes.

Run by hand: `python -m tests.bench.screens`. Pseudo-terminals of 80x24 and 140x40 with all colours,
a node on the loopback with 12 keys. `--of FOLDER` measures the program in another checkout. What
stands out most is the run of cells whose own background differs most from the screen's, else the
largest bold one, apart from the bars.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from pyte.screens import Char
from rich.color_triplet import ColorTriplet

from tests.bench.program import Program
from tests.colours import EDGES, contrast
from tests.node import Node
from tests.terminal import Terminal

SIZES = ((80, 24), (140, 40))
QUIET = 0.6
"""A screen is whole after so many seconds without output."""
OPENED = {
    "find": ("/",),
    "create": ("n",),
    "delete": ("d",),
    "rotate": ("r",),
    "many keys": ("a", "r"),
    "journal": ("J",),
    "help": ("f1",),
}
"""What opens a screen from the list; Esc leads back."""
TAB = "Tab in the form"
"""The line that tells the bytes of a change of focus."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is measured of one screen."""

    stands_out: str
    filled: float
    """The share of cells that are not blank."""
    text: float
    """The least contrast of a text."""
    edge: float
    """The least contrast of an edge or a bar; infinite where there is none."""
    sent: float
    """The bytes that opened it."""


@dataclass(frozen=True, slots=True)
class _Run:
    text: str
    front: ColorTriplet
    back: ColorTriplet
    is_bold: bool

    def weight(self, beneath: ColorTriplet) -> float:
        return len(self.text) * (4 * (contrast(self.back, beneath) - 1) + self.is_bold)


class Screens(Program):
    """The program, of whose screens looks are taken."""

    def __init__(
        self, size: tuple[int, int], folder: Path | None, home: str, *arguments: str
    ) -> None:
        self.began = 0.0
        Terminal.__init__(
            self,
            [sys.executable, "-m", "tui", *arguments],
            *size,
            {"COLORTERM": "truecolor", "HOME": home},
            folder,
        )

    def look(self, *keys: str) -> Look:
        """Press keys, and measure what is shown then."""
        mark = self.mark
        self.press(*keys)
        self.settle(mark, 0, quiet=QUIET)
        runs = list(self._runs())
        beneath = max(runs, key=lambda run: len(run.text) * (not run.text.strip())).back
        seen = [run for run in runs if run.text.strip()]
        between = [run for row, run in self._rows_and_runs() if 0 < row < self.size[1] - 1]
        first = max(between, key=lambda run: run.weight(beneath) * bool(run.text.strip()))
        edges = [contrast(r.front, r.back) for r in seen if EDGES.issuperset(r.text)]
        columns, rows = self.size
        return Look(
            first.text.strip(f"{''.join(EDGES)}▸●"),
            sum(len(run.text.replace(" ", "")) for run in runs) / (columns * rows),
            min(contrast(r.front, r.back) for r in seen if not EDGES.issuperset(r.text)),
            min(edges, default=float("inf")),
            self.mark - mark,
        )

    def _runs(self) -> Iterator[_Run]:
        return (run for _, run in self._rows_and_runs())

    def _rows_and_runs(self) -> Iterator[tuple[int, _Run]]:
        """Yield the neighbouring cells of one style, with their rows."""
        columns, rows = self.size
        buffer = self._screen().buffer
        for row in range(rows):
            cells = [buffer[row][column] for column in range(columns)]
            for (front, back, is_bold), run in groupby(cells, key=_style):
                yield row, _Run("".join(cell.data for cell in run), front, back, is_bold)


def _style(cell: Char) -> tuple[ColorTriplet, ColorTriplet, bool]:
    front, back = _colour(cell.fg, "d4d8dc"), _colour(cell.bg, "121416")
    return (back, front, cell.bold) if cell.reverse else (front, back, cell.bold)


def _colour(name: str, default: str) -> ColorTriplet:
    try:
        number = int(name, 16)
    except ValueError:  # a colour's name, which is the terminal's own
        number = int(default, 16)
    return ColorTriplet(number >> 16, number >> 8 & 255, number & 255)


def looks(node: Node, size: tuple[int, int], folder: Path | None) -> dict[str, Look]:
    """Return how each main screen looks on a terminal of that size."""
    options = ("--url", node.url, "--username", node.username, "--allow-http")
    with TemporaryDirectory() as home, Screens(size, folder, home, *options) as program:
        program.wait_for("Password")
        measured = {"sign in": program.look()}
        program.send(node.password)
        program.settle(0, 0)
        measured["keys"] = program.look("enter")
        for name, keys in OPENED.items():
            measured[name] = program.look(*keys)
            program.look("escape")
            if name == "many keys":
                program.look("a")
        program.look("n")
        steps = [program.look("tab").sent for _ in range(3)]
        measured[TAB] = Look("", 0, 0, 0, median(steps))
        program.look("shift+tab", "shift+tab", "shift+tab")
        program.look(*"Orders", "tab", *node.password, "tab", "tab", "space")
        measured["secret"] = program.look("ctrl+s")
        program.look("s")
        program.look("y")
        return measured


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--of", type=Path, help="a checkout other than this one")
    folder = parser.parse_args().of
    with Node(seeds=False) as node:
        for number in range(12):
            node.add_key(f"Sender {number}")
        narrow, wide = (looks(node, size, folder) for size in SIZES)
    _print("", "filled 80x24", "140x40", "text", "edge", "bytes", "what stands out most, 80x24")
    for name, low in narrow.items():
        high = wide[name]
        if name == TAB:
            _print(name, "", "", "", "", f"{low.sent:,.0f}", "")
            continue
        edge = min(low.edge, high.edge)
        _print(
            name,
            f"{low.filled:.1%}",
            f"{high.filled:.1%}",
            f"{min(low.text, high.text):.1f}",
            f"{edge:.1f}" if edge < float("inf") else "",
            f"{low.sent:,.0f}",
            low.stands_out,
        )


def _print(name: str, *cells: str) -> None:
    *numbers, words = cells
    line = f"{name:<16}{''.join(f'{number:>13}' for number in numbers)}  {words[:60]}"
    print(line.rstrip(), flush=True)  # noqa: T201  # a script's output


if __name__ == "__main__":
    main()
