"""What each call sends and how it reads the answer, by the contract."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs

import pytest
from pydantic import SecretStr

from tests import faults as f
from tests.client.conftest import Dial
from tests.faults import as_json, faults, routes
from tui.api import errors
from tui.api.address import BadAddress, Server, parse_server
from tui.api.client import Client
from tui.api.models import KeyDraft, TwoFactor
from tui.api.refusals import retry_after

TOKEN = SecretStr("4f0c-token")
EMPTY = as_json({"results": []})
DONE = as_json({"results": {"message": "done"}})


async def test_signing_in_sends_the_client_credential_and_a_form(dial: Dial) -> None:
    reply = as_json({"access_token": "4f0c", "token_type": "Bearer", "refresh_token": "9b1e"})
    async with faults(reply) as server:
        address = parse_server(
            f"http://127.0.0.1:{server.port}", client_id="tui", client_secret=SecretStr("pâss")
        )
        client = Client(address)
        token = await client.password_grant("ops@x", SecretStr("hün&ter=2"), remember=True)
        await client.aclose()
    (request,) = server.requests
    assert token.access.get_secret_value() == "4f0c"
    assert token.refresh
    assert (request.method, request.path) == ("POST", "/api/v1/authenticate")
    assert base64.b64decode(request.headers["authorization"].split()[1]).decode() == "tui:pâss"
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["password"],
        "username": ["ops@x"],
        "password": ["hün&ter=2"],
        "rememberMe": ["true"],
    }


async def test_without_a_client_credential_none_is_sent(dial: Dial) -> None:
    async with faults(as_json({"access_token": "4f0c"})) as server:
        token = await dial(server).password_grant("ops", SecretStr("x"), remember=False)
    assert token.refresh is None
    assert "authorization" not in server.requests[0].headers
    assert b"rememberMe=false" in server.requests[0].body


@pytest.mark.parametrize(("fresh", "kept"), [({}, "old"), ({"refresh_token": "new"}, "new")])
async def test_refreshing_keeps_the_old_refresh_token_unless_a_new_one_comes(
    fresh: dict[str, str], kept: str, dial: Dial
) -> None:
    async with faults(as_json({"access_token": "b"} | fresh)) as server:
        token = await dial(server).refresh(SecretStr("old"))
    assert token.refresh
    assert token.refresh.get_secret_value() == kept
    assert server.requests[0].body == b"grant_type=refresh_token&refresh_token=old"


async def test_signing_out_names_the_token_twice(dial: Dial) -> None:
    async with faults(DONE) as server:
        await dial(server).sign_out(TOKEN)
    (request,) = server.requests
    assert request.path == "/api/v1/authenticate/logout"
    assert request.body == b"token=4f0c-token"
    assert request.headers["authorization"] == "4f0c-token"


async def test_grants_are_asked_for_without_a_credential_and_by_role(dial: Dial) -> None:
    reply = as_json({"results": [{"key": "a/b", "label": None}, {"label": "?"}, "x", {"key": 7}]})
    async with faults(reply) as server:
        client = dial(server)
        assert [grant.key for grant in await client.grants(None)] == ["a/b", "7"]
        await client.grants(TOKEN, role="sub account")
    assert "authorization" not in server.requests[0].headers
    assert server.requests[1].path == "/api/v1/authenticate/grants?role=sub+account"


async def test_the_account_and_its_factors_are_read(dial: Dial) -> None:
    table = {
        "GET /api/v1/users/a%2F..%3Fb": as_json(
            {"results": {"username": "ops", "access": "admin"}}
        ),
        "GET /api/v1/users/ops/two-factor": as_json({"results": {"enabled": True}}),
        "POST /api/v1/users/ops/two-factor": DONE,
        "GET /api/v1/users/ops/saml": as_json({"results": {"saml": True}}),
    }
    async with faults(routes(table)) as server:
        client = dial(server)
        assert (await client.user("a/..?b", TOKEN)).role == "admin"
        assert await client.two_factor("ops", TOKEN) == TwoFactor(enabled=True)
        assert await client.two_factor("old", TOKEN) == TwoFactor()
        await client.verify_two_factor("ops", SecretStr("123456"), TOKEN)
        assert await client.single_sign_on("ops")
        assert not await client.single_sign_on("old")
    assert b'{"code":"123456"}' in [request.body for request in server.requests]
    assert "authorization" not in server.requests[-1].headers


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_single_sign_on_is_no_where_the_server_will_not_say(status: int, dial: Dial) -> None:
    async with faults(as_json({}, status)) as server:
        assert not await dial(server).single_sign_on("ops")


async def test_a_draft_is_sent_whole_and_only_what_http_allows(dial: Dial) -> None:
    draft = KeyDraft("pröd \ud800", ("a/b",), ("192.0.2.1",))
    async with faults(DONE) as server:
        client = dial(server)
        await client.update_key("a/b c", draft, TOKEN)
        await client.delete_key("a%2Fb", None)
    put, delete = server.requests
    assert (put.method, put.path) == ("PUT", "/api/v1/api-keys/a%2Fb%20c")
    expected = b'{"label":"pr\\u00f6d \\ud800","grants":["a/b"],"valid_ips":["192.0.2.1"]}'
    assert put.body == expected
    assert put.headers["content-type"] == "application/json"
    assert (delete.method, delete.path) == ("DELETE", "/api/v1/api-keys/a%252Fb")
    assert "authorization" not in delete.headers


async def test_a_subaccounts_number_travels_with_every_call_about_its_keys(dial: Dial) -> None:
    created = as_json({"results": {"key": "9ac1", "id": "1"}})
    async with faults(as_json({"results": {"id": "1"}}), created, DONE, DONE, EMPTY) as server:
        client = dial(server)
        await client.key("1", TOKEN, 7)
        await client.create_key(KeyDraft("x", subaccount_id=7), TOKEN)
        await client.update_key("1", KeyDraft("x"), TOKEN, 7)
        await client.delete_key("1", TOKEN, 0)
        await client.list_keys(TOKEN)
    scopes = [request.headers.get("x-msys-subaccount") for request in server.requests]
    assert scopes == ["7", "7", "7", "0", None]


@pytest.mark.parametrize(
    ("status", "headers", "is_whole"),
    [
        (200, "", True),
        (200, 'Link: </api/v1/api-keys?page=1>; rel="prev"\r\n', True),
        (200, 'Link: </api/v1/api-keys?page=2>; rel="next"\r\n', False),
        (206, "", False),
    ],
)
async def test_a_list_that_goes_on_by_its_status_or_header_is_not_whole(
    status: int, headers: str, is_whole: bool, dial: Dial
) -> None:
    async with faults(as_json({"results": [{"id": "1"}]}, status, headers)) as server:
        assert (await dial(server).list_keys(TOKEN)).is_whole is is_whole


async def test_a_delete_without_a_body_is_done(dial: Dial) -> None:
    async with faults(f.raw(b"HTTP/1.1 204 No Content\r\n\r\n", close=False)) as server:
        await dial(server).delete_key("1", TOKEN)


async def test_an_answer_about_another_key_is_refused(dial: Dial) -> None:
    async with faults(as_json({"results": {"id": "2"}})) as server:
        client = dial(server)
        assert (await client.key("2", TOKEN)).id == "2"
        with pytest.raises(errors.Unreadable, match="another key"):
            await client.key("1", TOKEN)


@pytest.mark.parametrize("method", ["password_grant", "list_keys"])
@pytest.mark.parametrize(
    ("body", "entries"),
    [
        (
            {
                "errors": [
                    {"message": "bad\x1b[2J", "description": "d", "code": 16, "param": "label"}
                ]
            },
            [errors.ErrorEntry("bad␛[2J", "d", "16", "label")],
        ),
        (
            {"errors": ["one", {"message": "two"}, 3]},
            [errors.ErrorEntry("one"), errors.ErrorEntry("two")],
        ),
        (
            {"error": "invalid_grant", "error_description": "wrong"},
            [errors.ErrorEntry("wrong", code="invalid_grant")],
        ),
        ({"errors": {"message": "m"}}, [errors.ErrorEntry("m")]),
        ({"message": "m"}, [errors.ErrorEntry("m")]),
        ({}, []),
        ([], []),
        (None, []),
    ],
)
async def test_every_shape_of_error_is_read(
    method: str, body: object, entries: list[errors.ErrorEntry], dial: Dial
) -> None:
    async with faults(as_json(body, 400)) as server:
        client = dial(server)
        if method == "list_keys":
            with pytest.raises(errors.Invalid) as caught:
                await client.list_keys(TOKEN)
            assert list(caught.value.entries) == entries
            return
        with pytest.raises(errors.SignInRefused) as refused:
            await client.password_grant("ops", SecretStr("x"), remember=False)
        assert refused.value.description == (entries[0].message if entries else "")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.Invalid),
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (405, errors.Refused),
        (409, errors.Conflict),
        (413, errors.Invalid),
        (415, errors.Invalid),
        (420, errors.RateLimited),
        (422, errors.Invalid),
        (429, errors.RateLimited),
        (500, errors.ServerFailed),
        (503, errors.ServerFailed),
        (304, errors.Redirected),
    ],
)
async def test_every_status_has_its_error(
    status: int, kind: type[errors.ApiError], dial: Dial
) -> None:
    async with faults(f.answer(b"<h1>no</h1>", status, "Retry-After: 7\r\n")) as server:
        with pytest.raises(errors.ApiError) as caught:
            await dial(server).create_key(KeyDraft("x"), TOKEN)
    assert type(caught.value) is kind
    assert getattr(caught.value, "retry_after", 7) == 7
    assert getattr(caught.value, "excerpt", "<h1>") in "<h1>no</h1>"


async def test_a_401_outside_signing_in_ends_the_session_in_any_shape(dial: Dial) -> None:
    async with faults(as_json({"error": "invalid_token"}, 401)) as server:
        client = dial(server)
        with pytest.raises(errors.Unauthorized):
            await client.list_keys(TOKEN)
        with pytest.raises(errors.SignInRefused):
            await client.refresh(TOKEN)


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5),
        (" 0 ", 0),
        ("86400", 300),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("9" * 500, None),
        (format_datetime(NOW + timedelta(seconds=42), usegmt=True), 42),
        (format_datetime(NOW + timedelta(days=42)), 300),
        (format_datetime(NOW - timedelta(days=1)), None),
        ("Wed, 99 Foo 99999 99:99:99 GMT", None),
        ("Thu, 01 Jan 2026 00:00:09 -0000", 9),
    ],
)
def test_how_long_to_wait_is_read(value: str, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


def test_plain_http_is_refused_even_by_the_client() -> None:
    with pytest.raises(BadAddress):
        Client(Server("http://mail.example", "http", "mail.example", 80))
