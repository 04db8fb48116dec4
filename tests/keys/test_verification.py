from __future__ import annotations

import pytest
from pydantic import SecretStr

from tests.keys.conftest import ALL, Naps, proof, verdicts
from tests.node import Node
from tui.api.client import Client
from tui.keys.verification import (
    NOT_ASKED,
    READING_ONLY,
    STILL_TRYING,
    Verdict,
    Verification,
    verify,
)

ROOTS = 7
"""How many requests show all that can be shown of Momentum's grants."""


async def test_every_grant_of_a_key_is_shown_by_as_few_requests_as_can_be(
    node: Node, client: Client
) -> None:
    _, secret = node.add_key("all", ALL)
    before = node.keys()
    changes: list[Verification] = []
    verification = await verify(client, SecretStr(secret), ALL, on_change=changes.append)
    assert verification.works
    assert verification.alive is Verdict.GRANTED
    assert verification.hints == ()
    assert [proof.grant for proof in verification.proofs] == list(ALL)
    assert verdicts(verification) == dict.fromkeys(ALL, Verdict.GRANTED) | {
        "smtp/inject": Verdict.CANNOT_BE_SHOWN
    }
    assert all(each.seconds for each in verification.proofs if each.grant != "smtp/inject")
    assert {each.grant for each in verification.proofs if each.why == READING_ONLY} == {
        "webhooks/modify", "templates/modify", "transmissions/modify", "recipient_lists/manage"
    }  # fmt: skip
    assert "SMTP" in proof(verification, "smtp/inject").why
    assert len(node.requests) == 1 + ROOTS
    assert changes[-1] == verification
    assert not any(each.works for each in changes[:-1])
    assert changes[0].awaited == ALL
    assert node.keys() == before


async def test_nothing_is_asked_for_that_could_change_something(node: Node, client: Client) -> None:
    _, secret = node.add_key("all", ALL)
    await verify(client, SecretStr(secret), ALL)
    posts = [path for method, path in node.requests if method != "GET"]
    assert len(posts) == 1
    assert posts[0].startswith("/api/v1/templates/momentum-keys-")
    assert posts[0].endswith("/preview")


@pytest.mark.parametrize("grant", [grant for grant in ALL if grant != "smtp/inject"])
async def test_each_grant_alone_is_told_from_all_others(
    grant: str, node: Node, client: Client
) -> None:
    _, secret = node.add_key("single", (grant,))
    verification = await verify(client, SecretStr(secret), ALL)
    granted = {
        name for name, verdict in verdicts(verification).items() if verdict is Verdict.GRANTED
    }
    root = grant.split("/")[0]
    shares = {"webhooks", "templates", "transmissions"} if "preview" not in grant else set()
    assert granted == {grant} | {f"{root}/{kind}" for kind in ("view", "modify") if root in shares}
    assert not verification.works
    assert verification.alive is Verdict.GRANTED


async def test_a_grant_that_nobody_knows_cannot_be_shown(node: Node, client: Client) -> None:
    _, secret = node.add_key("odd", ("a/b", "metrics/view"))
    verification = await verify(client, SecretStr(secret), ("a/b", "metrics/view", "a/b"))
    assert verification.works
    assert [proof.grant for proof in verification.proofs] == ["a/b", "metrics/view"]
    assert proof(verification, "a/b").verdict is Verdict.CANNOT_BE_SHOWN
    assert proof(verification, "a/b").why
    assert proof(verification, "a/b").seconds is None


async def test_a_key_without_grants_is_asked_about_once(node: Node, client: Client) -> None:
    _, secret = node.add_key("none", ())
    assert (await verify(client, SecretStr(secret), ())).works
    assert len(node.requests) == 1


async def test_a_key_that_is_not_accepted_is_tried_again_for_a_while(
    node: Node, client: Client
) -> None:
    naps, changes = Naps(), list[Verification]()
    verification = await verify(
        client, SecretStr("ab" * 20), ALL, sleep=naps, patience=8, on_change=changes.append
    )
    assert naps.taken == [0.25, 0.5, 1, 2, 2, 2]
    assert not verification.works
    assert verification.alive is Verdict.NOT_ACCEPTED
    assert set(verdicts(verification).values()) == {Verdict.NOT_ACCEPTED, Verdict.CANNOT_BE_SHOWN}
    assert proof(verification, "metrics/view").why == NOT_ASKED
    assert {path for _, path in node.requests} == {"/api/v1/api-keys"}
    assert changes[0].hints == (STILL_TRYING,)
    assert STILL_TRYING not in verification.hints
    assert verification.awaited == ()


