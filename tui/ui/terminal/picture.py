"""The cells of the screen, as they are drawn and as they were sent: only what differs is sent.

Textual draws whole widgets, and on a change of the layout everything. Most of those cells are on
the terminal already.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len, split_graphemes
from rich.color import ColorSystem
from textual.geometry import Offset, Size

from tui.ui.terminal.pen import PLAIN, Pen, pen_of, switch
from tui.ui.terminal.textual_internals import ScreenPiece

_PICTURES = 0x1F000
"""From this character on there are pictures, which are narrow on some terminals."""
_JOINED_CELLS = 4
"""So many unchanged cells between changed ones are sent again: a move takes no fewer bytes."""
_ERASED_CELLS = 4
"""More cells than that are erased rather than overwritten with blanks."""
_BLANKED_CELLS = 12
"""From so many blanks on they are erased, and then passed over."""
_MOVE = 8
"""About how many characters a move of the cursor takes."""
_SCROLLED_ROWS = 4
"""From so many rows on it is looked whether they moved up or down as a whole."""
_EDGE = 3
"""Columns at the right that need not move along with a row: a scrollbar."""


@lru_cache(maxsize=4096)
def _has_agreed_width(cell: str) -> bool:
    """Tell whether all terminals agree how wide a cell's text is: emoji and marks differ."""
    if len(cell) != 1:
        return not cell
    is_wide = unicodedata.east_asian_width(cell) in "WF"
    kind = unicodedata.category(cell)
    if is_wide:
        return kind == "Lo"
    return ord(cell) < _PICTURES and kind[0] in "LNPSZ" and cell_len(cell) == 1


def _cells(text: str) -> Iterator[str]:
    """Yield what stands in each cell: the second one of a wide character is empty.

    What takes no cell of its own comes as a part of the one before, or not at all.
    """
    if not text.isprintable():
        text = "".join(c for c in text if c.isprintable() or unicodedata.category(c) != "Cc")
    if text.isascii():
        yield from text
        return
    for start, end, width in split_graphemes(text)[0]:
        if width:
            yield text[start:end]
            yield from [""] * (width - 1)


def _looks_same(text: str, pen: Pen, other: Pen) -> bool:
    """Tell whether a text looks the same with both pens: a blank shows the background alone."""
    if pen == other:
        return True
    return text == " " and pen.is_fill and other.is_fill and pen.background == other.background


@dataclass(slots=True)
class _CellRow:
    """The cells of a row: their texts, None where nothing is known, and their pens."""

    texts: list[str | None]
    pens: list[Pen]

    @classmethod
    def of(cls, width: int, text: str | None = None) -> _CellRow:
        return cls([text] * width, [PLAIN] * width)

    def copy(self) -> _CellRow:
        return _CellRow(self.texts[:], self.pens[:])

    def put(self, x: int, text: str, pen: Pen) -> int:
        """Draw a text; return where it ends."""
        cells = text if text.isascii() and text.isprintable() else [*_cells(text)]
        end = min(x + len(cells), len(self.texts))
        if 0 <= x < end:
            self._split(x)
            self._split(end)
            self.texts[x:end] = cells[: end - x]
            self.pens[x:end] = [pen] * (end - x)
            if cells[end - x : end - x + 1] == [""]:
                self.texts[end - 1] = " "
        return x + len(cells)

    def _split(self, x: int) -> None:
        """Leave nothing of a wide character that only in part is to the left of a column."""
        if 0 < x < len(self.texts) and self.texts[x] == "":
            self.texts[x - 1] = self.texts[x] = " "

    def differences(self, other: _CellRow) -> list[int]:
        """Return the columns in which a row that is drawn differs from `other`."""
        texts, pens = self.texts, self.pens
        return [
            x
            for x, text in enumerate(texts)
            if text is not None
            and (text != other.texts[x] or not _looks_same(text, pens[x], other.pens[x]))
        ]

    def is_drawn_alike(self, start: int, end: int) -> bool:
        """Tell whether all of these cells can be drawn with the pen of the first of them."""
        pen = self.pens[start]
        return all(_looks_same(self.texts[x] or "", self.pens[x], pen) for x in range(start, end))

    def blanks(self, start: int, end: int) -> int:
        """Return how many blanks that look the same, and could be erased, begin at a column."""
        pen, x = self.pens[start], start
        if pen.is_fill:
            while x < end and self.texts[x] == " " and _looks_same(" ", self.pens[x], pen):
                x += 1
        return x - start

    def blank_tail(self) -> int:
        """Return where the blanks begin that erasing the rest of the row would leave there."""
        pen, x = self.pens[-1], len(self.texts)
        if not pen.attributes:
            while x and self.texts[x - 1] == " " and _looks_same(" ", self.pens[x - 1], pen):
                x -= 1
        return x


