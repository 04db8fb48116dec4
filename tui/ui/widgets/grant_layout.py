"""Where on the form each grant stands: a grant a row, or a resource a row where there are many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from tui.api.grants import SENDING, Catalogue
from tui.text import short

MANY = 20
"""With more grants than this, those of one resource share a row."""
BOX = 4
"""How many cells a box takes, with the blank behind it."""
GAP = 3
"""Blank cells between two columns of rows."""
LONGEST_LABEL = 40
"""How much of a label is shown in its row, in cells; the note tells the whole of it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A grant on the form: `x` and `y` count from the top left, and leave room for the mark."""

    key: str
    text: str
    x: int
    y: int

    @property
    def width(self) -> int:
        """How many cells box and text take."""
        return BOX + cell_len(self.text)


@dataclass(frozen=True, slots=True)
class Caption:
    """The name of a resource before its grants, or what a grant allows behind it."""

    text: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class GrantLayout:
    """All grants that are shown, in their order, with the names of their resources if any.

    `remarks` tell what each allows, where there is room for all of them.
    """

    cells: tuple[Cell, ...] = ()
    titles: tuple[Caption, ...] = ()
    remarks: tuple[Caption, ...] = ()
    height: int = 0


@dataclass(frozen=True, slots=True)
class _GrantRow:
    title: str
    grants: tuple[tuple[str, str], ...]
    """Keys, and what stands behind their boxes."""


def arrange(
    keys: Sequence[str], catalogue: Catalogue, *, is_grouped: bool, width: int, height: int
) -> GrantLayout:
    """Arrange grants in `width` cells: in one column, else in as few as `height` lines allow."""
    if is_grouped:
        rows = _by_resource(keys)
    else:
        rows = [_GrantRow("", ((key, _label(catalogue, key)),)) for key in keys]
    if not rows:
        return GrantLayout()
    title_width = max((cell_len(row.title) + 2 for row in rows if row.title), default=0)
    row_width = max(_width(row, title_width) for row in rows)
    most_columns = max(1, (width + GAP) // (row_width + GAP))
    columns = min(most_columns, -(-len(rows) // max(1, height)))
    lines = -(-len(rows) // columns)
    cells: list[Cell] = []
    titles: list[Caption] = []
    for place, row in enumerate(rows):
        column, y = divmod(place, lines)
        x = column * (row_width + GAP)
        if row.title:
            titles.append(Caption(row.title, x + 1, y))
        x += title_width
        for key, text in row.grants:
            cells.append(Cell(key, text, x + 1, y))
            x += 2 + BOX + cell_len(text)
    remarks = () if is_grouped or columns > 1 else _remarks(cells, catalogue, row_width, width)
    return GrantLayout(tuple(cells), tuple(titles), remarks, lines)


def remark(key: str, catalogue: Catalogue) -> str:
    """Return what a grant allows, or that the server's catalogue does not list it."""
    allows = catalogue.description(key)
    if not allows and key not in catalogue:
        return "not in this server's catalogue; kept unless you clear it"
    return allows


def _remarks(
    cells: Sequence[Cell], catalogue: Catalogue, x: int, width: int
) -> tuple[Caption, ...]:
    """Return what each grant allows; nothing where one of them would be cut."""
    captions = tuple(Caption(remark(cell.key, catalogue), x + GAP, cell.y) for cell in cells)
    fits = all(caption.x + cell_len(caption.text) <= width for caption in captions)
    return captions if fits else ()


def _width(row: _GrantRow, title_width: int) -> int:
    return 1 + title_width + sum(2 + BOX + cell_len(text) for _, text in row.grants) - 2


def _label(catalogue: Catalogue, key: str) -> str:
    label = short(catalogue.label(key), LONGEST_LABEL)
    return f"{label} !" if key in SENDING else label


def _by_resource(keys: Sequence[str]) -> list[_GrantRow]:
    """Return a row for each resource, in the order in which the first of its grants comes."""
    resources: dict[str, list[tuple[str, str]]] = {}
    for key in keys:
        resource, _, action = key.partition("/")
        text = short(action or key, LONGEST_LABEL // 2)
        shown = f"{text} !" if key in SENDING else text
        resources.setdefault(short(resource, LONGEST_LABEL // 2), []).append((key, shown))
    return [_GrantRow(resource, tuple(grants)) for resource, grants in resources.items()]
