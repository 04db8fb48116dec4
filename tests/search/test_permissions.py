"""Which grants allow which request."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.api.grants import MOMENTUM
from tui.sandbox.catalogue import edition
from tui.sandbox.gate import READ_WRITE
from tui.search.permissions import (
    METHODS,
    Access,
    Request,
    allowed_by,
    completions,
    grants_allowing,
    parse_request,
)
from tui.search.query import QueryError, UnfinishedQuery


@pytest.mark.parametrize(
    ("method", "path", "grants"),
    [
        ("POST", "/api/v1/transmissions", {"transmissions/modify"}),
        ("post", "/transmissions/", {"transmissions/modify"}),
        (
            "GET",
            "/api/v1/transmissions/7?x=/webhooks",
            {"transmissions/view", "transmissions/modify"},
        ),
        ("HEAD", "/api/v1/metrics/deliverability", {"metrics/view"}),
        ("POST", "/api/v1/metrics", set[str]()),
        ("DELETE", "/api/v1/recipient-lists/a", {"recipient_lists/manage"}),
        ("POST", "/api/v1/templates", {"templates/modify"}),
        ("POST", "/api/v1/templates/a/preview", {"templates/preview"}),
        ("GET", "/api/v1/templates/a/preview", {"templates/view", "templates/modify"}),
        ("GET", "/api/v1/Metrics", set[str]()),
        ("GET", "/api/v1/metricsx", set[str]()),
        ("GET", "/api/v1/api-keys", set[str]()),
        ("GET", "/", set[str]()),
    ],
)
def test_who_may(method: str, path: str, grants: set[str]) -> None:
    assert grants_allowing(method, path) == grants


def test_a_prefix_of_the_installation() -> None:
    assert grants_allowing("GET", "/mta/v1/metrics", prefix="/mta/v1/") == {"metrics/view"}
    assert grants_allowing("GET", "/api/v1/metrics", prefix="/mta/v1/") == frozenset()


def test_grants_that_only_their_names_tell_about() -> None:
    keys = [grant.key for grant in edition("sparkpost").grants]
    assert grants_allowing("GET", "/ip-pools", keys) == {"ip_pools/view", "ip_pools/manage"}
    assert grants_allowing("PUT", "/suppression-list/a", keys) == {"suppression_lists/manage"}
    assert allowed_by("subaccount/view") == (Access(("GET",), "/subaccounts"),)
    assert allowed_by("events/ingest") == allowed_by("odd") == allowed_by("/view") == ()


def test_the_sandbox_lets_the_same_requests_through() -> None:
    for root, (reads, writes) in READ_WRITE.items():
        assert grants_allowing("GET", f"/{root}") == reads
        for method in METHODS[1:]:
            assert grants_allowing(method, f"/{root}") == writes


def test_the_descriptions_of_the_grants_say_the_same() -> None:
    for grant in MOMENTUM:
        for access in allowed_by(grant.key):
            path = access.path.removesuffix("/{id}/preview")
            assert grant.description == f"{', '.join(access.methods)} on /api/v1{path}"
    assert [grant.key for grant in MOMENTUM if not allowed_by(grant.key)] == ["smtp/inject"]


def test_a_request_as_it_is_typed() -> None:
    request = parse_request(" may post  /api/v1/transmissions ")
    assert request == Request("POST", "/api/v1/transmissions")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "A method is missing: GET, POST, PUT, DELETE."),
        ("may", "A method is missing: GET, POST, PUT, DELETE."),
        ("PO", "The method is not complete."),
        ("POST", "A path is missing, such as /api/v1/transmissions."),
    ],
)
def test_a_request_that_is_unfinished(text: str, message: str) -> None:
    with pytest.raises(UnfinishedQuery) as refusal:
        parse_request(text)
    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("text", "column"), [("may fly /x", 5), ("fly", 1), ("GET metrics", 5), ("PO /x", 1)]
)
def test_a_request_that_is_faulty(text: str, column: int) -> None:
    with pytest.raises(QueryError) as refusal:
        parse_request(text)
    assert refusal.value.column == column


def test_completions() -> None:
    assert completions("may ") == ["GET ", "POST ", "PUT ", "DELETE "]
    assert completions("p") == ["POST ", "PUT "]
    assert completions("POST /api/v1/t") == [
        "POST /api/v1/templates",
        "POST /api/v1/templates/{id}/preview",
        "POST /api/v1/transmissions",
    ]
    assert completions("get /", ["ip_pools/view"], "/mta") == ["GET /mta/ip-pools"]


@given(st.text(max_size=20))
def test_any_text_is_a_request_or_refused(text: str) -> None:
    completions(text)
    with suppress(QueryError, UnfinishedQuery):
        parse_request(text)