class _Strokes:
    """The sequences that draw on a terminal; it begins and ends with the plain pen.

    With `erases`, many blanks are erased rather than written.
    """

    def __init__(self, *, erases: bool) -> None:
        self._erases = erases
        self._sequences: list[str] = []
        self._pen = PLAIN
        self._at: tuple[int, int] | None = None

    def move(self, y: int, x: int) -> None:
        if self._at == (y, x):
            return
        if self._at is not None and self._at[0] == y and self._at[1] < x:
            by = x - self._at[1]
            self._sequences.append(f"\x1b[{by if by > 1 else ''}C")
        else:
            self._sequences.append(f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H")
        self._at = (y, x)

    def write(self, row: _CellRow, y: int, start: int, end: int) -> None:
        """Write some cells of a row; what terminals disagree on leaves the others in place."""
        blank_to = start
        for x in range(start, end):
            text = row.texts[x]
            if not text or x < blank_to:
                continue
            if self._erases and text == " " and (count := row.blanks(x, end)) >= _BLANKED_CELLS:
                blank_to = x + count
                self._erase(y, x, row.pens[x], f"\x1b[{count}X")
                continue
            width = 2 if row.texts[x + 1 : x + 2] == [""] else 1
            self.move(y, x)
            self._use(row.pens[x], for_text=text)
            if not _has_agreed_width(text):
                self._sequences.append(" " * width)
                self._at = None
                self.move(y, x)
            self._sequences.append(text)
            is_placed = _has_agreed_width(text) and x + width < len(row.texts)
            self._at = (y, x + width) if is_placed else None

    def erase_rest(self, y: int, x: int, pen: Pen) -> None:
        self._erase(y, x, pen, "\x1b[K")

    def _erase(self, y: int, x: int, pen: Pen, sequence: str) -> None:
        self.move(y, x)
        self._use(pen, for_text=" ")
        self._sequences.append(sequence)

    def scroll(self, top: int, bottom: int, by: int) -> None:
        """Move the rows from `top` to before `bottom` up by so many rows, or down."""
        self._use(PLAIN)
        lines = f"\x1b[{bottom};1H" + "\n" * by if by > 0 else f"\x1b[{top + 1};1H" + "\x1bM" * -by
        self._sequences.append(f"\x1b[{top + 1};{bottom}r{lines}\x1b[r")
        self._at = None

    def ended(self, cursor: Offset) -> str:
        """Return all of them, the cursor left where it is wanted."""
        if self._sequences:
            self._use(PLAIN)
            self.move(cursor.y, cursor.x)
        return "".join(self._sequences)

    def _use(self, pen: Pen, for_text: str = "") -> None:
        if for_text == " " and pen.is_fill and self._pen.is_fill:
            pen = Pen("", self._pen.foreground, pen.background)
        if pen != self._pen:
            self._sequences.append(switch(self._pen, pen))
            self._pen = pen


class Picture:
    """What is on the terminal, and what is to be there.

    Where the terminal does not fill with colour what it erases, nothing is erased. With
    `sends_all`, all that is drawn is sent, though the terminal should show it already.
    """

    def __init__(self, *, erases_in_colour: bool = True, sends_all: bool = False) -> None:
        self._erases_in_colour, self._sends_all = erases_in_colour, sends_all
        self._size = Size(0, 0)
        self._drawn: list[_CellRow] = []
        self._sent: list[_CellRow] = []
        self._touched: set[int] = set()
        self._cursor = self._sent_cursor = Offset(0, 0)

    def resize(self, size: Size) -> bool:
        """Forget what was sent; return whether the size is another one: then all is drawn anew."""
        is_other = size != self._size
        if is_other:
            self._size = size
            self._drawn = [_CellRow.of(size.width) for _ in range(size.height)]
        self.forget()
        return is_other

    def forget(self) -> None:
        """Take nothing of what was sent for granted: somebody else may have drawn there."""
        self._sent = [_CellRow.of(self._size.width) for _ in self._drawn]
        self._touched = set(range(len(self._drawn)))
        self._sent_cursor = Offset(-1, -1)

    def draw(self, pieces: Iterable[ScreenPiece], cursor: Offset, colours: ColorSystem) -> None:
        """Draw these on top of what was drawn before."""
        for y, x, segments in pieces:
            if not 0 <= y < len(self._drawn):
                continue
            row, end = self._drawn[y], x
            self._touched.add(y)
            for text, style, control in segments:
                if not control:
                    end = row.put(end, text, pen_of(style, colours))
            if self._sends_all:
                end = min(end, self._size.width)
                self._sent[y].texts[x:end] = [None] * (end - x)
        self._cursor = cursor

    def changes(self) -> str:
        """Return what has the terminal show what is drawn; from then on it counts as sent."""
        strokes = _Strokes(erases=self._erases_in_colour and not self._sends_all)
        if not self._sends_all:
            self._scroll(strokes)
        with_edge = [y for y in sorted(self._touched) if self._send_row(strokes, y)]
        for y in with_edge:
            strokes.write(self._drawn[y], y, self._size.width - 1, self._size.width)
        self._touched.clear()
        if self._cursor != self._sent_cursor:
            strokes.move(self._cursor.y, self._cursor.x)
            self._sent_cursor = self._cursor
        return strokes.ended(self._cursor)

    def _send_row(self, strokes: _Strokes, y: int) -> bool:
        """Send what changed in a row; tell whether its last cell did, and is still to be sent.

        That cell may be one of a scrollbar, which takes less as a column by itself.
        """
        new, old = self._drawn[y], self._sent[y]
        changed = new.differences(old)
        if not changed:
            return False
        self._sent[y] = new.copy()
        disputed = None
        if not _have_agreed_widths({*new.texts, *old.texts}):
            pairs = ((x, (new.texts[x], old.texts[x])) for x in changed)
            disputed = next((x for x, texts in pairs if not _have_agreed_widths(texts)), None)
        if disputed is not None:  # it may have covered what follows
            changed = sorted({*changed, *range(disputed, len(new.texts))})
        tail, edge = self._erasable(new, changed), len(new.texts) - 1
        is_edge_left = changed[-1] == edge < tail and new.pens[edge] != new.pens[edge - 1]
        if is_edge_left:
            changed.pop()
        for start, end in _spans(new, [x for x in changed if x < tail]):
            strokes.write(new, y, start, end)
        if tail < len(new.texts):
            first = next(x for x in changed if x >= tail)
            strokes.erase_rest(y, first, new.pens[-1])
        return is_edge_left

    def _erasable(self, row: _CellRow, changed: list[int]) -> int:
        """Return from where on a row is erased rather than written."""
        tail, width = row.blank_tail(), len(row.texts)
        is_safe = self._erases_in_colour or row.pens[-1].background == PLAIN.background
        is_shorter = sum(x >= tail for x in changed) > _ERASED_CELLS
        return tail if is_safe and is_shorter and not self._sends_all else width

    def _scroll(self, strokes: _Strokes) -> None:
        """Have the terminal move rows that are only elsewhere now, if that leaves less to send."""
        shift = _shift(
            [row.texts for row in self._sent],
            {
                y: texts
                for y in self._touched
                if (texts := self._drawn[y].texts) != self._sent[y].texts
            },
        )
        if shift is None:
            return
        top, bottom, by = shift
        sent = self._sent[top:bottom]
        blanks = [_CellRow.of(self._size.width, " ") for _ in range(abs(by))]
        moved = [*sent[by:], *blanks] if by > 0 else [*blanks, *sent[:by]]
        if self._cost(top, moved) < self._cost(top, sent):
            self._sent[top:bottom] = moved
            self._touched.update(range(top, bottom))
            strokes.scroll(top, bottom, by)

    def _cost(self, top: int, sent: list[_CellRow]) -> int:
        """Return about how many characters it takes to draw rows, once these are there."""
        cost = 0
        for y, row in enumerate(sent, top):
            texts, changed = self._drawn[y].texts, self._drawn[y].differences(row)
            cost += bool(changed) * _MOVE + sum(texts[x] != " " for x in changed)
        return cost


def _have_agreed_widths(texts: Iterable[str | None]) -> bool:
    return all(text is None or _has_agreed_width(text) for text in texts)


def _spans(row: _CellRow, columns: list[int]) -> Iterator[tuple[int, int]]:
    """Yield what to write so that these columns are written: whole characters, few moves."""
    start = end = -1
    for x in columns:
        if start >= 0 and x - end <= _JOINED_CELLS and row.is_drawn_alike(end - 1, x):
            end = x + 1
            continue
        if start >= 0:
            yield _whole(row, start, end)
        start, end = x, x + 1
    if start >= 0:
        yield _whole(row, start, end)


def _whole(row: _CellRow, start: int, end: int) -> tuple[int, int]:
    while start and row.texts[start] == "":
        start -= 1
    while end < len(row.texts) and row.texts[end] == "":
        end += 1
    return start, end


def _shift(
    old: list[list[str | None]], new: dict[int, list[str | None]]
) -> tuple[int, int, int] | None:
    """Return which rows moved and by how many rows up: the first, behind the last, how far.

    The first row of the screen never does: some terminals would keep what leaves there.
    """
    places: dict[tuple[str | None, ...], list[int]] = {}
    for y, texts in enumerate(old[1:], 1):
        places.setdefault(tuple(texts[:-_EDGE]), []).append(y)
    moves: dict[int, list[int]] = {}
    for y, texts in new.items():
        if y and any(text not in {" ", None} for text in texts[:-_EDGE]):
            for before in places.get(tuple(texts[:-_EDGE]), ()):
                moves.setdefault(before - y, []).append(y)
    by, rows = max(moves.items(), key=lambda move: len(move[1]), default=(0, []))
    if not by or len(rows) < _SCROLLED_ROWS:
        return None
    return min(*rows, min(rows) + by), max(*rows, max(rows) + by) + 1, by
