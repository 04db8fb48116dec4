"""Hostile bodies: whatever comes, nothing but the designed errors comes out."""

from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from tui.api import decode
from tui.api.address import parse_server
from tui.api.client import Client
from tui.api.errors import ApiError
from tui.api.models import Key, KeyDraft
from tui.problems import describe

TOKEN = SecretStr("4f0c-token")

NAMES = (
    *("results", "errors", "error", "message", "code", "param", "link", "href"),
    *("id", "key", "label", "grants", "valid_ips", "subaccount_id"),
    *("access_token", "username", "saml"),
)


def listed(*keys: object) -> bytes:
    return json.dumps({"results": keys, "total_count": 1, "links": []}).encode()


def test_a_key_is_read_whole() -> None:
    full = {
        "id": "1",
        "label": "prod",
        "short_key": "9ac1",
        "grants": ["metrics/view"],
        "valid_ips": ["192.0.2.0/24"],
        "created_at": "2026-01-01T00:00:00.000Z",
        "username": "ops",
        "subaccount_id": 7,
        "unheard_of": {"x": [1]},
    }
    when = "2026-01-01T00:00:00.000Z"
    grants, ips = ("metrics/view",), ("192.0.2.0/24",)
    expected = Key("1", "prod", "9ac1", grants, ips, when, "ops", 7)
    assert decode.keys(listed(full)).keys == (expected,)
    assert decode.key(json.dumps({"results": full}).encode()) == expected


@pytest.mark.parametrize(
    ("odd", "read"),
    [
        ({"id": 7}, Key("7")),
        ({"id": "1", "label": None, "grants": None, "valid_ips": None}, Key("1")),
        ({"id": "1", "label": ["x"], "subaccount_id": "x"}, Key("1")),
        ({"id": "1", "label": True, "created_at": {}}, Key("1")),
        ({"id": "1", "subaccount_id": 1e400}, Key("1")),
        ({"id": "1", "label": "\ud800\x00"}, Key("1", "\ud800\x00")),
        ({"id": "1", "grants": "a/b"}, Key("1", raw_grants=("a/b",))),
        ({"id": "1", "valid_ips": ["192.0.2.1", None]}, Key("1", raw_valid_ips=("192.0.2.1",))),
    ],
)
def test_odd_fields_are_tolerated(odd: object, read: Key) -> None:
    assert decode.keys(listed({"id": "0"}, odd)).keys == (Key("0"), read)


@pytest.mark.parametrize(
    "odd",
    [
        {"label": "no id"},
        {"id": None},
        {"id": ""},
        "text",
        {"id": "1", "valid_ips": [{"ip": "192.0.2.1"}]},
        {"id": "1", "grants": {"metrics/view": True}},
    ],
)
def test_a_key_that_an_edit_would_damage_or_nobody_could_name_is_refused(odd: object) -> None:
    with pytest.raises(decode.Malformed):
        decode.key(json.dumps({"results": odd}).encode())


def test_equal_ids_are_kept_and_results_win_over_errors() -> None:
    body = b'{"results": [{"id": "1"}, {"id": "1"}], "errors": [{"message": "odd"}]}'
    assert len(decode.keys(body).keys) == 2


NEXT = {"href": "/api/v1/api-keys?cursor=x", "rel": "next"}
LAST = {"href": "/api/v1/api-keys?cursor=y", "rel": "last"}


@pytest.mark.parametrize(
    ("more", "is_whole"),
    [
        ({}, True),
        ({"total_count": 2}, True),
        ({"total_count": 1}, True),
        ({"total_count": 3}, False),
        ({"total_count": "3"}, False),
        ({"total_count": None, "links": None}, True),
        ({"links": []}, True),
        ({"links": {}}, True),
        ({"links": {"next": None}}, True),
        ({"links": {"next": "/api/v1/api-keys?page=2"}}, False),
        ({"links": [LAST]}, True),
        ({"links": [LAST, NEXT]}, False),
        ({"links": NEXT}, False),
        ({"total_count": {}, "links": "odd"}, True),
    ],
)
@pytest.mark.parametrize("odd", [{}, {"label": ["odd"]}])
def test_a_list_that_goes_on_elsewhere_is_not_whole(
    more: dict[str, object], is_whole: bool, odd: dict[str, object]
) -> None:
    body = json.dumps({"results": [{"id": "1"}, {"id": "2", **odd}], **more}).encode()
    assert decode.keys(body).is_whole is is_whole


