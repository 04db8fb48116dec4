"""The mark of a retiring key, on labels of every kind."""

from __future__ import annotations

from datetime import date
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.keys.rotation import base_label, retiring_label, retiring_since

DAY = date(2026, 11, 23)
MARK = " (retiring 2026-11-23)"
pieces = st.sampled_from(
    [MARK, " (retiring 2026-02-31)", " (retiring", "2026-11-23)", "\u202e", "[b]"]
)
labels = st.lists(st.one_of(pieces, st.text(max_size=8)), max_size=6).map("".join)


def test_the_mark_is_plain_to_read() -> None:
    assert retiring_label("billing", DAY) == "billing (retiring 2026-11-23)"
    assert retiring_since("billing (retiring 2026-11-23)") == DAY
    assert base_label("billing (retiring 2026-11-23)") == "billing"


@given(labels, st.dates(), st.dates())
def test_marking_is_undone_by_unmarking_and_done_once(label: str, day: date, other: date) -> None:
    marked = retiring_label(label, day)
    assert retiring_since(marked) == day
    assert base_label(marked) == base_label(label)
    assert retiring_label(marked, day) == marked
    assert retiring_label(marked, other) == retiring_label(label, other)
    assert retiring_since(base_label(label)) is None
    assert label.startswith(base_label(label))


@pytest.mark.parametrize(
    "label",
    [
        "",
        "billing (retiring 2026-02-31)",
        "billing (retiring 0000-01-01)",
        "billing (retiring \uff12\uff10\uff12\uff16-11-23)",
        "billing (retiring 2026-11-23) ",
        "billing (retiring 2026-11-23)\n",
        "billing (Retiring 2026-11-23)",
        "(retiring 2026-11-23)",
    ],
)
def test_what_is_no_mark_stays(label: str) -> None:
    assert retiring_since(label) is None
    assert base_label(label) == label


def test_a_long_label_costs_no_time() -> None:
    started = process_time()
    assert base_label(MARK * 50_000) == ""
    assert base_label(MARK * 50_000 + "x")[-1] == "x"
    assert process_time() - started < 2
