"""Laying out the manual's Markdown in lines: headings, paragraphs, lists, tables, code.

Only what the manual uses is understood: `tests/manual` sees to it that it uses nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

NARROWEST_COLUMN = 12
"""Where a column would be narrower, each cell of a table takes lines of its own."""
GAP = 2
"""Blanks between two columns."""


class Style(Enum):
    """How a piece of text stands out."""

    PLAIN = "plain"
    STRONG = "strong"
    CODE = "code"
    TITLE = "title"


class Piece(NamedTuple):
    """Text in one style."""

    text: str
    style: Style = Style.PLAIN


Line = tuple[Piece, ...]


class Kind(Enum):
    """What a block is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    CODE = "code"
    ROW = "row"


class ColumnWidths(NamedTuple):
    """A column of a table: how wide its widest text is, and its longest word."""

    width: int
    word: int


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph, an item of a list, one line of code, or one row of a table.

    `cells` are a row's, else there is one. `level` is a heading's, from 1; `columns` are a table's.
    """

    kind: Kind
    cells: tuple[Line, ...]
    level: int = 0
    columns: tuple[ColumnWidths, ...] = ()
    is_first: bool = True
    """Whether a blank line goes before it: it does not belong together with the block above."""

    @property
    def text(self) -> str:
        """The words alone."""
        return " ".join(text_of(cell) for cell in self.cells)


def text_of(line: Iterable[Piece]) -> str:
    """Return a line without styles."""
    return "".join(piece.text for piece in line)


_INLINE = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\([^)]*\)|\*(\w(?:[^*]*\w)?)\*")


def inline_pieces(text: str) -> Line:
    """Return a text in Markdown as pieces: `code`, **strong**, *names*, the words of [links](…)."""
    line: list[Piece] = []
    end = 0
    for match in _INLINE.finditer(text):
        code, strong, link, name = match.groups()
        line += [Piece(text[end : match.start()])] if match.start() > end else []
        if code is not None:
            line.append(Piece(code.replace("\\|", "|"), Style.CODE))
        else:
            line.append(Piece(strong, Style.STRONG) if strong else Piece(link or name))
        end = match.end()
    return (*line, Piece(text[end:])) if end < len(text) else tuple(line)


_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_FENCED = re.compile(r"^```.*\n((?:.*\n)*?)```$", re.MULTILINE)


def blocks(markdown: str) -> list[Block]:
    """Return the blocks of a page, in order."""
    page: list[Block] = []
    for number, text in enumerate(_FENCED.split(_COMMENT.sub("", markdown))):
        page += _code(text) if number % 2 else _prose(text)
    return page


def _code(text: str) -> Iterator[Block]:
    """Yield the lines between two fences; blank lines are lines of it."""
    for number, line in enumerate(text.splitlines()):
        yield Block(Kind.CODE, ((Piece(line, Style.CODE),),), is_first=number == 0)


def _prose(text: str) -> Iterator[Block]:
    """Yield the blocks of what stands outside of fences."""
    for paragraph in re.split(r"\n\s*\n", text):
        if paragraph.strip():
            yield from _blocks_of(paragraph.strip("\n"))


def _blocks_of(text: str) -> Iterator[Block]:
    """Yield the blocks of what stands between two blank lines."""
    lines = text.split("\n")
    if heading := re.fullmatch(r"(#+) (.*)", lines[0]):
        yield Block(Kind.HEADING, ((Piece(heading[2], Style.TITLE),),), level=len(heading[1]))
        lines = lines[1:]
    if not lines:
        return
    if lines[0].startswith("|"):
        yield from _rows(lines)
    elif lines[0].startswith("- "):
        items = re.split(r"\n- ", "\n".join(lines).removeprefix("- "))
        for number, item in enumerate(items):
            words = " ".join(item.split())
            yield Block(Kind.ITEM, (inline_pieces(words),), is_first=number == 0)
    else:
        yield Block(Kind.PARAGRAPH, (inline_pieces(" ".join(" ".join(lines).split())),))


def _rows(lines: Sequence[str]) -> Iterator[Block]:
    """Yield a table's rows; the first is its head, a line of dashes follows."""
    head, *rows = [_cells(line) for line in (lines[0], *lines[2:])]
    titles = tuple((Piece(text_of(cell), Style.STRONG),) for cell in head)
    cells_below = zip(*([titles, *rows] if text_of(titles[0]) else rows), strict=True)
    columns = tuple(_column([text_of(cell) for cell in cells]) for cells in cells_below)
    if any(text_of(title) for title in titles):
        yield Block(Kind.ROW, titles, columns=columns)
    for number, cells in enumerate(rows):
        yield Block(
            Kind.ROW, cells, columns=columns, is_first=number == 0 and not text_of(titles[0])
        )


