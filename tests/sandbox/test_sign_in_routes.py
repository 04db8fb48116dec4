"""Signing in and out, the second factor, single sign-on, and guessing slowed down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox.conftest import Nodes
from tests.sandbox.visitor import FORBIDDEN, UNAUTHORIZED, Visitor

WRONG = {"error": "invalid_grant", "error_description": "User credentials are invalid"}


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2024, 5, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def test_a_password_gives_a_session(visitor: Visitor) -> None:
    answer = visitor.sign_in().json()
    assert answer.keys() == {"access_token", "token_type", "expires_in"}
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 86399)
    token = answer["access_token"]
    user = visitor.get("/users/ops", token).json()["results"]
    assert (user["username"], user["access_level"]) == ("ops", "admin")
    assert visitor.get("/api-keys", f"Bearer {token}").status_code == 200


def test_an_e_mail_address_signs_in_as_well(visitor: Visitor) -> None:
    token = visitor.sign_in("ops@example.com").json()["access_token"]
    assert visitor.get("/users/ops@example.com", token).json()["results"]["username"] == "ops"


@pytest.mark.parametrize("username", ["ops", "casey", "nobody", "OPS", "x\ud7ff\x00"])
def test_a_wrong_password_and_a_wrong_name_look_the_same(visitor: Visitor, username: str) -> None:
    refused = visitor.sign_in(username, "wrong")
    assert (refused.status_code, refused.json()) == (400, WRONG)


def test_an_unknown_or_missing_grant_type_is_refused(visitor: Visitor) -> None:
    for fields in ({}, {"grant_type": "magic"}):
        refused = visitor.post("/authenticate", data=fields)
        assert refused.status_code == 400
        assert refused.json().keys() == {"error", "error_description"}


def test_the_client_credential_may_be_left_out_but_not_wrong(visitor: Visitor) -> None:
    right = (visitor.node.client_id, visitor.node.client_secret)
    assert visitor.sign_in().status_code == 200
    assert visitor.sign_in(client=right).status_code == 200
    for wrong in ((right[0], "x"), ("x", right[1])):
        refused = visitor.sign_in(client=wrong)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def test_the_client_credential_can_be_required(start: Nodes) -> None:
    visitor = start(require_client=True)
    assert visitor.sign_in().status_code == 401
    right = (visitor.node.client_id, visitor.node.client_secret)
    assert visitor.sign_in(client=right).status_code == 200


def test_a_remembered_session_is_renewed_until_it_ends(visitor: Visitor) -> None:
    signed_in = visitor.sign_in(remember=True).json()
    visitor.node.expire_sessions()
    assert visitor.get("/api-keys", signed_in["access_token"]).content == UNAUTHORIZED
    for _ in range(2):  # the old refresh token stays valid
        renewed = visitor.refresh(signed_in["refresh_token"]).json()
        assert visitor.get("/api-keys", renewed["access_token"]).status_code == 200
    visitor.node.end_sessions()
    refused = visitor.refresh(signed_in["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


def test_neither_token_does_the_work_of_the_other(visitor: Visitor) -> None:
    signed_in = visitor.sign_in(remember=True).json()
    assert visitor.get("/api-keys", signed_in["refresh_token"]).status_code == 401
    assert visitor.refresh(signed_in["access_token"]).status_code == 400


def test_tokens_end_by_themselves(start: Nodes) -> None:
    clock = Clock()
    visitor = start(now=clock)
    signed_in = visitor.sign_in(remember=True).json()
    clock.pass_by(86_398)
    assert visitor.get("/api-keys", signed_in["access_token"]).status_code == 200
    clock.pass_by(2)
    assert visitor.get("/api-keys", signed_in["access_token"]).status_code == 401
    assert visitor.refresh(signed_in["refresh_token"]).status_code == 200
    clock.pass_by(31 * 86_400)
    assert visitor.refresh(signed_in["refresh_token"]).status_code == 400


def test_signing_out_ends_one_token_at_a_time(visitor: Visitor) -> None:
    signed_in = visitor.sign_in(remember=True).json()
    other = visitor.node.token()
    access, refresh = signed_in["access_token"], signed_in["refresh_token"]
    answer = visitor.sign_out(access)
    assert answer.json() == {"results": {"message": "Token invalidated."}}
    assert visitor.get("/api-keys", access).status_code == 401
    assert visitor.sign_out(access).status_code == 401
    assert visitor.sign_out(refresh).status_code == 200
    assert visitor.refresh(refresh).status_code == 400
    assert visitor.get("/api-keys", other).status_code == 200


def test_nobody_signs_somebody_else_out(visitor: Visitor) -> None:
    mine, theirs = visitor.node.token(), visitor.node.token("casey")
    visitor.post("/authenticate/logout", mine, data={"token": theirs})
    assert visitor.get("/api-keys", theirs).status_code == 200


def test_guessing_is_slowed_down_and_never_locked_for_good(start: Nodes) -> None:
    clock = Clock()
    visitor = start(now=clock)
    for _ in range(5):
        assert visitor.sign_in(password="wrong").status_code == 400
    slowed = visitor.sign_in()  # even with the right password
    assert (slowed.status_code, slowed.headers["Retry-After"]) == (429, "1")
    assert visitor.sign_in("ops@example.com").status_code == 429  # the same account
    assert visitor.sign_in("casey", "wrong").status_code == 400  # another account is not slowed
    clock.pass_by(1)
    assert visitor.sign_in(password="wrong").status_code == 400
    assert visitor.sign_in().headers["Retry-After"] == "2"
    for _ in range(20):
        clock.pass_by(60)
        assert visitor.sign_in(password="wrong").status_code == 400
    assert visitor.sign_in().headers["Retry-After"] == "60"
    clock.pass_by(60)
    assert visitor.sign_in().status_code == 200
    assert visitor.sign_in(password="wrong").status_code == 400  # and all is forgiven


def test_a_second_factor_is_asked_for_before_anything_else(start: Nodes) -> None:
    visitor = start(account="two-factor")
    signed_in = visitor.sign_in(remember=True).json()
    token, path = signed_in["access_token"], "/users/ops/two-factor"
    assert visitor.get(path, token).json() == {"results": {"enabled": True, "required": False}}
    assert visitor.get("/api-keys", token).content == UNAUTHORIZED
    assert visitor.get("/metrics", token).content == UNAUTHORIZED
    wrong = f"{(int(visitor.node.code) + 1) % 10**6:06}"
    assert visitor.post(path, token, json={"code": wrong}).status_code == 400
    assert visitor.get("/api-keys", token).content == UNAUTHORIZED
    early = visitor.refresh(signed_in["refresh_token"]).json()["access_token"]
    assert visitor.get("/api-keys", early).content == UNAUTHORIZED

    assert visitor.post(path, token, json={"code": visitor.node.code}).status_code == 200
    assert visitor.get("/api-keys", token).status_code == 200
    renewed = visitor.refresh(signed_in["refresh_token"]).json()["access_token"]
    assert visitor.get("/api-keys", renewed).status_code == 200


def test_codes_can_not_be_guessed_in_a_row(start: Nodes) -> None:
    visitor = start(account="two-factor", now=Clock())
    token = visitor.sign_in().json()["access_token"]
    statuses = [
        visitor.post("/users/ops/two-factor", token, json={"code": code}).status_code
        for code in ("", "x", 7, None, "1234567", visitor.node.code)
    ]
    assert statuses == [400] * 5 + [429]


def test_a_second_factor_can_be_required_without_being_there(start: Nodes) -> None:
    visitor = start(account="two-factor-required")
    token, path = visitor.sign_in().json()["access_token"], "/users/ops/two-factor"
    assert visitor.get(path, token).json() == {"results": {"enabled": False, "required": True}}
    assert visitor.post(path, token, json={"code": "123456"}).status_code == 400
    assert visitor.get("/api-keys", token).content == UNAUTHORIZED


def test_a_plain_account_has_no_second_factor(visitor: Visitor) -> None:
    answer = visitor.get("/users/ops/two-factor", visitor.node.token())
    assert answer.json() == {"results": {"enabled": False, "required": False}}
    assert visitor.get("/users/casey/two-factor", visitor.node.token()).json() == FORBIDDEN


def test_single_sign_on_refuses_the_password_and_takes_a_token(start: Nodes) -> None:
    visitor = start(account="single-sign-on")
    assert visitor.node.password
    assert visitor.sign_in().json() == WRONG
    assert visitor.get("/users/ops/saml").json() == {"results": {"saml": True}}
    assert visitor.get("/users/nobody/saml").json() == {"results": {"saml": False}}
    assert visitor.get("/api-keys", visitor.node.access_token).status_code == 200


def test_a_password_account_says_so_to_everybody(visitor: Visitor) -> None:
    assert visitor.get("/users/ops/saml").json() == {"results": {"saml": False}}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic !!",
        "Bearer",
        "Bearer x",
        "Digest x",
        "\xff\xfe",
        "Basic /w==",
        "Basic \xe9",
    ],
)
def test_a_garbled_credential_is_no_credential(visitor: Visitor, header: str) -> None:
    answer = visitor.http.get("/api-keys", headers={b"Authorization": header.encode("latin-1")})
    assert answer.content == UNAUTHORIZED


def test_an_unknown_person_is_not_found(visitor: Visitor) -> None:
    assert visitor.get("/users/nobody", visitor.node.token()).status_code == 404
