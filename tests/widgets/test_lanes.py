"""Two lanes are drawn in whatever width there is, and a key that works is drawn as one."""

from __future__ import annotations

import pytest

from tui.ui.widgets.lanes import Lane, Station, render_lanes

WORKS = Station("works", "plain")
START = Station("", "start")
OLD = Lane("old", "85f0••••", (START, WORKS, Station("`d` deletes", "current")))
NEW = Lane(
    "new",
    "a823••••",
    (
        Station("made", "done"),
        Station("verified 11/11", "done"),
        Station("stored", "done"),
        Station("put to use", "current"),
    ),
    is_new=True,
)


@pytest.mark.parametrize("width", [36, 40, 56, 62, 76, 90])
def test_both_fit_and_end_at_the_same_edge(width: int) -> None:
    lines = render_lanes((OLD, NEW), width).split("\n")
    assert [line.cell_length for line in lines] == [width, width]
    old, new = (line.plain for line in lines)
    assert "works" in old
    assert "▸ d deletes" in old
    assert "▸ put to use" in new
    assert new.count("✓") == 3


def test_what_does_not_fit_is_left_out_by_need() -> None:
    def seen(width: int) -> tuple[bool, bool]:
        lines = render_lanes((OLD, NEW), width).plain
        return "85f0••••" in lines, "verified 11/11" in lines

    assert [seen(width) for width in (76, 56, 36)] == [(True, True), (False, True), (False, False)]


def test_a_key_out_of_service_has_a_thin_line() -> None:
    paused = Lane("old", "", (START, Station("paused", "off")), is_off=True)
    assert "━" in render_lanes((OLD,), 76).plain
    line = render_lanes((paused,), 76).plain
    assert "━" not in line
    assert "──" in line


def test_a_life_that_ended_is_shorter_than_the_one_that_goes_on() -> None:
    gone = Lane("old", "85f0••••", (START, Station("deleted", "failed")), has_ended=True)
    old, new = (line.plain.rstrip() for line in render_lanes((gone, NEW), 76).split("\n"))
    assert old.endswith("━ ✗ deleted")
    assert len(old) < len(new)
