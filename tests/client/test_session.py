"""Sessions that end: renewed once for everybody who waits, asked for again, and let go of."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import pytest
from pydantic import SecretStr

from tests.clock import pass_time
from tests.conftest import NodeMaker
from tests.faults import FaultServer, Reply, Request, answer, as_json, faults, routes
from tests.node import Node
from tui.api.address import parse_server
from tui.api.client import Client
from tui.api.errors import (
    Forbidden,
    NotReached,
    RateLimited,
    Refused,
    ServerFailed,
    SignInRefused,
    Unauthorized,
)
from tui.api.models import KeyDraft, KeyList
from tui.api.session import Session, SessionEnded

KEYS, SIGN_IN = "/api/v1/api-keys", "/api/v1/authenticate"


async def no_code(refusal: str) -> SecretStr | None:
    raise AssertionError(f"A code is asked for: {refusal}")


@dataclass
class Operator:
    """Stands for the person who is asked to sign in again, and counts how often that is."""

    answer: Callable[[], Awaitable[bool]]
    asked: int = 0
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self) -> bool:
        self.asked += 1
        await self.may_answer.wait()
        return await self.answer()


@pytest.fixture
async def session(node: Node) -> AsyncIterator[Session]:
    client = Client(parse_server(node.url), deadline=20)
    session = Session(client)
    await session.sign_in(node.username, SecretStr(node.password), no_code)
    node.requests.clear()
    yield session
    await session.close()


def operator(session: Session, answer: Callable[[], Awaitable[bool]]) -> Operator:
    session.ask_again = asked = Operator(answer)
    return asked


def signs_in(session: Session, node: Node) -> Callable[[], Awaitable[bool]]:
    async def answer() -> bool:
        await session.sign_in_again(SecretStr(node.password), no_code)
        return True

    return answer


async def declines() -> bool:
    return False


def token(session: Session) -> str:
    assert session._token is not None
    return session._token.access.get_secret_value()


async def several(session: Session, times: int = 5) -> list[object]:
    calls = (session.call(session.client.list_keys) for _ in range(times))
    return await asyncio.gather(*calls, return_exceptions=True)


async def test_one_refresh_serves_all_who_wait_and_each_is_replayed_once(
    node: Node, session: Session
) -> None:
    before = token(session)
    node.expire_sessions()
    answers = await several(session)
    assert [len(listed.keys) for listed in answers if isinstance(listed, KeyList)] == [8] * 5
    assert node.requests.count(("POST", SIGN_IN)) == 1
    assert node.requests.count(("GET", KEYS)) == 10
    assert token(session) != before
    await session.call(session.client.list_keys)
    assert node.requests.count(("GET", KEYS)) == 11, "the new token is kept"


async def test_who_comes_late_with_the_old_token_takes_the_new_one(
    node: Node, session: Session
) -> None:
    """A call that was under way while another one renewed the session does not renew it again."""
    node.expire_sessions()
    node.fail("GET", KEYS, "hang")
    late = asyncio.create_task(session.call(session.client.list_keys))
    await node.until("GET", KEYS)
    await session.call(session.client.list_keys)
    node.release()
    assert len((await late).keys) == 8
    assert node.requests.count(("POST", SIGN_IN)) == 1


async def test_the_refresh_token_stays_good_for_the_next_time(node: Node, session: Session) -> None:
    for _ in range(3):
        node.expire_sessions()
        await session.call(session.client.list_keys)
    assert node.requests.count(("POST", SIGN_IN)) == 3


async def test_a_write_is_repeated_after_a_refusal_and_done_once(
    node: Node, session: Session
) -> None:
    node.expire_sessions()
    draft = KeyDraft("Once", ("metrics/view",))
    made = await session.call(lambda credential: session.client.create_key(draft, credential))
    assert made.label == "Once"
    assert node.labels().count("Once") == 1
    assert node.seen("POST", KEYS) == 2


async def test_a_refused_refresh_asks_the_operator_once_for_all(
    node: Node, session: Session
) -> None:
    asked = operator(session, signs_in(session, node))
    node.end_sessions()
    asked.may_answer.set()
    answers = await several(session)
    assert [len(listed.keys) for listed in answers if isinstance(listed, KeyList)] == [8] * 5
    assert asked.asked == 1


async def test_declining_once_ends_it_for_all_who_wait(node: Node, session: Session) -> None:
    asked = operator(session, declines)
    node.end_sessions()
    waiting = asyncio.create_task(several(session))
    await node.until("GET", KEYS, 5)
    asked.may_answer.set()
    answers = await waiting
    assert [type(error) for error in answers] == [SessionEnded] * 5
    assert asked.asked == 1
    with pytest.raises(SessionEnded):
        await session.call(session.client.list_keys)
    assert asked.asked == 2, "whoever tries later is asked anew"
    session.ask_again = Operator(signs_in(session, node))
    session.ask_again.may_answer.set()
    assert len((await session.call(session.client.list_keys)).keys) == 8


async def test_without_anybody_to_ask_the_session_has_ended(node: Node, session: Session) -> None:
    node.end_sessions()
    with pytest.raises(SessionEnded):
        await session.call(session.client.list_keys)


async def test_a_token_that_is_refused_again_is_not_renewed_for_ever(
    node: Node, session: Session
) -> None:
    async def pretends() -> bool:
        return True

    asked = operator(session, pretends)
    asked.may_answer.set()
    node.end_sessions()
    with pytest.raises(Unauthorized):
        await session.call(session.client.list_keys)
    assert asked.asked == 1
    assert node.seen("GET", KEYS) == 2


@pytest.mark.parametrize(
    ("fault", "error"),
    [("500", ServerFailed), ("503-html", ServerFailed), ("429", RateLimited)],
)
async def test_a_server_that_fails_to_refresh_has_not_ended_the_session(
    node: Node, session: Session, fault: str, error: type[Exception]
) -> None:
    asked = operator(session, declines)
    asked.may_answer.set()
    node.expire_sessions()
    node.fail("POST", SIGN_IN, fault, 9)  # type: ignore[arg-type]
    assert [type(failure) for failure in await several(session, 10)] == [error] * 10
    assert node.requests.count(("POST", SIGN_IN)) == 1, "one renewal serves all who wait"
    with pytest.raises(error):
        await session.call(session.client.list_keys)
    assert node.requests.count(("POST", SIGN_IN)) == 2, "whoever comes later tries anew"
    assert asked.asked == 0
    node.heal()
    assert len((await session.call(session.client.list_keys)).keys) == 8


async def test_a_server_that_is_gone_has_not_ended_the_session(
    node: Node, session: Session
) -> None:
    asked = operator(session, declines)
    asked.may_answer.set()
    node.stop()
    with pytest.raises(NotReached):
        await session.call(session.client.list_keys)
    node.start_again()
    node.expire_sessions()
    assert len((await session.call(session.client.list_keys)).keys) == 8
    assert asked.asked == 0


async def test_a_403_never_ends_a_session(node_with: NodeMaker) -> None:
    node = node_with(role="reporting")
    session = Session(Client(parse_server(node.url), deadline=20))
    await session.sign_in(node.username, SecretStr(node.password), no_code)
    asked, before = operator(session, declines), token(session)
    node.requests.clear()
    with pytest.raises(Forbidden):
        await session.call(session.client.list_keys)
    assert token(session) == before
    assert asked.asked == node.requests.count(("POST", SIGN_IN)) == 0
    await session.close()


async def test_a_session_by_token_asks_at_once_and_takes_another_token(node: Node) -> None:
    session = Session(Client(parse_server(node.url), deadline=20))
    await session.enter_with_token(node.username, SecretStr(node.token()))

    async def pastes() -> bool:
        await session.sign_in_again(SecretStr(node.token()), no_code)
        return True

    asked = operator(session, pastes)
    asked.may_answer.set()
    node.end_sessions()
    node.requests.clear()
    assert len((await session.call(session.client.list_keys)).keys) == 8
    assert asked.asked == 1
    assert node.requests.count(("POST", SIGN_IN)) == 0
    assert not session.has_password
    await session.close()


async def test_signing_out_ends_both_tokens(node: Node, session: Session) -> None:
    access = token(session)
    assert await session.sign_out()
    with pytest.raises(Unauthorized):
        await session.client.list_keys(SecretStr(access))
    assert node.seen("POST", f"{SIGN_IN}/logout") == 2
    assert session.user is None
    assert await session.sign_out(), "there is nothing left to sign out"


@pytest.mark.usefixtures("repeats_at_once")
@pytest.mark.parametrize("fault", ["500", "503-html", "429", "before", "after", "cut", "stopped"])
async def test_a_failure_to_sign_out_is_told_and_raises_nothing(
    node: Node, session: Session, fault: str
) -> None:
    if fault == "stopped":
        node.stop()
    else:
        node.fail("POST", f"{SIGN_IN}/logout", fault, 9)  # type: ignore[arg-type]
    assert not await session.sign_out()
    assert session._token is None
    assert session.user is None


async def test_a_password_check_leaves_no_session_behind(node: Node, session: Session) -> None:
    check = await session.check_password(SecretStr(node.password))
    assert check.refresh is None
    await session.client.list_keys(check.access)
    session.discard(check)
    await node.until("POST", f"{SIGN_IN}/logout")
    assert await session.sign_out()
    with pytest.raises(Unauthorized):
        await session.client.list_keys(check.access)


async def ends_with(session: Session, server: FaultServer) -> list[str]:
    """Sign out, and return the tokens that the server was asked to forget, in order."""
    await session.sign_out()
    await session.close()
    forms = [parse_qs(r.body.decode()) for r in server.requests if r.path == f"{SIGN_IN}/logout"]
    return [form["token"][0] for form in forms]


@pytest.mark.parametrize(
    ("check", "forgotten"),
    [
        ({"access_token": "live", "refresh_token": "9b1e"}, ["live", "9b1e"]),
        ({"access_token": "check", "refresh_token": "9b1e"}, ["check", "live", "9b1e"]),
        ({"access_token": "9b1e"}, ["live", "9b1e"]),
        ({"access_token": "check"}, ["check", "live", "9b1e"]),
    ],
    ids=["the very token", "one refresh token per user", "the refresh token", "its own"],
)
async def test_a_password_check_never_signs_out_what_the_session_uses(
    check: dict[str, str], forgotten: list[str]
) -> None:
    signed_in = as_json({"access_token": "live", "refresh_token": "9b1e"})
    account = as_json({"results": {"username": "ops"}})
    done = as_json({"results": {}})
    no_factor = as_json({}, 404)
    replies = [signed_in, no_factor, account, as_json(check), done]
    async with faults(*replies) as server:
        session = Session(Client(parse_server(f"http://127.0.0.1:{server.port}"), deadline=20))
        await session.sign_in("ops", SecretStr("hunter2"), no_code)
        session.discard(await session.check_password(SecretStr("hunter2")))
        await asyncio.gather(*session._discarding)
        assert await ends_with(session, server) == forgotten


async def test_a_second_sign_in_that_fails_keeps_the_token_that_is_in_use() -> None:
    token = as_json({"access_token": "live", "refresh_token": "9b1e"})
    account = as_json({"results": {"username": "ops"}})
    replies = [token, as_json({}, 404), account, token, as_json({}, 500), as_json({"results": {}})]
    async with faults(*replies) as server:
        session = Session(Client(parse_server(f"http://127.0.0.1:{server.port}"), deadline=20))
        await session.sign_in("ops", SecretStr("hunter2"), no_code)
        with pytest.raises(ServerFailed):
            await session.sign_in("ops", SecretStr("hunter2"), no_code)
        assert server.count("POST", f"{SIGN_IN}/logout") == 0
        assert await ends_with(session, server) == ["live", "9b1e"]


class Limited:
    """A server that takes one request at a time and then none for a while, as nginx's limit_req.

    `status` is what it answers to those that come too early.
    """

    def __init__(self, replies: Reply, status: int, pause: float = 0.5) -> None:
        self.replies, self.status, self.pause = replies, status, pause
        self.opens_at = 0.0
        self.refused: list[str] = []

    async def __call__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        now = asyncio.get_running_loop().time()
        # A refused write is not repeated: the test is about reads and sign-outs.
        is_write = request.path in {SIGN_IN, KEYS} and request.method == "POST"
        if now < self.opens_at and not is_write:
            self.refused.append(request.path)
            asyncio.get_running_loop().call_later(0.05, pass_time, 1.0)  # for which it is waited
            await answer(b"<h1>Too many requests</h1>", self.status)(request, writer)
            return
        self.opens_at = now + self.pause
        await self.replies(request, writer)


@pytest.mark.parametrize("status", [429, 420, 503])
async def test_signing_in_and_out_waits_where_the_server_is_asked_too_often(status: int) -> None:
    table = {
        f"POST {SIGN_IN}": as_json({"access_token": "live", "refresh_token": "9b1e"}),
        "GET /api/v1/users/ops": as_json({"results": {"username": "ops"}}),
        "GET /api/v1/authenticate/grants": as_json({"errors": []}, 401),
        f"GET {KEYS}": as_json({"results": []}),
        f"POST {SIGN_IN}/logout": as_json({"results": {}}),
    }
    limited = Limited(routes(table), status)
    async with faults(limited) as server:
        session = Session(Client(parse_server(f"http://127.0.0.1:{server.port}"), deadline=30))
        assert await session.is_enforced()
        await session.sign_in("ops", SecretStr("hunter2"), no_code)
        await several(session, 2)
        assert await session.sign_out()
        await session.close()
    assert {"/api/v1/users/ops/two-factor", f"{SIGN_IN}/logout"} <= {*limited.refused}
    assert server.count("POST", SIGN_IN) == 1


async def test_a_pause_beyond_the_deadline_is_not_waited_for(node: Node, session: Session) -> None:
    node.fail("GET", KEYS, "429-for-ever", 9)
    with pytest.raises(RateLimited) as caught:
        await session.call(session.client.list_keys)
    assert caught.value.retry_after == 300
    assert node.seen("GET", KEYS) == 1


@pytest.mark.parametrize("fault", ["429", "503-html"])
async def test_no_write_is_made_again(node: Node, session: Session, fault: str) -> None:
    node.fail("*", KEYS, fault, 9)  # type: ignore[arg-type]
    client, draft = session.client, KeyDraft("x")
    for write in (
        lambda token: client.create_key(draft, token),
        lambda token: client.update_key("1", draft, token),
        lambda token: client.delete_key("1", token),
    ):
        with pytest.raises(Refused):
            await session.call(write)
    assert [method for method, _ in node.requests] == ["POST", "PUT", "DELETE"]


@pytest.mark.parametrize("typed", ["ops", "ops@example.com"])
async def test_the_code_comes_before_anything_else_is_asked(
    node_with: NodeMaker, typed: str
) -> None:
    """Until the code is given, the node answers 401 to all that is not about it."""
    node = node_with(account="two-factor")
    session = Session(Client(parse_server(node.url), deadline=20))
    refusals: list[str] = []

    async def ask(refusal: str) -> SecretStr | None:
        refusals.append(refusal)
        return SecretStr("no code" if len(refusals) == 1 else node.code)

    await session.sign_in(typed, SecretStr(node.password), ask)
    assert refusals == ["", "The code is not valid"]
    assert session.user
    assert session.user.username == "ops"
    assert [path for _, path in node.requests] == [
        SIGN_IN,
        *[f"/api/v1/users/{typed}/two-factor"] * 3,
        f"/api/v1/users/{typed}",
    ]
    assert await session.call(session.client.list_keys)
    await session.close()


async def test_a_factor_that_is_known_by_the_user_name_alone_is_asked_for() -> None:
    table = {
        f"POST {SIGN_IN}": as_json({"access_token": "live"}),
        "GET /api/v1/users/ops%40x": as_json({"results": {"username": "ops"}}),
        "GET /api/v1/users/ops/two-factor": as_json({"results": {"enabled": True}}),
        "POST /api/v1/users/ops/two-factor": as_json({"results": {}}),
    }

    async def ask(refusal: str) -> SecretStr | None:
        return SecretStr("123456")

    async with faults(routes(table)) as server:
        session = Session(Client(parse_server(f"http://127.0.0.1:{server.port}"), deadline=20))
        await session.sign_in("ops@x", SecretStr("hunter2"), ask)
        assert server.count("POST", "/api/v1/users/ops/two-factor") == 1
        await session.close()


@pytest.mark.parametrize("yes", [True, 1, "true"])
async def test_a_factor_is_asked_for_however_the_server_says_yes(yes: object) -> None:
    table = {
        f"POST {SIGN_IN}": as_json({"access_token": "live"}),
        "GET /api/v1/users/ops": as_json({"results": {"username": "ops"}}),
        "GET /api/v1/users/ops/two-factor": as_json({"results": {"enabled": yes}}),
        "POST /api/v1/users/ops/two-factor": as_json({"results": {}}),
    }

    async def ask(refusal: str) -> SecretStr | None:
        return SecretStr("123456")

    async with faults(routes(table)) as server:
        session = Session(Client(parse_server(f"http://127.0.0.1:{server.port}"), deadline=20))
        await session.sign_in("ops", SecretStr("hunter2"), ask)
        assert server.count("POST", "/api/v1/users/ops/two-factor") == 1
        await session.close()


@pytest.mark.parametrize(
    "account",
    [
        as_json({"results": {"access_level": "admin"}}),
        as_json({"results": [{"username": "ops"}]}),
        as_json({"username": "ops"}),
        as_json({"errors": [{"message": "Method not allowed"}]}, 405),
        answer(b"<html>Nothing here</html>"),
        answer(b""),
    ],
)
async def test_an_account_that_cannot_be_read_keeps_nobody_out(account: Reply) -> None:
    table = {f"POST {SIGN_IN}": as_json({"access_token": "live"}), "GET /api/v1/users/ops": account}
    async with faults(routes(table)) as server:
        session = Session(Client(parse_server(f"http://127.0.0.1:{server.port}"), deadline=20))
        await session.sign_in("ops", SecretStr("hunter2"), no_code)
        assert session.user is not None
        assert session.user.username == "ops"
        await session.close()


async def test_an_expired_access_token_does_not_save_the_refresh_token(
    node: Node, session: Session
) -> None:
    assert session._token
    refresh = session._token.refresh
    assert refresh is not None
    node.expire_sessions()
    assert await session.sign_out()
    with pytest.raises(SignInRefused):
        await session.client.refresh(refresh)


async def test_a_refresh_token_that_is_refused_is_not_known_to_be_signed_out(
    node: Node, session: Session
) -> None:
    node.end_sessions()
    assert not await session.sign_out()


async def test_a_renewal_that_fails_says_nothing_of_the_request(
    node: Node, session: Session
) -> None:
    node.expire_sessions()
    node.fail("POST", SIGN_IN, "503-html")
    with pytest.raises(ServerFailed) as caught:
        await session.call(lambda token: session.client.delete_key("1", token))
    assert not caught.value.maybe_done


async def test_nothing_that_is_logged_or_shown_of_a_session_holds_a_credential(
    node: Node, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    node.expire_sessions()
    await session.call(session.client.list_keys)
    held = session._token
    assert held is not None
    assert held.refresh is not None
    shown = f"{session!r} {vars(session)!r} {vars(session.client)!r} {caplog.text}"
    for secret in (held.access, held.refresh, SecretStr(node.password)):
        assert secret.get_secret_value() not in shown


async def test_what_was_read_ahead_serves_the_first_reading_and_its_failure_too(
    node: Node,
) -> None:
    session = Session(Client(parse_server(node.url), deadline=20))
    node.fail("GET", KEYS, "500")
    await session.sign_in(node.username, SecretStr(node.password), no_code, reads_ahead=True)
    with pytest.raises(ServerFailed):
        await session.call(session.list_keys)
    assert node.seen("GET", KEYS) == 1
    assert len((await session.call(session.list_keys)).keys) == 8
    for _ in range(2):
        assert await session.call(session.grants)
    assert node.seen("GET", "/api/v1/authenticate/grants") == 2
    await session.close()


async def test_a_sign_in_that_fails_leaves_nothing_read_ahead(node: Node) -> None:
    session = Session(Client(parse_server(node.url), deadline=20))
    node.fail("GET", f"/api/v1/users/{node.username}", "500", exactly=True)
    node.fail("GET", KEYS, "hang")
    with pytest.raises(ServerFailed):
        await session.sign_in(node.username, SecretStr(node.password), no_code, reads_ahead=True)
    assert node.seen("POST", f"{SIGN_IN}/logout") == 2
    node.heal()  # what was given up may not have been sent
    with pytest.raises(Unauthorized):
        await session.list_keys(None)
    await session.close()


async def test_what_was_read_before_a_code_that_was_owed_is_read_again() -> None:
    """The server knows the factor by the user's name only, not by the e-mail address."""
    owed = as_json({"errors": []}, 401)
    table = {
        f"POST {SIGN_IN}": as_json({"access_token": "live"}),
        "GET /api/v1/users/ops@example.com": as_json({"results": {"username": "ops"}}),
        "GET /api/v1/users/ops/two-factor": as_json({"results": {"enabled": True}}),
        "POST /api/v1/users/ops/two-factor": as_json({"results": {}}),
        "GET /api/v1/authenticate/grants": owed,
        f"GET {KEYS}": owed,
    }

    async def code(refusal: str) -> SecretStr | None:
        return SecretStr("123456")

    async with faults(routes(table)) as server:
        session = Session(Client(parse_server(f"http://127.0.0.1:{server.port}"), deadline=20))
        await session.sign_in("ops@example.com", SecretStr("hunter2"), code, reads_ahead=True)
        table[f"GET {KEYS}"] = as_json({"results": []})
        assert await session.call(session.list_keys) == KeyList(())
        await session.close()
