"""API keys: made, used, changed and deleted; who may, and in which order it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.sandbox.conftest import Nodes
from tests.sandbox.visitor import FORBIDDEN, NOT_FOUND, UNAUTHORIZED, Visitor

GONE = "0" * 32


def test_a_key_opens_the_gate_and_a_deleted_one_closes_it(visitor: Visitor) -> None:
    created = visitor.create().json()["results"]
    assert visitor.get("/metrics/", created["key"]).json() == {"results": {}}

    path = created["link"]["href"].removeprefix("/api/v1")
    assert visitor.delete(path, visitor.node.token()).status_code == 204

    refused = visitor.get("/metrics/", created["key"])
    assert (refused.status_code, refused.content) == (401, UNAUTHORIZED)


def test_only_the_create_answer_holds_the_secret(visitor: Visitor) -> None:
    created = visitor.create(label="Ünïcode ✓").json()["results"]
    assert len(created["key"]) == 40
    assert created["short_key"] == created["key"][:4]
    assert "id" not in created

    token = visitor.node.token()
    read = visitor.get(created["link"]["href"].removeprefix("/api/v1"), token)
    listed = visitor.get("/api-keys", token)
    assert created["key"] not in read.text + listed.text
    assert read.json()["results"] in listed.json()["results"]
    assert read.json()["results"]["label"] == "Ünïcode ✓"
    assert read.json()["results"]["username"] == "ops"


def test_a_key_tells_when_it_was_made_in_milliseconds(start: Nodes) -> None:
    moment = datetime(2024, 2, 29, 12, 30, 0, 7000, tzinfo=UTC)
    visitor = start(seeds=False, now=lambda: moment)
    visitor.create()
    (key,) = visitor.get("/api-keys", visitor.node.token()).json()["results"]
    assert key["created_at"] == "2024-02-29T12:30:00.007Z"


def test_pictures_get_the_secrets_they_ask_for(start: Nodes) -> None:
    secrets = iter(["a" * 40, "b" * 40])
    visitor = start(seeds=False, mint=lambda: next(secrets))
    assert visitor.create().json()["results"]["key"] == "a" * 40
    assert visitor.create().json()["results"]["key"] == "b" * 40


@pytest.mark.parametrize(
    ("grant", "root"),
    [
        ("metrics/view", "metrics"),
        ("adaptive-delivery/view", "adaptive-delivery"),
        ("webhooks/view", "webhooks"),
        ("webhooks/modify", "webhooks"),
        ("templates/view", "templates"),
        ("templates/modify", "templates"),
        ("transmissions/view", "transmissions"),
        ("transmissions/modify", "transmissions"),
        ("recipient_lists/manage", "recipient-lists"),
    ],
)
def test_each_grant_opens_its_own_resource_and_no_other(
    visitor: Visitor, grant: str, root: str
) -> None:
    _, secret = visitor.node.add_key("Trial", grants=(grant,))
    roots = (
        "metrics", "adaptive-delivery", "webhooks", "templates", "transmissions", "recipient-lists"
    )  # fmt: skip
    answers = {other: visitor.get(f"/{other}", secret).status_code for other in roots}
    assert answers == {other: 200 if other == root else 403 for other in roots}


def test_viewing_is_not_modifying(visitor: Visitor) -> None:
    _, viewer = visitor.node.add_key("Reads", grants=("templates/view",))
    _, editor = visitor.node.add_key("Writes", grants=("templates/modify",))
    assert visitor.post("/templates", viewer).json() == FORBIDDEN
    assert visitor.post("/templates", editor).status_code == 200


def test_preview_has_a_grant_of_its_own(visitor: Visitor) -> None:
    _, previewer = visitor.node.add_key("Previews", grants=("templates/preview",))
    _, editor = visitor.node.add_key("Writes", grants=("templates/modify",))
    path = "/templates/unknown/preview"
    body: dict[str, object] = {"substitution_data": {}}
    assert visitor.post(path, previewer, json=body).json() == NOT_FOUND
    assert visitor.post(path, editor, json=body).json() == FORBIDDEN
    assert visitor.get("/templates", previewer).json() == FORBIDDEN


def test_a_key_travels_raw_or_as_a_basic_user_name(visitor: Visitor) -> None:
    _, secret = visitor.node.add_key("Trial")
    assert visitor.get("/metrics", secret).status_code == 200
    assert visitor.get("/metrics", auth=(secret, "")).status_code == 200
    assert visitor.get("/metrics", auth=(secret, "something")).status_code == 401
    assert visitor.get("/metrics", f"Bearer {secret}").status_code == 401
    assert visitor.get("/metrics", auth=(visitor.node.token(), "")).status_code == 401


@pytest.mark.parametrize(
    "path", ["/api-keys", "/api-keys/x", "/users/ops", "/users/ops/two-factor"]
)
def test_a_key_reaches_neither_keys_nor_people(visitor: Visitor, path: str) -> None:
    _, secret = visitor.node.add_key("All", grants=("metrics/view", "api_keys/manage"))
    assert visitor.get(path, secret).json() == FORBIDDEN
    assert visitor.get(path, "unknown").content == UNAUTHORIZED


def test_an_administrator_reads_the_resources_too(visitor: Visitor) -> None:
    assert visitor.get("/transmissions", visitor.node.token()).json() == {"results": []}


@pytest.mark.parametrize(
    ("valid_ips", "status"),
    [
        ((), 200),
        (("127.0.0.1",), 200),
        (("127.0.0.0/8",), 200),
        (("192.0.2.1", "127.0.0.1/32"), 200),
        (("192.0.2.1",), 401),
        (("10.0.0.0/8",), 401),
    ],
)
def test_a_key_works_only_from_its_addresses(
    visitor: Visitor, valid_ips: tuple[str, ...], status: int
) -> None:
    _, secret = visitor.node.add_key("Trial", valid_ips=valid_ips)
    answer = visitor.get("/metrics", secret)
    assert answer.status_code == status
    assert status == 200 or answer.content == UNAUTHORIZED


def test_a_forwarded_address_counts_for_nothing(visitor: Visitor) -> None:
    _, secret = visitor.node.add_key("Trial", valid_ips=("192.0.2.1",))
    headers = {"X-Forwarded-For": "192.0.2.1", "X-Real-IP": "192.0.2.1"}
    assert visitor.get("/metrics", secret, headers=headers).status_code == 401


def test_a_list_can_be_of_the_keys_with_one_grant(start: Nodes) -> None:
    visitor = start(seeds=False)
    visitor.node.add_key("Views", ("metrics/view", "webhooks/view"))
    visitor.node.add_key("Sends", ("smtp/inject",), subaccount=7)
    token = visitor.node.token()

    def labels(query: str) -> list[str]:
        return [key["label"] for key in visitor.get(f"/api-keys{query}", token).json()["results"]]

    assert labels("?grant=webhooks/view") == ["Views"]
    assert labels("?grant=smtp%2Finject&page=1") == ["Sends"]
    assert labels("?grant=metrics") == labels("?grant=") == []
    assert labels("?Grant=smtp/inject") == labels("") == ["Views", "Sends"]


@pytest.mark.parametrize(("userless", "owner"), [(True, None), (False, "ops"), ("true", "ops")])
def test_a_key_can_be_made_that_belongs_to_no_person(
    start: Nodes, userless: object, owner: str | None
) -> None:
    visitor = start(seeds=False)
    assert visitor.create(userless=userless).status_code == 200
    (key,) = visitor.node.keys()
    assert key.username == owner


def test_an_edit_replaces_all_three_and_nothing_else(visitor: Visitor) -> None:
    id_, secret = visitor.node.add_key("Before", valid_ips=("192.0.2.1",))
    token = visitor.node.token()
    before = visitor.get(f"/api-keys/{id_}", token).json()["results"]
    draft = {"label": "After", "grants": ["webhooks/view"], "valid_ips": ["127.0.0.1"]}
    assert visitor.put(f"/api-keys/{id_}", token, json=draft).status_code == 200
    assert visitor.get(f"/api-keys/{id_}", token).json()["results"] == before | draft
    assert visitor.get("/webhooks", secret).status_code == 200
    assert visitor.get("/metrics", secret).status_code == 403


def test_an_edit_keeps_grants_outside_the_catalogue_but_gives_none(visitor: Visitor) -> None:
    id_, _ = visitor.node.add_key("Old", grants=("legacy/thing",))
    draft: dict[str, Any] = {"label": "Old", "grants": ["legacy/thing", "metrics/view"]}
    token = visitor.node.token()
    assert visitor.put(f"/api-keys/{id_}", token, json=draft).status_code == 200
    draft["grants"] = ["legacy/other"]
    assert visitor.put(f"/api-keys/{id_}", token, json=draft).status_code == 400
    assert visitor.node.store.key(id_).grants == ("legacy/thing", "metrics/view")  # type: ignore[union-attr]  # added above


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("label", ""),
        ("label", "  \t"),
        ("label", None),
        ("label", 7),
        ("label", "half a pair \ud800"),
        ("grants", None),
        ("grants", "metrics/view"),
        ("grants", ["metrics/view", 7]),
        ("grants", ["no/such"]),
        ("valid_ips", "192.0.2.1"),
        ("valid_ips", ["192.0.2.256"]),
        ("valid_ips", ["2001:db8::1"]),
        ("valid_ips", ["192.0.2.0/33"]),
        ("valid_ips", ["192.0.2.0/255.255.255.0"]),
        ("valid_ips", ["example.com"]),
        ("valid_ips", [""]),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_made(
    start: Nodes, field: str, value: object
) -> None:
    visitor = start(seeds=False)
    refused = visitor.create(**{field: value})
    assert refused.status_code == 400
    assert [error["param"] for error in refused.json()["errors"]] == [field]
    assert visitor.node.keys() == ()


def test_everything_that_is_wrong_is_told_at_once(visitor: Visitor) -> None:
    refused = visitor.create(label="", grants=["no/such", "nor/this"], valid_ips=["x"])
    params = [error["param"] for error in refused.json()["errors"]]
    assert params == ["label", "grants", "grants", "valid_ips"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_a_bad_request(visitor: Visitor, body: bytes) -> None:
    refused = visitor.post("/api-keys", visitor.node.token(), content=body)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["message"]


def test_a_huge_body_is_refused(visitor: Visitor) -> None:
    refused = visitor.post("/api-keys", visitor.node.token(), content=b" " * 1_100_000)
    assert refused.status_code == 413


def test_a_key_may_hold_no_grants_and_work_from_anywhere(visitor: Visitor) -> None:
    draft = {"label": "Idle", "grants": [], "unheard_of": True}
    created = visitor.post("/api-keys?x=1", visitor.node.token(), json=draft).json()["results"]
    assert visitor.get("/metrics", created["key"]).json() == FORBIDDEN


def test_the_order_is_credential_permission_path_method_body(visitor: Visitor) -> None:
    id_, barred = visitor.node.add_key("Barred", valid_ips=("192.0.2.1",))
    _, secret = visitor.node.add_key("Trial")
    token = visitor.node.token()
    assert visitor.call("PATCH", f"/api-keys/{GONE}", content=b"{").status_code == 401
    assert visitor.call("PATCH", f"/api-keys/{GONE}", barred, content=b"{").status_code == 401
    assert visitor.call("PATCH", f"/api-keys/{GONE}", secret, content=b"{").status_code == 403
    assert visitor.call("PATCH", f"/api-keys/{GONE}", token, content=b"{").status_code == 404
    assert visitor.call("PATCH", f"/api-keys/{id_}", token, content=b"{").status_code == 405
    assert visitor.put(f"/api-keys/{id_}", token, content=b"{").status_code == 400
    assert visitor.get("/nowhere").status_code == 401
    assert visitor.get("/nowhere", secret).json() == NOT_FOUND
    assert visitor.post("/metrics", secret).status_code == 405


def test_a_trailing_slash_changes_nothing_and_case_does(visitor: Visitor) -> None:
    token = visitor.node.token()
    assert visitor.get("/api-keys/", token).json() == visitor.get("/api-keys", token).json()
    id_, _ = visitor.node.add_key("Trial")
    assert visitor.get(f"/api-keys/{id_}/", token).json()["results"]["id"] == id_
    assert visitor.get("/API-KEYS", token).status_code == 404


def test_some_people_do_not_manage_keys(start: Nodes) -> None:
    visitor = start(role="reporting")
    token = visitor.node.token()
    assert visitor.get("/api-keys", token).json() == FORBIDDEN
    assert visitor.create(token).status_code == 403
    assert visitor.get("/users/ops", token).json()["results"]["access_level"] == "reporting"
    assert visitor.get("/users/casey", token).json() == FORBIDDEN


def test_a_subaccount_has_keys_of_its_own(start: Nodes) -> None:
    visitor = start(seeds=False)
    visitor.node.add_key("Primary")
    token, scope = visitor.node.token(), {"X-MSYS-SUBACCOUNT": "7"}
    draft = {"label": "Partner", "grants": ["metrics/view"]}
    created = visitor.post("/api-keys", token, json=draft, headers=scope)
    assert created.status_code == 200

    def labels(scope: str | None) -> list[str]:
        headers = {} if scope is None else {"X-MSYS-SUBACCOUNT": scope}
        listed = visitor.get("/api-keys", token, headers=headers).json()["results"]
        return [key["label"] for key in listed]

    assert labels("7") == ["Partner"]
    assert labels("0") == ["Primary"]
    assert labels(None) == ["Primary", "Partner"]
    (partner,) = visitor.get("/api-keys", token, headers=scope).json()["results"]
    assert partner["subaccount_id"] == 7
    assert "username" not in partner


ALL = {"label": "Partner", "grants": ["metrics/view"], "valid_ips": []}


@pytest.mark.parametrize("scope", [{}, {"X-MSYS-SUBACCOUNT": "0"}, {"X-MSYS-SUBACCOUNT": "8"}])
def test_a_subaccounts_key_is_changed_only_within_its_subaccount(
    visitor: Visitor, scope: dict[str, str]
) -> None:
    id_, _ = visitor.node.add_key("Partner", subaccount=7)
    token, path, own = visitor.node.token(), f"/api-keys/{id_}", {"X-MSYS-SUBACCOUNT": "7"}
    assert visitor.get(path, token, headers=scope).status_code == (404 if scope else 200)
    assert visitor.put(path, token, json=ALL, headers=scope).json() == NOT_FOUND
    assert visitor.delete(path, token, headers=scope).json() == NOT_FOUND
    assert visitor.put(path, token, json=ALL, headers=own).status_code == 200
    assert visitor.delete(path, token, headers=own).status_code == 204


def test_a_primary_key_is_out_of_a_subaccounts_reach(visitor: Visitor) -> None:
    id_, _ = visitor.node.add_key("Primary")
    token, path, scope = visitor.node.token(), f"/api-keys/{id_}", {"X-MSYS-SUBACCOUNT": "7"}
    assert visitor.get(path, token, headers=scope).json() == NOT_FOUND
    assert visitor.delete(path, token, headers=scope).json() == NOT_FOUND
    assert visitor.delete(path, token, headers={"X-MSYS-SUBACCOUNT": "0"}).status_code == 204


@pytest.mark.parametrize("number", ["10x", "-1", "", "1.0", "0x7", "9" * 10])
def test_a_scope_that_is_no_number_is_refused(visitor: Visitor, number: str) -> None:
    id_, _ = visitor.node.add_key("Primary")
    token, scope = visitor.node.token(), {"X-MSYS-SUBACCOUNT": number}
    labels = visitor.node.labels()
    assert visitor.get("/api-keys", token, headers=scope).status_code == 400
    assert visitor.post("/api-keys", token, json=ALL, headers=scope).status_code == 400
    assert visitor.put(f"/api-keys/{id_}", token, json=ALL, headers=scope).status_code == 400
    assert visitor.delete(f"/api-keys/{id_}", token, headers=scope).status_code == 400
    assert visitor.delete(f"/api-keys/{GONE}", token, headers=scope).status_code == 404
    assert visitor.node.labels() == labels


def test_an_edit_gives_a_subaccounts_key_no_more_than_a_create(visitor: Visitor) -> None:
    token, scope = visitor.node.token(), {"X-MSYS-SUBACCOUNT": "7"}
    draft = {**ALL, "grants": ["recipient_lists/manage"]}
    assert visitor.post("/api-keys", token, json=draft, headers=scope).status_code == 400
    id_, _ = visitor.node.add_key("Partner", subaccount=7)
    assert visitor.put(f"/api-keys/{id_}", token, json=draft, headers=scope).status_code == 400


def test_a_key_that_goes_while_it_is_edited_is_not_found(visitor: Visitor) -> None:
    store, token = visitor.node.store, visitor.node.token()
    id_, _ = visitor.node.add_key("Trial")

    def body() -> Iterator[bytes]:
        yield b'{"label": "Late", '
        visitor.node.requests.clear()
        store.delete_key(id_)
        yield b'"grants": [], "valid_ips": []}'

    assert visitor.put(f"/api-keys/{id_}", token, content=body()).json() == NOT_FOUND
    assert visitor.put(f"/api-keys/{id_}", token, json=ALL).json() == NOT_FOUND
    assert visitor.delete(f"/api-keys/{id_}", token).json() == NOT_FOUND
    assert not store.delete_key(id_)
    assert not store.change_key(id_, "Late", (), ())


@pytest.mark.parametrize(
    ("declared", "status"),
    [
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/jsonx", 415),
        ("Application/JSON; charset=utf-8", 200),
    ],
)
def test_a_body_has_to_call_itself_json(visitor: Visitor, declared: str, status: int) -> None:
    headers = {"Content-Type": declared}
    body = b'{"label": "Typed", "grants": []}'
    answer = visitor.post("/api-keys", visitor.node.token(), content=body, headers=headers)
    assert answer.status_code == status
    assert ("Typed" in visitor.node.labels()) is (status == 200)


def test_what_holds_a_secret_is_not_to_be_kept_on_the_way(visitor: Visitor) -> None:
    assert visitor.create().headers["Cache-Control"] == "no-store"
    signed_in = visitor.sign_in(remember=True)
    assert signed_in.headers["Cache-Control"] == "no-store"
    renewed = visitor.refresh(signed_in.json()["refresh_token"])
    assert renewed.headers["Cache-Control"] == "no-store"


def test_a_new_node_has_some_keys_to_look_at(visitor: Visitor) -> None:
    keys = visitor.get("/api-keys", visitor.node.token()).json()["results"]
    assert len(keys) == 8
    assert {key.get("username") for key in keys} == {"ops", "casey", None}
    assert any(key["valid_ips"] for key in keys)
    assert len({key["created_at"] for key in keys}) == 8
