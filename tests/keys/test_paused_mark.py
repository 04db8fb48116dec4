"""The mark of a paused key in its label."""

from __future__ import annotations

from datetime import date

import pytest

from tui.keys.labels import base_label, successor_label
from tui.keys.paused_mark import (
    PAUSED_IPS,
    PausedMark,
    is_paused,
    paused_label,
    paused_mark,
    without_paused_mark,
)

DAY = date(2026, 11, 26)
MANY = tuple(f"198.51.100.{number}" for number in range(20))


@pytest.mark.parametrize(
    ("valid_ips", "mark"),
    [
        ((), "(paused 2026-11-26, from any)"),
        (("192.0.2.0/24", "198.51.100.7"), "(paused 2026-11-26, from 192.0.2.0/24 198.51.100.7)"),
    ],
)
def test_a_mark_tells_where_the_key_worked_from(valid_ips: tuple[str, ...], mark: str) -> None:
    label = paused_label("Billing mailer", DAY, valid_ips)
    assert label == f"Billing mailer {mark}"
    assert paused_mark(label) == PausedMark(DAY, valid_ips)
    assert paused_mark(label.upper()) == PausedMark(DAY, valid_ips), "a server may fold case"
    assert without_paused_mark(label) == "Billing mailer"


@pytest.mark.parametrize("valid_ips", [MANY, ("2001:db8::/32",), ("any) \ud800",)])
def test_what_is_long_or_no_ipv4_address_stands_as_a_digest(valid_ips: tuple[str, ...]) -> None:
    mark = paused_mark(paused_label("x", DAY, valid_ips))
    assert mark is not None
    assert mark.valid_ips is None
    assert mark.may_stand_for(valid_ips)
    assert not mark.may_stand_for(valid_ips[1:] or ("192.0.2.1",))


@pytest.mark.parametrize(
    "label",
    [
        "Billing mailer",
        "Billing (paused)",
        "x (paused 2026-13-26, from any)",
        "x (paused 2026-11-26, from 192.0.2.1, or so)",
        "x (paused 2026-11-26, from any) again",
        "",
    ],
)
def test_what_is_no_mark_stays(label: str) -> None:
    assert paused_mark(label) is None
    assert without_paused_mark(label) == base_label(label) == label


def test_a_base_label_is_without_marks_of_all_kinds() -> None:
    label = paused_label(successor_label("Billing", "1", "85f0", "7e2a9c"), DAY, MANY)
    assert base_label(label) == "Billing"
    assert without_paused_mark(label) == "Billing (replaces 85f0 #6b86b273-7e2a9c)"


def test_a_key_is_paused_by_its_addresses() -> None:
    assert is_paused(PAUSED_IPS)
    assert is_paused(("192.0.2.0",)), "as a server may write it"
    assert not any(map(is_paused, (None, (), ("192.0.2.1",), (*PAUSED_IPS, "10.0.0.1"))))
