"""A terminal in miniature: what Textual and the program draw with, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import get_character_cell_size

_SEQUENCE = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])|\x1bM|[\r\n]|.", re.DOTALL)
_COLOURS = ("38", "48")
_OFF = {
    "22": {"1", "2"}, "23": {"3"}, "24": {"4", "21"}, "25": {"5", "6"}, "27": {"7"}, "28": {"8"},
    "29": {"9"}, "54": {"51", "52"}, "55": {"53"},
}  # fmt: skip


class Cell(NamedTuple):
    """What a cell shows; the second one of a wide character is empty."""

    text: str = " "
    attributes: frozenset[str] = frozenset()
    foreground: str = "39"
    background: str = "49"

    @property
    def seen(self) -> tuple[object, ...]:
        """What can be seen of it: a blank shows no foreground."""
        is_blank = self.text == " " and not self.attributes
        return self[:2] + self[3:] if is_blank else self


@dataclass
class Emulator:
    """A terminal of this size without line wrapping, as the program switches it.

    `width_of` tells how many cells a character takes; where `fills` is not set, what is erased or
    scrolled in has the default background.
    """

    columns: int
    rows: int
    width_of: Callable[[str], int] = get_character_cell_size
    fills: bool = True

    def __post_init__(self) -> None:
        self.cells = [[Cell()] * self.columns for _ in range(self.rows)]
        self.pen = Cell()
        self.x = self.y = 0
        self._top, self._bottom = 0, self.rows - 1

    def feed(self, text: str) -> None:
        for match in _SEQUENCE.finditer(text):
            if match[2] is not None:
                self._obey(match[2], match[1])
            elif match[0] == "\x1bM":
                self._scroll_down()
            elif match[0] == "\n":
                self._line_feed()
            elif match[0] == "\r":
                self.x = 0
            else:
                self._print(match[0])

    def resize(self, columns: int, rows: int) -> None:
        """Change the size; what stood outside is lost, as is any knowledge of the rest."""
        self.columns, self.rows = columns, rows
        self.__post_init__()

    def shown(self) -> list[list[tuple[object, ...]]]:
        return [[cell.seen for cell in row] for row in self.cells]

    def _obey(self, final: str, numbers: str) -> None:
        values = [int(number or 0) for number in numbers.split(";")]
        if final == "H":
            row, column = (*values, 0, 0)[:2]
            self.y = min(max(row, 1), self.rows) - 1
            self.x = min(max(column, 1), self.columns) - 1
        elif final == "C":
            self.x = min(self.x + max(values[0], 1), self.columns - 1)
        elif final == "K":
            self._erase(self.y, self.x)
        elif final == "X":
            self._erase_cells(min(self.x + values[0], self.columns))
        elif final == "r":
            top, bottom = (*values, 0, 0)[:2]
            self._top, self._bottom = max(top, 1) - 1, (bottom or self.rows) - 1
            self.x = self.y = 0
        elif final == "m":
            self._set_pen(numbers.split(";"))
        else:
            raise AssertionError(f"the emulator knows no sequence that ends with {final}")

    def _set_pen(self, codes: list[str]) -> None:
        numbers = iter(codes)
        for number in numbers:
            if number in {"", "0"}:
                self.pen = Cell()
            elif number in _OFF:
                attributes = self.pen.attributes - _OFF[number]
                self.pen = self.pen._replace(attributes=attributes)
            elif number in _COLOURS:
                kind = next(numbers)
                rest = [next(numbers) for _ in range(3 if kind == "2" else 1)]
                self._set_colour(";".join([number, kind, *rest]), is_paper=number == "48")
            elif re.fullmatch("3[0-9]|9[0-7]|4[0-9]|10[0-7]", number):
                self._set_colour(number, is_paper=number[:-1] in {"4", "10"})
            else:
                attributes = self.pen.attributes | {number}
                self.pen = self.pen._replace(attributes=attributes)

    def _set_colour(self, colour: str, *, is_paper: bool) -> None:
        if is_paper:
            self.pen = self.pen._replace(background=colour)
        else:
            self.pen = self.pen._replace(foreground=colour)

    def _print(self, character: str) -> None:
        row, width = self.cells[self.y], self.width_of(character)
        if not width:
            before = self.x - 1 if self.x and row[self.x - 1].text else self.x - 2
            if before >= 0:
                row[before] = row[before]._replace(text=row[before].text + character)
            return
        self.x = min(self.x, self.columns - width)
        for x in range(self.x, self.x + width):
            self._split(row, x)
        row[self.x] = self.pen._replace(text=character)
        if width > 1:
            row[self.x + 1] = self.pen._replace(text="")
        self.x += width

    def _split(self, row: list[Cell], x: int) -> None:
        """Leave blanks of a wide character of which one half is overwritten."""
        if not row[x].text and x:
            row[x - 1] = row[x - 1]._replace(text=" ")
        if x + 1 < self.columns and not row[x + 1].text:
            row[x + 1] = row[x + 1]._replace(text=" ")

    @property
    def _erased(self) -> Cell:
        return Cell(background=self.pen.background) if self.fills else Cell()

    def _erase_cells(self, end: int) -> None:
        row = self.cells[self.y]
        self._split(row, self.x)
        self._split(row, end - 1)
        row[self.x : end] = [self._erased] * (end - self.x)

    def _erase(self, y: int, start: int) -> None:
        self._split(self.cells[y], start)
        self.cells[y][start:] = [self._erased] * (self.columns - start)

    def _line_feed(self) -> None:
        if self.y == self._bottom:
            del self.cells[self._top]
            self.cells.insert(self._bottom, [self._erased] * self.columns)
        else:
            self.y = min(self.y + 1, self.rows - 1)

    def _scroll_down(self) -> None:
        if self.y == self._top:
            del self.cells[self._bottom]
            self.cells.insert(self._top, [self._erased] * self.columns)
        else:
            self.y = max(self.y - 1, 0)
