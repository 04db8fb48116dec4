"""Where grants stand on the form: nothing is cut, and no column is wasted."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tui.api.grants import MOMENTUM, Catalogue
from tui.sandbox.sparkpost import SPARKPOST
from tui.ui.widgets.grant_layout import GrantLayout, arrange

MOMENTUMS, SPARKPOSTS = Catalogue(MOMENTUM), Catalogue(SPARKPOST)


def arranged(catalogue: Catalogue, width: int, height: int) -> GrantLayout:
    keys = [grant.key for grant in catalogue.grants]
    return arrange(keys, catalogue, is_grouped=len(keys) > 20, width=width, height=height)


def columns(layout: GrantLayout) -> int:
    return len({cell.x for cell in layout.cells if cell.y == 0})


@pytest.mark.parametrize(
    ("width", "height", "wanted"),
    [(76, 14, (1, 11)), (76, 8, (2, 6)), (56, 8, (1, 11)), (136, 14, (1, 11)), (36, 3, (1, 11))],
)
def test_eleven_take_a_row_each_as_long_as_there_are_rows(
    width: int, height: int, wanted: tuple[int, int]
) -> None:
    layout = arranged(MOMENTUMS, width, height)
    assert (columns(layout), layout.height) == wanted
    assert all(cell.x + cell.width <= width for cell in layout.cells)
    assert bool(layout.remarks) == (width >= 90), "what each allows stands there, or nowhere"


@pytest.mark.parametrize(("width", "height"), [(76, 14), (136, 18)])
def test_resources_take_a_row_each(width: int, height: int) -> None:
    layout = arranged(SPARKPOSTS, width, height)
    rows = {(title.y, title.x): title.text for title in layout.titles}
    assert len(rows) == 30
    assert layout.height == (30 if width < 100 else 15)
    places = [(cell.y, cell.x + n) for cell in layout.cells for n in range(-1, cell.width)]
    places += [(t.y, t.x + n) for t in layout.titles for n in range(cell_len(t.text))]
    assert len(places) == len(set(places)), "nothing stands on anything else"
    assert max(x for _, x in places) < width


def test_nothing_to_show_takes_no_room() -> None:
    assert arrange((), MOMENTUMS, is_grouped=False, width=80, height=9) == GrantLayout()