@pytest.mark.parametrize(
    ("link", "key_id"),
    [
        ({"href": "/api/v1/api-keys/8d2"}, "8d2"),
        ({"href": "https://mail.example/api/v1/api-keys/a%2Fb/?x=1"}, "a/b"),
        ([{"href": "/api-keys/1"}], "1"),
        ("/api-keys/1", "1"),
        ({"href": "/api/v1/api-keys/"}, None),
        ({"href": "/elsewhere/1"}, None),
        ({"href": "http://["}, None),
        ({"href": 7}, None),
        ([], None),
        (None, None),
    ],
)
def test_the_new_keys_id_is_the_end_of_its_link(link: object, key_id: str | None) -> None:
    body = json.dumps({"results": {"key": "s", "link": link}}).encode()
    made = decode.created(body, KeyDraft("prod"))
    assert (made.id, made.label, made.short_key) == (key_id, "prod", "")


def values() -> st.SearchStrategy[object]:
    names = st.sampled_from(NAMES)
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
        max_leaves=12,
    )


def bodies() -> st.SearchStrategy[bytes]:
    valid = values().map(lambda value: json.dumps({"results": value}).encode())
    bare = values().map(lambda value: json.dumps(value).encode())
    cut = st.tuples(valid, st.integers(0, 60)).map(lambda pair: pair[0][: pair[1]])
    return valid | bare | cut | st.binary(max_size=60)


@settings(max_examples=80, deadline=None)
@given(bodies(), st.sampled_from([200, 200, 200, 204, 301, 400, 401, 429, 500, 999]), st.text())
async def test_nothing_but_an_api_error_escapes(body: bytes, status: int, header: str) -> None:
    headers = {"retry-after": header.encode("utf-8", "replace"), "location": b"\xff\x00"}

    def reply(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers=headers.items(), stream=httpx.ByteStream(body))  # type: ignore[arg-type]  # bytes are fine

    # The deadline is shorter than any pause, so that nothing waits to be asked again.
    client = Client(parse_server("localhost"), deadline=0.9, transport=httpx.MockTransport(reply))
    for call in (
        client.list_keys(TOKEN),
        client.key("1", TOKEN),
        client.create_key(KeyDraft("x"), TOKEN),
        client.update_key("1", KeyDraft("x"), TOKEN),
        client.grants(None),
        client.password_grant("ops", TOKEN, remember=True),
        client.user("ops", TOKEN),
        client.two_factor("ops", TOKEN),
        client.single_sign_on("ops"),
        client.sign_out(TOKEN, 0.9),
    ):
        try:
            await call
        except ApiError as error:
            problem = describe(error, doing="doing this")
            assert len(problem.title) <= 60
            assert "".join([problem.title, problem.detail, *problem.fields.values()]).isprintable()
    await client.aclose()


def _long_list(count: int, **others: object) -> tuple[bytes, list[dict[str, object]]]:
    """Return a list answer of `count` keys whose labels look like the end of a key."""
    listed: list[dict[str, object]] = [
        {
            "id": f"{number:032x}",
            "label": f'Mailer {number} "}} , {{"id":"x"}},{{\\"id\\":',
            "grants": ["metrics/view"],
            "valid_ips": [],
            "short_key": f"{number:04x}",
        }
        for number in range(count)
    ]
    return json.dumps({"results": listed, **others}).encode(), listed


def test_a_long_list_is_decoded_in_pieces_as_a_short_one_is_at_once() -> None:
    body, listed = _long_list(3_000, total_count=3_000)
    assert len(body) > 300_000
    key_list = decode.keys(body)
    assert [key.id for key in key_list.keys] == [fields["id"] for fields in listed]
    assert [key.raw_label for key in key_list.keys] == [fields["label"] for fields in listed]
    assert {key.raw_grants for key in key_list.keys} == {("metrics/view",)}
    assert key_list.is_whole


def test_a_long_list_is_known_to_be_in_part_by_what_follows_the_keys() -> None:
    body, _ = _long_list(3_000, total_count=4_000)
    assert len(decode.keys(body).keys) == 3_000
    assert not decode.keys(body).is_whole


def test_objects_with_ids_within_the_keys_of_a_long_list_are_not_taken_for_keys() -> None:
    _, listed = _long_list(3_000)
    for fields in listed:
        fields["links"] = [{"id": "1"}, {"id": "2"}, {"id": "3"}] * 20
    body = json.dumps({"results": listed}).encode()
    assert [key.id for key in decode.keys(body).keys] == [fields["id"] for fields in listed]


def test_a_long_list_with_an_odd_key_is_read_all_the_same() -> None:
    _, listed = _long_list(3_000)
    listed[2_000]["label"] = 7
    key_list = decode.keys(json.dumps({"results": listed}).encode())
    assert key_list.keys[2_000].raw_label == "7"
    assert len(key_list.keys) == 3_000
