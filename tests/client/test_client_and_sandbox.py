"""The client against the node in miniature: every errand, in every edition."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from tests.node import How, Node
from tui.api import errors
from tui.api.address import parse_server
from tui.api.client import Client
from tui.api.models import KeyDraft, TwoFactor

DRAFT = KeyDraft("prod", ("metrics/view", "smtp/inject"), ("192.0.2.0/24", "198.51.100.7"))
EDITIONS = ("momentum-4.1", "momentum-4.2", "sparkpost")


@asynccontextmanager
async def visiting(node: Node) -> AsyncIterator[Client]:
    server = parse_server(
        node.url, client_id=node.client_id, client_secret=SecretStr(node.client_secret)
    )
    client = Client(server, deadline=20)
    try:
        yield client
    finally:
        await client.aclose()
        node.close()


@pytest.mark.parametrize("edition", EDITIONS)
async def test_a_key_from_its_making_to_its_end(edition: str) -> None:
    node = Node(edition=edition)
    async with visiting(node) as client:
        token = await client.password_grant(node.username, SecretStr(node.password), remember=True)
        assert token.refresh
        token = await client.refresh(token.refresh)
        user = await client.user(node.username, token.access)
        assert user.username == node.username
        assert "metrics/view" in [grant.key for grant in await client.grants(token.access)]
        may = [grant.key for grant in await client.grants(token.access, user.role)]
        assert "api_keys/manage" in may

        before = {key.id for key in (await client.list_keys(token.access)).keys}
        made = await client.create_key(DRAFT, token.access)
        after = await client.list_keys(token.access)
        (new,) = [key for key in after.keys if key.id not in before]
        assert made.id == new.id
        assert (new.label, new.grants) == (DRAFT.label, DRAFT.grants)
        with pytest.raises((errors.Forbidden, errors.Unauthorized)):
            await client.list_keys(made.secret)

        await client.update_key(new.id, KeyDraft("renamed", ("metrics/view",)), token.access)
        changed = await client.key(new.id, token.access)
        assert (changed.label, changed.grants, changed.allowed_ips) == (
            "renamed",
            ("metrics/view",),
            (),
        )
        await client.delete_key(new.id, token.access)
        with pytest.raises(errors.NotFound):
            await client.delete_key(new.id, token.access)

        assert token.refresh
        await client.sign_out(token.access)
        await client.sign_out(token.refresh)
        with pytest.raises(errors.Unauthorized):
            await client.list_keys(token.access)
        with pytest.raises(errors.SignInRefused):
            await client.refresh(token.refresh)


async def test_a_subaccounts_key_from_its_making_to_its_end() -> None:
    node = Node(seeds=False)
    async with visiting(node) as client:
        access = SecretStr(node.token())
        draft = KeyDraft("Partner", ("metrics/view",), subaccount_id=7)
        made = await client.create_key(draft, access)
        (key,) = (await client.list_keys(access)).keys
        assert (key.id, key.subaccount_id) == (made.id, 7)
        assert await client.key(key.id, access, 7) == key
        with pytest.raises(errors.NotFound):
            await client.delete_key(key.id, access)
        await client.update_key(key.id, KeyDraft("renamed"), access, 7)
        assert (await client.key(key.id, access, 7)).label == "renamed"
        await client.delete_key(key.id, access, 7)
        assert (await client.list_keys(access)).keys == ()


async def test_a_wrong_password_is_told_in_the_servers_words() -> None:
    node = Node()
    async with visiting(node) as client:
        with pytest.raises(errors.SignInRefused) as caught:
            await client.password_grant(node.username, SecretStr("wrong"), remember=False)
    assert caught.value.error == "invalid_grant"
    assert caught.value.description == "User credentials are invalid"


async def test_a_second_factor_is_passed_with_its_code() -> None:
    node = Node(account="two-factor")
    async with visiting(node) as client:
        token = await client.password_grant(node.username, SecretStr(node.password), remember=False)
        factor = await client.two_factor(node.username, token.access)
        assert factor.enabled
        with pytest.raises((errors.Invalid, errors.Forbidden)):
            await client.verify_two_factor(node.username, SecretStr("000"), token.access)
        await client.verify_two_factor(node.username, SecretStr(node.code), token.access)
        await client.list_keys(token.access)


async def test_an_old_server_knows_no_second_factor() -> None:
    node = Node(edition="momentum-4.1")
    async with visiting(node) as client:
        access = SecretStr(node.token())
        assert await client.two_factor(node.username, access) == TwoFactor()
        assert not await client.single_sign_on(node.username)


async def test_with_authentication_off_no_credential_is_needed() -> None:
    node = Node(auth=False)
    async with visiting(node) as client:
        assert await client.grants(None)
        assert (await client.create_key(DRAFT, None)).secret


async def test_with_authentication_on_no_credential_gets_nothing() -> None:
    async with visiting(Node()) as client:
        with pytest.raises(errors.Unauthorized):
            await client.grants(None)


async def test_a_server_without_key_management_says_so() -> None:
    node = Node(key_management=False)
    async with visiting(node) as client:
        with pytest.raises(errors.NotFound):
            await client.grants(None)


async def test_what_is_wrong_with_a_draft_is_told_by_field() -> None:
    node = Node()
    async with visiting(node) as client:
        bad = KeyDraft("x", ("no/such",), ("not an address",))
        with pytest.raises(errors.Invalid) as caught:
            await client.create_key(bad, SecretStr(node.token()))
    assert {entry.param for entry in caught.value.entries} >= {"grants", "valid_ips"}


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("before", errors.NoAnswer),
        ("after", errors.NoAnswer),
        ("500", errors.ServerFailed),
        ("503-html", errors.ServerFailed),
        ("429", errors.RateLimited),
        ("429-for-ever", errors.RateLimited),
    ],
)
async def test_a_create_reaches_the_node_once(how: How, error: type[errors.ApiError]) -> None:
    node = Node(seeds=False)
    node.fail("POST", "/api/v1/api-keys", how)
    async with visiting(node) as client:
        access = SecretStr(node.token())
        await client.list_keys(access)
        with pytest.raises(error) as caught:
            await client.create_key(DRAFT, access)
        assert node.seen("POST", "/api/v1/api-keys") == 1
        assert len(node.keys()) == (how == "after")
        assert caught.value.maybe_done is (error is not errors.RateLimited)
        assert getattr(caught.value, "retry_after", None) in {None, 1, 300}
