"""What of a key is found."""

from __future__ import annotations

import pytest

from tui.api.grants import Catalogue
from tui.api.models import Key
from tui.search.key_rows import index_of_keys
from tui.search.query import parse_query

KEYS = (
    Key(
        "id-1", "Billing", "9ac1", ("metrics/view", "future/grant"), ("192.0.2.0/24",), None, "ops"
    ),
    Key("id-2", "Mailer\x1b[31m", "12d0", ("transmissions/modify",), None, None, "kim"),
    Key("id-3"),
)


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("billing", [0]),
        ("9ac1", [0]),
        ("id-2", [1]),
        ("kim", [1]),
        ("192.0.2.*", [0]),
        ("any", [1, 2]),
        ("anywhere", [1, 2]),
        ('"View Metrics"', [0]),
        ("metrics/view", [0]),
        ("future/grant", [0]),
        ('"metrics metrics/view"', list[int]()),
        ("mailer␛", [1]),
        ("NOT (billing mailer)", [2]),
    ],
)
def test_what_of_a_key_is_found(query: str, rows: list[int]) -> None:
    assert index_of_keys(KEYS, Catalogue()).matches(parse_query(query)) == rows


def test_no_keys() -> None:
    index = index_of_keys([], Catalogue())
    assert index.matches(parse_query("")) == index.matches(parse_query("a b~ c*")) == []


def test_what_many_keys_have_in_common_is_found_in_each() -> None:
    keys = [
        Key(f"id-{n}", raw_username=f"owner{n % 2}", raw_grants=("smtp/inject",)) for n in range(20)
    ]
    index = index_of_keys(keys, Catalogue())
    assert index.matches(parse_query("own?r1")) == list(range(1, 20, 2))
    assert index.matches(parse_query("onwer1~1 NOT id-1*")) == [3, 5, 7, 9]
    assert index.matches(parse_query("sm*p")) == list(range(20))