async def test_a_key_that_not_all_nodes_know_yet_is_waited_for(node: Node, client: Client) -> None:
    secret = "cd" * 20

    def catch_up(nap: int) -> None:
        if nap == 3:
            node.add_key("late", ALL, secret=secret)

    naps = Naps(catch_up)
    verification = await verify(client, SecretStr(secret), ALL, sleep=naps)
    assert verification.works
    assert len(naps.taken) == 3
    assert verification.hints == ()


async def test_without_patience_nothing_is_waited_for(node: Node, client: Client) -> None:
    naps = Naps()
    await verify(client, SecretStr("ab" * 20), ALL, sleep=naps, patience=0)
    assert naps.taken == []
    assert len(node.requests) == 1


@pytest.mark.parametrize("ips", [(), ("192.0.2.0/24",)])
async def test_that_allowed_addresses_may_explain_a_401_is_told(
    ips: tuple[str, ...], node: Node, client: Client
) -> None:
    _, secret = node.add_key("away", ALL, valid_ips=ips or ("198.51.100.1",))
    verification = await verify(client, SecretStr(secret), ALL, ips, patience=0)
    assert verification.alive is Verdict.NOT_ACCEPTED
    hints = [hint for hint in verification.hints if "192.0.2.0/24" in hint and "this host" in hint]
    assert len(hints) == len(ips)


async def test_allowed_addresses_are_no_matter_where_the_key_works(
    node: Node, client: Client
) -> None:
    _, secret = node.add_key("local", ALL, valid_ips=("127.0.0.0/8",))
    verification = await verify(client, SecretStr(secret), ALL, ("127.0.0.0/8",))
    assert verification.works
    assert verification.hints == ()


async def test_the_server_is_asked_less_often_where_it_wants_that(
    node: Node, client: Client
) -> None:
    _, secret = node.add_key("busy", ALL)
    node.fail("*", "/api/v1/", "429", times=3)
    naps = Naps()
    assert (await verify(client, SecretStr(secret), ALL, sleep=naps)).works
    assert naps.taken == [1, 1, 1]


async def test_nobody_waits_for_a_year(node: Node, client: Client) -> None:
    _, secret = node.add_key("busy", ALL)
    node.fail("GET", "/api/v1/metrics", "429-for-ever", times=9)
    naps = Naps()
    verification = await verify(client, SecretStr(secret), ALL, sleep=naps)
    assert proof(verification, "metrics/view").verdict is Verdict.NO_ANSWER
    assert "fewer requests" in proof(verification, "metrics/view").why
    assert naps.taken == []
    assert not verification.works


async def test_where_keys_are_known_to_be_told_apart_a_grant_shows_that_a_key_is_accepted(
    node: Node, client: Client
) -> None:
    _, secret = node.add_key("all", ALL)
    verification = await verify(client, SecretStr(secret), ALL, is_enforced=True)
    assert verification.works
    assert verification.hints == ()
    assert verdicts(verification).keys() == set(ALL)
    assert len(node.requests) == ROOTS
    assert node.seen("GET", "/api/v1/api-keys") == 0


async def test_a_refused_grant_shows_that_the_key_is_known(node: Node, client: Client) -> None:
    _, secret = node.add_key("less", ("templates/view",))
    verification = await verify(client, SecretStr(secret), ("metrics/view",), is_enforced=True)
    assert verification.alive is Verdict.GRANTED
    assert verdicts(verification) == {"metrics/view": Verdict.REFUSED}
    assert not verification.works
    assert len(node.requests) == 1


async def test_an_answer_that_says_nothing_of_the_key_has_the_list_asked(
    node: Node, client: Client
) -> None:
    _, secret = node.add_key("all", ALL)
    node.fail("GET", "/api/v1/metrics", "500", times=9)
    verification = await verify(client, SecretStr(secret), ("metrics/view",), is_enforced=True)
    assert verification.alive is Verdict.GRANTED
    assert verdicts(verification) == {"metrics/view": Verdict.NO_ANSWER}
    assert node.requests == [("GET", "/api/v1/metrics/"), ("GET", "/api/v1/api-keys")]


async def test_a_strange_secret_is_not_accepted_whatever_it_is_tried_on(
    node: Node, client: Client
) -> None:
    verification = await verify(
        client, SecretStr("ab" * 20), ("metrics/view",), is_enforced=True, patience=0
    )
    assert verification.alive is Verdict.NOT_ACCEPTED
    assert verdicts(verification) == {"metrics/view": Verdict.NOT_ACCEPTED}
    assert len(node.requests) == 1
