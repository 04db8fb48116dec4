from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.clock import in_vain
from tests.conftest import NodeMaker
from tests.keys.conftest import ALL, proof, verdicts
from tests.node import How, Node
from tui.api.address import parse_server
from tui.api.client import Client, ProbeAnswer
from tui.api.errors import NoAnswer, NotReached, Stage, Unsendable
from tui.keys.verification import (
    MOST_AT_ONCE,
    NOT_ASKED,
    NOT_ENFORCED,
    Verdict,
    Verification,
    verify,
)


@pytest.mark.parametrize(
    ("how", "verdict", "why"),
    [
        ("before", Verdict.NO_ANSWER, "The connection broke before an answer came."),
        ("after", Verdict.NO_ANSWER, "The connection broke before an answer came."),
        ("cut", Verdict.GRANTED, ""),
        ("hang", Verdict.NO_ANSWER, "No answer came within"),
        ("500", Verdict.NO_ANSWER, "The server answered 500."),
        ("503-html", Verdict.NO_ANSWER, "The server answered 503."),
    ],
)
async def test_what_goes_wrong_with_one_answer_says_nothing_of_the_others(
    how: How, verdict: Verdict, why: str, node: Node
) -> None:
    _, secret = node.add_key("all", ALL)
    node.fail("GET", "/api/v1/metrics", how, times=2)
    client = Client(parse_server(node.url), deadline=20)
    awaited: list[tuple[str, ...]] = []
    asking = verify(
        client, SecretStr(secret), ALL, on_change=lambda so_far: awaited.append(so_far.awaited)
    )
    if how == "hang":
        asking = in_vain(asking, lambda: awaited and awaited[-1] == ("metrics/view",))
    verification = await asking
    await client.aclose()
    shown = proof(verification, "metrics/view")
    assert shown.verdict is verdict
    assert shown.why.startswith(why)
    assert bool(shown.why) is bool(why)
    assert set(verdicts(verification).values()) <= {
        verdict,
        Verdict.GRANTED,
        Verdict.CANNOT_BE_SHOWN,
    }
    assert verification.works is (verdict is Verdict.GRANTED)


@pytest.mark.parametrize("how", ["before", "500", "429-for-ever"])
async def test_a_key_is_not_said_to_work_where_the_server_fails(
    how: How, node: Node, client: Client
) -> None:
    _, secret = node.add_key("all", ALL)
    node.fail("GET", "/api/v1/api-keys", how, times=9)
    verification = await verify(client, SecretStr(secret), ALL)
    assert verification.alive is Verdict.NO_ANSWER
    assert not verification.works
    assert len(verification.hints) == 1
    assert verification.awaited == ()


async def test_a_server_that_is_gone_is_tried_once(node: Node) -> None:
    _, secret = node.add_key("all", ALL)
    node.stop()
    client = Client(parse_server(node.url), deadline=20)
    verification = await verify(client, SecretStr(secret), ALL)
    await client.aclose()
    assert verification.alive is Verdict.NO_ANSWER
    assert verification.hints == ("The server could not be reached (refused).",)
    assert proof(verification, "metrics/view").why == NOT_ASKED


async def test_what_a_server_does_not_have_cannot_be_shown(node_with: NodeMaker) -> None:
    node = node_with(edition="momentum-4.1")
    _, secret = node.add_key("old", ALL)
    client = Client(parse_server(node.url))
    verification = await verify(client, SecretStr(secret), ALL)
    await client.aclose()
    assert proof(verification, "adaptive-delivery/view").verdict is Verdict.CANNOT_BE_SHOWN
    assert "nothing at /adaptive-delivery" in proof(verification, "adaptive-delivery/view").why
    assert verification.works


async def test_where_keys_are_not_enforced_nothing_is_claimed(node_with: NodeMaker) -> None:
    node = node_with(auth=False)
    client = Client(parse_server(node.url))
    verification = await verify(client, SecretStr("ab" * 20), ("metrics/view",))
    await client.aclose()
    assert verification.hints == (NOT_ENFORCED,)


async def test_where_there_are_no_keys_none_works(node_with: NodeMaker) -> None:
    node = node_with(key_management=False)
    _, secret = node.add_key("all", ALL)
    client = Client(parse_server(node.url))
    verification = await verify(client, SecretStr(secret), ALL)
    await client.aclose()
    assert verification.alive is Verdict.CANNOT_BE_SHOWN
    assert not verification.works


async def test_a_verification_can_be_cancelled(node: Node, client: Client) -> None:
    _, secret = node.add_key("all", ALL)
    node.fail("GET", "/api/v1/metrics", "hang", times=9)
    task = asyncio.create_task(verify(client, SecretStr(secret), ALL))
    await node.until("GET", "/api/v1/metrics")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == {asyncio.current_task()}


Answer = int | Exception


class Scripted:
    """A client whose answers are made up; notes how many requests were under way at once."""

    def __init__(self, answers: Callable[[str], Answer]) -> None:
        self._answers = answers
        self.under_way = self.most = 0

    async def probe(
        self, method: str, path: str, secret: SecretStr, body: object | None = None
    ) -> ProbeAnswer:
        assert method == ("GET" if body is None else "POST")
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        answer = self._answers(path)
        if isinstance(answer, Exception):
            raise answer
        return ProbeAnswer(answer, 0.0)


async def no_nap(_: float) -> None:
    pass


async def scripted(answers: Callable[[str], Answer], grants: Iterable[str]) -> Verification:
    client = cast("Client", Scripted(answers))
    return await verify(client, SecretStr("x"), grants, sleep=no_nap)


async def test_few_requests_are_under_way_at_once() -> None:
    client = Scripted(lambda _: 200)
    await verify(cast("Client", client), SecretStr("x"), ALL, sleep=no_nap)
    assert 1 < client.most <= MOST_AT_ONCE


async def test_a_root_that_knows_no_get_shows_neither() -> None:
    verification = await scripted(lambda path: 403 if path == "/api-keys" else 405, ALL)
    assert set(verdicts(verification).values()) == {Verdict.CANNOT_BE_SHOWN}


STATUSES = st.integers(100, 599) | st.sampled_from([200, 401, 403, 404, 429])
FAILURES = st.sampled_from(
    [
        NoAnswer("deadline", "h", 1, 2),
        NoAnswer("not http", "h", 1, 2),
        NotReached(Stage.NAME, "h", 1, 2),
        Unsendable("credential"),
    ]
)


@given(st.data(), st.lists(st.sampled_from(ALL) | st.text(max_size=5)))
def test_whatever_the_answers_each_grant_is_told_once(
    data: st.DataObject, grants: list[str]
) -> None:
    seen: dict[str, Answer] = {}

    def answer(path: str) -> Answer:
        given: Answer = data.draw(STATUSES | FAILURES, path)
        return seen.setdefault(path, given)

    verification = asyncio.run(scripted(answer, grants))
    assert [proof.grant for proof in verification.proofs] == list(dict.fromkeys(grants))
    assert verification.awaited == ()
    assert all(proof.why for proof in verification.proofs if proof.verdict is not Verdict.GRANTED)
    if verification.works:
        assert all(
            answer in range(200, 300) or answer in (403, 404, 400, 405, 409, 413, 415, 422)
            for answer in seen.values()
        )
        assert all(answer != 403 for path, answer in seen.items() if path != "/api-keys")
    elif verification.alive is not Verdict.GRANTED:
        assert verification.hints
