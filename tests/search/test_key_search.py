"""Who may do what, as it is typed into the search of the keys."""

from __future__ import annotations

import pytest

from tui.api.grants import Catalogue
from tui.api.models import Key
from tui.search.highlights import spans
from tui.search.key_search import KeySearch
from tui.search.query import QueryError, UnfinishedQuery

READER = Key("1", "Reader", raw_grants=("metrics/view",))
SENDER = Key("2", "Sender", raw_grants=("transmissions/modify", "smtp/inject"))
EMPTY = Key("3", "May be empty")
INFERRED = Key("4", "Inferred", raw_grants=("subaccount/view",))
ODD = Key("5", "Odd", raw_grants=("odd",))

DOCUMENTED = KeySearch((READER, SENDER, EMPTY), Catalogue())
WITH_OTHERS = KeySearch((READER, INFERRED, ODD), Catalogue())


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("may GET /api/v1/metrics", [0]),
        ("MAY get /metrics/deliverability/", [0]),
        ("  may   HEAD   /api/v1/metrics?from=1 ", [0]),
        ("may POST /api/v1/transmissions", [1]),
        ("may DELETE /api/v1/transmissions/1", [1]),
        ("may POST /api/v1/metrics", list[int]()),
        ("may GET /api/v1/nothing", list[int]()),
        ("may", [2]),
        (r"\may be", [2]),
        ("", [0, 1, 2]),
    ],
)
def test_the_keys_that_may_send_a_request(text: str, rows: list[int]) -> None:
    matches = DOCUMENTED.matches(text)
    assert (list(matches.rows), matches.missing, matches.caveat) == (rows, "", "")


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("may ", "A method is missing: GET, POST, PUT, DELETE."),
        ("may PO", "The method is not complete."),
        ("may POST", "A path is missing, such as /api/v1/transmissions."),
        ("may POST /", "The path goes on: /api/v1/recipient-lists"),
        ("may post /api/v1/trans", "The path goes on: /api/v1/transmissions"),
    ],
)
def test_a_request_that_is_not_typed_to_its_end_leaves_all_keys(text: str, missing: str) -> None:
    matches = DOCUMENTED.matches(text)
    assert (list(matches.rows), matches.missing) == ([0, 1, 2], missing)


def test_what_is_wrong_with_a_query_or_a_request() -> None:
    with pytest.raises(QueryError) as wrong:
        DOCUMENTED.matches("may send mail")
    assert wrong.value.column == 5
    with pytest.raises(QueryError) as wrong:
        DOCUMENTED.matches("  may GET metrics")
    assert wrong.value.column == 11
    with pytest.raises(UnfinishedQuery):
        DOCUMENTED.matches('"may')


def test_what_is_inferred_is_known_only_so_far() -> None:
    for text, rows in (("may GET /subaccounts", [1]), ("may GET /metrics", [0])):
        matches = WITH_OTHERS.matches(text)
        assert (list(matches.rows), matches.caveat) == (rows, "as far as is known")


def test_the_grants_that_allow_it_are_highlighted() -> None:
    query = DOCUMENTED.matches("may POST /transmissions").highlighted
    text = "View Transmissions, Modify Transmissions"
    assert [text[a:b] for a, b in spans(query, text)] == ["Modify Transmissions"]
    assert DOCUMENTED.matches("may GET /nothing").highlighted.matches_all


@pytest.mark.parametrize(
    ("text", "completion"),
    [
        ("may ", "may GET "),
        ("  may pu", "  may PUT "),
        ("may GET /api/v1/met", "may GET /api/v1/metrics"),
        ("may GET /api/v1/metrics", ""),
        ("may GET /api/v1/nothing", ""),
        ("metr", ""),
        ("may", ""),
    ],
)
def test_a_request_is_completed(text: str, completion: str) -> None:
    assert DOCUMENTED.completion(text) == completion


def test_another_prefix() -> None:
    search = KeySearch((READER,), Catalogue(), "/momentum/api/v1")
    assert search.completion("may GET /momentum/api/v1/m") == "may GET /momentum/api/v1/metrics"
    assert list(search.matches("may GET /momentum/api/v1/metrics").rows) == [0]


def test_no_keys() -> None:
    search = KeySearch((), Catalogue())
    assert len(search) == len(search.matches("may GET /metrics").rows) == 0