def _column(texts: Sequence[str]) -> ColumnWidths:
    words = (len(word) for text in texts for word in text.split())
    return ColumnWidths(max(map(len, texts)), max(words, default=0))


def _cells(line: str) -> tuple[Line, ...]:
    texts = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return tuple(inline_pieces(text.strip()) for text in texts)


def lines_of(block: Block, width: int) -> list[Line]:
    """Return a block in lines of at most `width` columns; code is not broken."""
    if block.kind is Kind.CODE:
        return [(Piece("  "), *block.cells[0])]
    if block.kind is Kind.ITEM:
        first, *rest = wrapped(block.cells[0], width - 2)
        return [(Piece("• "), *first), *((Piece("  "), *line) for line in rest)]
    if block.kind is Kind.ROW:
        return _row_lines(block, width)
    return wrapped(block.cells[0], width)


def _row_lines(block: Block, width: int) -> list[Line]:
    """Return a row with its cells side by side, or one below the other where it is too narrow."""
    widths = _fitting(block.columns, width - GAP * (len(block.columns) - 1))
    if not widths:
        first, *rest = (cell for cell in block.cells if text_of(cell))
        indented = [(Piece("  "), *line) for cell in rest for line in wrapped(cell, width - 2)]
        return [*wrapped(first, width), *indented]
    columns = [wrapped(cell, w) for cell, w in zip(block.cells, widths, strict=True)]
    height = max(map(len, columns))
    return [_side_by_side(columns, widths, row) for row in range(height)]


def _fitting(columns: Sequence[ColumnWidths], room: int) -> list[int]:
    """Return how wide the columns are in that room; nothing where one would be too narrow.

    Those that are less wide than their share keep their width, the others share the rest. None is
    narrower than its longest word.
    """
    least = [max(column.word, min(column.width, NARROWEST_COLUMN)) for column in columns]
    if sum(least) > room:
        return []
    fitting = least.copy()
    spare = room - sum(least)
    wanting = sorted(range(len(columns)), key=lambda number: columns[number].width - least[number])
    for count, number in zip(range(len(wanting), 0, -1), wanting, strict=True):
        more = min(columns[number].width - least[number], spare // count)
        fitting[number] += more
        spare -= more
    return fitting


def _side_by_side(columns: Sequence[Sequence[Line]], widths: Sequence[int], row: int) -> Line:
    line: list[Piece] = []
    for column, width in zip(columns, widths, strict=True):
        cell = column[row] if row < len(column) else ()
        line += [*cell, Piece(" " * (width - len(text_of(cell)) + GAP))]
    return tuple(line[:-1])


def wrapped(line: Line, width: int) -> list[Line]:
    """Return a line broken at blanks into lines of at most `width` columns.

    A word that is longer alone is cut. The manual's characters are one column wide.
    """
    lines: list[Line] = []
    row: list[Piece] = []
    used = 0
    for word in _words(line, width):
        length = len(text_of(word))
        if row and used + 1 + length > width:
            lines.append(_joined(row))
            row, used = [], 0
        if row:
            row.append(Piece(" ", word[0].style if word[0].style is row[-1].style else Style.PLAIN))
            used += 1
        row += word
        used += length
    return [*lines, _joined(row)] if row or not lines else lines


def _words(line: Line, width: int) -> Iterator[list[Piece]]:
    """Yield the words of a line, each in pieces, none longer than `width`."""
    word: list[Piece] = []
    for text, style in line:
        for number, part in enumerate(text.split(" ")):
            if number and word:
                yield word
                word = []
            for start in range(0, len(part), width):
                piece = Piece(part[start : start + width], style)
                if word and len(text_of(word)) + len(piece.text) > width:
                    yield word
                    word = []
                word.append(piece)
    if word:
        yield word


def _joined(row: Iterable[Piece]) -> Line:
    """Return neighbours of one style as one piece."""
    line: list[Piece] = []
    for piece in row:
        if line and line[-1].style is piece.style:
            line[-1] = Piece(line[-1].text + piece.text, piece.style)
        else:
            line.append(piece)
    return tuple(line)


def as_text(markdown: str, width: int) -> str:
    """Return a page as plain text in lines of at most `width` columns."""
    rows: list[str] = []
    for block in blocks(markdown):
        if rows and block.is_first:
            rows.append("")
        title = text_of(block.cells[0])
        if block.kind is Kind.HEADING and block.level == 1:
            rows.append(title.upper())
        else:
            indent = "" if block.kind is Kind.HEADING else "  "
            rows += [f"{indent}{text_of(line)}".rstrip() for line in lines_of(block, width - 2)]
    return "\n".join(rows) + "\n"
