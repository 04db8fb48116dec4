"""The marks of successors and of retiring keys, on labels of every kind."""

from __future__ import annotations

from datetime import date
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.keys.labels import (
    Mark,
    base_label,
    has_torn_mark,
    key_reference,
    mark_of,
    nonce_of,
    retiring_since,
    shown_label,
    successor_label,
)

DAY = date(2026, 11, 23)
RETIRING = " (retiring 2026-11-23)"
REPLACES = " (replaces 85f0 #1d677327-7e2a9c)"
pieces = st.sampled_from(
    [
        RETIRING,
        REPLACES,
        " (paused 2026-11-26, from any)",
        " (retiring 2026-02-31)",
        " (retiring",
        " (replaces 85f0 #1d677327-7e2a9)",
        "#1d677327-7e2a9c)",
        "2026-11-23)",
        "\u202e",
        "[b]",
    ]
)
labels = st.lists(st.one_of(pieces, st.text(max_size=8)), max_size=6).map("".join)
nonces = st.text("0123456789abcdef", min_size=6, max_size=6)


def test_a_successor_s_mark_is_plain_to_read() -> None:
    label = successor_label("Billing mailer", "5c1f", "85f0", nonce_of("7e2a9c0123456789"))
    assert label == f"Billing mailer (replaces 85f0 #{key_reference('5c1f')}-7e2a9c)"
    assert mark_of(label) == Mark(key_reference("5c1f"), "7e2a9c", "85f0")
    assert base_label(label) == shown_label(label) == "Billing mailer"
    assert label.isascii()


def test_the_mark_of_earlier_versions_is_understood() -> None:
    assert retiring_since("billing" + RETIRING) == DAY
    assert base_label("billing" + RETIRING) == "billing"
    assert shown_label("billing" + RETIRING) == "billing" + RETIRING
    assert successor_label("billing" + RETIRING, "1", "", "7e2a9c").startswith("billing (repl")


@given(labels, st.text(max_size=8), st.text(max_size=14), nonces)
def test_a_mark_is_read_back_whatever_stands_before_it(
    label: str, key_id: str, short_key: str, nonce: str
) -> None:
    marked = successor_label(label, key_id, short_key, nonce)
    mark = mark_of(marked)
    assert mark is not None
    assert (mark.reference, mark.nonce) == (key_reference(key_id), nonce)
    assert mark.short_key in {short_key, ""}
    assert base_label(marked) == base_label(label)
    assert successor_label(marked, key_id, short_key, nonce) == marked
    assert retiring_since(base_label(label)) is None
    assert mark_of(base_label(label)) is None
    assert label.startswith(base_label(label))
    paused = f"{marked} (paused 2026-11-26, from 192.0.2.0/24 198.51.100.7)"
    assert mark_of(paused) == mark


@given(labels, nonces)
def test_a_server_may_trim_labels_and_change_their_case(label: str, nonce: str) -> None:
    marked = successor_label(label, "id", "85f0", nonce)
    for kept in (marked.strip(), marked.lower(), marked.upper(), marked.strip().lower()):
        mark = mark_of(kept)
        assert mark is not None
        assert (mark.reference, mark.nonce) == (key_reference("id"), nonce)


@given(labels)
def test_a_cut_mark_tells_the_predecessor_as_long_as_it_can_and_is_taken_off(label: str) -> None:
    marked = successor_label(label, "id", "85f0", "7e2a9c")
    shortest = len(base_label(label)) + len(" (replaces 85f0 #1d67")
    for length in range(len(base_label(label)) + len(" (replaces"), len(marked)):
        cut = marked[:length]
        mark = mark_of(cut)
        assert (mark is not None) is (length >= shortest)
        if mark is not None:
            assert (mark.is_about("id"), mark.is_about("other"), mark.nonce) == (True, False, "")
        assert has_torn_mark(cut)
        assert base_label(cut) == base_label(label)


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
        "billing(replaces 85f0 #1d677327-7e2a9c)",
        "billing (replaces 85f0 1d677327-7e2a9c)",
        "billing (replaces 85f0 #1d677327-7e2a9c) ",
        "billing (replaces 85f0 #1d677327-7e2a9c)\n",
        "billing (replaces 85 f0 #1d677327-7e2a9c)",
        "billing (replaces 85f0 #\u0661d677327-7e2a9c)",
    ],
)
def test_what_is_no_mark_stays(label: str) -> None:
    assert retiring_since(label) is None
    assert mark_of(label) is None
    assert base_label(label) == label


def test_a_long_label_costs_no_time() -> None:
    started = process_time()
    assert base_label(RETIRING * 50_000) == ""
    assert base_label(RETIRING * 50_000 + "x")[-1] == "x"
    assert process_time() - started < 2
